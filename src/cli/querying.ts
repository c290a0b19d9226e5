/**
 * `harrier query --dialect kusto`: the text of one or more queries, compiled for `queryrun`. Columns that only the data
 * can tell, and custom tables, are known when the store is there.
 */
import type { Diagnostic } from '../core/diagnostic.ts'
import { compileDiscovering } from '../detect/discover.ts'
import type { KustoCompiled } from '../dialects/kusto/answer.ts'
import type { OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { knowTables, LACKS_TABLE, lazyKusto, readPins } from './kusto.ts'
import { readLibrary } from './library.ts'
import { KUSTO_PRINTING } from './printing.ts'
import {
  type CompiledText,
  checkQuery,
  hasData,
  type ReadyQuery,
  runQueries,
  tellDiagnostics,
} from './queryrun.ts'
import { type QueryText, readQuery } from './querytext.ts'
import { UnusableError, UsageError } from './usage.ts'

/** Compiles the text; all its queries must be usable. What is no error is told on stderr. */
async function compile(
  context: Context,
  query: QueryText,
  options: OptionValues,
): Promise<CompiledText> {
  const { functions, watchlists } = await readLibrary(context, options)
  const compiler = lazyKusto(context, await readPins(options))
  const ask = async (text: string): Promise<KustoCompiled> => {
    const requests = [{ query: text, name: query.file ?? 'query' }]
    const [compiled] = await compiler.compile(requests, functions, watchlists)
    return compiled ?? { queries: [] }
  }
  const first = await ask(query.text)
  const isOpen = first.queries.some(({ discover }) => discover !== undefined)
  // Custom tables are known by what the store holds for them.
  const lacksTable = first.queries.flatMap((each) => each.diagnostics).some(isLackOfTable)
  const readsTables = lacksTable || first.queries.some((each) => each.tables.length > 0)
  if (!isOpen && !(lacksTable && hasData(context, options))) {
    const ready = readyQueries(context, query, first)
    return { readsTables, finish: () => ready }
  }
  return {
    readsTables,
    finish: async (rows, stored) => {
      if (stored !== undefined) knowTables(context, stored)
      if (rows === undefined) return readyQueries(context, query, first)
      const { text, compiled } = await compileDiscovering(query.text, { compile: ask, rows })
      return readyQueries(context, { ...query, text }, compiled)
    },
  }
}

const isLackOfTable = ({ code }: Diagnostic): boolean => LACKS_TABLE.has(code)

/** The queries of a compiled text, all of which must be usable. */
function readyQueries(
  context: Context,
  query: QueryText,
  { queries: answers }: KustoCompiled,
): readonly ReadyQuery[] {
  tellDiagnostics(
    context,
    query,
    answers.flatMap((each) => each.diagnostics),
  )
  const ready = answers.flatMap(({ rel, span, diagnostics, render }): readonly ReadyQuery[] => {
    if (rel === undefined) return []
    const text = query.text.slice(span.start, span.end)
    const chart = render === undefined ? {} : { render }
    return [{ rel, text, diagnostics, ...chart, printing: KUSTO_PRINTING, isEvents: false }]
  })
  if (ready.length === 0) throw new UnusableError('the text holds no query')
  return ready
}

/** Runs `query --dialect kusto` and gives the exit code. */
export function queryKusto(
  context: Context,
  given: string,
  options: OptionValues,
): Promise<number> {
  checkQuery(context, options)
  const query = readQuery(given)
  if (query.text.trim() === '') throw new UsageError('the query is empty')
  return runQueries(context, () => compile(context, query, options), options)
}

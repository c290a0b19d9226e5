/** Kusto queries from their text to the engine's rows, on a store without data: what tests of the language need. */
import { afterAll, beforeAll } from 'vitest'
import { compileDiscovering } from '../../src/detect/discover.ts'
import { planRows, type QueryWorld } from '../../src/detect/runquery.ts'
import type { KustoAnswer } from '../../src/dialects/kusto/answer.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryEngine } from './temporary.ts'

type PlainRow = readonly unknown[]

export interface KustoDesk {
  /** The first query of a text, compiled; columns that depend on data are found first. */
  answer(query: string): Promise<KustoAnswer>
  /** Names of the columns, and the rows with whole numbers as numbers. */
  rows(query: string): Promise<{ readonly names: readonly string[]; readonly found: PlainRow[] }>
  /** The rows alone. */
  found(query: string): Promise<PlainRow[]>
}

/** Opens an engine for the tests of a file and closes it after them. */
export function kustoDesk(): KustoDesk {
  let opened: TemporaryEngine
  beforeAll(async () => {
    opened = await temporaryEngine()
  })
  afterAll(() => opened.close())
  const schema = readyMadeSchema()
  const world: QueryWorld = { schema, stored: new Map(), time: {} }
  const compiler = compilerHere(schema.tables)

  const answer = async (query: string): Promise<KustoAnswer> => {
    const { compiled } = await compileDiscovering(query, {
      compile: async (text) => {
        const [first] = await compiler.compile([{ query: text, name: 'q' }], [], [])
        return first ?? { queries: [] }
      },
      rows: (rel) => planRows(opened.engine, rel, world),
    })
    const [first] = compiled.queries
    if (first === undefined) throw new Error('no answer')
    return first
  }
  const rows: KustoDesk['rows'] = async (query) => {
    const { rel, columns, diagnostics } = await answer(query)
    if (rel === undefined) throw new Error(JSON.stringify(diagnostics))
    const found: PlainRow[] = []
    for await (const row of planRows(opened.engine, rel, world)) {
      found.push(row.map((each) => (typeof each === 'bigint' ? Number(each) : each)))
    }
    return { names: columns.map(({ name }) => name), found }
  }
  return { answer, rows, found: async (query) => (await rows(query)).found }
}

/**
 * Queries whose columns only the data can tell: what is missing is looked for in the data, written into the text, and
 * the text compiled again, until every query of it is ready.
 */
import { limits } from '../core/limits.ts'
import type { KustoCompiled } from '../dialects/kusto/answer.ts'
import { type FoundName, withColumns } from '../dialects/kusto/discover.ts'
import type { Rel } from '../ir/rel.ts'
import type { Value } from './values.ts'

export interface Discovering {
  readonly compile: (text: string) => Promise<KustoCompiled>
  /** The rows of a plan. */
  readonly rows: (rel: Rel) => AsyncIterable<readonly Value[]>
}

export interface Discovered {
  /** The text with the columns in it; the spans of the queries are in this one. */
  readonly text: string
  readonly compiled: KustoCompiled
}

/** Compiles a text whose columns may have to be found first. Queries that cannot be made ready keep their errors. */
export async function compileDiscovering(
  text: string,
  { compile, rows }: Discovering,
): Promise<Discovered> {
  let current = text
  let compiled = await compile(current)
  for (let round = 0; round < limits.discoveries; round++) {
    const discovery = compiled.queries.find((each) => each.discover !== undefined)?.discover
    if (discovery === undefined) break
    const found: FoundName[] = []
    for await (const [name, type] of rows(discovery.rel)) {
      found.push({ name: String(name ?? ''), type: String(type ?? 'dynamic') })
    }
    const { value, diagnostics } = withColumns(current, discovery, found)
    if (value === undefined) {
      const queries = compiled.queries.map((each) =>
        each.discover === discovery ? { ...each, diagnostics } : each,
      )
      return { text: current, compiled: { queries } }
    }
    current = value
    compiled = await compile(current)
  }
  return { text: current, compiled }
}

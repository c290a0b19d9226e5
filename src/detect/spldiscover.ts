/**
 * Searches whose columns only the data can tell: what is missing is looked for in the data and the search compiled
 * again with it, until it asks for nothing new.
 */
import { limits } from '../core/limits.ts'
import type { SplAnswer } from '../dialects/spl/answer.ts'
import type { Rel } from '../ir/rel.ts'
import type { Value } from './values.ts'

export interface SplDiscovering {
  readonly compile: (found: ReadonlyMap<string, readonly string[]>) => SplAnswer
  /** The rows of a plan. */
  readonly rows: (rel: Rel) => AsyncIterable<readonly Value[]>
}

/** The texts that a discovery finds, each once. */
async function textsOf(
  rows: AsyncIterable<readonly Value[]>,
  pattern: string | undefined,
): Promise<readonly string[]> {
  const fits = pattern === undefined ? undefined : new RegExp(pattern)
  const found = new Set<string>()
  for await (const [value] of rows) {
    if (typeof value === 'string' && (fits === undefined || fits.test(value))) found.add(value)
  }
  return [...found]
}

/** Compiles a search, finding what it must know of the data first. */
export async function discoverSpl({ compile, rows }: SplDiscovering): Promise<SplAnswer> {
  const found = new Map<string, readonly string[]>()
  let answer = compile(found)
  for (let round = 0; round < limits.discoveries; round++) {
    const open = answer.discoveries.filter(({ key }) => !found.has(key))
    if (open.length === 0) break
    for (const { key, rel, pattern } of open) found.set(key, await textsOf(rows(rel), pattern))
    answer = compile(found)
  }
  return answer
}

/**
 * Searches whose columns only the data can tell: what is missing is looked for in the data and the search compiled
 * again with it, until it asks for nothing new.
 */
import { diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type { Confirmation, SplAnswer } from '../dialects/spl/answer.ts'
import type { Rel } from '../ir/rel.ts'
import { confirmedValues } from './confirming.ts'
import type { Value } from './values.ts'

export interface SplDiscovering {
  readonly compile: (found: ReadonlyMap<string, readonly string[]>) => SplAnswer
  /** The rows of a plan. */
  readonly rows: (rel: Rel) => AsyncIterable<readonly Value[]>
}

/** The texts that a discovery finds, each once; undefined when they cannot be confirmed in time. */
async function textsOf(
  rows: AsyncIterable<readonly Value[]>,
  confirm: Confirmation | undefined,
): Promise<readonly string[] | undefined> {
  const found = new Set<string>()
  for await (const [value] of rows) if (typeof value === 'string') found.add(value)
  return confirm === undefined ? [...found] : confirmedValues([...found], confirm)
}

/** Compiles a search, finding what it must know of the data first. */
export async function discoverSpl({ compile, rows }: SplDiscovering): Promise<SplAnswer> {
  const found = new Map<string, readonly string[]>()
  let answer = compile(found)
  for (let round = 0; round < limits.discoveries; round++) {
    const open = answer.discoveries.filter(({ key }) => !found.has(key))
    if (open.length === 0) break
    for (const { key, rel, confirm } of open) {
      const texts = await textsOf(rows(rel), confirm)
      if (texts === undefined) return tooSlow(answer, confirm?.pattern ?? '')
      found.set(key, texts)
    }
    answer = compile(found)
  }
  return answer
}

/** The answer without its plan. */
function tooSlow({ rel: _, ...answer }: SplAnswer, pattern: string): SplAnswer {
  const problem = diagnose('HR520', { pattern, limit: limits.confirmSeconds })
  return { ...answer, diagnostics: [...answer.diagnostics, problem] }
}

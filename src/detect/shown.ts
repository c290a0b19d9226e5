/**
 * Rows that do not say when they happened, in runs whose windows overlap: the same row in runs that follow one another is
 * one fact, told by the run that showed it first. When a run has not shown it, the next one that does has found it anew.
 */
import { limits } from '../core/limits.ts'

/** By the key of a row, the time of the run that showed it first. */
export type ShownRows = ReadonlyMap<string, string>

export const NOTHING_SHOWN: ShownRows = new Map()

/** What one run shows, after the run before it. */
export class Shown {
  readonly #before: ShownRows
  readonly #at: string
  readonly #rows = new Map<string, string>()

  constructor(before: ShownRows, at: string) {
    this.#before = before
    this.#at = at
  }

  /** Notes a row; gives the time of the run that showed it first. */
  since(key: string): string {
    const first = this.#before.get(key) ?? this.#at
    if (this.#rows.size < limits.shownRows) this.#rows.set(key, first)
    return first
  }

  get rows(): ShownRows {
    return this.#rows
  }
}

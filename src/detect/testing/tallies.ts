/** Counting what a backtest finds: by day, by values of fields, by entity; bounded, with what is left over counted. */
import { limits } from '../../core/limits.ts'
import { ticksIn } from '../../core/time.ts'
import type { Finding } from '../finding.ts'

export interface Counted {
  readonly value: string
  readonly count: number
}

/** Fields that are counted, and characters of a value that tell it from others. */
const MOST_FIELDS = 60
const MOST_CHARS = 500
const DAY_TICKS = 864_000_000_000n

/** Counts by value. */
class Counts {
  readonly #counts = new Map<string, number>()
  /** Values past the most that are told apart. */
  others = 0

  add(text: string): void {
    const value = text.slice(0, MOST_CHARS)
    const known = this.#counts.get(value)
    if (known === undefined && this.#counts.size >= limits.backtestValues) this.others++
    else this.#counts.set(value, (known ?? 0) + 1)
  }

  /** Different values, as far as they were told apart. */
  get size(): number {
    return this.#counts.size
  }

  top(most: number): readonly Counted[] {
    return [...this.#counts]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, most)
  }
}

export interface FieldTally {
  readonly name: string
  /** Different values. */
  readonly different: number
  readonly top: readonly Counted[]
}

/** The date of a finding, as `2026-02-01`. */
function dayOf({ time }: Finding): string {
  return time.slice(0, 10)
}

/** What is said of a field: its values as texts. */
function valuesOf(value: string | readonly string[] | null): readonly string[] {
  return value === null ? [] : typeof value === 'string' ? [value] : value
}

export class Tallies {
  readonly #days = new Map<string, number>()
  readonly #fields = new Map<string, Counts>()
  readonly #entities = new Counts()
  readonly #hosts = new Counts()

  add(finding: Finding): void {
    const day = dayOf(finding)
    this.#days.set(day, (this.#days.get(day) ?? 0) + 1)
    if (finding.host !== '') this.#hosts.add(finding.host)
    for (const [name, value] of Object.entries(finding.event)) this.#field(name, valuesOf(value))
    for (const [name, values] of Object.entries(finding.details ?? {})) this.#field(name, values)
    for (const entity of finding.entities ?? []) {
      const { type, ...identifiers } = entity
      this.#entities.add(`${type} ${Object.values(identifiers).join(' ')}`)
    }
    if (finding.entities === undefined) {
      for (const { type, value } of finding.risk ?? []) this.#entities.add(`${type} ${value}`)
    }
  }

  #field(name: string, values: readonly string[]): void {
    let counts = this.#fields.get(name)
    if (counts === undefined) {
      if (this.#fields.size >= MOST_FIELDS) return
      counts = new Counts()
      this.#fields.set(name, counts)
    }
    for (const value of values) counts.add(value)
  }

  /** Findings of every day from the first to the last of a range; days without one are 0. */
  days(from: string, to: string): readonly Counted[] {
    const known = [...this.#days.keys()].sort()
    const first = [from.slice(0, 10), ...known].sort()[0]
    const last = [to.slice(0, 10), ...known].sort().at(-1)
    if (first === undefined || last === undefined) return []
    const days: Counted[] = []
    const end = ticksIn(`${last}T00:00:00Z`)
    for (let at = ticksIn(`${first}T00:00:00Z`); at <= end; at += DAY_TICKS) {
      const value = new Date(Number(at / 10_000n)).toISOString().slice(0, 10)
      days.push({ value, count: this.#days.get(value) ?? 0 })
      if (days.length > 4_000) break
    }
    return days
  }

  /** Fields with their most frequent values: those that the rule reads or gives, then those whose values repeat. */
  fields(most: number, values: number, read: readonly string[]): readonly FieldTally[] {
    const own = new Set(read)
    const rank = ({ name, top }: FieldTally): number =>
      own.has(name) ? 0 : (top[0]?.count ?? 0) > 1 ? 1 : 2
    return [...this.#fields]
      .map(
        ([name, counts]): FieldTally => ({
          name,
          different: counts.size + (counts.others > 0 ? 1 : 0),
          top: counts.top(values),
        }),
      )
      .filter(({ top }) => top.length > 0)
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, most)
  }

  entities(most: number): readonly Counted[] {
    return this.#entities.size > 0 ? this.#entities.top(most) : this.#hosts.top(most)
  }
}

/**
 * What a correlation measures over the matches of one group that lie in its window: how many there are, how many values,
 * their sum, or which rules are among them. Each takes and gives up matches in the order of time.
 */

import type { Condition } from '../../dialects/sigma/condition.ts'
import type { Comparison, CorrelationType } from '../../dialects/sigma/correlation.ts'
import { SortedNumbers } from './sorted.ts'

/** A match of one rule that a correlation counts, in one group. */
export interface Match {
  /** 100-nanosecond ticks since 1970. */
  readonly time: bigint
  /** Place of the rule in the correlation. */
  readonly rule: number
  readonly group: readonly string[]
  /** Values of the field or fields that are counted; undefined where one is missing. */
  readonly value?: string
  /** Further values, where the field has several. */
  readonly more?: readonly string[]
  /** Tells the match from all others, and where it came from. */
  readonly ref: MatchRef
}

export interface MatchRef {
  readonly source: string
  readonly file: string
  readonly record: number
  /** ISO text. */
  readonly time: string
  /** True when the time is that of the event: a finding of another correlation is known by its first event. */
  readonly isExact: boolean
}

/** What is measured, free of where the matches come from. */
export interface Measure {
  readonly type: CorrelationType
  readonly rules: readonly string[]
  /** In ticks. */
  readonly timespan: bigint
  readonly comparisons: readonly Comparison[]
  readonly percentile: number
  readonly expression?: Condition
}

const NONE: readonly string[] = []

/** The values that are counted of a match. */
export function valuesOf({ value, more }: Match): readonly string[] {
  if (value === undefined) return NONE
  return more === undefined ? [value] : [value, ...more]
}

/** A number from a field, or undefined for what is none. */
export function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 64) return undefined
  if (!/^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?\s*$/.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function numbersIn(match: Match): readonly number[] {
  return valuesOf(match).flatMap((value) => numberIn(value) ?? [])
}

export interface Gauge {
  /** Takes the matches of one instant. */
  add(matches: readonly Match[]): void
  /** Gives up a match that has left the window. */
  drop(match: Match): void
  /** What is measured of the window that ends at a time; undefined when there is nothing to measure. */
  value(end: bigint): number | undefined
  /** True when the rules that have matched are those that are asked for, whatever the count. */
  isMet(end: bigint): boolean
}

const COMPARE = {
  gt: (a: number, b: number) => a > b,
  gte: (a: number, b: number) => a >= b,
  lt: (a: number, b: number) => a < b,
  lte: (a: number, b: number) => a <= b,
  eq: (a: number, b: number) => a === b,
  neq: (a: number, b: number) => a !== b,
} as const

/** True when a value is within all bounds. */
function isWithin(value: number | undefined, comparisons: readonly Comparison[]): boolean {
  return value !== undefined && comparisons.every((each) => COMPARE[each.op](value, each.value))
}

class Counting implements Gauge {
  #count = 0
  readonly #comparisons: readonly Comparison[]

  constructor({ comparisons }: Measure) {
    this.#comparisons = comparisons
  }

  add(matches: readonly Match[]): void {
    this.#count += matches.length
  }

  drop(): void {
    this.#count--
  }

  value(): number {
    return this.#count
  }

  isMet(): boolean {
    return isWithin(this.#count, this.#comparisons)
  }
}

/** How often each of some keys is there. */
class Tally<K> {
  readonly #counts = new Map<K, number>()

  get size(): number {
    return this.#counts.size
  }

  has(key: K): boolean {
    return this.#counts.has(key)
  }

  change(key: K, by: 1 | -1): void {
    const count = (this.#counts.get(key) ?? 0) + by
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}

class Distinct implements Gauge {
  readonly #values = new Tally<string>()
  readonly #comparisons: readonly Comparison[]

  constructor({ comparisons }: Measure) {
    this.#comparisons = comparisons
  }

  add(matches: readonly Match[]): void {
    for (const match of matches) {
      for (const value of valuesOf(match)) this.#values.change(value, 1)
    }
  }

  drop(match: Match): void {
    for (const value of valuesOf(match)) this.#values.change(value, -1)
  }

  value(): number {
    return this.#values.size
  }

  isMet(): boolean {
    return isWithin(this.#values.size, this.#comparisons)
  }
}

function holds(condition: Condition, has: (name: string) => boolean): boolean {
  switch (condition.op) {
    case 'selection':
      return has(condition.name)
    case 'not':
      return !holds(condition.part, has)
    case 'and':
      return condition.parts.every((part) => holds(part, has))
    case 'or':
      return condition.parts.some((part) => holds(part, has))
    case 'some':
      return condition.names.some(has)
    case 'every':
      return condition.names.every(has)
  }
}

/** Rules in any order. */
class Together implements Gauge {
  readonly #measure: Measure
  readonly #rules = new Tally<number>()

  constructor(measure: Measure) {
    this.#measure = measure
  }

  add(matches: readonly Match[]): void {
    for (const { rule } of matches) this.#rules.change(rule, 1)
  }

  drop({ rule }: Match): void {
    this.#rules.change(rule, -1)
  }

  value(): number {
    return this.#rules.size
  }

  isMet(): boolean {
    const { expression, comparisons, rules } = this.#measure
    if (expression !== undefined) {
      return holds(expression, (name) => this.#rules.has(rules.indexOf(name)))
    }
    if (comparisons.length > 0) return isWithin(this.#rules.size, comparisons)
    return this.#rules.size === rules.length
  }
}

/**
 * Rules in the order in which they are listed. For each rule, and each number of rules up to it, the latest time at which
 * such a row of matches has begun: a row lies in the window when it has begun in it.
 */
class Ordered implements Gauge {
  readonly #measure: Measure
  /** By number of rules in a row less one, then by the last of them. */
  readonly #begun: (bigint | undefined)[][]

  constructor(measure: Measure) {
    this.#measure = measure
    this.#begun = measure.rules.map(() => measure.rules.map(() => undefined))
  }

  /** Matches of one instant may follow each other in any order: they are taken in the order of the rules. */
  add(matches: readonly Match[]): void {
    const now = matches[0]?.time
    const here = new Set(matches.map(({ rule }) => rule))
    for (const rule of [...here].sort((a, b) => a - b)) {
      for (let length = 0; length <= rule; length++) {
        const row = this.#begun[length]
        const begun = length === 0 ? now : latest(this.#begun[length - 1]?.slice(0, rule) ?? [])
        if (row !== undefined) row[rule] = latest([row[rule], begun])
      }
    }
  }

  drop(): void {
    // A row that has begun before the window is not counted in it.
  }

  value(end: bigint): number {
    const from = end - this.#measure.timespan
    const isInside = (each: bigint | undefined): boolean => each !== undefined && each >= from
    return this.#begun.findLastIndex((row) => row.some(isInside)) + 1
  }

  isMet(end: bigint): boolean {
    const { comparisons, rules } = this.#measure
    const length = this.value(end)
    return comparisons.length > 0 ? isWithin(length, comparisons) : length === rules.length
  }
}

function latest(times: readonly (bigint | undefined)[]): bigint | undefined {
  return times.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined)
}

/**
 * The sum of numbers that come and go in order, without taking any away from a sum, which would leave a rest: what came
 * first is summed up from behind, so that the sum without the first is known.
 */
class Queue {
  /** Sums of the older numbers, each with all behind it; the oldest is last. */
  readonly #older: number[] = []
  readonly #newer: number[] = []
  #sum = 0

  get size(): number {
    return this.#older.length + this.#newer.length
  }

  add(value: number): void {
    this.#newer.push(value)
    this.#sum += value
  }

  drop(): void {
    if (this.#older.length === 0) {
      let sum = 0
      for (let value = this.#newer.pop(); value !== undefined; value = this.#newer.pop()) {
        sum += value
        this.#older.push(sum)
      }
      this.#sum = 0
    }
    this.#older.pop()
  }

  get sum(): number {
    return (this.#older.at(-1) ?? 0) + this.#sum
  }
}

class Sum implements Gauge {
  readonly #numbers = new Queue()
  readonly #measure: Measure

  constructor(measure: Measure) {
    this.#measure = measure
  }

  add(matches: readonly Match[]): void {
    for (const number of matches.flatMap(numbersIn)) this.#numbers.add(number)
  }

  drop(match: Match): void {
    for (const _ of numbersIn(match)) this.#numbers.drop()
  }

  value(): number | undefined {
    const { size, sum } = this.#numbers
    if (size === 0) return undefined
    return this.#measure.type === 'value_avg' ? sum / size : sum
  }

  isMet(): boolean {
    return isWithin(this.value(), this.#measure.comparisons)
  }
}

/** A percentile, between the two nearest values where it falls between them; the median is that of 50. */
class Percentile implements Gauge {
  readonly #numbers = new SortedNumbers()
  readonly #measure: Measure

  constructor(measure: Measure) {
    this.#measure = measure
  }

  add(matches: readonly Match[]): void {
    for (const number of matches.flatMap(numbersIn)) this.#numbers.add(number)
  }

  drop(match: Match): void {
    for (const number of numbersIn(match)) this.#numbers.remove(number)
  }

  value(): number | undefined {
    const { size } = this.#numbers
    if (size === 0) return undefined
    const { type, percentile } = this.#measure
    const place = ((type === 'value_median' ? 50 : percentile) / 100) * (size - 1)
    const below = this.#numbers.at(Math.floor(place))
    const above = this.#numbers.at(Math.ceil(place))
    return below + (above - below) * (place - Math.floor(place))
  }

  isMet(): boolean {
    return isWithin(this.value(), this.#measure.comparisons)
  }
}

/** A gauge for a measure, with no match in it. */
export function gaugeOf(measure: Measure): Gauge {
  switch (measure.type) {
    case 'event_count':
      return new Counting(measure)
    case 'value_count':
      return new Distinct(measure)
    case 'temporal':
      return new Together(measure)
    case 'temporal_ordered':
      return new Ordered(measure)
    case 'value_sum':
    case 'value_avg':
      return new Sum(measure)
    case 'value_percentile':
    case 'value_median':
      return new Percentile(measure)
  }
}

/** The least number that a window must reach to be met; undefined where there is none, or it is no number of things. */
export function leastOf({ type, comparisons, rules, expression }: Measure): number | undefined {
  if (expression !== undefined) return undefined
  if (type === 'temporal' || type === 'temporal_ordered') {
    if (comparisons.length === 0) return rules.length
  } else if (type !== 'event_count' && type !== 'value_count') return undefined
  const bounds = comparisons.flatMap(({ op, value }) => {
    if (op === 'gte' || op === 'eq') return [Math.ceil(value)]
    return op === 'gt' ? [Math.floor(value) + 1] : []
  })
  return bounds.length === 0 ? undefined : Math.max(...bounds)
}

/** So many matches decide: more are never too many. Undefined where they may be, or where more than their number counts. */
export function enoughFor(measure: Measure): number | undefined {
  const isOpen = measure.comparisons.every(({ op }) => op === 'gt' || op === 'gte')
  return measure.type === 'event_count' && isOpen ? leastOf(measure) : undefined
}

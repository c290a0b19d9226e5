/** Correlation over a stream against a plain reading of what each type means, on all windows of all groups. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Burst, Correlator, TooManyMatches } from '../../src/detect/correlate/correlator.ts'
import { enoughFor, leastOf, type Match, type Measure } from '../../src/detect/correlate/gauge.ts'
import { SortedNumbers } from '../../src/detect/correlate/sorted.ts'
import type { Condition } from '../../src/dialects/sigma/condition.ts'
import type { Comparison } from '../../src/dialects/sigma/correlation.ts'

const RULES = ['a', 'b', 'c']

interface Given {
  readonly time: number
  readonly rule: number
  readonly group: string
  readonly value: string | undefined
}

function matchesOf(given: readonly Given[]): readonly Match[] {
  return given
    .map((each, record) => ({ ...each, record }))
    .sort((a, b) => a.time - b.time || a.record - b.record)
    .map(({ time, rule, group, value, record }) => ({
      time: BigInt(time),
      rule,
      group: [group],
      ...(value === undefined ? {} : { value }),
      ref: { source: 's', file: 'f', record, time: String(time), isExact: true },
    }))
}

function compare(value: number | undefined, comparisons: readonly Comparison[]): boolean {
  if (value === undefined) return false
  return comparisons.every(({ op, value: bound }) => {
    if (op === 'gt') return value > bound
    if (op === 'gte') return value >= bound
    if (op === 'lt') return value < bound
    if (op === 'lte') return value <= bound
    return op === 'eq' ? value === bound : value !== bound
  })
}

function holds(condition: Condition, has: (name: string) => boolean): boolean {
  if (condition.op === 'selection') return has(condition.name)
  if (condition.op === 'not') return !holds(condition.part, has)
  if (condition.op === 'and') return condition.parts.every((each) => holds(each, has))
  if (condition.op === 'or') return condition.parts.some((each) => holds(each, has))
  if (condition.op === 'some') return condition.names.some(has)
  return condition.op === 'every' && condition.names.every(has)
}

/** The longest row of matches whose rules go up and whose times do not go down. */
function longestRow(window: readonly Match[]): number {
  let longest = 0
  const go = (after: Match | undefined, length: number): void => {
    longest = Math.max(longest, length)
    for (const each of window) {
      if (after === undefined || (each.rule > after.rule && each.time >= after.time)) {
        go(each, length + 1)
      }
    }
  }
  go(undefined, 0)
  return longest
}

/** What is measured of one window, by the plain meaning of each type. */
function fires(measure: Measure, window: readonly Match[]): boolean {
  const { type, comparisons, expression, percentile } = measure
  const values = window.flatMap(({ value }) => value ?? [])
  const numbers = values.map(Number).sort((a, b) => a - b)
  const sum = numbers.reduce((a, b) => a + b, 0)
  const rules = new Set(window.map(({ rule }) => rule))
  const some = (value: number): number | undefined => (numbers.length === 0 ? undefined : value)
  switch (type) {
    case 'event_count':
      return compare(window.length, comparisons)
    case 'value_count':
      return compare(new Set(values).size, comparisons)
    case 'value_sum':
      return compare(some(sum), comparisons)
    case 'value_avg':
      return compare(some(sum / numbers.length), comparisons)
    case 'temporal':
      if (expression !== undefined) {
        return holds(expression, (name) => rules.has(RULES.indexOf(name)))
      }
      return comparisons.length > 0 ? compare(rules.size, comparisons) : rules.size === RULES.length
    case 'temporal_ordered': {
      const length = longestRow(window)
      return comparisons.length > 0 ? compare(length, comparisons) : length === RULES.length
    }
    default: {
      const place = ((type === 'value_median' ? 50 : percentile) / 100) * (numbers.length - 1)
      const [low, high] = [Math.floor(place), Math.ceil(place)]
      const below = numbers[low] ?? 0
      return compare(some(below + ((numbers[high] ?? 0) - below) * (place - low)), comparisons)
    }
  }
}

type Told = readonly [group: string, began: bigint, last: bigint, count: number, first: number]

/** All bursts by the definition: every window of every group, and those that overlap put together. */
function oracle(measure: Measure, matches: readonly Match[]): readonly Told[] {
  const told: Told[] = []
  for (const group of new Set(matches.map((each) => each.group[0] ?? ''))) {
    const own = matches.filter((each) => each.group[0] === group)
    let open: { began: bigint; last: bigint } | undefined
    const close = (): void => {
      if (open === undefined) return
      const { began, last } = open
      const inside = own.filter(({ time }) => time >= began - measure.timespan && time <= last)
      told.push([group, began, last, inside.length, inside[0]?.ref.record ?? -1])
    }
    for (const end of [...new Set(own.map(({ time }) => time))]) {
      const window = own.filter(({ time }) => time >= end - measure.timespan && time <= end)
      if (!fires(measure, window)) continue
      if (open !== undefined && open.last >= end - measure.timespan) open.last = end
      else {
        close()
        open = { began: end, last: end }
      }
    }
    close()
  }
  return sorted(told)
}

const sorted = (told: readonly Told[]): readonly Told[] =>
  told.toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : Number(a[1] - b[1])))

function run(measure: Measure, matches: readonly Match[], since?: bigint): readonly Burst[] {
  const bursts: Burst[] = []
  const correlator = new Correlator({
    measure,
    onBurst: (burst) => bursts.push(burst),
    ...(since === undefined ? {} : { since }),
  })
  for (const match of matches) correlator.push(match)
  correlator.end()
  return bursts
}

const toldOf = (bursts: readonly Burst[]): readonly Told[] =>
  sorted(
    bursts.map(({ group, began, last, count, matches }) => [
      group[0] ?? '',
      began,
      last,
      count,
      matches[0]?.ref.record ?? -1,
    ]),
  )

const span = (timespan: number, change: Partial<Measure>): Measure => ({
  type: 'event_count',
  rules: RULES,
  timespan: BigInt(timespan),
  comparisons: [],
  percentile: 50,
  ...change,
})

const given = fc.array(
  fc.record({
    // Few instants, so that many matches share one or lie exactly a timespan apart.
    time: fc.integer({ min: 0, max: 40 }),
    rule: fc.integer({ min: 0, max: 2 }),
    group: fc.constantFrom('x', 'y', ''),
    value: fc.option(fc.constantFrom('1', '2', '4', '-3', '0.5', '8'), { nil: undefined }),
  }),
  { maxLength: 40 },
)

const comparison = fc.record({
  op: fc.constantFrom('gt', 'gte', 'lt', 'lte', 'eq', 'neq'),
  value: fc.integer({ min: 0, max: 5 }),
}) as fc.Arbitrary<Comparison>
const comparisons = fc.array(comparison, { minLength: 1, maxLength: 2 })
const spans = fc.integer({ min: 1, max: 12 })

const place = { start: 0, end: 0 }
const named = (name: string): Condition => ({ op: 'selection', name, span: place })
const EXPRESSIONS: readonly Condition[] = [
  { op: 'and', parts: [named('a'), { op: 'not', part: named('b'), span: place }], span: place },
  { op: 'or', parts: [named('a'), named('c')], span: place },
  { op: 'some', pattern: 'them', names: RULES, span: place },
  { op: 'every', pattern: 'them', names: ['a', 'b'], span: place },
]

describe('correlation over a stream', () => {
  for (const type of [
    'event_count',
    'value_count',
    'value_sum',
    'value_avg',
    'value_median',
    'value_percentile',
    'temporal',
    'temporal_ordered',
  ] as const) {
    it(`gives what ${type} means, with each comparison`, () => {
      fc.assert(
        fc.property(
          given,
          comparisons,
          spans,
          fc.integer({ min: 0, max: 100 }),
          (all, own, length, percentile) => {
            const measure = span(length, { type, comparisons: own, percentile })
            const matches = matchesOf(all)
            expect(toldOf(run(measure, matches))).toEqual(oracle(measure, matches))
          },
        ),
        { numRuns: 400 },
      )
    })
  }

  it('needs every rule where a temporal type says no more', () => {
    fc.assert(
      fc.property(
        given,
        spans,
        fc.constantFrom('temporal', 'temporal_ordered'),
        (all, length, type) => {
          const measure = span(length, { type })
          const matches = matchesOf(all)
          expect(toldOf(run(measure, matches))).toEqual(oracle(measure, matches))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('asks an expression over rules of each window', () => {
    fc.assert(
      fc.property(given, spans, fc.constantFrom(...EXPRESSIONS), (all, length, expression) => {
        const measure = span(length, { type: 'temporal', expression })
        const matches = matchesOf(all)
        expect(toldOf(run(measure, matches))).toEqual(oracle(measure, matches))
      }),
      { numRuns: 300 },
    )
  })

  it('is the same from any time on whose windows have been read', () => {
    fc.assert(
      fc.property(
        given,
        comparison,
        spans,
        fc.integer({ min: 0, max: 40 }),
        (all, own, length, from) => {
          const measure = span(length, { comparisons: [own] })
          const matches = matchesOf(all)
          const read = matches.filter(({ time }) => time >= from)
          const since = BigInt(from + length)
          // A burst that begins a timespan later has no window before that could fire.
          const isSure = ({ began }: Burst): boolean => began - measure.timespan >= since
          expect(toldOf(run(measure, read, since).filter(isSure))).toEqual(
            toldOf(run(measure, matches).filter(isSure)),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('closes windows at both ends', () => {
    const measure = span(10, { comparisons: [{ op: 'gte', value: 2 }] })
    const at = (...times: number[]) =>
      matchesOf(times.map((time) => ({ time, rule: 0, group: 'x', value: undefined })))
    expect(run(measure, at(0, 10))).toHaveLength(1)
    expect(run(measure, at(0, 11))).toHaveLength(0)
    // Windows that share one instant overlap; the next burst begins after all of the one before.
    expect(run(measure, at(0, 5, 15, 25)).map(({ began, last }) => [began, last])).toEqual([
      [5n, 25n],
    ])
    expect(run(measure, at(0, 5, 16, 20)).map(({ count }) => count)).toEqual([2, 2])
  })

  it('counts a burst of many matches in little memory', () => {
    const measure = span(1_000_000, { comparisons: [{ op: 'gte', value: 5 }] })
    const bursts: Burst[] = []
    const correlator = new Correlator({
      measure,
      most: 100,
      onBurst: (burst) => bursts.push(burst),
    })
    for (const match of matchesOf(
      Array.from({ length: 5_000 }, (_, time) => ({ time, rule: 0, group: 'x', value: undefined })),
    )) {
      correlator.push(match)
    }
    correlator.end()
    expect(bursts.map(({ count, byRule }) => [count, byRule[0]])).toEqual([[5_000, 5_000]])
  })

  it('refuses to hold more matches than it may', () => {
    const measure = span(1_000, { comparisons: [{ op: 'lte', value: 500 }] })
    const correlator = new Correlator({ measure, most: 100, onBurst: () => undefined })
    const matches = matchesOf(
      Array.from({ length: 200 }, (_, time) => ({ time, rule: 0, group: 'x', value: undefined })),
    )
    expect(() => {
      for (const match of matches) correlator.push(match)
    }).toThrow(TooManyMatches)
  })
})

describe('the least that can fire', () => {
  it('is known where more is never too many', () => {
    expect(leastOf(span(1, { comparisons: [{ op: 'gt', value: 3 }] }))).toBe(4)
    expect(leastOf(span(1, { comparisons: [{ op: 'gte', value: 3.5 }] }))).toBe(4)
    expect(leastOf(span(1, { type: 'temporal' }))).toBe(3)
    expect(leastOf(span(1, { comparisons: [{ op: 'lt', value: 3 }] }))).toBeUndefined()
    expect(
      leastOf(span(1, { type: 'value_sum', comparisons: [{ op: 'gt', value: 3 }] })),
    ).toBeUndefined()
    const range: Comparison[] = [
      { op: 'gte', value: 3 },
      { op: 'lt', value: 9 },
    ]
    expect(leastOf(span(1, { comparisons: range }))).toBe(3)
    expect([
      enoughFor(span(1, { comparisons: range })),
      enoughFor(span(1, { comparisons: range.slice(0, 1) })),
    ]).toEqual([undefined, 3])
  })
})

describe('numbers in order', () => {
  it('are those that were put in and not taken out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { maxLength: 3_000 }),
        (steps) => {
          const numbers = new SortedNumbers()
          const plain: number[] = []
          for (const [value, isAdded] of steps) {
            if (isAdded) {
              numbers.add(value)
              plain.push(value)
            } else {
              numbers.remove(value)
              const at = plain.indexOf(value)
              if (at >= 0) plain.splice(at, 1)
            }
          }
          plain.sort((a, b) => a - b)
          expect(numbers.size).toBe(plain.length)
          expect(plain.map((_, at) => numbers.at(at))).toEqual(plain)
        },
      ),
      { numRuns: 50 },
    )
  })
})

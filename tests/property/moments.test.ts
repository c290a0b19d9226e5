/**
 * Instants, whole numbers and conversions beside what this language computes: the calendar of all years, arithmetic that
 * wraps around, and texts of every kind that no conversion may fail on.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { functions } from '../../src/functions/catalogue.ts'
import { call, type Expr, field, type Scalar, text } from '../../src/ir/expr.ts'
import type { BaseType } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import { randomFrom } from '../../tools/random.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

const ROWS = 150
const DAY = 864_000_000_000n
/** Ticks from year 1 to 1970. */
const EPOCH = 621_355_968_000_000_000n
const LAST = 3_155_378_975_999_999_999n

let opened: TemporaryEngine

beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

/** The values of expressions over rows of the given columns. */
function results(
  columns: readonly (readonly [string, BaseType])[],
  rows: readonly (readonly Scalar[])[],
  values: Readonly<Record<string, Expr>>,
): Promise<readonly (readonly unknown[])[]> {
  const out = columns.map(([name, type]) => ({ name, type }))
  const keep = Object.entries(values).map(([name, value]) => ({ name, value }))
  return allRows(opened.engine, printSql({ op: 'select', keep, from: { op: 'values', rows, out } }))
}

function pad(value: bigint | number, width: number): string {
  return String(value).padStart(width, '0')
}

function dateOf(ticks: bigint): Date {
  return new Date(Number((ticks - EPOCH) / 10_000n - ((ticks - EPOCH) % 10_000n < 0n ? 1n : 0n)))
}

/** Ticks since year 1 of a day. */
function ticksOf(year: number, month: number, day: number): bigint {
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return BigInt(date.getTime()) * 10_000n + EPOCH
}

function iso(ticks: bigint): string {
  const date = dateOf(ticks)
  const day = `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`
  const rest = ticks % DAY
  const clock = [rest / 36_000_000_000n, (rest / 600_000_000n) % 60n, (rest / 10_000_000n) % 60n]
  return `${day}T${clock.map((each) => pad(each, 2)).join(':')}.${pad(rest % 10_000_000n, 7)}Z`
}

function within(ticks: bigint): string {
  return ticks < 0n || ticks > LAST ? '' : iso(ticks)
}

/** So many months later, on the last day of the month at the latest. */
function later(ticks: bigint, months: number): string {
  const date = dateOf(ticks)
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth() + months
  if (month < 12 || month > 119_999) return ''
  const [year, inYear] = [Math.floor(month / 12), month % 12]
  const last = dateOf(ticksOf(year, inYear + 1, 0)).getUTCDate()
  const day = Math.min(date.getUTCDate(), last)
  return iso(ticksOf(year, inYear, day) + (ticks % DAY))
}

const random = randomFrom(20_261)
const moments = [0n, LAST, EPOCH, EPOCH - 1n, ...Array.from({ length: ROWS }, randomTicks)]

function randomTicks(): bigint {
  return (BigInt(random.below(2 ** 31)) * 2n ** 31n + BigInt(random.below(2 ** 31))) % (LAST + 1n)
}

describe('instants of all years', () => {
  const columns = [
    ['t', 'time'],
    ['n', 'int'],
  ] as const
  const time = field('t', 'time')
  const months = field('n', 'int')
  const shown = (value: Expr): Expr => call('cast.text', [value], 'text')
  const kusto = (fn: string, args: readonly Expr[]): Expr => shown(call(fn, args, 'time'))

  it('have the parts, starts and ends that the calendar gives them', async () => {
    const rows = moments.map((ticks) => [iso(ticks), random.below(4000) - 2000] as const)
    const got = await results(columns, rows, {
      text: shown(time),
      back: shown(call('cast.time', [shown(time)], 'time')),
      ticks: call('cast.int', [time], 'int'),
      day: kusto('time.start_of_day', [time]),
      week: kusto('time.start_of_week', [time, months]),
      month: kusto('time.start_of_month', [time, months]),
      year: kusto('time.start_of_year', [time]),
      lastOfMonth: kusto('time.end_of_month', [time]),
      lastOfYear: kusto('time.end_of_year', [time]),
      later: kusto('time.add_part', [text('month'), months, time]),
    })
    moments.forEach((ticks, index) => {
      const date = dateOf(ticks)
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
      const count = Number(rows[index]?.[1])
      const day = ticks - (ticks % DAY)
      const sunday = day - BigInt(date.getUTCDay()) * DAY
      const first = ticksOf(year, month, 1)
      expect(got[index], iso(ticks)).toEqual([
        iso(ticks),
        iso(ticks),
        String(ticks),
        iso(day),
        within(sunday + BigInt(count) * 7n * DAY),
        later(first, count),
        iso(ticksOf(year, 0, 1)),
        iso(ticksOf(year, month + 1, 1) - 1n),
        iso(ticksOf(year + 1, 0, 1) - 1n),
        later(ticks, count),
      ])
    })
  })
})

describe('whole numbers', () => {
  const EDGES = [0n, 1n, -1n, 2n, -2n, 7n, -7n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n]

  it('wrap around, divide towards zero and have remainders that are not negative', async () => {
    const pairs = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const))
    const [a, b] = [field('a', 'int'), field('b', 'int')]
    const got = await results(
      [
        ['a', 'int'],
        ['b', 'int'],
      ],
      pairs.map((pair) => pair.map(String)),
      Object.fromEntries(
        ['add', 'subtract', 'multiply', 'divide', 'modulo'].map((id) => [
          id,
          call(`arith.${id}`, [a, b], 'int'),
        ]),
      ),
    )
    const wrapped = (value: bigint): string => String(BigInt.asIntN(64, value))
    pairs.forEach(([x, y], index) => {
      const size = y < 0n ? -y : y
      // The lowest number has no opposite in 64 bits.
      const isEdge = y === -(2n ** 63n) || (x === -(2n ** 63n) && y === -1n)
      const [sum, difference, product, quotient, rest] = got[index] ?? []
      expect([sum, difference, product], `${x} ${y}`).toEqual([
        wrapped(x + y),
        wrapped(x - y),
        wrapped(x * y),
      ])
      if (y === 0n) expect([quotient, rest], `${x} ${y}`).toEqual([null, null])
      else if (!isEdge) {
        expect([quotient, rest], `${x} ${y}`).toEqual([
          wrapped(x / y),
          wrapped(((x % size) + size) % size),
        ])
      }
    })
  })
})

describe('conversions', () => {
  const HOSTILE = [
    '',
    ' ',
    'null',
    '-',
    '+',
    '.',
    'e',
    '0x',
    '0xfffffffffffffffffffff',
    '9'.repeat(400),
    `-${'9'.repeat(90)}.${'9'.repeat(90)}`,
    '1e999999999',
    '99/99/9999',
    '0000-00-00',
    '2020-01-01T00:00:00+99:99',
    '9999-12-31T23:59:59-14:00',
    'Jan 99, 2020 99:99 PM',
    `${'1'.repeat(50)}d`,
    '99999999.23:59:59.9999999',
    '99999999999999999999999:00',
    '{00000000-0000-0000-0000-00000000000g}',
    '"',
    '"\\u0000',
    '"\\ud800"',
    '[1,',
    '{"a":1}',
    '[[[[[[]]]]]]',
    '1e400',
    '-1e400',
    'nan',
    'inf',
    'true',
    '\0\u{1f600}\u202e',
    '12\u00a0',
  ]
  /** Constants are computed while a query is read, which takes its time. */
  const FEW = HOSTILE.filter((_, index) => index % 4 === 1)
  const TARGETS = [...functions.keys()].filter((id) => id.startsWith('cast.'))

  it('of texts and of dynamic values fail on nothing', async () => {
    for (const type of ['text', 'dynamic'] as const) {
      const value = field('x', type)
      const keep = Object.fromEntries(
        TARGETS.map((id) => [
          id,
          call('cast.text', [call(id, [value], functions.get(id)?.gives)], 'text'),
        ]),
      )
      const rows = HOSTILE.map((each) => [each])
      expect(await results([['x', type]], rows, keep), type).toHaveLength(HOSTILE.length)
      for (const id of TARGETS) {
        const constants = Object.fromEntries(
          FEW.map((each, index) => {
            const whole: Expr = { op: 'const', value: each, type }
            return [
              `c${index}`,
              call('cast.text', [call(id, [whole], functions.get(id)?.gives)], 'text'),
            ]
          }),
        )
        expect(await results([['y', 'text']], [['']], constants), id).toHaveLength(1)
      }
    }
  })

  it('of numbers beyond every other type fail on nothing', async () => {
    const numbers: Readonly<Record<string, readonly Scalar[]>> = {
      float: [
        1e308,
        -1e308,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        5e-324,
        null,
      ],
      int: ['9223372036854775807', '-9223372036854775808', 0, null],
      span: ['9223372036854775807', '-9223372036854775808', 0, null],
      decimal: [`${'9'.repeat(55)}.5`, `-${'9'.repeat(55)}.5`, '0', null],
    }
    for (const [type, values] of Object.entries(numbers)) {
      const base = type as BaseType
      const keep = Object.fromEntries(
        [...TARGETS, 'number.round', 'number.size', 'arith.negate'].map((id) => {
          const gives = functions.get(id)?.gives
          const result = gives === 'dynamic' && id !== 'cast.dynamic' ? base : (gives ?? base)
          return [id, call('cast.text', [call(id, [field('x', base)], result)], 'text')]
        }),
      )
      const pairs = values.flatMap((x) => values.map((y) => [x, y] as const))
      const rows = await results(
        [['x', base]],
        values.map((each) => [each]),
        keep,
      )
      expect(rows, type).toHaveLength(values.length)
      const arithmetic = Object.fromEntries(
        [
          'arith.add',
          'arith.subtract',
          'arith.multiply',
          'arith.divide',
          'arith.modulo',
          'number.bin',
        ]
          .filter((id) => type !== 'span' || id !== 'arith.multiply')
          .map((id) => [id, call(id, [field('x', base), field('y', base)], base)]),
      )
      const columns = [
        ['x', base],
        ['y', base],
      ] as const
      expect(await results(columns, pairs, arithmetic), type).toHaveLength(pairs.length)
    }
  })
})

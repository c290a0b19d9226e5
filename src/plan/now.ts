/**
 * The time of a run within a plan: `time.now` becomes a constant, and of a rule that looks at each event alone all runs
 * of its schedule become one. Nothing here reads a clock.
 */
import { ticksIn } from '../core/time.ts'
import { and, type Expr, field, TRUE } from '../ir/expr.ts'
import type { Binding, Rel } from '../ir/rel.ts'
import {
  childrenOf,
  mapExpr,
  mapOwnExprs,
  mapRel,
  ownExprs,
  queriesOf,
  visitExpr,
} from '../ir/walk.ts'
import { META } from '../schema/source.ts'

const NOW = 'time.now'
/** The same in seconds since 1970. */
const NOW_SECONDS = 'eval.now'

/** The plan with a fixed time for `now`. */
export function atTime(rel: Rel, iso: string): Rel {
  const seconds = Number(ticksIn(iso) / 10n) / 1_000_000
  const times = new Map<string, Expr>([
    [NOW, { op: 'const', value: iso, type: 'time' }],
    [NOW_SECONDS, { op: 'const', value: seconds, type: 'float' }],
  ])
  return mapRel(rel, (each) =>
    mapOwnExprs(each, (own) =>
      mapExpr(own, (expr) => (expr.op === 'call' ? (times.get(expr.fn) ?? expr) : expr)),
    ),
  )
}

/** True when some expression of the plan reads the time of the run. */
export function readsNow(rel: Rel): boolean {
  const own = ownExprs(rel).some((expr) => {
    let found = false
    visitExpr(expr, (each) => {
      if (each.op === 'call' && (each.fn === NOW || each.fn === NOW_SECONDS)) found = true
    })
    return found
  })
  return own || [...childrenOf(rel), ...queriesOf(rel)].some(readsNow)
}

/** Values that depend on other rows than their own. */
const NOT_ROWWISE = new Set(['row.number', 'number.random', 'guid.new', 'eval.random'])

function isRowwise(rel: Rel): boolean {
  if (queriesOf(rel).length > 0) return false
  return ownExprs(rel).every((expr) => {
    let fine = true
    visitExpr(expr, (each) => {
      if (each.op === 'call' && NOT_ROWWISE.has(each.fn)) fine = false
    })
    return fine
  })
}

const OWN_TIME = field(META.time, 'time')

/**
 * The plan with the time of its event beside each row, as one more column; undefined when some row is not made from
 * one event alone.
 */
function withEventTime(rel: Rel): Rel | undefined {
  if (!isRowwise(rel)) return undefined
  switch (rel.op) {
    case 'scan':
      return { ...rel, out: [...rel.out, { name: META.time, type: 'time' }] }
    case 'filter':
    case 'derive':
    case 'sort':
    case 'expand': {
      const from = withEventTime(rel.from)
      return from && { ...rel, from }
    }
    case 'select': {
      const from = withEventTime(rel.from)
      return from && { ...rel, from, keep: [...rel.keep, { name: META.time, value: OWN_TIME }] }
    }
    case 'union': {
      const all = rel.all.map(withEventTime)
      const whole = all.flatMap((each) => each ?? [])
      return whole.length === all.length ? { ...rel, all: whole } : undefined
    }
    default:
      return undefined
  }
}

/** Names of the columns that hold the time of the event in all tables of a plan. */
export type TimeColumns = ReadonlySet<string>

/** True when columns of these names hold the time of the event all the way up to here. */
function keepsTime(rel: Rel, times: TimeColumns): boolean {
  if (rel.op === 'scan') return rel.table.kind === 'view' || rel.table.kind === 'source'
  const isKept = ({ name, value }: Binding): boolean =>
    !times.has(name) || (value.op === 'field' && times.has(value.name))
  const own =
    rel.op === 'derive'
      ? rel.set.every(isKept)
      : rel.op === 'select'
        ? rel.keep.every(isKept)
        : rel.op === 'aggregate'
          ? rel.by.every(isKept) && rel.into.every(({ name }) => !times.has(name))
          : rel.op === 'window'
            ? rel.into.every(({ name }) => !times.has(name))
            : rel.op === 'expand'
              ? !times.has(rel.as)
              : rel.op !== 'values' || rel.out.every(({ name }) => !times.has(name))
  return own && childrenOf(rel).every((each) => keepsTime(each, times))
}

const isNow = (expr: Expr | undefined): boolean => expr?.op === 'call' && expr.fn === NOW

/** How far back from now an expression lies, in ticks; undefined for other expressions. */
function ticksBack(expr: Expr | undefined): bigint | undefined {
  if (isNow(expr)) return 0n
  if (expr?.op !== 'call' || expr.fn !== 'arith.subtract') return undefined
  const [from, by] = expr.args
  if (!isNow(from) || by?.op !== 'const' || by.type !== 'span') return undefined
  return typeof by.value === 'number' || typeof by.value === 'string' ? BigInt(by.value) : undefined
}

const LATER = new Set(['compare.greater', 'compare.greater_or_equal'])
const EARLIER = new Set(['compare.less', 'compare.less_or_equal'])

/**
 * A test of the time of an event as runs that follow one another need it: true where every event of the last `length`
 * ticks before now passes it. Else its beginning is included, so that an event at the very edge, which `> ago(1h)` would
 * lose between two runs an hour apart, is seen by one of them.
 */
function testOfTime(expr: Expr, length: bigint, times: TimeColumns): Expr {
  if (expr.op !== 'call') return expr
  const [time, from, to] = expr.args
  if (time?.op !== 'field' || time.type !== 'time' || !times.has(time.name)) return expr
  const first = ticksBack(from)
  if (first === undefined) return expr
  if (LATER.has(expr.fn)) {
    return first >= length ? TRUE : { ...expr, fn: 'compare.greater_or_equal' }
  }
  if (EARLIER.has(expr.fn)) return first === 0n ? TRUE : expr
  const isPassed = expr.fn === 'compare.between' && first >= length && ticksBack(to) === 0n
  return isPassed ? TRUE : expr
}

function withoutTests(where: Expr, length: bigint, times: TimeColumns): Expr {
  if (where.op === 'call' && (where.fn === 'logic3.and' || where.fn === 'logic.and')) {
    const left = where.args.map((each) => withoutTests(each, length, times))
    return and(left.filter((each) => each !== TRUE))
  }
  return testOfTime(where, length, times)
}

/**
 * The plan without the tests of time that every event of the last `length` ticks before now passes, for runs that see
 * no other events.
 */
export function withoutBounds(rel: Rel, length: bigint, times: TimeColumns): Rel {
  return mapRel(rel, (each) =>
    each.op === 'filter' && keepsTime(each.from, times)
      ? { ...each, where: withoutTests(each.where, length, times) }
      : each,
  )
}

/**
 * One plan that gives what all runs of a schedule together give, each row once and with the time of its event in the
 * column `META.time`: when each row decides alone, and the only use of `now` is to leave out rows that an earlier run
 * has seen. Undefined where that does not hold.
 */
export function allRunsAtOnce(rel: Rel, apart: bigint, times: TimeColumns): Rel | undefined {
  const free = withoutBounds(rel, apart, times)
  return readsNow(free) ? undefined : withEventTime(free)
}

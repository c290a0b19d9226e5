/**
 * The time of a run: what `now` means in a plan, and plans for which it does not matter when they run, because each
 * row decides alone and only old rows are left out.
 */
import { parseIso, ticksOf } from '../core/time.ts'
import { and, type Expr, TRUE } from '../ir/expr.ts'
import type { Rel } from '../ir/rel.ts'
import {
  childrenOf,
  mapExpr,
  mapOwnExprs,
  mapRel,
  ownExprs,
  queriesOf,
  visitExpr,
} from '../ir/walk.ts'

const NOW = 'time.now'

/** The plan with a fixed time for `now`. */
export function atTime(rel: Rel, iso: string): Rel {
  const time: Expr = { op: 'const', value: iso, type: 'time' }
  return mapRel(rel, (each) =>
    mapOwnExprs(each, (own) =>
      mapExpr(own, (expr) => (expr.op === 'call' && expr.fn === NOW ? time : expr)),
    ),
  )
}

/** True when some expression of the plan reads the time of the run. */
export function readsNow(rel: Rel): boolean {
  const own = ownExprs(rel).some((expr) => {
    let found = false
    visitExpr(expr, (each) => {
      if (each.op === 'call' && each.fn === NOW) found = true
    })
    return found
  })
  return own || [...childrenOf(rel), ...queriesOf(rel)].some(readsNow)
}

/** Relations that make each of their rows from one row below. */
const ROWWISE = new Set<Rel['op']>([
  'scan',
  'filter',
  'derive',
  'select',
  'union',
  'sort',
  'expand',
])
/** Values that depend on other rows than their own. */
const NOT_ROWWISE = new Set(['row.number', 'number.random', 'guid.new'])

function isRowwise(rel: Rel): boolean {
  if (!ROWWISE.has(rel.op) || queriesOf(rel).length > 0) return false
  const isOwn = ownExprs(rel).every((expr) => {
    let fine = true
    visitExpr(expr, (each) => {
      if (each.op === 'call' && NOT_ROWWISE.has(each.fn)) fine = false
    })
    return fine
  })
  return isOwn && childrenOf(rel).every(isRowwise)
}

const EVENT_TIMES = new Set(['TimeGenerated', 'Timestamp'])

const isEventTime = (expr: Expr | undefined): boolean =>
  expr?.op === 'field' && expr.type === 'time' && EVENT_TIMES.has(expr.name)
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

/** True for a test that every row passes in some run, when runs follow one another at such a distance. */
function passesInTime(expr: Expr, apart: bigint): boolean {
  if (expr.op !== 'call' || !isEventTime(expr.args[0])) return false
  const first = ticksBack(expr.args[1])
  if (first === undefined) return false
  if (LATER.has(expr.fn)) return first >= apart
  if (EARLIER.has(expr.fn)) return first === 0n
  return expr.fn === 'compare.between' && first >= apart && ticksBack(expr.args[2]) === 0n
}

function withoutBounds(where: Expr, apart: bigint): Expr {
  if (where.op === 'call' && (where.fn === 'logic3.and' || where.fn === 'logic.and')) {
    return and(where.args.map((each) => withoutBounds(each, apart)).filter((each) => each !== TRUE))
  }
  return passesInTime(where, apart) ? TRUE : where
}

/**
 * One plan that gives what all runs of a schedule together give, each row once: when each row decides alone, and the
 * only use of `now` is to leave out rows that an earlier run has seen. Undefined where that does not hold.
 */
export function allRunsAtOnce(rel: Rel, apart: bigint): Rel | undefined {
  if (!isRowwise(rel)) return undefined
  const free = mapRel(rel, (each) =>
    each.op === 'filter' ? { ...each, where: withoutBounds(each.where, apart) } : each,
  )
  return readsNow(free) ? undefined : free
}

/** Ticks since 1970 of an ISO text that a plan holds. */
export function ticksIn(iso: string): bigint {
  const instant = parseIso(iso)
  if (instant === undefined) throw new TypeError(`not an instant: ${iso}`)
  return ticksOf(instant)
}

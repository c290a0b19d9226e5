/**
 * What can be told of a condition before any event is seen: that it always holds, or that it never does. Takes a
 * folded or unfolded expression; what depends on an event is not known.
 */
import type { Expr } from '../ir/expr.ts'
import type { ConstValue } from '../ir/rel.ts'
import { foldExpr } from './fold.ts'

/** Comparisons of constants that folding leaves to the engine, because values of a search have no type. */
const COMPARISONS: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ['equals', (order) => order === 0],
  ['differs', (order) => order !== 0],
  ['less', (order) => order < 0],
  ['less_or_equal', (order) => order <= 0],
  ['greater', (order) => order > 0],
  ['greater_or_equal', (order) => order >= 0],
])

/** Order of two numbers or of two texts without letters whose case matters; undefined for others. */
function orderOf(a: ConstValue, b: ConstValue): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string' && a === b) return 0
  return undefined
}

function compared(fn: string, args: readonly Expr[]): boolean | undefined {
  const [left, right] = args
  if (left?.op !== 'const' || right?.op !== 'const') return undefined
  const order = orderOf(left.value, right.value)
  const name = fn.slice(fn.lastIndexOf('.') + 1)
  return order === undefined ? undefined : COMPARISONS.get(name)?.(order)
}

function both(parts: readonly (boolean | undefined)[], idle: boolean): boolean | undefined {
  if (parts.includes(!idle)) return !idle
  return parts.every((each) => each === idle) ? idle : undefined
}

function known(expr: Expr): boolean | undefined {
  if (expr.op === 'const') {
    if (expr.value === null) return false
    return typeof expr.value === 'boolean' ? expr.value : undefined
  }
  if (expr.op !== 'call') return undefined
  const { fn, args } = expr
  switch (fn) {
    case 'logic.and':
    case 'logic3.and':
      return both(args.map(known), true)
    case 'logic.or':
    case 'logic3.or':
      return both(args.map(known), false)
    case 'logic.holds': {
      const [part] = args
      return part === undefined ? undefined : known(part)
    }
    case 'logic.not':
    case 'logic3.not': {
      const [part] = args
      // Three-valued, a missing value stays missing when it is turned round.
      if (part === undefined || (part.op === 'const' && part.value === null)) return undefined
      const value = known(part)
      return value === undefined ? undefined : !value
    }
    default:
      return compared(fn, args)
  }
}

/** Whether rows pass a condition whatever they hold: true for all, false for none, undefined when it depends on them. */
export function truthOf(expr: Expr): boolean | undefined {
  return known(foldExpr(expr))
}

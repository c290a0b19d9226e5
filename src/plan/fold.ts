/**
 * Constant folding: calls of constants, missing fields, and the truth tables of and, or, not. What folds to
 * "never" needs no scan; that is how "this rule cannot fire on these logs" is told.
 */
import { instantOfTicks, parseIso, printInstant, ticksOf } from '../core/time.ts'
import { functions } from '../functions/catalogue.ts'
import type { FunctionRecord } from '../functions/record.ts'
import { sql } from '../functions/sql.ts'
import {
  and,
  type Call,
  type Const,
  call,
  type Expr,
  FALSE,
  NULL,
  or,
  TRUE,
  text,
} from '../ir/expr.ts'
import type { Rel } from '../ir/rel.ts'
import { mapExpr, mapOwnExprs, mapRel } from '../ir/walk.ts'
import { foldDefault } from './defaults.ts'

const isTrue = (expr: Expr): boolean => expr.op === 'const' && expr.value === true
const isFalse = (expr: Expr): boolean => expr.op === 'const' && expr.value === false
const isNull = (expr: Expr): boolean => expr.op === 'const' && expr.value === null
/** A field that no event has a text for: only tests that tell empty from missing can still hold. */
const isUnseen = (expr: Expr): boolean => expr.op === 'field' && expr.kept === 'marks'
const isEmptyList = (expr: Expr): boolean =>
  expr.op === 'const' && Array.isArray(expr.value) && expr.value.length === 0

/** Most alternatives that are looked at for being the same. */
const FEW = 16

/** Each of a few alternatives once. */
function different(parts: readonly Expr[]): readonly Expr[] {
  if (parts.length < 2 || parts.length > FEW) return parts
  return [...new Map(parts.map((each) => [JSON.stringify(each), each])).values()]
}

function foldLogic(expr: Call): Expr | undefined {
  switch (expr.fn) {
    case 'logic.and':
      return expr.args.some(isFalse) ? FALSE : and(expr.args.filter((each) => !isTrue(each)))
    case 'logic.or':
      return expr.args.some(isTrue)
        ? TRUE
        : or(different(expr.args.filter((each) => !isFalse(each))))
    case 'logic.not': {
      const [part] = expr.args
      if (part === undefined) return expr
      if (isTrue(part)) return FALSE
      if (isFalse(part)) return TRUE
      if (part.op === 'call' && part.fn === 'logic.not') return part.args[0] ?? expr
      return expr
    }
    case 'logic3.and':
      return expr.args.some(isFalse) ? FALSE : without(expr, isTrue, TRUE)
    case 'logic3.or':
      return expr.args.some(isTrue) ? TRUE : without(expr, isFalse, FALSE)
    case 'logic3.not':
      return expr.args.some(isTrue) ? FALSE : expr.args.some(isFalse) ? TRUE : expr
    default:
      return undefined
  }
}

/** A three-valued call without the arguments that change nothing; `none` when all are such. */
function without(expr: Call, isIdle: (each: Expr) => boolean, none: Expr): Expr {
  const args = expr.args.filter((each) => !isIdle(each))
  const [only = none] = args
  if (args.length > 1) return args.length === expr.args.length ? expr : { ...expr, args }
  return only.type === 'bool' ? only : { ...expr, args: [only] }
}

/** What a comparison of two constants of one type gives; parameters of functions that were left out compare so. */
function foldConstants({ fn, args: [left, right] }: Call): Expr | undefined {
  if (left?.op !== 'const' || Array.isArray(left.value)) return undefined
  if (fn === 'value.is_missing') return left.value === null ? TRUE : FALSE
  if (right?.op !== 'const' || left.type !== right.type) return undefined
  const [a, b] = [left.value, right.value]
  if (fn === 'compare.equals') {
    const isPlain =
      typeof a === typeof b && ['text', 'bool', 'int', 'int32'].includes(`${left.type}`)
    return isPlain && a !== null && b !== null ? (a === b ? TRUE : FALSE) : undefined
  }
  if (fn !== 'text.equals_nocase' || typeof a !== 'string' || typeof b !== 'string') {
    return undefined
  }
  // Beyond ASCII the engine's own folding decides.
  const isAscii = /^[ -~]*$/.test(a + b)
  return isAscii ? (a.toLowerCase() === b.toLowerCase() ? TRUE : FALSE) : undefined
}

/** A test of the number of a text that is a whole number written plainly, as a test of that text. */
function foldWhole({ fn, args: [subject, wanted] }: Call): Expr | undefined {
  if (fn !== 'search.same_number' || subject?.op !== 'field' || subject.whole !== true) {
    return undefined
  }
  const number = wanted?.op === 'const' ? Number(wanted.value) : Number.NaN
  if (Number.isNaN(number)) return undefined
  return Number.isSafeInteger(number) ? call('match.equals', [subject, text(`${number}`)]) : FALSE
}

/** A call on an empty list: any-of gives false; presence tests know it is absent. */
function foldEmptyList(expr: Call): Expr | undefined {
  const [subject] = expr.args
  if (functions.get(expr.fn)?.anyOf === true && expr.args.some(isEmptyList)) return FALSE
  if (subject === undefined || !isEmptyList(subject)) return undefined
  if (expr.fn === 'list.time_part') return subject
  if (expr.fn === 'value.is_null') return TRUE
  return expr.fn === 'value.exists' || expr.fn === 'value.has_value' ? FALSE : undefined
}

/** True when a blank gives the same answer as a missing value for the arguments of a call. */
function blankIsNull(record: FunctionRecord, { args }: Call): boolean {
  const known = args.map((each) => ({
    sql: sql`''`,
    type: each.type,
    ...(each.op === 'const' ? { value: each.value } : {}),
  }))
  return record.onNull !== 'own' && record.blankIsNull?.(known) === true
}

/** First and last instant, in ticks since 1970: years 1 and 9999. */
const FIRST_INSTANT = -621355968000000000n
const LAST_INSTANT = 2534023007999999999n

/** A constant instant moved by a constant length of time: as a constant it can be looked up in the order of a table. */
function foldInstant({ fn, args }: Call): Expr | undefined {
  if (fn !== 'arith.add' && fn !== 'arith.subtract') return undefined
  const [time, by] = args
  if (time?.op !== 'const' || time.type !== 'time' || typeof time.value !== 'string')
    return undefined
  if (by?.op !== 'const' || by.type !== 'span' || by.value === null) return undefined
  const start = parseIso(time.value)
  if (start === undefined) return undefined
  const ticks = BigInt(String(by.value))
  const end = ticksOf(start) + (fn === 'arith.add' ? ticks : -ticks)
  if (end < FIRST_INSTANT || end > LAST_INSTANT) return undefined
  return { op: 'const', value: printInstant(instantOfTicks(end)), type: 'time' }
}

/** A stored or computed text as it is below the step that makes it a value that may be missing. */
function bare(value: Expr): Expr {
  if (value.op !== 'call' || value.fn !== 'value.or_null') return value
  const [text] = value.args
  return text === undefined || (text.op === 'field' && text.stored !== 'blank') ? value : text
}

function bareColumn(value: Expr): Expr {
  const made = bare(value)
  return made.op === 'field' ? made : value
}

const PRESENCE = new Set(['value.is_null', 'value.exists', 'value.has_value'])

/** A test of stored texts is made on the columns themselves: it looks itself whether there is a value. */
function foldTest(expr: Call): Expr | undefined {
  const record = functions.get(expr.fn)
  if (record?.onNull !== 'false' && !PRESENCE.has(expr.fn)) return undefined
  // What is computed may be empty or null where there is nothing; only a column tells presence by itself.
  const args = PRESENCE.has(expr.fn) ? expr.args.map(bareColumn) : expr.args.map(bare)
  if (args.some((each, index) => each !== expr.args[index])) return foldCall({ ...expr, args })
  const [subject, ...rest] = expr.args
  if (record?.anyOf !== true || subject?.op !== 'call' || subject.fn !== 'value.listed') {
    return undefined
  }
  // A row has the list or the one value, never both.
  return foldLogic({
    op: 'call',
    fn: 'logic.or',
    args: subject.args.map((each) => foldCall({ ...expr, args: [each, ...rest] })),
    type: 'bool',
  })
}

function foldCall(given: Call): Expr {
  const simpler = foldDefault(given)
  if (simpler !== undefined && simpler.op !== 'call') return simpler
  const expr = simpler ?? given
  const test = foldTest(expr)
  if (test !== undefined) return test
  const moved = foldInstant(expr)
  if (moved !== undefined) return moved
  const logic = foldLogic(expr)
  if (logic !== undefined) return logic
  const whole = foldWhole(expr)
  if (whole !== undefined) return whole
  const constant = foldConstants(expr)
  if (constant !== undefined) return constant
  const empty = foldEmptyList(expr)
  if (empty !== undefined) return empty
  const record = functions.get(expr.fn)
  if (record === undefined) return expr
  if (expr.args.some(isUnseen) && (record.onNull === 'skip' || blankIsNull(record, expr))) {
    const args = expr.args.map((each) => (isUnseen(each) ? NULL : each))
    return foldCall({ ...expr, args })
  }
  if (record.onNull === 'false' && expr.args.some(isNull)) return FALSE
  if (record.onNull === 'null' && expr.args.some(isNull)) return NULL
  if (record.onNull === 'skip' && expr.args.some(isNull)) {
    const args = expr.args.filter((each) => !isNull(each))
    return args.length === 0 ? NULL : { ...expr, args }
  }
  if (record.fold === undefined || !expr.args.every((each) => each.op === 'const')) return expr
  const values = expr.args.flatMap((each) => (each.op === 'const' ? [each.value] : []))
  const value = record.fold(values)
  return value === undefined ? expr : ({ op: 'const', value, type: expr.type } satisfies Const)
}

/** Folds one expression. */
export function foldExpr(expr: Expr): Expr {
  return mapExpr(expr, (each) => {
    if (each.op === 'call') return foldCall(each)
    if (each.op !== 'case') return each
    const when = each.when.filter(([test]) => !isFalse(test))
    const [first] = when
    if (first === undefined) return each.otherwise
    return isTrue(first[0]) ? first[1] : { ...each, when }
  })
}

/** Folds every expression of a relation, and drops filters that are always true. */
export function fold(rel: Rel): Rel {
  return mapRel(rel, (each) => {
    const folded = mapOwnExprs(each, foldExpr)
    return folded.op === 'filter' && isTrue(folded.where) ? folded.from : folded
  })
}

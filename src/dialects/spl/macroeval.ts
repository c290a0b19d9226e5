/** Macros whose definition is an expression (`iseval = 1`): the text that the expression gives, of constants only. */
import type { Span } from '../../core/span.ts'
import type { EvalExpr } from './ast.ts'
import { readEval } from './evaluation.ts'
import { Reader } from './reader.ts'
import { Refusal, refuse } from './refusal.ts'

type Value = string | number | boolean | null

const isTrue = (value: Value): boolean => value === true

function compared(op: string, left: Value, right: Value): Value {
  if (left === null || right === null) return null
  const numbers = [Number(left), Number(right)] as const
  const isNumeric = numbers.every((each) => Number.isFinite(each)) && left !== '' && right !== ''
  const [a, b] = isNumeric ? numbers : [String(left), String(right)]
  switch (op) {
    case '=':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    default:
      return a >= b
  }
}

function calculated(op: string, left: Value, right: Value): Value | undefined {
  if (left === null || right === null) return null
  if (op === '.') return `${left}${right}`
  if (op === '+' && (typeof left === 'string' || typeof right === 'string')) {
    return `${left}${right}`
  }
  const [a, b] = [Number(left), Number(right)]
  if (!Number.isFinite(a) || !Number.isFinite(b)) return null
  if (op === '+') return a + b
  if (op === '-') return a - b
  if (op === '*') return a * b
  if (op === '/') return b === 0 ? null : a / b
  return op === '%' ? (b === 0 ? null : a % b) : undefined
}

/** The value of an expression of constants; undefined for what cannot be told without events. */
function evaluated(expr: EvalExpr): Value | undefined {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return expr.value
    case 'field':
      return null
    case 'unary': {
      const of = evaluated(expr.of)
      if (of === undefined) return undefined
      return expr.op === 'not' ? !isTrue(of) : of === null ? null : -Number(of)
    }
    case 'in': {
      const of = evaluated(expr.of)
      const list = expr.list.map(evaluated)
      return of === undefined || list.includes(undefined)
        ? undefined
        : list.some((each) => each !== undefined && compared('=', of, each) === true)
    }
    case 'binary': {
      const [left, right] = [evaluated(expr.left), evaluated(expr.right)]
      if (left === undefined || right === undefined) return undefined
      if (expr.op === 'and') return isTrue(left) && isTrue(right)
      if (expr.op === 'or') return isTrue(left) || isTrue(right)
      if (expr.op === 'xor') return isTrue(left) !== isTrue(right)
      if (/^(?:=|!=|<=?|>=?)$/.test(expr.op)) return compared(expr.op, left, right)
      return calculated(expr.op, left, right)
    }
    default:
      return called(expr.name, expr.args)
  }
}

function called(name: string, args: readonly EvalExpr[]): Value | undefined {
  const values = args.map(evaluated)
  const [first, second, third] = values
  if (values.includes(undefined)) return undefined
  switch (name) {
    case 'if':
      return isTrue(first ?? null) ? second : third
    case 'case': {
      const at = values.findIndex((each, index) => index % 2 === 0 && each === true)
      return at === -1 ? null : values[at + 1]
    }
    case 'true':
      return true
    case 'false':
      return false
    case 'null':
      return null
    case 'isnull':
      return first === null
    case 'isnotnull':
      return first !== null
    case 'isnum':
      return first !== null && first !== '' && Number.isFinite(Number(first))
    case 'isstr':
      return typeof first === 'string'
    case 'coalesce':
      return values.find((each) => each !== null) ?? null
    case 'tostring':
      return values.length === 1 ? String(first ?? '') : undefined
    case 'tonumber':
      return values.length === 1 ? Number(first) : undefined
    case 'len':
      return [...String(first ?? '')].length
    case 'lower':
      return String(first ?? '').toLowerCase()
    case 'upper':
      return String(first ?? '').toUpperCase()
    default:
      return undefined
  }
}

/**
 * The text that the definition of a macro gives. Its arguments stand in it already.
 *
 * @throws a refusal for what needs events, or gives no text.
 */
export function textOfEval(definition: string, name: string, span: Span): string {
  const tell = (reason: string): never => refuse('HR502', { name, reason }, span)
  try {
    const reader = new Reader(definition, { start: 0, end: definition.length }, 'the macro')
    const expr = readEval(reader)
    if (!reader.isDone) return tell('is no expression')
    const value = evaluated(expr)
    if (value === undefined) return tell('needs more than constants to be evaluated')
    return typeof value === 'string' || typeof value === 'number'
      ? String(value)
      : tell('gives no text')
  } catch (error) {
    if (!(error instanceof Refusal) || error.diagnostic.code === 'HR502') throw error
    return tell('is no expression that can be read')
  }
}

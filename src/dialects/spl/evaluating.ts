/**
 * Expressions of `eval` and `where`: three-valued, with exact case. Functions are records found by their spelling; here
 * are those whose arguments are no plain values, and the types that calls need and give.
 */
import { checkRegex } from '../../core/regex.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { functionOf, functionsSpelled } from '../../functions/catalogue.ts'
import { checkExpr } from '../../functions/check.ts'
import type { FunctionRecord } from '../../functions/record.ts'
import { call, type Expr, FALSE, field, NULL, TRUE, text } from '../../ir/expr.ts'
import { isList, type Type } from '../../ir/types.ts'
import type { EvalExpr } from './ast.ts'
import type { Context } from './command.ts'
import { confirmedMatch, confirmedReplace, needsConfirming } from './confirm.ts'
import { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asList, asType, commonType, fieldValue, type Rows } from './rows.ts'
import { conditionOf } from './searching.ts'
import { readTerms } from './searchterms.ts'

export interface Evaluating {
  readonly rows: Rows
  readonly context: Context
  /** Values of names that stand for something else here, such as the element that `mvmap` is at. */
  readonly names?: ReadonlyMap<string, Expr>
}

type Call = Extract<EvalExpr, { kind: 'call' }>
type Form = (args: readonly EvalExpr[], expr: Call, on: Evaluating) => Expr

/** A test: an expression that is true or false. */
export function testOf(expr: EvalExpr, on: Evaluating): Expr {
  const value = lowered(expr, on)
  if (value.type === 'bool') return value
  if (value.type === 'null') return { op: 'const', value: null, type: 'bool' }
  return refuse('HR509', { message: 'a test is needed here, not a value' }, expr.span)
}

/** The operator as the table of functions spells it. */
const OPERATORS: Readonly<Record<string, string>> = { '==': '=' }

/** Calls a record: arguments in the types that it takes, and the type that it gives. */
export function callOf(
  record: FunctionRecord,
  values: readonly Expr[],
  name: string,
  span: Span,
): Expr {
  const last = record.takes.at(-1)
  const args = values.map((each, index) => {
    const wanted = (record.takes[index] ?? (last?.many ? last : undefined))?.type
    if (wanted === undefined || wanted === 'any') return each
    if (each.type === 'bool' && wanted !== 'bool') {
      return refuse('HR509', { message: `${name} takes a value here, not a test` }, span)
    }
    return asType(each, wanted)
  })
  const type = record.givesFor?.(args.map((each) => each.type)) ?? record.gives
  const made = call(record.id, args, type)
  const shallow = {
    ...made,
    args: args.map((each): Expr => (each.op === 'const' ? each : field('x', each.type))),
  }
  const problem = checkExpr(shallow, 'open').find((each) => each.severity === 'error')
  if (problem !== undefined) refuse('HR509', { message: `${name}: ${problem.message}` }, span)
  return made
}

function spelled(name: string): FunctionRecord | undefined {
  const record = functionsSpelled('spl').get(name)
  return record?.aggregate ? undefined : record
}

function operator(sign: string, values: readonly Expr[], span: Span): Expr {
  const name = OPERATORS[sign] ?? sign
  const record = spelled(name)
  if (record === undefined) return refuse('HR508', { name: sign, hint: 'it is no operator' }, span)
  return callOf(record, values, sign, span)
}

/** Branches in one type. */
function alike(values: readonly Expr[]): { readonly values: readonly Expr[]; readonly type: Type } {
  const type = commonType(values.map((each) => each.type))
  return { values: values.map((each) => (type === 'null' ? each : asType(each, type))), type }
}

function choice(tests: readonly Expr[], branches: readonly Expr[], otherwise: Expr): Expr {
  const { values, type } = alike([...branches, otherwise])
  const last = values.at(-1) ?? NULL
  const parts = tests.flatMap((test, index) => [test, values[index] ?? NULL])
  return type === 'null' ? NULL : call('eval.case', [...parts, last], type)
}

function counted(name: string, args: readonly EvalExpr[], least: number, most: number, span: Span) {
  if (args.length >= least && args.length <= most) return
  const wanted = least === most ? `${least}` : `${least} to ${most}`
  refuse('HR509', { message: `${name} takes ${wanted} arguments, not ${args.length}` }, span)
}

/** The name of the field that an argument is. */
function fieldName(expr: EvalExpr | undefined, name: string, span: Span): string {
  if (expr?.kind === 'field') return expr.name
  return refuse('HR509', { message: `${name} needs the name of a field here` }, expr?.span ?? span)
}

const ELEMENT = field('@@element', 'text')

/** A call over the elements of a list: `make` is given what each of them is. */
function overElements(fn: string, list: Expr, inner: Expr, type: Type): Expr {
  return call(fn, [asList(list), text(ELEMENT.name), inner], type)
}

function withElement(on: Evaluating, name: string): Evaluating {
  return { ...on, names: new Map([...(on.names ?? []), [name, ELEMENT]]) }
}

/** The one field that an expression reads, which is the list that `mvfilter` looks through. */
function onlyField(expr: EvalExpr, span: Span): string {
  const names = new Set<string>()
  const visit = (each: EvalExpr): void => {
    if (each.kind === 'field') names.add(each.name)
    else if (each.kind === 'call') each.args.forEach(visit)
    else if (each.kind === 'unary') visit(each.of)
    else if (each.kind === 'in') [each.of, ...each.list].forEach(visit)
    else if (each.kind === 'binary') [each.left, each.right].forEach(visit)
  }
  visit(expr)
  const [only] = names
  if (names.size === 1 && only !== undefined) return only
  return refuse('HR509', { message: 'mvfilter looks at exactly one field' }, span)
}

/** The time of the run, which stands in the plan until it runs, in seconds. */
export const NOW: Expr = call('event.epoch', [call('time.now', [], 'time')], 'float')

const FORMS: Readonly<Record<string, Form>> = {
  now: (args, { name, span }) => {
    counted(name, args, 0, 0, span)
    return NOW
  },
  time: (args, { name, span }) => {
    counted(name, args, 0, 0, span)
    return NOW
  },
  if: (args, { name, span }, on) => {
    counted(name, args, 3, 3, span)
    const [test, then, otherwise] = args as [EvalExpr, EvalExpr, EvalExpr]
    return choice([testOf(test, on)], [lowered(then, on)], lowered(otherwise, on))
  },
  case: (args, { name, span }, on) => {
    if (args.length === 0 || args.length % 2 === 1) {
      refuse('HR509', { message: `${name} takes pairs of a test and a value` }, span)
    }
    const tests = args.filter((_, index) => index % 2 === 0).map((each) => testOf(each, on))
    const values = args.filter((_, index) => index % 2 === 1).map((each) => lowered(each, on))
    return choice(tests, values, NULL)
  },
  validate: (args, { name, span }, on) => {
    if (args.length === 0 || args.length % 2 === 1) {
      refuse('HR509', { message: `${name} takes pairs of a test and a value` }, span)
    }
    const tests = args
      .filter((_, index) => index % 2 === 0)
      .map((each) => operator('not', [testOf(each, on)], each.span))
    const values = args.filter((_, index) => index % 2 === 1).map((each) => lowered(each, on))
    return choice(tests, values, NULL)
  },
  coalesce: (args, { name, span }, on) => {
    counted(name, args, 1, 1_000, span)
    const { values, type } = alike(args.map((each) => lowered(each, on)))
    const given = values.filter((each) => !(each.op === 'const' && each.value === null))
    return given.length === 0 ? NULL : call('eval.coalesce', given, type)
  },
  nullif: (args, { name, span }, on) => {
    counted(name, args, 2, 2, span)
    const [value, other] = args.map((each) => lowered(each, on)) as [Expr, Expr]
    return choice([operator('=', [value, other], span)], [NULL], value)
  },
  null: () => NULL,
  true: () => TRUE,
  false: () => FALSE,
  in: (args, { name, span }, on) => {
    counted(name, args, 2, 100_000, span)
    const [of, ...list] = args as [EvalExpr, ...EvalExpr[]]
    return membership(of, list, on, span)
  },
  mvmap: (args, { name, span }, on) => {
    counted(name, args, 2, 3, span)
    const [list, inner, named] = args as [EvalExpr, EvalExpr, EvalExpr?]
    // The element is called as the field of the list; a list that is computed needs the name of one.
    const element = fieldName(list.kind === 'field' ? list : named, name, span)
    const made = lowered(inner, withElement(on, element))
    if (made.type === 'bool') refuse('HR515', {}, inner.span)
    const fn = isList(made.type) ? 'mv.flat_map' : 'mv.map'
    return overElements(fn, lowered(list, on), isList(made.type) ? made : asType(made, 'text'), {
      list: 'text',
    })
  },
  mvfilter: (args, { name, span }, on) => {
    counted(name, args, 1, 1, span)
    const [test] = args as [EvalExpr]
    const element = onlyField(test, span)
    const list = fieldValue(on.rows, element)
    return overElements('mv.filter', list, testOf(test, withElement(on, element)), { list: 'text' })
  },
  relative_time: (args, { name, span }, on) => {
    counted(name, args, 2, 2, span)
    const values = args.map((each) => lowered(each, on))
    const isConstant = values[1]?.op === 'const'
    const record = functionOf(isConstant ? 'eval.relative_time' : 'eval.relative_time_by')
    return callOf(record, values, name, span)
  },
  searchmatch: (args, { name, span }, on) => {
    counted(name, args, 1, 1, span)
    const [given] = args as [EvalExpr]
    if (given.kind !== 'string') {
      return refuse('HR509', { message: `${name} takes a search in quotes` }, given.span)
    }
    const reader = new Reader(given.value, { start: 0, end: given.value.length }, name)
    const { where } = readTerms(reader)
    if (where === undefined || !reader.isDone) {
      return refuse('HR509', { message: `${name} cannot read its search` }, given.span)
    }
    return conditionOf(where, { rows: on.rows, context: on.context, isFirst: false })
  },
}

/** Arguments that hold regular expressions, by function. */
const PATTERNS: Readonly<Record<string, number>> = { match: 1, replace: 1, mvfind: 1 }

/** A regular expression as the engine reads it. In patterns `.` is no line break, as Splunk has it. */
export function enginePattern(pattern: string, span: Span): string {
  const { value, diagnostics } = checkRegex(pattern)
  const problem = diagnostics.find((each) => each.severity === 'error')
  if (value === undefined || problem !== undefined) {
    return refuse('HR510', { reason: problem?.message ?? 'it cannot be read' }, span)
  }
  return value
}

function called(expr: Call, on: Evaluating): Expr {
  const form = Object.hasOwn(FORMS, expr.name) ? FORMS[expr.name] : undefined
  if (form !== undefined) return form(expr.args, expr, on)
  const record = spelled(expr.name)
  if (record === undefined) return unknown(expr)
  const values = expr.args.map((each) => lowered(each, on))
  const at = Object.hasOwn(PATTERNS, expr.name) ? PATTERNS[expr.name] : undefined
  const pattern = at === undefined ? undefined : expr.args[at]
  if (at !== undefined && pattern?.kind === 'string') {
    if (needsConfirming(pattern.value)) return confirmed(expr, values, pattern, on)
    values[at] = text(enginePattern(pattern.value, pattern.span))
  }
  return callOf(record, values, expr.name, expr.span)
}

/** A call whose pattern looks around itself. */
function confirmed(
  { name, args, span }: Call,
  values: readonly Expr[],
  pattern: Extract<EvalExpr, { kind: 'string' }>,
  { rows, context }: Evaluating,
): Expr {
  const [subject = NULL] = values
  if (name === 'match') return confirmedMatch(subject, pattern, rows, context)
  const replacement = args[2]
  if (name === 'replace' && replacement?.kind === 'string') {
    return confirmedReplace(subject, pattern, replacement.value, rows, context)
  }
  return refuse('HR510', { reason: `it looks around itself, which ${name} cannot here` }, span)
}

function unknown({ name, nameSpan }: Call): never {
  const known = [...functionsSpelled('spl')]
    .filter(([each, record]) => !record.aggregate && /^[a-z]/.test(each))
    .map(([each]) => each)
  const near = suggest(name, [...known, ...Object.keys(FORMS)])
  const hint = near === undefined ? 'it is not a function of eval' : `did you mean ${near}?`
  return refuse('HR508', { name, hint }, nameSpan)
}

function membership(of: EvalExpr, list: readonly EvalExpr[], on: Evaluating, span: Span): Expr {
  const value = lowered(of, on)
  const record = functionOf('eval.in')
  if (list.length === 0) refuse('HR509', { message: 'the list is empty' }, span)
  return callOf(record, [value, ...list.map((each) => lowered(each, on))], 'in', span)
}

function lowered(expr: EvalExpr, on: Evaluating): Expr {
  switch (expr.kind) {
    case 'number':
      return {
        op: 'const',
        value: expr.value,
        type: Number.isSafeInteger(expr.value) && !/[.eE]/.test(expr.text) ? 'int' : 'float',
      }
    case 'string':
      return text(expr.value)
    case 'field':
      return on.names?.get(expr.name) ?? fieldValue(on.rows, expr.name)
    case 'call':
      return called(expr, on)
    case 'unary': {
      if (expr.op === 'not') return operator('not', [testOf(expr.of, on)], expr.span)
      const value = lowered(expr.of, on)
      if (value.op === 'const' && typeof value.value === 'number') {
        return { ...value, value: -value.value }
      }
      return operator('-', [{ op: 'const', value: 0, type: 'int' }, value], expr.span)
    }
    case 'in':
      return membership(expr.of, expr.list, on, expr.span)
    case 'binary': {
      const isLogic = expr.op === 'and' || expr.op === 'or' || expr.op === 'xor'
      const sides = [expr.left, expr.right].map((each) =>
        isLogic ? testOf(each, on) : lowered(each, on),
      )
      return operator(expr.op, sides, expr.span)
    }
  }
}

/** The value of an expression over rows. */
export function evaluate(expr: EvalExpr, on: Evaluating): Expr {
  return lowered(expr, on)
}

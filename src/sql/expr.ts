/**
 * Expressions to SQL text: each function record gives its own template, and this file fills the holes and keeps
 * the null rules (stored blanks, any-of lists, two-valued tests).
 */
import { functionOf } from '../functions/catalogue.ts'
import type { FunctionRecord } from '../functions/record.ts'
import { literal, name, type Sql, type SqlArg, type SqlHole, sql } from '../functions/sql.ts'
import type { Call, Case, ConstValue, Expr, FieldRef } from '../ir/expr.ts'
import { absurd, type Rel } from '../ir/rel.ts'
import { isList } from '../ir/types.ts'
import { META } from '../schema/source.ts'
import { constSql } from './constant.ts'
import { quoteName, quoteNumber, quoteText, quoteTexts } from './quote.ts'

function printValue(value: ConstValue): string {
  if (value === null) return 'NULL'
  switch (typeof value) {
    case 'string':
      return quoteText(value)
    case 'number':
      return quoteNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      return value.every((each) => typeof each === 'string')
        ? quoteTexts(value)
        : `[${value.map(printValue).join(', ')}]`
  }
}

function printHole(hole: SqlHole): string {
  switch (hole.kind) {
    case 'literal':
      return printValue(hole.value)
    case 'name':
      return quoteName(hole.name)
    case 'sql':
      return printTemplate(hole)
    default:
      return absurd(hole)
  }
}

/** Text of a filled template. */
export function printTemplate(template: Sql): string {
  return template.parts
    .map((part, index) => {
      const hole = template.holes[index]
      return hole === undefined ? part : part + printHole(hole)
    })
    .join('')
}

/** How a stored field is read: its column, the overflow map, or whichever has it. */
function readField(field: FieldRef): Sql {
  const column = sql`${name(field.name)}`
  if (field.kept === undefined) return column
  if (field.kept === 'marks') return sql`''`
  const entry = sql`${name(META.more)}[${literal(field.name)}]`
  const kept = isList(field.type) ? sql`JSONExtract(${entry}, 'Array(String)')` : entry
  if (field.kept === 'map') return kept
  return isList(field.type)
    ? sql`if(notEmpty(${column}), ${column}, ${kept})`
    : sql`if(${column} != '', ${column}, ${kept})`
}

function isBlank(expr: Expr): expr is FieldRef {
  return expr.op === 'field' && expr.stored === 'blank'
}

/** A text made from stored fields: empty, not NULL, where there is nothing to make it from. */
function isComputed(expr: Expr): boolean {
  if (expr.op === 'case') return expr.type === 'text' && !branchesOf(expr).some(readsUnbound)
  return expr.op === 'call' && expr.type === 'text' && !maybeNull(expr)
}

function branchesOf(expr: Case): readonly Expr[] {
  return [...expr.when.map(([, then]) => then), expr.otherwise]
}

/** True when an expression may be NULL for another reason than a NULL written in it. */
function readsUnbound(expr: Expr): boolean {
  return expr.op !== 'const' && maybeNull(expr)
}

function argOf(expr: Expr, rows: Rows): SqlArg {
  return {
    sql: expr.op === 'case' && isComputed(expr) ? textOfCase(expr, rows) : exprSql(expr, rows),
    type: expr.type,
    ...(expr.op === 'const' ? { value: expr.value } : {}),
    ...(isBlank(expr) ? { blank: expr.name } : {}),
    ...(isComputed(expr) ? { computed: true } : {}),
  }
}

/** A computed choice; a branch that gives nothing gives the empty text, as every computed text does. */
function textOfCase(expr: Case, rows: Rows): Sql {
  const choice = exprSql(expr, rows)
  return maybeNull(expr) ? sql`ifNull(${choice}, '')` : choice
}

/** True when the row has a value for the field, empty or not. */
function present(field: FieldRef): Sql {
  return sql`(${readField(field)} != '' OR has(${name(META.empty)}, ${literal(field.name)}))`
}

/** True when printing an expression may give NULL in SQL. Stored columns never do. */
function maybeNull(expr: Expr): boolean {
  switch (expr.op) {
    case 'const':
      return expr.value === null
    case 'field':
      return expr.stored === undefined
    case 'call': {
      const { onNull, mayMiss } = functionOf(expr.fn)
      return mayMiss === true || (onNull === 'null' && expr.args.some(maybeNull))
    }
    case 'case':
      return expr.when.some(([, then]) => maybeNull(then)) || maybeNull(expr.otherwise)
    case 'query':
      return true
    default:
      return absurd(expr)
  }
}

/** True for an argument that the test of a record is asked of value by value. */
function isValues(record: FunctionRecord, arg: SqlArg, index: number): boolean {
  return isList(arg.type) && (index === 0 || record.takes[index]?.type === 'text')
}

/** The test of a record; any-of where an argument is a list: the test on each element. */
function testSql(record: FunctionRecord, args: readonly SqlArg[]): Sql {
  if (record.anyOf !== true) return record.sql(args)
  const names = [sql`v`, sql`w`]
  const elements = args.map((arg, index): SqlArg => {
    const element = names[index]
    if (element === undefined || !isList(arg.type) || !isValues(record, arg, index)) return arg
    return { sql: element, type: arg.type.list }
  })
  return args.reduce((test, arg, index) => {
    const element = names[index]
    if (element === undefined || elements[index] === arg) return test
    return sql`arrayExists(${element} -> ${test}, ${arg.sql})`
  }, record.sql(elements))
}

function callSql(expr: Call, rows: Rows): Sql {
  const record = functionOf(expr.fn)
  const args = expr.args.map((each) => argOf(each, rows))
  const isSafe = record.onNull === 'own' || record.blankIsNull?.(args) === true
  const blanks = isSafe ? [] : expr.args.filter(isBlank)
  if (record.onNull === 'false') {
    const test = testSql(record, args)
    const safe = expr.args.some(maybeNull) ? sql`ifNull(${test}, false)` : test
    const made = isSafe ? [] : args.filter((each) => each.computed)
    const guards = [...blanks.map(present), ...made.map((each) => sql`${each.sql} != ''`)]
    return guards.reduce((whole, guard) => sql`(${guard} AND ${whole})`, safe)
  }
  if (blanks.length === 0) return record.sql(args)
  return record.sql(
    args.map((each, index) => {
      const field = expr.args[index]
      return field !== undefined && isBlank(field)
        ? { ...each, sql: sql`if(${present(field)}, ${each.sql}, NULL)` }
        : each
    }),
  )
}

/** What the record of an aggregate makes of its result, which stands with its filter and window. */
export function finishedSql(expr: Call, made: Sql, rows: Rows): Sql {
  const { finish } = functionOf(expr.fn)
  return finish === undefined
    ? made
    : finish(
        made,
        expr.args.map((each) => argOf(each, rows)),
      )
}

/** Prints a relation that stands inside an expression. */
export type Rows = (rel: Rel) => Sql

/** An expression as a filled template. */
export function exprSql(expr: Expr, rows: Rows): Sql {
  switch (expr.op) {
    case 'const':
      return constSql(expr)
    case 'field':
      return readField(expr)
    case 'call':
      return callSql(expr, rows)
    case 'case': {
      const arms = expr.when.reduce(
        (before, [test, then]) =>
          sql`${before} WHEN ${exprSql(test, rows)} THEN ${exprSql(then, rows)}`,
        sql`CASE`,
      )
      return expr.when.length === 0
        ? exprSql(expr.otherwise, rows)
        : sql`(${arms} ELSE ${exprSql(expr.otherwise, rows)} END)`
    }
    case 'query':
      return sql`(${rows(expr.rel)})`
    default:
      return absurd(expr)
  }
}

/**
 * The checker: every call names a record, with the right number and types of arguments, constants where they are
 * needed, conditions that are true or false, and fields that exist. SQL is printed only from what passes.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type { Call, Expr } from '../ir/expr.ts'
import { type Rel, schemaOf } from '../ir/rel.ts'
import { printType, type Schema, type Type } from '../ir/types.ts'
import { childrenOf, ownExprs } from '../ir/walk.ts'
import { functions } from './catalogue.ts'
import type { FunctionRecord, Parameter } from './record.ts'

const NUMBERS: readonly unknown[] = ['int32', 'int', 'float', 'decimal']

function fits(wanted: Parameter['type'], found: Type, lifts: boolean): boolean {
  if (wanted === 'any' || found === 'null' || printType(wanted) === printType(found)) return true
  if (NUMBERS.includes(wanted) && NUMBERS.includes(found)) return true
  return lifts && typeof found === 'object' && found.list === wanted
}

function checkCall(record: FunctionRecord, args: readonly Expr[]): readonly Diagnostic[] {
  const { id, takes } = record
  const last = takes.at(-1)
  const needed = takes.filter((each) => !each.optional).length
  const least = last?.many ? Math.min(needed, takes.length - 1) : needed
  if (args.length < least || (args.length > takes.length && !last?.many)) {
    const wanted =
      last?.many || takes.some((each) => each.optional) ? `at least ${least}` : `${least}`
    return [diagnose('HR251', { name: id, wanted, found: args.length })]
  }
  return args.flatMap((each, index) => {
    const parameter = takes[index] ?? last
    if (parameter === undefined) return []
    if (!fits(parameter.type, each.type, record.anyOf === true && index === 0)) {
      const wanted = parameter.type === 'any' ? 'any' : printType(parameter.type)
      return [
        diagnose('HR252', { index: index + 1, name: id, wanted, found: printType(each.type) }),
      ]
    }
    if (each.op !== 'const') {
      return parameter.constant ? [diagnose('HR253', { index: index + 1, name: id })] : []
    }
    const reason = parameter.wrong?.(each.value)
    return reason === undefined ? [] : [diagnose('HR257', { index: index + 1, name: id, reason })]
  })
}

/** The fields that the arguments of a call may read: those there are, and the variable that it binds. */
function withVariable(expr: Call, at: number | undefined, schema: Schema | 'open') {
  const name = at === undefined ? undefined : expr.args[at]
  if (schema === 'open' || name?.op !== 'const') return schema
  return [...schema, { name: String(name.value), type: 'text' } as const]
}

/** Checks an expression against the fields that are there; `open` allows any field name. */
export function checkExpr(expr: Expr, schema: Schema | 'open', depth = 0): readonly Diagnostic[] {
  if (depth > limits.queryDepth) return [diagnose('HR256', { limit: limits.queryDepth })]
  switch (expr.op) {
    case 'const':
      return []
    case 'field':
      return schema === 'open' || schema.some((each) => each.name === expr.name)
        ? []
        : [diagnose('HR254', { name: expr.name })]
    case 'call': {
      const record = functions.get(expr.fn)
      const known = withVariable(expr, record?.binds, schema)
      const inner = expr.args.flatMap((each) => checkExpr(each, known, depth + 1))
      return record === undefined
        ? [diagnose('HR250', { name: expr.fn }), ...inner]
        : [...checkCall(record, expr.args), ...inner]
    }
    case 'case':
      return [...expr.when.flat(), expr.otherwise].flatMap((each) =>
        checkExpr(each, schema, depth + 1),
      )
    case 'query':
      return checkRel(expr.rel)
  }
}

/** Checks a relation from the leaves up. A scan of a view is open: its fields are told when it is bound. */
export function checkRel(rel: Rel): readonly Diagnostic[] {
  const below = childrenOf(rel)
  const open = below.some(isOpen)
  const schema = open ? 'open' : below.flatMap((each) => schemaOf(each))
  const own = ownExprs(rel).flatMap((each) => checkExpr(each, schema))
  const condition =
    rel.op === 'filter' && rel.where.type !== 'bool'
      ? [diagnose('HR255', { found: printType(rel.where.type) })]
      : []
  return [...below.flatMap(checkRel), ...own, ...condition]
}

function isOpen(rel: Rel): boolean {
  if (rel.op === 'scan') return rel.table.kind === 'view'
  if (rel.op === 'select' || rel.op === 'aggregate') return false
  return childrenOf(rel).some(isOpen)
}

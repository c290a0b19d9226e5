/** Text of the IR for people: golden files, `--show ir`, messages. One relation a line, leaves indented most. */
import type { ConstValue, Expr } from './expr.ts'
import { type AggBinding, absurd, type Binding, type Order, type Rel } from './rel.ts'
import { printType, type Schema } from './types.ts'
import { childrenOf } from './walk.ts'

function printValue(value: ConstValue): string {
  return JSON.stringify(value)
}

function printName(name: string): string {
  return /^[A-Za-z_@][\w@.[\]]*$/.test(name) ? name : `\`${name}\``
}

/** One expression as text. */
export function printExpr(expr: Expr): string {
  switch (expr.op) {
    case 'const':
      return printValue(expr.value)
    case 'field':
      return printName(expr.name) + (expr.kept === undefined ? '' : `~${expr.kept}`)
    case 'call':
      return `${expr.fn}(${expr.args.map(printExpr).join(', ')})`
    case 'case': {
      const arms = expr.when.map(([test, then]) => `${printExpr(test)} -> ${printExpr(then)}`)
      return `case(${[...arms, printExpr(expr.otherwise)].join(', ')})`
    }
    case 'query':
      return `${expr.gives}(${printRel(expr.rel).replaceAll(/\n */g, ' | ')})`
    default:
      return absurd(expr)
  }
}

const binding = (each: Binding): string => `${printName(each.name)} = ${printExpr(each.value)}`
const aggregate = (each: AggBinding): string =>
  `${printName(each.name)} = ${each.fn}(${each.args.map(printExpr).join(', ')})` +
  (each.where === undefined ? '' : ` where ${printExpr(each.where)}`)
const order = (keys: Order): string =>
  keys.map((key) => `${printExpr(key.by)}${key.down ? ' down' : ''} nulls ${key.nulls}`).join(', ')
const fields = (schema: Schema): string =>
  schema.map((each) => `${printName(each.name)}: ${printType(each.type)}`).join(', ')
const list = (label: string, parts: readonly string[]): string =>
  parts.length === 0 ? '' : ` ${label} ${parts.join(', ')}`

function frameText(frame: Extract<Rel, { op: 'window' }>['frame']): string {
  if (frame === undefined || frame === 'running') return ''
  if (frame === 'all') return ' all'
  const before = frame.before === undefined ? 'all' : `${frame.before}`
  return ` ${before} ${frame.by} before${frame.isCurrent ? '' : ', not its own'}`
}

function head(rel: Rel): string {
  switch (rel.op) {
    case 'scan': {
      const { from, to } = rel.time
      const time = `${from === undefined ? '' : ` from ${from}`}${to === undefined ? '' : ` to ${to}`}`
      return `scan ${rel.table.kind} ${rel.table.name}${time}`
    }
    case 'values':
      return `values ${rel.rows.length} (${fields(rel.out)})`
    case 'filter':
      return `filter ${printExpr(rel.where)}`
    case 'derive':
      return `derive ${rel.set.map(binding).join(', ')}`
    case 'select':
      return `select ${rel.keep.map(binding).join(', ')}`
    case 'aggregate':
      return `aggregate${list('by', rel.by.map(binding))}${list('into', rel.into.map(aggregate))}`
    case 'window':
      return `window${frameText(rel.frame)}${list('by', rel.by.map(printExpr))} order ${order(rel.order)}${list('into', rel.into.map(aggregate))}`
    case 'join':
      return `join ${rel.how}${list(
        'on',
        rel.on.map(
          (key) => `${printExpr(key.left)} ${key.nullsMatch ? '==' : '='} ${printExpr(key.right)}`,
        ),
      )}`
    case 'union':
      return 'union'
    case 'expand':
      return `expand ${printExpr(rel.list)} as ${printName(rel.as)}`
    case 'sort':
      return `sort ${order(rel.order)}`
    case 'limit':
      return `limit ${rel.rows}${list('per', (rel.per ?? []).map(printExpr))}`
    case 'named':
      return `named ${printName(rel.name)}${rel.once ? ' once' : ''}`
    default:
      return absurd(rel)
  }
}

/** A whole relation as an indented tree, the result on top. */
export function printRel(rel: Rel, indent = ''): string {
  return [indent + head(rel), ...childrenOf(rel).map((each) => printRel(each, `${indent}  `))].join(
    '\n',
  )
}

/**
 * Scalar expressions: nodes of the bound tree to expressions of the IR. The rules of missing values, of case and of
 * conversion are settled here, by the choice of function.
 */
import { and, type Const, call, type Expr, not, or, text, texts } from '../../ir/expr.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Node } from './adapter.ts'
import { lowerCall } from './calls.ts'
import { literalOf } from './literals.ts'
import { type Context, cast, type Rowset, refuse, selected, spanOf } from './scope.ts'
import { scalarOf, typeOf } from './values.ts'

const COMPARISONS: Readonly<Record<string, string>> = {
  EqualExpression: 'compare.equals',
  NotEqualExpression: 'compare.differs',
  LessThanExpression: 'compare.less',
  LessThanOrEqualExpression: 'compare.less_or_equal',
  GreaterThanExpression: 'compare.greater',
  GreaterThanOrEqualExpression: 'compare.greater_or_equal',
}

const ARITHMETIC: Readonly<Record<string, string>> = {
  AddExpression: 'arith.add',
  SubtractExpression: 'arith.subtract',
  MultiplyExpression: 'arith.multiply',
  DivideExpression: 'arith.divide',
  ModuloExpression: 'arith.modulo',
}

/** Tests of text, by the node's name without `Not` in front. */
const TEXT_TESTS: Readonly<Record<string, string>> = {
  EqualTildeExpression: 'text.equals_nocase',
  HasExpression: 'term.has',
  HasCsExpression: 'term.has_cs',
  HasPrefixExpression: 'term.hasprefix',
  HasPrefixCsExpression: 'term.hasprefix_cs',
  HasSuffixExpression: 'term.hassuffix',
  HasSuffixCsExpression: 'term.hassuffix_cs',
  ContainsExpression: 'text.contains_nocase',
  ContainsCsExpression: 'text.contains_case',
  StartsWithExpression: 'text.starts_nocase',
  StartsWithCsExpression: 'text.starts_case',
  EndsWithExpression: 'text.ends_nocase',
  EndsWithCsExpression: 'text.ends_case',
  MatchesRegexExpression: 'text.matches',
  SearchExpression: 'term.has',
}

/** Lowers one scalar expression. Refuses what it does not understand. */
export function lowerExpr(node: Node, context: Context): Expr {
  const special = context.special?.(node, context)
  if (special !== undefined) return special
  const literal = literalOf(node)
  if (literal !== undefined) return literal
  const { kind } = node
  const comparison = COMPARISONS[kind]
  if (comparison !== undefined) return compared(comparison, node, context)
  const arithmetic = ARITHMETIC[kind]
  if (arithmetic !== undefined) {
    const parts = [left(node, context), right(node, context)]
    return call(arithmetic, parts, typeOf(node, parts[0]?.type))
  }
  const positive = kind.replace(/^Not/, '').replace(/^BangTilde/, 'EqualTilde')
  const test = TEXT_TESTS[positive]
  if (test !== undefined) {
    const made = textTest(test, node, context)
    return positive === kind ? made : not(made)
  }
  switch (kind) {
    case 'ParenthesizedExpression':
      return lowerExpr(node.child('Expression'), context)
    case 'SimpleNamedExpression':
    case 'CompoundNamedExpression':
      return lowerExpr(node.child('Expression'), context)
    case 'AndExpression':
      return call('logic3.and', partsOf(node, context))
    case 'OrExpression':
      return call('logic3.or', partsOf(node, context))
    case 'UnaryMinusExpression':
      return negative(lowerExpr(node.child('Expression'), context), node)
    case 'UnaryPlusExpression':
      return lowerExpr(node.child('Expression'), context)
    case 'InExpression':
    case 'InCsExpression':
      return inList(node, context)
    case 'NotInExpression':
    case 'NotInCsExpression':
      return not(inList(node, context))
    case 'HasAnyExpression':
      return hasList('any', node, context)
    case 'HasAllExpression':
      return hasList('all', node, context)
    case 'BetweenExpression':
      return between(node, context)
    case 'NotBetweenExpression':
      return call('logic3.not', [between(node, context)])
    case 'PathExpression':
    case 'ElementExpression':
      return path(node, context)
    case 'NameReference':
      return reference(node, context)
    case 'FunctionCallExpression':
      return lowerCall(node, context)
    case 'ToScalarExpression':
      return scalarOf(node.child('Expression'), context, node)
    case 'BracketedExpression':
      return lowerExpr(node.child('Expression'), context)
    case 'TypeOfLiteralExpression':
      return text(
        node
          .items('Types')
          .map((each) => each.text)
          .join(','),
      )
    default:
      return refuse('HR407', { what: node.text.slice(0, 80) }, context.lowering.place(node))
  }
}

function left(node: Node, context: Context): Expr {
  return lowerExpr(node.child('Left'), context)
}

function right(node: Node, context: Context): Expr {
  return lowerExpr(node.child('Right'), context)
}

/** The parts of a chain of one operator: published lists of indicators chain hundreds, too many to nest. */
function partsOf(node: Node, context: Context): readonly Expr[] {
  const parts: Node[] = []
  let rest = node
  while (rest.kind === node.kind) {
    parts.push(rest.child('Right'))
    rest = rest.child('Left')
  }
  return [rest, ...parts.reverse()].map((each) => truthOf(each, context))
}

/** A condition that may be missing, as `and` and `or` take it. */
function truthOf(node: Node, context: Context): Expr {
  return cast(lowerExpr(node, context), 'bool')
}

function negative(value: Expr, node: Node): Expr {
  if (value.op === 'const' && typeof value.value === 'number')
    return { ...value, value: -value.value }
  if (value.op === 'const' && typeof value.value === 'string' && /^\d/.test(value.value)) {
    return { ...value, value: `-${value.value}` }
  }
  return call('arith.negate', [value], typeOf(node, value.type))
}

/** Gives a bare null the type of the other side. */
function typedNull(value: Expr, other: Expr): Expr {
  return value.type === 'null' && typeof other.type === 'string' ? cast(value, other.type) : value
}

function compared(fn: string, node: Node, context: Context): Expr {
  const star = node.child('Left')
  if (star.kind === 'StarExpression') {
    return anyColumn(context, (each) =>
      call(fn, [cast(each, 'text'), cast(right(node, context), 'text')]),
    )
  }
  const [one, other] = [left(node, context), right(node, context)]
  return call(fn, [typedNull(one, other), typedNull(other, one)])
}

/** A test of every column that holds text, as `*` asks for. */
function anyColumn(context: Context, test: (column: Expr) => Expr): Expr {
  const columns = [...(context.row?.values() ?? [])].filter(({ type }) =>
    ['text', 'dynamic', 'guid'].includes(String(type)),
  )
  return or(columns.map((each) => test(cast(each, 'text'))))
}

function textTest(fn: string, node: Node, context: Context): Expr {
  const needle = cast(right(node, context), 'text')
  if (fn === 'text.matches') {
    const pattern = node.child('Right')
    if (needle.op !== 'const') {
      refuse('HR409', { name: pattern.text.slice(0, 60) }, context.lowering.place(pattern))
    }
    context.lowering.checkRegex(needle, pattern)
  }
  const subject = node.child('Left')
  if (subject.kind === 'StarExpression') {
    return anyColumn(context, (each) => call(fn, [each, needle]))
  }
  return call(fn, [cast(lowerExpr(subject, context), 'text'), needle])
}

/** The elements on the right of `in`, `has_any` and their kin. */
interface Elements {
  readonly constants: readonly Const[]
  readonly arrays: readonly Expr[]
  readonly values: readonly Expr[]
  readonly tables: readonly Rowset[]
}

function elementsOf(node: Node, context: Context): Elements {
  const listed = node.child('Right')
  const items = listed.kind === 'ExpressionList' ? listed.items('Expressions') : [listed]
  const constants: Const[] = []
  const arrays: Expr[] = []
  const values: Expr[] = []
  const tables: Rowset[] = []
  for (const item of items) {
    if (item.isTable) {
      tables.push(context.lowering.table(item, context.env))
      continue
    }
    const value = lowerExpr(item, context)
    if (value.type === 'dynamic') arrays.push(value)
    else if (value.op === 'const' && value.value !== null) constants.push(value)
    else values.push(value)
  }
  return { constants, arrays, values, tables }
}

/** The first column of a table as a set of texts or of values of a type. */
function firstColumn(
  rows: Rowset,
  type: BaseType,
  change: (value: Expr) => Expr,
  node: Node,
): Expr {
  const [column] = rows.columns
  if (column === undefined) return refuse('HR407', { what: node.text.slice(0, 60) }, spanOf(node))
  const value = change(cast({ op: 'field', name: column.name, type: column.type }, type))
  const { rel } = selected({ ...rows, order: [] }, [{ name: column.name, type }], [value])
  return { op: 'query', rel, gives: 'set', type }
}

const lower = (value: Expr): Expr => call('text.fold', [value], 'text')

function inList(node: Node, context: Context): Expr {
  const noCase = node.token('Operator').endsWith('~')
  const star = node.child('Left')
  const elements = elementsOf(node, context)
  if (star.kind === 'StarExpression') {
    return anyColumn(context, (each) => inElements(each, elements, noCase, node))
  }
  return inElements(lowerExpr(star, context), elements, noCase, node)
}

function inElements(given: Expr, elements: Elements, noCase: boolean, node: Node): Expr {
  const { constants, arrays, values, tables } = elements
  const scalars = [...constants, ...values]
  const wanted = scalars.find((each) => typeof each.type === 'string' && each.type !== 'null')
  // A dynamic value is compared as what it is compared with.
  const subject =
    given.type === 'dynamic'
      ? wanted !== undefined && wanted.type !== 'text' && typeof wanted.type === 'string'
        ? cast(given, wanted.type)
        : cast(given, 'text')
      : noCase
        ? cast(given, 'text')
        : given
  const type = typeof subject.type === 'string' ? subject.type : 'text'
  const parts: Expr[] = []
  if (type === 'text' && constants.length > 0) {
    const listed = constants.map((each) => cast(each, 'text'))
    const plain = listed.flatMap((each) =>
      each.op === 'const' && typeof each.value === 'string' ? [each.value] : [],
    )
    parts.push(call(noCase ? 'text.in_nocase' : 'text.in_case', [subject, texts(plain)]))
    const other = listed.filter((each) => each.op !== 'const')
    for (const each of other) parts.push(same(subject, each, noCase))
  } else if (constants.length > 0) {
    parts.push(call('compare.in', [subject, ...constants.map((each) => cast(each, type))]))
  }
  for (const each of values) parts.push(same(subject, cast(each, type), noCase))
  for (const each of arrays) {
    parts.push(call(noCase ? 'dyn.contains_text' : 'dyn.contains_value', [each, subject]))
  }
  for (const each of tables) {
    const fold = noCase && type === 'text'
    const set = firstColumn(each, type, fold ? lower : (value) => value, node)
    parts.push(call('set.has', [fold ? lower(subject) : subject, set]))
  }
  return or(parts)
}

function same(one: Expr, other: Expr, noCase: boolean): Expr {
  return noCase
    ? call('text.equals_nocase', [cast(one, 'text'), cast(other, 'text')])
    : call('compare.is', [one, other])
}

function hasList(how: 'any' | 'all', node: Node, context: Context): Expr {
  const star = node.child('Left')
  const { constants, arrays, values, tables } = elementsOf(node, context)
  const listed = [
    ...arrays,
    ...tables.map((each) => setOf(each, node)),
    ...(values.length > 0
      ? [
          call(
            'dyn.list',
            values.map((each) => cast(each, 'text')),
            'dynamic',
          ),
        ]
      : []),
  ]
  const test = (subject: Expr): Expr => {
    const plain = constants.flatMap((each) => (typeof each.value === 'string' ? [each.value] : []))
    const others = constants.filter((each) => typeof each.value !== 'string')
    const parts: Expr[] = [
      ...(plain.length > 0 ? [call(`term.has_${how}`, [subject, texts(plain)])] : []),
      ...others.map((each) => call('term.has', [subject, cast(each, 'text')])),
      ...listed.map((each) => call(`term.has_${how}_of`, [subject, each])),
    ]
    return how === 'any' ? or(parts) : and(parts)
  }
  return star.kind === 'StarExpression'
    ? anyColumn(context, test)
    : test(cast(lowerExpr(star, context), 'text'))
}

/** All values of a table's first column in one array. */
function setOf(rows: Rowset, node: Node): Expr {
  const [column] = rows.columns
  if (column === undefined) return refuse('HR407', { what: node.text.slice(0, 60) }, spanOf(node))
  const value = cast({ op: 'field', name: column.name, type: column.type }, 'text')
  return {
    op: 'query',
    gives: 'cell',
    type: 'dynamic',
    rel: {
      op: 'aggregate',
      from: rows.rel,
      by: [],
      into: [{ name: column.name, fn: 'agg.make_set', args: [value], type: 'dynamic' }],
    },
  }
}

function between(node: Node, context: Context): Expr {
  const subject = left(node, context)
  const couple = node.child('Right')
  const first = lowerExpr(couple.child('First'), context)
  const second = lowerExpr(couple.child('Second'), context)
  const end =
    first.type === 'time' && second.type === 'span'
      ? call('arith.add', [first, second], 'time')
      : second
  const value =
    subject.type === 'dynamic' && typeof first.type === 'string'
      ? cast(subject, first.type)
      : subject
  return call('compare.between', [value, first, end])
}

/** `a.b[0]['c']`: one look into a dynamic value, however long the path. */
function path(node: Node, context: Context): Expr {
  if (node.symbol?.kind === 'column' && node.child('Expression').symbol?.kind === 'tuple') {
    return reference(node, context)
  }
  const steps: Expr[] = []
  let base = node
  while (base.kind === 'PathExpression' || base.kind === 'ElementExpression') {
    const selector = base.child('Selector')
    if (base.kind === 'PathExpression' && selector.kind === 'NameReference') {
      steps.unshift(text(selector.name))
    } else {
      steps.unshift(lowerExpr(selector, context))
    }
    base = base.child('Expression')
  }
  const value = lowerExpr(base, context)
  if (value.op === 'call' && value.fn === 'dyn.path')
    return { ...value, args: [...value.args, ...steps] }
  // A path into a text reads the text once: it need not be made a dynamic value first.
  const [source] = value.op === 'call' && value.fn === 'dyn.parse' ? value.args : [value]
  const subject = source?.type === 'text' ? source : cast(value, 'dynamic')
  return call('dyn.path', [subject, ...steps], 'dynamic')
}

function reference(node: Node, context: Context): Expr {
  const name = node.kind === 'PathExpression' ? node.child('Selector').name : node.name
  const { symbol } = node
  if (symbol?.kind === 'column' || symbol === undefined) {
    const column = context.row?.get(name)
    if (column !== undefined) return column
  }
  const meaning = context.env.get(name)
  if (meaning?.kind === 'scalar') return meaning.value()
  const column = context.row?.get(name)
  if (column !== undefined) return column
  if (node.isTable || meaning?.kind === 'table') return scalarOf(node, context, node)
  // A function without arguments may be called by its name alone.
  if (node.calledBody !== undefined) return lowerCall(node, context)
  return refuse('HR402', { name, hint: 'check its spelling' }, context.lowering.place(node))
}

/**
 * Calls of functions: those of users are written out in place, those of the language are looked up in the function
 * records by their Kusto spelling, and the few whose arguments are no plain values have an entry here.
 */
import { functionsSpelled } from '../../functions/catalogue.ts'
import type { FunctionRecord, Parameter } from '../../functions/record.ts'
import { and, call, type Expr, NULL, not, text } from '../../ir/expr.ts'
import { type BaseType, isList } from '../../ir/types.ts'
import { type Node, typeNamed } from './adapter.ts'
import { type Context, cast, constant, Env, type Meaning, missing, once, refuse } from './scope.ts'
import { refuseTenant } from './tenant.ts'
import { constantText, scalarOf, typeOf } from './values.ts'

type Special = (node: Node, args: readonly Node[], context: Context) => Expr

/** The arguments of a call as they are written. */
export function argumentsOf(node: Node): readonly Node[] {
  return node.maybe('ArgumentList')?.items('Expressions') ?? []
}

/** Name of the function that is called. */
export function functionName(node: Node): string {
  return node.kind === 'FunctionCallExpression' ? node.child('Name').name : node.name
}

/** Scope for the body of a user's function: its parameters stand for the arguments of this call. */
export function scopeOfCall(node: Node, context: Context, first?: Meaning): Env {
  const name = functionName(node)
  const meaning = context.env.get(name)
  const env = new Env(meaning?.kind === 'function' ? meaning.env : context.lowering.root)
  const given = [...argumentsOf(node)]
  const parameters = [...node.parameters]
  const named = new Map<string, Node>()
  const placed = new Map<number, Node>()
  for (const [at, each] of given.entries()) {
    const key = each.kind === 'SimpleNamedExpression' ? each.child('Name').name : undefined
    if (key !== undefined && parameters.some((parameter) => parameter.name === key)) {
      named.set(key, each.child('Expression'))
    } else placed.set(at, each)
  }
  parameters.forEach((parameter, index) => {
    if (first !== undefined && index === 0) {
      env.set(parameter.name, first)
      return
    }
    const at = first === undefined ? index : index - 1
    const argument = named.get(parameter.name) ?? placed.get(at)
    const from = argument ?? parameter.standard
    if (from === undefined) return
    const inner: Context =
      argument === undefined ? { lowering: context.lowering, env: context.lowering.root } : context
    if (from.isTable) {
      env.set(parameter.name, {
        kind: 'table',
        rows: once(() => context.lowering.table(from, inner.env)),
      })
      return
    }
    env.set(parameter.name, {
      kind: 'scalar',
      value: once(() => {
        const value = context.lowering.expr(from, inner)
        return parameter.type === undefined ? value : cast(value, parameter.type)
      }),
    })
  })
  return env
}

function userCall(node: Node, body: Node, context: Context): Expr {
  return context.lowering.inside(node, () => {
    const env = scopeOfCall(node, context)
    context.lowering.statements(body.items('Statements'), env)
    const result = body.child('Expression')
    const inner: Context = { ...context, env }
    const value = result.isTable
      ? scalarOf(result, inner, node)
      : context.lowering.expr(result, inner)
    const type = typeOf(node, value.type)
    return cast(value, type)
  })
}

/** Lowers a call that gives one value. */
export function lowerCall(node: Node, context: Context): Expr {
  const body = node.calledBody
  if (body !== undefined) return userCall(node, body, context)
  const name = functionName(node)
  const args = argumentsOf(node)
  const special = Object.hasOwn(SPECIALS, name) ? SPECIALS[name] : undefined
  if (special !== undefined) return special(node, args, context)
  const record = functionsSpelled('kusto').get(name.toLowerCase())
  if (record === undefined || record.aggregate) {
    refuseTenant(name, context, node)
    return refuse('HR406', { name }, context.lowering.place(node))
  }
  return callRecord(record, args, node, context)
}

/** The value of a call of constants, where the record can tell it: patterns and names are put together this way. */
function folded(record: FunctionRecord, args: readonly Expr[], type: BaseType): Expr | undefined {
  const constants = args.flatMap((each) => (each.op === 'const' ? [each.value] : []))
  if (constants.length !== args.length) return undefined
  const value = record.fold?.(constants)
  return value === undefined ? undefined : { op: 'const', value, type }
}

function callRecord(
  record: FunctionRecord,
  nodes: readonly Node[],
  node: Node,
  context: Context,
): Expr {
  const args = nodes.map((each, index): Expr => {
    const parameter: Parameter | undefined = record.takes[index] ?? record.takes.at(-1)
    const value = context.lowering.expr(
      each.kind === 'SimpleNamedExpression' ? each.child('Expression') : each,
      context,
    )
    if (parameter === undefined) return value
    const made = converted(value, parameter)
    if (parameter.constant && made.op !== 'const') {
      return refuse('HR409', { name: each.text.slice(0, 60) }, context.lowering.place(each))
    }
    return made
  })
  const type =
    record.gives === 'dynamic' || record.gives === 'null'
      ? typeOf(node, record.gives)
      : plain(record, node)
  const made = call(record.id, args, type)
  context.lowering.checkCall(made, functionName(node), node)
  return folded(record, args, type) ?? made
}

/** The result type: the binder's, where it knows one of the record's own kind. */
function plain(record: FunctionRecord, node: Node): BaseType {
  return typeOf(node, isList(record.gives) ? 'dynamic' : record.gives)
}

function converted(value: Expr, parameter: Parameter): Expr {
  if (parameter.type === 'any' || isList(parameter.type)) {
    return value.type === 'null' ? cast(value, 'dynamic') : value
  }
  if (parameter.constant && value.op === 'const' && typeof value.value === 'number') {
    // Constants stay constants: a whole number serves where a real one is wanted.
    return { ...value, type: parameter.type }
  }
  return cast(value, parameter.type)
}

function lowered(args: readonly Node[], context: Context): readonly Expr[] {
  return args.map((each) => context.lowering.expr(each, context))
}

function need(args: readonly Node[], index: number, context: Context, node: Node): Node {
  return args[index] ?? refuse('HR406', { name: functionName(node) }, context.lowering.place(node))
}

const choice: Special = (node, args, context) => {
  const type = typeOf(node, undefined)
  const when: (readonly [Expr, Expr])[] = []
  for (let index = 0; index + 1 < args.length; index += 2) {
    const test = cast(context.lowering.expr(need(args, index, context, node), context), 'bool')
    const then = cast(context.lowering.expr(need(args, index + 1, context, node), context), type)
    when.push([call('logic.holds', [test]), then])
  }
  const last = args.length % 2 === 1 ? args.at(-1) : undefined
  const otherwise =
    last === undefined ? missing(type) : cast(context.lowering.expr(last, context), type)
  return { op: 'case', when, otherwise, type }
}

const coalesce: Special = (node, args, context) => {
  const type = typeOf(node, undefined)
  return call(
    'value.coalesce',
    lowered(args, context).map((each) => cast(each, type)),
    type,
  )
}

const NOW = call('time.now', [], 'time')

/** The conversions that a `typeof` argument asks for. */
function asType(value: Expr, node: Node | undefined): Expr {
  if (node === undefined) return value
  const name = node.kind === 'TypeOfLiteralExpression' ? node.items('Types')[0]?.text : undefined
  const type = name === undefined ? undefined : typeNamed(name)
  return type === undefined ? value : cast(value, type)
}

const columnIfExists: Special = (node, args, context) => {
  const name = constantText(need(args, 0, context, node), context)
  const column = context.row?.get(name)
  return column ?? context.lowering.expr(need(args, 1, context, node), context)
}

/** `bin_auto(value)`: the size of the bins, and where they begin, are settings of the query. */
const binAuto: Special = (node, args, context) => {
  const { settings } = context.lowering
  const size = settings.get('query_bin_auto_size')
  const at = settings.get('query_bin_auto_at')
  if (size === undefined) {
    const what = 'bin_auto in a query that does not set query_bin_auto_size'
    return refuse('HR407', { what }, context.lowering.place(node))
  }
  const all = [need(args, 0, context, node), size, ...(at === undefined ? [] : [at])]
  const values = lowered(all, context)
  const type = typeOf(node, values[0]?.type)
  return call(at === undefined ? 'number.bin' : 'number.bin_at', values, type)
}

/** Bytes of a value of each type whose size does not hang on the value. */
const SIZES: Readonly<Partial<Record<BaseType, number>>> = {
  bool: 1,
  int32: 4,
  int: 8,
  float: 8,
  time: 8,
  span: 8,
  decimal: 16,
  guid: 16,
}

/** The size of columns by their types and texts; how the service lays out dynamic values, only it knows. */
const dataSize: Special = (node, args, context) => {
  const columns = args.flatMap((each) =>
    each.kind === 'StarExpression'
      ? [...(context.row?.values() ?? [])]
      : [context.lowering.expr(each, context)],
  )
  return columns.reduce<Expr>(
    (sum, value) => {
      const size = typeof value.type === 'string' ? SIZES[value.type] : undefined
      if (size === undefined && value.type !== 'text') {
        refuseTenant('estimate_data_size', context, node)
      }
      const own = size === undefined ? call('text.bytes', [value], 'int') : constant(size, 'int')
      return call('arith.add', [sum, own], 'int')
    },
    constant(0, 'int'),
  )
}

/** The names of the columns of a table, which is not read for them. */
const columnNames: Special = (node, args, context) => {
  const table = need(args, 0, context, node)
  if (table.isOpen) {
    return refuse('HR407', { what: node.text.slice(0, 60) }, context.lowering.place(node))
  }
  return constant(JSON.stringify(table.columns.map(({ name }) => name)), 'dynamic')
}

/** All columns of the row in one bag. */
const packAll: Special = (node, args, context) => {
  const [flag] = args
  const ignore = flag === undefined ? undefined : context.lowering.expr(flag, context)
  const isIgnored = ignore?.op === 'const' && ignore.value === true
  const pairs = [...(context.row ?? [])].flatMap(([name, value]) => [text(name), value])
  return call(isIgnored ? 'dyn.bag_of_values' : 'dyn.bag', pairs, typeOf(node, 'dynamic'))
}

const packColumns: Special = (_, args, context) => {
  const pairs = args.flatMap((each) => [text(each.name), context.lowering.expr(each, context)])
  return call('dyn.bag', pairs, 'dynamic')
}

const ingestionTime: Special = (_, __, context) =>
  // Logs that are brought in later are read as if they had come in when they happened.
  context.row?.get('TimeGenerated') ?? context.row?.get('Timestamp') ?? constant(null, 'time')

const extract: Special = (node, args, context) => {
  const pattern = cast(context.lowering.expr(need(args, 0, context, node), context), 'text')
  context.lowering.checkRegex(pattern, need(args, 0, context, node))
  const group = cast(context.lowering.expr(need(args, 1, context, node), context), 'int')
  const subject = cast(context.lowering.expr(need(args, 2, context, node), context), 'text')
  return asType(call('text.extract', [pattern, group, subject], 'text'), args[3])
}

/** The steps of a JSON path as it is written for `extract_json`: `$.a['b c'][0]`; undefined for another text. */
function stepsOf(path: string): readonly Expr[] | undefined {
  const steps: Expr[] = []
  let rest = path.replace(/^\$/, '')
  while (rest !== '') {
    const found = /^(?:\.([^.[\]]+)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d{1,9})\])/.exec(rest)
    if (found === null) return undefined
    const [all, ...names] = found
    const name = names.slice(0, 3).find((each) => each !== undefined)
    steps.push(name === undefined ? constant(Number(names[3]), 'int') : text(name))
    rest = rest.slice(all.length)
  }
  return steps
}

const extractJson: Special = (node, args, context) => {
  const written = need(args, 0, context, node)
  const steps = stepsOf(constantText(written, context))
  if (steps === undefined) {
    return refuse(
      'HR407',
      { what: `the path ${written.text.slice(0, 60)}` },
      context.lowering.place(written),
    )
  }
  const subject = context.lowering.expr(need(args, 1, context, node), context)
  const value =
    subject.type === 'dynamic' ? subject : call('dyn.parse', [cast(subject, 'text')], 'dynamic')
  const found = steps.length === 0 ? value : call('dyn.path', [value, ...steps], 'dynamic')
  const [, , type] = args
  return type === undefined ? cast(found, 'text') : asType(found, type)
}

/** `replace(regex, rewrite, text)` and its kin: a pattern that RE2 does not read is refused here. */
const withRegex =
  (at: number): Special =>
  (node, args, context) => {
    const pattern = args[at]
    if (pattern !== undefined) {
      context.lowering.checkRegex(cast(context.lowering.expr(pattern, context), 'text'), pattern)
    }
    const record = functionsSpelled('kusto').get(functionName(node).toLowerCase())
    if (record === undefined)
      return refuse('HR406', { name: functionName(node) }, context.lowering.place(node))
    return callRecord(record, args, node, context)
  }

/** `percentile_tdigest(state, percent, typeof(long))`: a dynamic value as the type that is asked for. */
const percentileOf: Special = (node, args, context) => {
  const [state, percent] = args.slice(0, 2).map((each) => context.lowering.expr(each, context))
  if (state === undefined || percent === undefined) {
    return refuse('HR406', { name: functionName(node) }, context.lowering.place(node))
  }
  const values = [cast(state, 'dynamic'), cast(percent, 'float')]
  return asType(call('sketch.percentile_tdigest', values, 'dynamic'), args[2])
}

/** `countof(text, piece, kind)`: the piece is a pattern when the kind says so. */
const countOf: Special = (node, args, context) => {
  const kind = args[2] === undefined ? undefined : context.lowering.expr(args[2], context)
  const isPattern = kind?.op === 'const' && kind.value === 'regex'
  return withRegex(isPattern ? 1 : args.length)(node, args, context)
}

const SPECIALS: Readonly<Record<string, Special>> = {
  iff: choice,
  iif: choice,
  case: choice,
  coalesce,
  not: (node, args, context) =>
    call('logic3.not', [
      cast(context.lowering.expr(need(args, 0, context, node), context), 'bool'),
    ]),
  now: (_, args, context) => {
    const [offset] = args
    return offset === undefined
      ? NOW
      : call('arith.add', [NOW, context.lowering.expr(offset, context)], 'time')
  },
  ago: (node, args, context) =>
    call(
      'arith.subtract',
      [NOW, cast(context.lowering.expr(need(args, 0, context, node), context), 'span')],
      'time',
    ),
  toscalar: (node, args, context) => scalarOf(need(args, 0, context, node), context, node),
  materialize: (node, args, context) =>
    context.lowering.expr(need(args, 0, context, node), context),
  column_ifexists: columnIfExists,
  columnifexists: columnIfExists,
  iscolumnexists: (node, args, context) =>
    constant(
      context.row?.has(constantText(need(args, 0, context, node), context)) === true,
      'bool',
    ),
  column_names_of: columnNames,
  estimate_data_size: dataSize,
  bin_auto: binAuto,
  pack_all: packAll,
  bag_pack_columns: packColumns,
  ingestion_time: ingestionTime,
  extract,
  extractjson: extractJson,
  extract_json: extractJson,
  extract_all: withRegex(0),
  extractall: withRegex(0),
  countof: countOf,
  percentile_tdigest: percentileOf,
  replace: withRegex(0),
  replace_regex: withRegex(1),
  trim: withRegex(0),
  trim_start: withRegex(0),
  trim_end: withRegex(0),
  indexof_regex: withRegex(1),
  isempty: (node, args, context) =>
    isEmpty(context.lowering.expr(need(args, 0, context, node), context)),
  isnotempty: (node, args, context) =>
    not(isEmpty(context.lowering.expr(need(args, 0, context, node), context))),
  notempty: (node, args, context) =>
    not(isEmpty(context.lowering.expr(need(args, 0, context, node), context))),
  isnull: (node, args, context) =>
    isNull(context.lowering.expr(need(args, 0, context, node), context)),
  isnotnull: (node, args, context) =>
    not(isNull(context.lowering.expr(need(args, 0, context, node), context))),
  notnull: (node, args, context) =>
    not(isNull(context.lowering.expr(need(args, 0, context, node), context))),
  database: (node, __, context) =>
    refuse('HR407', { what: node.text.slice(0, 60) }, context.lowering.place(node)),
  current_database: () => text('harrier'),
  current_cluster_endpoint: () => text(''),
  assert: (node, args, context) => {
    const test = context.lowering.expr(need(args, 0, context, node), context)
    return test.op === 'const' && test.value === true ? test : cast(and([test]), 'bool')
  },
}

function isEmpty(value: Expr): Expr {
  return call('value.is_empty', [value.type === 'null' ? NULL : value])
}

/** A text is never null. */
function isNull(value: Expr): Expr {
  return value.type === 'text' ? constant(false, 'bool') : call('value.is_missing', [value])
}

/** Names of the scalar functions that are lowered by code of their own. */
export const SPECIAL_NAMES: readonly string[] = Object.keys(SPECIALS)

/** True for a scalar function that queries may call. */
export function isKnownFunction(name: string): boolean {
  const record = functionsSpelled('kusto').get(name.toLowerCase())
  return Object.hasOwn(SPECIALS, name) || (record !== undefined && !record.aggregate)
}

/**
 * The command `foreach`: commands are run for each of the fields that patterns mean, with its name in them, or an `eval`
 * for each of the values of one field.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, number, texts } from '../../ir/expr.ts'
import type { Binding, Rel } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { type Assignment, readAssignments } from './fieldcommands.ts'
import { Options } from './options.ts'
import { Reader } from './reader.ts'
import { Refusal, refuse } from './refusal.ts'
import {
  asList,
  asText,
  asType,
  commonType,
  derived,
  fieldValue,
  nameParts,
  namesMeant,
  type Rows,
  storable,
} from './rows.ts'
import { where } from './statscommands.ts'

const OPTIONS = {
  mode: ['multifield', 'multivalue', 'json_array'],
  itemstr: 'text',
  fieldstr: 'text',
  matchstr: 'text',
  matchseg1: 'text',
  matchseg2: 'text',
  matchseg3: 'text',
} as const

/** True for the modes that go over the values of one field. */
const overItems = (options: Options): boolean =>
  options.has('mode') && options.word('mode') !== 'multifield'

interface ForeachNode {
  readonly patterns: readonly string[]
  readonly template: string
  readonly span: Span
  readonly options: Options
}

function readForeach(reader: Reader): ForeachNode {
  const options = new Options(OPTIONS)
  const patterns: string[] = []
  let template: { readonly text: string; readonly span: Span } | undefined
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    if (reader.peek()?.kind !== 'search') patterns.push(reader.name().name)
    else template = reader.next()
  }
  if (template === undefined || patterns.length === 0) {
    return reader.fail('foreach needs the names of fields and commands in brackets')
  }
  const [pattern = ''] = patterns
  if (overItems(options) && (patterns.length !== 1 || pattern.includes('*'))) {
    reader.fail(`foreach with mode=${options.text('mode')} takes the name of one field`)
  }
  return { patterns, template: template.text, span: template.span, options }
}

/** A name that stands in the text of commands as it is; data may have chosen it. */
const isPlain = (name: string): boolean => !/["'`|[\]\\]/.test(name)

/** The commands for one field: the words in angle brackets stand for its name and the parts that stars mean. */
function filled(
  { template, options }: ForeachNode,
  name: string,
  parts: readonly string[],
): string {
  const segments = parts.slice(0, 3).map((each, at) => [`matchseg${at + 1}`, each] as const)
  const words: readonly (readonly [string, string])[] = [
    ['fieldstr', name],
    ['matchstr', parts.join('')],
    ...segments,
  ]
  const standIn = (word: string): string =>
    options.text(word) ?? `<<${word === 'fieldstr' ? 'FIELD' : word.toUpperCase()}>>`
  const values = new Map(words.map(([word, value]) => [standIn(word), value]))
  const any = [...values.keys()].map((each) => each.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
  return template.replace(new RegExp(any.join('|'), 'g'), (found, at: number) => {
    const value = values.get(found) ?? ''
    const isWhole = found === standIn('fieldstr')
    // A name that is no word needs quotes in an expression; inside of quotes it stands as it is.
    const isQuoted =
      /['"\w]/.test(template[at - 1] ?? '') || /['"\w]/.test(template[at + found.length] ?? '')
    return isWhole && !isQuoted && !/^[A-Za-z_]\w*$/.test(value) ? `'${value}'` : value
  })
}

/** Names of the fields that an expression reads. */
function readBy(expr: EvalExpr, into: Set<string>): ReadonlySet<string> {
  if (expr.kind === 'field') into.add(expr.name)
  else if (expr.kind === 'call') for (const each of expr.args) readBy(each, into)
  else if (expr.kind === 'unary') readBy(expr.of, into)
  else if (expr.kind === 'in') for (const each of [expr.of, ...expr.list]) readBy(each, into)
  else if (expr.kind === 'binary') for (const each of [expr.left, expr.right]) readBy(each, into)
  return into
}

/** The assignments of a template that is one `eval`; undefined for others. */
function assignmentsOf(text: string): readonly Assignment[] | undefined {
  const start = /^\s*(?:\|\s*)?eval\s/i.exec(text)
  if (start === null) return undefined
  try {
    const reader = new Reader(text, { start: start[0].length, end: text.length }, 'eval')
    const list = readAssignments(reader)
    return reader.isDone ? list : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * Assignments one after another, but in as few steps as can be: those that do not read what others of the step set
 * are made at once, for the engine bears only so many queries within each other.
 */
function assigned(rows: Rows, list: readonly Assignment[], context: Context): Rows {
  let made = rows
  let open: Binding[] = []
  const flush = (): void => {
    made = derived(made, open)
    open = []
  }
  for (const { name, value, span } of list) {
    const reads = readBy(value, new Set([name]))
    if (open.some((each) => reads.has(each.name))) flush()
    open.push({ name, value: storable(context.evaluate(value, made), span) })
  }
  flush()
  return made
}

/** What is refused in filled commands is refused at the brackets, since their own text is nowhere to be seen. */
function placed<T>(span: Span, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Refusal({ ...error.diagnostic, span })
  }
}

function repeated(node: ForeachNode, rows: Rows, context: Context): Rows {
  const { patterns, span } = node
  const runs = patterns.flatMap((pattern) =>
    namesMeant(rows, [pattern])
      .filter((name) => pattern.includes('*') || rows.fields.has(name))
      .map((name) => ({
        name,
        parts: pattern.includes('*') ? (nameParts(pattern, name) ?? []) : [],
      })),
  )
  const odd = runs.find(({ name }) => !isPlain(name))
  if (odd !== undefined) {
    refuse('HR507', { what: 'foreach over a field with quotes or brackets in its name' }, span)
  }
  const texts = runs.map(({ name, parts }) => filled(node, name, parts))
  const lists = texts.map(assignmentsOf)
  if (lists.every((each) => each !== undefined)) {
    return placed(span, () => assigned(rows, lists.flat(), context))
  }
  return texts.reduce(
    (each, text) => context.inner(/^\s*\|/.test(text) ? text : `| ${text}`, each, span),
    rows,
  )
}

/** The name of the field that holds one of the values while an expression is read. */
const itemName = (place: number): string => `<<ITEM>>${place}`

/** The values of the one field: its own, or those of the JSON list that it holds. */
function itemsOf({ patterns: [name = ''], options }: ForeachNode, rows: Rows): Expr {
  const value = fieldValue(rows, name)
  return options.word('mode') === 'multivalue'
    ? asList(value)
    : call('spread.path', [asText(value), texts(['{}'])], { list: 'text' })
}

/** How many values a row has at most. */
function mostItems(items: Expr, rows: Rows, span: Span, context: Context): number {
  const [column, shown] = [context.hidden('c'), context.hidden('c')]
  const count = call('mv.count', [items], 'int')
  const greatest: Rel = {
    op: 'aggregate',
    from: rows.rel,
    by: [],
    into: [{ name: column, fn: 'win.max', args: [count], type: 'int' }],
  }
  const value = call('eval.text', [field(column, 'int')], 'text')
  const rel: Rel = { op: 'select', from: greatest, keep: [{ name: shown, value }] }
  const [found = ''] = context.discover('items', rel, span)
  return Number(found)
}

/** The assignments of the template, once for each value of the field that a row has. */
function itemized(node: ForeachNode, rows: Rows, context: Context): Rows {
  const { template, options, span } = node
  const sign = options.text('itemstr') ?? '<<ITEM>>'
  const parts = template.split(sign)
  const quoted = parts.some(
    (each, at) => at < parts.length - 1 && /["']$/.test(each) && /^["']/.test(parts[at + 1] ?? ''),
  )
  if (quoted) refuse('HR507', { what: `${sign} in quotes` }, span)
  const list = itemsOf(node, rows)
  const column = context.hidden('l')
  const held = derived(rows, [{ name: column, value: list }])
  const items = field(column, list.type)
  const most = mostItems(list, rows, span, context)
  if (most > limits.foreachItems) {
    const [what, size] = ['the number of values', `${most} in one row`]
    refuse('HR517', { what, size, limit: limits.foreachItems }, span)
  }
  // Without any value the template is read all the same, so that what is wrong with it is told.
  const places = Array.from({ length: Math.max(most, 1) }, (_, at) => at + 1)
  const set = places.map((place): Binding => {
    const value = call('mv.at_place', [items, number(place)], 'text')
    return { name: itemName(place), value }
  })
  const made = places.reduce(
    (before, place) => {
      const assignments = assignmentsOf(parts.join(`'${itemName(place)}'`))
      if (assignments === undefined) {
        const what = `foreach with mode=${options.text('mode')} over anything but one eval`
        return refuse('HR507', { what }, span)
      }
      const isThere = call('compare.less_or_equal', [
        number(place),
        call('mv.count', [items], 'int'),
      ])
      return placed(span, () =>
        assignments.reduce((each, { name, value }) => {
          const next = storable(context.evaluate(value, each))
          return derived(each, [{ name, value: chosenBy(isThere, next, fieldValue(each, name)) }])
        }, before),
      )
    },
    derived(held, set),
  )
  const fields = new Map(made.fields)
  for (const { name } of set) fields.delete(name)
  return { ...made, fields }
}

/** A new value where a condition holds, or else the old one. */
function chosenBy(condition: Expr, next: Expr, old: Expr): Expr {
  if (old.type === 'null') return where(condition, next)
  const type = commonType([next.type, old.type])
  const [first, second] = [asType(next, type), asType(old, type)]
  return call('eval.case', [condition, first, second], type)
}

const foreach = command<ForeachNode>({
  name: 'foreach',
  says: 'Runs commands for each of the fields that patterns mean, where <<FIELD>> stands for its name, or an eval for each value of one field, where <<ITEM>> stands for it.',
  kind: 'streaming',
  options: OPTIONS,
  read: readForeach,
  lower: (node, rows, context) =>
    overItems(node.options) ? itemized(node, rows, context) : repeated(node, rows, context),
})

export const foreachCommands: readonly CommandRecord[] = [foreach]

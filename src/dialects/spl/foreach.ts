/** The command `foreach`: commands are run for each of the fields that patterns mean, with its name in them. */
import type { Span } from '../../core/span.ts'
import type { Binding } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { type Assignment, readAssignments } from './fieldcommands.ts'
import { Options } from './options.ts'
import { Reader } from './reader.ts'
import { Refusal, refuse } from './refusal.ts'
import { derived, nameParts, namesMeant, type Rows, storable } from './rows.ts'

const OPTIONS = {
  mode: ['multifield', 'multivalue', 'json_array'],
  fieldstr: 'text',
  matchstr: 'text',
  matchseg1: 'text',
  matchseg2: 'text',
  matchseg3: 'text',
} as const

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
  const mode = options.given('mode')
  if (mode !== undefined && mode.text.toLowerCase() !== 'multifield') {
    refuse('HR507', { what: `foreach over the values of one field (mode=${mode.text})` }, mode.span)
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
  const start = /^\s*\|?\s*eval\s/i.exec(text)
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

const foreach = command<ForeachNode>({
  name: 'foreach',
  says: 'Runs commands for each of the fields that patterns mean; <<FIELD>> stands for its name.',
  kind: 'streaming',
  options: OPTIONS,
  read: readForeach,
  lower: repeated,
})

export const foreachCommands: readonly CommandRecord[] = [foreach]

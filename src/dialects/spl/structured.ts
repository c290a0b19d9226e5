/**
 * Commands that make fields of what a text holds: `spath`, `fromjson`, `tojson`, `xmlkv`, `extract`. Which fields there
 * are hangs on the data, so their names are looked for in it first.
 */
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { and, call, type Expr, field, number, text, texts } from '../../ir/expr.ts'
import type { Binding, Rel } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { enginePattern } from './evaluating.ts'
import { fixed, idle, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asList, asText, derived, fieldValue, namesMeant, type Rows } from './rows.ts'

const LIST = { list: 'text' } as const

/** Names that data must not give to fields: those of the plan, and those that Splunk keeps for itself. */
const isOpen = (name: string): boolean => name !== '' && !/^[@_]|\p{Cc}/u.test(name)

interface Spreading {
  readonly label: string
  readonly span: Span
  readonly named?: (name: string) => string
}

/** Rows with the fields of a list of fields; a field that a row does not name stays as it was. */
function spread(
  rows: Rows,
  fields: Expr,
  { label, span, named = (name) => name }: Spreading,
  context: Context,
): Rows {
  const column = context.hidden('f')
  const name = context.hidden('n')
  const held = derived(rows, [{ name: column, value: fields }])
  const list = field(column, LIST)
  const rel = {
    op: 'aggregate',
    from: {
      op: 'expand',
      from: held.rel,
      list: call('spread.names', [list], LIST),
      as: name,
    },
    by: [{ name, value: field(name, 'text') }],
    into: [],
  } as const
  const found = context.discover(
    label,
    { op: 'limit', from: rel, rows: 2 * limits.spreadFields + 1 },
    span,
  )
  const names = found.filter((each) => !each.endsWith('*') && isOpen(named(each)))
  if (names.length > limits.spreadFields) {
    const size = `more than ${limits.spreadFields}`
    refuse('HR517', { what: 'the number of fields', size, limit: limits.spreadFields }, span)
  }
  const several = new Set(
    found.filter((each) => each.endsWith('*')).map((each) => each.slice(0, -1)),
  )
  const set = [...names].sort().map((each): Binding => {
    const values = call('spread.values', [list, text(each)], LIST)
    const old = fieldValue(rows, named(each))
    const isSeveral = several.has(each) || typeof old.type === 'object'
    const value = isSeveral ? values : call('mv.first', [values], 'text')
    if (old.type === 'null') return { name: named(each), value }
    const before = isSeveral ? asList(old) : asText(old)
    return { name: named(each), value: call('eval.coalesce', [value, before], value.type) }
  })
  return derived(held, set)
}

const SPATH_OPTIONS = { input: 'text', output: 'text', path: 'text' } as const

interface SpathNode {
  readonly input: string
  readonly output?: string
  readonly path?: string
  readonly span: Span
}

function readSpath(reader: Reader): SpathNode {
  const options = new Options(SPATH_OPTIONS)
  const whole = { start: reader.at, end: reader.end }
  let path: string | undefined
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    if (path !== undefined) reader.fail('spath takes one path')
    path = reader.name('a path').name
  }
  const way = options.text('path') ?? path
  const output = options.text('output')
  if (output !== undefined && way === undefined) reader.fail('spath needs a path for output=')
  return {
    input: options.text('input') ?? '_raw',
    ...(output === undefined ? {} : { output }),
    ...(way === undefined ? {} : { path: way }),
    span: options.given('path')?.span ?? whole,
  }
}

/** The steps of a path: names, `{}`, `{2}`, and `{@name}` for an attribute of XML. */
function checkPath(path: string, span: Span): void {
  const step = /\.?[^.{}]+|\{(?:[1-9]\d{0,5}|@[^{}]+)?\}/g
  const steps = path.match(step) ?? []
  const isWhole = steps.join('') === path && !path.startsWith('.')
  const isDotted = steps.every((each, at) => at === 0 || /^[.{]/.test(each))
  if (!isWhole || !isDotted || steps.length === 0 || steps.length > MOST_STEPS) {
    refuse('HR509', { message: `"${path}" is no path of spath` }, span)
  }
}

/** Steps of a path that are followed. */
const MOST_STEPS = 32

/** True where a row has several values at a path without braces: XML repeats elements, JSON does not. */
function repeats(rows: Rows, subject: Expr, values: Expr, span: Span, context: Context): boolean {
  const where = and([
    call('logic.holds', [call('eval.match', [subject, text('^\\s*<')])]),
    call('logic.holds', [
      call('compare.less_or_equal', [number(2), call('mv.count', [values], 'int')]),
    ]),
  ])
  const rel: Rel = {
    op: 'select',
    from: { op: 'limit', from: { op: 'filter', from: rows.rel, where }, rows: 1 },
    keep: [{ name: context.hidden('c'), value: text('several') }],
  }
  return context.discover('several', rel, span).length > 0
}

/** The whole of a field: what it is read from. */
const subjectOf = (rows: Rows, name: string): Expr => asText(fieldValue(rows, name))

const spath = command<SpathNode>({
  name: 'spath',
  says: 'Makes fields of what JSON or XML in a field holds: all of it, or what lies at a path.',
  kind: 'streaming',
  options: SPATH_OPTIONS,
  read: readSpath,
  lower: ({ input, output, path, span }, rows, context) => {
    const subject = subjectOf(rows, input)
    if (fieldValue(rows, input).type === 'null') return rows
    if (path !== undefined) {
      checkPath(path, span)
      const values = call('mv.spath', [subject, text(path)], LIST)
      const name = output ?? path
      const isSeveral = path.includes('{}') || repeats(rows, subject, values, span, context)
      const made = isSeveral ? values : call('mv.first', [values], 'text')
      const old = fieldValue(rows, name)
      const before = isSeveral ? asList(old) : asText(old)
      const value = old.type === 'null' ? made : call('eval.coalesce', [made, before], made.type)
      return derived(rows, [{ name, value }])
    }
    const isXml = call('eval.match', [subject, text('^\\s*<')])
    const none: Expr = { op: 'const', value: null, type: 'text' }
    const document = call(
      'parse.xml',
      [call('eval.case', [isXml, subject, none], 'text')],
      'dynamic',
    )
    const fields = call(
      'mv.append',
      [call('spread.json', [subject], LIST), call('spread.xml', [document], LIST)],
      LIST,
    )
    return spread(rows, fields, { label: 'spath', span }, context)
  },
})

interface SourceNode {
  readonly field: string
  readonly options: Options
  readonly span: Span
}

function readSource(reader: Reader, options: Options, otherwise?: string): SourceNode {
  const span = { start: reader.at, end: reader.end }
  let name: string | undefined
  while (!reader.isDone) {
    if (options.take(reader)) continue
    if (name !== undefined) reader.fail(`${reader.command} takes one field`)
    name = reader.name().name
  }
  const source = name ?? otherwise
  if (source === undefined) return reader.fail(`${reader.command} needs the name of a field`)
  return { field: source, options, span }
}

const FROMJSON_OPTIONS = { prefix: 'text' } as const

const fromjson = command<SourceNode>({
  name: 'fromjson',
  says: 'Makes fields of the members of a JSON object in a field.',
  kind: 'streaming',
  options: FROMJSON_OPTIONS,
  read: (reader) => readSource(reader, new Options(FROMJSON_OPTIONS)),
  lower: ({ field: name, options, span }, rows, context) => {
    const prefix = options.text('prefix') ?? ''
    const fields = call('spread.members', [subjectOf(rows, name)], LIST)
    return spread(
      rows,
      fields,
      { label: 'fromjson', span, named: (each) => `${prefix}${each}` },
      context,
    )
  },
})

const XMLKV_OPTIONS = {
  maxinputs: idle('count', 'it is about how Splunk divides its work'),
} as const

const xmlkv = command<SourceNode>({
  name: 'xmlkv',
  says: 'Makes fields of the elements of XML in a field, by the names of their tags.',
  kind: 'streaming',
  options: XMLKV_OPTIONS,
  read: (reader) => readSource(reader, new Options(XMLKV_OPTIONS), '_raw'),
  lower: ({ field: name, span }, rows, context) =>
    spread(
      rows,
      call('spread.tags', [subjectOf(rows, name)], LIST),
      { label: 'xmlkv', span },
      context,
    ),
})

const EXTRACT_OPTIONS = {
  pairdelim: 'text',
  kvdelim: 'text',
  reload: idle('flag', 'there are no files of settings to read again'),
  segment: idle('flag', 'the places of pairs are not kept'),
  limit: 'count',
  maxchars: 'count',
  mv_add: 'flag',
  clean_keys: 'flag',
} as const

/** How many pairs are taken, and how many characters looked at, where the search does not say. */
const MOST_PAIRS = 50
const LOOKED_AT = 10_240

const flag = (value: boolean): Expr => ({ op: 'const', value, type: 'bool' })

const classOf = (characters: string): string => characters.replace(/[\\\]^-]/g, '\\$&')

/** A pattern that finds pairs of a name and a value. */
function pairPattern(options: Options): string {
  const between = classOf(options.text('kvdelim') ?? '=')
  const behind = classOf(options.text('pairdelim') ?? ' \t\n\r,;|&')
  return `([A-Za-z_][\\w.{}-]*)\\s*[${between}]\\s*(?:"([^"]*)"|([^"${behind}${between}][^${behind}]*))`
}

function readExtract(reader: Reader): SourceNode {
  const options = new Options(EXTRACT_OPTIONS)
  const span = { start: reader.at, end: reader.end }
  options.takeAll(reader)
  if (!reader.isDone) {
    refuse('HR507', { what: 'an extraction of transforms.conf in extract' }, reader.peek()?.span)
  }
  return { field: '_raw', options, span }
}

const extractAs = (name: 'extract' | 'kv'): CommandRecord =>
  command<SourceNode>({
    name,
    says: 'Makes fields of pairs such as user=ann in the text of events.',
    kind: 'streaming',
    options: EXTRACT_OPTIONS,
    read: readExtract,
    lower: ({ field: source, options, span }, rows, context) => {
      const pattern = enginePattern(pairPattern(options), span)
      const looked = options.number('maxchars', LOOKED_AT)
      const start = call(
        'eval.substr',
        [subjectOf(rows, source), number(1), number(looked)],
        'text',
      )
      const fields = call(
        'spread.pairs',
        [
          start,
          text(pattern),
          number(options.number('limit', MOST_PAIRS)),
          flag(options.flag('mv_add', false)),
          flag(options.flag('clean_keys', true)),
        ],
        LIST,
      )
      return spread(rows, fields, { label: 'extract', span }, context)
    },
  })

const TOJSON_OPTIONS = {
  output_field: 'text',
  default_type: ['none', 'str', 'auto', 'bool', 'json', 'num'],
  fill_null: fixed('flag', 'false'),
  include_internal: 'flag',
} as const

/** The types of values in `tojson` that are written here: as they are, and as texts. */
const isWritten = (type: string): boolean => type === 'none' || type === 'str'

interface TojsonNode {
  /** Names and patterns, with the type that their values are written as. */
  readonly names: readonly { readonly name: string; readonly type: string }[]
  readonly output: string
  readonly hasInternal: boolean
}

function readTojson(reader: Reader): TojsonNode {
  const options = new Options(TOJSON_OPTIONS)
  const named: { readonly name: string; readonly type?: string }[] = []
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    const { name, span } = reader.name()
    if (!reader.take('(')) {
      named.push({ name })
      continue
    }
    const type = name.toLowerCase()
    if (!isWritten(type)) refuse('HR507', { what: `${name}() in tojson` }, span)
    named.push(...reader.names().map((each) => ({ name: each.name, type })))
    reader.expect(')')
  }
  const usual = options.word('default_type') ?? 'none'
  if (!isWritten(usual)) {
    const what = `default_type=${usual} in tojson`
    refuse('HR507', { what }, options.given('default_type')?.span)
  }
  const all = named.length === 0 ? [{ name: '*' }] : named
  return {
    names: all.map((each) => ({ type: usual, ...each })),
    output: options.text('output_field') ?? '_raw',
    hasInternal: options.flag('include_internal', false),
  }
}

const tojson = command<TojsonNode>({
  name: 'tojson',
  says: 'Writes the fields of a row as a JSON object into a field.',
  kind: 'streaming',
  options: TOJSON_OPTIONS,
  read: readTojson,
  lower: ({ names, output, hasInternal }, rows) => {
    const meant = new Map(
      names.flatMap(({ name, type }) =>
        namesMeant(rows, name === '*' && hasInternal ? ['*', '_*'] : [name]).map(
          (each) => [each, type] as const,
        ),
      ),
    )
    const parts = [...meant].map(([name, type]) => {
      const value = fieldValue(rows, name)
      return type === 'str' && !isList(value.type) ? asText(value) : value
    })
    return derived(rows, [
      { name: output, value: call('row.json', [texts([...meant.keys()]), ...parts], 'text') },
    ])
  },
})

export const structuredCommands: readonly CommandRecord[] = [
  spath,
  fromjson,
  tojson,
  xmlkv,
  extractAs('extract'),
  extractAs('kv'),
]

/**
 * `externaldata` from files that the user gave for its addresses. The address is only looked up among those: nothing is
 * fetched, and no path of a query is opened. Cells are texts that become values by the conversions of the language.
 */

import { CsvError, csvRows } from '../../core/csv.ts'
import { diagnose } from '../../core/diagnostic.ts'
import { readJsonNode } from '../../core/jsonnode.ts'
import { limits } from '../../core/limits.ts'
import { textOf, type YamlNode } from '../../core/yaml.ts'
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Column, Node } from './adapter.ts'
import type { KustoPin } from './answer.ts'
import { listedRows } from './rows.ts'
import { type Context, cast, MISSING_INPUT, type Rowset, refuse, selected } from './scope.ts'

/** Text of each cell; undefined where a record has none. For a `dynamic` column it is JSON. */
type Cells = readonly (string | undefined)[]

interface Reading {
  readonly columns: readonly Column[]
  readonly properties: ReadonlyMap<string, string>
}

type Format = (text: string, reading: Reading) => Iterable<Cells>

const separated =
  (separator: string): Format =>
  (text) =>
    csvRows(text, separator)

function* lines(text: string): Generator<Cells> {
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    const next = end === -1 ? text.length : end
    const line = text.slice(at, next).replace(/\r$/, '')
    if (line !== '') yield [line]
    at = next + 1
  }
}

/** Where each of the JSON values of a text stands: one after the other, with blanks or commas between them. */
function* valueSpans(text: string): Generator<{ readonly start: number; readonly end: number }> {
  let depth = 0
  let start = -1
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      if (depth === 0) throw new CsvError('a record of JSON is an object')
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (char === '{' || char === '[') {
      if (depth++ === 0) start = at
    } else if (char === '}' || char === ']') {
      if (--depth < 0) throw new CsvError(`"${char}" is not expected`)
      if (depth === 0) yield { start, end: at + 1 }
    } else if (depth === 0 && !/[\s,\ufeff]/.test(char ?? '')) {
      throw new CsvError('a record of JSON is an object')
    }
  }
  if (depth > 0) throw new CsvError('the last record is not closed')
}

function* objectsOf(text: string): Generator<YamlNode> {
  for (const span of valueSpans(text)) {
    const { node, diagnostics } = readJsonNode(text, span)
    if (node === undefined) throw new CsvError(diagnostics[0]?.message ?? 'it is no JSON')
    if (node.kind === 'list') yield* node.items
    else yield node
  }
}

/** The keys of a path such as `$.a['b']`; undefined for paths that do more. */
function keysOf(path: string): readonly string[] | undefined {
  if (!/^\$(?:\.[\w-]{1,200}|\['[^']{1,200}'\]){0,20}$/.test(path)) return undefined
  return [...path.matchAll(/\.([\w-]+)|\['([^']+)'\]/g)].map(([, a, b]) => a ?? b ?? '')
}

/** For each column the keys that lead to its value: by the mapping of the query, or its own name. */
function pathsOf({ columns, properties }: Reading): readonly (readonly string[])[] {
  const mapping = properties.get('ingestionmapping')
  if (mapping === undefined) return columns.map(({ name }) => [name])
  const { node } = readJsonNode(mapping)
  if (node?.kind !== 'list') throw new CsvError('its mapping is no list')
  const known = new Map<string, readonly string[] | undefined>()
  for (const each of node.items) {
    const get = (from: YamlNode | undefined, key: string): YamlNode | undefined =>
      from?.kind === 'map'
        ? from.entries.find((entry) => entry.key.toLowerCase() === key)?.value
        : undefined
    const name = get(each, 'column')
    const path = get(get(each, 'properties'), 'path') ?? get(each, 'path')
    if (name !== undefined && path !== undefined) {
      known.set(textOf(name) ?? '', keysOf(textOf(path) ?? ''))
    }
  }
  return columns.map(({ name }) => {
    const keys = known.get(name)
    if (known.has(name) && keys === undefined)
      throw new CsvError(`the path of ${name} is no plain one`)
    return keys ?? [name]
  })
}

function cellOf(text: string, node: YamlNode | undefined, { type }: Column): string | undefined {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return undefined
  const { start, end } = node.span
  if (node.kind !== 'scalar') return text.slice(start, end)
  if (!node.quoted) return node.text
  return type === 'dynamic' ? JSON.stringify(node.text) : node.text
}

function* records(text: string, reading: Reading): Generator<Cells> {
  const paths = pathsOf(reading)
  for (const object of objectsOf(text)) {
    yield reading.columns.map((column, index) => {
      let found: YamlNode | undefined = object
      for (const key of paths[index] ?? []) {
        found =
          found?.kind === 'map'
            ? found.entries.find((entry) => entry.key === key)?.value
            : undefined
      }
      return cellOf(text, found, column)
    })
  }
}

const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['csv', separated(',')],
  ['tsv', separated('\t')],
  ['psv', separated('|')],
  ['scsv', separated(';')],
  ['sohsv', separated('\u0001')],
  ['txt', lines],
  ['raw', (text) => [[text]]],
  ['json', records],
  ['jsonl', records],
  ['multijson', records],
  ['singlejson', records],
])

/** The format that a query names, or else that of the ending of the address; without any it is CSV. */
function formatOf(address: string, file: string, properties: ReadonlyMap<string, string>): string {
  const named = properties.get('format')
  if (named !== undefined) return named.toLowerCase()
  const endings = [address, file].map(
    (each) =>
      /\.(\w{1,10})(?:\.(?:gz|zip|zst))?$/i
        .exec(each.replace(/[?#].*$/s, ''))?.[1]
        ?.toLowerCase() ?? '',
  )
  return endings.find((each) => FORMATS.has(each)) ?? 'csv'
}

/** The properties after `with`, by their names in lower case. */
function propertiesOf(node: Node): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const each of node.maybe('WithClause')?.walk() ?? []) {
    if (each.kind !== 'NamedParameter') continue
    const value = each.child('Expression')
    const isText = /StringLiteralExpression$/.test(value.kind)
    found.set(each.child('Name').text.toLowerCase(), isText ? value.literalText : value.text)
  }
  return found
}

/** The address alone: what stands behind it may hold a key. */
export function plainAddress(text: string): string {
  return text.replace(/;.*$/s, '').trim()
}

/** A text as a value of a column. */
function typedValue(text: Expr, { type }: Column): Expr {
  return type === 'dynamic' ? call('dyn.parse', [text], 'dynamic') : cast(text, type)
}

/** The rows of `externaldata`; refused when the user gave no file for one of its addresses. */
export function externalRows(node: Node, pins: readonly KustoPin[], context: Context): Rowset {
  const { columns } = node
  const place = context.lowering.place(node)
  const properties = propertiesOf(node)
  const skipped = properties.get('ignorefirstrecord')?.toLowerCase() === 'true' ? 1 : 0
  const rows: string[][] = []
  for (const uri of node.items('URIs')) {
    const address = plainAddress(uri.literalText)
    const pin = pins.find((each) => each.address === address)
    if (pin === undefined) {
      const url = address.slice(0, 200)
      context.lowering.notice(diagnose('HR430', { url }, place))
      const table = { kind: 'view', name: `${MISSING_INPUT}${url}` } as const
      return { rel: { op: 'scan', table, time: {}, out: columns }, columns, order: [], by: [] }
    }
    const name = formatOf(address, pin.file, properties)
    const format = FORMATS.get(name)
    if (format === undefined) {
      const what = `the format ${name.slice(0, 20)} of externaldata`
      return refuse('HR407', { what }, place)
    }
    const problem = (reason: string) =>
      refuse('HR482', { file: pin.file, format: name, reason }, place)
    try {
      let index = 0
      for (const cells of format(pin.text, { columns, properties })) {
        if (index++ < skipped) continue
        if (rows.length >= limits.externalRows) {
          return problem(`it has more than ${limits.externalRows} rows`)
        }
        rows.push(columns.map((_, at) => cells[at] ?? ''))
      }
    } catch (error) {
      if (error instanceof CsvError) return problem(error.message)
      throw error
    }
  }
  const stored = columns.map((): Column => ({ name: context.lowering.hidden('x'), type: 'text' }))
  const listed = listedRows(stored, rows, context)
  return selected(
    listed,
    columns,
    columns.map((each, at) => typedValue(field(stored[at]?.name ?? '', 'text'), each)),
  )
}

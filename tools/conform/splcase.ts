/**
 * Recorded cases of SPL: a search, the rows it starts with, what it may look up, and the rows it gives. Takes one case
 * of the file and the data sets that cases share; events that are objects become fields as Splunk names them.
 */
import type { CaseBase } from './record.ts'

type Json = Readonly<Record<string, unknown>>

/** The value of a field: a text, or several. A field that is missing is not there. */
export type SplValue = string | readonly string[]
export type SplRow = ReadonlyMap<string, SplValue>

export interface SplLookup {
  readonly name: string
  readonly fields: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly options: Json
}

export interface SplMacro {
  readonly name: string
  readonly args: readonly string[]
  readonly definition: string
}

export interface SplCase extends CaseBase {
  readonly confidence: string
  /** The rows that the search begins with; none where it names an index. */
  readonly rows?: readonly SplRow[]
  readonly indexes: ReadonlyMap<string, readonly SplRow[]>
  readonly macros: readonly SplMacro[]
  readonly lookups: readonly SplLookup[]
  readonly timezone: string
  readonly expected: readonly SplRow[]
  /** The columns of the result in order, where the record says them. */
  readonly columns?: readonly string[]
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const textsOf = (value: unknown): readonly string[] => listOf(value).map(textOf)

/** Values by the path that Splunk gives them: `a.b` in objects, `a{}` in lists. */
function leaves(value: unknown, path: string, found: Map<string, string[]>): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) {
    for (const each of value) leaves(each, `${path}{}`, found)
  } else if (isObject(value)) {
    for (const [key, each] of Object.entries(value)) {
      leaves(each, path === '' ? key : `${path}.${key}`, found)
    }
  } else {
    const known = found.get(path)
    if (known === undefined) found.set(path, [String(value)])
    else known.push(String(value))
  }
}

/** A row that is written as Splunk's fields: a list is a field with several values. */
function plainRow(given: Json): SplRow {
  const row = new Map<string, SplValue>()
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value)) row.set(name, value.map(String))
    else if (value !== null && value !== undefined) row.set(name, String(value))
  }
  return row
}

/** An event that is written as JSON. */
function eventRow(given: Json): SplRow {
  const found = new Map<string, string[]>()
  leaves(given, '', found)
  return new Map(
    [...found].map(([name, values]) => [
      name,
      name.includes('{}') ? values : (values.at(-1) ?? ''),
    ]),
  )
}

const rowsOf = (value: unknown): readonly SplRow[] => listOf(value).filter(isObject).map(plainRow)

/** The most rows that a case may ask to have made. */
const MOST_MADE = 10_000

function madeRows(given: Json): readonly SplRow[] {
  const count = Math.min(MOST_MADE, Number(given.rows ?? 0))
  const from = Number(given.from ?? 0)
  return Array.from(
    { length: count },
    (_, at) => new Map([[textOf(given.field), String(from + at)]]),
  )
}

/** The events of the data sets of a file by name, under the name of the index that queries read them from. */
function sharedRows(datasets: unknown): ReadonlyMap<string, readonly SplRow[]> {
  const found = new Map<string, readonly SplRow[]>()
  for (const [name, given] of Object.entries(isObject(datasets) ? datasets : {})) {
    const rows = isObject(given) ? given.rows : given
    found.set(name, listOf(rows).filter(isObject).map(eventRow))
  }
  return found
}

/** Data sets of a recorder are named after it (`os_accounts`), the index of the query is not. */
const indexName = (dataset: string): string => dataset.replace(/^os_/, '')

function readMacros(given: unknown): readonly SplMacro[] {
  return Object.entries(isObject(given) ? given : {}).map(([key, macro]) => {
    const { args, definition } = isObject(macro) ? macro : { args: [], definition: macro }
    return {
      name: key.replace(/\(\d+\)$/, ''),
      args: textsOf(args),
      definition: textOf(definition),
    }
  })
}

function readLookups(given: unknown): readonly SplLookup[] {
  return Object.entries(isObject(given) ? given : {}).map(([name, lookup]) => {
    const { fields, rows, ...options } = isObject(lookup) ? lookup : {}
    const columns = textsOf(fields)
    const cells = listOf(rows).map((row): readonly string[] =>
      Array.isArray(row)
        ? row.map(String)
        : columns.map((column) => String((isObject(row) ? row[column] : undefined) ?? '')),
    )
    return { name, fields: columns, rows: cells, options }
  })
}

/** The reader of the cases of one file. */
export function splReader(file: Json): (given: Json) => SplCase {
  const shared = sharedRows(file.datasets)
  return (given) => {
    const { input } = given
    const dataset = isObject(input) ? textOf(input.$dataset) : ''
    const rows = Array.isArray(input)
      ? rowsOf(input)
      : isObject(input) && isObject(input.generate)
        ? madeRows(input.generate)
        : undefined
    const own = isObject(given.datasets) ? given.datasets : {}
    const expected = isObject(given.expected) ? given.expected : {}
    const name = textOf(given.name)
    const parts = name.split('/')
    return {
      name,
      family: parts[0] === 'authored' ? (parts[1] ?? '') : parts.slice(0, -1).join('/'),
      query: textOf(given.query),
      selfContained: true,
      confidence: textOf(given.confidence),
      ...(rows === undefined ? {} : { rows }),
      indexes: new Map([
        ...(dataset === '' ? [] : [[indexName(dataset), shared.get(dataset) ?? []] as const]),
        ...Object.entries(own).map(([index, list]) => [index, rowsOf(list)] as const),
      ]),
      macros: readMacros(given.macros),
      lookups: readLookups(given.lookups),
      timezone: textOf(given.timezone) || 'UTC',
      expected: rowsOf(expected.rows),
      ...(Array.isArray(expected.columns) ? { columns: textsOf(expected.columns) } : {}),
    }
  }
}

/**
 * The formats of recorded-case files, as a table: how each is recognised, and how its cases are read. Takes the parsed
 * file, gives cases; a format whose runner does not exist yet says so.
 */
import { pageCell, tupleRow } from './cells.ts'
import type { RecordedCase, RecordedColumn, RecordedRow } from './record.ts'
import { type SplCase, splReader } from './splcase.ts'

type Json = Readonly<Record<string, unknown>>

export interface Format {
  readonly name: string
  readonly says: string
  /** True for a case of this format. */
  readonly isCase: (given: Json) => boolean
  /** Absent, as `reader` is: the format is known, but nothing runs it yet. */
  readonly read?: (given: Json) => RecordedCase
  /** The reader of SPL cases, which share what else the file holds. */
  readonly reader?: (file: Json) => (given: Json) => SplCase
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const textsOf = (value: unknown): readonly string[] => listOf(value).map(textOf)

/** Types of the engine's recorder, and what each stands for in Kusto's words. */
const COARSE: ReadonlyMap<string, readonly string[]> = new Map([
  ['Bool', ['bool']],
  ['Int', ['int', 'long']],
  ['Long', ['long']],
  ['Real', ['real', 'decimal']],
  ['Double', ['real']],
  ['Decimal', ['decimal']],
  ['String', ['string']],
  ['DateTime', ['datetime']],
  ['TimeSpan', ['timespan']],
  ['Dynamic', ['dynamic']],
  ['Guid', ['guid']],
])

function coarseColumn(written: string): RecordedColumn {
  const at = written.lastIndexOf(':')
  const type = written.slice(at + 1)
  return { name: written.slice(0, at), written: type, types: COARSE.get(type) ?? [type] }
}

/** Results of an engine: coarse types, rows printed as tuples, sometimes only the first few. */
function readEngineCase(given: Json): RecordedCase {
  const columns = textsOf(given.columns).map(coarseColumn)
  const types = columns.map((each) => each.types[0] ?? '')
  const rows = textsOf(given.sampleRows).map(
    (written): RecordedRow => ({ written, readings: tupleRow(written, types) }),
  )
  return {
    name: textOf(given.name),
    family: textOf(given.family),
    query: textOf(given.query),
    columns,
    rows,
    count: typeof given.rowCount === 'number' ? given.rowCount : rows.length,
    ordered: false,
    trimmed: false,
    selfContained: true,
  }
}

/**
 * The part of the language that a page is about: the page's name, or a function that the query uses, says whether it
 * is of the geography, graph or series chapters; otherwise it is the kind of page.
 */
function chapterOf(page: string, used: readonly string[]): string {
  const uses = (pattern: RegExp): boolean => used.some((each) => pattern.test(each))
  if (/^geo-|geospatial/.test(page) || uses(/^geo_/)) return 'geo'
  if (/graph|^node-degree|^shortest-paths/.test(page) || uses(/[Gg]raph/)) return 'graph'
  if (
    /^series-|^time-series|anomal|diffpatterns|autocluster|basket/.test(page) ||
    uses(/^series_/)
  ) {
    return 'series'
  }
  const kind = /-(aggregation-function|function|operator|plugin|statement)(?:#|$)/.exec(page)?.[1]
  return kind ?? 'other'
}

/** Results on pages of a manual: exact types where they are known, cells as the page prints them. */
function readPageCase(given: Json): RecordedCase {
  const expected = isObject(given.expected) ? given.expected : {}
  const uses = isObject(given.uses) ? given.uses : {}
  const name = textOf(given.name)
  const columns = listOf(expected.columns)
    .filter(isObject)
    .map((each): RecordedColumn => {
      const type = textOf(each.type)
      return { name: textOf(each.name), written: type, types: type === '' ? [] : [type] }
    })
  const rows = listOf(expected.rows).map((row): RecordedRow => {
    const cells = textsOf(row)
    const isWhole = cells.length === columns.length
    return {
      written: cells.join(' | '),
      readings: isWhole
        ? [cells.map((cell, at) => pageCell(cell, columns[at]?.types[0] ?? 'string'))]
        : [],
    }
  })
  return {
    name,
    family: chapterOf(name, [...textsOf(uses.functions), ...textsOf(uses.operators)]),
    query: textOf(given.query),
    columns,
    rows,
    count: rows.length,
    ordered: given.ordered === true,
    trimmed: true,
    selfContained: given.selfContained === true,
  }
}

export const formats: readonly Format[] = [
  {
    name: 'kql-engine',
    says: 'Kusto queries with the rows that an engine gave',
    isCase: (given) => Array.isArray(given.sampleRows) && Array.isArray(given.columns),
    read: readEngineCase,
  },
  {
    name: 'spl',
    says: 'SPL queries with input and expected rows',
    isCase: (given) => 'confidence' in given && 'input' in given,
    reader: splReader,
  },
  {
    name: 'kql-pages',
    says: 'Kusto queries of a manual with the tables printed there',
    isCase: (given) => isObject(given.expected) && Array.isArray(given.expected.columns),
    read: readPageCase,
  },
  {
    name: 'sigma-convert',
    says: 'Sigma rules with the queries that another converter gives',
    isCase: (given) => 'backend' in given && 'rule' in given,
  },
  {
    name: 'urls',
    says: 'addresses with the verdict whether they may be fetched',
    isCase: (given) => 'url' in given && 'verdict' in given,
  },
]

export interface CaseFile {
  readonly format: Format
  readonly cases: readonly RecordedCase[]
  readonly searches: readonly SplCase[]
  /** Cases of the file in all, read or not. */
  readonly total: number
}

/** The cases of a parsed file. What is no such file throws, with the reason. */
export function readCases(parsed: unknown): CaseFile {
  const given = isObject(parsed) ? listOf(parsed.cases) : listOf(parsed)
  const cases = given.filter(isObject)
  const [first] = cases
  if (first === undefined || cases.length !== given.length) {
    throw new Error('the file holds no list of cases')
  }
  const format = formats.find((each) => each.isCase(first))
  if (format === undefined) {
    const known = formats.map((each) => each.name).join(', ')
    throw new Error(`the cases are of none of the formats ${known}`)
  }
  const odd = cases.findIndex((each) => !format.isCase(each))
  if (odd !== -1)
    throw new Error(`case ${odd + 1} is not of the format ${format.name} of the first`)
  const { read, reader } = format
  return {
    format,
    cases: read === undefined ? [] : cases.map(read),
    searches: reader === undefined ? [] : cases.map(reader(isObject(parsed) ? parsed : {})),
    total: cases.length,
  }
}

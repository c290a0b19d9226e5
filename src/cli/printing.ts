/**
 * How the values of a query's result are printed: each language has its own words for types and its own texts for
 * values. Takes typed values, gives text for a person, for a cell of CSV and for JSON.
 */
import { instantOfTicks, printInstant } from '../core/time.ts'
import {
  jsonOfValue,
  printValue,
  type ResultColumn,
  typeWord,
  type Value,
} from '../detect/values.ts'
import { isList, type Type } from '../ir/types.ts'

export interface Printing {
  /** What the language calls a type. */
  typeWord(type: Type): string
  /** True for a column of numbers, which stand at the right. */
  isNumber(column: ResultColumn): boolean
  /** For a person. */
  text(value: Value, column: ResultColumn): string
  /** For a cell of CSV. */
  cell(value: Value, column: ResultColumn): string
  json(value: Value, column: ResultColumn): string
}

export const KUSTO_PRINTING: Printing = {
  typeWord,
  isNumber: ({ type }) => ['int', 'long', 'real', 'decimal'].includes(typeWord(type)),
  text: (value, { type }) => printValue(value, type),
  cell: (value, { type }) => printValue(value, type),
  json: (value, { type }) => jsonOfValue(value, type),
}

/** Fields of Splunk's own that hold a time in seconds since 1970. */
const TIMES: ReadonlySet<string> = new Set(['_time', '_indextime'])

/** The time of so many seconds since 1970 as ISO text, with as many digits as it needs; others as they are. */
function timeText(seconds: number): string {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 1e11) return String(seconds)
  const ticks = BigInt(Math.round(seconds * 1e6)) * 10n
  return printInstant(instantOfTicks(ticks)).replace(/\.?0+Z$/, 'Z')
}

/** The values of a field that may have several. */
function valuesOf(value: Value): readonly string[] {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : []
  return Array.isArray(parsed) ? parsed.map(String) : []
}

const isSplNumber = ({ name, type }: ResultColumn): boolean =>
  (type === 'int' || type === 'float') && !TIMES.has(name)

function splText(value: Value, { name, type }: ResultColumn, between: string): string {
  if (value === null) return ''
  if (isList(type)) return valuesOf(value).join(between)
  return typeof value === 'number' && TIMES.has(name) ? timeText(value) : String(value)
}

export const SPL_PRINTING: Printing = {
  typeWord: (type) =>
    isList(type) ? 'multivalue' : type === 'int' || type === 'float' ? 'number' : 'string',
  isNumber: isSplNumber,
  text: (value, column) => splText(value, column, ', '),
  // As Splunk writes them, one value a line.
  cell: (value, column) => splText(value, column, '\n'),
  json(value, { type }) {
    if (value === null) return 'null'
    if (isList(type)) return JSON.stringify(valuesOf(value))
    if (typeof value === 'number' && !Number.isFinite(value)) return 'null'
    return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  },
}

/**
 * Rows of a search by the names of their fields: each field has any number of values, as texts. Times in seconds since
 * 1970 become ISO text.
 */
import { instantOfTicks, parseIso, printInstant } from '../core/time.ts'
import { isList } from '../ir/types.ts'
import type { EventFields } from './finding.ts'
import type { ResultColumn, Value } from './values.ts'

/** Fields of Splunk's own that hold a time in seconds since 1970. */
const TIMES = new Set(['_time', '_indextime'])
/** Fields that tell when a row happened, the surest first; searches that count give the first and last of many events. */
const WHEN = ['_time', 'firstTime', 'first_time', 'earliest_time', 'lastTime', 'last_time']
/** Seconds between 1990 and 2100: other numbers are no times. */
const EARLIEST = 631_152_000
const LATEST = 4_102_444_800

function isoOfSeconds(seconds: number): string | undefined {
  if (!(seconds >= EARLIEST && seconds <= LATEST)) return undefined
  return printInstant(instantOfTicks(BigInt(Math.round(seconds * 1e6)) * 10n))
}

function listOf(text: string): readonly string[] {
  const parsed: unknown = JSON.parse(text)
  return Array.isArray(parsed) ? parsed.map(String) : []
}

/** The rows of one search. */
export class SplRows {
  readonly columns: readonly ResultColumn[]
  readonly #at: ReadonlyMap<string, number>

  constructor(columns: readonly ResultColumn[]) {
    this.columns = columns
    this.#at = new Map(columns.map(({ name }, index) => [name, index]))
  }

  has(name: string): boolean {
    return this.#at.has(name)
  }

  /** The values of a field in a row: none when it is missing. */
  values(row: readonly Value[], name: string): readonly string[] {
    const at = this.#at.get(name)
    const column = at === undefined ? undefined : this.columns[at]
    const value = at === undefined ? null : (row[at] ?? null)
    if (column === undefined || value === null) return []
    if (isList(column.type)) return typeof value === 'string' ? listOf(value) : []
    const time = typeof value === 'number' && TIMES.has(name) ? isoOfSeconds(value) : undefined
    return [time ?? String(value)]
  }

  /** The fields that have a value. */
  event(row: readonly Value[]): EventFields {
    const fields = this.columns.flatMap(({ name }): [string, string | readonly string[]][] => {
      const values = this.values(row, name)
      const [first] = values
      return first === undefined ? [] : [[name, values.length === 1 ? first : values]]
    })
    return Object.fromEntries(fields)
  }

  /** When a row happened, ISO text; undefined when no field of it says so. */
  time(row: readonly Value[]): string | undefined {
    for (const name of WHEN) {
      const [text] = this.values(row, name)
      if (text === undefined) continue
      const seconds = /^\d{9,10}(?:\.\d+)?$/.test(text) ? isoOfSeconds(Number(text)) : undefined
      const instant = parseIso(text) ?? parseIso(`${text}Z`)
      const found = seconds ?? (instant === undefined ? undefined : printInstant(instant))
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * A text in which `$field$` stands for the values of the row, cut to a length. A field that is missing stays as it is
   * written; what is put in is not read again.
   */
  filled(format: string, row: readonly Value[], most: number): string {
    let text = ''
    let from = 0
    for (const { 0: whole, 1: name = '', index } of format.matchAll(/\$([^$\s]{1,256})\$/g)) {
      if (text.length >= most) break
      const values = this.values(row, name)
      const put = values.length === 0 ? whole : values.join(', ').slice(0, most)
      text += format.slice(from, index) + put
      from = index + whole.length
    }
    return (text + format.slice(from, from + most)).slice(0, most)
  }
}

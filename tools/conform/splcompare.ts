/**
 * Compares the rows that a search gave with those recorded: each field as a text, numbers by their value, a field with
 * one value like the value itself. Rows are compared in their order, which Splunk defines for every search.
 */
import { isList } from '../../src/ir/types.ts'
import type { Difference, Given } from './compare.ts'
import { sameNumber } from './compare.ts'
import type { SplCase, SplRow, SplValue } from './splcase.ts'
import { REAL_RELATIVE } from './tolerance.ts'

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** Equal as texts, or as the numbers that both are. `0404` is a text: its first digit would be lost. */
function sameText(a: string, b: string): boolean {
  if (a === b) return true
  return NUMBER.test(a) && NUMBER.test(b) && sameNumber(Number(a), Number(b), REAL_RELATIVE)
}

const valuesOf = (value: SplValue | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value

function sameValue(a: SplValue | undefined, b: SplValue | undefined): boolean {
  const [mine, theirs] = [valuesOf(a), valuesOf(b)]
  return mine.length === theirs.length && mine.every((each, at) => sameText(each, theirs[at] ?? ''))
}

function sameRow(a: SplRow, b: SplRow): boolean {
  return [...new Set([...a.keys(), ...b.keys()])].every((key) => sameValue(a.get(key), b.get(key)))
}

/** The rows of a result as rows of fields; what is missing is not there. */
export function splRows({ columns, rows }: Given): readonly SplRow[] {
  return rows.map((row) => {
    const fields = new Map<string, SplValue>()
    for (const [at, { name, type }] of columns.entries()) {
      const value = row[at]
      if (value === null || value === undefined) continue
      if (!isList(type)) fields.set(name, String(value))
      else {
        const list: unknown = JSON.parse(String(value))
        const texts = Array.isArray(list) ? list.map(String) : []
        if (texts.length > 0) fields.set(name, texts)
      }
    }
    return fields
  })
}

/** A row as a person reads it. */
const rowText = (row: SplRow | undefined): string =>
  row === undefined ? '(no row)' : JSON.stringify(Object.fromEntries(row))

/** The first difference between a record and what the search gave; undefined when there is none. */
export function compareSpl(recorded: SplCase, given: Given): Difference | undefined {
  const names = given.columns.map(({ name }) => name)
  const { columns, expected } = recorded
  if (columns !== undefined) {
    const got = names.join(', ')
    if (got !== columns.join(', ')) return { cause: 'columns', expected: columns.join(', '), got }
  }
  const rows = splRows(given)
  const wrong = expected.findIndex((row, at) => {
    const other = rows[at]
    return other === undefined || !sameRow(row, other)
  })
  if (rows.length !== expected.length) {
    const at = wrong === -1 ? expected.length : wrong
    return {
      cause: 'count',
      expected: `${expected.length} rows; row ${at + 1}: ${rowText(expected[at])}`,
      got: `${rows.length} rows; row ${at + 1}: ${rowText(rows[at])}`,
    }
  }
  if (wrong === -1) return undefined
  const isElsewhere = expected.every((row) => rows.some((other) => sameRow(row, other)))
  return {
    cause: isElsewhere ? 'order' : 'rows',
    expected: `row ${wrong + 1}: ${rowText(expected[wrong])}`,
    got: rowText(rows[wrong]),
  }
}

/** What a case expects, for a person. */
export const expectedRows = ({ expected }: SplCase): string =>
  expected.slice(0, 3).map(rowText).join('\n')

/**
 * Printed cells to values: the forms in which recorded results print booleans, numbers, times, time spans and JSON.
 * Takes text and a type in Kusto's words, gives every value that the text may stand for.
 */
import { parseIso, printInstant } from '../../src/core/time.ts'
import type { Cell, CellReadings, RowReadings } from './record.ts'

const NULL: Cell = { is: 'null' }
const unread = (value: string): Cell => ({ is: 'unread', value })

const WHOLE = /^[-+]?\d{1,30}$/
const GROUPED = /^[-+]?\d{1,3}(?:,\d{3})+$/
const REAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?$/

const INFINITE: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['inf', Number.POSITIVE_INFINITY],
  ['∞', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-∞', Number.NEGATIVE_INFINITY],
])

function whole(text: string): Cell {
  const plain = GROUPED.test(text) ? text.replaceAll(',', '') : text
  return WHOLE.test(plain) ? { is: 'whole', value: BigInt(plain.replace(/^\+/, '')) } : unread(text)
}

function real(text: string): Cell {
  const known = INFINITE.get(text.toLowerCase())
  if (known !== undefined) return { is: 'real', value: known }
  return REAL.test(text) ? { is: 'real', value: Number(text) } : unread(text)
}

function bool(text: string): Cell {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === '1') return { is: 'bool', value: true }
  return lower === 'false' || lower === '0' ? { is: 'bool', value: false } : unread(text)
}

function time(text: string): Cell {
  const instant = parseIso(text)
  return instant === undefined ? unread(text) : { is: 'time', value: printInstant(instant) }
}

/** `[-][d.]hh:mm[:ss[.fffffff]]`, or `d:hh:mm:ss` as some pages print days. */
const SPAN =
  /^(-?)(?:(\d{1,8})(?:\.|:(?=\d{1,2}:\d\d:)))?(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?$/

function span(text: string): Cell {
  const match = SPAN.exec(text)
  if (match === null) return unread(text)
  const [, sign, days = '0', hours, minutes, seconds = '0', fraction = ''] = match
  const minute = (BigInt(days) * 24n + BigInt(hours ?? 0)) * 60n + BigInt(minutes ?? 0)
  const size = (minute * 60n + BigInt(seconds)) * 10_000_000n + BigInt(fraction.padEnd(7, '0'))
  return { is: 'span', value: sign === '-' ? -size : size }
}

function json(text: string): Cell {
  try {
    return { is: 'json', value: JSON.parse(text) }
  } catch {
    return unread(text)
  }
}

const READERS: ReadonlyMap<string, (text: string) => Cell> = new Map([
  ['bool', bool],
  ['int', whole],
  ['long', whole],
  ['real', real],
  ['decimal', real],
  ['datetime', time],
  ['timespan', span],
  ['dynamic', json],
  ['string', (text: string): Cell => ({ is: 'text', value: text })],
  ['guid', (text: string): Cell => ({ is: 'text', value: text.toLowerCase() })],
])

const readAs = (type: string, text: string): Cell => READERS.get(type)?.(text) ?? unread(text)

/** A list whose texts a page prints without quotes: `[yes, no, yes]`. */
function bareList(text: string): Cell | undefined {
  const inner = /^\[([^[\]{}"]*)\]$/.exec(text)?.[1]
  if (inner === undefined) return undefined
  const items = inner.split(',').map((each) => each.trim())
  return items.every((each) => /^[\p{L}_][\p{L}\p{N}_ -]*$/u.test(each))
    ? { is: 'json', value: items }
    : undefined
}

/** A cell of a table on a page. Nothing is null, or the empty text; a dynamic text has lost its quotes. */
export function pageCell(text: string, type: string): CellReadings {
  if (type === 'string') return [readAs(type, text)]
  const bare = text.trim()
  if (type === 'dynamic') {
    if (bare === '') return [NULL, { is: 'json', value: '' }]
    const value = json(bare)
    if (value.is !== 'unread') return [value]
    const list = bareList(bare)
    return [...(list === undefined ? [] : [list]), { is: 'json', value: text }]
  }
  return bare === '' || bare === 'null' ? [NULL] : [readAs(type, bare)]
}

/** Where the JSON value that begins at an offset ends; undefined when it does not end. */
function jsonEnd(text: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      at++
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    } else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    else if (depth === 0) {
      const token = /[^,)\s]*/y
      token.lastIndex = at
      at += (token.exec(text)?.[0].length ?? 0) - 1
      return at >= start ? at + 1 : undefined
    }
    if (depth === 0) return at + 1
  }
  return undefined
}

/** All places where a cell that begins at an offset may end. Texts are in single quotes, unescaped. */
function ends(text: string, start: number, type: string): readonly number[] {
  const isQuoted = (type === 'string' || type === 'guid') && text[start] === "'"
  if (isQuoted) {
    const found: number[] = []
    for (let at = text.indexOf("'", start + 1); at !== -1; at = text.indexOf("'", at + 1)) {
      if (text.startsWith(', ', at + 1) || at + 2 === text.length) found.push(at + 1)
    }
    return found
  }
  if (type === 'dynamic') {
    const end = jsonEnd(text, start)
    return end === undefined ? [] : [end]
  }
  const stop = text.indexOf(', ', start)
  return [stop === -1 ? text.length - 1 : stop]
}

function tupleCell(text: string, type: string): CellReadings {
  if (text === 'null' || text === 'None') return [NULL]
  const isQuoted = text.length >= 2 && text.startsWith("'") && text.endsWith("'")
  if (type === 'string' || type === 'guid') {
    return [isQuoted ? readAs(type, text.slice(1, -1)) : unread(text)]
  }
  return [readAs(type, text)]
}

/** The most readings of one row that are looked at. */
const MOST_READINGS = 200

/**
 * A row printed as a tuple, `(1, 'a', null)`: texts in quotes without escapes, JSON over several lines. Gives every
 * way to cut it into cells of the types, none when there is none.
 */
export function tupleRow(text: string, types: readonly string[]): RowReadings {
  if (!text.startsWith('(') || !text.endsWith(')')) return []
  const found: (readonly CellReadings[])[] = []
  const walk = (at: number, cells: readonly CellReadings[]): void => {
    const type = types[cells.length]
    if (type === undefined || found.length >= MOST_READINGS) return
    const isLast = cells.length === types.length - 1
    for (const end of ends(text, at, type)) {
      const next = [...cells, tupleCell(text.slice(at, end), type)]
      if (isLast) {
        // A tuple of one may be written with a comma after it.
        if (text.slice(end) === ')' || (types.length === 1 && text.slice(end) === ',)')) {
          found.push(next)
        }
      } else if (text.startsWith(', ', end)) walk(end + 2, next)
    }
  }
  walk(1, [])
  return found
}

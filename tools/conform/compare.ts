/**
 * Compares what a query gave with what is recorded: names of columns, types, number of rows, and each value by its
 * type. Rows count as a multiset unless the query orders them. Gives the first difference, or nothing.
 */
import { type ResultColumn, typeWord, type Value } from '../../src/detect/values.ts'
import { pageCell } from './cells.ts'
import { orderOf } from './order.ts'
import type { Cell, CellReadings, RecordedCase, RecordedColumn, RecordedRow } from './record.ts'
import { isSetColumn, REAL_RELATIVE, toleranceOf } from './tolerance.ts'

export interface Given {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly Value[])[]
  /**
   * The sort keys of the rows when the query orders them: the name of a result column, or undefined for a key that
   * is none.
   */
  readonly order?: readonly (string | undefined)[]
}

export type Cause = 'columns' | 'types' | 'count' | 'rows' | 'order' | 'record'

export interface Difference {
  readonly cause: Cause
  readonly expected: string
  readonly got: string
}

interface Rules {
  readonly relative: number
  readonly trimmed: boolean
  /** The list is a set. */
  readonly isSet: boolean
}

/** Equal to the relative difference; NaN equals NaN, an infinity only itself. */
export function sameNumber(a: number, b: number, relative: number): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b)
  if (a === b) return true
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false
  return Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b))
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON values: numbers as numbers, keys of objects in any order, lists in theirs. */
function sameJson(a: unknown, b: unknown, relative: number): boolean {
  if (typeof a === 'number' && typeof b === 'number') return sameNumber(a, b, relative)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, at) => sameJson(each, b[at], relative))
  }
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a)
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key], relative))
    )
  }
  return a === b
}

/** True when each of the one list has its own equal in the other. */
function pairs<A, B>(a: readonly A[], b: readonly B[], same: (a: A, b: B) => boolean): boolean {
  return a.length === b.length && unmatched(a, b, same).missing.length === 0
}

/** Those of the first list without an equal in the second, and what is then left of the second. */
function unmatched<A, B>(a: readonly A[], b: readonly B[], same: (a: A, b: B) => boolean) {
  const left = [...b]
  const missing = a.filter((each) => {
    const at = left.findIndex((other) => same(each, other))
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
  return { missing, left }
}

function sameDynamic(expected: unknown, got: string, rules: Rules): boolean {
  let value: unknown
  try {
    value = JSON.parse(got)
  } catch {
    return false
  }
  if (rules.isSet && Array.isArray(expected) && Array.isArray(value)) {
    return pairs(expected, value, (a, b) => sameJson(a, b, rules.relative))
  }
  return sameJson(expected, value, rules.relative)
}

/** True when the value is the recorded one. */
function sameCell(cell: Cell, value: Value, type: string, rules: Rules): boolean {
  switch (cell.is) {
    case 'null':
      return value === null || (type === 'dynamic' && value === 'null')
    case 'bool':
      return type === 'bool' && value === cell.value
    case 'whole': {
      if (typeof value !== 'bigint' || (type !== 'int' && type !== 'long')) return false
      if (value === cell.value) return true
      const isLoose = rules.relative > REAL_RELATIVE
      return isLoose && sameNumber(Number(value), Number(cell.value), rules.relative)
    }
    case 'real': {
      if (type !== 'real' && type !== 'decimal') return false
      const isDecimal = typeof value === 'string' && value !== ''
      const number = isDecimal ? Number(value) : value
      return typeof number === 'number' && sameNumber(number, cell.value, rules.relative)
    }
    case 'text': {
      if ((type !== 'string' && type !== 'guid') || typeof value !== 'string') return false
      return rules.trimmed ? value.trim() === cell.value.trim() : value === cell.value
    }
    case 'time':
      return type === 'datetime' && value === cell.value
    case 'span':
      return type === 'timespan' && value === cell.value
    case 'json':
      return (
        type === 'dynamic' && typeof value === 'string' && sameDynamic(cell.value, value, rules)
      )
    case 'unread':
      return false
  }
}

/** Compares the rows of one case. */
class Comparison {
  readonly recorded: RecordedCase
  readonly given: Given
  readonly types: readonly string[]
  readonly rules: readonly Rules[]

  constructor(recorded: RecordedCase, given: Given) {
    this.recorded = recorded
    this.given = given
    this.types = given.columns.map((each) => typeWord(each.type))
    const relative = toleranceOf(recorded.query)
    this.rules = given.columns.map(({ name }) => ({
      relative,
      trimmed: recorded.trimmed,
      isSet: isSetColumn(name, recorded.query),
    }))
  }

  /** Cells whose column has no type in the record are read by the type that the query gave. */
  readings(cells: CellReadings, at: number): CellReadings {
    const [first] = cells
    const isTyped = (this.recorded.columns[at]?.types.length ?? 0) > 0
    return isTyped || first?.is !== 'text' ? cells : pageCell(first.value, this.types[at] ?? '')
  }

  cell(cells: CellReadings, value: Value, at: number): boolean {
    const [type, rules] = [this.types[at], this.rules[at]]
    if (type === undefined || rules === undefined) return false
    return this.readings(cells, at).some((each) => sameCell(each, value, type, rules))
  }

  /** True when one reading of the row holds in all of the columns. */
  row(row: RecordedRow, values: readonly Value[], at = [...this.types.keys()]): boolean {
    return row.readings.some((cells) =>
      at.every((index) => this.cell(cells[index] ?? [], values[index] ?? null, index)),
    )
  }

  /** Columns of the leading sort keys; undefined when a key that is no column stands among them. */
  keys(order: readonly (string | undefined)[]): readonly number[] | undefined {
    const columns = order.map((key) => this.given.columns.findIndex(({ name }) => name === key))
    return columns.includes(-1) || columns.length === 0 ? undefined : columns
  }

  show(values: readonly Value[] | undefined): string {
    if (values === undefined) return '(no row)'
    const cells = values.map((value) =>
      typeof value === 'string' ? JSON.stringify(value) : String(value),
    )
    return `(${cells.join(', ')})`
  }

  rows(): Difference | undefined {
    const { rows } = this.recorded
    const same = (row: RecordedRow, values: readonly Value[]): boolean => this.row(row, values)
    const { missing, left } = unmatched(rows, this.given.rows, same)
    const [first] = missing
    if (first === undefined) return undefined
    // The row that comes nearest says most.
    const place = rows.indexOf(first)
    const likely = this.given.rows[place]
    const near = likely !== undefined && left.includes(likely) ? likely : left[0]
    return {
      cause: 'rows',
      expected: `row ${place + 1}: ${first.written}`,
      got: this.show(near),
    }
  }

  /**
   * The order of rows that are equal as a multiset: the sequence of rows, or, where every sort key is a column of the
   * result, the sequence of their keys, so that rows with the same keys may change places.
   */
  order(order: readonly (string | undefined)[]): Difference | undefined {
    const { rows } = this.recorded
    const wrongAt = (columns?: readonly number[]): number =>
      rows.findIndex((row, at) => {
        const values = this.given.rows[at]
        return values === undefined || !this.row(row, values, columns ? [...columns] : undefined)
      })
    const wrong = wrongAt()
    if (wrong === -1) return undefined
    const keys = this.keys(order)
    const place = keys === undefined ? wrong : wrongAt(keys)
    if (place === -1) return undefined
    return {
      cause: 'order',
      expected: `row ${place + 1}: ${rows[place]?.written}`,
      got: this.show(this.given.rows[place]),
    }
  }
}

const written = (columns: readonly RecordedColumn[]): string =>
  columns.map(({ name, written }) => `${name}:${written}`).join(', ')

function columnDifference(recorded: RecordedCase, given: Given): Difference | undefined {
  const got = given.columns.map(({ name, type }) => `${name}:${typeWord(type)}`).join(', ')
  const expected = written(recorded.columns)
  const isNamed =
    given.columns.length === recorded.columns.length &&
    recorded.columns.every(({ name }, at) => name === given.columns[at]?.name)
  if (!isNamed) return { cause: 'columns', expected, got }
  const isTyped = recorded.columns.every(({ types }, at) => {
    const type = given.columns[at]?.type
    return types.length === 0 || (type !== undefined && types.includes(typeWord(type)))
  })
  return isTyped ? undefined : { cause: 'types', expected, got }
}

/** The first difference between a record and what the query gave; undefined when there is none. */
export function compare(recorded: RecordedCase, given: Given): Difference | undefined {
  const unreadable = recorded.rows.find(({ readings }) => readings.length === 0)
  if (unreadable !== undefined || recorded.columns.length === 0) {
    return { cause: 'record', expected: unreadable?.written ?? 'no columns', got: 'not compared' }
  }
  const columns = columnDifference(recorded, given)
  if (columns !== undefined) return columns
  const comparison = new Comparison(recorded, given)
  if (given.rows.length !== recorded.count) {
    const rows = comparison.rows()
    const extra = given.rows.length > recorded.count ? given.rows.at(-1) : undefined
    return {
      cause: 'count',
      expected: `${recorded.count} rows${rows === undefined ? '' : `; ${rows.expected}`}`,
      got: `${given.rows.length} rows; ${rows?.got ?? comparison.show(extra)}`,
    }
  }
  const rows = comparison.rows()
  if (rows !== undefined) return rows
  const order = given.order ?? orderOf(recorded.query) ?? (recorded.ordered ? [] : undefined)
  return order === undefined ? undefined : comparison.order(order)
}

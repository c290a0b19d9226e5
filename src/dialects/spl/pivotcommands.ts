/** Tables turned: `xyseries`, `untable`, `transpose`; and gaps filled by `makecontinuous`. */
import { limits } from '../../core/limits.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import { BIN_OPTIONS, extentOf, spanOf } from './bincommands.ts'
import { spansBetween } from './chartcommands.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { idle, Options } from './options.ts'
import { numbered } from './ordering.ts'
import { checkColumns, emptyCell, type PivotCell, pivoted, withoutGaps } from './pivot.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import {
  asText,
  derived,
  fieldValue,
  filtered,
  int,
  limited,
  nameFromData,
  type Rows,
} from './rows.ts'
import { present } from './searching.ts'
import { keyedRows } from './statscommands.ts'
import { rowNumber } from './windows.ts'

const NEW_LINE: Expr = { op: 'const', value: '\n', type: 'text' }

/** A value as one text: those of a list under each other. */
function cellText(value: Expr): Expr {
  return isList(value.type) ? call('mv.join', [value, NEW_LINE], 'text') : asText(value)
}

const XY_OPTIONS = {
  sep: 'text',
  format: 'text',
  grouped: idle('flag', 'rows are always grouped by their first field'),
} as const

interface XyNode {
  readonly names: readonly string[]
  readonly options: Options
}

function readXy(reader: Reader): XyNode {
  const options = new Options(XY_OPTIONS)
  const names: string[] = []
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    names.push(reader.name().name)
  }
  if (names.length < 3) {
    reader.fail('xyseries needs a field for the rows, one for the columns, and those of the cells')
  }
  return { names, options }
}

const xyseries = command<XyNode>({
  name: 'xyseries',
  says: 'Makes a table of rows: one field says the row of a cell, another its column, others what is in it.',
  kind: 'transforming',
  options: XY_OPTIONS,
  read: readXy,
  lower: ({ names, options }, rows, context, span) => {
    const [over = '', split = '', ...data] = names
    const placed = numbered(keyedRows(rows, [over, split]), context)
    const cells = data.map((name): PivotCell => {
      const value = fieldValue(placed.rows, name)
      const type: Type = isList(value.type) || value.type === 'null' ? 'text' : value.type
      const args = [isList(value.type) ? cellText(value) : value, placed.number]
      return { label: name, binding: { name, fn: 'stats.last', args, type } }
    })
    const format = options.text('format')
    const nameOf = (series: string, label: string): string => {
      if (format !== undefined) {
        return format.replace(/\$(AGG|VAL)\$/gi, (_, which: string) =>
          which.toUpperCase() === 'AGG' ? label : series,
        )
      }
      return data.length === 1 ? series : `${label}${options.text('sep') ?? ': '}${series}`
    }
    const choice = { count: 0, isTop: true, score: 'count' } as const
    return pivoted(placed.rows, { over, split, choice, nameOf }, cells, context, span).rows
  },
})

/** Rows of which each field of a list makes one of its own, with the field's name, its place and its value as a text. */
function melted(
  rows: Rows,
  names: readonly string[],
  context: Context,
): { rows: Rows; name: string; value: string; place: string } {
  const [name, value, place] = ['n', 'v', 'p'].map((each) => context.hidden(each)) as [
    string,
    string,
    string,
  ]
  const list: Expr = { op: 'const', value: names, type: { list: 'text' } }
  const spread: Rows = { ...rows, rel: { op: 'expand', from: rows.rel, list, as: name } }
  const own = field(name, 'text')
  const isOf = (each: string): Expr => call('compare.equals', [own, text(each)])
  const none: Expr = { op: 'const', value: null, type: 'text' }
  const values = names.flatMap((each) => [isOf(each), cellText(fieldValue(rows, each))])
  const places = names.flatMap((each, at) => [isOf(each), int(at)])
  const made = derived(spread, [
    { name: value, value: call('eval.case', [...values, none], 'text') },
    { name: place, value: call('eval.case', [...places, int(names.length)], 'int') },
  ])
  return { rows: made, name, value, place }
}

const untable = command<readonly [string, string, string]>({
  name: 'untable',
  says: 'Makes rows of a table: one for each cell, with the name of its column and its value.',
  kind: 'transforming',
  read: (reader) => {
    const [over, name, value] = reader.names().map((each) => each.name)
    if (over === undefined || name === undefined || value === undefined) {
      return reader.fail(
        'untable needs a field that stays, a name for the columns and one for the values',
      )
    }
    return [over, name, value]
  },
  lower: ([over, name, value], rows, context) => {
    const names = [...rows.fields.keys()].filter((each) => each !== over && !each.startsWith('_'))
    if (names.length === 0) return { ...rows, fields: new Map() }
    const placed = numbered(keyedRows(rows, [over]), context)
    const melt = melted(placed.rows, names, context)
    const kept = filtered(melt.rows, present(field(melt.value, 'text')))
    const number = placed.number.op === 'field' ? placed.number.name : ''
    const keep: readonly Binding[] = [
      { name: over, value: fieldValue(placed.rows, over) },
      { name, value: field(melt.name, 'text') },
      { name: value, value: field(melt.value, 'text') },
    ]
    const order = [number, melt.place].map((each) => field(each, 'int'))
    const hidden = order.map((each): Binding => ({ name: each.name, value: each }))
    return {
      rel: { op: 'select', from: kept.rel, keep: [...keep, ...hidden] },
      fields: new Map(keep.map((each) => [each.name, each.value.type])),
      order: order.map((by) => ({ by, down: false, nulls: 'last' as const })),
      isEvents: false,
    }
  },
})

const TRANSPOSE_OPTIONS = {
  column_name: 'text',
  header_field: 'text',
  include_empty: 'flag',
} as const

interface TransposeNode {
  readonly rows: number
  readonly options: Options
}

/** Rows that become columns when no number is said. */
const TURNED = 5

const transpose = command<TransposeNode>({
  name: 'transpose',
  says: 'Turns rows to columns: five unless told otherwise, all with 0.',
  kind: 'transforming',
  options: TRANSPOSE_OPTIONS,
  read: (reader) => {
    const options = new Options(TRANSPOSE_OPTIONS)
    let rows = TURNED
    while (!reader.isDone) {
      if (options.take(reader)) continue
      const token = reader.next()
      if (!/^\d{1,9}$/.test(token.text)) reader.fail('expected a number of rows', token.span)
      rows = Number(token.text)
    }
    return { rows, options }
  },
  lower: ({ rows: most, options }, rows, context, span) => {
    const header = options.text('header_field')
    const columnName = options.text('column_name') ?? 'column'
    const first = most === 0 ? rows : limited(rows, most)
    const placed = rowNumber(first, context)
    const label = context.hidden('h')
    const shown =
      header === undefined
        ? call('eval.concat', [text('row '), asText(placed.value)], 'text')
        : cellText(fieldValue(placed.rows, header))
    const headed = derived(placed.rows, [{ name: label, value: shown }])
    const heads: Rel = {
      op: 'select',
      from: limited(filtered(headed, present(field(label, 'text'))), limits.discoveredColumns + 1)
        .rel,
      keep: [{ name: label, value: field(label, 'text') }],
    }
    const columns = context.discover('rows', heads, span)
    checkColumns(columns.length, span)
    const names = [...rows.fields.keys()].filter((each) => each !== header && !each.startsWith('_'))
    const melt = melted(headed, names, context)
    const into = columns.map(
      (column): AggBinding => ({
        name: nameFromData(column),
        fn: 'stats.first',
        args: [field(melt.value, 'text'), placed.value],
        where: call('compare.equals', [field(label, 'text'), text(column)]),
        type: 'text',
      }),
    )
    const by: readonly Binding[] = [
      { name: columnName, value: field(melt.name, 'text') },
      { name: melt.place, value: field(melt.place, 'int') },
    ]
    const own = into.filter(({ name }) => name !== columnName)
    const made: Rows = {
      rel: { op: 'aggregate', from: melt.rows.rel, by, into: own },
      fields: new Map<string, Type>([
        [columnName, 'text'],
        ...own.map(({ name }) => [name, 'text'] as const),
      ]),
      order: [{ by: field(melt.place, 'int'), down: false, nulls: 'last' }],
      isEvents: false,
    }
    if (options.flag('include_empty', true)) return made
    const filled = own.map(({ name }) => present(field(name, 'text')))
    return filled.length === 0 ? made : filtered(made, call('logic.or', filled))
  },
})

interface ContinuousNode {
  readonly name: string
  readonly options: Options
}

const makecontinuous = command<ContinuousNode>({
  name: 'makecontinuous',
  says: 'Puts rows in where the numbers of a field are more than a span apart.',
  kind: 'transforming',
  options: BIN_OPTIONS,
  read: (reader) => {
    const options = new Options(BIN_OPTIONS)
    options.takeAll(reader)
    const name = reader.isDone ? '_time' : reader.name().name
    options.takeAll(reader)
    for (const each of ['start', 'end', 'aligntime', 'minspan'] as const) {
      const given = options.given(each)
      if (given !== undefined) refuse('HR507', { what: `${each} in makecontinuous` }, given.span)
    }
    return { name, options }
  },
  lower: ({ name, options }, rows, context, span) => {
    const value = fieldValue(rows, name)
    if (value.type === 'null') return rows
    const extent = () => extentOf(rows, value, context, span)
    const list = spansBetween(spanOf(options, extent))
    const keyed = filtered(
      keyedRows(rows, [name]),
      present(call('eval.number', [cellText(value)], 'float')),
    )
    return withoutGaps(keyed, name, list, (_, type) => emptyCell(false, type), context)
  },
})

export const pivotCommands: readonly CommandRecord[] = [
  xyseries,
  untable,
  transpose,
  makecontinuous,
]

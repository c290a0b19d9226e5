/** Sums over the fields of a row and over the rows of a field: `addtotals`, `addcoltotals`. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { asNumber, asText, asType, derived, fieldValue, namesMeant, type Rows } from './rows.ts'

const TOTAL_OPTIONS = {
  row: 'flag',
  col: 'flag',
  labelfield: 'text',
  label: 'text',
  fieldname: 'text',
} as const

interface TotalsNode {
  readonly names: readonly string[]
  readonly options: Options
}

function readTotals(reader: Reader): TotalsNode {
  const options = new Options(
    reader.command === 'addtotals' ? TOTAL_OPTIONS : { labelfield: 'text', label: 'text' },
  )
  const names: string[] = []
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    names.push(reader.name().name)
  }
  return { names, options }
}

/** The fields that are added up: those named, or all but those that Splunk keeps for itself. */
function meant(rows: Rows, names: readonly string[]): readonly string[] {
  const all = [...rows.fields.keys()].filter((each) => !each.startsWith('_'))
  return names.length === 0 ? all : namesMeant(rows, names).filter((each) => rows.fields.has(each))
}

function withRowTotal(rows: Rows, { names, options }: TotalsNode): Rows {
  const numbers = meant(rows, names).map((name) => asNumber(fieldValue(rows, name)))
  const value = call('row.sum', numbers, 'float')
  return derived(rows, [{ name: options.text('fieldname') ?? 'Total', value }])
}

/** The sum of a field in its own type. */
function sumOf(rows: Rows, name: string, into: string): AggBinding {
  const value = fieldValue(rows, name)
  return value.type === 'int'
    ? { name: into, fn: 'win.sum', args: [value], type: 'int' }
    : { name: into, fn: 'stats.sum', args: [value], type: 'float' }
}

const missing = (type: Type): Expr =>
  isList(type)
    ? { op: 'const', value: [], type }
    : { op: 'const', value: null, type: type === 'null' ? 'text' : type }

/** Rows with one more behind them that holds the sums of fields. */
function withColumnTotals(given: Rows, { names, options }: TotalsNode, context: Context): Rows {
  const labelField = options.text('labelfield')
  const label: Expr = { op: 'const', value: options.text('label') ?? 'Total', type: 'text' }
  const labelled =
    labelField === undefined
      ? given
      : derived(given, [{ name: labelField, value: asText(fieldValue(given, labelField)) }])
  const shared = context.shared(numbered(labelled, context).rows)
  const { rows, number } = numbered(shared, context)
  const summed = meant(rows, names).filter((each) => each !== labelField)
  const sums = summed.map((name) => sumOf(rows, name, context.hidden('s')))
  const total: Rel = { op: 'aggregate', from: rows.rel, by: [], into: sums }
  const cell = (name: string, type: Type): Expr => {
    if (name === labelField) return label
    const sum = sums[summed.indexOf(name)]
    return sum === undefined ? missing(type) : asType(field(sum.name, sum.type), type)
  }
  const place = number.op === 'field' ? number.name : ''
  const last: Expr = { op: 'const', value: Number.MAX_SAFE_INTEGER, type: 'int' }
  const columns = [...rows.fields]
  const own = [...columns, [place, 'int'] as const].map(
    ([name, type]): Binding => ({ name, value: field(name, type) }),
  )
  const added = [
    ...columns.map(([name, type]): Binding => ({ name, value: cell(name, type) })),
    { name: place, value: last },
  ]
  const all: readonly Rel[] = [
    { op: 'select', from: rows.rel, keep: own },
    { op: 'select', from: total, keep: added },
  ]
  return {
    rel: { op: 'union', all },
    fields: rows.fields,
    order: [{ by: number, down: false, nulls: 'last' }],
    isEvents: false,
  }
}

const addtotals = command<TotalsNode>({
  name: 'addtotals',
  says: 'Adds up the numbers of every row in one more field; with col=t, those of every field in one more row.',
  kind: 'streaming',
  options: TOTAL_OPTIONS,
  read: readTotals,
  lower: (node, rows, context) => {
    const { options } = node
    const made = options.flag('row', true) ? withRowTotal(rows, node) : rows
    if (!options.flag('col', false)) return made
    const total = options.flag('row', true) ? [options.text('fieldname') ?? 'Total'] : []
    const names = node.names.length === 0 ? [] : [...node.names, ...total]
    return withColumnTotals(made, { ...node, names }, context)
  },
})

const addcoltotals = command<TotalsNode>({
  name: 'addcoltotals',
  says: 'Adds up the numbers of every field in one more row.',
  kind: 'transforming',
  options: { labelfield: 'text', label: 'text' },
  read: readTotals,
  lower: (node, rows, context) => withColumnTotals(rows, node, context),
})

export const totalCommands: readonly CommandRecord[] = [addtotals, addcoltotals]

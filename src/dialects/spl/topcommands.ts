/** `top` and `rare`: the values that come most and least often, with how often they come. */
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { AggBinding, Binding, FieldRef, Order } from '../../ir/rel.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { Options } from './options.ts'
import { sortedBy } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asText, derived, fieldValue, filtered, int, type Rows, selected } from './rows.ts'
import { keyedRows, readBy } from './statscommands.ts'
import { byNumber, windowed } from './windows.ts'

const TOP_OPTIONS = {
  limit: 'count',
  showcount: 'flag',
  showperc: 'flag',
  countfield: 'text',
  percentfield: 'text',
  useother: 'flag',
  otherstr: 'text',
} as const

interface TopNode {
  readonly limit: number
  readonly names: readonly string[]
  readonly by: readonly string[]
  readonly options: Options
}

/** Values that are shown when no number is said. */
const SHOWN = 10

function readTop(reader: Reader): TopNode {
  const options = new Options(TOP_OPTIONS)
  const names: string[] = []
  let limit: number | undefined
  while (!reader.isDone && !reader.isWord('by')) {
    if (reader.take(',') || options.take(reader)) continue
    const token = reader.peek()
    const isCount = names.length === 0 && limit === undefined && /^\d+$/.test(token?.text ?? '')
    if (isCount && token?.kind === 'word') limit = Number(reader.next().text)
    else names.push(reader.name().name)
  }
  if (names.length === 0) reader.fail(`${reader.command} needs the name of a field`)
  const pattern = names.find((each) => each.includes('*'))
  if (pattern !== undefined) refuse('HR507', { what: `patterns of fields in ${reader.command}` })
  const by = reader.takeWord('by') ? readBy(reader) : []
  return {
    limit: options.number('limit', limit ?? SHOWN),
    names: [...new Set(names)].filter((each) => !by.includes(each)),
    by,
    options,
  }
}

function counted(rows: Rows, node: TopNode, count: string): Rows {
  const names = [...node.by, ...node.names]
  const keyed = keyedRows(rows, names)
  const by = names.map((name): Binding => {
    const value = fieldValue(keyed, name)
    return { name, value: value.type === 'null' ? asText(value) : value }
  })
  return {
    rel: {
      op: 'aggregate',
      from: keyed.rel,
      by,
      into: [{ name: count, fn: 'stats.count_rows', args: [], type: 'int' }],
    },
    fields: new Map(by.map(({ name, value }) => [name, value.type])),
    order: [],
    isEvents: false,
  }
}

/** The rows behind the last that is shown as one of each group, with another value in place of theirs. */
function withOthers(rows: Rows, node: TopNode, columns: Columns): Rows {
  const { count, total, rank } = columns
  const isShown = call('compare.less_or_equal', [rank, int(node.limit)])
  const other = text(node.options.text('otherstr') ?? 'OTHER')
  const place = rank.op === 'field' ? rank.name : ''
  const marked = derived(rows, [
    ...node.names.map((name): Binding => {
      const value = asText(fieldValue(rows, name))
      return { name, value: call('eval.case', [isShown, value, other], 'text') }
    }),
    { name: place, value: call('eval.case', [isShown, rank, int(node.limit + 1)], 'int') },
  ])
  const by = [...[...marked.fields].map(([name, type]) => field(name, type)), total, rank]
  const into = [{ name: count.name, fn: 'win.sum', args: [count], type: 'int' as const }]
  const keys = by.map((value): Binding => ({ name: value.name, value }))
  return { ...marked, rel: { op: 'aggregate', from: marked.rel, by: keys, into } }
}

interface Columns {
  readonly count: FieldRef
  readonly total: FieldRef
  readonly rank: FieldRef
}

/** The share of a count in the whole, in hundredths with six places. */
function percentOf({ count, total }: Columns): Expr {
  const share = call('eval.divide', [count, total], 'float')
  return call('eval.round', [call('eval.multiply', [share, int(100)], 'float'), int(6)], 'float')
}

function ranked(rows: Rows, node: TopNode, isTop: boolean, context: Context): Rows {
  const { by, names, limit, options } = node
  const columns: Columns = {
    count: field(context.hidden('c'), 'int'),
    total: field(context.hidden('t'), 'int'),
    rank: field(context.hidden('i'), 'int'),
  }
  const { count, total, rank } = columns
  const all = counted(rows, node, count.name)
  const ascending = (list: readonly string[]) =>
    list.map((name) => ({ field: name, isDown: false, type: 'auto' as const }))
  const groups = by.map((name) => fieldValue(all, name))
  const sum: AggBinding = { name: total.name, fn: 'win.sum', args: [count], type: 'int' }
  const summed = windowed(all, [sum], { by: groups, frame: 'all' })
  const sorted = sortedBy(summed, ascending(names), context)
  const order: Order = [{ by: count, down: isTop, nulls: 'last' }, ...sorted.order]
  const number = { name: rank.name, fn: 'win.row_number', args: [], type: 'int' as const }
  const placed = windowed(sorted, [number], { by: groups, order })
  const isShown = call('compare.less_or_equal', [rank, int(limit)])
  const cut =
    limit === 0
      ? placed
      : options.flag('useother', false)
        ? withOthers(placed, node, columns)
        : filtered(placed, isShown)
  const made = { ...cut, order: byNumber(rank) }
  return withColumns(sortedBy(made, ascending(by), context), node, columns)
}

function withColumns(rows: Rows, { options, by, names }: TopNode, columns: Columns): Rows {
  const added: readonly (readonly [boolean, string, Expr])[] = [
    [options.flag('showcount', true), options.text('countfield') ?? 'count', columns.count],
    [options.flag('showperc', true), options.text('percentfield') ?? 'percent', percentOf(columns)],
  ]
  const shown = added.filter(([isShown]) => isShown)
  const clash = shown.find(([, name]) => by.includes(name) || names.includes(name))?.[1]
  if (clash !== undefined) {
    const message = `${clash} is a field that is counted; name the column with countfield or percentfield`
    refuse('HR509', { message })
  }
  const keep = [...rows.fields].map(([name, type]): Binding => ({ name, value: field(name, type) }))
  return selected(rows, [...keep, ...shown.map(([, name, value]): Binding => ({ name, value }))])
}

function topCommand(name: 'top' | 'rare', says: string): CommandRecord {
  return command<TopNode>({
    name,
    says,
    kind: 'transforming',
    options: TOP_OPTIONS,
    read: readTop,
    lower: (node, rows, context) => ranked(rows, node, name === 'top', context),
  })
}

export const topCommands: readonly CommandRecord[] = [
  topCommand(
    'top',
    'Shows the values that come most often, how often, and their share: ten unless told otherwise.',
  ),
  topCommand('rare', 'Shows the values that come least often, how often, and their share.'),
]

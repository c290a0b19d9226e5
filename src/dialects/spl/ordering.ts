/** Commands on the order of rows and their number: `sort`, `reverse`, `head`, `tail`, `dedup`. */
import { call, type Expr, field, not, text } from '../../ir/expr.ts'
import type { Binding, OrderKey } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { readEval } from './evaluation.ts'
import { Options } from './options.ts'
import type { Reader } from './reader.ts'
import {
  asList,
  asText,
  derived,
  fieldValue,
  filtered,
  HIDDEN,
  int,
  limited,
  type Rows,
  reversed,
} from './rows.ts'
import { present } from './searching.ts'
import { byNumber, flag, previous, rowNumber, runningSum } from './windows.ts'

type SortType = 'auto' | 'str' | 'num' | 'ip'

export interface SortKey {
  readonly field: string
  readonly isDown: boolean
  readonly type: SortType
}

interface SortNode {
  readonly count?: number
  readonly keys: readonly SortKey[]
  readonly isReversed: boolean
}

const SORT_TYPES = new Set(['auto', 'str', 'num', 'ip'])

/** Reads the keys of an order: `-x`, `- x`, `num(x)`, `-ip(x)`, separated by blanks or commas. */
function readSortKeys(reader: Reader, stops: readonly string[] = []): readonly SortKey[] {
  const keys: SortKey[] = []
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const token = reader.peek()
    if (token?.kind === 'word' && stops.includes(token.text.toLowerCase())) break
    let isDown = false
    if (token?.kind === 'word' && /^[-+]/.test(token.text)) {
      isDown = token.text.startsWith('-')
      reader.at = token.span.start + 1
    }
    const { name } = reader.name()
    const type = name.toLowerCase()
    if (SORT_TYPES.has(type) && reader.isAt('(')) {
      reader.next()
      const inner = reader.name()
      reader.expect(')')
      keys.push({ field: inner.name, isDown, type: type as SortType })
    } else keys.push({ field: name, isDown, type: 'auto' })
  }
  return keys
}

function readSort(reader: Reader): SortNode {
  let count: number | undefined
  const options = new Options({ limit: 'count' })
  options.takeAll(reader)
  count = options.number('limit')
  const first = reader.peek()
  if (first?.kind === 'word' && /^\d+$/.test(first.text)) count = Number(reader.next().text)
  const keys = [...readSortKeys(reader, ['d', 'desc'])]
  const isReversed = reader.takeWord('d') || reader.takeWord('desc')
  if (keys.length === 0) reader.fail('sort needs the names of fields')
  return { ...(count === undefined ? {} : { count }), keys, isReversed }
}

/** What rows are ordered by for one key: numbers before texts, numbers by their size, texts by their characters. */
function keyParts(value: Expr, type: SortType): readonly Expr[] {
  if (value.type === 'null') return []
  if (value.type === 'float' || value.type === 'int') {
    return type === 'str' ? [asText(value)] : [value]
  }
  const text = isList(value.type) ? call('mv.first', [value], 'text') : asText(value)
  if (type === 'str') return [text]
  if (type === 'ip') return [call('sort.address', [text], 'text'), text]
  const number = call('eval.number', [text], 'float')
  return type === 'num' ? [number] : [number, text]
}

/** Rows in a new order; what was before decides between rows that are equal by it. Missing values come last. */
export function sortedBy(rows: Rows, keys: readonly SortKey[], context: Context): Rows {
  const set: Binding[] = []
  const order: OrderKey[] = []
  for (const { field: name, isDown, type } of keys) {
    const value = fieldValue(rows, name)
    const parts = keyParts(value, type)
    const add = (part: Expr, down: boolean, nulls: OrderKey['nulls']): void => {
      const column = context.hidden('o')
      set.push({ name: column, value: part })
      order.push({ by: field(column, part.type), down, nulls })
    }
    const [number, text] = parts
    if (type === 'auto' && isDown && number !== undefined && text !== undefined) {
      // From the greatest down texts come before numbers, but a missing value still comes last.
      add(flag(not(present(value))), false, 'last')
      add(number, true, 'first')
      add(text, true, 'last')
    } else for (const part of parts) add(part, isDown, 'last')
  }
  const made = derived(rows, set)
  return { ...made, order: [...order, ...rows.order] }
}

/** Rows that `sort` keeps when it is not told how many. */
const SORTED = 10_000

const sort = command<SortNode>({
  name: 'sort',
  says: 'Puts rows in order and keeps the first of them: 10,000 unless told otherwise, all with 0.',
  kind: 'streaming',
  options: { limit: 'count' },
  read: readSort,
  lower: ({ count = SORTED, keys, isReversed }, rows, context) => {
    const turned = isReversed ? keys.map((each) => ({ ...each, isDown: !each.isDown })) : keys
    const made = sortedBy(rows, turned, context)
    return count === 0 ? made : limited(made, count)
  },
})

const reverse = command<null>({
  name: 'reverse',
  says: 'Turns the order of the rows round.',
  kind: 'streaming',
  read: () => null,
  lower: (_, rows) => ({ ...rows, order: reversed(rows.order) }),
})

/** The number of rows that `head` and `tail` keep when they are not told how many. */
const FEW = 10

interface HeadNode {
  readonly count: number
  readonly test?: EvalExpr
  readonly keepsLast: boolean
  readonly passesNull: boolean
}

function readHead(reader: Reader): HeadNode {
  const options = new Options(HEAD_OPTIONS)
  let count: number | undefined
  let test: EvalExpr | undefined
  while (!reader.isDone) {
    const name = reader.optionName()
    if (name !== undefined && Object.hasOwn(HEAD_OPTIONS, name)) options.take(reader)
    else if (/^\d+$/.test(reader.peek()?.text ?? '')) count = Number(reader.next().text)
    else test = readEval(reader)
  }
  const most = options.number('limit') ?? count ?? (test === undefined ? FEW : undefined)
  return {
    count: most ?? Number.MAX_SAFE_INTEGER,
    ...(test === undefined ? {} : { test }),
    keepsLast: options.flag('keeplast', false),
    passesNull: options.flag('null', false),
  }
}

const HEAD_OPTIONS = { limit: 'count', keeplast: 'flag', null: 'flag' } as const

/** Rows up to the first that does not pass a test. */
function untilFalse(rows: Rows, { test, keepsLast, passesNull }: HeadNode, context: Context): Rows {
  if (test === undefined) return rows
  const failed = context.hidden('f')
  const value = context.evaluate(test, rows)
  const holds = passesNull
    ? not(call('logic.holds', [call('logic3.not', [value])]))
    : call('logic.holds', [value])
  const own = field(failed, 'int')
  const made = derived(rows, [{ name: failed, value: flag(not(holds)) }])
  const { rows: summed, value: count } = runningSum(made, own, context)
  const isFine = call('compare.equals', [count, int(0)])
  const isLast = call('logic.and', [
    call('compare.equals', [count, int(1)]),
    call('compare.equals', [own, int(1)]),
  ])
  return filtered(summed, keepsLast ? call('logic.or', [isFine, isLast]) : isFine)
}

const head = command<HeadNode>({
  name: 'head',
  says: 'Keeps the first rows, or those up to the first that does not pass a test.',
  kind: 'streaming',
  options: HEAD_OPTIONS,
  read: readHead,
  lower: (node, rows, context) => {
    const passed = untilFalse(rows, node, context)
    return node.count === Number.MAX_SAFE_INTEGER ? passed : limited(passed, node.count)
  },
})

const tail = command<number>({
  name: 'tail',
  says: 'Keeps the last rows, the very last of them first.',
  kind: 'streaming',
  read: (reader) => (/^\d+$/.test(reader.peek()?.text ?? '') ? Number(reader.next().text) : FEW),
  lower: (count, rows) => limited({ ...rows, order: reversed(rows.order) }, count),
})

interface DedupNode {
  readonly count: number
  readonly names: readonly string[]
  readonly options: Options
  readonly sortBy: readonly SortKey[]
}

const DEDUP_OPTIONS = { keepevents: 'flag', keepempty: 'flag', consecutive: 'flag' } as const

function readDedup(reader: Reader): DedupNode {
  const options = new Options(DEDUP_OPTIONS)
  options.takeAll(reader)
  const count = /^\d+$/.test(reader.peek()?.text ?? '') ? Number(reader.next().text) : 1
  if (count === 0) reader.fail('dedup keeps at least one row')
  const names: string[] = []
  while (!reader.isDone && !reader.isWord('sortby')) {
    if (reader.take(',') || options.take(reader)) continue
    names.push(reader.name().name)
  }
  if (names.length === 0) reader.fail('dedup needs the names of fields')
  const sortBy = reader.takeWord('sortby') ? readSortKeys(reader) : []
  return { count, names, options, sortBy }
}

/** The rows of which each is among the first of those with its values. */
function firstOfEach(rows: Rows, node: DedupNode, keys: readonly Expr[], context: Context): Rows {
  const { count, options } = node
  const isConsecutive = options.flag('consecutive', false)
  const run = isConsecutive ? runsOf(rows, keys, context) : { rows, value: undefined }
  const by = run.value === undefined ? keys : [run.value]
  const { rows: ranked, value: number } = rowNumber(run.rows, context, { by })
  const isFirst = call('compare.less_or_equal', [number, int(count)])
  const isKept = options.flag('keepempty', false)
    ? call('logic.or', [isFirst, ...keys.map((each) => call('value.is_null', [each]))])
    : isFirst
  if (!options.flag('keepevents', false)) return filtered(ranked, isKept)
  const cleared = node.names.flatMap((name, at): readonly Binding[] => {
    const key = keys[at]
    return key === undefined || !rows.fields.has(name)
      ? []
      : [
          {
            name,
            value: call('eval.case', [isKept, asText(fieldValue(ranked, name)), missing()], 'text'),
          },
        ]
  })
  return derived(ranked, cleared)
}

const missing = (): Expr => ({ op: 'const', value: null, type: 'text' })

/** Numbers of the runs of rows with the same values, one after another. */
function runsOf(rows: Rows, keys: readonly Expr[], context: Context) {
  const whole = context.hidden('k')
  const starts = context.hidden('s')
  const keyed = derived(rows, [{ name: whole, value: call('row.key', keys, 'text') }])
  const key = field(whole, 'text')
  const before = previous(keyed, key, text(''), context)
  const isSame = call('compare.equals', [key, before.value])
  const marked = derived(before.rows, [{ name: starts, value: flag(not(isSame)) }])
  return runningSum(marked, field(starts, 'int'), context)
}

const dedup = command<DedupNode>({
  name: 'dedup',
  says: 'Keeps the first rows of those with the same values. Rows without one of the fields are dropped.',
  kind: 'streaming',
  options: DEDUP_OPTIONS,
  read: readDedup,
  lower: (node, rows, context) => {
    const values = node.names.map((each) => fieldValue(rows, each))
    const isOpen = node.options.flag('keepempty', false) || node.options.flag('keepevents', false)
    const names = values.map(() => context.hidden('d'))
    const columns = values.map((each, at): Binding => {
      const name = names[at] ?? ''
      const value = isList(each.type)
        ? call('list.key', [asList(each)], 'text')
        : each.type === 'null'
          ? missing()
          : asText(each)
      return { name, value }
    })
    const keyed = derived(rows, columns)
    const keys = columns.map(({ name }) => field(name, 'text'))
    const full = isOpen ? keyed : keys.reduce((each, key) => filtered(each, present(key)), keyed)
    const made = firstOfEach(full, node, keys, context)
    return node.sortBy.length === 0 ? made : sortedBy(made, node.sortBy, context)
  },
})

export const orderingCommands: readonly CommandRecord[] = [sort, reverse, head, tail, dedup]

/** Rows numbered in their order: the column of the plan that holds the number. */
export function numbered(
  rows: Rows,
  context: Context,
): { readonly rows: Rows; readonly number: Expr } {
  const [only] = rows.order
  const isPlace =
    rows.order.length === 1 && only?.by.op === 'field' && only.by.type === 'int' && !only.down
  if (
    isPlace &&
    only !== undefined &&
    only.by.op === 'field' &&
    only.by.name.startsWith(`${HIDDEN}i`)
  ) {
    return { rows, number: only.by }
  }
  const { rows: placed, value: number } = rowNumber(rows, context)
  return { rows: { ...placed, order: byNumber(number) }, number }
}

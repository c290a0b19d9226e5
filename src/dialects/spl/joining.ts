/** The command `join`: rows of a search beside those with the same values in its key fields. */
import { call, type Expr, field, number } from '../../ir/expr.ts'
import type { Binding, JoinKey, Rel } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import type { Subsearch } from './ast.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import {
  asList,
  asText,
  asType,
  commonType,
  derived,
  fieldValue,
  filtered,
  limited,
  orderFields,
  type Rows,
  selected,
} from './rows.ts'
import { present } from './searching.ts'
import { where } from './statscommands.ts'

const OPTIONS = {
  type: ['inner', 'outer', 'left'],
  max: 'count',
  overwrite: 'flag',
  usetime: 'flag',
  earlier: 'flag',
} as const

interface JoinNode {
  readonly keys: readonly string[]
  readonly options: Options
  readonly search: Subsearch
}

function readJoin(reader: Reader): JoinNode {
  const options = new Options(OPTIONS)
  const keys = new Set<string>()
  let search: Subsearch | undefined
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const found = reader.takeSearch()
    if (found !== undefined) {
      if (search !== undefined) reader.fail('join takes one search in brackets')
      search = found
      continue
    }
    const name = reader.optionName()
    if (name === 'left' || name === 'right' || reader.isWord('where')) {
      const span = reader.next().span
      refuse('HR507', { what: 'join with names for its two sides (left=, right=, where)' }, span)
    }
    if (options.take(reader)) continue
    keys.add(reader.name().name)
  }
  if (search === undefined) return reader.fail('join needs a search in brackets')
  if (options.flag('usetime', false)) {
    refuse('HR507', { what: 'usetime=true' }, options.given('usetime')?.span)
  }
  return { keys: [...keys], options, search }
}

/** The values of a key on both sides, in a type in which equal ones are equal. */
function keyPair(left: Expr, right: Expr): readonly [Expr, Expr] {
  const sides = [left, right]
  if (sides.some((each) => isList(each.type))) {
    const [a = left, b = right] = sides.map((each) => call('list.key', [asList(each)], 'text'))
    return [a, b]
  }
  if (sides.every((each) => each.type === 'int' || each.type === 'float')) {
    return [asType(left, 'float'), asType(right, 'float')]
  }
  return [asText(left), asText(right)]
}

/** Columns of the plan for the keys of a side. */
function keyed(rows: Rows, values: readonly Expr[], context: Context) {
  const columns = values.map((value): Binding => ({ name: context.hidden('k'), value }))
  const keys = columns.map(({ name, value }) => field(name, value.type))
  return { rows: derived(rows, columns), keys }
}

/** A value, or else another, of the type of both. */
function either(first: Expr, second: Expr): Expr {
  const type = commonType([first.type, second.type])
  return call('eval.coalesce', [asType(first, type), asType(second, type)], type)
}

/** True where no two rows have the same values in columns: they were grouped by some of them and nothing else was done. */
function isUnique(rel: Rel, columns: readonly Expr[]): boolean {
  const names = columns.flatMap((each) => (each.op === 'field' ? [each.name] : []))
  switch (rel.op) {
    case 'aggregate':
      return rel.by.every(({ name }) => names.includes(name))
    case 'filter':
    case 'sort':
      return isUnique(rel.from, columns)
    case 'derive': {
      const made = new Map(rel.set.map(({ name, value }) => [name, value]))
      return isUnique(
        rel.from,
        columns.flatMap((each) => (each.op === 'field' ? [made.get(each.name) ?? each] : [])),
      )
    }
    case 'select': {
      const kept = new Map(rel.keep.map(({ name, value }) => [name, value]))
      return isUnique(
        rel.from,
        names.flatMap((name) => kept.get(name) ?? []),
      )
    }
    default:
      return false
  }
}

function joined(rows: Rows, right: Rows, node: JoinNode, context: Context): Rows {
  const { options } = node
  const most = options.number('max', 1)
  const isInner = (options.word('type') ?? 'inner') === 'inner'
  const names =
    node.keys.length > 0
      ? node.keys
      : [...rows.fields.keys()].filter((name) => right.fields.has(name) && !name.startsWith('_'))
  if (names.length === 0) {
    const message = 'the two sides of join have no field in common; name the fields to join by'
    return refuse('HR509', { message }, node.search.span)
  }
  const pairs = names.map((name) => keyPair(fieldValue(rows, name), fieldValue(right, name)))
  const left = keyed(
    rows,
    pairs.map(([each]) => each),
    context,
  )
  const counted = most === 1 ? undefined : numbered(right, context)
  const side = keyed(
    counted?.rows ?? right,
    pairs.map(([, each]) => each),
    context,
  )
  const full = side.keys.reduce((each, key) => filtered(each, present(key)), side.rows)
  const few = most === 0 || isUnique(full.rel, side.keys) ? full : limited(full, most, side.keys)
  // The fields of the right side under names of the plan, so that both sides keep their own.
  const given = [...right.fields].map(
    ([name, type]): { readonly name: string; column: Binding } => ({
      name,
      column: { name: context.hidden('j'), value: field(name, type) },
    }),
  )
  const place = counted === undefined ? [] : orderFields(few.order)
  // Without a match the engine gives blanks: a mark tells what is one.
  const mark = context.hidden('m')
  const bare = selected({ ...few, order: [] }, [
    ...given.map(({ column }) => column),
    ...side.keys.map((key): Binding => ({ name: nameOf(key), value: key })),
    ...place.map(({ name, type }): Binding => ({ name, value: field(name, type) })),
    ...(isInner ? [] : [{ name: mark, value: number(1) }]),
  ])
  const on = left.keys.map((key, at): JoinKey => ({ left: key, right: side.keys[at] ?? key }))
  const rel = {
    op: 'join',
    how: isInner ? 'inner' : 'left',
    left: left.rows.rel,
    right: bare.rel,
    on,
  } as const
  const hasMatch = call('compare.equals', [field(mark, 'int'), number(1)])
  const overwrites = options.flag('overwrite', true)
  const set = given
    .filter(({ name }) => !(names.includes(name) && isInner))
    .map(({ name, column }): Binding => {
      const own = fieldValue(rows, name)
      const matched = field(column.name, column.value.type)
      const other = isInner ? matched : where(hasMatch, matched)
      if (own.type === 'null') return { name, value: other }
      return { name, value: overwrites ? either(other, own) : either(own, other) }
    })
  const order = [...rows.order, ...(counted === undefined ? [] : few.order)]
  return derived({ rel, fields: rows.fields, order, isEvents: false }, set)
}

const nameOf = (key: Expr): string => (key.op === 'field' ? key.name : '')

const join = command<JoinNode>({
  name: 'join',
  says: 'Adds to each row the fields of the rows of a search that have the same values in the named fields.',
  kind: 'transforming',
  options: OPTIONS,
  read: readJoin,
  lower: (node, rows, context) => joined(rows, context.subsearch(node.search), node, context),
})

export const joiningCommands: readonly CommandRecord[] = [join]

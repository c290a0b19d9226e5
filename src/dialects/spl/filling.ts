/** Commands that fill what is missing: `fillnull` with a value, `filldown` with the last one before. */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, command } from './command.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import { asText, derived, fieldValue, namesMeant, type Rows } from './rows.ts'
import { present } from './searching.ts'
import { byNumber, windowed } from './windows.ts'

interface FillNode {
  readonly value: string
  readonly names: readonly string[]
}

/** Fields that patterns and empty lists do not mean. */
const isOwn = (name: string): boolean => name.startsWith('_')

/** A field with a value where it is missing: a number where the field is one and the value too. */
function filled(rows: Rows, name: string, value: string): Binding {
  const given = fieldValue(rows, name)
  if (isList(given.type)) {
    const list: Expr = { op: 'const', value: [value], type: given.type }
    return { name, value: call('eval.case', [present(given), given, list], given.type) }
  }
  const isNumber = given.type === 'int' || given.type === 'float'
  const number = Number(value)
  if (isNumber && value.trim() !== '' && Number.isFinite(number)) {
    const type = given.type === 'int' && Number.isSafeInteger(number) ? 'int' : 'float'
    const filler: Expr = { op: 'const', value: number, type }
    return { name, value: call('eval.coalesce', [given, filler], type) }
  }
  const filler: Expr = { op: 'const', value, type: 'text' }
  if (given.type === 'null') return { name, value: filler }
  return { name, value: call('eval.coalesce', [asText(given), filler], 'text') }
}

const fillnull = command<FillNode>({
  name: 'fillnull',
  says: 'Fills missing values of the named fields, or of all, with a value: 0 unless told otherwise.',
  kind: 'streaming',
  options: { value: 'text' },
  read: (reader) => {
    const options = new Options({ value: 'text' })
    const names: string[] = []
    while (!reader.isDone) {
      if (reader.take(',') || options.take(reader)) continue
      names.push(reader.name().name)
    }
    return { value: options.text('value') ?? '0', names }
  },
  lower: ({ value, names }, rows) => {
    const all = [...rows.fields.keys()].filter((each) => !isOwn(each))
    const meant = names.length === 0 ? all : namesMeant(rows, names)
    return derived(
      rows,
      meant.map((name) => filled(rows, name, value)),
    )
  },
})

const filldown = command<readonly string[]>({
  name: 'filldown',
  says: 'Fills missing values of the named fields, or of all, with the last value before.',
  kind: 'streaming',
  read: (reader) => reader.names().map(({ name }) => name),
  lower: (names, rows, context) => {
    const all = [...rows.fields.keys()].filter((each) => !isOwn(each))
    const meant = (names.length === 0 ? all : namesMeant(rows, names)).filter((each) =>
      rows.fields.has(each),
    )
    if (meant.length === 0) return rows
    const plain = derived(
      rows,
      meant.flatMap((name): readonly Binding[] => {
        const value = fieldValue(rows, name)
        return isList(value.type)
          ? [{ name, value: call('mv.join', [value, NEW_LINE], 'text') }]
          : []
      }),
    )
    const { rows: placed, number } = numbered(plain, context)
    const columns = meant.map((name) => ({ name, hidden: context.hidden('f') }))
    const into = columns.map(({ name, hidden }) => {
      const value = fieldValue(placed, name)
      return { name: hidden, fn: 'stats.last', args: [value, number], type: value.type }
    })
    const window = windowed(placed, into, { order: byNumber(number) })
    return derived(
      window,
      columns.map(({ name, hidden }, at) => ({
        name,
        value: field(hidden, into[at]?.type ?? 'text'),
      })),
    )
  },
})

const NEW_LINE: Expr = { op: 'const', value: '\n', type: 'text' }

export const fillingCommands: readonly CommandRecord[] = [fillnull, filldown]

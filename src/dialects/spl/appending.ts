/** Rows with others behind them: fields meet by their names, and each side keeps its order. */
import { call, field, number } from '../../ir/expr.ts'
import type { Binding, OrderKey, Rel } from '../../ir/rel.ts'
import type { Type } from '../../ir/types.ts'
import type { Context } from './command.ts'
import { asType, commonType, fieldValue, orderKey, type Rows } from './rows.ts'

/** An order whose keys have names of their own, and these columns. */
interface NamedOrder {
  readonly keys: readonly OrderKey[]
  readonly columns: readonly Binding[]
}

function named({ order }: Rows, context: Context): NamedOrder {
  const pairs = order.map((key) => ({ key, name: context.hidden('o') }))
  return {
    keys: pairs.map(({ key, name }) => ({ ...key, by: field(name, key.by.type) })),
    // Counted places come in several types of the engine, which have none in common.
    columns: pairs.map(({ key, name }) => ({
      name,
      value: key.by.type === 'int' ? call('row.place', [key.by], 'int') : key.by,
    })),
  }
}

const none = ({ name, value }: Binding): Binding => ({
  name,
  value: { op: 'const', value: null, type: value.type },
})

/** The rows of both, the first ones first. */
export function appended(first: Rows, second: Rows, context: Context): Rows {
  const names = [...new Set([...first.fields.keys(), ...second.fields.keys()])]
  const fields = new Map<string, Type>(
    names.map((name) => {
      const types = [first, second].map((each) => each.fields.get(name) ?? 'null')
      const type = commonType(types)
      return [name, type === 'null' ? 'text' : type]
    }),
  )
  const part = context.hidden('a')
  const [before, behind] = [named(first, context), named(second, context)]
  const side = (rows: Rows, index: number, orders: readonly Binding[]): Rel => ({
    op: 'select',
    from: rows.rel,
    keep: [
      ...[...fields].map(([name, type]) => ({ name, value: asType(fieldValue(rows, name), type) })),
      { name: part, value: number(index) },
      ...orders,
    ],
  })
  const all = [
    side(first, 0, [...before.columns, ...behind.columns.map(none)]),
    side(second, 1, [...before.columns.map(none), ...behind.columns]),
  ]
  return {
    rel: { op: 'union', all },
    fields,
    order: [orderKey(part, 'int'), ...before.keys, ...behind.keys],
    isEvents: first.isEvents && second.isEvents,
  }
}

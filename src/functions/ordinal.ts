/** Whole numbers that stand for other values in their order, where the engine's own order of them will not do. */
import { type Sql, sql } from './sql.ts'

/** The least or the greatest number of 64 bits, which stands for a missing value. */
export function bigInteger(sign: '-' | '+'): Sql {
  return sign === '-' ? sql`toInt64(-9223372036854775808)` : sql`toInt64(9223372036854775807)`
}

/**
 * Reals as whole numbers in the same order. What is no number is taken for the least when the least is looked for, and
 * for the greatest when the greatest is.
 */
export function doublesInOrder(value: Sql, which: 'min' | 'max'): Sql {
  // The bits of a real order it among reals of its sign; those below zero run backwards. Adding 0 makes -0 a 0.
  const digits = sql`reinterpret(${value} + 0., 'Int64')`
  const inOrder = sql`if(${digits} < 0, bitXor(${digits}, 9223372036854775807), ${digits})`
  const odd =
    which === 'min' ? sql`toInt64(-9223372036854775807)` : sql`toInt64(9223372036854775806)`
  return sql`if(isNaN(${value}), ${odd}, ${inOrder})`
}

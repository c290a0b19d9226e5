/**
 * Constants and columns with the engine's types: a bare number would take the smallest type that holds it, and types
 * of different sign have no common one.
 */
import { ticksIn } from '../core/time.ts'
import { literal, type Sql, sql } from '../functions/sql.ts'
import type { Const } from '../ir/rel.ts'
import { type BaseType, isList } from '../ir/types.ts'

/** The engine's type of a value that may be missing. */
export function columnType(type: BaseType): Sql {
  switch (type) {
    case 'bool':
      return sql`Nullable(Bool)`
    case 'int32':
      return sql`Nullable(Int32)`
    case 'int':
    case 'span':
      return sql`Nullable(Int64)`
    case 'float':
      return sql`Nullable(Float64)`
    case 'decimal':
      return sql`Nullable(Decimal(76, 20))`
    case 'time':
      return sql`Nullable(DateTime64(7, 'UTC'))`
    default:
      return sql`Nullable(String)`
  }
}

/** A constant as the engine reads it, of the type it has in the IR. */
export function constSql({ value, type }: Const): Sql {
  if (isList(type) && type.list === 'text' && Array.isArray(value) && value.length === 0) {
    // The engine takes an empty list for one of nothing, and what is made of it too.
    return sql`CAST([] AS Array(String))`
  }
  if (isList(type) || type === 'null') return sql`${literal(value)}`
  if (value === null) return sql`CAST(NULL AS ${columnType(type)})`
  switch (type) {
    case 'int32':
      return sql`toInt32(${literal(value)})`
    case 'int':
    case 'span':
      return sql`toInt64(${literal(value)})`
    case 'float':
      return sql`toFloat64(${literal(value)})`
    case 'decimal':
      return sql`toDecimal256(${literal(String(value))}, 20)`
    case 'time':
      return sql`reinterpret(toInt64(${literal(String(ticksIn(String(value))))}), 'DateTime64(7, ''UTC'')')`
    default:
      return sql`${literal(value)}`
  }
}

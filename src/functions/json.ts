/**
 * Values as JSON text and back: the pieces that the functions of dynamic values are built of. A dynamic value is
 * compact JSON text; a missing one is NULL, never the text `null`.
 */
import type { BaseType } from '../ir/types.ts'
import { isList } from '../ir/types.ts'
import { momentText, spanText } from './printed.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

/** A number as JSON has it: what is not finite is a text there, and a whole real keeps its point. */
function realJson(value: Sql): Sql {
  const word = sql`multiIf(isNaN(${value}), '"NaN"', ${value} > 0, '"Infinity"', '"-Infinity"')`
  const digits = sql`if(match(toString(${value}), '[.e]'), toString(${value}), concat(toString(${value}), '.0'))`
  return sql`if(isNull(${value}), NULL, if(isFinite(${value}), ${digits}, ${word}))`
}

/** A value of any type as JSON text, NULL where it is missing. */
export function jsonOf({ sql: value, type }: Pick<SqlArg, 'sql' | 'type'>): Sql {
  if (isList(type)) return sql`toJSONString(${value})`
  switch (type) {
    case 'text':
    case 'ip':
    case 'guid':
      return sql`toJSONString(${value})`
    case 'bool':
      // A comparison is a number to the engine.
      return sql`toString(toBool(${value}))`
    case 'int32':
    case 'int':
      return sql`toString(${value})`
    case 'float':
      return realJson(value)
    case 'decimal':
      return sql`concat('"', toString(${value}), '"')`
    case 'time':
      return sql`concat('"', ${momentText(value)}, '"')`
    case 'span':
      return sql`concat('"', ${spanText(value)}, '"')`
    case 'dynamic':
      return value
    case 'null':
      return sql`CAST(NULL AS Nullable(String))`
  }
}

/** A value as an element of an array or a property of a bag. */
export function elementOf(argument: Pick<SqlArg, 'sql' | 'type'>): Sql {
  return argument.type === 'text' ? jsonOf(argument) : sql`ifNull(${jsonOf(argument)}, 'null')`
}

/** A value as it would be read out of an array again, for looking it up among raw elements. */
export function rawOf(argument: SqlArg): Sql {
  return argument.type === 'float' ? sql`toString(${argument.sql})` : jsonOf(argument)
}

/** A dynamic argument as text that is never NULL; a missing one is no array and no bag. */
export function solid({ sql: value, type }: SqlArg): Sql {
  return type === 'text' ? value : sql`ifNull(${value}, '')`
}

/** Raw elements of an array; none for what is no array. */
export function elements(argument: SqlArg): Sql {
  return sql`JSONExtractArrayRaw(${solid(argument)})`
}

/** JSON text of an array from raw elements. */
export function arrayJson(raw: Sql): Sql {
  return sql`concat('[', arrayStringConcat(${raw}, ','), ']')`
}

/** JSON text of a bag from pairs of a name and a raw value. */
export function bagJson(pairs: Sql): Sql {
  return sql`concat('{', arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), ${pairs}), ','), '}')`
}

/** A result that is there only if the dynamic argument is an array, or a bag. */
export function onlyIf(argument: SqlArg, mark: '[' | '{', result: Sql): Sql {
  return sql`if(startsWith(${solid(argument)}, ${literal(mark)}), ${result}, NULL)`
}

/** The names of types as `gettype` says them. */
export const TYPE_NAMES: Readonly<Record<BaseType, string>> = {
  bool: 'bool',
  int32: 'int',
  int: 'long',
  float: 'real',
  decimal: 'decimal',
  text: 'string',
  time: 'datetime',
  span: 'timespan',
  guid: 'guid',
  ip: 'string',
  dynamic: 'dynamic',
  null: 'null',
}

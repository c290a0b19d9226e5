/** Sizes of data as people write them. */
import { once, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

const UNITS = ['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB']

const { a: size, b: power } = VARIABLES

/** The power of 1024 that a unit stands for, `none` for another word. */
function powerOf(unit: Sql, none: Sql): Sql {
  const words = literal(UNITS.map((each) => each.toLowerCase()))
  return sql`if(has(${words}, lower(${unit})), toFloat64(indexOf(${words}, lower(${unit})) - 1), ${none})`
}

const formatBytes: FunctionRecord = {
  id: 'text.format_bytes',
  says: 'A number of bytes in a unit, or in the greatest one that it fills.',
  takes: [
    { name: 'size', type: 'float' },
    { name: 'precision', type: 'int', optional: true },
    { name: 'units', type: 'text', optional: true },
  ],
  gives: 'text',
  onNull: 'own',
  spelled: { kusto: ['format_bytes'] },
  sql: (args) => {
    const own = sql`if(abs(${size}) < 1024, toFloat64(0), least(floor(log2(abs(${size})) / 10), 6))`
    const unit = args[2]?.sql
    const wanted =
      unit === undefined ? own : sql`if(${unit} = '', ${own}, ${powerOf(unit, sql`-1`)})`
    const digits =
      args[1] === undefined
        ? sql`0`
        : sql`toInt16(least(greatest(ifNull(${args[1].sql}, 0), 0), 15))`
    const number = sql`toString(round(${size} / exp2(10 * ${power}), ${digits}))`
    const words = literal(UNITS)
    const shown = sql`if(${power} < 0, '', concat(${number}, ' ', ${words}[toUInt8(${power} + 1)]))`
    const whole = sql`arrayMap(${size} -> arrayMap(${power} -> ${shown}, [${wanted}])[1], [assumeNotNull(${arg(args, 0).sql})])[1]`
    return once(
      arg(args, 0).sql,
      VARIABLES.c,
      (value) => sql`if(ifNull(isFinite(${value}), false), ${whole}, '')`,
    )
  },
  examples: [
    { args: [1023], gives: '1023 Bytes' },
    { args: [1536, 1], gives: '1.5 KB' },
    { args: [3145728, 0, 'KB'], gives: '3072 KB' },
    { args: [-2048], gives: '-2 KB' },
    { args: [5, 0, 'furlong'], gives: '' },
    { args: [null], gives: '' },
  ],
}

export const byteFunctions: readonly FunctionRecord[] = [formatBytes]

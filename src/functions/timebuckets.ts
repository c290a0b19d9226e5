/** Buckets of time as Splunk's `bin` and `span` make them: instants in seconds since 1970, in UTC. */
import { among, arg, constText, type FunctionRecord } from './record.ts'
import { literal, sql } from './sql.ts'

/** Whole months that one step of a unit has. */
const MONTHS: Readonly<Record<string, number>> = { mon: 1, q: 3, y: 12 }

export const timeBucketFunctions: readonly FunctionRecord[] = [
  {
    id: 'time.bucket_seconds',
    says: 'The beginning of the bucket that an instant is in; buckets of so many seconds begin at an origin.',
    takes: [
      { name: 'seconds', type: 'float' },
      { name: 'length', type: 'float', constant: true },
      { name: 'origin', type: 'float' },
    ],
    gives: 'float',
    onNull: 'null',
    sql: (args) => {
      const length = arg(args, 1).sql
      const origin = arg(args, 2).sql
      return sql`(floor((${arg(args, 0).sql} - ${origin}) / ${length}) * ${length} + ${origin})`
    },
    examples: [
      { args: [1_700_000_059, 300, 0], gives: 1_699_999_800 },
      { args: [-1, 60, 0], gives: -60 },
      { args: [100, 60, 30], gives: 90 },
    ],
  },
  {
    id: 'time.bucket_months',
    says: 'The first instant of the bucket of months (`mon`), quarters (`q`) or years (`y`) that an instant is in.',
    takes: [
      { name: 'seconds', type: 'float' },
      { name: 'count', type: 'int', constant: true },
      { name: 'unit', type: 'text', constant: true, wrong: among(Object.keys(MONTHS)) },
    ],
    gives: 'float',
    onNull: 'null',
    sql: (args) => {
      const months = literal((MONTHS[constText(args, 2)] ?? 1) * Number(arg(args, 1).value))
      const date = sql`toDateTime64(${arg(args, 0).sql}, 0, 'UTC')`
      const number = sql`(toYear(${date}) * 12 + toMonth(${date}) - 1 - 1970 * 12)`
      const first = sql`addMonths(toDate32('1970-01-01'), toInt32(floor(${number} / ${months}) * ${months}))`
      return sql`toFloat64(toUnixTimestamp64Second(toDateTime64(${first}, 0, 'UTC')))`
    },
    examples: [
      { args: [1_700_000_059, 1, 'mon'], gives: 1_698_796_800 },
      { args: [1_700_000_059, 1, 'q'], gives: 1_696_118_400 },
      { args: [1_700_000_059, 1, 'y'], gives: 1_672_531_200 },
    ],
  },
]

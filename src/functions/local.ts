/** Instants in the time of a place, and back. */
import { instantWithin, ticksOf } from './calendar.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { zones } from './zones.ts'

const ZONE: Parameter = {
  name: 'zone',
  type: 'text',
  constant: true,
  wrong: (value) =>
    typeof value === 'string' && zones.has(value.toLowerCase())
      ? undefined
      : 'it must be the name of a time zone, such as Europe/Paris',
}

/** How many ticks a place is ahead of UTC at an instant. */
function ahead(time: Sql, args: readonly SqlArg[]): Sql {
  const zone = zones.get(constText(args, 1).toLowerCase()) ?? 'UTC'
  return sql`toInt64(timezoneOffset(toTimeZone(${time}, ${literal(zone)}))) * 10000000`
}

export const localFunctions: readonly FunctionRecord[] = [
  {
    id: 'time.to_local',
    says: 'The time of day in a place at an instant.',
    takes: [{ name: 'time', type: 'time' }, ZONE],
    gives: 'time',
    onNull: 'own',
    spelled: { kusto: ['datetime_utc_to_local'] },
    sql: (args) =>
      named(arg(args, 0).sql, VARIABLES.a, (t) =>
        instantWithin(sql`${ticksOf(t)} + ${ahead(t, args)}`),
      ),
    examples: [
      {
        args: ['2022-07-11T22:18:48.4678620Z', 'US/Pacific'],
        gives: '2022-07-11T15:18:48.4678620Z',
      },
      { args: [null, 'UTC'], gives: null },
    ],
  },
  {
    id: 'time.of_local',
    says: 'The instant at which it is a time of day in a place; where the clock goes back, one of the two.',
    takes: [{ name: 'time', type: 'time' }, ZONE],
    gives: 'time',
    onNull: 'own',
    spelled: { kusto: ['datetime_local_to_utc'] },
    sql: (args) =>
      named(arg(args, 0).sql, VARIABLES.a, (t) =>
        // The offset in force is that of the instant, which the offset at the same digits in UTC leads to.
        named(instantWithin(sql`${ticksOf(t)} - ${ahead(t, args)}`), VARIABLES.b, (near) =>
          instantWithin(sql`${ticksOf(t)} - ${ahead(near, args)}`),
        ),
      ),
    examples: [
      {
        args: ['2020-02-02T20:02:20.0000000Z', 'US/Pacific'],
        gives: '2020-02-03T04:02:20.0000000Z',
      },
      {
        args: ['2020-02-02T20:02:20.0000000Z', 'europe/paris'],
        gives: '2020-02-02T19:02:20.0000000Z',
      },
      {
        args: ['2020-03-29T03:30:00.0000000Z', 'Europe/Paris'],
        gives: '2020-03-29T01:30:00.0000000Z',
      },
    ],
  },
  {
    id: 'time.zones',
    says: 'The names of all time zones.',
    takes: [],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['datetime_list_timezones'] },
    sql: () => sql`${literal(JSON.stringify([...zones.values()]))}`,
    examples: [],
  },
]

/** From bursts to findings: one each, with its group as entities, its first events as evidence, and what was counted. */
import { limits } from '../../core/limits.ts'
import { instantOfTicks, printInstant, ticksIn } from '../../core/time.ts'
import { and, call, type Expr, number, or, text } from '../../ir/expr.ts'
import { groupedScan } from '../../plan/group.ts'
import { type CorrelationPart, keyOfRule, type Rule } from '../../rules/rule.ts'
import { META } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import { eventColumns, readEvent } from '../event.ts'
import {
  type EventFields,
  type Finding,
  type FoundEntity,
  fixedId,
  type StoredEvent,
} from '../finding.ts'
import type { BurstWorld } from './bursts.ts'
import type { Burst } from './correlator.ts'
import type { MatchRef } from './gauge.ts'

/** Events that one query reads back. */
const AT_ONCE = 200

const keyOf = ({ source, file, record }: MatchRef): string => JSON.stringify([source, file, record])

/** True for the events of one file. */
function areIn(file: string, records: readonly number[]): Expr {
  const plain = { op: 'field', stored: 'plain' } as const
  return and([
    call('compare.is', [{ ...plain, name: META.file, type: 'text' }, text(file)]),
    call('compare.in', [{ ...plain, name: META.record, type: 'int' }, ...records.map(number)]),
  ])
}

function areAmong(refs: readonly MatchRef[]): Expr {
  const byFile = new Map<string, number[]>()
  for (const { file, record } of refs) byFile.set(file, [...(byFile.get(file) ?? []), record])
  return or([...byFile].map(([file, records]) => areIn(file, records)))
}

/** Reads events back by where they came from. */
async function readEvents(
  refs: readonly MatchRef[],
  { store, stored, query }: BurstWorld,
): Promise<ReadonlyMap<string, StoredEvent>> {
  const found = new Map<string, StoredEvent>()
  const bySource = new Map<string, Map<string, MatchRef>>()
  for (const ref of refs) {
    const known = bySource.get(ref.source) ?? new Map<string, MatchRef>()
    bySource.set(ref.source, known.set(keyOf(ref), ref))
  }
  for (const [source, byKey] of bySource) {
    const kept = stored.get(source)
    const all = [...byKey.values()].sort((a, b) => (a.time < b.time ? -1 : 1))
    for (let at = 0; kept !== undefined && at < all.length; at += AT_ONCE) {
      const some = all.slice(at, at + AT_ONCE)
      const [first, last] = [some[0], some.at(-1)]
      if (first === undefined || last === undefined) break
      const columns = eventColumns(kept)
      // The time of the event, which a finding of another correlation does not have, narrows the scan where it is known.
      const to = printInstant(instantOfTicks(ticksIn(last.time) + 1n))
      const time = some.every(({ isExact }) => isExact) ? { from: first.time, to } : {}
      const conditions = [areAmong(some)]
      const sql = printSql(groupedScan({ source, conditions, shared: false, time, columns }))
      for await (const row of store.rows(sql, query)) {
        const event = readEvent(row, columns, 1)
        const { file, record } = event
        found.set(keyOf({ source, file, record, time: event.time, isExact: true }), event)
      }
    }
  }
  return found
}

/** Kinds of entities that fields of a group name, by the usual names of fields. */
const ENTITIES: readonly (readonly [RegExp, type: string, identifier: string])[] = [
  [
    /(?:^|[._-])(?:c|s|src|dst|dest|source|destination|client|remote)?[._-]?ip(?:address|addr|v4|v6)?$/i,
    'IP',
    'Address',
  ],
  [
    /^(?:ipaddress|source(?:network)?address|dest(?:ination)?address|sourceip|destinationip|id\.(?:orig|resp)_h)$/i,
    'IP',
    'Address',
  ],
  [
    /^(?:computer|computername|hostname|host|dest_?host|workstation|workstationname|dvc|devicename|source_?host(?:name)?)$/i,
    'Host',
    'HostName',
  ],
  [
    /^(?:user|username|user_?name|account_?name|(?:target|subject)(?:user|username)|acct|cs-username|useridentity\.(?:arn|username)|src_user|actor|email)$/i,
    'Account',
    'Name',
  ],
]

function entitiesOf(names: readonly string[], group: readonly string[]): readonly FoundEntity[] {
  return names.flatMap((name, at): readonly FoundEntity[] => {
    const known = ENTITIES.find(([pattern]) => pattern.test(name))
    const value = group[at]
    if (known === undefined || value === undefined || value === '') return []
    const [, type, identifier] = known
    return [{ type, [identifier]: value }]
  })
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)))
}

/** The group, and what was counted, as the fields of a row. */
function rowOf(part: CorrelationPart, { group, most, count }: Burst): EventFields {
  const named = part.groupBy.map((name, at) => [name, group[at] ?? ''] as const)
  const measured = part.type === 'event_count' ? count : most
  const isAsked = part.type === 'temporal' || part.type === 'temporal_ordered'
  const name = isAsked ? 'rule_count' : part.type
  const own = measured === undefined ? [] : [[name, numberText(measured)] as const]
  return Object.fromEntries<string>([...named, ...own])
}

function detailsOf(part: CorrelationPart, { byRule, values }: Burst) {
  const counts = part.rules.flatMap(({ name }, at) => {
    const count = byRule[at] ?? 0
    return count === 0 ? [] : [`${name}: ${count}`]
  })
  const fields = part.fields.join(', ')
  return { matches: counts, ...(values.length === 0 ? {} : { [`values of ${fields}`]: values }) }
}

/** A burst that began before what was read is known by the slot of time that it is seen in. */
export interface Seen {
  readonly burst: Burst
  readonly slot?: string
}

/** The findings of bursts; their events are read back. */
export async function* correlationFindings(
  rule: Rule,
  part: CorrelationPart,
  seen: readonly Seen[],
  world: BurstWorld,
): AsyncGenerator<Finding> {
  const whole = seen.slice(0, limits.correlationEvidence)
  const refs = whole.flatMap(({ burst }) => burst.matches.map(({ ref }) => ref))
  const events = await readEvents(refs, world)
  for (const { burst, slot } of seen) {
    const { group, matches, last, count } = burst
    const [first] = matches
    if (first === undefined) continue
    const { ref } = first
    const own = events.get(keyOf(ref))
    // Findings of another correlation may begin with the same event.
    const keys = new Set(matches.map(({ ref: each }) => keyOf(each)))
    const results = [...keys].flatMap((key): readonly EventFields[] => {
      const event = events.get(key)?.event
      return event === undefined ? [] : [event]
    })
    const row = rowOf(part, burst)
    const time = own?.time ?? ref.time
    const from = slot === undefined ? [ref.source, ref.file, ref.record, ref.time] : slot
    const id = fixedId(keyOfRule(rule), group, from)
    const entities = entitiesOf(part.groupBy, group)
    yield {
      time,
      rule_id: rule.id,
      rule_title: rule.title,
      language: rule.language,
      level: rule.level,
      host: own?.host ?? '',
      tags: rule.tags,
      source: ref.source,
      file: ref.file,
      record: ref.record,
      id,
      event: row,
      ...(entities.length === 0 ? {} : { entities }),
      details: detailsOf(part, burst),
      rows: count,
      results,
      window: { from: time, to: printInstant(instantOfTicks(last)) },
    }
  }
}

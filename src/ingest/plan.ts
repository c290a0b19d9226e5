/**
 * What a structured record (JSON, CSV) is, told from its field names alone: a Windows event, a Zeek log line, or a
 * record of its own kind; under which final names its values stand; and where its time and host are.
 */
import type { FieldValue } from './decoder.ts'
import { journalPlan } from './journal.ts'
import type { Arranged, Plan, Planner } from './shape.ts'
import { datePair, hostSlots, timeSlots } from './times.ts'
import {
  dataPairs,
  guidText,
  hasPairs,
  keywordsText,
  type NewNames,
  windowsNames,
} from './winnames.ts'
import { zeekPath } from './zeekpath.ts'

/** Log Analytics exports add the zone of a time column to its name; the column itself is called without. */
const ZONE_NOTE = ' [UTC]'

function withoutNote(name: string): string {
  return name.endsWith(ZONE_NOTE) ? name.slice(0, -ZONE_NOTE.length) : name
}

function textsOf(value: FieldValue | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? [''])
}

/** Names without repetition, and for each the places whose values it holds. */
function grouped(renamed: NewNames): {
  readonly names: readonly string[]
  readonly places: readonly (readonly number[])[]
} {
  const places = new Map<string, number[]>()
  renamed.forEach((name, place) => {
    if (name === undefined) return
    const known = places.get(name)
    if (known === undefined) places.set(name, [place])
    else known.push(place)
  })
  return { names: [...places.keys()], places: [...places.values()] }
}

function gathered(values: readonly FieldValue[], places: readonly number[]): FieldValue {
  const [first = 0] = places
  if (places.length === 1) return values[first] ?? null
  return places.flatMap((place) => textsOf(values[place]))
}

function isEmpty(value: FieldValue | undefined): boolean {
  return value == null || value === ''
}

/** Replaces the name and text lists of `<Data Name="...">` pairs by one field for each name. */
function withPairs(arranged: Arranged, raw: string): Arranged {
  const pairs = dataPairs(raw)
  if (pairs.length === 0) return arranged
  const fields = new Map<string, FieldValue>()
  arranged.names.forEach((name, at) => {
    if (name !== 'Data' && name !== 'Data_Name' && !/^Data\./.test(name)) {
      fields.set(name, arranged.values[at] ?? null)
    }
  })
  for (const [name, text] of pairs) {
    const before = fields.get(name)
    fields.set(name, before === undefined ? text : [...textsOf(before), text])
  }
  return { names: [...fields.keys()], values: [...fields.values()] }
}

/** System fields whose values are printed in one way only, whatever a converter made of them. */
const PRINTED: ReadonlyMap<string, (text: string) => string> = new Map([
  ['Keywords', keywordsText],
  ['Provider_Guid', guidText],
  ['Correlation_ActivityID', guidText],
  ['Correlation_RelatedActivityID', guidText],
])

function windowsPlan(original: readonly string[], renamed: NewNames): Plan {
  const { names, places } = grouped(renamed)
  const printed = names.flatMap((name, at) => {
    const print = PRINTED.get(name)
    return print === undefined ? [] : [{ at, print }]
  })
  const left = original.flatMap((_, place) => (renamed[place] === undefined ? [place] : []))
  const isPlain = names.length === original.length && printed.length === 0
  const pairs = hasPairs(original)
  const arrange = (values: readonly FieldValue[], raw: string): Arranged => {
    const kept = places.map((each) => gathered(values, each))
    for (const { at, print } of printed) {
      const text = kept[at]
      if (typeof text === 'string') kept[at] = print(text)
    }
    // Elements without content are no fields; should one have content after all, it is kept under its full path.
    const extra = left.filter((place) => !isEmpty(values[place]) && isOwn(original[place]))
    const arranged =
      extra.length === 0
        ? { names, values: kept }
        : {
            names: [...names, ...extra.map((place) => original[place] ?? '')],
            values: [...kept, ...extra.map((place) => values[place] ?? null)],
          }
    return pairs ? withPairs(arranged, raw) : arranged
  }
  const first = (slot: number): number => places[slot]?.[0] ?? -1
  return {
    kind: 'windows',
    names,
    times: timeSlots(names).map(first),
    hosts: hostSlots(names).map(first),
    ...(isPlain && !pairs ? {} : { arrange }),
  }
}

function isOwn(name: string | undefined): boolean {
  return name !== undefined && !name.includes('xmlns')
}

/** Zeek writes its records as JSON too; which log it is stands in `_path` or in the name of the file. */
function zeekPlan(names: readonly string[], file: string): Plan | undefined {
  if (!names.includes('ts')) return undefined
  const path = zeekPath(file)
  const hasPath = names.includes('_path')
  const isConnection = names.includes('uid') && names.includes('id.orig_h')
  if (!hasPath && !isConnection && path === undefined) return undefined
  const times = [names.indexOf('ts')]
  if (hasPath || path === undefined) return { kind: 'zeek', names, times, hosts: [] }
  const longer = [...names, '_path']
  const arrange = (values: readonly FieldValue[]): Arranged => ({
    names: longer,
    values: [...values, path],
  })
  return { kind: 'zeek', names: longer, times, hosts: [], arrange }
}

/** Event buses and audit APIs put the record of a service under one key, beside facts of the envelope. */
const ENVELOPES: readonly (readonly [prefix: string, beside: string])[] = [
  ['detail.', 'detail-type'],
  ['auditData.', 'auditLogRecordType'],
]

/** The record within an envelope, under its own names; names of the envelope that would then be there twice go. */
function enveloped(kind: string, names: readonly string[]): Plan | undefined {
  const known = ENVELOPES.find(([prefix, beside]) => {
    return names.includes(beside) && names.some((name) => name.startsWith(prefix))
  })
  if (known === undefined) return undefined
  const [prefix] = known
  const inner = new Set(names.flatMap((each) => withoutStart(each, prefix) ?? []))
  const renamed = names.map((name) => {
    return withoutStart(name, prefix) ?? (inner.has(name) ? `envelope.${name}` : name)
  })
  if (new Set(renamed).size !== renamed.length) return undefined
  return { kind, names: renamed, times: timeSlots(renamed), hosts: hostSlots(renamed) }
}

function withoutStart(name: string, start: string): string | undefined {
  return name.startsWith(start) && name.length > start.length ? name.slice(start.length) : undefined
}

/** Makes the plans of the records of one file. `kind` is given to records that are of no special kind. */
export function recordPlanner(kind: 'json' | 'csv', file: string): Planner {
  return (original) => {
    const bare = original.map(withoutNote)
    const noted = new Set(bare).size === original.length ? bare : original
    const windows = windowsNames(noted)
    if (windows !== undefined) return windowsPlan(noted, windows)
    return (
      zeekPlan(noted, file) ??
      journalPlan(noted) ??
      enveloped(kind, noted) ?? {
        kind,
        names: noted,
        times: timeSlots(noted),
        pair: datePair(noted),
        hosts: hostSlots(noted),
      }
    )
  }
}

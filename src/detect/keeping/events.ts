/**
 * Writing what the product says itself as events of its own sources: once each, told by their ids. Ids that are stored are
 * asked for before anything is written, so that what is there already is not written again. Events of a batch that a crash
 * cut short are written again under the id of that batch: until it is noted, nobody is told of the minutes that it has
 * touched, and the owner of the store removes its rows.
 */
import { createHash } from 'node:crypto'
import { type Instant, parseIso } from '../../core/time.ts'
import type { Store } from '../../engine/store.ts'
import { BatchEncoder, type KnownNames } from '../../ingest/encode.ts'
import type { Batch } from '../../schema/batch.ts'
import type { OwnSource } from '../../schema/own.ts'
import { META } from '../../schema/source.ts'
import type { OwnEvent } from './fields.ts'
import { ownRows } from './ownrows.ts'

export type OwnStore = Pick<Store, 'write' | 'rows' | 'catalogue' | 'columnNames' | 'unnoted'>

/** Events of own sources that belong together; those that come later are there only when those before are. */
export type OwnEvents = readonly (readonly [source: OwnSource, events: readonly OwnEvent[]])[]

type Sourced = readonly [source: OwnSource, event: OwnEvent]

const NO_BATCH = ''
/** Name that the events have in place of a file. */
const FILE = 'harrier'
/** Events of one batch. */
const TOGETHER = 5_000

/** Texts of stored events, by their ids; none for those that are not stored. */
export async function storedTexts(
  store: Pick<OwnStore, 'rows' | 'catalogue'>,
  source: OwnSource,
  ids: readonly string[],
  names: readonly string[] = [],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  const rows = ownRows(store, source, ['id', ...names], { by: 'id', values: ids })
  for await (const [id = '', ...rest] of rows) found.set(id, rest)
  return found
}

/**
 * What is yet to be stored, each event once: by the batch that was cut short with it, and under no batch what is not there.
 * Batches that were cut short come first, since what they hold is in the order of the sources.
 */
async function unstored(
  store: OwnStore,
  groups: OwnEvents,
): Promise<ReadonlyMap<string, readonly Sourced[]>> {
  const cut = await store.unnoted()
  const found = new Map<string, Sourced[]>()
  const fresh: Sourced[] = []
  for (const [source, events] of groups) {
    const wanted = new Map(events.map((each) => [each.id, each]))
    const names = cut.size > 0 ? [META.batch] : []
    const there = await storedTexts(store, source, [...wanted.keys()], names)
    for (const [id, event] of wanted) {
      const stored = there.get(id)
      if (stored === undefined) {
        fresh.push([source, event])
        continue
      }
      const [batch = NO_BATCH] = stored
      if (!cut.has(batch)) continue
      const list = found.get(batch) ?? []
      list.push([source, event])
      found.set(batch, list)
    }
  }
  if (fresh.length > 0) found.set(NO_BATCH, fresh)
  return found
}

/**
 * Batches of events, each small enough for one insert; the blocks of a batch are stored in the order of `sources`. The first
 * has the given id, the others, and the first without one, an id made from those of their events.
 */
function* batchesOf(
  events: readonly Sourced[],
  sources: readonly string[],
  known: KnownNames,
  now: Instant,
  first: string,
): Generator<Batch> {
  const schema = { recognise: (kind: string) => kind, sources: new Map(), forced: undefined }
  const encoder = new BatchEncoder(FILE, schema, known, now)
  let given = first
  let ids: string[] = []
  const cut = (): Batch => {
    const batch = encoder.cut()
    const made = createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 32)
    const id = given === NO_BATCH ? made : given
    given = NO_BATCH
    ids = []
    const blocks = [...batch.blocks].sort(
      (a, b) => sources.indexOf(a.source) - sources.indexOf(b.source),
    )
    return { ...batch, id, first: 0, blocks }
  }
  for (const [kind, { id, names, values, raw, time, host }] of events) {
    ids.push(`${kind} ${id}`)
    encoder.event({ kind, names, values, raw, host, record: 0, time: parseIso(time) ?? now })
    if (encoder.isFull || ids.length === TOGETHER) yield cut()
  }
  if (ids.length > 0) yield cut()
}

/**
 * Stores events of own sources, those that are not stored already; gives the ids that are new, when all of them are on
 * disk. Where the call is cut short, an event of a later source is stored only if all before it are.
 */
export async function writeEvents(
  store: OwnStore,
  groups: OwnEvents,
  now: Instant,
): Promise<ReadonlySet<string>> {
  const fresh = await unstored(store, groups)
  const sources = groups.map(([source]) => source)
  const names = await store.columnNames()
  const known: KnownNames = new Map(
    sources.map((source) => [source, new Set(names.get(source) ?? [])]),
  )
  for (const [id, events] of fresh) {
    for (const batch of batchesOf(events, sources, known, now, id)) await store.write(batch)
  }
  return new Set([...fresh.values()].flatMap((events) => events.map(([, { id }]) => id)))
}

/**
 * Writing what the product says itself as events of its own sources: once each, told by their ids. Ids that are stored are
 * asked for before anything is written, and the batch of what is left has an id made from theirs, so that what a crash
 * cut short is finished, and what is there already is not written again.
 */
import { createHash } from 'node:crypto'
import { type Instant, parseIso } from '../../core/time.ts'
import type { Store } from '../../engine/store.ts'
import { BatchEncoder, type KnownNames } from '../../ingest/encode.ts'
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { Batch } from '../../schema/batch.ts'
import type { OwnSource } from '../../schema/own.ts'
import { printSql } from '../../sql/print.ts'
import type { OwnEvent } from './fields.ts'

export type OwnStore = Pick<Store, 'write' | 'rows' | 'catalogue' | 'columnNames'>

/** Events of own sources that belong together; those that come later are there only when those before are. */
export type OwnEvents = readonly (readonly [source: OwnSource, events: readonly OwnEvent[]])[]

/** Name that the events have in place of a file. */
const FILE = 'harrier'
/** Ids that one query asks for. */
const ASKED = 1_000
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
  const columns = (await store.catalogue()).get(source)?.text
  const all = ['id', ...names]
  if (columns === undefined || !columns.has('id')) return found
  const value = (name: string): Expr =>
    columns.has(name) ? { op: 'field', name, type: 'text', stored: 'plain' } : text('')
  for (let from = 0; from < ids.length; from += ASKED) {
    const rel: Rel = {
      op: 'select',
      from: {
        op: 'filter',
        from: {
          op: 'scan',
          table: { kind: 'source', name: source },
          time: {},
          out: all
            .filter((name) => columns.has(name))
            .map((name) => ({ name, type: 'text', stored: 'plain' })),
        },
        where: call('match.in', [value('id'), texts(ids.slice(from, from + ASKED))]),
      },
      keep: all.map((name) => ({ name, value: value(name) })),
    }
    for await (const [id, ...rest] of store.rows(printSql(rel))) {
      found.set(String(id), rest.map(String))
    }
  }
  return found
}

/** The events that are not stored, each once. */
async function unstored(
  store: OwnStore,
  source: OwnSource,
  events: readonly OwnEvent[],
): Promise<readonly OwnEvent[]> {
  const fresh = new Map(events.map((each) => [each.id, each]))
  const there = await storedTexts(store, source, [...fresh.keys()])
  for (const id of there.keys()) fresh.delete(id)
  return [...fresh.values()]
}

/** Batches of events, each small enough for one insert; the blocks of a batch are stored in the order of `sources`. */
function* batchesOf(
  events: readonly (readonly [OwnSource, OwnEvent])[],
  sources: readonly string[],
  known: KnownNames,
  now: Instant,
): Generator<Batch> {
  const schema = { recognise: (kind: string) => kind, sources: new Map(), forced: undefined }
  const encoder = new BatchEncoder(FILE, schema, known, now)
  let ids: string[] = []
  const cut = (): Batch => {
    const batch = encoder.cut()
    const id = createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 32)
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
  const fresh: (readonly [OwnSource, OwnEvent])[] = []
  for (const [source, events] of groups) {
    for (const each of await unstored(store, source, events)) fresh.push([source, each])
  }
  const sources = groups.map(([source]) => source)
  const names = await store.columnNames()
  const known: KnownNames = new Map(
    sources.map((source) => [source, new Set(names.get(source) ?? [])]),
  )
  for (const batch of batchesOf(fresh, sources, known, now)) await store.write(batch)
  return new Set(fresh.map(([, { id }]) => id))
}

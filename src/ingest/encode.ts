/**
 * Decoded events to batches: each event is recognised as one source, its fields become columns, and a batch is
 * cut at a fixed number of rows or bytes, so that the same file always gives the same batches.
 */
import { createHash } from 'node:crypto'
import { limits } from '../core/limits.ts'
import { EARLIEST_MS, type Instant, LATEST_MS, parseInstant } from '../core/time.ts'
import type { Batch, Reject, SourceBlock } from '../schema/batch.ts'
import {
  constantText,
  ListColumn,
  MapColumn,
  TextColumn,
  TimeColumn,
  Uint64Column,
} from '../schema/columns.ts'
import { LIST_SUFFIX, META, type Source, storedName } from '../schema/source.ts'
import type { DecodedEvent, FieldValue } from './decoder.ts'

/** What events need to find their table. */
export interface EncodeSchema {
  /** Source of an event by its kind and fields. */
  readonly recognise: (
    kind: string,
    names: readonly string[],
    values: readonly FieldValue[],
  ) => string
  readonly sources: ReadonlyMap<string, Source>
  /** Source that the user named for all events, if any. */
  readonly forced: string | undefined
}

/** Names already stored for each source, shared by all batches of one worker. */
export type KnownNames = Map<string, Set<string>>

/** Events dated further ahead than this carry the flag `future`. */
const AHEAD_MS = 5 * 60_000
const RAW_SHOWN = 64 * 1024

class Rows {
  readonly source: Source | undefined
  readonly known: Set<string>
  readonly texts = new Map<string, TextColumn>()
  /** Columns by the name that events give the field, where that is also its stored name. */
  readonly direct = new Map<string, TextColumn>()
  readonly lists = new Map<string, ListColumn>()
  readonly time = new TimeColumn()
  readonly host = new TextColumn()
  readonly record = new Uint64Column()
  readonly raw = new TextColumn()
  readonly empty = new ListColumn()
  readonly nulls = new ListColumn()
  readonly more = new MapColumn()
  readonly flags = new ListColumn()
  rows = 0
  overflow = false
  bytes = 0

  constructor(source: Source | undefined, known: Set<string>) {
    this.source = source
    this.known = known
  }

  /** True when the field has, or may get, a column of its own; false when it goes to the overflow map. */
  #hasColumn(name: string): boolean {
    if (this.known.has(name)) return true
    if (this.known.size >= limits.fieldsPerSource) return false
    if (
      name.length > limits.fieldNameBytes / 3 &&
      Buffer.byteLength(name) > limits.fieldNameBytes
    ) {
      return false
    }
    this.known.add(name)
    return true
  }

  /** The column of a field, or undefined when its values go to the overflow map. */
  column(name: string): TextColumn | undefined {
    const known = this.texts.get(name)
    if (known !== undefined) return known
    if (!this.#hasColumn(name)) return undefined
    const column = new TextColumn()
    this.texts.set(name, column)
    return column
  }

  text(name: string, value: string): void {
    const column = this.column(name)
    if (column !== undefined) column.append(this.rows, value)
    else {
      this.overflow = true
      this.more.append(this.rows, name, value)
    }
  }

  list(name: string, values: readonly string[]): void {
    const stored = name + LIST_SUFFIX
    if (!this.#hasColumn(stored)) {
      this.overflow = true
      this.more.append(this.rows, stored, JSON.stringify(values))
      return
    }
    let column = this.lists.get(stored)
    if (column === undefined) {
      column = new ListColumn()
      this.lists.set(stored, column)
    }
    column.append(this.rows, values)
  }

  /** The rows taken so far as a block; the builders start again empty and keep their buffers. */
  take(name: string, file: string): SourceBlock {
    const { rows, overflow } = this
    this.rows = 0
    this.bytes = 0
    this.overflow = false
    const used = <T extends { readonly size: number }>(columns: Map<string, T>) =>
      [...columns].filter(([, column]) => column.size > 0)
    return {
      source: name,
      rows,
      overflow,
      columns: [
        this.time.finish(META.time, rows),
        this.host.finish(META.host, rows),
        constantText(META.file, file, rows),
        this.record.finish(META.record, rows),
        this.raw.finish(META.raw, rows),
        this.empty.finish(META.empty, rows),
        this.nulls.finish(META.nulls, rows),
        this.more.finish(META.more, rows),
        this.flags.finish(META.flags, rows),
        ...used(this.texts).map(([field, column]) => column.finish(field, rows)),
        ...used(this.lists).map(([field, column]) => column.finish(field, rows)),
      ],
    }
  }
}

/** The first field of a list of names that reads as an instant. */
function timeFromFields(event: DecodedEvent, names: readonly string[]): Instant | undefined {
  for (const name of names) {
    const value = event.values[event.names.indexOf(name)]
    const found = typeof value === 'string' ? parseInstant(value) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function textFromFields(event: DecodedEvent, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = event.values[event.names.indexOf(name)]
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** Collects the events of one file into batches. */
export class BatchEncoder {
  readonly #file: string
  readonly #schema: EncodeSchema
  readonly #known: KnownNames
  readonly #now: Instant
  readonly #sources = new Map<string, Rows>()
  #rejects: Reject[] = []
  #rejectBytes = 0
  #first = 1
  #received = 0

  /** `first`: the number of the first record, for a file that is read on from where it was left. */
  constructor(file: string, schema: EncodeSchema, known: KnownNames, now: Instant, first = 1) {
    this.#file = file
    this.#schema = schema
    this.#known = known
    this.#now = now
    this.#first = first
  }

  /** Records taken since the last batch. */
  get received(): number {
    return this.#received
  }

  /** Number, within the file, of the first record of the batch being collected. */
  get first(): number {
    return this.#first
  }

  /** True when the batch must be cut here. */
  get isFull(): boolean {
    if (this.#received >= limits.batchRows) return true
    let bytes = this.#rejectBytes
    let cells = 0
    for (const rows of this.#sources.values()) {
      bytes += rows.bytes
      cells += rows.rows * (rows.texts.size + rows.lists.size)
    }
    return bytes >= limits.batchBytes || cells >= limits.batchCells
  }

  #rowsOf(event: DecodedEvent): Rows {
    const { forced, recognise, sources } = this.#schema
    const name = forced ?? recognise(event.kind, event.names, event.values)
    let rows = this.#sources.get(name)
    if (rows === undefined) {
      let known = this.#known.get(name)
      if (known === undefined) {
        known = new Set()
        this.#known.set(name, known)
      }
      rows = new Rows(sources.get(name), known)
      this.#sources.set(name, rows)
    }
    return rows
  }

  #time(rows: Rows, event: DecodedEvent): void {
    const flags: string[] = []
    const found = event.time ?? timeFromFields(event, rows.source?.time ?? [])
    let { ms, sub } = found ?? this.#now
    if (found === undefined) flags.push('no_time')
    else if (ms < EARLIEST_MS || ms > LATEST_MS) {
      ms = ms < EARLIEST_MS ? EARLIEST_MS : LATEST_MS
      sub = 0
      flags.push('time_out_of_range')
    } else if (ms > this.#now.ms + AHEAD_MS) flags.push('future')
    rows.time.append(rows.rows, ms, sub)
    if (flags.length > 0) rows.flags.append(rows.rows, flags)
  }

  /** The name a field is stored under: the source's own name for it, unless the event has that one as well. */
  #nameOf(
    given: string,
    names: readonly string[],
    rename: Readonly<Record<string, string>> | undefined,
  ): string {
    if (rename === undefined || !Object.hasOwn(rename, given)) return given
    const known = rename[given]
    if (known === undefined || names.includes(known)) return given
    const first = names.find((each) => Object.hasOwn(rename, each) && rename[each] === known)
    return first === given ? known : given
  }

  /** The name of the column of a field. When that is another field of the event, it is changed until it is free. */
  #storedName(
    given: string,
    names: readonly string[],
    rename: Readonly<Record<string, string>> | undefined,
  ): string {
    let name = storedName(this.#nameOf(given, names, rename))
    while (name !== given && names.includes(name)) name = `field_${name}`
    return name
  }

  /** Takes one event; its fields go to the columns of its source. */
  event(event: DecodedEvent): void {
    const rows = this.#rowsOf(event)
    const row = rows.rows
    const rename = rows.source?.rename
    const empty: string[] = []
    const nulls: string[] = []
    let bytes = event.raw.length + 64
    const { names, values } = event
    for (let index = 0; index < names.length; index++) {
      const given = names[index] ?? ''
      const value = values[index]
      // The common case, ten times out of eleven: a text for a column that is known by this very name.
      const column = typeof value === 'string' && value !== '' ? rows.direct.get(given) : undefined
      if (column !== undefined && typeof value === 'string') {
        bytes += value.length + 2
        column.append(row, value)
        continue
      }
      const name = this.#storedName(given, names, rename)
      if (typeof value === 'string') {
        bytes += value.length + 2
        if (value === '') empty.push(name)
        else {
          rows.text(name, value)
          const made = rename === undefined && name === given ? rows.texts.get(name) : undefined
          if (made !== undefined) rows.direct.set(given, made)
        }
      } else if (value === null || value === undefined) nulls.push(name)
      else {
        for (const each of value) bytes += each.length + 2
        rows.list(name, value)
      }
    }
    this.#time(rows, event)
    rows.host.append(row, event.host ?? textFromFields(event, rows.source?.host ?? []) ?? '')
    rows.record.append(row, event.record)
    rows.raw.append(row, event.raw)
    if (empty.length > 0) rows.empty.append(row, empty)
    if (nulls.length > 0) rows.nulls.append(row, nulls)
    rows.rows++
    rows.bytes += bytes
    this.#received++
  }

  /** Takes a record that cannot be stored. */
  reject(code: string, reason: string, place: string, raw: string): void {
    const shown = raw.length > RAW_SHOWN ? raw.slice(0, RAW_SHOWN) : raw
    this.#rejects.push({ file: this.#file, place, code, reason, raw: shown })
    this.#rejectBytes += shown.length + 128
    this.#received++
  }

  #idOf(blocks: readonly (readonly [source: string, rows: number, raw: Uint8Array])[]): string {
    const hash = createHash('sha256').update(
      JSON.stringify([this.#file, this.#first, this.#received]),
    )
    for (const [source, rows, raw] of blocks) hash.update(`\0${source}\0${rows}\0`).update(raw)
    for (const { place, code, raw } of this.#rejects)
      hash.update(JSON.stringify([place, code, raw]))
    return hash.digest('hex').slice(0, 32)
  }

  #filled(): readonly (readonly [string, Rows])[] {
    return [...this.#sources]
      .filter(([, rows]) => rows.rows > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** The id that the batch would have if it were cut here. */
  get id(): string {
    return this.#idOf(this.#filled().map(([name, { rows, raw }]) => [name, rows, raw.written]))
  }

  /** The batch of all that was taken since the last one. */
  cut(): Batch {
    const { id } = this
    const blocks = this.#filled().map(([name, rows]) => rows.take(name, this.#file))
    const batch: Batch = {
      id,
      file: this.#file,
      first: this.#first,
      received: this.#received,
      blocks,
      rejects: this.#rejects,
    }
    this.#first += this.#received
    this.#received = 0
    this.#rejects = []
    this.#rejectBytes = 0
    return batch
  }
}

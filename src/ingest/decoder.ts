/**
 * The one interface behind which every log format stands: bytes in, decoded events out. A decoder never
 * throws for bad input: it rejects the record with a place and goes on, and it always ends.
 */
import type { Instant } from '../core/time.ts'

/** A text, several texts (multivalued, kept in order), or null (present without a value). */
export type FieldValue = string | readonly string[] | null

export interface DecodedEvent {
  /** Family of the record: `windows`, `syslog`, `auditd`, `zeek`, `w3c`, `access`, `json`, `csv`. */
  readonly kind: string
  /** Field names and values, in parallel, in the order of the record. No name occurs twice. */
  readonly names: readonly string[]
  readonly values: readonly FieldValue[]
  /** The record as a person or Splunk would see it: line, JSON text, event XML. */
  readonly raw: string
  readonly time?: Instant | undefined
  readonly host?: string | undefined
  /** Record number or line number within the file, from 1. */
  readonly record: number
}

export interface Sink {
  event(event: DecodedEvent): void
  /** Counts a record that cannot be stored. `raw` may be cut by the sink. */
  reject(code: string, reason: string, place: string, raw: string): void
  /** A fact about the file that is no record: a damaged chunk, a bad header. Counted and shown, not stored. */
  damage(code: string, reason: string, place: string): void
  /** Resolves when the sink can take more; decoders await it about once a chunk. */
  ready(): Promise<void>
}

export interface DecodeContext {
  readonly file: string
  /** The clock at intake start, for formats without a year; passed in so that decoders stay repeatable. */
  readonly now: Instant
  /** True to look for whole records behind damaged ones, where a format allows to tell them (`--recover`). */
  readonly recover?: boolean
}

export interface Decoder {
  /** Name for `--format`. */
  readonly name: string
  readonly says: string
  /** How sure the decoder is, 0 to 100, from the first bytes (up to 64 KiB) of the unpacked file. */
  detect(head: Uint8Array): number
  decode(bytes: AsyncIterable<Uint8Array>, sink: Sink, context: DecodeContext): Promise<void>
}

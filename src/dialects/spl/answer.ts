/** What compiling a search gives. Plain data. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { Order, Rel } from '../../ir/rel.ts'
import type { Schema } from '../../ir/types.ts'

/** What a note is about. */
export type NoteKind = 'macro' | 'data model' | 'lookup' | 'time' | 'missing keys' | 'assumption'

/** Something that the search does or that was assumed for it, for a person. */
export interface SplNote {
  readonly kind: NoteKind
  readonly text: string
  /** In the search as written. */
  readonly span?: Span
  /** One row with the number of what the note speaks of, such as the rows that are not counted. */
  readonly count?: Rel
}

/**
 * How texts are looked at one by one: those in which the pattern (of ECMAScript) finds something are kept; with a
 * replacement, each that it changes is given as a JSON list of itself and what it becomes.
 */
export interface Confirmation {
  readonly pattern: string
  readonly flags: string
  readonly replacement?: string
}

/** Texts that only the data can tell: the values of the first column of `rel`, to be given under `key`. */
export interface Discovery {
  readonly key: string
  readonly rel: Rel
  readonly confirm?: Confirmation
}

/** Something to be done with rows when the search has run. */
export interface Effect {
  readonly kind: 'outputlookup'
  /** The lookup that is written. */
  readonly name: string
  readonly rel: Rel
  readonly columns: Schema
  readonly options: Readonly<Record<string, string>>
  readonly span: Span
}

export interface SplAnswer {
  /** Absent when the search cannot run; the diagnostics say why. */
  readonly rel?: Rel
  /** The fields that it gives, in order; empty without `rel`. */
  readonly columns: Schema
  /** The order in which the rows come. */
  readonly order: Order
  /** True when the rows are events, not those of a table. */
  readonly isEvents: boolean
  /** What must be found in the data before the search can be compiled in full. */
  readonly discoveries: readonly Discovery[]
  readonly effects: readonly Effect[]
  readonly notes: readonly SplNote[]
  /** The datasets that it reads (`Endpoint.Processes`), and `events` for a search of events. */
  readonly reads: readonly string[]
  /** Their spans are in the text as written. */
  readonly diagnostics: readonly Diagnostic[]
}

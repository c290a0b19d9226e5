/**
 * What a search may read and call, as the compiler needs it: macros, lookups, data models, and what fields events
 * have. Handed in by the shell, so that compiling stays pure.
 */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Rel } from '../../ir/rel.ts'
import type { Schema } from '../../ir/types.ts'
import type { Dataset } from '../../schema/datamodels.ts'
import type { EventFields, SourceTest } from '../../schema/eventview.ts'
import type { Patterns } from './lookuptokens.ts'

/** A macro: text that stands for other text. One name may have several, told apart by their number of arguments. */
export interface Macro {
  readonly name: string
  readonly args: readonly string[]
  readonly definition: string
  /** True when the definition is an eval expression that gives the text. */
  readonly isEval?: boolean
  /** Where it comes from, for messages. */
  readonly file?: string
}

/** How values of a key are matched with those of a lookup's column. */
export type MatchType = 'exact' | 'wildcard' | 'cidr'

export interface LookupOptions {
  /** By column; those not named are matched exactly. */
  readonly match: ReadonlyMap<string, Exclude<MatchType, 'exact'>>
  readonly isCaseSensitive: boolean
  readonly maxMatches: number
  readonly minMatches: number
  /** What the outputs hold when there are fewer matches than the least; empty when nothing is written for it. */
  readonly defaultMatch: string
}

/** A lookup: a table with its columns and how keys are matched. */
export interface Lookup {
  readonly name: string
  readonly columns: readonly string[]
  readonly options: LookupOptions
  /** Number of rows; undefined when the table is known by name only and has no rows yet. */
  readonly rows?: number
  /** Its rows: the columns as texts (a missing value is empty) and `@@line`, an int, in the order of the file. */
  readonly rel: Rel
  /** How the cells of columns with patterns and networks are found; where nothing is told, in any of all ways. */
  readonly patterns?: ReadonlyMap<string, Patterns>
  /** The name under which its rows are stored when a search writes them; without one it cannot be written. */
  readonly storage?: string
  /** The columns that a search may write, where not all may be. */
  readonly keeps?: readonly string[]
  /** Its output is computed from its key: column by column, the function that does it. */
  readonly computed?: ReadonlyMap<string, string>
  /** Why it cannot be used. */
  readonly refused?: string
  /** What is wrong with its file. */
  readonly faults?: readonly Diagnostic[]
}

/** Rows that are written down, for tests of searches: a field may be a text, a list of texts, or missing. */
export interface WrittenRows {
  readonly fields: Schema
  readonly rel: Rel
}

export interface World {
  readonly macro: (name: string, args: number) => Macro | undefined
  /** Names of all macros, for suggestions. */
  readonly macroNames: () => Iterable<string>
  /** The fields of the events that meet the tests. */
  readonly events: (tests: readonly SourceTest[]) => EventFields
  /** A dataset by the model's name and, where given, that of a dataset in it; without one, the model's first. */
  readonly dataset: (model: string, name?: string) => Dataset | undefined
  readonly datasetNames: () => Iterable<string>
  readonly lookup: (name: string) => Lookup | undefined
  readonly lookupNames: () => Iterable<string>
  /** Rows that a search without a first command begins with, instead of events. */
  readonly rows?: WrittenRows
  /** Rows that stand for the events of an index, by its name. */
  readonly indexes?: ReadonlyMap<string, WrittenRows>
}

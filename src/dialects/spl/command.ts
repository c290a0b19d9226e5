/** What a command is: one record, which reads its arguments and makes rows from rows. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { Dataset } from '../../schema/datamodels.ts'
import type { SourceTest } from '../../schema/eventview.ts'
import type { Confirmation, Effect, NoteKind } from './answer.ts'
import type { EvalExpr, SearchExpr, Subsearch } from './ast.ts'
import type { OptionKinds } from './options.ts'
import type { Reader } from './reader.ts'
import type { Rows } from './rows.ts'
import type { TimeModifier } from './searchterms.ts'
import type { World } from './world.ts'

/** The lowering of one search, as the commands see it. */
export interface Context {
  readonly world: World
  /** A name for a column that only the plan knows. */
  hidden(label: string): string
  /** Something to tell that does not stop the search. Its span is in the expanded text. */
  notice(diagnostic: Diagnostic): void
  /** Something for `explain`: an assumption, a mapping; `count` gives the number that it speaks of in one row. */
  note(kind: NoteKind, text: string, span?: Span, count?: Rel): void
  /** Something to be done with the rows when the search has run. */
  effect(effect: Effect): void
  /** An expression of `eval` over rows. */
  evaluate(expr: EvalExpr, rows: Rows): Expr
  /** A test of `where` over rows: true or false, never missing. */
  test(expr: EvalExpr, rows: Rows): Expr
  /** A condition of `search` over rows. */
  condition(expr: SearchExpr, rows: Rows): Expr
  /**
   * The events that may meet the tests on their sources, within the time that the modifiers set or else the search's.
   * `isStored`: they come from the store, where tests of sources are decided source by source.
   */
  events(
    tests: readonly SourceTest[],
    times: readonly TimeModifier[],
  ): { readonly rows: Rows; readonly isStored: boolean }
  /** The events of a dataset of a data model, under the plain names of its fields. */
  dataset(
    name: { readonly model: string; readonly dataset?: string; readonly span: Span },
    times: readonly TimeModifier[],
  ): { readonly rows: Rows; readonly dataset: Dataset }
  /** The rows of a subsearch; commands that begin with rows (`appendpipe`) get them. */
  subsearch(search: Subsearch, rows?: Rows): Rows
  /** The rows of a search that stands in a string, as `map` has it. */
  inner(text: string, rows: Rows | undefined, span: Span): Rows
  /**
   * Texts that only the data can tell: those of the first column of a relation. Until they are known the search is
   * compiled as if there were none, and says that it must be compiled again. They may have to be confirmed one by one.
   */
  discover(label: string, rel: Rel, span: Span, confirm?: Confirmation): readonly string[]
  /** The condition that the rows of a subsearch are written as; undefined when there are none. */
  conditionsOf(search: Subsearch): SearchExpr | undefined
  /** Rows that are computed once, however often they are read. */
  shared(rows: Rows): Rows
  /** The time range of the whole search as it was asked for. */
  readonly range: TimeRange
}

/** A time range in modifiers of the language (`-70m@m`, `now`, epoch seconds). */
export interface TimeRange {
  readonly earliest?: string
  readonly latest?: string
}

/**
 * What a command makes of rows. `generating` ones begin a search and take none; `events` keep events events; all
 * others make tables.
 */
export type CommandKind = 'generating' | 'streaming' | 'transforming'

export interface CommandRecord<T = unknown> {
  /** In lower case; second names are records of their own. */
  readonly name: string
  readonly says: string
  readonly kind: CommandKind
  /** Its options, for the manual. */
  readonly options?: OptionKinds
  readonly read: (reader: Reader) => T
  readonly lower: (node: T, rows: Rows, context: Context, span: Span) => Rows
}

/** A record whose arguments only it understands. */
export function command<T>(record: CommandRecord<T>): CommandRecord {
  return {
    ...record,
    lower: (node, rows, context, span) => record.lower(node as T, rows, context, span),
  }
}

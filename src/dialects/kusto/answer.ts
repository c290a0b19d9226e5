/**
 * What the compiler of Kusto queries is asked and what it answers: requests with the functions and watchlists that
 * their queries may use, and for each request the queries it holds. Plain data, so that it can cross to a worker.
 */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { Order, Rel } from '../../ir/rel.ts'
import type { Schema } from '../../ir/types.ts'
import type { TableText } from './adapter.ts'

/** A parameter of a user's function. */
export interface KustoParameter {
  readonly name: string
  /** A scalar type in Kusto's words, or the column list of a tabular one: `string`, `(TimeGenerated:datetime, *)`. */
  readonly type: string
  /** The default as a Kusto literal: `'*'`, `datetime(null)`, `dynamic([])`. */
  readonly fallback?: string
}

/** A function that the user's files define. */
export interface KustoFunction {
  readonly name: string
  readonly parameters: readonly KustoParameter[]
  /** The text between the braces of a declaration, without them. */
  readonly body: string
  readonly file: string
  /** Where the body stands in the file. */
  readonly span: Span
}

/** A table of the user's that `_GetWatchlist` gives. All values are texts, a missing one is empty. */
export interface Watchlist {
  readonly alias: string
  /** The column that is also given as `SearchKey`. */
  readonly searchKey?: string
  readonly columns: readonly string[]
  /** Each row has as many values as there are columns. */
  readonly rows: readonly (readonly string[])[]
}

/** A file of the user's that stands for an address that `externaldata` names. Nothing else is ever read for one. */
export interface KustoPin {
  /** The address as queries write it, without a key behind a semicolon. */
  readonly address: string
  /** Name of the file, for its form and for messages. */
  readonly file: string
  readonly text: string
}

export interface KustoRequest {
  readonly query: string
  /** For messages and the cache only. */
  readonly name: string
}

/**
 * Columns that only the data can tell. The rows of `rel` are names and types of values; with them, the text of the
 * query gets the list of its columns and is compiled again.
 */
export interface Discovery {
  readonly rel: Rel
  /** The offset in the request's text where the list is put. */
  readonly at: number
  /** The columns that are there whatever the data holds, in order. */
  readonly fixed: Schema
  /** The one of them that is there only when a name takes its place. */
  readonly replaced?: string
  /** Stands before each name that is found. */
  readonly prefix: string
  /** What is done with a name that is a column already. */
  readonly conflict: 'error' | 'replace' | 'keep'
  /** What is evaluated, for messages. */
  readonly plugin: string
}

/** One query of a request's text. */
export interface KustoAnswer {
  /** Absent when the query cannot run; the diagnostics say why. */
  readonly rel?: Rel
  /** Set without `rel`, beside the error that says so, where columns must be found in the data first. */
  readonly discover?: Discovery
  /** The columns that it gives, in order; empty without `rel`. */
  readonly columns: Schema
  /** The tables that it reads, as it names them. */
  readonly tables: readonly string[]
  /** The order in which the rows come, when the query asks for one. */
  readonly order?: Order
  /** The kind of chart that `render` asks for. */
  readonly render?: string
  /** The query's part of the request's text. */
  readonly span: Span
  /** Their spans are in the request's text. */
  readonly diagnostics: readonly Diagnostic[]
}

/** The queries of one request, in order. */
export interface KustoCompiled {
  readonly queries: readonly KustoAnswer[]
}

/**
 * Compiles queries; never throws for what a query holds. The answers come in the order of the requests. `tables` are
 * those that only the store knows, such as custom ones; they are found whatever the case of their names.
 */
export interface KustoCompiler {
  compile(
    requests: readonly KustoRequest[],
    functions: readonly KustoFunction[],
    watchlists: readonly Watchlist[],
    tables?: readonly TableText[],
  ): Promise<readonly KustoCompiled[]>
}

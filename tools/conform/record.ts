/** What a recorded case is, whichever file it was read from, and the cells that its rows are made of. */

/** A value as a record states it. A time is ISO text with seven digits and `Z`, a span is in 100-ns ticks. */
export type Cell =
  | { readonly is: 'null' }
  | { readonly is: 'bool'; readonly value: boolean }
  | { readonly is: 'whole'; readonly value: bigint }
  | { readonly is: 'real'; readonly value: number }
  | { readonly is: 'text'; readonly value: string }
  | { readonly is: 'time'; readonly value: string }
  | { readonly is: 'span'; readonly value: bigint }
  | { readonly is: 'json'; readonly value: unknown }
  /** Text that cannot be read as a value of its column: it equals nothing. */
  | { readonly is: 'unread'; readonly value: string }

/** What one printed cell may stand for; a value that equals any of them is right. */
export type CellReadings = readonly Cell[]

/** What one printed row may stand for: more than one where texts inside it are not escaped. */
export type RowReadings = readonly (readonly CellReadings[])[]

export interface RecordedColumn {
  readonly name: string
  /** The types that are right, in Kusto's words; none where the record does not say. */
  readonly types: readonly string[]
  /** The type as the record writes it. */
  readonly written: string
}

export interface RecordedRow {
  /** As the record prints it. */
  readonly written: string
  readonly readings: RowReadings
}

/** What every recorded case has. */
export interface CaseBase {
  readonly name: string
  readonly family: string
  readonly query: string
  /** True when nothing but the case is needed and the whole result is recorded. */
  readonly selfContained: boolean
}

export interface RecordedCase extends CaseBase {
  readonly columns: readonly RecordedColumn[]
  readonly rows: readonly RecordedRow[]
  /** How many rows the query gives; more than `rows` where the record holds only the first of them. */
  readonly count: number
  /** True when the record itself says that the rows are in the order that the query asks for. */
  readonly ordered: boolean
  /** True when texts lost the blanks at their ends, as in a table of a page. */
  readonly trimmed: boolean
}

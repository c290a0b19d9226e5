/**
 * Views: what a dialect calls a table, as a union of parts of stored sources. Conditions and field mappings are
 * expressions over the source's own field names, so they push down to its columns.
 */
import type { Expr } from '../ir/expr.ts'

export interface ViewPart {
  /** Name of the stored source (see `source.ts`). */
  readonly source: string
  /** Which of its events belong to the view. */
  readonly where: Expr
  /** Names of the view that differ from the source's, with their value; other names are read as they are. */
  readonly fields: ReadonlyMap<string, Expr>
  /** True when names that are not mapped are not read at all: fields of that name would be something else. */
  readonly isClosed?: true
}

export interface View {
  readonly name: string
  readonly title: string
  readonly parts: readonly ViewPart[]
}

/** A Sigma log source as a rule writes it. */
export interface Logsource {
  readonly product?: string
  readonly category?: string
  readonly service?: string
}

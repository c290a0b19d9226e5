/** The schema as a whole: all sources, and the views of each dialect, read once from `content/schema`. */

import type { EventPart } from './eventview.ts'
import type { DataModels } from './modelfiles.ts'
import type { Source } from './source.ts'
import type { TableCatalogue } from './tables.ts'
import type { Logsource, View, ViewPart } from './view.ts'

/** One known Sigma log source with the parts that feed it. */
export interface LogsourceView {
  readonly logsource: Logsource
  readonly view: View
}

export interface SchemaCatalogue {
  readonly sources: ReadonlyMap<string, Source>
  readonly logsources: readonly LogsourceView[]
  /** The tables of Kusto. */
  readonly tables: TableCatalogue
  /** What feeds the tables, as declared, by name; read when it is first asked for. */
  tableParts(): ReadonlyMap<string, readonly ViewPart[]>
  /** How Splunk sees the events of a source; the files are read when it is first asked for. */
  events(source: string): EventPart
  /** The data models of Splunk; the files are read when they are first asked for. */
  models(): DataModels
}

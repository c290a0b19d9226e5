/** The schema as a whole: all sources, and the views of each dialect, read once from `content/schema`. */
import type { Source } from './source.ts'
import type { Logsource, View } from './view.ts'

/** One known Sigma log source with the parts that feed it. */
export interface LogsourceView {
  readonly logsource: Logsource
  readonly view: View
}

export interface SchemaCatalogue {
  readonly sources: ReadonlyMap<string, Source>
  readonly logsources: readonly LogsourceView[]
}

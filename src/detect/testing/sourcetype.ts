/** The stored source that a sourcetype of Splunk's stands for, where it stands for one alone. */
import type { SchemaCatalogue } from '../../schema/catalogue.ts'

/** Undefined when no source, or several, answer to the sourcetype: then each event is told by its content. */
export function sourceOfSourcetype(
  schema: SchemaCatalogue,
  sourcetype: string,
): string | undefined {
  const wanted = sourcetype.toLowerCase()
  const found = [...schema.sources.keys()].filter((name) =>
    schema
      .events(name)
      .sourcetype.some(
        ({ before, field }) => field === undefined && before.toLowerCase() === wanted,
      ),
  )
  return found.length === 1 ? found[0] : undefined
}

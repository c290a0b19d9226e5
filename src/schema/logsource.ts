/**
 * From what a Sigma rule writes as its log source to the view that feeds it. Takes the catalogue and the keys of
 * the rule, gives a view; a log source that nothing is known of gives the sources that a user may have named after it.
 */
import { TRUE } from '../ir/expr.ts'
import type { LogsourceView, SchemaCatalogue } from './catalogue.ts'
import { commonParts, unionParts } from './parts.ts'
import type { Logsource, View, ViewPart } from './view.ts'

export interface LogsourceAnswer {
  readonly view: View
  /** False when no entry of the schema stands for the log source; it is then fed by sources of that name only. */
  readonly known: boolean
}

const KEYS = ['product', 'category', 'service'] as const
type Key = (typeof KEYS)[number]

/** The log source in lower case, without keys that are empty. */
function plainLogsource(logsource: Logsource): Logsource {
  const given = KEYS.flatMap((key): (readonly [Key, string])[] => {
    const value = logsource[key]?.trim().toLowerCase()
    return value === undefined || value === '' ? [] : [[key, value]]
  })
  return Object.fromEntries(given)
}

/** Name of the view of a log source: `sigma:product/category/service`, with `-` for a key not given. */
export function logsourceName(logsource: Logsource): string {
  const plain = plainLogsource(logsource)
  return `sigma:${KEYS.map((key) => plain[key] ?? '-').join('/')}`
}

type Parts = readonly ViewPart[]

/** Parts of a log source, or undefined when some key, or their combination, stands for nothing known. */
function resolve(catalogue: SchemaCatalogue, wanted: Logsource): Parts | undefined {
  const name = logsourceName(wanted)
  const exact = catalogue.logsources.find((each) => each.view.name === name)
  if (exact !== undefined) return exact.view.parts
  const given = KEYS.filter((key) => wanted[key] !== undefined)
  const [first] = given
  if (first === undefined) return undefined
  if (given.length === 1) return allWith(catalogue, first, wanted[first])
  // Category and service narrow a product, so it is their pairs with the product that are combined; the category
  // comes first, as its field names are the ones that hold.
  const halves: readonly (readonly Key[])[] =
    given.length === 3
      ? [
          ['product', 'category'],
          ['product', 'service'],
        ]
      : given.includes('category')
        ? [['category'], given.filter((key) => key !== 'category')]
        : [['service'], ['product']]
  const [one, other] = halves.map((keys) =>
    resolve(catalogue, Object.fromEntries(keys.map((key) => [key, wanted[key]]))),
  )
  if (one === undefined || other === undefined) return undefined
  const common = commonParts(one, other, catalogue.sources)
  return common.length === 0 ? undefined : common
}

function allWith(
  catalogue: SchemaCatalogue,
  key: Key,
  value: string | undefined,
): Parts | undefined {
  const entries = catalogue.logsources.filter((each) => each.logsource[key] === value)
  if (entries.length === 0) return undefined
  return unionParts(
    entries.flatMap((each) => each.view.parts),
    catalogue.sources,
  )
}

/** Names under which a user would store the logs of a log source that we know nothing of. */
function namesakes({ product, category, service }: Logsource): readonly string[] {
  const names =
    product === undefined
      ? [service, category]
      : [service && `${product}.${service}`, category && `${product}.${category}`, product]
  return [...new Set(names.flatMap((name) => (name ? [name.replace(/[^a-z0-9_.]/g, '_')] : [])))]
}

function titleOf(logsource: Logsource): string {
  const said = KEYS.flatMap((key) =>
    logsource[key] === undefined ? [] : [`${key} ${logsource[key]}`],
  )
  return said.length === 0 ? 'no log source' : said.join(', ')
}

/**
 * The view for a log source. An exact entry is taken as it is. A single key stands for the union of all entries that
 * have it. Other combinations are intersections: a category within a product and, with a service too, within that
 * service. A key that no entry has makes the log source unknown; nothing is dropped to make it fit.
 *
 * `ingested` tells which sources hold data; without it, an unknown log source names every source that could be
 * meant, and binding takes those that exist.
 */
export function viewForLogsource(
  catalogue: SchemaCatalogue,
  logsource: Logsource,
  ingested?: { has(name: string): boolean },
): LogsourceAnswer {
  const wanted = plainLogsource(logsource)
  const name = logsourceName(wanted)
  const entry: LogsourceView | undefined = catalogue.logsources.find(
    (each) => each.view.name === name,
  )
  if (entry !== undefined) return { view: entry.view, known: true }
  const title = titleOf(wanted)
  const parts = resolve(catalogue, wanted)
  if (parts !== undefined) return { view: { name, title, parts }, known: true }
  const meant = namesakes(wanted).filter((each) => ingested === undefined || ingested.has(each))
  return {
    view: {
      name,
      title,
      parts: meant.map((source) => ({ source, where: TRUE, fields: new Map() })),
    },
    known: false,
  }
}

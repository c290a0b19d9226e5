/**
 * Tells the rows of tables that have no source of their own: by what a row says of itself, or by its columns. Takes the
 * names and values of a record, gives the source that holds exports of the table.
 */
import type { SchemaCatalogue } from './catalogue.ts'
import { exportsOf, isCustom, sourceOfTable } from './tableview.ts'

/** A field that may name the table of a record, and where it stands. */
export interface Place {
  readonly name: string
  readonly at: number
}

export interface TableFinder {
  /** The source of a record by the fields that name its table; undefined when none does. */
  named(places: readonly Place[], values: readonly unknown[]): string | undefined
  /** Places of the fields that may name a table. */
  places(names: readonly string[]): readonly Place[]
  /** The source for records with these names, told by the columns; undefined when no table fits, or several do. */
  byColumns(names: readonly string[]): string | undefined
}

/** Fields that name the table of a row: the column itself, what a union adds, and what a stream says. */
const UNION = '$table'
const NAMING = [UNION, 'Type', 'category', 'Category']
/** One of these is in every row of a table, whatever wrote it; other records have a `Type` too. */
const EXPORTED = new Set(['TimeGenerated', 'Timestamp', '$table', 'properties.Timestamp'])
const STREAM = 'AdvancedHunting-'
/** Tables whose rows are Windows events: those are told by their channel. */
const WINDOWS = new Set(['Event', 'WindowsEvent', 'SecurityEvent'])
/** Columns that tell nothing of the table. */
const COMMON = new Set(
  'TenantId SourceSystem MG ManagementGroupName TimeGenerated Timestamp Computer RawData Type _ResourceId _SubscriptionId _ItemId _IsBillable _BilledSize _WorkspaceId _TimeReceived $table'.split(
    ' ',
  ),
)
/** Fewest columns that tell a table, and the least part of its columns that must be there. */
const FEWEST = 3
const LEAST_PART = 0.5

/** Makes the finder. */
export function makeTableFinder(schema: SchemaCatalogue): TableFinder {
  const { sources, tables } = schema
  const declared = new Map<string, string>()
  for (const { name, recognise } of sources.values()) {
    for (const type of recognise.flatMap((each) => each.where?.Type ?? [])) {
      if (!declared.has(type)) declared.set(type, name)
    }
  }
  const isFree = (table: string): boolean => !declared.has(table) && !WINDOWS.has(table)
  return {
    places: (names): readonly Place[] =>
      names.some((each) => EXPORTED.has(each))
        ? NAMING.flatMap((each) => {
            const at = names.indexOf(each)
            return at === -1 ? [] : [{ name: each, at }]
          })
        : [],
    named(places, values) {
      for (const { name, at } of places) {
        const value = values[at]
        if (typeof value !== 'string') continue
        // Recognisers know the column of the table, but not what a union calls it.
        if (name === UNION && !WINDOWS.has(value) && declared.has(value)) return declared.get(value)
        const table = value.startsWith(STREAM) ? value.slice(STREAM.length) : value
        if (isFree(table) && (tables.names.has(table) || isCustom(table))) return exportsOf(table)
      }
      return undefined
    },
    byColumns(names) {
      const own = new Set(names.map((each) => each.split('.', 1)[0] ?? each))
      if (!own.has('TimeGenerated') && !own.has('Timestamp')) return undefined
      const telling = [...own].filter((each) => !COMMON.has(each))
      if (telling.length < FEWEST) return undefined
      const fitting = tables
        .having(telling)
        .filter((each) => each.own > 0 && !WINDOWS.has(each.name))
        .filter((each) => telling.length >= each.own * LEAST_PART)
        .sort((a, b) => a.own - b.own)
      const [best, next] = fitting
      if (best === undefined || next?.own === best.own) return undefined
      return sourceOfTable(schema, best.name)
    },
  }
}

/**
 * Sources: the kinds of logs that are stored, one table each, and how an event is recognised as one of them.
 * The facts live in `content/schema/sources.yml`.
 */

/** All conditions of one recogniser must hold; a source is taken when any of its recognisers holds. */
export interface Recogniser {
  /** Kind that the decoder gave: `windows`, `syslog`, `auditd`, `zeek`, `w3c`, `access`, `json`, `csv`, ... */
  readonly kind?: string
  /** Fields that must equal one of the values, ignoring case. */
  readonly where?: Readonly<Record<string, readonly string[]>>
  /** Fields that must be present. */
  readonly has?: readonly string[]
}

export interface Source {
  /** Table name: lower case, digits, `_` and `.`; the first part is the product (`windows.sysmon`). */
  readonly name: string
  readonly title: string
  readonly recognise: readonly Recogniser[]
  /** Field that leads the sort order where a source mixes event ids. */
  readonly order?: string
  /** Fields that may hold the event time, tried in order when the decoder found none. */
  readonly time?: readonly string[]
  /** Fields that may hold the host name, tried in order when the decoder found none. */
  readonly host?: readonly string[]
  /** True when the raw record is itself the text a person reads (syslog, access logs); keyword rules read it. */
  readonly rawIsText?: boolean
  /** Fields whose values rarely repeat: stored plain, not dictionary-coded. */
  readonly plain?: readonly string[]
  /** Other names of a field, folded onto the first at intake (short and long Cisco NVM names). */
  readonly rename?: Readonly<Record<string, string>>
}

/** Columns that every source table has, apart from the event's own fields. All start with `@`. */
export const META = {
  time: '@time',
  ingest: '@ingest',
  host: '@host',
  file: '@file',
  record: '@record',
  raw: '@raw',
  batch: '@batch',
  empty: '@empty',
  nulls: '@null',
  more: '@more',
  flags: '@flags',
} as const

/** Suffix of the companion column that holds the elements of a multivalued field. */
export const LIST_SUFFIX = '[]'

/** Start of the names that queries give to columns of their own; no event field is stored under such a name. */
export const QUERY_PREFIX = '@@'

const RESERVED = new Set<string>(Object.values(META))
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** True for names of columns that Harrier makes itself. */
export function isOwnName(name: string): boolean {
  return name.startsWith('@') && (name.startsWith(QUERY_PREFIX) || RESERVED.has(name))
}

/**
 * Name under which an event field is stored. Names that could be taken for ours are changed so that none can: `@time`
 * is stored as `field_@time`, `x[]` as `field_x[]_`. A stored name is its own stored name.
 */
export function storedName(name: string): string {
  const text = name.isWellFormed()
    ? name
    : name.replace(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
  if (text.endsWith(LIST_SUFFIX)) return `field_${text}_`
  return isOwnName(text) || text === '' ? `field_${text}` : text
}

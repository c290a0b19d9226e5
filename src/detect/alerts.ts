/**
 * From the rows of a rule's query to findings: entities, custom details and the texts of the alert, one finding for
 * each row or for all rows of a run, as the rule says (https://learn.microsoft.com/azure/sentinel/surface-custom-details-in-alerts,
 * .../customize-alert-details). A text of the log that is put into a title is put in once, and never read again.
 */
import { createHash } from 'node:crypto'
import { limits } from '../core/limits.ts'
import { listedEntities } from '../dialects/kusto/entity.ts'
import { attackTags } from '../dialects/kusto/rule.ts'
import { tacticNamed } from '../dialects/kusto/sentinel.ts'
import { type KustoPart, LEVELS, type Level, type Rule } from '../rules/rule.ts'
import { type EventFields, type Finding, type FoundEntity, fixedId } from './finding.ts'
import { printValue, type ResultColumn, type Value } from './values.ts'
import type { RunWindow } from './windows.ts'

export type ResultRow = readonly Value[]

/** Entities, details and texts that a finding may carry at most; the service's own limits are lower. */
const MOST_ENTITIES = 500
const MOST_TEXT = 5_000
/** Columns that tell when a row happened, the surest first. */
const TIMES = [
  'TimeGenerated',
  'Timestamp',
  'EndTime',
  'EndTimeUtc',
  'LastSeen',
  'StartTime',
  'StartTimeUtc',
  'FirstSeen',
]
const HOSTS = [
  'DeviceName',
  'Computer',
  'HostName',
  'Hostname',
  'DvcHostname',
  'Host',
  'HostCustomEntity',
]

/** What is said of a finding beside its rows. */
export interface Made {
  readonly count: number
  readonly key: string
  readonly window: RunWindow
  /** When its events began, where the rows themselves do not say it. */
  readonly time?: string | undefined
}

/** A list of a dynamic value as texts; undefined for other values. */
function listOf(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    if (!Array.isArray(parsed)) return undefined
    return parsed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
  } catch {
    return undefined
  }
}

/** Whether so many rows of a run set a rule off. */
export function isSetOffBy({ trigger: { operator, threshold } }: KustoPart, rows: number): boolean {
  switch (operator) {
    case 'gt':
      return rows > threshold
    case 'lt':
      return rows < threshold
    case 'eq':
      return rows === threshold
    case 'ne':
      return rows !== threshold
  }
}

export class Alerts {
  readonly #rule: Rule
  readonly #part: KustoPart
  readonly #columns: readonly ResultColumn[]
  readonly #at: ReadonlyMap<string, number>

  constructor(rule: Rule, part: KustoPart, columns: readonly ResultColumn[]) {
    this.#rule = rule
    this.#part = part
    this.#columns = columns
    this.#at = new Map(columns.map(({ name }, index) => [name, index]))
  }

  /** True when all rows of a run make one finding. */
  get isSingle(): boolean {
    return this.#part.form === 'sentinel' && this.#part.aggregationKind === 'SingleAlert'
  }

  /** Whether so many rows set the rule off. */
  isTriggered(rows: number): boolean {
    return isSetOffBy(this.#part, rows)
  }

  #text(row: ResultRow, name: string): string {
    const at = this.#at.get(name)
    const column = at === undefined ? undefined : this.#columns[at]
    const value = at === undefined ? null : (row[at] ?? null)
    return column === undefined || value === null ? '' : printValue(value, column.type)
  }

  /** The values of a row that are there, each after its name, whatever columns there are beside them. */
  valuesOf(row: ResultRow): ResultRow {
    const given = this.#columns
      .map(({ name }, at) => [name, row[at] ?? null] as const)
      .filter(([, value]) => value !== null && value !== '')
    return given.sort(([a], [b]) => (a < b ? -1 : 1)).flat()
  }

  #event(row: ResultRow): EventFields {
    const fields: [string, string | readonly string[] | null][] = []
    this.#columns.forEach(({ name, type }, index) => {
      const value = row[index] ?? null
      if (value === null || value === '') return
      const text = printValue(value, type)
      fields.push([name, type === 'dynamic' ? (listOf(text) ?? text) : text])
    })
    return Object.fromEntries(fields)
  }

  /** When a row happened: of its own columns, or else the time of the run. */
  timeOf(row: ResultRow): string | undefined {
    const named = TIMES.find((name) => this.#isTime(row, name))
    const any = this.#columns.find(({ name }) => this.#isTime(row, name))?.name
    const name = named ?? any
    return name === undefined ? undefined : this.#text(row, name)
  }

  #isTime(row: ResultRow, name: string): boolean {
    const at = this.#at.get(name)
    return at !== undefined && this.#columns[at]?.type === 'time' && row[at] !== null
  }

  #entities(row: ResultRow): readonly FoundEntity[] {
    const assets = this.#part.impactedAssets.flatMap(({ name, column }) => {
      const value = this.#text(row, column)
      return value === '' ? [] : [{ type: name, [column]: value }]
    })
    const mapped = this.#part.entityMappings.flatMap(({ entityType, fieldMappings }) => {
      const given = fieldMappings
        .map(({ identifier, columnName }) => [identifier, this.#text(row, columnName)] as const)
        .filter(([, value]) => value !== '')
      return given.length === 0 ? [] : [{ type: entityType, ...Object.fromEntries(given) }]
    })
    const listed = this.#part.sentinelEntitiesMappings.flatMap((name) =>
      listedEntities(this.#text(row, name)),
    )
    return [...mapped, ...assets, ...listed]
  }

  /** The tags of a row: those of the rule, with other tactics where the row says which. */
  #tags(row: ResultRow): readonly string[] {
    const column = this.#part.alertDetailsOverride?.tacticsColumn
    const said = column === undefined ? '' : this.#text(row, column)
    const tactics = (listOf(said) ?? said.split(',')).flatMap((each) => tacticNamed(each) ?? [])
    if (tactics.length === 0) return this.#rule.tags
    const { techniques, tags } = this.#part
    return attackTags({ tactics, techniques, tags })
  }

  #details(rows: readonly ResultRow[]): Readonly<Record<string, readonly string[]>> {
    const found = this.#part.customDetails.flatMap(({ name, column }) => {
      const values = new Set(
        rows.map((row) => this.#text(row, column)).filter((each) => each !== ''),
      )
      return values.size === 0 ? [] : [[name, [...values].slice(0, 50)] as const]
    })
    return Object.fromEntries(found)
  }

  /** A format with its columns filled in from a row; what is filled in is not read for columns again. */
  #filled(format: string, row: ResultRow): string {
    let text = ''
    let from = 0
    // Read by hand: blanks may stand around a name in any number, and a pattern would try all ways to share them out.
    for (let open = format.indexOf('{{'); open >= 0; open = format.indexOf('{{', from)) {
      const close = format.indexOf('}}', open)
      if (close < 0 || text.length > MOST_TEXT) break
      // Of braces in a row the last two open.
      const start = format.lastIndexOf('{{', close - 2)
      const name = format.slice(start + 2, close)
      const isName = name.trim() !== '' && !/[{}]/.test(name)
      const put = isName ? this.#text(row, name.trim()) : format.slice(start, close + 2)
      text += format.slice(from, start) + put
      from = close + 2
    }
    return (text + format.slice(from)).slice(0, MOST_TEXT)
  }

  /** The finding of some rows of one run; `count` is the number of all, `key` what tells it from others of the rule. */
  finding(rows: readonly ResultRow[], { count, key, window, time: began }: Made): Finding {
    const [first = []] = rows
    const { alertDetailsOverride: override } = this.#part
    const entities = uniqueEntities(rows.flatMap((row) => this.#entities(row)))
    const details = this.#details(rows)
    const times = rows.map((row) => this.timeOf(row)).filter((each) => each !== undefined)
    const time = times.sort()[0] ?? began ?? window.at
    const title = override?.displayNameFormat && this.#filled(override.displayNameFormat, first)
    const description =
      override?.descriptionFormat && this.#filled(override.descriptionFormat, first)
    const level =
      override?.severityColumn === undefined
        ? undefined
        : levelNamed(this.#text(first, override.severityColumn))
    const properties = (override?.dynamicProperties ?? []).flatMap(({ name, column }) => {
      const value = this.#text(first, column)
      return value === '' ? [] : [[name, [value]] as const]
    })
    const host = this.#host(first, entities)
    const event = this.#event(first)
    return {
      time,
      rule_id: this.#rule.id,
      rule_title: this.#rule.title,
      language: this.#rule.language,
      level: level ?? this.#rule.level,
      host,
      tags: this.#tags(first),
      source: this.#part.tables.join(', '),
      file: '',
      record: 0,
      id: this.#id(key),
      event,
      ...(title ? { title } : {}),
      ...(description ? { description } : {}),
      ...(entities.length > 0 ? { entities } : {}),
      ...(Object.keys(details).length + properties.length > 0
        ? { details: { ...details, ...Object.fromEntries(properties) } }
        : {}),
      ...(this.isSingle
        ? {
            rows: count,
            results: rows.slice(0, limits.resultsPerFinding).map((row) => this.#event(row)),
            window: window.time,
          }
        : {}),
    }
  }

  #host(row: ResultRow, entities: readonly FoundEntity[]): string {
    const entity = entities.find(({ type }) => type === 'Host')
    const own = HOSTS.map((name) => this.#text(row, name)).find((each) => each !== '')
    return own ?? entity?.FullName ?? entity?.HostName ?? ''
  }

  /** The fixed id: the same rule on the same key gives the same. */
  #id(key: string): string {
    return fixedId(this.#rule.id, this.#rule.title, key)
  }
}

/** Keys of rows in any order as one. */
export function keyOfKeys(keys: readonly string[]): string {
  const [only] = keys
  if (keys.length === 1 && only !== undefined) return only
  return createHash('sha256').update(keys.toSorted().join('\n')).digest('hex')
}

/** The values of rows as one short text: the same for the same rows. */
export function keyOfRows(rows: readonly ResultRow[]): string {
  const hash = createHash('sha256')
  for (const row of rows) {
    const values = row.map((value) => (typeof value === 'bigint' ? String(value) : value))
    hash.update(JSON.stringify(values)).update('\n')
  }
  return hash.digest('hex')
}

function uniqueEntities(all: readonly FoundEntity[]): readonly FoundEntity[] {
  const known = new Map(all.map((each) => [JSON.stringify(each), each]))
  return [...known.values()].slice(0, MOST_ENTITIES)
}

function levelNamed(text: string): Level | undefined {
  return LEVELS.find((each) => each === text.toLowerCase())
}

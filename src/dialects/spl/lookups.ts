/**
 * The lookups that searches may use: those of packs and of the user, those that are known without either, and those
 * that searches have written. Files are read when a lookup is first asked for.
 */
import { type Diagnostic, hasErrors } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import type { Rel } from '../../ir/rel.ts'
import type { Schema } from '../../ir/types.ts'
import {
  isLookupName,
  LOOKUP_LINE,
  type LookupContent,
  type StoredLookups,
} from '../../schema/lookups.ts'
import { COMPUTED_LOOKUPS, KNOWN_LOOKUPS } from './knownlookups.ts'
import { readLookupCsv } from './lookupcsv.ts'
import { type LookupDefinition, lookupDefinition, PLAIN_LOOKUP } from './lookupdef.ts'
import { networkLengths, type Patterns, tokensOf } from './lookuptokens.ts'
import { HIDDEN } from './rows.ts'
import type { Lookup, LookupOptions, World } from './world.ts'

export interface LookupSurroundings {
  /** Of two with one name the first holds. */
  readonly definitions: readonly LookupDefinition[]
  /** What searches have written; it goes before the files of the same lookups. */
  readonly stored: StoredLookups
  /** A name for a text that no other text has. */
  readonly digest: (text: string) => string
}

/** Settings that change what a lookup finds and that are not carried out. */
const REFUSED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['time_field', 'it finds rows by time'],
  ['external_cmd', 'it runs a program'],
  ['filter', 'its rows are filtered by an expression'],
  ['geo', 'it finds shapes on a map'],
  ['feature_id_element', 'it finds shapes on a map'],
])

export class Lookups implements Pick<World, 'lookup' | 'lookupNames'> {
  readonly #definitions = new Map<string, LookupDefinition>()
  /** Definitions by the name of their file, which is a lookup too. */
  readonly #files = new Map<string, LookupDefinition>()
  readonly #stored: StoredLookups
  readonly #digest: (text: string) => string
  readonly #made = new Map<string, Lookup | undefined>()
  readonly #contents = new Map<string, LookupContent>()

  constructor({ definitions, stored, digest }: LookupSurroundings) {
    this.#stored = stored
    this.#digest = digest
    for (const each of [...definitions, ...KNOWN_LOOKUPS]) {
      if (!this.#definitions.has(each.name)) this.#definitions.set(each.name, each)
      if (each.kind === 'csv' && !this.#files.has(each.source)) this.#files.set(each.source, each)
    }
  }

  readonly lookupNames = (): Iterable<string> =>
    new Set([...this.#definitions.keys(), ...COMPUTED_LOOKUPS.keys(), ...this.#stored.keys()])

  readonly lookup = (name: string): Lookup | undefined => {
    if (!this.#made.has(name)) this.#made.set(name, this.#make(name))
    return this.#made.get(name)
  }

  /** The rows of a table that must be made before a search reads it; undefined for one that the store has. */
  content(table: string): LookupContent | undefined {
    return this.#contents.get(table)
  }

  #make(name: string): Lookup | undefined {
    const computed = COMPUTED_LOOKUPS.get(name)
    const known = this.#definitions.get(name)
    if (known !== undefined) return this.#defined(known)
    if (computed !== undefined) return computed
    const file = this.#files.get(name)
    // A file is a lookup of its own, without the options of the definition that uses it.
    if (file !== undefined) return this.#defined({ ...file, name, options: PLAIN_LOOKUP })
    return this.#stored.has(name) ? this.#defined(lookupDefinition(name, 'csv')) : undefined
  }

  #defined(definition: LookupDefinition): Lookup {
    const { name, kind, options, fields, source, others } = definition
    const storage = [source, name].find(isLookupName)
    const named = fields.flatMap((each) => each.split(/[\s,]+/)).filter((each) => each !== '')
    const base = {
      name,
      options,
      ...(storage === undefined ? {} : { storage }),
      ...(kind === 'kvstore' && named.length > 0 ? { keeps: named } : {}),
    }
    const refused = refusalOf(kind, others)
    const stored = storage === undefined ? undefined : this.#stored.get(storage)
    if (stored !== undefined) {
      const { columns, rows, table } = stored
      // Columns of the definition that no row has are there all the same.
      const all = [...columns, ...named.filter((each) => !columns.includes(each))]
      return { ...base, columns: all, rows, rel: widened(tableRel(table, columns), columns, all) }
    }
    const none = { ...base, columns: named, rel: valuesRel({ columns: named, rows: [] }) }
    if (refused !== undefined) return { ...none, refused }
    if (definition.csv === undefined) return none
    const { content, diagnostics } = readLookupCsv(name, definition.csv)
    if (content === undefined) return { ...none, faults: diagnostics }
    const { columns, rows } = content
    const { patterns, full } = withTokens(content, options)
    const whole = { ...base, columns, patterns, rows: rows.length, faults: diagnostics }
    if (rows.length * columns.length <= limits.inlineLookupCells) {
      return { ...whole, rel: valuesRel(full) }
    }
    const made = [options.isCaseSensitive, ...full.columns, definition.csv].join('\n')
    const table = `file_${this.#digest(made)}`
    this.#contents.set(table, full)
    return { ...whole, rel: tableRel(table, full.columns) }
  }

  /** What is wrong with the files of the lookups that have been asked for. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.#made.values()].flatMap((each) => each?.faults ?? [])
  }
}

/** True for a lookup whose file could not be read. */
export function isBroken({ faults }: Lookup): boolean {
  return faults !== undefined && hasErrors(faults)
}

function refusalOf(
  kind: LookupDefinition['kind'],
  others: ReadonlyMap<string, string>,
): string | undefined {
  if (kind === 'mlmodel') return 'it is a trained model, not a table'
  return [...REFUSED_SETTINGS].find(([setting]) => others.has(setting))?.[1]
}

/** How the patterns of a lookup are found, and its rows with their tokens. */
function withTokens(content: LookupContent, { match, isCaseSensitive }: LookupOptions) {
  const patterns = new Map<string, Patterns>()
  const added: { readonly column: string; readonly tokens: readonly string[] }[] = []
  for (const [name, way] of match) {
    const at = content.columns.indexOf(name)
    if (at === -1) continue
    const cells = content.rows.map((row) => row[at] ?? '')
    if (way === 'cidr') patterns.set(name, { shapes: networkLengths(cells) })
    else {
      const made = tokensOf(cells, isCaseSensitive)
      if (made === undefined) continue
      const { tokens, ...rest } = made
      const column = `${HIDDEN}token${at}`
      patterns.set(name, { column, ...rest })
      added.push({ column, tokens })
    }
  }
  const full: LookupContent =
    added.length === 0
      ? content
      : {
          columns: [...content.columns, ...added.map(({ column }) => column)],
          rows: content.rows.map((row, index) => [
            ...row,
            ...added.map(({ tokens }) => tokens[index] ?? ''),
          ]),
        }
  return { patterns, full }
}

function outOf(columns: readonly string[]): Schema {
  return [
    ...columns.map((name) => ({ name, type: 'text' as const })),
    { name: LOOKUP_LINE, type: 'int' as const },
  ]
}

function valuesRel({ columns, rows }: LookupContent): Rel {
  return {
    op: 'values',
    rows: rows.map((row, index) => [...row, index + 1]),
    out: outOf(columns),
  }
}

function tableRel(table: string, columns: readonly string[]): Rel {
  return { op: 'scan', table: { kind: 'lookup', name: table }, time: {}, out: outOf(columns) }
}

/** A relation with further columns that are empty in every row. */
function widened(rel: Rel, columns: readonly string[], all: readonly string[]): Rel {
  const added = all.slice(columns.length)
  return added.length === 0
    ? rel
    : {
        op: 'derive',
        from: rel,
        set: added.map((name) => ({ name, value: { op: 'const', value: '', type: 'text' } })),
      }
}

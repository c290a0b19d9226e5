/**
 * The configuration of an app: searches, macros, lookups and collections. A file of `local` goes before the one of the
 * same name of `default`, setting by setting.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { type ConfSetting, readConf, type Stanza } from './conf.ts'
import { lookupOptions, matchTypes } from './content.ts'
import type { LookupDefinition } from './lookupdef.ts'
import { EMPTY_FILE, type SplFile } from './rule.ts'
import { readSavedSearch } from './savedsearch.ts'
import type { Macro } from './world.ts'

export type ConfKind = 'savedsearches' | 'macros' | 'transforms' | 'collections'

/** The text of the file of the same name in `local` (over this one) or in `default` (under it). */
export interface Beside {
  readonly over?: string
  readonly under?: string
}

/** What a file of the app may say instead of the one that is read: a stanza belongs to the file that has its `key`. */
function joined(text: string, beside: Beside, key: string) {
  const { stanzas, diagnostics } = readConf(text)
  const settingsOf = (other: string | undefined): ReadonlyMap<string, Stanza['settings']> =>
    new Map(
      other === undefined ? [] : readConf(other).stanzas.map((each) => [each.name, each.settings]),
    )
  const over = settingsOf(beside.over)
  const under = settingsOf(beside.under)
  const kept = stanzas.flatMap((each): readonly Stanza[] => {
    const above = over.get(each.name)
    if (!each.settings.has(key) || above?.has(key) === true) return []
    const elsewhere = (settings: Stanza['settings'] | undefined): [string, ConfSetting][] =>
      [...(settings ?? [])].map(([name, { text: value }]) => [
        name,
        { text: value, place: () => each.span, span: each.span },
      ])
    const settings = new Map([
      ...elsewhere(under.get(each.name)),
      ...each.settings,
      ...elsewhere(above),
    ])
    return [{ ...each, settings }]
  })
  return { stanzas: kept, all: stanzas, diagnostics: [...diagnostics] }
}

function readMacro({ name, settings }: Stanza, file: string): readonly Macro[] {
  const definition = settings.get('definition')?.text.trim() ?? ''
  if (definition === '') return []
  const args = (settings.get('args')?.text ?? '').split(',').map((each) => each.trim())
  const isEval = /^(?:1|true|t|yes)$/i.test(settings.get('iseval')?.text.trim() ?? '')
  return [
    {
      name: name.replace(/\(\d{1,3}\)$/, ''),
      args: args.filter((each) => each !== ''),
      definition,
      ...(isEval ? { isEval } : {}),
      file,
    },
  ]
}

/** Settings of a lookup that are read; others of the stanza are kept as they are. */
const LOOKUP_KEYS = new Set(
  'filename collection external_type fields_list match_type min_matches max_matches default_match case_sensitive_match'.split(
    ' ',
  ),
)

function readLookup(
  stanza: Stanza,
  file: string,
  diagnostics: Diagnostic[],
): readonly LookupDefinition[] {
  const { name, settings } = stanza
  const text = (key: string): string | undefined => settings.get(key)?.text.trim()
  const isStore = text('external_type') === 'kvstore'
  const source = (isStore ? text('collection') : text('filename'))?.split(/[\\/]/).at(-1) ?? ''
  if (source === '') return []
  const list = (key: string): readonly string[] =>
    (text(key) ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')
  const wrong: Diagnostic[] = []
  const options = lookupOptions(text, matchTypes(list('match_type')), (key, wanted) => {
    const reason = `"${key}" must be ${wanted}`
    wrong.push(diagnose('HR555', { name: name.slice(0, 64), reason }, settings.get(key)?.span))
  })
  diagnostics.push(...wrong)
  if (wrong.length > 0) return []
  const others = [...settings].filter(([key]) => !LOOKUP_KEYS.has(key))
  return [
    {
      name,
      kind: isStore ? 'kvstore' : 'csv',
      description: '',
      options,
      fields: list('fields_list'),
      source,
      others: new Map(others.map(([key, setting]) => [key, setting.text])),
      file,
    },
  ]
}

/** Reads a configuration file of an app. */
export function readApp(kind: ConfKind, text: string, file: string, beside: Beside): SplFile {
  switch (kind) {
    case 'savedsearches': {
      const { stanzas, diagnostics } = joined(text, beside, 'search')
      const documents = stanzas.flatMap((each) => readSavedSearch(each) ?? [])
      return { ...EMPTY_FILE, documents, diagnostics }
    }
    case 'macros': {
      const { stanzas, diagnostics } = joined(text, beside, 'definition')
      return {
        ...EMPTY_FILE,
        macros: stanzas.flatMap((each) => readMacro(each, file)),
        diagnostics,
      }
    }
    case 'transforms': {
      const files = joined(text, beside, 'filename')
      const stores = joined(text, beside, 'collection')
      const { diagnostics } = files
      const stanzas = [...files.stanzas, ...stores.stanzas]
      const lookups = stanzas.flatMap((each) => readLookup(each, file, diagnostics))
      return { ...EMPTY_FILE, lookups, diagnostics }
    }
    case 'collections': {
      const { all, diagnostics } = joined(text, beside, '')
      const collections = new Map(
        all.map(({ name, settings }) => [
          name,
          [...settings.keys()].flatMap((key) =>
            key.startsWith('field.') ? [key.slice('field.'.length)] : [],
          ),
        ]),
      )
      return { ...EMPTY_FILE, collections, diagnostics }
    }
  }
}

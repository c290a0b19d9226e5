/** What stands beside detections in a pack of Splunk content, in YAML: macros, lookups and stories. */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import type { Fields } from '../../core/fields.ts'
import { type LookupDefinition, type LookupKind, PLAIN_LOOKUP } from './lookupdef.ts'
import type { Story } from './rule.ts'
import type { LookupOptions, Macro } from './world.ts'

const KINDS: readonly LookupKind[] = ['csv', 'kvstore', 'mlmodel']
const LOOKUP_NAME = /^[\w.-]{1,255}$/
const MODEL = '__mlspl_'

/** A macro; its name may carry the number of its arguments, as `name(2)`. */
export function readMacro(fields: Fields, file: string): Macro | undefined {
  const written = fields.text('name') ?? ''
  const definition = fields.text('definition') ?? ''
  const name = written.replace(/\(\d{1,3}\)$/, '')
  if (name === '' || definition === '') {
    const what = name === '' ? 'a name' : 'a definition'
    fields.diagnostics.push(diagnose('HR554', { what }, fields.node.span))
    return undefined
  }
  return { name, args: fields.texts('arguments'), definition, file }
}

/** `WILDCARD(a), CIDR(b)` as ways of matching by column; undefined for what is no such list. */
export function matchTypes(texts: readonly string[]): LookupOptions['match'] | undefined {
  const match = new Map<string, 'wildcard' | 'cidr'>()
  for (const each of texts) {
    const found = /^(wildcard|cidr|exact)\s{0,8}\(\s{0,8}([^()]{1,256}?)\s{0,8}\)$/i.exec(
      each.trim(),
    )
    if (found === null) return undefined
    const [, way = '', column = ''] = found
    if (way.toLowerCase() !== 'exact') {
      match.set(column, way.toLowerCase() === 'cidr' ? 'cidr' : 'wildcard')
    }
  }
  return match
}

/** Options of a lookup by the names that Splunk gives them; what is wrong is told through `tell`. */
export function lookupOptions(
  text: (key: string) => string | undefined,
  match: LookupOptions['match'] | undefined,
  tell: (key: string, wanted: string) => void,
): LookupOptions {
  if (match === undefined) tell('match_type', 'a list such as WILDCARD(a), CIDR(b)')
  const whole = (key: string, least: number, usual: number): number => {
    const given = text(key)
    if (given === undefined || given === '') return usual
    const value = Number(given)
    if (Number.isInteger(value) && value >= least && value <= 1_000) return value
    tell(key, `a number from ${least} to 1000`)
    return usual
  }
  const flag = text('case_sensitive_match')?.toLowerCase()
  if (flag !== undefined && !/^(?:true|false|1|0|t|f|yes|no)$/.test(flag)) {
    tell('case_sensitive_match', 'true or false')
  }
  return {
    match: match ?? PLAIN_LOOKUP.match,
    isCaseSensitive: flag === undefined || !/^(?:false|0|f|no)$/.test(flag),
    maxMatches: whole('max_matches', 1, PLAIN_LOOKUP.maxMatches),
    minMatches: whole('min_matches', 0, PLAIN_LOOKUP.minMatches),
    defaultMatch: text('default_match') ?? '',
  }
}

function kindOf(fields: Fields, name: string): LookupKind | undefined {
  const word = fields.text('lookup_type')?.toLowerCase()
  if (word === undefined) {
    if (name.startsWith(MODEL)) return 'mlmodel'
    return fields.get('collection') === undefined ? 'csv' : 'kvstore'
  }
  return KINDS.find((each) => each === word)
}

/** A lookup. `stem` is the name of its file, which its CSV file has too where it names none. */
export function readLookup(
  fields: Fields,
  file: string,
  stem: string,
): LookupDefinition | undefined {
  const name = fields.text('name') ?? ''
  const kind = kindOf(fields, name)
  const wrong: Diagnostic[] = []
  if (!LOOKUP_NAME.test(name)) {
    const params = {
      name: name.slice(0, 64),
      reason: 'its name has other characters than letters, digits, _, . and -',
    }
    wrong.push(diagnose('HR555', params, (fields.get('name') ?? fields.node).span))
  }
  if (kind === undefined) {
    const params = { name: name.slice(0, 64), reason: `lookup_type is one of ${KINDS.join(', ')}` }
    wrong.push(diagnose('HR555', params, fields.get('lookup_type')?.span))
  }
  const options = lookupOptions(
    (key) => fields.text(key),
    matchTypes(fields.texts('match_type')),
    (key, wanted) => {
      const params = { name: name.slice(0, 64), reason: `"${key}" must be ${wanted}` }
      wrong.push(diagnose('HR555', params, fields.get(key)?.span))
    },
  )
  fields.diagnostics.push(...wrong)
  if (wrong.length > 0 || kind === undefined) return undefined
  const given = fields.text('filename')?.split(/[\\/]/).at(-1) ?? `${stem}.csv`
  const own = [...fields.texts('fields_list'), ...fields.texts('fields')]
  return {
    name,
    kind,
    description: fields.text('description') ?? '',
    options,
    fields: [...new Set(own)],
    source: kind === 'kvstore' ? (fields.text('collection') ?? name) : kind === 'csv' ? given : '',
    others: new Map(),
    file,
  }
}

export function readStory(fields: Fields): Story {
  const tags = fields.map('tags')
  return {
    id: fields.text('id') ?? '',
    name: fields.text('name') ?? '',
    description: fields.text('description') ?? '',
    narrative: fields.text('narrative') ?? '',
    categories: tags?.texts('category') ?? fields.texts('category'),
    references: fields.texts('references'),
  }
}

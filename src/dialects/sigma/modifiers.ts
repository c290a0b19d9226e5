/**
 * The modifiers of Sigma as a table, one record each: what it says, which values it takes, what it may stand with
 * and what it adds to a matcher. Takes the words after a field name, gives the matcher that they make together.
 *
 * The order is checked, so a matcher needs none: placeholders and dashes are settled first, then UTF-16, then
 * base64, then the sides that are left open.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import type { RegexFlags } from '../../core/regex.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import type { Utf16 } from './encoding.ts'
import type { Anchor } from './value.ts'

export type ValueType = 'text' | 'number' | 'bool' | 'null'
export type Comparison = 'lt' | 'lte' | 'gt' | 'gte'
type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** What the modifiers of one field say together. */
export interface Matcher {
  readonly kind: 'text' | 'regex' | 'network' | 'compare' | 'exists' | 'field'
  /** Every value must match, not any. */
  readonly all: boolean
  readonly negated: boolean
  readonly cased: boolean
  readonly expands: boolean
  readonly dashes: boolean
  readonly anchor?: Anchor
  readonly utf16?: Utf16
  readonly base64?: 'whole' | 'offset'
  readonly flags: RegexFlags
  readonly comparison?: Comparison
  readonly part?: TimePart
  readonly takes: readonly ValueType[]
}

/** One modifier as it is written. */
export interface ModifierUse {
  readonly name: string
  readonly span: Span
}

const PLAIN: Matcher = {
  kind: 'text',
  all: false,
  negated: false,
  cased: false,
  expands: false,
  dashes: false,
  flags: {},
  takes: ['text', 'number', 'bool', 'null'],
}

/** Modifiers of one group exclude each other. */
type Group =
  | 'all'
  | 'neq'
  | 'anchor'
  | 'case'
  | 'placeholder'
  | 'dash'
  | 'utf16'
  | 'base64'
  | 'regex'
  | 'flag'
  | 'network'
  | 'reference'
  | 'comparison'
  | 'part'
  | 'presence'

interface ModifierRecord {
  readonly name: string
  readonly says: string
  readonly group: Group
  readonly takes: readonly ValueType[]
  readonly gives: Partial<Matcher>
}

const ANY: readonly ValueType[] = ['text', 'number', 'bool', 'null']
const TEXT: readonly ValueType[] = ['text']
const NUMBER: readonly ValueType[] = ['number']

const anchor = (name: string, says: string, side: Anchor): ModifierRecord => ({
  name,
  says,
  group: 'anchor',
  takes: TEXT,
  gives: { anchor: side },
})
const utf16 = (name: string, says: string, form: Utf16): ModifierRecord => ({
  name,
  says,
  group: 'utf16',
  takes: TEXT,
  gives: { utf16: form },
})
const flag = (name: string, says: string, flags: RegexFlags): ModifierRecord => ({
  name,
  says,
  group: 'flag',
  takes: TEXT,
  gives: { flags },
})
const comparison = (name: Comparison, words: string): ModifierRecord => ({
  name,
  says: `The field is a number ${words} the value.`,
  group: 'comparison',
  takes: NUMBER,
  gives: { kind: 'compare', comparison: name },
})
const part = (name: TimePart): ModifierRecord => ({
  name,
  says: `The ${name} of a date in the field, as written, is the value.`,
  group: 'part',
  takes: NUMBER,
  gives: { kind: 'compare', part: name },
})

const modifiers: readonly ModifierRecord[] = [
  {
    name: 'all',
    says: 'Every value must match, not any of them.',
    group: 'all',
    takes: ANY,
    gives: { all: true },
  },
  {
    name: 'neq',
    says: 'None of the values may match.',
    group: 'neq',
    takes: ANY,
    gives: { negated: true },
  },
  anchor('contains', 'The value is somewhere in the field.', 'contains'),
  anchor('startswith', 'The field begins with the value.', 'starts'),
  anchor('endswith', 'The field ends with the value.', 'ends'),
  {
    name: 'cased',
    says: 'Case matters.',
    group: 'case',
    takes: TEXT,
    gives: { cased: true },
  },
  {
    name: 'expand',
    says: 'Placeholders %name% stand for values of the settings.',
    group: 'placeholder',
    takes: TEXT,
    gives: { expands: true },
  },
  {
    name: 'windash',
    says: 'A dash or slash before an option stands for any dash or slash.',
    group: 'dash',
    takes: TEXT,
    gives: { dashes: true },
  },
  utf16('utf16le', 'The value in UTF-16, little-endian.', 'le'),
  utf16('wide', 'The same as utf16le.', 'le'),
  utf16('utf16be', 'The value in UTF-16, big-endian.', 'be'),
  utf16('utf16', 'The value in UTF-16, little-endian, after a byte order mark.', 'bom'),
  {
    name: 'base64',
    says: 'The value in base64.',
    group: 'base64',
    takes: TEXT,
    gives: { base64: 'whole', cased: true },
  },
  {
    name: 'base64offset',
    says: 'The value as it can stand inside a longer base64 text.',
    group: 'base64',
    takes: TEXT,
    gives: { base64: 'offset', cased: true },
  },
  {
    name: 're',
    says: 'The value is a regular expression, found anywhere in the field; case matters.',
    group: 'regex',
    takes: TEXT,
    gives: { kind: 'regex' },
  },
  flag('i', 'The regular expression ignores case.', { i: true }),
  flag('ignorecase', 'The same as i.', { i: true }),
  flag('m', 'The signs ^ and $ of the regular expression stand for the ends of lines.', {
    m: true,
  }),
  flag('multiline', 'The same as m.', { m: true }),
  flag('s', 'The dot of the regular expression matches line ends.', { s: true }),
  flag('dotall', 'The same as s.', { s: true }),
  {
    name: 'cidr',
    says: 'The field is an address in the network.',
    group: 'network',
    takes: TEXT,
    gives: { kind: 'network' },
  },
  {
    name: 'fieldref',
    says: 'The value is the name of a field, whose text is compared, ignoring case.',
    group: 'reference',
    takes: TEXT,
    gives: { kind: 'field' },
  },
  comparison('lt', 'below'),
  comparison('lte', 'at most'),
  comparison('gt', 'above'),
  comparison('gte', 'at least'),
  part('minute'),
  part('hour'),
  part('day'),
  part('week'),
  part('month'),
  part('year'),
  {
    name: 'exists',
    says: 'The event has the field (true) or has it not (false).',
    group: 'presence',
    takes: ['bool'],
    gives: { kind: 'exists' },
  },
]

const BY_NAME: ReadonlyMap<string, ModifierRecord> = new Map(
  modifiers.map((record) => [record.name, record]),
)

/** Which groups may stand together; the relation holds in both directions. */
const COMPANIONS: Readonly<Record<Group, readonly Group[]>> = {
  all: [
    'anchor',
    'case',
    'placeholder',
    'dash',
    'utf16',
    'base64',
    'regex',
    'flag',
    'network',
    'reference',
    'comparison',
    'part',
  ],
  neq: [
    'anchor',
    'case',
    'placeholder',
    'dash',
    'utf16',
    'base64',
    'regex',
    'flag',
    'network',
    'reference',
    'part',
  ],
  anchor: ['case', 'placeholder', 'dash', 'utf16', 'base64', 'regex', 'flag', 'reference'],
  case: ['placeholder', 'dash', 'utf16', 'base64'],
  placeholder: ['dash', 'utf16', 'base64', 'regex', 'flag', 'network'],
  dash: ['utf16', 'base64'],
  utf16: ['base64'],
  base64: [],
  regex: ['flag'],
  flag: ['flag'],
  network: [],
  reference: [],
  comparison: ['part'],
  part: [],
  presence: [],
}

/** Groups of a lower step come before groups of a higher one. */
const STEPS: Readonly<Partial<Record<Group, number>>> = {
  placeholder: 1,
  dash: 1,
  utf16: 2,
  base64: 3,
}

/** Groups that say something of a single field, not of a whole event. */
const FIELD_ONLY: ReadonlySet<Group> = new Set([
  'network',
  'reference',
  'comparison',
  'part',
  'presence',
])

function mayJoin(first: ModifierRecord, second: ModifierRecord): boolean {
  const pair = COMPANIONS[first.group].includes(second.group)
  return pair || (first.group !== second.group && COMPANIONS[second.group].includes(first.group))
}

/** Two flags, or a flag and its long name, that say the same. */
function saysSame(first: ModifierRecord, second: ModifierRecord): boolean {
  return JSON.stringify(first.gives) === JSON.stringify(second.gives)
}

function mustFollow(first: ModifierRecord, second: ModifierRecord): boolean {
  if (first.group === 'flag' && second.group === 'regex') return true
  if (first.group === 'anchor' && second.group === 'base64') return true
  return (STEPS[first.group] ?? 0) > (STEPS[second.group] ?? Number.POSITIVE_INFINITY)
}

interface Known {
  readonly use: ModifierUse
  readonly record: ModifierRecord
}

function checkPair(first: Known, second: Known): Diagnostic | undefined {
  const names = { first: first.record.name, second: second.record.name }
  if (
    !mayJoin(first.record, second.record) ||
    (first.record.group === second.record.group && saysSame(first.record, second.record))
  ) {
    return diagnose('HR341', names, second.use.span)
  }
  return mustFollow(first.record, second.record)
    ? diagnose('HR342', names, second.use.span)
    : undefined
}

function unknown(use: ModifierUse): Diagnostic {
  const near = suggest(use.name, BY_NAME.keys())
  const help = near === undefined ? 'see the list of modifiers' : `did you mean "${near}"?`
  return diagnose('HR340', { name: use.name, help }, use.span)
}

/** What a list of modifiers asks of its values: types that all of them take. */
function commonTypes(records: readonly ModifierRecord[]): readonly ValueType[] {
  return ANY.filter((type) => records.every((record) => record.takes.includes(type)))
}

/**
 * The matcher that the modifiers make, for a field or (without one) for the whole event. Without a matcher there
 * is at least one error among the diagnostics.
 */
export function readModifiers(
  uses: readonly ModifierUse[],
  hasField: boolean,
): { readonly matcher?: Matcher; readonly diagnostics: readonly Diagnostic[] } {
  if (uses.length === 0) return { matcher: PLAIN, diagnostics: [] }
  const errors: Diagnostic[] = []
  const known: Known[] = []
  for (const use of uses) {
    const record = BY_NAME.get(use.name)
    if (record === undefined) errors.push(unknown(use))
    else {
      const current = { use, record }
      const wrong = known.flatMap((before) => checkPair(before, current) ?? [])[0]
      if (wrong !== undefined) errors.push(wrong)
      const sides = record.group === 'anchor' && record.name !== 'contains'
      if (!hasField && (sides || FIELD_ONLY.has(record.group))) {
        errors.push(diagnose('HR343', { name: record.name }, use.span))
      }
      known.push(current)
    }
  }
  const flags = known.filter(({ record }) => record.group === 'flag')
  const [stray] = flags
  if (stray !== undefined && !known.some(({ record }) => record.group === 'regex')) {
    const params = { first: stray.record.name, second: 're' }
    errors.push(diagnose('HR344', params, stray.use.span))
  }
  if (errors.length > 0) return { diagnostics: errors }
  const given = known.map(({ record }) => record.gives)
  return {
    matcher: {
      ...PLAIN,
      ...Object.assign({}, ...given),
      flags: Object.assign({}, ...given.map((each) => each.flags ?? {})),
      takes: commonTypes(known.map(({ record }) => record)),
    },
    diagnostics: advise(known),
  }
}

/** Warnings about combinations that run but may not say what is meant. */
function advise(known: readonly Known[]): readonly Diagnostic[] {
  const find = (group: Group): Known | undefined =>
    known.find(({ record }) => record.group === group)
  const side = find('anchor')
  const encoded = find('base64')
  const out: Diagnostic[] = []
  if (side !== undefined && find('regex') !== undefined) {
    out.push(diagnose('HR345', { name: side.record.name }, side.use.span))
  }
  if (side === undefined && encoded?.record.name === 'base64offset') {
    out.push(diagnose('HR346', {}, encoded.use.span))
  }
  return out
}

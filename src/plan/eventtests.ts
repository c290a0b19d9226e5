/**
 * Tests of `sourcetype`, `source` and `index`, decided for one stored source: its events answer to several spellings of
 * each. Where the spellings are known the test becomes true or false, so that sources that cannot match are not read.
 */
import { fitsPattern } from '../core/stars.ts'
import { and, call, type Expr, FALSE, field, or, TRUE, text, texts } from '../ir/expr.ts'
import type { EventPart, Spelling } from '../schema/eventview.ts'
import { isOwnSource } from '../schema/own.ts'
import { META } from '../schema/source.ts'
import type { StoredColumns } from '../schema/stored.ts'

/** What a test of sources may ask for. */
const SOURCE_FIELDS = ['sourcetype', 'source', 'index'] as const
type SourceName = (typeof SOURCE_FIELDS)[number]

export interface TestedPart {
  readonly part: EventPart
  readonly columns: StoredColumns
  /** The values that the schema knows for a field of the source; none when it may have any. */
  readonly values: (name: string) => readonly string[]
}

/** Indexes of what Splunk writes itself: no event that was ingested from elsewhere is in one of them. */
const OWN_INDEX = /^(?:_.*|risk|notable|history|summary.*|.*_summary)$/i

/** A test of a value with a pattern. */
function matches(value: Expr, pattern: string): Expr {
  if (/^\*+$/.test(pattern)) return TRUE
  return pattern.includes('*')
    ? call('match.like', [value, text(pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%'))])
    : call('match.equals', [value, text(pattern)])
}

/** The field of events that are called by the name of their file. */
const FILE_STEM = 'file_stem'

function withoutColons(pattern: string): readonly string[] {
  return pattern.includes(':') ? [pattern, pattern.replaceAll(':', '_')] : [pattern]
}

/** A test of a spelling that holds the value of a field. */
function spelled(
  { before, field: name = '', after }: Spelling,
  patterns: readonly string[],
  { values }: TestedPart,
): Expr {
  const known = values(name)
  if (known.length > 0) {
    const met = known.filter((value) =>
      patterns.some((each) => fitsPattern(each, before + value + after)),
    )
    if (met.length === 0) return FALSE
    return met.length === known.length ? TRUE : call('match.in', [field(name), texts(met)])
  }
  // Names of files cannot hold colons on every system.
  const asked = name === FILE_STEM ? patterns.flatMap(withoutColons) : patterns
  return anyOf(
    asked.map((pattern) => {
      const inner = within(pattern, before, after)
      if (inner !== 'unknown') return inner === undefined ? FALSE : matches(field(name), inner)
      return matches(call('text.join', [text(before), field(name), text(after)], 'text'), pattern)
    }),
  )
}

/**
 * The part of a pattern that stands between two texts; undefined when they do not fit it, `unknown` when a star of it
 * reaches into them.
 */
function within(pattern: string, before: string, after: string): string | undefined {
  const low = pattern.toLowerCase()
  const [start, end] = [before.toLowerCase(), after.toLowerCase()]
  const star = low.indexOf('*')
  const inner = pattern.slice(before.length, Math.max(before.length, pattern.length - after.length))
  if (star < 0) {
    const isLong = low.length >= start.length + end.length
    return isLong && low.startsWith(start) && low.endsWith(end) ? inner : undefined
  }
  const head = agree(low.slice(0, star), start, 'startsWith')
  const tail = agree(low.slice(low.lastIndexOf('*') + 1), end, 'endsWith')
  if (head === false || tail === false) return undefined
  return head === 'partly' || tail === 'partly' ? 'unknown' : inner
}

/** True when a text has the other at its end or start; `partly` when it is shorter and could be part of it. */
function agree(text: string, other: string, how: 'startsWith' | 'endsWith'): boolean | 'partly' {
  if (text.length >= other.length) return text[how](other)
  return other[how](text) ? 'partly' : false
}

const FILE: Expr = { op: 'field', name: META.file, type: 'text', stored: 'plain' }

/** True for what may be the name of a file: inputs of other kinds are written `kind:name`, or as a bare word. */
function isFile(pattern: string): boolean {
  return !/^[A-Za-z]{2,}:/.test(pattern) && /[.*/\\]/.test(pattern)
}

/** A test of the file that events came from; a pattern without a folder means the name of the file. */
function ofFile(patterns: readonly string[]): Expr {
  return anyOf(
    patterns
      .filter(isFile)
      .flatMap((each) =>
        /[\\/]/.test(each)
          ? [matches(FILE, each)]
          : [matches(FILE, each), matches(FILE, `*/${each}`)],
      ),
  )
}

const isTrue = (expr: Expr): boolean => expr.op === 'const' && expr.value === true

/** A disjunction that knows true and false. */
function anyOf(parts: readonly Expr[]): Expr {
  if (parts.some(isTrue)) return TRUE
  return or(parts.filter((each) => !(each.op === 'const' && each.value === false)))
}

/** True for a pattern that asks for events of any index but those of Splunk's own. */
export function meansIngested(pattern: string): boolean {
  return !OWN_INDEX.test(pattern)
}

/** True when patterns name an index of a part in full; a pattern with stars names none. */
export function namesIndex(patterns: readonly string[], { index }: EventPart): boolean {
  return patterns.some(
    (pattern) =>
      !pattern.includes('*') &&
      index.some(({ before }) => before.toLowerCase() === pattern.toLowerCase()),
  )
}

/** The stored columns that say of an event what is asked for, where it was exported from Splunk with them. */
const COLUMNS: Readonly<Record<SourceName, readonly string[]>> = {
  sourcetype: ['sourcetype'],
  source: ['source'],
  index: ['index', '_index'],
}

/** The test for the events of a part: true, false, or a condition on fields by their names in Splunk. */
export function sourceTest(name: string, patterns: readonly string[], on: TestedPart): Expr {
  const known = SOURCE_FIELDS.find((each) => each === name)
  if (known === undefined) return or(patterns.map((each) => matches(field(name), each)))
  const { part, columns } = on
  const own = COLUMNS[known].filter((each) => columns.text.has(each))
  const told = own.flatMap((each) =>
    patterns.map((pattern) =>
      matches({ op: 'field', name: each, type: 'text', stored: 'blank' }, pattern),
    ),
  )
  const spellings = part[known === 'source' ? 'named' : known]
  const decided = spellings.map((each) =>
    each.field === undefined
      ? patterns.some((pattern) => fitsPattern(pattern, each.before))
        ? TRUE
        : FALSE
      : spelled(each, patterns, on),
  )
  if (known === 'source' && spellings.length === 0) return anyOf([...told, ofFile(patterns)])
  if (known !== 'index' || spellings.length > 0) return anyOf([...told, ...decided])
  if (told.length > 0) return anyOf(told)
  return patterns.some(meansIngested) ? TRUE : FALSE
}

/** True when no event of the part can meet all of the tests. */
export function cannotMeet(
  tests: readonly { readonly field: string; readonly values: readonly string[] }[],
  on: TestedPart,
): boolean {
  if (isOwnSource(on.part.source)) {
    const isNamed = tests.some((each) => each.field === 'index' && namesIndex(each.values, on.part))
    if (!isNamed) return true
  }
  const all = and(
    tests
      .filter((each) => SOURCE_FIELDS.some((name) => name === each.field))
      .map((each) => sourceTest(each.field, each.values, on)),
  )
  const isFalse = (each: Expr): boolean => each.op === 'const' && each.value === false
  return isFalse(all) || (all.op === 'call' && all.fn === 'logic.and' && all.args.some(isFalse))
}

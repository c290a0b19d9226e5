/** The command `rex`: groups of a regular expression become fields, or with mode=sed a text is rewritten. */
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, number, text } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { confirmedGroup, confirmedReplace, needsConfirming } from './confirm.ts'
import { enginePattern } from './evaluating.ts'
import { Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { asList, asText, derived, fieldValue, type Rows } from './rows.ts'

const OPTIONS = {
  field: 'text',
  max_match: 'count',
  offset_field: 'text',
  mode: ['sed'],
} as const

const LIST = { list: 'text' } as const

interface RexNode {
  readonly field: string
  readonly most: number
  readonly isSed: boolean
  readonly pattern: { readonly value: string; readonly span: Span }
}

function readRex(reader: Reader): RexNode {
  const options = new Options(OPTIONS)
  options.takeAll(reader)
  if (reader.isDone) reader.fail('rex needs a regular expression in quotes')
  const { text: value, span, isQuoted } = reader.value()
  if (!isQuoted) reader.fail('rex needs its regular expression in quotes', span)
  options.takeAll(reader)
  const offset = options.given('offset_field')
  if (offset !== undefined) {
    refuse('HR507', { what: 'offset_field, the places at which groups were found' }, offset.span)
  }
  return {
    field: options.text('field') ?? '_raw',
    most: options.number('max_match', 1),
    isSed: options.has('mode'),
    pattern: { value, span },
  }
}

interface Groups {
  /** The names of groups by their numbers, which begin at 1; a group without a name has its number too. */
  readonly names: ReadonlyMap<number, string>
  readonly count: number
}

function groupsOf(pattern: string): Groups {
  const names = new Map<number, string>()
  let count = 0
  let isInClass = false
  for (let at = 0; at < pattern.length; at++) {
    const each = pattern[at]
    if (each === '\\') {
      // Between \Q and \E every character stands for itself.
      if (pattern[at + 1] === 'Q') {
        const end = pattern.indexOf('\\E', at + 2)
        at = end === -1 ? pattern.length : end
      }
      at++
    } else if (isInClass) isInClass = each !== ']'
    else if (each === '[') {
      isInClass = true
      if (pattern[at + 1] === '^') at++
      if (pattern[at + 1] === ']') at++
    } else if (each === '(') {
      const [, name] = /^\(\?P?<([A-Za-z_]\w*)>/.exec(pattern.slice(at, at + 300)) ?? []
      if (name !== undefined) names.set(++count, name)
      else if (pattern[at + 1] !== '?') count++
    }
  }
  return { names, count }
}

/** Fields set from groups; where a group finds nothing, its field stays as it was. */
function withGroups(rows: Rows, { field: source, most, pattern }: RexNode, context: Context): Rows {
  const { names: groups } = groupsOf(pattern.value)
  if (groups.size === 0) {
    refuse(
      'HR510',
      { reason: 'rex needs a group with a name, such as (?<user>\\w+)' },
      pattern.span,
    )
  }
  const value = fieldValue(rows, source)
  if (needsConfirming(pattern.value)) {
    if (most !== 1)
      refuse('HR507', { what: 'max_match with a pattern that looks around itself' }, pattern.span)
    if (value.type === 'null') return rows
    return derived(
      rows,
      [...groups].map(([at, name]): Binding => {
        const found = confirmedGroup(value, pattern, at, rows, context)
        return { name, value: over(found, fieldValue(rows, name)) }
      }),
    )
  }
  const engine = text(enginePattern(pattern.value, pattern.span))
  if (most !== 1 || isList(value.type)) {
    const list = asList(value)
    const set = [...groups].map(([at, name]): Binding => {
      const found = call('rex.all', [list, engine, number(at), number(most)], LIST)
      return { name, value: kept(found, asList(fieldValue(rows, name))) }
    })
    return derived(rows, set)
  }
  const subject = asText(value)
  const isSingle = groups.size === 1
  const column = context.hidden('g')
  const base = isSingle
    ? rows
    : derived(rows, [{ name: column, value: call('rex.groups', [subject, engine], LIST) }])
  const set = [...groups].map(([at, name]): Binding => {
    const found = isSingle
      ? call('rex.group', [subject, engine, number(at)], 'text')
      : call('rex.found', [field(column, LIST), number(at)], 'text')
    return { name, value: over(found, fieldValue(rows, name)) }
  })
  return derived(base, set)
}

/** A text that is found, or what its field held before. */
function over(found: Expr, old: Expr): Expr {
  return isList(old.type) ? kept(asList(found), old) : kept(found, asText(old))
}

/** What is found, or what was there before. */
function kept(found: Expr, old: Expr): Expr {
  return old.op === 'const' ? found : call('eval.coalesce', [found, old], old.type)
}

type Sed =
  | {
      readonly kind: 's'
      readonly pattern: string
      readonly rewrite: string
      /** Of the places that are found: all, or the one of a number. */
      readonly place: 'all' | number
    }
  | { readonly kind: 'y'; readonly from: string; readonly to: string }

/** Reads `s/pattern/replacement/flags` or `y/abc/xyz/`; any character may stand for the slash. */
function readSed(script: string, span: Span): Sed {
  const fail = (what: string): never => refuse('HR510', { reason: what }, span)
  const plain = script.trim()
  const [kind, mark] = [plain[0], plain[1]]
  if ((kind !== 's' && kind !== 'y') || mark === undefined || /[\w\s\\]/.test(mark)) {
    return fail('mode=sed needs s/pattern/replacement/ or y/characters/characters/')
  }
  const parts: string[] = ['']
  for (let at = 2; at < plain.length; at++) {
    const each = plain[at] ?? ''
    const last = parts.length - 1
    if (each === '\\' && at + 1 < plain.length) {
      const next = plain[++at] ?? ''
      parts[last] += next === mark ? next : `\\${next}`
    } else if (each === mark && parts.length < 3) parts.push('')
    else parts[last] += each
  }
  const [first = '', second, flags] = parts
  if (second === undefined || flags === undefined || first === '') return fail('it is not closed')
  if (kind === 'y') {
    if (flags !== '' || [...first].length !== [...second].length) {
      return fail('y needs two lists with the same number of characters')
    }
    return { kind, from: first, to: second }
  }
  const [, letters = '', place, more = ''] = /^([gi]*)([1-9]\d?)?([gi]*)$/.exec(flags) ?? []
  const isKnown = flags === '' || letters + more !== '' || place !== undefined
  if (!isKnown || (place !== undefined && flags.includes('g'))) {
    return refuse('HR507', { what: `the flag "${flags}" of sed` }, span)
  }
  if (/\\\\\d/.test(second)) {
    return refuse('HR507', { what: 'a backslash before a digit in a replacement of sed' }, span)
  }
  const pattern = flags.includes('i') ? `(?i)${first}` : first
  return { kind, pattern, rewrite: second, place: flags.includes('g') ? 'all' : Number(place ?? 1) }
}

/** The rewriting with the groups in it that the pattern has; a backslash before another character is that character. */
function rewriting(rewrite: string): string {
  return rewrite.replace(/\\(.)/gs, (whole, next: string) => {
    if (/[0-9]/.test(next)) return whole
    return next === 'n' ? '\n' : next === 't' ? '\t' : next === '\\' ? '\\\\' : next
  })
}

function rewritten(rows: Rows, { field: name, pattern }: RexNode, context: Context): Rows {
  const old = fieldValue(rows, name)
  if (old.type === 'null') return rows
  const script = readSed(pattern.value, pattern.span)
  if (script.kind === 'y') {
    const made = (value: Expr): Expr =>
      call('rex.translate', [value, text(script.from), text(script.to)], 'text')
    return derived(rows, [{ name, value: overValues(old, made) }])
  }
  const { place } = script
  const rewrite = rewriting(script.rewrite)
  if (needsConfirming(script.pattern)) {
    if (place !== 'all') {
      const what = 'sed without the flag g with a pattern that looks around itself'
      refuse('HR507', { what }, pattern.span)
    }
    const sought = { value: script.pattern, span: pattern.span }
    return derived(rows, [{ name, value: confirmedReplace(old, sought, rewrite, rows, context) }])
  }
  const engine = text(enginePattern(script.pattern, pattern.span))
  const isFirst = place === 'all' || place === 1
  const groups = isFirst ? 0 : groupsOf(script.pattern).count
  const highest = Math.max(0, ...[...rewrite.matchAll(/\\(\d)/g)].map(([, digit]) => Number(digit)))
  if (!isFirst && groups + 2 + highest > 9) {
    refuse('HR507', { what: 'so many groups with a number behind s///' }, pattern.span)
  }
  const made = (value: Expr): Expr =>
    isFirst
      ? call(
          'rex.rewrite',
          [value, engine, text(rewrite), { op: 'const', value: place === 'all', type: 'bool' }],
          'text',
        )
      : call(
          'rex.rewrite_one',
          [value, engine, text(rewrite), number(place), number(groups)],
          'text',
        )
  return derived(rows, [{ name, value: overValues(old, made) }])
}

const ELEMENT = field('@@element', 'text')

/** A function of a text over a field: over each of its values where it has several. */
export function overValues(value: Expr, make: (value: Expr) => Expr): Expr {
  return isList(value.type)
    ? call('mv.map', [value, text(ELEMENT.name), make(ELEMENT)], LIST)
    : make(asText(value))
}

const rex = command<RexNode>({
  name: 'rex',
  says: 'Sets fields to what the named groups of a regular expression find in a field, or rewrites it with mode=sed.',
  kind: 'streaming',
  options: OPTIONS,
  read: readRex,
  lower: (node, rows, context) =>
    node.isSed ? rewritten(rows, node, context) : withGroups(rows, node, context),
})

export const rexCommands: readonly CommandRecord[] = [rex]

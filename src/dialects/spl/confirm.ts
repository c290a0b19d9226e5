/**
 * Patterns that look around themselves, which the engine's regular expressions cannot: the values that a wider pattern
 * finds are looked at one by one before the search runs. Those that pass, or what becomes of them, stand in the search.
 */
import { checkRegex } from '../../core/regex.ts'
import type { Span } from '../../core/span.ts'
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import { isList } from '../../ir/types.ts'
import type { Confirmation } from './answer.ts'
import type { Context } from './command.ts'
import { refuse } from './refusal.ts'
import { asText, type Rows } from './rows.ts'

const AROUND = /\(\?<?[=!]/

interface Pattern {
  readonly value: string
  readonly span: Span
}

/** True for a pattern with an assertion that the engine does not know. */
export function needsConfirming(pattern: string): boolean {
  return AROUND.test(pattern) && checkRegex(pattern).value === undefined
}

/** The end of the group that begins at an offset, past its closing parenthesis; -1 when it is not closed. */
function groupEnd(pattern: string, start: number): number {
  let depth = 0
  let inClass = false
  for (let at = start; at < pattern.length; at++) {
    const each = pattern[at]
    if (each === '\\') at++
    else if (inClass) inClass = each !== ']'
    else if (each === '[') {
      inClass = true
      // A bracket right behind the opening one is a character of the class.
      if (pattern[at + 1] === '^') at++
      if (pattern[at + 1] === ']') at++
    } else if (each === '(') depth++
    else if (each === ')' && --depth === 0) return at + 1
  }
  return -1
}

/** The pattern without its assertions: it finds all that the pattern finds, and more. Undefined when it cannot be read. */
function widened(pattern: string): string | undefined {
  let made = ''
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at)
    if (/^\(\?<?[=!]/.test(rest)) {
      const end = groupEnd(pattern, at)
      if (end === -1) return undefined
      at = end
    } else {
      const length = pattern[at] === '\\' ? 2 : 1
      made += pattern.slice(at, at + length)
      at += length
    }
  }
  return checkRegex(made).value
}

/** All of a text with the first place in it where a pattern finds something. */
const framed = (source: string): string => `(?<![^])[^]*?(?:${source})[^]*(?![^])`

/** The pattern as ECMAScript has it: flags at its beginning apart, groups named in one way. */
function confirmation(pattern: Pattern, replacement?: string, isFramed = false): Confirmation {
  const [start = '', letters = ''] = /^\(\?([ims]+)\)/.exec(pattern.value) ?? []
  const source = pattern.value
    .slice(start.length)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\A', '^')
    .replace(/\\[zZ]/g, '$')
  const flags = [...new Set(letters)].join('')
  try {
    new RegExp(source, flags)
  } catch {
    refuse(
      'HR510',
      { reason: 'it looks around itself in a way that cannot be confirmed' },
      pattern.span,
    )
  }
  return {
    pattern: isFramed ? framed(source) : source,
    flags,
    ...(replacement === undefined ? {} : { replacement }),
  }
}

/** The distinct values that the wider pattern finds, given to be confirmed. */
function confirmedTexts(
  value: Expr,
  pattern: Pattern,
  { replacement, group }: { readonly replacement?: string; readonly group?: number },
  rows: Rows,
  context: Context,
): readonly string[] {
  const wide = widened(pattern.value)
  if (wide === undefined) {
    return refuse(
      'HR510',
      { reason: 'it looks around itself in a way that cannot be confirmed' },
      pattern.span,
    )
  }
  const column = context.hidden('v')
  const rel = {
    op: 'aggregate',
    from: { op: 'filter', from: rows.rel, where: call('match.regex', [value, text(wide)]) },
    by: [{ name: column, value }],
    into: [],
  } as const
  context.note(
    'assumption',
    `each value that may fit ${pattern.value} is looked at on its own`,
    pattern.span,
  )
  return group === undefined
    ? context.discover('pattern', rel, pattern.span, confirmation(pattern, replacement))
    : context.discover(
        `group ${group}`,
        rel,
        pattern.span,
        // The whole text behind what is found makes the result differ from the text in any case.
        confirmation(pattern, `$${group}$&`, true),
      )
}

function single(subject: Expr, { span }: Pattern): Expr {
  if (!isList(subject.type)) return asText(subject)
  return refuse(
    'HR510',
    { reason: 'it looks around itself, which is confirmed for single values only' },
    span,
  )
}

/** True where a pattern finds something in a value. */
export function confirmedMatch(
  subject: Expr,
  pattern: Pattern,
  rows: Rows,
  context: Context,
): Expr {
  const value = single(subject, pattern)
  const passed = confirmedTexts(value, pattern, {}, rows, context)
  return call('match.in_cased', [value, texts(passed)])
}

/** A value with what a pattern finds in it replaced. */
export function confirmedReplace(
  subject: Expr,
  pattern: Pattern,
  replacement: string,
  rows: Rows,
  context: Context,
): Expr {
  const value = single(subject, pattern)
  const written = replacement.replaceAll('$', '$$$$').replace(/\\(\d)/g, '$$$1')
  const pairs = confirmedTexts(value, pattern, { replacement: written }, rows, context).map(
    (each): readonly string[] => JSON.parse(each),
  )
  const [from, to] = [0, 1].map((at) => texts(pairs.map((pair) => pair[at] ?? '')))
  return from === undefined || to === undefined
    ? value
    : call('eval.exchange', [value, from, to], 'text')
}

/** What a group of a pattern finds first in a value; missing where that is nothing. */
export function confirmedGroup(
  subject: Expr,
  pattern: Pattern,
  group: number,
  rows: Rows,
  context: Context,
): Expr {
  const value = single(subject, pattern)
  const pairs = confirmedTexts(value, pattern, { group }, rows, context).flatMap((each) => {
    const [from = '', made = '']: readonly string[] = JSON.parse(each)
    const found = made.slice(0, made.length - from.length)
    return found === '' ? [] : [{ from, found }]
  })
  const from = texts(pairs.map((each) => each.from))
  const exchanged = call(
    'eval.exchange',
    [value, from, texts(pairs.map((each) => each.found))],
    'text',
  )
  const missing: Expr = { op: 'const', value: null, type: 'text' }
  return call('eval.case', [call('match.in_cased', [value, from]), exchanged, missing], 'text')
}

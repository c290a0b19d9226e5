/** How rules are written: quotation marks, patterns, values, and names that are defined and not used. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { hasStarAfter } from '../../dialects/kusto/scan.ts'
import type { SigmaItem } from '../../dialects/sigma/detection.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import { childrenOf, ownExprs, visitExpr } from '../../ir/walk.ts'
import { codeOf, outsideTexts } from './code.ts'
import { faultOf } from './pattern.ts'
import {
  found,
  itemsOf,
  type LintCheck,
  placeOfKey,
  placeOfText,
  type Subject,
  shown,
} from './subject.ts'

const TYPOGRAPHIC: ReadonlyMap<string, string> = new Map([
  ['\u201c', '"'],
  ['\u201d', '"'],
  ['\u201e', '"'],
  ['\u00ab', '"'],
  ['\u00bb', '"'],
  ['\u2018', "'"],
  ['\u2019', "'"],
  ['\u201a', "'"],
])

/** Search or query of a rule, as it is written. */
function queryOf(subject: Subject): string {
  const { rule, language } = subject.loaded
  if (language === 'sigma') return ''
  return rule === undefined ? unreadQuery(subject) : (rule.stages[0]?.text ?? '')
}

/** The query below its key, of a rule that cannot be read: often just because of its quotation marks. */
function unreadQuery(subject: Subject): string {
  if (!/\.ya?ml$/i.test(subject.loaded.file)) return ''
  const key = placeOfKey(subject, 'query', 'search')
  const [first = '', ...lines] = subject.loaded.text.slice(key.end, subject.span.end).split('\n')
  if (!first.startsWith(':')) return ''
  const end = lines.findIndex((line) => /^\S/.test(line))
  return [first, ...lines.slice(0, end === -1 ? lines.length : end)].join('\n')
}

function typographic(subject: Subject): readonly Diagnostic[] {
  const query = queryOf(subject)
  const isKusto = subject.loaded.language === 'kusto'
  const marks = outsideTexts(query, isKusto).flatMap(({ start, end }) =>
    [...query.slice(start, end)].filter((char) => TYPOGRAPHIC.has(char)),
  )
  const ofQuery = [...new Set(marks)].map((mark) =>
    found('HR958', { mark, plain: TYPOGRAPHIC.get(mark) ?? '"' }, placeOfText(subject, mark)),
  )
  // A whole value between such marks was meant to be quoted; one somewhere in a value is looked for.
  const ofValues = itemsOf(subject).flatMap(({ values }) =>
    values.flatMap(({ text, span }) => {
      const [mark = '', last = ''] = [text[0], text.at(-1)]
      const isBoth = text.length > 2 && TYPOGRAPHIC.has(mark) && TYPOGRAPHIC.has(last)
      return isBoth ? [found('HR958', { mark, plain: TYPOGRAPHIC.get(mark) ?? '"' }, span)] : []
    }),
  )
  return [...ofQuery, ...ofValues]
}

/** `""x""` in a search: an empty text with something right behind it. */
function doubled(subject: Subject): readonly Diagnostic[] {
  if (subject.loaded.language !== 'spl') return []
  const query = queryOf(subject)
  return outsideTexts(query, false).flatMap(({ start }) => {
    if (query.slice(start - 2, start) !== '""' || query[start - 3] === '\\') return []
    const written = /^[\w*./\\:@-]{1,200}(?="")/.exec(query.slice(start, start + 202))?.[0]
    if (written === undefined) return []
    const whole = `""${written}""`
    return [found('HR959', { value: shown(written) }, placeOfText(subject, whole))]
  })
}

/** Names that `let` gives and nothing reads. */
function unusedLets(subject: Subject): readonly Diagnostic[] {
  if (subject.loaded.language !== 'kusto') return []
  const query = queryOf(subject)
  const code = codeOf(query, true)
  const words = new Map<string, number>()
  for (const [word] of code.matchAll(/\w+/g)) words.set(word, (words.get(word) ?? 0) + 1)
  // A view is read by a wildcard of `union` or `search` too.
  const isWild = hasStarAfter(code, ['union', 'search'])
  return [...code.matchAll(/\blet\s+(\w+)\s*=(\s*view\b)?/g)].flatMap(([, name = '', view]) => {
    if (view !== undefined && isWild) return []
    // A name in brackets and quotation marks is a use too.
    const isBracketed = query.includes(`['${name}']`) || query.includes(`["${name}"]`)
    if (words.get(name) !== 1 || isBracketed) return []
    const at = /\blet\s/.exec(subject.loaded.text.slice(subject.span.start))?.index ?? 0
    return [found('HR977', { name }, placeOfText(subject, name, subject.span.start + at))]
  })
}

/** Functions that take a pattern; `true` for those that only test, so that it does not matter which text is met. */
const PATTERNS: ReadonlyMap<string, boolean> = new Map([
  ['match.regex', true],
  ['match.found', true],
  ['text.matches', true],
  ['eval.match', true],
  ['text.extract', false],
  ['text.extract_all', false],
  ['rex.found', false],
  ['rex.group', false],
])

/** Patterns that a plan looks for, each once, and whether it only tests with them. */
function patternsOf(rel: Rel): ReadonlyMap<string, boolean> {
  const all = new Map<string, boolean>()
  const add = (expr: Expr): void =>
    visitExpr(expr, (each) => {
      const isTest = each.op === 'call' ? PATTERNS.get(each.fn) : undefined
      if (each.op !== 'call' || isTest === undefined) return
      for (const arg of each.args) {
        if (arg.op !== 'const' || typeof arg.value !== 'string') continue
        all.set(arg.value, isTest && all.get(arg.value) !== false)
      }
    })
  const visit = (each: Rel): void => {
    for (const expr of ownExprs(each)) add(expr)
    for (const child of childrenOf(each)) visit(child)
  }
  visit(rel)
  return all
}

/** Where a pattern stands; where names of groups or escapes are written otherwise, its longest plain piece shows it. */
function placeOfPattern(subject: Subject, pattern: string): Span {
  const written = pattern.replace(/^\(\?[a-z-]+\)/, '')
  const pieces = [...written.matchAll(/[\w ]{3,}/g)].map(([piece]) => piece)
  const all = [written, ...pieces.sort((a, b) => b.length - a.length)]
  const shownAs = all.find((each) => subject.loaded.text.includes(each, subject.span.start))
  return shownAs === undefined
    ? placeOfKey(subject, 'search', 'query', 'detection')
    : placeOfText(subject, shownAs)
}

function patterns(subject: Subject): readonly Diagnostic[] {
  const { rule } = subject.loaded
  if (rule === undefined) return []
  return [...patternsOf(rule.rel)].flatMap(([pattern, isTest]) => {
    const fault = faultOf(pattern)
    if (fault === undefined || (!fault.isNever && !isTest)) return []
    const { isNever, reason } = fault
    return [found(isNever ? 'HR974' : 'HR975', { reason }, placeOfPattern(subject, pattern))]
  })
}

const isWhole = ({ matcher }: SigmaItem): boolean =>
  matcher.kind === 'text' && matcher.anchor === undefined

/** `*x*` without a modifier. */
function stars(item: SigmaItem): readonly Diagnostic[] {
  if (item.field === undefined || !isWhole(item) || item.modifiers.length > 0) return []
  const first = item.values[0]
  const kinds = item.values.map(({ text }) => {
    const inner = text.replace(/^\*|\*$/g, '')
    if (inner === '' || /[*?\\]$|[*?]/.test(inner)) return undefined
    const [before, after] = [text.startsWith('*'), text.endsWith('*')]
    return before && after ? 'contains' : before ? 'endswith' : after ? 'startswith' : undefined
  })
  const [kind] = kinds
  if (first === undefined || kind === undefined || kinds.some((each) => each !== kind)) return []
  const value = shown(first.text.replace(/^\*|\*$/g, ''))
  return [found('HR978', { better: `${item.field}|${kind}: ${value}` }, first.span)]
}

/** A value that stands twice in one list. */
function twice({ values, matcher }: SigmaItem): readonly Diagnostic[] {
  const seen = new Set<string>()
  return values.flatMap(({ text, value, span }) => {
    const key = `${typeof value} ${matcher.cased || matcher.kind === 'regex' ? text : text.toLowerCase()}`
    const isAgain = seen.has(key)
    seen.add(key)
    return isAgain ? [found('HR976', { value: shown(text) }, span)] : []
  })
}

const PROGRAMS = /^(?:Parent)?Image$/

/** A program's name without its folder, as the end of a path. */
function openEnds({ field, matcher, values }: SigmaItem): readonly Diagnostic[] {
  if (field === undefined || matcher.anchor !== 'ends' || !PROGRAMS.test(field)) return []
  return values.flatMap(({ text, span }) =>
    /^[a-z0-9_-]+\.exe$/i.test(text) ? [found('HR979', { value: shown(text) }, span)] : [],
  )
}

export const writingChecks: readonly LintCheck[] = [
  {
    codes: ['HR958', 'HR959'],
    says: 'Quotation marks are those of the language, and one on each side.',
    check: (subject) => [...typographic(subject), ...doubled(subject)],
  },
  {
    codes: ['HR974', 'HR975'],
    says: 'Patterns can match, and hold nothing that only costs time.',
    check: patterns,
  },
  {
    codes: ['HR976', 'HR978', 'HR979'],
    says: 'Values of a Sigma rule are written once, with the modifier that says what is meant.',
    check: (subject) =>
      itemsOf(subject).flatMap((item) => [...stars(item), ...twice(item), ...openEnds(item)]),
  },
  {
    codes: ['HR977'],
    says: 'What a query defines with `let` is used.',
    check: unusedLets,
  },
]

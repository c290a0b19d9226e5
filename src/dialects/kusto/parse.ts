/**
 * `parse`, `parse-where` and `parse-kv`: columns from a text by a pattern. The pattern becomes one regular expression,
 * which is evaluated once a row; its groups are the columns.
 */
import { checkRegex } from '../../core/regex.ts'
import { SIGNS } from '../../functions/shape.ts'
import { and, call, type Expr, field, text } from '../../ir/expr.ts'
import type { BaseType } from '../../ir/types.ts'
import { type Column, type Node, typeNamed } from './adapter.ts'
import { parameterOf } from './joins.ts'
import { type Made, shaped } from './rows.ts'
import {
  type Context,
  cast,
  constant,
  derived,
  filtered,
  missing,
  type Operator,
  type Rowset,
  refuse,
  rowOf,
} from './scope.ts'
import { constantText } from './values.ts'

/** A literal as the part of a pattern that matches it and nothing else. */
export function quotedPattern(literal: string): string {
  return literal.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}

/** How values of types look where nothing tells their end. Texts, and types that are not here, look like anything. */
const LOOKS: Readonly<Partial<Record<BaseType, string>>> = {
  int32: '[-+]?[0-9]+',
  int: '[-+]?[0-9]+',
  float: '[-+]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?',
  decimal: '[-+]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][-+]?[0-9]+)?',
}

/** The same for types that only need it where their values are not followed by a literal. */
const ENDLESS: Readonly<Partial<Record<BaseType, string>>> = {
  bool: '(?i:true|false|[01])',
  time: '[0-9]+[-/][0-9]+[-/][0-9]+(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]+)?)?(?: ?[AaPp][Mm])?)?(?:Z|[-+][0-9]{2}:?[0-9]{2})?',
  span: '-?(?:[0-9]+\\.)?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]+)?)?',
  guid: '[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}',
}

type Kind = 'simple' | 'regex' | 'relaxed'

/** A column of a pattern with the group of the regular expression that holds its text. */
interface Part {
  readonly name: string
  readonly type: BaseType
  readonly group: number
}

interface Pattern {
  readonly regex: string
  readonly parts: readonly Part[]
}

/** The type of a declaration `name: type`; a bare name is a text. */
function declaredType(node: Node): BaseType {
  if (node.kind !== 'NameAndTypeDeclaration') return 'text'
  return node.child('Name').type ?? typeNamed(node.child('Type').text) ?? 'text'
}

function declaredName(node: Node): string {
  const name = node.kind === 'NameAndTypeDeclaration' ? node.child('Name') : node
  return name.name || name.text
}

/** Number of groups that a regular expression captures. */
function groupsIn(regex: string): number {
  let count = 0
  let isClass = false
  for (let at = 0; at < regex.length; at++) {
    const char = regex[at]
    if (char === '\\') at++
    else if (isClass) isClass = char !== ']'
    else if (char === '[') {
      isClass = true
      // A bracket that closes is a member where it stands first.
      if (regex[at + 1] === '^') at++
      if (regex[at + 1] === ']') at++
    } else if (char === '(' && (regex[at + 1] !== '?' || /^\(\?P?<\w/.test(regex.slice(at))))
      count++
  }
  return count
}

/** What matches the text of a column, by what comes behind it. */
function columnPattern(type: BaseType, kind: Kind, next: Node | undefined): string {
  const isBounded = next === undefined || next.kind === 'StringLiteralExpression'
  const isText = type === 'text' || type === 'dynamic'
  if (kind === 'regex') return `(${LOOKS[type] ?? '.*'})`
  if (isText) return next === undefined ? '(.*)' : '(.*?)'
  const look = LOOKS[type] ?? (isBounded ? undefined : ENDLESS[type])
  if (kind === 'relaxed')
    return isBounded ? (next === undefined ? '(.*)' : '(.*?)') : `(${look ?? ''}|)`
  return look === undefined ? (next === undefined ? '(.*)' : '(.*?)') : `(${look})`
}

function patternOf(list: readonly Node[], kind: Kind): Pattern {
  const parts: Part[] = []
  let regex = '^'
  let groups = 0
  list.forEach((each, index) => {
    if (each.kind === 'StringLiteralExpression') {
      const literal = kind === 'regex' ? each.literalText : quotedPattern(each.literalText)
      // Alternatives in a part are alternatives of that part alone.
      regex += kind === 'regex' && literal.includes('|') ? `(?:${literal})` : literal
      groups += kind === 'regex' ? groupsIn(literal) : 0
      return
    }
    if (each.kind === 'StarExpression') {
      if (index < list.length - 1) regex += '.*?'
      return
    }
    const type = declaredType(each)
    parts.push({ name: declaredName(each), type, group: ++groups })
    regex += columnPattern(type, kind, list[index + 1])
  })
  // The last group is always there, so that a pattern without columns tells whether it matched.
  return { regex: `${regex}()`, parts }
}

function checked(regex: string, kind: Kind, flags: string, node: Node, context: Context): string {
  const unknown = [...flags].find((each) => !'imsU'.includes(each))
  if (unknown !== undefined) {
    return refuse('HR407', { what: `the flag "${unknown}" of parse` }, context.lowering.place(node))
  }
  const { value, diagnostics } = checkRegex(regex, {
    i: flags.includes('i'),
    m: flags.includes('m'),
    s: kind !== 'regex' || flags.includes('s'),
  })
  if (value === undefined) {
    const reason = diagnostics.map((each) => each.message).join('; ')
    return refuse('HR412', { reason }, context.lowering.place(node))
  }
  return flags.includes('U') ? `(?U)${value}` : value
}

const KINDS: readonly string[] = ['simple', 'regex', 'relaxed']

/** Columns of one name: the last says the type, the first the place. */
function unique(columns: readonly Column[]): readonly Column[] {
  return [...new Map(columns.map(({ name, type }) => [name, type]))].map(([name, type]) => ({
    name,
    type,
  }))
}

/** The columns of a parse. A column that is there already is replaced; the binder makes another of it further on. */
function columnsOf(rows: Rowset, node: Node, made: readonly Made[], context: Context) {
  const before = new Set(rows.columns.map(({ name }) => name))
  for (const { name } of made) if (before.has(name)) context.lowering.phantoms.add(`${name}1`)
  return unique(node.columns)
}

/** The rows with the parsed values behind, and the condition that a row was parsed. */
function parsed(
  rows: Rowset,
  node: Node,
  context: Context,
): { readonly rows: Rowset; readonly made: readonly Made[]; readonly isParsed: Expr } {
  const { lowering } = context
  const written = parameterOf(node, 'kind')?.text.toLowerCase() ?? 'simple'
  const kind = KINDS.includes(written) ? (written as Kind) : 'simple'
  const flags = kind === 'regex' ? (parameterOf(node, 'flags')?.text ?? '') : ''
  const { regex, parts } = patternOf(node.items('Patterns'), kind)
  const pattern = checked(regex, kind, flags.replace(/^["']|["']$/g, ''), node, context)
  const subject = cast(
    lowering.expr(node.child('Expression'), { ...context, row: rowOf(rows) }),
    'text',
  )
  const groups = lowering.hidden('m')
  const list = field(groups, { list: 'text' })
  const matched = derived(rows, [
    { name: groups, value: call('parse.groups', [subject, text(pattern)], { list: 'text' }) },
  ])
  const values = parts.map(({ name, type, group }) => ({
    name,
    type,
    hidden: lowering.hidden('v'),
    value: cast(call('parse.part', [list, constant(group, 'int')], 'text'), type),
  }))
  const isMatch = call('parse.matched', [list])
  const typed = values.filter(({ type }) => type !== 'text' && type !== 'dynamic')
  const read = derived(
    matched,
    values.map(({ hidden, value }) => ({ name: hidden, value })),
  )
  const columnOf = ({ hidden, type }: (typeof values)[number]): Expr => field(hidden, type)
  const isParsed =
    kind === 'relaxed'
      ? isMatch
      : and([
          isMatch,
          ...typed.map((each) => call('logic.not', [call('value.is_missing', [columnOf(each)])])),
        ])
  const made = values.map((each): Made => {
    const value = columnOf(each)
    const isSure =
      kind === 'relaxed' || typed.length === 0 || (typed.length === 1 && typed[0] === each)
    return {
      name: each.name,
      value: isSure
        ? value
        : { op: 'case', when: [[isParsed, value]], otherwise: missing(each.type), type: each.type },
    }
  })
  return { rows: read, made, isParsed }
}

const parse: Operator = (rows, node, context) => {
  const { rows: read, made } = parsed(rows, node, context)
  return shaped(read, columnsOf(rows, node, made, context), made, node, context)
}

const parseWhere: Operator = (rows, node, context) => {
  const { rows: read, made, isParsed } = parsed(rows, node, context)
  return shaped(filtered(read, isParsed), columnsOf(rows, node, made, context), made, node, context)
}

/** The settings of `parse-kv`. */
interface Pairs {
  readonly pair: string | undefined
  readonly key: string | undefined
  readonly quotes: readonly (readonly [string, string])[]
  readonly escapes: readonly string[]
  readonly isGreedy: boolean
  readonly regex: string | undefined
}

function settingsOf(node: Node, context: Context): Pairs {
  const given = (node.maybe('WithClause')?.items('Properties') ?? []).map((each) => ({
    name: each.child('Name').name || each.child('Name').text,
    value: each.child('Expression'),
  }))
  const texts = (name: string): readonly string[] =>
    given
      .filter((each) => each.name === name)
      .flatMap(({ value }) => {
        const found = constantText(value, context)
        return found === '' ? [] : [found]
      })
  return {
    pair: texts('pair_delimiter')[0],
    key: texts('kv_delimiter')[0],
    quotes: texts('quote').map((each) => [each.slice(0, 1), each.slice(1, 2) || each.slice(0, 1)]),
    escapes: texts('escape'),
    isGreedy: given.some(({ name, value }) => name === 'greedy' && /true/i.test(value.text)),
    regex: texts('regex')[0],
  }
}

/** What stands between quotes, as a group for each kind of quotes. */
function quotedGroups({ quotes, escapes }: Pairs): readonly string[] {
  const signs = escapes.map((each) => quotedPattern(each)).join('')
  return quotes.map(([open, close]) => {
    const end = quotedPattern(close)
    const inner = signs === '' ? `[^${end}]*` : `(?:[^${end}${signs}]|[${signs}].)*`
    return `${quotedPattern(open)}(${inner})${end}`
  })
}

/** How the pairs of a text are found, and how many groups of each match make up the key. */
interface Reading {
  readonly subject: Expr
  readonly regex: string
  readonly keyGroups: number
  readonly finish: (value: Expr) => Expr
}

function delimited(subject: Expr, settings: Pairs, pair: string, key: string): Reading {
  const { pairEnd, keyEnd } = SIGNS
  const quoted = quotedGroups(settings)
  const delimiters = [text(pair), text(key)]
  // A delimiter between quotes is marked too: what is found gets its delimiters back.
  const signed = call('pairs.marked', [subject, ...delimiters], 'text')
  const blank = `[${blankPair(pair)}\\s]`
  const isGreedy = settings.isGreedy
  return {
    subject: isGreedy ? call('pairs.cut', [signed, text(pair)], 'text') : signed,
    regex: `(?s)\\s*(?:${[...quoted, `([^${pairEnd}${keyEnd}]+?)`].join('|')})${blank}*${keyEnd}${blank}*(?:${[...quoted, `([^${pairEnd}]*?)`].join('|')})\\s*(?:${pairEnd}|$)`,
    keyGroups: quoted.length + 1,
    finish: (value) => call('pairs.plain', [value, ...delimiters], 'text'),
  }
}

/** Blanks around keys and values mean nothing, those that part pairs too. */
function blankPair(pair: string): string {
  return pair.trim() === '' ? SIGNS.pairEnd : ''
}

const WORD = '[\\pL\\pN]'

function undelimited(subject: Expr, settings: Pairs, keys: readonly string[]): Reading {
  const quoted = quotedGroups(settings)
  const names = keys.map(quotedPattern).join('|')
  return {
    subject,
    regex: `(?s)(?:^|[^\\pL\\pN])(${names})[^\\pL\\pN]+?(?:${[...quoted, `(${WORD}+)`].join('|')})`,
    keyGroups: 1,
    finish: (value) => value,
  }
}

function readingOf(
  subject: Expr,
  settings: Pairs,
  keys: readonly string[],
  node: Node,
  context: Context,
): Reading {
  const { pair, key, regex } = settings
  if (regex !== undefined) {
    const pattern = checked(regex, 'regex', '', node, context)
    if (groupsIn(regex) !== 2) {
      return refuse(
        'HR412',
        { reason: 'parse-kv needs two groups, for the key and for the value' },
        context.lowering.place(node),
      )
    }
    return {
      subject,
      regex: pattern,
      keyGroups: 1,
      finish: (value) => call('pairs.plain', [value, text(''), text('')], 'text'),
    }
  }
  if (pair !== undefined && key !== undefined) return delimited(subject, settings, pair, key)
  if (pair !== undefined || key !== undefined) {
    return refuse(
      'HR407',
      { what: 'parse-kv with only one of pair_delimiter and kv_delimiter' },
      context.lowering.place(node),
    )
  }
  return undelimited(subject, settings, keys)
}

const parseKv: Operator = (rows, node, context) => {
  const { lowering } = context
  const settings = settingsOf(node, context)
  const columns = node
    .child('Keys')
    .items('Columns')
    .map((each) => ({ name: declaredName(each), type: declaredType(each) }))
  const subject = cast(
    lowering.expr(node.child('Expression'), { ...context, row: rowOf(rows) }),
    'text',
  )
  const names = columns.map(({ name }) => name)
  const {
    subject: ready,
    regex,
    keyGroups,
    finish,
  } = readingOf(subject, settings, names, node, context)
  const pairs = lowering.hidden('m')
  const found = derived(rows, [
    { name: pairs, value: call('pairs.found', [ready, text(regex)], { list: 'dynamic' }) },
  ])
  const signs = settings.escapes.map((each) => quotedPattern(each)).join('')
  const made = columns.map(({ name, type }): Made => {
    const raw = call(
      'pairs.value',
      [field(pairs, { list: 'dynamic' }), text(name), constant(keyGroups, 'int')],
      'text',
    )
    const plain =
      signs === '' ? raw : call('pairs.unescaped', [raw, text(`(?s)[${signs}](.)`)], 'text')
    return { name, value: cast(finish(plain), type) }
  })
  return shaped(found, columnsOf(rows, node, made, context), made, node, context)
}

export const parseOperators = {
  ParseOperator: parse,
  ParseWhereOperator: parseWhere,
  ParseKvOperator: parseKv,
} as const

/** Commands that change the values of fields: `convert`, `replace`, `strcat`. */
import type { Span } from '../../core/span.ts'
import { functionOf } from '../../functions/catalogue.ts'
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, command } from './command.ts'
import { callOf } from './evaluating.ts'
import { Options } from './options.ts'
import type { Reader } from './reader.ts'
import { overValues } from './rex.ts'
import {
  asNumber,
  asText,
  derived,
  fieldValue,
  nameParts,
  namesMeant,
  nameTest,
  type Rows,
} from './rows.ts'

const CONVERT_OPTIONS = { timeformat: 'text' } as const
const FORMAT = '%m/%d/%Y %H:%M:%S'

interface Conversion {
  readonly fn: string
  readonly pattern: string
  readonly as?: string
  readonly span: Span
}

interface ConvertNode {
  readonly list: readonly Conversion[]
  readonly format: { readonly text: string; readonly span: Span }
}

type Converter = (value: Expr, format: ConvertNode['format']) => Expr

const orAsItWas = (made: Expr, value: Expr): Expr =>
  call('eval.coalesce', [asText(made), asText(value)], 'text')

const reads =
  (fn: string): Converter =>
  (value) =>
    value.type === 'float' || value.type === 'int' ? value : call(fn, [asText(value)], 'float')

/** What each function makes of one value; a value that `auto`, `ctime` or `rmunit` cannot read stays as it is. */
const CONVERTERS: Readonly<Record<string, Converter>> = {
  auto: (value) => orAsItWas(call('convert.num', [asText(value)], 'float'), value),
  ctime: (value, format) => {
    const record = functionOf('eval.strftime')
    return orAsItWas(
      callOf(record, [asNumber(value), text(format.text)], 'ctime', format.span),
      value,
    )
  },
  dur2sec: reads('convert.seconds'),
  memk: reads('convert.kilobytes'),
  mktime: (value, format) =>
    callOf(functionOf('eval.strptime'), [asText(value), text(format.text)], 'mktime', format.span),
  mstime: reads('convert.minutes'),
  num: reads('convert.num'),
  rmcomma: (value) => call('convert.no_commas', [asText(value)], 'text'),
  rmunit: (value) => orAsItWas(call('convert.lead', [asText(value)], 'text'), value),
}

function readConvert(reader: Reader): ConvertNode {
  const options = new Options(CONVERT_OPTIONS)
  const list: Conversion[] = []
  const whole = { start: reader.at, end: reader.end }
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    const { text: name, span } = reader.value()
    const fn = name.toLowerCase()
    if (fn !== 'none' && !Object.hasOwn(CONVERTERS, fn)) {
      const known = [...Object.keys(CONVERTERS), 'none'].sort().join(', ')
      reader.fail(`"${name}" is no function of convert, which are ${known}`, span)
    }
    reader.expect('(')
    const { name: pattern } = reader.name()
    reader.expect(')')
    const as = reader.takeWord('as') ? reader.name('the new name').name : undefined
    const stars = (each: string): number => each.split('*').length
    if (as !== undefined && stars(as) !== stars(pattern)) {
      reader.fail('the new name needs as many stars as the old one', span)
    }
    list.push({ fn, pattern, ...(as === undefined ? {} : { as }), span })
  }
  if (list.length === 0) reader.fail('convert needs a function such as ctime(_time)')
  const format = options.given('timeformat')
  return { list, format: { text: format?.text ?? FORMAT, span: format?.span ?? whole } }
}

/** The name of what a conversion makes of a field. */
function target({ pattern, as }: Conversion, name: string): string {
  if (as === undefined) return name
  const parts = nameParts(pattern, name) ?? []
  let at = 0
  return as.replace(/\*/g, () => parts[at++] ?? '')
}

function converted(rows: Rows, { list, format }: ConvertNode): Rows {
  const kept = list.filter(({ fn }) => fn === 'none').map(({ pattern }) => nameTest(pattern))
  return list.reduce((each, conversion) => {
    const make = Object.hasOwn(CONVERTERS, conversion.fn) ? CONVERTERS[conversion.fn] : undefined
    if (make === undefined) return each
    const set = namesMeant(each, [conversion.pattern]).flatMap((name): readonly Binding[] => {
      const old = fieldValue(each, name)
      const isKept = conversion.pattern.includes('*') && kept.some((test) => test(name))
      if (old.type === 'null' || isKept) return []
      const value = isList(old.type)
        ? overValues(old, (one) => asText(make(one, format)))
        : make(old, format)
      return [{ name: target(conversion, name), value }]
    })
    return derived(each, set)
  }, rows)
}

const convert = command<ConvertNode>({
  name: 'convert',
  says: 'Makes the values of fields numbers, or times in a format: ctime(_time), num(x), dur2sec(t).',
  kind: 'streaming',
  options: CONVERT_OPTIONS,
  read: readConvert,
  lower: (node, rows) => converted(rows, node),
})

interface Replacement {
  readonly from: string
  readonly to: string
}

interface ReplaceNode {
  readonly list: readonly Replacement[]
  readonly names?: readonly string[]
}

/** A star that stands for any text; one behind a backslash is itself. */
const STAR = /\\\*|\*/g
const starsIn = (value: string): number =>
  [...value.matchAll(STAR)].filter(([each]) => each === '*').length

function readReplace(reader: Reader): ReplaceNode {
  const list: Replacement[] = []
  while (!reader.isDone && !reader.isWord('in')) {
    if (reader.take(',')) continue
    const { text: from, span } = reader.value()
    if (!reader.takeWord('with')) reader.fail(`expected "with" behind "${from}"`)
    const { text: to } = reader.value()
    if (starsIn(to) !== 0 && starsIn(to) !== starsIn(from)) {
      reader.fail('what it is replaced with needs as many stars, or none', span)
    }
    list.push({ from, to })
  }
  if (list.length === 0) reader.fail('replace needs a value and what it is replaced with')
  if (!reader.takeWord('in')) return { list }
  const names = reader.names().map(({ name }) => name)
  if (names.length === 0) reader.fail('"in" needs the names of fields')
  return { list, names }
}

/** The pattern that a whole value must fit, a group for each star: the first take as little as they can. */
function wholePattern(from: string): string {
  const body = from
    .split(/(\\\*|\*)/)
    .map((each) =>
      each === '*' ? '(.*?)' : (each === '\\*' ? '*' : each).replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'),
    )
    .join('')
  return `(?s)\\A${body}\\z`
}

/** The new value: as it is, or its pieces with what the stars have found between them. */
function newValue(value: Expr, { from, to }: Replacement): Expr {
  const pieces = to.split(/(?<!\\)\*/).map((each) => each.replaceAll('\\*', '*'))
  const [only = ''] = pieces
  return pieces.length === 1
    ? text(only)
    : call('rex.filled', [value, text(wholePattern(from)), texts(pieces)], 'text')
}

/** Values without stars go before those with, later before earlier; of those with stars the longer. */
function inTurn(list: readonly Replacement[]): readonly Replacement[] {
  const plain = list.filter(({ from }) => starsIn(from) === 0).reverse()
  const wild = list.filter(({ from }) => starsIn(from) > 0)
  const length = ({ from }: Replacement): number => from.length - starsIn(from)
  return [...plain, ...[...wild].sort((a, b) => length(b) - length(a))]
}

function replacedIn(value: Expr, list: readonly Replacement[]): Expr {
  const parts = list.flatMap((each): readonly Expr[] => [
    call('eval.match', [value, text(wholePattern(each.from))]),
    newValue(value, each),
  ])
  return call('eval.case', [...parts, value], 'text')
}

const replace = command<ReplaceNode>({
  name: 'replace',
  says: 'Replaces values of fields by others; stars stand for any text, which stays where the new value has a star.',
  kind: 'streaming',
  read: readReplace,
  lower: ({ list, names }, rows) => {
    const turns = inTurn(list)
    const set = namesMeant(rows, names ?? ['*']).flatMap((name): readonly Binding[] => {
      const old = fieldValue(rows, name)
      if (old.type === 'null') return []
      return [{ name, value: overValues(old, (each) => replacedIn(each, turns)) }]
    })
    return derived(rows, set)
  },
})

const STRCAT_OPTIONS = { allrequired: 'flag' } as const

interface StrcatNode {
  readonly parts: readonly { readonly text: string; readonly isQuoted: boolean }[]
  readonly to: string
  readonly options: Options
}

function readStrcat(reader: Reader): StrcatNode {
  const options = new Options(STRCAT_OPTIONS)
  const parts: { readonly text: string; readonly isQuoted: boolean }[] = []
  while (!reader.isDone) {
    if (reader.take(',') || options.take(reader)) continue
    parts.push(reader.value())
  }
  const last = parts.pop()
  if (last === undefined || parts.length === 0) {
    return reader.fail('strcat needs what to put together and the name of a field for it')
  }
  return { parts, to: last.text, options }
}

const strcat = command<StrcatNode>({
  name: 'strcat',
  says: 'Puts the values of fields and texts in quotes together into a field.',
  kind: 'streaming',
  options: STRCAT_OPTIONS,
  read: readStrcat,
  lower: ({ parts, to, options }, rows) => {
    const needsAll = options.flag('allrequired', false)
    const values = parts.map((each) => {
      if (each.isQuoted) return text(each.text)
      const value = asText(fieldValue(rows, each.text))
      return needsAll ? value : call('eval.coalesce', [value, text('')], 'text')
    })
    const whole = values.reduce((before, each) => call('eval.concat', [before, each], 'text'))
    const old = fieldValue(rows, to)
    const value =
      needsAll && old.type !== 'null' ? call('eval.coalesce', [whole, asText(old)], 'text') : whole
    return derived(rows, [{ name: to, value }])
  },
})

export const convertingCommands: readonly CommandRecord[] = [convert, replace, strcat]

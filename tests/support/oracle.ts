/**
 * A second opinion on Sigma rules: evaluates a rule on one event straight from its YAML, slowly and plainly, sharing no code
 * with the product but the YAML reader. Knows the parts of the language that the starter rules use and throws on others.
 */
import { isIP } from 'node:net'
import { plainOf, readYaml } from '../../src/core/yaml.ts'

/** Field values of an event; `raw` is the record as text, for keywords. */
export interface OracleEvent {
  readonly fields: ReadonlyMap<string, string>
  readonly raw: string
}

export interface OracleRule {
  readonly id: string
  readonly level: string
  readonly logsource: Readonly<Record<string, unknown>>
  matches(event: OracleEvent): boolean
}

type Test = (event: OracleEvent) => boolean

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

const DASHES = ['-', '/', '\u2013', '\u2014', '\u2015']

function windash(value: string): string[] {
  const match = /\B[-/]\b/.exec(value)
  if (!match) return [value]
  const rest = windash(value.slice(match.index + 1))
  return DASHES.flatMap((dash) => rest.map((tail) => value.slice(0, match.index) + dash + tail))
}

function base64Forms(value: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const coded = Buffer.concat([Buffer.alloc(offset, 0x20), value]).toString('base64')
    const end = [undefined, -3, -2][(value.length + offset) % 3]
    return coded.slice([0, 2, 3][offset], end)
  })
}

/** A regular expression source for a Sigma text with its wildcards and escapes. */
function wildcards(value: string): string {
  let source = ''
  for (let at = 0; at < value.length; at++) {
    const letter = value[at] ?? ''
    const next = value[at + 1] ?? ''
    if (letter === '\\' && '*?\\'.includes(next) && next !== '') {
      source += `\\${next}`
      at++
    } else if (letter === '*') source += '[^]*'
    else if (letter === '?') source += '[^]'
    else source += letter.replace(/[\\^$.|+()[\]{}/-]/, '\\$&')
  }
  return source
}

function addressBits(text: string): string | undefined {
  const kind = isIP(text)
  if (kind === 4)
    return text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('')
  if (kind !== 6) return undefined
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle =
    tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...middle, ...right]
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'))
    .join('')
}

function inNetwork(address: string, network: string): boolean {
  const [base = '', length = '0'] = network.split('/')
  const a = addressBits(address)
  const b = addressBits(base)
  return a !== undefined && a.length === b?.length && a.startsWith(b.slice(0, Number(length)))
}

function valueTest(field: string, modifiers: ReadonlySet<string>, value: unknown): Test {
  const read = (event: OracleEvent): string | undefined => event.fields.get(field)
  const written = String(value)
  if (value === null) return (event) => !event.fields.has(field)
  if (modifiers.has('exists')) return (event) => event.fields.has(field) === value
  if (modifiers.has('cidr')) return (event) => inNetwork(read(event) ?? '', written)
  if (modifiers.has('gte')) return (event) => Number(read(event) ?? Number.NaN) >= Number(value)
  if (modifiers.has('fieldref')) {
    return (event) => {
      const [left, right] = [read(event), event.fields.get(written)]
      return left !== undefined && left.toLowerCase() === right?.toLowerCase()
    }
  }
  if (modifiers.has('re')) {
    const inline = written.startsWith('(?i)')
    const flags = inline || modifiers.has('i') ? 'i' : ''
    const pattern = new RegExp(inline ? written.slice(4) : written, flags)
    return (event) => pattern.test(read(event) ?? '') && read(event) !== undefined
  }
  if (modifiers.has('base64offset')) {
    const forms = base64Forms(Buffer.from(written, modifiers.has('wide') ? 'utf16le' : 'utf8'))
    return (event) => forms.some((form) => (read(event) ?? '').includes(form))
  }
  const patterns = (modifiers.has('windash') ? windash(written) : [written]).map((text) => {
    const open = modifiers.has('contains') || modifiers.has('endswith') ? '[^]*' : ''
    const close = modifiers.has('contains') || modifiers.has('startswith') ? '[^]*' : ''
    return new RegExp(`^${open}${wildcards(text)}${close}$`, 'i')
  })
  return (event) => {
    const text = read(event)
    return text !== undefined && patterns.some((pattern) => pattern.test(text))
  }
}

const KNOWN = new Set(
  'contains startswith endswith all re i cidr windash wide base64offset exists fieldref gte'.split(
    ' ',
  ),
)

function itemTest(key: string, value: unknown): Test {
  const [field = '', ...modifiers] = key.split('|')
  for (const each of modifiers) if (!KNOWN.has(each)) throw new Error(`unknown modifier ${each}`)
  const set = new Set(modifiers)
  const tests = listOf(value).map((each) =>
    field === '' ? keyword(String(each)) : valueTest(field, set, each),
  )
  return set.has('all')
    ? (event) => tests.every((test) => test(event))
    : (event) => tests.some((test) => test(event))
}

function keyword(value: string): Test {
  const pattern = new RegExp(wildcards(value), 'i')
  return (event) => pattern.test(event.raw)
}

function selectionTest(selection: unknown): Test {
  if (isMap(selection)) {
    const tests = Object.entries(selection).map(([key, value]) => itemTest(key, value))
    return (event) => tests.every((test) => test(event))
  }
  const tests = listOf(selection).map((each) =>
    isMap(each) ? selectionTest(each) : keyword(String(each)),
  )
  return (event) => tests.some((test) => test(event))
}

function conditionTest(text: string, selections: ReadonlyMap<string, Test>): Test {
  const words = text.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const unary = (): Test => {
    const word = words[at++] ?? ''
    if (word === 'not') {
      const inner = unary()
      return (event) => !inner(event)
    }
    if (word === '(') {
      const inner = or()
      if (words[at++] !== ')') throw new Error('bracket')
      return inner
    }
    if (words[at] === 'of') {
      at++
      const name = words[at++] ?? ''
      const pattern = name === 'them' ? /^(?!_)/ : new RegExp(`^${name.replaceAll('*', '.*')}$`)
      const tests = [...selections].filter(([key]) => pattern.test(key)).map(([, test]) => test)
      if (tests.length === 0 || !['1', 'all'].includes(word))
        throw new Error(`condition at ${name}`)
      return word === 'all'
        ? (event) => tests.every((test) => test(event))
        : (event) => tests.some((test) => test(event))
    }
    const test = selections.get(word)
    if (test === undefined) throw new Error(`no selection ${word}`)
    return test
  }
  const and = (): Test => {
    const tests = [unary()]
    while (words[at] === 'and') {
      at++
      tests.push(unary())
    }
    return (event) => tests.every((test) => test(event))
  }
  const or = (): Test => {
    const tests = [and()]
    while (words[at] === 'or') {
      at++
      tests.push(and())
    }
    return (event) => tests.some((test) => test(event))
  }
  const whole = or()
  if (at !== words.length) throw new Error(`condition: ${text}`)
  return whole
}

/** Reads one rule; throws when it uses anything that the oracle does not know. */
export function oracleRule(yaml: string): OracleRule {
  const { documents, diagnostics } = readYaml(yaml)
  const [document] = documents
  const rule = document === undefined ? undefined : plainOf(document)
  if (documents.length !== 1 || diagnostics.length > 0 || !isMap(rule))
    throw new Error('not one rule')
  const { detection, logsource } = rule
  if (!isMap(detection) || !isMap(logsource)) throw new Error('no detection or log source')
  const { condition, ...named } = detection
  const selections = new Map(
    Object.entries(named).map(([name, each]) => [name, selectionTest(each)]),
  )
  const matches = conditionTest(String(condition), selections)
  return { id: String(rule.id), level: String(rule.level), logsource, matches }
}

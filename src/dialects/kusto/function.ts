/**
 * Functions of the user's own: parser files in YAML, saved searches, `.create-or-alter function` commands, and query
 * files whose first line is `// function: name(parameters)`.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../core/span.ts'
import { textOf, type YamlNode } from '../../core/yaml.ts'
import type { KustoFunction, KustoParameter } from './answer.ts'
import { closingAt, pastBlanks, splitList } from './scan.ts'

export interface KustoFunctions {
  readonly functions: readonly KustoFunction[]
  readonly diagnostics: readonly Diagnostic[]
}

const NAME = /^[A-Za-z_]\w{0,255}$/
/** Of a list of parameters; the longest published one has about 500. */
const MOST_CHARACTERS = 16_384

const SCALAR_TYPES =
  'bool boolean int long real double decimal string datetime date timespan time guid uuid dynamic'.split(
    ' ',
  )

const wrong = (what: string, span: Span): Diagnostic => diagnose('HR464', { what }, span)

/** A default as a Kusto literal: files in YAML write a bare text for a string. */
function literalOf(type: string, text: string): string {
  if (type !== 'string' || /^h?@?(["']).*\1$/is.test(text)) return text
  return JSON.stringify(text)
}

function parameter(
  name: string,
  type: string,
  fallback: string | undefined,
): KustoParameter | undefined {
  const plain = type.toLowerCase()
  const isTable = type.startsWith('(') && type.endsWith(')')
  if (!NAME.test(name) || !(isTable || SCALAR_TYPES.includes(plain))) return undefined
  const base = { name, type: isTable ? type : plain }
  const isGiven = fallback !== undefined && fallback !== '' && !isTable
  return isGiven ? { ...base, fallback: literalOf(plain, fallback) } : base
}

/** Parameters as a declaration writes them: `a:string='*', T:(x:long, *)`; undefined when they cannot be read. */
function readParameters(text: string): readonly KustoParameter[] | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  const parts = splitList(text)
  if (parts.length > limits.functionParameters) return undefined
  const found = parts.flatMap((part) => {
    const colon = part.indexOf(':')
    const name = part.slice(0, Math.max(0, colon)).trim()
    const rest = part.slice(colon + 1).trim()
    const table = rest.startsWith('(') ? closingAt(rest, 0) : undefined
    const equals = rest.indexOf('=', (table ?? -1) + 1)
    const type = (equals === -1 ? rest : rest.slice(0, equals)).trim()
    const made = parameter(name, type, equals === -1 ? undefined : rest.slice(equals + 1).trim())
    return made ?? []
  })
  return found.length === parts.length ? found : undefined
}

/** Parameters of a YAML file: a text, a list of texts, or a list of maps with name, type and default. */
function parametersOf(node: YamlNode | undefined): readonly KustoParameter[] | undefined {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return []
  if (node.kind === 'map') return undefined
  if (node.kind === 'scalar') {
    const text = node.text.trim()
    const isWrapped = text.startsWith('(') && closingAt(text, 0) === text.length - 1
    return readParameters(isWrapped ? text.slice(1, -1) : text)
  }
  if (node.items.length > limits.functionParameters) return undefined
  const found = node.items.flatMap((each) => {
    if (each.kind !== 'map') return readParameters(textOf(each) ?? '') ?? []
    const fields = new Fields(each)
    const made = parameter(
      fields.text('name') ?? '',
      fields.text('type') ?? '',
      fields.text('default', 'defaultValue'),
    )
    return made ?? []
  })
  return found.length < node.items.length ? undefined : found
}

/** Names under which the function is called; the service gives a parser's built-in name beside its own. */
function namesOf(fields: Fields): readonly string[] {
  const own = fields.text('functionAlias', 'functionName', 'parserName', 'name')
  const builtIn = fields.text('equivalentBuiltInParser')
  return [own, builtIn].flatMap((each) => (each === undefined || each === '' ? [] : [each]))
}

/** True for a map that defines a function. */
export function isFunction(fields: Fields): boolean {
  return (
    fields.get('functionQuery', 'parserQuery') !== undefined ||
    (fields.get('functionAlias') !== undefined && fields.get('query') !== undefined)
  )
}

/** The function that a map of keys defines. */
export function readFunctionNode(file: string, fields: Fields): KustoFunctions {
  const { node } = fields
  const place = { start: node.span.start, end: node.span.start + 1 }
  const names = namesOf(fields)
  if (names.length === 0) return { functions: [], diagnostics: [wrong('has no name', place)] }
  const body = fields.get('functionQuery', 'parserQuery', 'query')
  const span = body?.span ?? place
  const bad = names.find((each) => !NAME.test(each))
  if (bad !== undefined) {
    const what = `has a name that cannot be called: "${bad.slice(0, 64)}"`
    return { functions: [], diagnostics: [wrong(what, place)] }
  }
  if (body?.kind !== 'scalar' || body.text.trim() === '') {
    return { functions: [], diagnostics: [wrong(`${names[0]} has no query`, span)] }
  }
  const given = fields.get('functionParameters', 'parserParams', 'parameters')
  const parameters = parametersOf(given)
  if (parameters === undefined) {
    const what = `${names[0]} has parameters that cannot be read`
    return { functions: [], diagnostics: [wrong(what, given?.span ?? place)] }
  }
  const functions = names.map((name) => ({ name, parameters, body: body.text, file, span }))
  return { functions, diagnostics: [] }
}

const COMMAND = /^[ \t]*\.(?:create-or-alter|create|alter)[ \t]+function\b/im
const HEADER =
  /^\/\/[ \t]*function:[ \t]*([A-Za-z_]\w{0,255})[ \t]*(?:\(([^\n]{0,4000})\))?[ \t]*\r?$/gim

/** True for a text of commands or headers that define functions, with nothing else before the first. */
export function isFunctionText(text: string): boolean {
  const at = pastBlanks(text, text.startsWith('\ufeff') ? 1 : 0)
  const found = COMMAND.exec(text.slice(at, at + 200))
  if (found?.index === 0) return true
  return text.slice(0, at).search(HEADER) !== -1
}

interface Command {
  readonly made?: KustoFunction
  readonly problem?: Diagnostic
  readonly end: number
}

/** One `.create-or-alter function` command. */
function readCommand(file: string, text: string, at: number): Command {
  const span = { start: at, end: at + 1 }
  const fail = (what: string): Command => ({ problem: wrong(what, span), end: text.length })
  const head = COMMAND.exec(text.slice(at, at + 200))
  if (head?.index !== 0) return fail('is followed by something that is no function')
  let next = pastBlanks(text, at + head[0].length)
  if (/^ifnotexists\b/i.test(text.slice(next, next + 20))) next = pastBlanks(text, next + 11)
  if (/^with\s{0,100}\(/i.test(text.slice(next, next + 120))) {
    const close = closingAt(text, text.indexOf('(', next))
    if (close === undefined) return fail('has properties that are not closed')
    next = pastBlanks(text, close + 1)
  }
  const name = /^(?:\[\s?(["'])([A-Za-z_]\w{0,255})\1\s?\]|([A-Za-z_]\w{0,255}))/.exec(
    text.slice(next, next + 300),
  )
  if (name === null) return fail('has no name that can be called')
  const called = name[2] ?? name[3] ?? ''
  const open = pastBlanks(text, next + name[0].length)
  const close = text[open] === '(' ? closingAt(text, open) : undefined
  if (close === undefined) return fail(`${called} has no list of parameters`)
  const brace = pastBlanks(text, close + 1)
  const end = text[brace] === '{' ? closingAt(text, brace) : undefined
  if (end === undefined) return fail(`${called} has no body between braces`)
  const parameters = readParameters(text.slice(open + 1, close))
  if (parameters === undefined) return fail(`${called} has parameters that cannot be read`)
  const body = { start: brace + 1, end }
  const made = { name: called, parameters, body: text.slice(brace + 1, end), file, span: body }
  return { made, end: end + 1 }
}

function readCommands(file: string, text: string, from: number): KustoFunctions {
  const functions: KustoFunction[] = []
  const diagnostics: Diagnostic[] = []
  let at = from
  while (at < text.length) {
    const { made, problem, end } = readCommand(file, text, at)
    if (made !== undefined) functions.push(made)
    if (problem !== undefined) diagnostics.push(problem)
    at = pastBlanks(text, end)
    while (text[at] === ';') at = pastBlanks(text, at + 1)
  }
  return { functions, diagnostics }
}

/** The functions of a text for which `isFunctionText` holds. */
export function readFunctionText(file: string, text: string): KustoFunctions {
  const from = pastBlanks(text, text.startsWith('\ufeff') ? 1 : 0)
  if (COMMAND.exec(text.slice(from, from + 200))?.index === 0) return readCommands(file, text, from)
  const heads = [...text.matchAll(HEADER)]
  const functions: KustoFunction[] = []
  const diagnostics: Diagnostic[] = []
  for (const [index, head] of heads.entries()) {
    const [whole, name = '', written = ''] = head
    const start = head.index + whole.length
    const end = heads[index + 1]?.index ?? text.length
    const place = { start: head.index, end: start }
    const parameters = readParameters(written)
    const body = text.slice(start, end)
    if (parameters === undefined) {
      diagnostics.push(wrong(`${name} has parameters that cannot be read`, place))
    } else if (pastBlanks(body, 0) >= body.length) {
      diagnostics.push(wrong(`${name} has no query`, place))
    } else functions.push({ name, parameters, body, file, span: { start, end } })
  }
  return { functions, diagnostics }
}

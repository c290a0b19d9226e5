/**
 * A last check of query text before it is sent. SQL is printed from trees, so nothing here should ever be found;
 * what is checked is what the engine itself does not refuse a read-only session: writing a file with INTO
 * OUTFILE, the scalar function `file`, a second statement.
 */
import { EngineError } from './engine.ts'

/** Words that never stand bare in a query of ours. Names are always quoted, so no column is meant by them. */
const WORDS: ReadonlySet<string> = new Set([
  'apply',
  'arrowstream',
  'catboostevaluate',
  'cosn',
  'dictionary',
  'eval',
  'getclienthttpheader',
  'getmacro',
  'getserversetting',
  'infile',
  'input',
  'insert',
  'into',
  'loop',
  'oss',
  'outfile',
  'python',
  'settings',
  'showcertificate',
  'url',
  'urlcluster',
])
/** Beginnings of functions that reach files, programs, networks or models. */
const PREFIXES =
  /^(?:ai[A-Z]|azure|cluster|deltalake|executable|file|gcs|hdfs|hudi|iceberg|jdbc|merge|mongodb|mysql|odbc|paimon|postgres|prometheus|redis|remote|s3|sqlite|ytsaurus|zookeeper)/i
/** Functions whose first argument may be the name of another function. */
const HIGHER =
  /^(?:array(?:All|Avg|Count|Cumsum\w*|Exists|Fill|Filter|First\w*|Fold|Last\w*|Map|Max|Min|Partial\w*|Product|Reverse\w*|Sort|Split|Sum)|map(?:All|Apply|Exists|Filter|Sort|Partial\w*|Reverse\w*|Update))$/i

interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'mark'
  readonly text: string
}

const SPACE = 1
const WORD = 2
const MARK = 3
/** What each ASCII character outside quotes is; 0 is refused. */
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  if (/\s/.test(char)) return SPACE
  if (/\w/.test(char)) return WORD
  return '()[],.+-*/%=<>!|&?:~'.includes(char) ? MARK : 0
})

function classAt(sql: string, at: number): number {
  return CLASSES[sql.charCodeAt(at)] ?? 0
}

function isDenied(name: string): boolean {
  return WORDS.has(name.toLowerCase()) || PREFIXES.test(name)
}

/** End of a quoted run that starts at `start`; the length of the text when it is never closed. */
function closing(sql: string, start: number): number {
  const quote = sql[start]
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === '\\') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at
      at++
    }
  }
  return sql.length
}

/** One token, or the reason why the text cannot be one of ours. */
function tokenAt(sql: string, at: number): (Token & { readonly end: number }) | string {
  const first = sql[at] ?? ''
  if (first === "'" || first === '`' || first === '"') {
    const end = closing(sql, at)
    if (end >= sql.length) return 'a quote is not closed'
    const text = sql.slice(at + 1, end)
    if (first === "'") return { kind: 'text', text: '', end: end + 1 }
    if (!/^(?:[^\\]|\\[\\'`"nrt0bf])*$/.test(text)) return 'an unknown escape in a name'
    return { kind: 'name', text, end: end + 1 }
  }
  const pair = sql.slice(at, at + 2)
  if (pair === '--' || pair === '/*' || pair === '//') return 'comments are not accepted'
  if (first === ';') return 'a second statement'
  const found = classAt(sql, at)
  if (found === 0) return `the character ${JSON.stringify(first)} outside quotes`
  if (found === MARK) return { kind: 'mark', text: first, end: at + 1 }
  let end = at + 1
  while (classAt(sql, end) === WORD) end++
  return { kind: 'word', text: sql.slice(at, end), end }
}

function refuse(tokens: readonly Token[], index: number): string | undefined {
  const token = tokens[index]
  const next = tokens[index + 1]
  if (token === undefined) return undefined
  if (token.kind === 'word') {
    if (isDenied(token.text)) return `"${token.text}" is not accepted in a query`
    if (/^format$/i.test(token.text) && next?.text !== '(') return 'FORMAT is not accepted'
  }
  if (token.kind !== 'name' || !isDenied(token.text)) return undefined
  if (next?.text === '(') return `the function "${token.text}" is not accepted`
  const opener = tokens[index - 1]
  const caller = tokens[index - 2]
  if (opener?.text === '(' && next?.text === ',' && HIGHER.test(caller?.text ?? '')) {
    return `"${token.text}" is not accepted as a function`
  }
  return undefined
}

/** Why a query may not be sent, or undefined when it may. Takes time in proportion to its length. */
export function unsafeReason(sql: string): string | undefined {
  const tokens: Token[] = []
  for (let at = 0; at < sql.length; ) {
    if (classAt(sql, at) === SPACE) {
      at++
      continue
    }
    const token = tokenAt(sql, at)
    if (typeof token === 'string') return token
    tokens.push(token)
    at = token.end
  }
  const start = tokens.find((each) => each.text !== '(')
  if (start?.kind !== 'word' || !/^(?:select|with)$/i.test(start.text)) {
    return 'only SELECT is accepted'
  }
  for (let index = 0; index < tokens.length; index++) {
    const reason = refuse(tokens, index)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** Throws `refused` for a query that may not be sent. */
export function checkQuery(sql: string): void {
  const reason = unsafeReason(sql)
  if (reason !== undefined) throw new EngineError('refused', reason)
}

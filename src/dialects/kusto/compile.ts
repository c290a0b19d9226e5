/**
 * The compiler: the text of a request to the relations of its queries, with every diagnostic at its place. Takes the
 * loaded library, the tables, and what the user's files define. Nothing is thrown for what a query holds.
 */
import { type Diagnostic, diagnose, hasErrors } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { functionsSpelled } from '../../functions/catalogue.ts'
import { checkRel } from '../../functions/check.ts'
import { suffixType, type TableCatalogue } from '../../schema/tables.ts'
import type {
  FunctionText,
  Library,
  NativeFunction,
  Node,
  Parsed,
  Problem,
  Scope,
  TableText,
} from './adapter.ts'
import type { KustoAnswer, KustoCompiled, KustoFunction, KustoPin, Watchlist } from './answer.ts'
import { builtInFunctions } from './builtin.ts'
import { argumentsOf, functionName } from './calls.ts'
import { diagnosticOf, Lowering, type StoredTable } from './lower.ts'
import { Natives } from './natives.ts'
import { closingAt, pastBlanks, readsAll } from './scan.ts'
import { InputMissing, MISSING_INPUT, Undiscovered } from './scope.ts'
import { splitScript } from './script.ts'
import { unsupported } from './support.ts'
import { TENANT } from './tenant.ts'

export interface CompileOptions {
  readonly library: Library
  readonly catalogue: TableCatalogue
  /** Tables that only the store knows, such as custom ones; found whatever the case of their names. */
  readonly custom?: readonly TableText[]
  readonly functions?: readonly KustoFunction[]
  readonly watchlists?: readonly Watchlist[]
  /** Files that the user gave for addresses of `externaldata`. */
  readonly pins?: readonly KustoPin[]
}

const WORD = /[A-Za-z_]\w*/g

/** Compiles texts with one set of tables and functions. */
export class Compiler {
  readonly #options: CompileOptions
  readonly #functions: ReadonlyMap<string, KustoFunction>
  readonly #custom: ReadonlyMap<string, TableText>
  readonly #natives: Natives
  readonly #scopes = new Map<string, Scope>()

  constructor(options: CompileOptions) {
    this.#options = options
    // The user's own functions go before those of the schema.
    const functions = [
      ...builtInFunctions(options.catalogue.functions),
      ...(options.functions ?? []),
    ]
    this.#functions = new Map(functions.map((each) => [each.name, each]))
    this.#natives = new Natives(options.watchlists ?? [])
    this.#custom = new Map((options.custom ?? []).map((each) => [each.name.toLowerCase(), each]))
  }

  /** The queries of a text, in order. */
  compile(text: string): KustoCompiled {
    return { queries: [...this.answers(text)] }
  }

  /** The queries of a text one by one, each compiled when it is asked for. */
  *answers(text: string): Generator<KustoAnswer> {
    const spans = splitScript(text, (part) => this.#options.library.isWellFormed(part))
    if (spans.length === 0) {
      const span = { start: 0, end: text.length }
      yield failed(span, [diagnose('HR416', {}, span)])
    }
    for (const span of spans) yield* this.#query(text, span)
  }

  #query(text: string, span: Span): readonly KustoAnswer[] {
    try {
      return [this.#lower(text.slice(span.start, span.end), span)]
    } catch (error) {
      return [failed(span, [diagnosticOf(error, span)])]
    }
  }

  #lower(query: string, span: Span): KustoAnswer {
    // Names of columns that plans make for themselves begin so; a query could else put its own in their place.
    const own = /\[\s*@?['"]@@/.exec(query)
    if (own !== null) {
      const at = span.start + own.index
      const place = { start: at, end: at + own[0].length }
      return failed(span, [diagnose('HR407', { what: 'a name that begins with @@' }, place)])
    }
    const tables = this.#tablesOf(query)
    const scope = this.#scopeOf(query, tables)
    let parsed = this.#options.library.parse(query, scope)
    const edited = withoutCounted(parsed, query)
    if (edited !== undefined) parsed = this.#options.library.parse(edited.text, scope)
    const before = edited?.before ?? ((offset: number) => offset)
    const { diagnostics: bound, isBroken } = this.#problems(
      parsed,
      edited?.text ?? query,
      span,
      before,
    )
    if (isBroken || hasErrors(bound)) return failed(span, bound)
    const place = (offset: number): number => before(offset) + span.start
    const found = [...bound, ...this.#oldNames(parsed.root, tables, place)]
    const stored = new Map(
      [...tables].map(([name, { columns }]): [string, StoredTable] => [name, { columns }]),
    )
    const lowering = new Lowering({
      tables: stored,
      place: (offset) => before(offset) + span.start,
      natives: this.#natives,
      pins: this.#options.pins ?? [],
    })
    try {
      const statements = parsed.root.items('Statements')
      lowering.statements(statements, lowering.root)
      const last = statements.findLast((each) => each.kind === 'ExpressionStatement')
      if (last === undefined) return failed(span, [...found, diagnose('HR416', {}, span)])
      const lowered = lowering.finish(lowering.table(last.child('Expression'), lowering.root))
      const faults = checkRel(lowered.rel)
      const all = [...found, ...lowering.diagnostics, ...faults.map((each) => ({ ...each, span }))]
      if (hasErrors(all)) return failed(span, all)
      return {
        rel: lowered.rel,
        columns: lowered.columns,
        tables: [...lowering.tables],
        ...(lowering.render === undefined ? {} : { render: lowering.render }),
        span,
        diagnostics: all,
      }
    } catch (error) {
      if (error instanceof InputMissing) return this.#unfed(parsed, lowering, found, error, span)
      const answer = failed(span, [...found, ...lowering.diagnostics, diagnosticOf(error, span)])
      return error instanceof Undiscovered
        ? { ...answer, tables: [...lowering.tables], discover: error.discovery }
        : answer
    }
  }

  /** The words of a text, and those of the bodies of the functions that it names. */
  #wordsOf(query: string): { readonly words: ReadonlySet<string>; readonly texts: string[] } {
    const words = new Set<string>()
    const texts = [query]
    for (const text of texts) {
      for (const [word] of text.matchAll(WORD)) {
        if (words.has(word)) continue
        words.add(word)
        const body = this.#functions.get(word)?.body
        if (body !== undefined) texts.push(body)
      }
    }
    return { words, texts }
  }

  /**
   * A query whose input is not given: what the binder tells of it, and a plan that binding refuses by name. It is
   * compiled in full when the input is there; until then its operators and functions are at least known ones.
   */
  #unfed(
    { root }: Parsed,
    lowering: Lowering,
    found: readonly Diagnostic[],
    { what }: InputMissing,
    span: Span,
  ): KustoAnswer {
    const unknown = unsupported(root, (node) => lowering.place(node))
    const diagnostics = [...found, ...lowering.diagnostics, ...unknown]
    const last = root.items('Statements').findLast((each) => each.kind === 'ExpressionStatement')
    if (unknown.length > 0 || last === undefined) return failed(span, diagnostics)
    const { columns } = last.child('Expression')
    const table = { kind: 'view', name: `${MISSING_INPUT}${what}` } as const
    return {
      rel: { op: 'scan', table, time: {}, out: columns },
      columns,
      tables: [...lowering.tables],
      span,
      diagnostics,
    }
  }

  /** The tables that a text names, its functions' bodies too. */
  #tablesOf(query: string): ReadonlyMap<string, TableText> {
    const found = new Map<string, TableText>()
    const { words, texts } = this.#wordsOf(query)
    const add = (name: string): void => {
      const table = this.#table(name, words)
      if (table !== undefined) found.set(name, table)
    }
    for (const word of words) add(word)
    if (texts.some((each) => readsAll(each))) {
      for (const name of this.#options.catalogue.fed) add(name)
      for (const { name } of this.#custom.values()) add(name)
    }
    for (const [, start = ''] of texts.join('\n').matchAll(/([A-Za-z_]\w*)\*/g)) {
      for (const name of this.#options.catalogue.names) if (name.startsWith(start)) add(name)
      for (const [low, { name }] of this.#custom) {
        if (name.startsWith(start)) add(name)
        else if (low.startsWith(start.toLowerCase())) add(`${start}${low.slice(start.length)}`)
      }
    }
    return found
  }

  /** Names of an earlier time that a query uses: they are read as what they are called now, with a warning. */
  #oldNames(
    root: Node,
    tables: ReadonlyMap<string, TableText>,
    place: (offset: number) => number,
  ): readonly Diagnostic[] {
    const { catalogue } = this.#options
    const known = [...tables.keys()].flatMap((name) => catalogue.table(name) ?? [])
    const told = new Map<string, Diagnostic>()
    const nodes = [...root.walk()]
    // A column that the query makes itself is its own, whatever a table once called so.
    const own = new Set(
      nodes.flatMap((node) => (node.kind === 'NameDeclaration' ? [node.name] : [])),
    )
    for (const node of nodes) {
      if (node.kind !== 'NameReference' || own.has(node.name)) continue
      const { name, symbol } = node
      const span = { start: place(node.start), end: place(node.end) }
      const table = node.isTable && tables.has(name) ? catalogue.table(name) : undefined
      if (table !== undefined && table.name !== name) {
        told.set(name, diagnose('HR475', { name, now: table.name }, span))
      }
      if (symbol?.kind !== 'column' || told.has(name)) continue
      const owner = known.find((each) => each.old.has(name))
      if (owner === undefined || owner.columns.some((each) => each.name === name)) continue
      const now = owner.old.get(name)?.now
      const said = now === undefined ? '; it is empty' : `; it is called "${now}" now`
      told.set(name, diagnose('HR474', { table: owner.name, name, now: said }, span))
    }
    return [...told.values()]
  }

  *#names(): Generator<string> {
    for (const { name } of this.#custom.values()) yield name
    yield* this.#options.catalogue.names
  }

  #table(name: string, words?: ReadonlySet<string>): TableText | undefined {
    const custom = this.#custom.get(name.toLowerCase())
    const { catalogue } = this.#options
    const known = catalogue.table(name)
    if (known === undefined) return custom === undefined ? undefined : { ...custom, name }
    // Columns of an earlier time are there for queries that name them; binding tells where their values are now.
    const old = [...known.old.values()].filter(({ field }) => words?.has(field.name) !== false)
    const published = [...known.columns, ...old.map(({ field }) => field)]
    const publishedNames = new Set(published.map((each) => each.name))
    // A custom table may have more columns here than where it was published.
    const more = (custom?.columns ?? []).filter((each) => !publishedNames.has(each.name))
    const listed = [...published, ...more]
    const names = new Set(listed.map((each) => each.name))
    const grown = [...(known.grows ? (words ?? []) : [])].flatMap((word) => {
      const type = suffixType(word)
      return type === undefined || names.has(word) ? [] : [{ name: word, type }]
    })
    const columns = [...listed, ...grown]
    return {
      name,
      columns: columns.map(({ name: column, type }) => ({
        name: column,
        type: typeof type === 'string' ? type : 'dynamic',
      })),
    }
  }

  #scopeOf(query: string, tables: ReadonlyMap<string, TableText>): Scope {
    const { words } = this.#wordsOf(query)
    const functions = [...this.#functions.values()].filter(({ name }) => words.has(name))
    const natives = this.#nativesOf(words)
    const { catalogue } = this.#options
    // What a table has beside its listed columns hangs on the query.
    const shapes = [...tables.values()].map(({ name, columns }) => {
      const listed = catalogue.table(name)?.columns.length ?? columns.length
      return [name, ...columns.slice(listed).map((each) => each.name)].join('.')
    })
    const names = [...shapes, '', ...functions, ...natives].map((each) =>
      typeof each === 'string' ? each : each.name,
    )
    const key = JSON.stringify(names)
    const known = this.#scopes.get(key)
    if (known !== undefined) return known
    const { library } = this.#options
    const scope = library.scope([...tables.values()], functions.map(textOf), natives)
    if (this.#scopes.size > 500) this.#scopes.clear()
    this.#scopes.set(key, scope)
    return scope
  }

  /** The native functions among words; a function or table of the user's of the same name goes before. */
  #nativesOf(words: ReadonlySet<string>): readonly NativeFunction[] {
    return this.#natives.declared.filter(
      ({ name }) =>
        words.has(name) && !this.#functions.has(name) && this.#table(name) === undefined,
    )
  }

  /** What the binder says, in our own codes. After an error of grammar nothing else means much. */
  #problems(
    { root, problems, isBroken }: Parsed,
    query: string,
    { start }: Span,
    before: (offset: number) => number,
  ): { readonly diagnostics: readonly Diagnostic[]; readonly isBroken: boolean } {
    const told = isBroken
      ? problems.filter((each) => each.severity === 'error').slice(0, 1)
      : this.#outsideTenants(root, problems).filter(
          (each) => !isNamedArgument(each, query) && !isParsedAgain(each, root),
        )
    const diagnostics = told.map((each) => {
      const span = { start: before(each.start) + start, end: before(each.end) + start }
      return isBroken
        ? diagnose('HR400', { message: each.message }, span)
        : this.#problem(each, query, span)
    })
    return { diagnostics, isBroken }
  }

  /**
   * Problems without those in the arguments of what only a tenant has. Such a call is refused itself where it is used,
   * and its arguments name columns as no other function's do.
   */
  #outsideTenants(root: Node, problems: readonly Problem[]): readonly Problem[] {
    if (problems.length === 0) return problems
    const calls: Node[] = []
    for (const node of root.walk()) {
      const isCall = node.kind === 'FunctionCallExpression' && node.calledBody === undefined
      if (isCall && TENANT.has(functionName(node))) calls.push(node)
    }
    return problems.filter(
      ({ start, end }) => !calls.some((each) => each.start <= start && end <= each.end),
    )
  }

  #problem(problem: Problem, query: string, span: Span): Diagnostic {
    if (problem.severity === 'warning') return diagnose('HR414', { message: problem.message }, span)
    const name = query.slice(problem.start, problem.end)
    const isCalled = /^\s*\(/.test(query.slice(problem.end))
    const hint = (known: Iterable<string>): string => {
      const near = suggest(name, known)
      return near === undefined ? 'check its spelling' : `did you mean "${near}"?`
    }
    switch (problem.code) {
      case 'KS204':
        return diagnose('HR401', { name, hint: tableHint(name, () => hint(this.#names())) }, span)
      case 'KS211':
        return diagnose('HR403', { name, hint: hint(this.#functionNames()) }, span)
      case 'KS142':
        if (name.endsWith('*')) {
          return diagnose('HR401', { name, hint: 'no table that is known begins so' }, span)
        }
        return isCalled
          ? diagnose('HR403', { name, hint: hint(this.#functionNames()) }, span)
          : diagnose('HR402', { name, hint: hint(this.#columnsIn(query)) }, span)
      default:
        return diagnose('HR404', { message: problem.message }, span)
    }
  }

  *#functionNames(): Generator<string> {
    yield* this.#functions.keys()
    yield* functionsSpelled('kusto').keys()
  }

  /** Columns of the tables that a text names, and the names that it makes itself. */
  *#columnsIn(query: string): Generator<string> {
    for (const { columns } of this.#tablesOf(query).values()) {
      for (const { name } of columns) yield name
    }
    for (const [, name] of query.matchAll(/([A-Za-z_]\w*)\s*=(?![=~])/g)) if (name) yield name
    yield* this.#names()
  }
}

/** A custom table is known by what the store holds for it. */
function tableHint(name: string, near: () => string): string {
  return /_CL$/i.test(name)
    ? `a custom table is known by its data: ingest it with --table ${name.slice(0, 128)}`
    : near()
}

/** A text with parts replaced, and where each offset of it stood before. */
interface Edited {
  readonly text: string
  readonly before: (offset: number) => number
}

/**
 * The text with `count(x)` as `count()`: the engine still takes the old form, which counts all rows whatever x is
 * (notes/kql.md, section 7), and the binder does not. A column keeps the name it had.
 */
function withoutCounted({ root, problems }: Parsed, query: string): Edited | undefined {
  if (problems.every((each) => each.severity !== 'error')) return undefined
  const edits: { readonly start: number; readonly end: number; readonly text: string }[] = []
  for (const node of root.walk()) {
    if (node.kind !== 'SummarizeOperator') continue
    const items = new Set(node.items('Aggregates').map((each) => each.start))
    for (const inner of node.walk()) {
      if (inner.kind !== 'FunctionCallExpression' || functionName(inner) !== 'count') continue
      const [only, ...others] = argumentsOf(inner)
      if (only === undefined || others.length > 0) continue
      const isNamed = !items.has(inner.start) || only.kind !== 'NameReference'
      const name = isNamed ? '' : `count_${only.name} = `
      edits.push({ start: inner.start, end: inner.end, text: `${name}count()` })
    }
  }
  if (edits.length === 0) return undefined
  edits.sort((one, other) => one.start - other.start)
  let text = ''
  let at = 0
  const moves: { readonly from: number; readonly by: number }[] = []
  for (const edit of edits) {
    if (edit.start < at) continue
    text += query.slice(at, edit.start) + edit.text
    at = edit.end
    moves.push({ from: text.length, by: at - text.length })
  }
  text += query.slice(at)
  const before = (offset: number): number =>
    offset + (moves.findLast(({ from }) => from <= offset)?.by ?? 0)
  return { text, before }
}

/** Arguments of plugins that may be given by name; the binder counts them by their places. */
const NAMED = /\b(?:OutputColumnPrefix|columnsConflict|ignoredProperties)\s*=(?![=~])/

/** True for what the binder says of a call of a plugin only because an argument has a name. */
function isNamedArgument({ code, start, end }: Problem, query: string): boolean {
  if (code === 'KS107') return NAMED.test(query.slice(Math.max(0, start - 40), start))
  if (code !== 'KS119' || query.slice(start, end) !== 'bag_unpack') return false
  const close = closingAt(query, pastBlanks(query, end))
  return close !== undefined && NAMED.test(query.slice(end, close))
}

const PARSERS = new Set(['todynamic', 'parse_json', 'parsejson'])

/** True where the binder wants a text to parse and gets a dynamic value, which the engine takes as it is. */
function isParsedAgain({ message, start, end }: Problem, root: Node): boolean {
  if (!/^A value of type string expected/.test(message)) return false
  for (const node of root.walk()) {
    if (node.kind !== 'FunctionCallExpression' || !PARSERS.has(functionName(node))) continue
    const [only] = argumentsOf(node)
    if (only?.start === start && only.end === end && only.type === 'dynamic') return true
  }
  return false
}

function textOf({ name, parameters, body }: KustoFunction): FunctionText {
  const list = parameters.map(
    (each) => `${each.name}:${each.type}${each.fallback === undefined ? '' : `=${each.fallback}`}`,
  )
  return { name, parameters: `(${list.join(', ')})`, body: `{\n${body}\n}` }
}

function failed(span: Span, diagnostics: readonly Diagnostic[]): KustoAnswer {
  return { columns: [], tables: [], span, diagnostics }
}

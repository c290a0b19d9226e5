/**
 * The compiler: the text of a request to the relations of its queries, with every diagnostic at its place. Takes the
 * loaded library, the tables, and what the user's files define. Nothing is thrown for what a query holds.
 */
import { type Diagnostic, diagnose, hasErrors } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { functionsSpelled } from '../../functions/catalogue.ts'
import { checkRel } from '../../functions/check.ts'
import type { TableCatalogue } from '../../schema/tables.ts'
import type { FunctionText, Library, Parsed, Problem, Scope, TableText } from './adapter.ts'
import type { KustoAnswer, KustoCompiled, KustoFunction, Watchlist } from './answer.ts'
import { diagnosticOf, Lowering, type StoredTable } from './lower.ts'
import { splitScript } from './script.ts'

export interface CompileOptions {
  readonly library: Library
  readonly catalogue: TableCatalogue
  /** Tables that only the store knows, such as custom ones. */
  readonly custom?: readonly TableText[]
  readonly functions?: readonly KustoFunction[]
  readonly watchlists?: readonly Watchlist[]
}

const WORD = /[A-Za-z_]\w*/g

/** Compiles texts with one set of tables and functions. */
export class Compiler {
  readonly #options: CompileOptions
  readonly #functions: ReadonlyMap<string, KustoFunction>
  readonly #custom: ReadonlyMap<string, TableText>
  readonly #scopes = new Map<string, Scope>()

  constructor(options: CompileOptions) {
    this.#options = options
    this.#functions = new Map((options.functions ?? []).map((each) => [each.name, each]))
    this.#custom = new Map((options.custom ?? []).map((each) => [each.name, each]))
  }

  /** The queries of a text, in order. */
  compile(text: string): KustoCompiled {
    const spans = splitScript(text, (part) => this.#options.library.isWellFormed(part))
    if (spans.length === 0) {
      const span = { start: 0, end: text.length }
      return { queries: [failed(span, [diagnose('HR416', {}, span)])] }
    }
    return { queries: spans.flatMap((span) => this.#query(text, span)) }
  }

  #query(text: string, span: Span): readonly KustoAnswer[] {
    try {
      return [this.#lower(text.slice(span.start, span.end), span)]
    } catch (error) {
      return [failed(span, [diagnosticOf(error, span)])]
    }
  }

  #lower(query: string, span: Span): KustoAnswer {
    const tables = this.#tablesOf(query)
    const parsed = this.#options.library.parse(query, this.#scopeOf(query, tables))
    const { diagnostics: found, isBroken } = this.#problems(parsed, query, span)
    if (isBroken || hasErrors(found)) return failed(span, found)
    const stored = new Map(
      [...tables].map(([name, { columns }]): [string, StoredTable] => [name, { columns }]),
    )
    const lowering = new Lowering({ tables: stored, offset: span.start })
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
      return failed(span, [...found, ...lowering.diagnostics, diagnosticOf(error, span)])
    }
  }

  /** The tables that a text names, its functions' bodies too. */
  #tablesOf(query: string): ReadonlyMap<string, TableText> {
    const found = new Map<string, TableText>()
    const seen = new Set<string>()
    const add = (name: string): void => {
      const table = this.#table(name)
      if (table !== undefined) found.set(name, table)
    }
    const read = (text: string): void => {
      for (const [word] of text.matchAll(WORD)) {
        if (seen.has(word)) continue
        seen.add(word)
        add(word)
        const body = this.#functions.get(word)?.body
        if (body !== undefined) read(body)
      }
    }
    read(query)
    for (const [, start = ''] of query.matchAll(/([A-Za-z_]\w*)\*/g)) {
      for (const name of this.#names()) if (name.startsWith(start)) add(name)
    }
    return found
  }

  *#names(): Generator<string> {
    yield* this.#custom.keys()
    yield* this.#options.catalogue.names
  }

  #table(name: string): TableText | undefined {
    const custom = this.#custom.get(name)
    const { catalogue } = this.#options
    const known = catalogue.table(name) ?? catalogue.table(catalogue.renamed(name) ?? '')
    if (known === undefined) return custom
    // Columns of an earlier time are still there to name; binding tells where their values are now.
    const columns = [...known.columns, ...[...known.old.values()].map(({ field }) => field)]
    return {
      name,
      columns: columns.map(({ name: column, type }) => ({
        name: column,
        type: typeof type === 'string' ? type : 'dynamic',
      })),
    }
  }

  #scopeOf(query: string, tables: ReadonlyMap<string, TableText>): Scope {
    const words = new Set(query.match(WORD) ?? [])
    const functions = [...this.#functions.values()].filter(({ name }) => this.#isUsed(name, words))
    const key = JSON.stringify([[...tables.keys()].sort(), functions.map(({ name }) => name)])
    const known = this.#scopes.get(key)
    if (known !== undefined) return known
    const scope = this.#options.library.scope([...tables.values()], functions.map(textOf))
    if (this.#scopes.size > 500) this.#scopes.clear()
    this.#scopes.set(key, scope)
    return scope
  }

  /** True for functions that a text names, and for those that these name. */
  #isUsed(name: string, words: Set<string>): boolean {
    if (words.has(name)) {
      for (const [word] of (this.#functions.get(name)?.body ?? '').matchAll(WORD)) words.add(word)
      return true
    }
    return false
  }

  /** What the binder says, in our own codes. After an error of grammar nothing else means much. */
  #problems(
    { problems, isBroken }: Parsed,
    query: string,
    { start }: Span,
  ): { readonly diagnostics: readonly Diagnostic[]; readonly isBroken: boolean } {
    const told = isBroken
      ? problems.filter((each) => each.severity === 'error').slice(0, 1)
      : problems
    const diagnostics = told.map((each) => {
      const span = { start: each.start + start, end: each.end + start }
      return isBroken
        ? diagnose('HR400', { message: each.message }, span)
        : this.#problem(each, query, span)
    })
    return { diagnostics, isBroken }
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
        return diagnose('HR401', { name, hint: hint(this.#names()) }, span)
      case 'KS211':
        return diagnose('HR403', { name, hint: hint(functionsSpelled('kusto').keys()) }, span)
      case 'KS142':
        return isCalled
          ? diagnose('HR403', { name, hint: hint(functionsSpelled('kusto').keys()) }, span)
          : diagnose('HR402', { name, hint: hint(this.#columnsIn(query)) }, span)
      default:
        return diagnose('HR404', { message: problem.message }, span)
    }
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

function textOf({ name, parameters, body }: KustoFunction): FunctionText {
  const list = parameters.map(
    (each) => `${each.name}:${each.type}${each.fallback === undefined ? '' : `=${each.fallback}`}`,
  )
  return { name, parameters: `(${list.join(', ')})`, body: `{ ${body} }` }
}

function failed(span: Span, diagnostics: readonly Diagnostic[]): KustoAnswer {
  return { columns: [], tables: [], span, diagnostics }
}

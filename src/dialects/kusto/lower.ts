/**
 * From the bound tree of one query to a relation: statements, names and pipes. Operators are in a table of their own
 * (`operators.ts`), expressions in `expressions.ts`.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { checkRegex } from '../../core/regex.ts'
import type { Span } from '../../core/span.ts'
import { checkExpr } from '../../functions/check.ts'
import { type Expr, field } from '../../ir/expr.ts'
import type { Order, Rel } from '../../ir/rel.ts'
import type { Field } from '../../ir/types.ts'
import type { Column, Node } from './adapter.ts'
import type { Discovery, KustoPin } from './answer.ts'
import { functionName, scopeOfCall } from './calls.ts'
import { lowerExpr } from './expressions.ts'
import type { Natives } from './natives.ts'
import { OPERATORS } from './operators.ts'
import { type Pattern, patternRows } from './pattern.ts'
import {
  type Context,
  Env,
  hiddenFields,
  hiddenName,
  type Lowerer,
  once,
  Refusal,
  type Rowset,
  refuse,
  rowOf,
  selected,
  spanOf,
  Undiscovered,
} from './scope.ts'
import { SOURCES } from './sources.ts'
import { refuseTenant } from './tenant.ts'
import { constantText } from './values.ts'

/** A table that is read from the store. */
export interface StoredTable {
  readonly columns: readonly Column[]
}

export interface LoweringOptions {
  readonly tables: ReadonlyMap<string, StoredTable>
  /** From an offset of the query to one of the whole text. */
  readonly place: (offset: number) => number
  /** The functions without a body that give rows. */
  readonly natives: Natives
  readonly pins: readonly KustoPin[]
}

export interface Lowered {
  readonly rel: Rel
  readonly columns: readonly Column[]
  readonly order: Order
}

/** How deep functions and names may be written out into one another. */
const DEPTH = 60
/** Relations and expressions that one query may come to. */
const SIZE = 200_000

export class Lowering implements Lowerer {
  readonly options: LoweringOptions
  readonly root = new Env()
  readonly tables = new Set<string>()
  readonly phantoms = new Set<string>()
  readonly diagnostics: Diagnostic[] = []
  render: string | undefined
  readonly settings = new Map<string, Node>()
  readonly #patterns = new Map<string, Pattern>()
  #hidden = 0
  #depth = 0
  #made = 0
  #call: Span | undefined
  /** Relations that are computed once, those they need before them. */
  readonly #shared: { readonly name: string; readonly rel: Rel }[] = []

  constructor(options: LoweringOptions) {
    this.options = options
  }

  /** A name for a column that only the plan knows. */
  hidden(label: string): string {
    this.#made++
    if (this.#made > SIZE) refuse('HR410', {})
    return hiddenName(label, ++this.#hidden)
  }

  /** Where a node stands in the whole text; inside a function that is written out, the place of its call. */
  place(node: Node): Span {
    return this.#call ?? this.#shifted(spanOf(node))
  }

  #shifted({ start, end }: Span): Span {
    const { place } = this.options
    return { start: place(start), end: place(end) }
  }

  /** Runs what is inside a call of a user's function. */
  inside<T>(call: Node, make: () => T): T {
    if (++this.#depth > DEPTH) refuse('HR410', {}, this.place(call))
    const outer = this.#call
    this.#call ??= this.place(call)
    try {
      const made = make()
      // A body with a fault that lowering did not meet itself is refused all the same.
      const message = call.calledProblem
      if (message !== '') {
        refuse(
          'HR472',
          { name: functionName(call), message: message.slice(0, 200) },
          this.place(call),
        )
      }
      return made
    } finally {
      this.#call = outer
      this.#depth--
    }
  }

  notice(diagnostic: Diagnostic): void {
    const isKnown = this.diagnostics.some((each) => each.message === diagnostic.message)
    if (!isKnown) this.diagnostics.push(diagnostic)
  }

  discover(call: Node, rows: Rowset, found: Omit<Discovery, 'rel' | 'at'>): never {
    const span = this.place(call)
    const problem = diagnose('HR415', { name: found.plugin }, span)
    if (this.#call !== undefined) throw new Refusal(problem)
    throw new Undiscovered(problem, { ...found, rel: this.finish(rows).rel, at: span.end })
  }

  /** Refuses a constant pattern that the engine's regular expressions do not read. */
  checkRegex(pattern: Expr, node: Node): void {
    if (pattern.op !== 'const' || typeof pattern.value !== 'string') return
    const problem = checkRegex(pattern.value).diagnostics.find((each) => each.severity === 'error')
    if (problem !== undefined) refuse('HR412', { reason: problem.message }, this.place(node))
  }

  /** Refuses a call whose record does not take it. */
  checkCall(made: Expr, name: string, node: Node): void {
    if (made.op !== 'call') return
    const { args } = made
    const shallow = {
      ...made,
      args: args.map((each): Expr => (each.op === 'const' ? each : field('x', each.type))),
    }
    const problem = checkExpr(shallow, 'open').find((each) => each.severity === 'error')
    if (problem !== undefined) {
      refuse('HR404', { message: `${name}: ${problem.message}` }, this.place(node))
    }
  }

  /** The statements before a query's result: definitions and settings, most of which mean nothing here. */
  statements(list: readonly Node[], env: Env): void {
    for (const each of list) {
      if (each.kind === 'LetStatement') this.#define(each, env)
      else if (each.kind === 'PatternStatement') {
        this.#patterns.set(each.child('Name').name, { statement: each, env })
      } else if (each.kind === 'SetOptionStatement') {
        const value = each.maybe('ValueClause')?.maybe('Expression')
        if (value !== undefined) this.settings.set(each.child('Name').name, value)
      } else if (each.kind === 'RestrictStatement') {
        refuse('HR405', { name: each.text.split(/\s/)[0] ?? '' }, this.place(each))
      }
    }
  }

  #define(statement: Node, env: Env): void {
    const name = statement.child('Name').name || statement.child('Name').text
    const value = statement.child('Expression')
    if (value.kind === 'FunctionDeclaration') {
      env.set(name, { kind: 'function', env })
      return
    }
    // What the name stands for is made where it is first used: unused definitions cost nothing and refuse nothing. A
    // definition sees what was there before it, not itself.
    const scope = new Env(env)
    scope.set(name, env.get(name))
    if (value.isTable) {
      env.set(name, { kind: 'table', rows: once(() => this.table(value, scope)) })
    } else {
      env.set(name, {
        kind: 'scalar',
        value: once(() => this.expr(value, { lowering: this, env: scope })),
      })
    }
  }

  expr(node: Node, context: Context): Expr {
    return lowerExpr(node, context)
  }

  get pins(): readonly KustoPin[] {
    return this.options.pins
  }

  tableNames(): readonly string[] {
    return [...this.options.tables.keys()]
  }

  /** The rows of a tabular expression. */
  table(node: Node, env: Env): Rowset {
    this.#made++
    if (this.#made > SIZE) refuse('HR410', {}, this.place(node))
    switch (node.kind) {
      case 'PipeExpression': {
        const rows = this.table(node.child('Expression'), env)
        return this.operate(rows, node.child('Operator'), env)
      }
      case 'ParenthesizedExpression':
        return this.table(node.child('Expression'), new Env(env))
      case 'NameReference':
        return this.#named(node, env)
      case 'FunctionCallExpression':
        return this.#called(node, env)
      case 'MaterializeExpression':
      case 'ToTableExpression':
        return this.shared(this.table(node.child('Expression'), env))
      case 'DataScopeExpression':
        return this.table(node.child('Expression'), env)
      case 'PathExpression':
        // workspace("x").T, cluster("x").database("y").T: what is local is the table itself.
        return this.#qualified(node, env)
      default: {
        const source = SOURCES[node.kind]
        if (source !== undefined) return source(node, { lowering: this, env })
        const operator = OPERATORS[node.kind]
        if (operator !== undefined) return this.operate(this.nothing(), node, env)
        return refuse('HR405', { name: node.text.split(/\s/)[0] ?? '' }, this.place(node))
      }
    }
  }

  /** What an operator without input begins with: one row without columns. */
  nothing(): Rowset {
    return { rel: { op: 'values', rows: [[]], out: [] }, columns: [], order: [], by: [] }
  }

  operate(rows: Rowset, operator: Node, env: Env): Rowset {
    const make = OPERATORS[operator.kind]
    if (make === undefined) {
      const name = /^[a-z-]+/i.exec(operator.text)?.[0] ?? operator.kind
      return refuse('HR405', { name }, this.place(operator))
    }
    this.#made++
    return make(rows, operator, { lowering: this, env })
  }

  #named(node: Node, env: Env): Rowset {
    const { name } = node
    const meaning = env.get(name)
    if (meaning?.kind === 'table') return meaning.rows()
    const isCall = node.calledBody !== undefined || node.symbol?.kind === 'function'
    return isCall ? this.#called(node, env) : this.stored(name, node)
  }

  /** The rows of a stored table. */
  stored(name: string, node: Node): Rowset {
    const table = this.options.tables.get(name)
    if (table === undefined) {
      return refuse('HR401', { name, hint: 'check its spelling' }, this.place(node))
    }
    this.tables.add(name)
    const out: readonly Field[] = table.columns.map(({ name: column, type }) => ({
      name: column,
      type,
    }))
    return {
      rel: { op: 'scan', table: { kind: 'view', name: `table:${name}` }, time: {}, out },
      columns: table.columns,
      order: [],
      by: [],
    }
  }

  #called(node: Node, env: Env): Rowset {
    const body = node.calledBody
    const name = functionName(node)
    const context: Context = { lowering: this, env }
    if (body === undefined) {
      const pattern = this.#patterns.get(name)
      if (pattern !== undefined) {
        return this.inside(node, () => patternRows(pattern, node, undefined, context))
      }
      if (name === 'table') {
        const [table] = node.maybe('ArgumentList')?.items('Expressions') ?? []
        if (table === undefined) return refuse('HR406', { name }, this.place(node))
        const wanted = constantText(table, context)
        const meaning = env.get(wanted)
        return meaning?.kind === 'table' ? meaning.rows() : this.stored(wanted, node)
      }
      if (name === 'materialize') {
        const [inner] = node.maybe('ArgumentList')?.items('Expressions') ?? []
        if (inner !== undefined) return this.shared(this.table(inner, env))
      }
      const native = this.options.natives.rows(name)
      if (native !== undefined) return native(node, context)
      refuseTenant(name, context, node)
      return refuse('HR406', { name }, this.place(node))
    }
    return this.inside(node, () => this.body(body, scopeOfCall(node, context), node))
  }

  /** Rows that the body of a user's function gives. */
  body(body: Node, env: Env, node: Node): Rowset {
    this.statements(body.items('Statements'), env)
    const result = body.maybe('Expression')
    if (result === undefined) return refuse('HR416', {}, this.place(node))
    const rows = this.table(result, env)
    return rows
  }

  #qualified(node: Node, env: Env): Rowset {
    const selector = node.child('Selector')
    const whole = node.child('Expression')
    if (whole.kind === 'FunctionCallExpression') {
      const pattern = this.#patterns.get(functionName(whole))
      if (pattern !== undefined) {
        const context: Context = { lowering: this, env }
        return this.inside(whole, () => patternRows(pattern, whole, selector.name, context))
      }
      refuseTenant(functionName(whole), { lowering: this, env }, whole)
    }
    const from = whole.text.toLowerCase()
    if (/^(?:workspace|app|resource|arg)\(/.test(from) || /^database\(/.test(from)) {
      return selector.kind === 'NameReference'
        ? this.stored(selector.name, node)
        : this.table(selector, env)
    }
    return refuse(
      'HR408',
      { name: node.text.slice(0, 60), what: 'another cluster' },
      this.place(node),
    )
  }

  /** Rows that are computed once, however often they are read. */
  shared(rows: Rowset): Rowset {
    const name = this.hidden('once')
    const known = selected(rows, rows.columns, [...rowOf(rows).values()])
    this.#shared.push({ name, rel: known.rel })
    const out: readonly Field[] = [...rows.columns, ...hiddenFields(rows)]
    return { ...rows, rel: { op: 'scan', table: { kind: 'named', name }, time: {}, out } }
  }

  /** The relation with its rows in the order that they have. */
  sorted(rows: Rowset): Rel {
    return rows.order.length === 0 ? rows.rel : { op: 'sort', from: rows.rel, order: rows.order }
  }

  /** The whole query: its rows in order, its columns alone, and what is computed once around it. */
  finish(rows: Rowset): Lowered {
    const { columns } = rows
    const plain: Rel = {
      op: 'select',
      from: this.sorted(rows),
      keep: columns.map(({ name, type }) => ({ name, value: field(name, type) })),
    }
    const rel = this.#shared.reduceRight<Rel>(
      (body, { name, rel: value }) => ({ op: 'named', name, value, body, once: true }),
      plain,
    )
    return { rel, columns, order: rows.order }
  }
}

/** The diagnostic of a failure, ours or not. */
export function diagnosticOf(error: unknown, span: Span): Diagnostic {
  if (error instanceof Refusal) {
    return error.diagnostic.span === undefined ? { ...error.diagnostic, span } : error.diagnostic
  }
  // The stack is as deep as the query is nested; nothing else overflows it.
  if (error instanceof RangeError && /stack/i.test(error.message))
    return diagnose('HR410', {}, span)
  const reason = String((error as Error).message ?? error)
  return diagnose('HR417', { reason: reason.slice(0, 200) }, span)
}

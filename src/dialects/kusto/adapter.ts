/**
 * The only file that knows Microsoft's parser and binder, `@kusto/language-service-next`. It takes the loaded library
 * (a shell loads it, so that this floor stays pure), declares tables and functions to it, and hands out the bound
 * tree as plain nodes. The library is generated code whose constructor names shift between versions: the version is
 * pinned, and `selfTest` tries every name that is used here.
 */
import type { BaseType } from '../../ir/types.ts'

/** Scalar types by the names that Kusto gives them, and what they are in the IR. */
const TYPES: Readonly<Record<string, BaseType>> = {
  bool: 'bool',
  int: 'int32',
  long: 'int',
  real: 'float',
  decimal: 'decimal',
  string: 'text',
  datetime: 'time',
  timespan: 'span',
  guid: 'guid',
  dynamic: 'dynamic',
  null: 'null',
}

const NAMES: ReadonlyMap<BaseType, string> = new Map(
  Object.entries(TYPES).map(([name, type]) => [type, name]),
)

/** Kusto's name of a type of the IR: `long` for `int`. */
export function kustoTypeName(type: BaseType): string {
  return NAMES.get(type) ?? 'dynamic'
}

/** The type of the IR for one of Kusto's names, `long` or `System.Int64` alike; undefined for no such type. */
export function typeNamed(name: string): BaseType | undefined {
  return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined
}

export interface Column {
  readonly name: string
  readonly type: BaseType
}

/** A function that queries may call: its parameter list and body in the language itself. */
export interface FunctionText {
  readonly name: string
  /** With brackets, as in a declaration: `(window:timespan=1h)`. */
  readonly parameters: string
  /** With braces: `{ SigninLogs | where ... }`. */
  readonly body: string
}

export interface TableText {
  readonly name: string
  readonly columns: readonly Column[]
  /** True when further columns may be there that nobody can list. */
  readonly open?: boolean
}

/** A function without a body in the language: the binder only has to know what it gives. */
export interface NativeFunction {
  readonly name: string
  /** Rows; the tables of another database, whatever their names; or the tables that are in scope. */
  readonly gives: 'rows' | 'database' | 'here'
  /**
   * The columns of the rows, by the first argument where that is a constant text. Without them, or where they are
   * undefined, a call gives the columns of the table it is invoked on, those of `adds`, and further ones that nobody
   * can list.
   */
  readonly columns?: (first: string | undefined) => readonly Column[] | undefined
  readonly adds?: readonly Column[]
}

export interface Problem {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly start: number
  readonly end: number
}

/** What kind of thing a name stands for. */
export type SymbolKind = 'column' | 'variable' | 'function' | 'table' | 'tuple' | 'other'

export interface ParameterInfo {
  readonly name: string
  /** Scalar type; undefined for tables and for functions of the language that take several types. */
  readonly type: BaseType | undefined
  /** Text of the default value; undefined when the argument must be given. */
  readonly standard: Node | undefined
}

// The library has no types worth having: generated names, everything nullable.
// biome-ignore lint/suspicious/noExplicitAny: the one place where the untyped library is touched
type Foreign = any

/** Of a call; the language has no such bound itself. */
const MOST_ARGUMENTS = 64
const TABLE_KIND = 10

const SYMBOL_KINDS: Readonly<Record<number, SymbolKind>> = {
  2: 'variable',
  3: 'function',
  4: 'variable',
  6: 'tuple',
  9: 'column',
  [TABLE_KIND]: 'table',
}

/** One node of the bound tree. Children have the names that the library gives them; separators are left out. */
export class Node {
  readonly #raw: Foreign
  readonly #library: Library
  #children: Map<string, Foreign> | undefined

  constructor(raw: Foreign, library: Library) {
    this.#raw = raw
    this.#library = library
  }

  get kind(): string {
    return this.#library.kindOf(this.#raw)
  }

  /** Offsets in the text of the query; of the call, for nodes of an expanded function. */
  get start(): number {
    return this.#raw.TextStart ?? 0
  }

  get end(): number {
    return this.#raw.End ?? 0
  }

  /** The node's own text, without blanks and comments around it. */
  get text(): string {
    return this.#raw.IsToken
      ? String(this.#raw.Text)
      : String(this.#raw.ToString(this.#library.noTrivia))
  }

  /** Type of a scalar; `undefined` when the binder cannot know it, and for tables. */
  get type(): BaseType | undefined {
    const name: unknown = this.#raw.ResultType?.Name
    if (typeof name !== 'string') return undefined
    const known = typeNamed(name)
    if (known !== undefined) return known
    // Dynamic values whose shape the binder knows have types of their own.
    const { Kind } = this.#raw.ResultType
    return Kind === 7 || Kind === 8 || /^dynamic/.test(name) ? 'dynamic' : undefined
  }

  get isTable(): boolean {
    return this.#raw.ResultType?.Kind === TABLE_KIND
  }

  /** Columns of a table, in order. */
  get columns(): readonly Column[] {
    return this.#library.columnsOf(this.#raw.ResultType)
  }

  /** True for a table whose columns depend on its data. */
  get isOpen(): boolean {
    return this.#raw.ResultType?.IsOpen === true
  }

  /** Columns of a table that stands behind a tuple, as `$left` in a join does. */
  get symbol(): { readonly kind: SymbolKind; readonly name: string } | undefined {
    const symbol = this.#raw.ReferencedSymbol
    if (!symbol) return undefined
    return { kind: SYMBOL_KINDS[symbol.Kind] ?? 'other', name: String(symbol.Name ?? '') }
  }

  /** Name of the column that the expression gives, when it is a bare reference. */
  get name(): string {
    return String(this.#raw.SimpleName ?? this.#raw.ReferencedSymbol?.Name ?? '')
  }

  /** Name of the column that the expression gives when none is written: `d_x` for `d.x`; empty when it has none. */
  get resultName(): string {
    return this.#library.resultName(this.#raw)
  }

  /** Parameters of the function that is called here. */
  get parameters(): readonly ParameterInfo[] {
    const signature = this.#raw.ReferencedSignature
    return this.#library.list(signature?.Parameters).map((each: Foreign) => ({
      name: String(each.Name),
      type: typeNamed(String(this.#library.list(each.DeclaredTypes)[0]?.Name)),
      standard: each.DefaultValue ? new Node(each.DefaultValue, this.#library) : undefined,
    }))
  }

  /** The body of a user's function, bound for this call; undefined for functions of the language. */
  get calledBody(): Node | undefined {
    const body = this.#raw.GetCalledFunctionBody?.()
    return body ? new Node(body, this.#library) : undefined
  }

  /** What is wrong with the body of the function called here; empty when nothing is. */
  get calledProblem(): string {
    if (this.#raw.CalledFunctionHasErrors !== true) return ''
    const all = this.#library.list(this.#raw.GetCalledFunctionDiagnostics?.())
    const error = all.find((each: Foreign) => String(each.Severity) === 'Error')
    return String(error?.Message ?? 'it cannot be read')
  }

  /** Value of a text literal, with its escapes resolved. */
  get literalText(): string {
    return String(this.#raw.LiteralValue ?? '')
  }

  /** Value of a token of text, with its escapes resolved. */
  get tokenValue(): string {
    return String(this.#raw.ValueText ?? this.#raw.Text ?? '')
  }

  #named(): Map<string, Foreign> {
    if (this.#children !== undefined) return this.#children
    const children = new Map<string, Foreign>()
    const raw = this.#raw
    for (let index = 0; index < raw.ChildCount; index++) {
      const child = raw.GetChild(index)
      if (child) children.set(String(raw.GetName(index) ?? ''), child)
    }
    this.#children = children
    return children
  }

  /** The child of that name; undefined where an optional part is not there. */
  maybe(name: string): Node | undefined {
    const child = this.#named().get(name)
    return child === undefined || child.IsMissing === true
      ? undefined
      : new Node(child, this.#library)
  }

  /** The child of that name, which the grammar says is there. */
  child(name: string): Node {
    const found = this.maybe(name)
    if (found === undefined) throw new TypeError(`${this.kind} has no ${name}`)
    return found
  }

  /** Text of a token among the children; empty where it is not there. */
  token(name: string): string {
    return this.maybe(name)?.text ?? ''
  }

  /** The elements of a list among the children. */
  items(name: string): readonly Node[] {
    const child = this.#named().get(name)
    return child === undefined ? [] : this.#library.elements(child)
  }

  /** Every node below, parents first. */
  *walk(): Generator<Node> {
    yield this
    for (const child of this.#named().size > 0 ? this.#raws() : []) {
      if (child.IsToken !== true) yield* new Node(child, this.#library).walk()
    }
  }

  *#raws(): Generator<Foreign> {
    for (let index = 0; index < this.#raw.ChildCount; index++) {
      const child = this.#raw.GetChild(index)
      if (child) yield child
    }
  }
}

/** What the binder refuses and the engine runs: a real number where a whole one is meant is converted. */
const LOOSER = new Set(['KS134'])

/** Tables and functions in scope, in the library's own form; made once and used for many queries. */
export interface Scope {
  readonly globals: Foreign
}

export interface Parsed {
  readonly root: Node
  readonly problems: readonly Problem[]
  /** True when the text itself is broken, so that what comes after the first problem means little. */
  readonly isBroken: boolean
}

/** The loaded library. */
export class Library {
  readonly #kusto: Foreign
  readonly #bridge: Foreign
  readonly #kinds: ReadonlyMap<number, string>
  readonly noTrivia: Foreign

  /** Takes the library's globals (`Kusto`, `Bridge`) as its own bundles define them. */
  constructor(globals: Readonly<Record<string, unknown>>) {
    this.#kusto = (globals as Foreign).Kusto?.Language
    this.#bridge = (globals as Foreign).Bridge
    if (!this.#kusto || !this.#bridge) throw new TypeError('the Kusto library is not loaded')
    const kinds = Object.entries(this.#kusto.Syntax.SyntaxKind)
    this.#kinds = new Map(
      kinds.flatMap(([name, value]) => (typeof value === 'number' ? [[value, name]] : [])),
    )
    this.noTrivia = this.#kusto.Syntax.IncludeTrivia.Interior
  }

  kindOf(raw: Foreign): string {
    return this.#kinds.get(raw.Kind) ?? 'Unknown'
  }

  resultName(raw: Foreign): string {
    return String(this.#kusto.Binding.Binder.GetExpressionResultName(raw, '', null) ?? '')
  }

  list(raw: Foreign): readonly Foreign[] {
    return raw ? this.#bridge.toArray(raw) : []
  }

  elements(raw: Foreign): readonly Node[] {
    const found: Node[] = []
    for (let index = 0; index < raw.ChildCount; index++) {
      const child = raw.GetChild(index)
      if (!child || child.IsMissing === true) continue
      if (this.kindOf(child) === 'SeparatedElement') {
        const element = child.GetChild(0)
        if (element && element.IsMissing !== true) found.push(new Node(element, this))
      } else if (child.IsToken !== true) {
        found.push(new Node(child, this))
      }
    }
    return found
  }

  columnsOf(type: Foreign): readonly Column[] {
    return this.list(type?.Columns).map((each: Foreign) => ({
      name: String(each.Name),
      type: typeNamed(String(each.Type?.Name)) ?? 'dynamic',
    }))
  }

  #table({ name, columns, open }: TableText): Foreign {
    const { Symbols } = this.#kusto
    const made = columns.map(
      (each) =>
        new Symbols.ColumnSymbol(
          each.name,
          Symbols.ScalarTypes.GetSymbol(kustoTypeName(each.type)),
          null,
          null,
          null,
          null,
        ),
    )
    const table = new Symbols.TableSymbol.$ctor4(name, made)
    return open ? table.WithIsOpen(true) : table
  }

  #native({ name, gives, columns, adds = [] }: NativeFunction): Foreign {
    const { Symbols } = this.#kusto
    const { ParameterTypeKind, ArgumentKind, Tabularity } = Symbols
    const any = new Symbols.Parameter.ctor(
      'arguments',
      ParameterTypeKind.Any,
      ArgumentKind.Expression,
      undefined,
      undefined,
      false,
      undefined,
      0,
      MOST_ARGUMENTS,
      undefined,
      undefined,
    )
    const result = (call: Foreign): Foreign => {
      if (gives === 'here') return call.CurrentDatabase
      if (gives === 'database') return new Symbols.DatabaseSymbol.$ctor1(name, [], true)
      const [first] = this.list(call.Arguments)
      const constant: unknown = first?.ConstantValue
      const known = columns?.(typeof constant === 'string' ? constant : undefined)
      if (known !== undefined) return this.#table({ name, columns: known })
      const [input] = this.list(call.ArgumentTypes)
      const before = input?.Kind === TABLE_KIND ? this.columnsOf(input) : []
      return this.#table({ name, columns: [...before, ...adds], open: true })
    }
    const { Tabular, Other } = Tabularity
    return new Symbols.FunctionSymbol.ctor(name, result, gives === 'rows' ? Tabular : Other, [any])
  }

  /** Declares tables and functions. Names of no table are errors. */
  scope(
    tables: readonly TableText[],
    functions: readonly FunctionText[],
    natives: readonly NativeFunction[] = [],
  ): Scope {
    const { Symbols, GlobalState } = this.#kusto
    const members = [
      ...natives.map((each) => this.#native(each)),
      ...tables.map((each) => this.#table(each)),
      ...functions.map(
        ({ name, parameters, body }) =>
          new Symbols.FunctionSymbol.$ctor16(name, parameters, body, ''),
      ),
    ]
    const database = new Symbols.DatabaseSymbol.$ctor1('harrier', members, false)
    return { globals: GlobalState.Default.WithDatabase(database) }
  }

  /** Parses and binds one text. */
  parse(text: string, scope: Scope): Parsed {
    const code = this.#kusto.KustoCode.ParseAndAnalyze(text, scope.globals)
    const problems = this.list(code.GetDiagnostics()).flatMap((each: Foreign): Problem[] => {
      const severity = String(each.Severity).toLowerCase()
      if (severity !== 'error' && severity !== 'warning') return []
      if (LOOSER.has(String(each.Code))) return []
      return [
        {
          code: String(each.Code),
          severity,
          message: String(each.Message),
          start: Number(each.Start),
          end: Number(each.Start) + Number(each.Length),
        },
      ]
    })
    const broken = this.list(code.GetSyntaxDiagnostics()).some(
      (each: Foreign) => String(each.Severity) === 'Error',
    )
    return { root: new Node(code.Syntax, this), problems, isBroken: broken }
  }

  /** True when the text is free of errors of grammar, whatever its names stand for. */
  isWellFormed(text: string): boolean {
    const code = this.#kusto.KustoCode.Parse(text)
    return !this.list(code.GetSyntaxDiagnostics()).some(
      (each: Foreign) => String(each.Severity) === 'Error',
    )
  }

  /** Names of the functions and aggregates of the language itself, for suggestions. */
  builtIns(): readonly string[] {
    const { Functions, Aggregates } = this.#kusto
    return [...this.list(Functions.All), ...this.list(Aggregates.All)].map((each: Foreign) =>
      String(each.Name),
    )
  }
}

/** Tries every constructor that this file uses. Throws when the library is not the one it was written for. */
export function selfTest(library: Library): void {
  const scope = library.scope(
    [{ name: 'T', columns: [{ name: 'a', type: 'int' }] }],
    [{ name: 'f', parameters: '(x:long)', body: '{ T | where a > x }' }],
  )
  const { root, problems } = library.parse('f(1) | summarize n = count() by a', scope)
  const statement = root.items('Statements')[0]?.child('Expression')
  const columns = statement?.columns.map(({ name, type }) => `${name}:${type}`).join()
  if (problems.length > 0 || columns !== 'a:int,n:int') {
    throw new TypeError('the Kusto library is not of the version that this program was made for')
  }
}

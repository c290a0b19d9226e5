/**
 * The tables of Kusto: names, and columns with their types, read from the plain texts of content/schema/tables. Only
 * the names are read at first; the columns of a table are read when it is asked for, and kept.
 */
import { type Diagnostic, diagnose, hasErrors, type Outcome } from '../core/diagnostic.ts'
import type { BaseType, Field, Schema } from '../ir/types.ts'

/** A column that a table once had, or that published queries take it to have. */
export interface OldColumn {
  readonly field: Field
  /** The column that holds its values now; none when it went without a successor. */
  readonly now?: string
}

export interface Table {
  readonly name: string
  /** The columns in the order in which the table shows them. */
  readonly columns: Schema
  readonly old: ReadonlyMap<string, OldColumn>
  /** True for advanced hunting: the table has `Timestamp` beside `TimeGenerated`, always equal. */
  readonly isHunting: boolean
  /** True when its columns are made from what is sent to it: those that are not listed are told by their suffix. */
  readonly grows: boolean
}

/** A text of functions that belong to the schema, in the language itself. */
export interface FunctionFile {
  readonly path: string
  readonly text: string
}

export interface TableCatalogue {
  /** The tables that logs of other forms feed; each of the others has only what was exported from it. */
  readonly fed: readonly string[]
  /** Functions over the tables; unread. */
  readonly functions: readonly FunctionFile[]
  /** All names that a query may use; those of tables that were renamed, and hidden ones, left out. */
  readonly names: ReadonlySet<string>
  /**
   * The table of that name, in its own case, or the one that it was renamed to; undefined when there is none.
   */
  table(name: string): Table | undefined
  /** The present name of a table that was renamed. */
  renamed(name: string): string | undefined
  /** The tables that have all of these columns as columns of their own, and how many of those they have. */
  having(columns: readonly string[]): readonly { readonly name: string; readonly own: number }[]
}

/** Letters that stand for the types of Kusto in the texts. */
const TYPES: ReadonlyMap<string, BaseType> = new Map([
  ['s', 'text'],
  ['t', 'time'],
  ['d', 'dynamic'],
  ['r', 'float'],
  ['i', 'int32'],
  ['l', 'int'],
  ['b', 'bool'],
  ['g', 'guid'],
  ['n', 'span'],
  ['m', 'decimal'],
])

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const STANDARD = '@'
/** Stands behind a type, as the name of all columns that nobody can list. */
const GROWS = /(?:^| )\*(?: |$)/
/** Types by the end of the names of columns that are made from data. */
const SUFFIXES: ReadonlyMap<string, BaseType> = new Map([
  ['_s', 'text'],
  ['_d', 'float'],
  ['_b', 'bool'],
  ['_t', 'time'],
  ['_g', 'text'],
])
/** End of the names of tables that stand behind functions. */
const HIDDEN = '_'
/** Columns of another table, with more behind them. */
const LIKE = /^=(\w+) ?(.*)$/
/** The name of a table in a file of views. */
const FED = /^ {2}- name: (\w+)$/gm
/** The columns that come first, so that a row is read from its time on. */
const LEADING = ['TimeGenerated', 'Timestamp']

interface Entry {
  /** What follows the name on its line. */
  readonly rest: string
  /** The columns that every table of the file has. */
  readonly standard: readonly Field[]
}

/** The type of a column that was made from data, by the suffix of its name. */
export function suffixType(column: string): BaseType | undefined {
  return SUFFIXES.get(column.slice(-2))
}

/** The columns of `s: A B t: C`; undefined when a word is neither a name nor a type. */
function readColumns(rest: string): readonly Field[] | undefined {
  const fields: Field[] = []
  let type: BaseType | undefined
  for (const word of rest.split(' ')) {
    if (word === '' || word === '*') continue
    if (word.endsWith(':')) {
      type = TYPES.get(word.slice(0, -1))
      if (type === undefined) return undefined
    } else if (type === undefined || !NAME.test(word)) return undefined
    else fields.push({ name: word, type })
  }
  return fields
}

function inOrder(fields: Iterable<Field>): Schema {
  const rank = ({ name }: Field): number => {
    const at = LEADING.indexOf(name)
    return at === -1 ? (name.startsWith('_') ? LEADING.length + 1 : LEADING.length) : at
  }
  const low = new Map([...fields].map((each) => [each, each.name.toLowerCase()] as const))
  return [...low]
    .sort(([a, x], [b, y]) => rank(a) - rank(b) || (x < y ? -1 : x > y ? 1 : 0))
    .map(([field]) => field)
}

function hasName(fields: readonly Field[], name: string): boolean {
  return fields.some((each) => each.name === name)
}

/** Old names: of tables, and of the columns of each table. */
interface Renames {
  readonly tables: Map<string, string>
  /** By table: the text of each old column, `name: type` or `name: type > new name`. */
  readonly columns: Map<string, string[]>
}

class Tables implements TableCatalogue {
  readonly names: ReadonlySet<string>
  readonly fed: readonly string[]
  readonly functions: readonly FunctionFile[]
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #renames: Renames
  readonly #known = new Map<string, Table>()

  constructor(
    entries: ReadonlyMap<string, Entry>,
    renames: Renames,
    functions: readonly FunctionFile[],
    fed: readonly string[],
  ) {
    this.functions = functions
    this.#entries = entries
    this.#renames = renames
    this.names = new Set([...entries.keys()].filter((each) => !each.endsWith(HIDDEN)))
    this.fed = fed.filter((each) => this.names.has(each))
  }

  renamed(name: string): string | undefined {
    return this.#renames.tables.get(name)
  }

  /** Looks at the texts themselves: to read the columns of all tables would take a hundred times as long. */
  having(columns: readonly string[]): readonly { readonly name: string; readonly own: number }[] {
    const words = columns.map((each) => ` ${each} `)
    return [...this.#entries].flatMap(([name, { rest }]) => {
      const text = ` ${rest} `
      if (!words.every((each) => text.includes(each))) return []
      return [{ name, own: (readColumns(rest) ?? []).length }]
    })
  }

  table(called: string): Table | undefined {
    const name = this.#entries.has(called) ? called : (this.renamed(called) ?? called)
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    const [, like, rest = entry.rest] = LIKE.exec(entry.rest) ?? []
    const read = [
      ...(like === undefined || like === name ? [] : (this.table(like)?.columns ?? [])),
      ...(readColumns(rest) ?? []),
    ]
    const own = [...new Map(read.map((each) => [each.name, each])).values()]
    const added = entry.standard.filter((each) => !hasName(own, each.name))
    const columns = inOrder([...own, ...added])
    const old = new Map(
      (this.#renames.columns.get(name) ?? []).flatMap((each) => {
        const column = readOld(each)
        return column === undefined || hasName(columns, column.field.name)
          ? []
          : [[column.field.name, column] as const]
      }),
    )
    const isHunting = hasName(entry.standard, 'Timestamp')
    const table = { name, columns, old, isHunting, grows: GROWS.test(entry.rest) }
    this.#known.set(name, table)
    return table
  }
}

const OLD_COLUMN = /^(\w+): ([a-z])(?: > (\w+))?$/

function readOld(text: string): OldColumn | undefined {
  const [, name, letter = '', now] = OLD_COLUMN.exec(text) ?? []
  const type = TYPES.get(letter)
  if (name === undefined || type === undefined) return undefined
  return { field: { name, type }, ...(now === undefined ? {} : { now }) }
}

const RENAMED_TABLE = /^(\w+) > (\w+)$/
const RENAMED_COLUMN = /^(\w+)\.(\w+: [a-z](?: > \w+)?)$/

/** Reads a line of a file of old names; false when it is none. */
function readRename(line: string, renames: Renames): boolean {
  const [, from, to] = RENAMED_TABLE.exec(line) ?? []
  if (from !== undefined && to !== undefined) {
    renames.tables.set(from, to)
    return true
  }
  const [, table, column] = RENAMED_COLUMN.exec(line) ?? []
  if (table === undefined || column === undefined) return false
  const known = renames.columns.get(table)
  if (known === undefined) renames.columns.set(table, [column])
  else known.push(column)
  return true
}

/**
 * Reads the texts of the tables. A file has lines `Name s: A B t: C`; a line of `@` gives columns that all tables
 * after it have, a line of `+Name` adds columns to a table of a file before, and
 * `Name =Other s: A` has the columns of another table too; `*` says that the table has more. A file whose path ends in
 * `old.txt` has lines `Old > New` and `Table.Old: s > New`. The columns of a line are checked when they are read; a name
 * that cannot be one, and one that is there twice, are errors here. A file that ends in `.kql` holds functions; of one that
 * ends in `.yml` only the names of the tables are read that it feeds.
 */
export function readTables(
  texts: readonly { readonly path: string; readonly text: string }[],
): Outcome<TableCatalogue> {
  const diagnostics: Diagnostic[] = []
  const entries = new Map<string, Entry>()
  const renames: Renames = { tables: new Map(), columns: new Map() }
  const functions: FunctionFile[] = []
  const fed: string[] = []
  for (const { path, text } of texts) {
    if (path.endsWith('.kql')) {
      functions.push({ path, text })
      continue
    }
    if (path.endsWith('.yml')) {
      for (const [, name = ''] of text.matchAll(FED)) fed.push(name)
      continue
    }
    const isOld = path.endsWith('old.txt')
    let standard: readonly Field[] = []
    text.split('\n').forEach((line, index) => {
      if (line === '' || line.startsWith('#')) return
      const fail = (): void => {
        diagnostics.push(diagnose('HR470', { file: path, line: index + 1 }))
      }
      if (isOld) {
        if (!readRename(line, renames)) fail()
        return
      }
      const end = line.indexOf(' ')
      const name = end === -1 ? line : line.slice(0, end)
      const rest = end === -1 ? '' : line.slice(end + 1)
      if (name.startsWith('+')) {
        const known = entries.get(name.slice(1))
        if (known === undefined) fail()
        else entries.set(name.slice(1), { ...known, rest: `${known.rest} ${rest}` })
      } else if (name === STANDARD) {
        const read = readColumns(rest)
        if (read === undefined) fail()
        else standard = read
      } else if (!NAME.test(name)) fail()
      else if (entries.has(name)) {
        diagnostics.push(diagnose('HR204', { file: path, what: 'table', name }))
      } else entries.set(name, { rest, standard })
    })
  }
  return hasErrors(diagnostics)
    ? { diagnostics }
    : { value: new Tables(entries, renames, functions, fed), diagnostics }
}

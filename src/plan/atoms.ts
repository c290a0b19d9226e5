/**
 * Shared literals: when many conditions look for texts in the same column, all of their literals are searched in
 * one reading of it, and each condition then only asks which of them were found. Takes the conditions of one scan,
 * gives them rewritten, with the columns that hold what was found.
 */
import { type Call, call, type Expr, field, or, texts } from '../ir/expr.ts'
import type { Binding } from '../ir/rel.ts'
import { mapExpr, visitExpr } from '../ir/walk.ts'
import { QUERY_PREFIX } from '../schema/source.ts'

export interface SharedLiterals {
  readonly set: readonly Binding[]
  readonly conditions: readonly Expr[]
}

/** Fewer literals than this in one column are quicker searched one by one. */
const WORTH = 8

/** Text that the matcher of many literals takes: ASCII, not empty, without NUL (it ends a pattern). */
const LITERAL = /^[\x01-\x7f]+$/

/** The column of a containment test, when its reading can be shared. */
function columnOf({ fn, args }: Call): string | undefined {
  const [subject] = args
  if (fn !== 'match.contains' && fn !== 'match.contains_any') return undefined
  return subject?.op === 'field' && subject.type === 'text' && subject.kept === undefined
    ? subject.name
    : undefined
}

function literalsOf({ args }: Call): readonly string[] {
  const value = args[1]?.op === 'const' ? args[1].value : undefined
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

interface Column {
  readonly subject: Expr
  /** Literals with their position, from 1. */
  readonly literals: Map<string, number>
}

function collect(conditions: readonly Expr[]): ReadonlyMap<string, Column> {
  const columns = new Map<string, Column>()
  for (const condition of conditions) {
    visitExpr(condition, (each) => {
      const name = each.op === 'call' ? columnOf(each) : undefined
      if (each.op !== 'call' || name === undefined) return
      const [subject] = each.args
      if (subject === undefined) return
      const column = columns.get(name) ?? { subject, literals: new Map() }
      columns.set(name, column)
      for (const text of literalsOf(each)) {
        const literal = text.toLowerCase()
        if (LITERAL.test(text) && !column.literals.has(literal)) {
          column.literals.set(literal, column.literals.size + 1)
        }
      }
    })
  }
  return columns
}

/** Name of the column that holds what was found in a column. */
const foundIn = (name: string): string => `${QUERY_PREFIX}found_${name}`

function rewrite(each: Expr, columns: ReadonlyMap<string, Column>): Expr {
  const name = each.op === 'call' ? columnOf(each) : undefined
  const column = name === undefined ? undefined : columns.get(name)
  if (each.op !== 'call' || name === undefined || column === undefined) return each
  if (column.literals.size < WORTH) return each
  const all = literalsOf(each)
  const shared = all.filter((text) => LITERAL.test(text))
  const rest = all.filter((text) => !LITERAL.test(text))
  const places = shared.flatMap((text) => column.literals.get(text.toLowerCase()) ?? [])
  const found = field(foundIn(name), { list: 'int' })
  const tests: Expr[] = []
  if (places.length > 0) {
    const numbers: Expr = { op: 'const', value: places, type: { list: 'int' } }
    tests.push(call('list.has_any', [{ ...found, stored: 'plain' }, numbers]))
  }
  if (rest.length > 0) tests.push(call('match.contains_any', [column.subject, texts(rest)]))
  return or(tests)
}

/** Rewrites the conditions of a scan so that the literals of each column are searched once. */
export function shareLiterals(conditions: readonly Expr[]): SharedLiterals {
  const columns = collect(conditions)
  const set = [...columns].flatMap(([name, { subject, literals }]): readonly Binding[] =>
    literals.size < WORTH
      ? []
      : [
          {
            name: foundIn(name),
            value: call('match.found', [subject, texts([...literals.keys()])], { list: 'int' }),
          },
        ],
  )
  return set.length === 0
    ? { set, conditions }
    : {
        set,
        conditions: conditions.map((each) => mapExpr(each, (one) => rewrite(one, columns))),
      }
}

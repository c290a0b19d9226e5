/** Rows of the product's own sources, by the values of one column: how findings, risk and changes are looked up. */
import { and, call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { OwnSource } from '../../schema/own.ts'
import { META } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import type { RunStore } from '../store.ts'

/** Values that one query asks for. */
const ASKED = 1_000
/** Columns that every source has. */
const ALWAYS: ReadonlySet<string> = new Set([META.batch, META.raw])

/** Which rows are wanted: those whose column `by` has one of the values, and that pass further tests of columns. */
export interface WantedRows {
  readonly by: string
  readonly values: readonly string[]
  readonly also?: (column: (name: string) => Expr) => readonly Expr[]
}

/** Columns of stored events as texts, in the order of their names; one that the source does not have is empty. */
export async function* ownRows(
  store: Pick<RunStore, 'rows' | 'catalogue'>,
  source: OwnSource,
  names: readonly string[],
  { by, values, also = () => [] }: WantedRows,
): AsyncGenerator<readonly string[]> {
  const columns = (await store.catalogue()).get(source)?.text
  if (columns?.has(by) !== true) return
  const isColumn = (name: string): boolean => ALWAYS.has(name) || columns.has(name)
  const value = (name: string): Expr =>
    isColumn(name) ? { op: 'field', name, type: 'text', stored: 'plain' } : text('')
  const read = [...new Set([by, ...names])].filter(isColumn)
  const further = also(value)
  for (let from = 0; from < values.length; from += ASKED) {
    const isOne = call('match.in', [value(by), texts(values.slice(from, from + ASKED))])
    const rel: Rel = {
      op: 'select',
      from: {
        op: 'filter',
        from: {
          op: 'scan',
          table: { kind: 'source', name: source },
          time: {},
          out: read.map((name) => ({ name, type: 'text', stored: 'plain' })),
        },
        where: further.length === 0 ? isOne : and([isOne, ...further]),
      },
      keep: names.map((name) => ({ name, value: value(name) })),
    }
    for await (const row of store.rows(printSql(rel))) yield row.map(String)
  }
}

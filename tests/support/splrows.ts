/** A desk for SPL commands: searches over rows that are written down, run on an engine in a temporary folder. */
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { World } from '../../src/dialects/spl/world.ts'
import { isList } from '../../src/ir/types.ts'
import { printSql } from '../../src/sql/print.ts'
import type { SplRow, SplValue } from '../../tools/conform/splcase.ts'
import { writtenRows } from '../../tools/conform/splproduct.ts'
import { allRows, temporaryEngine } from './temporary.ts'

type Given = Readonly<Record<string, SplValue | number>>

/** A row of a result by its columns; numbers as numbers, and what is missing not there. */
export type Found = Readonly<Record<string, unknown>>

export interface SplDesk {
  /** The rows of a search over rows; `events` are given to searches that begin without a pipe. */
  run(query: string, rows: readonly Given[]): Promise<readonly Found[]>
  /** The code and message of what keeps a search from running. */
  refusal(query: string, rows?: readonly Given[]): string
  close(): Promise<void>
}

const rowOf = (row: Given): SplRow =>
  new Map(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' ? String(value) : value,
    ]),
  )

function worldOf(rows: readonly Given[]): World {
  return {
    macro: () => undefined,
    macroNames: () => [],
    events: () => ({ typeOf: () => undefined, names: [] }),
    dataset: () => undefined,
    datasetNames: () => [],
    lookup: () => undefined,
    lookupNames: () => [],
    rows: writtenRows(rows.map(rowOf)),
  }
}

function cell(value: unknown): unknown {
  return typeof value === 'string' && /^-?(?:0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value
}

/** Opens a desk; it is to be closed. */
export async function splDesk(): Promise<SplDesk> {
  const { engine, close } = await temporaryEngine()
  const compiled = (query: string, rows: readonly Given[], found: ReadonlyMap<string, string[]>) =>
    compileSpl(query, { world: worldOf(rows), found })
  return {
    close,
    async run(query, rows) {
      const found = new Map<string, string[]>()
      let answer = compiled(query, rows, found)
      for (let round = 0; round < 5 && answer.discoveries.length > 0; round++) {
        for (const { key, rel } of answer.discoveries) {
          const texts = await allRows(engine, printSql(rel))
          found.set(
            key,
            texts.map(([text]) => String(text)),
          )
        }
        answer = compiled(query, rows, found)
      }
      const { rel, columns, diagnostics } = answer
      if (rel === undefined) {
        throw new Error(diagnostics.map((each) => renderDiagnostic(each, query)).join('\n'))
      }
      const cells = await allRows(engine, printSql(rel))
      return cells.map((row) =>
        Object.fromEntries(
          columns.flatMap(({ name, type }, at): readonly (readonly [string, unknown])[] => {
            const value = row[at]
            const isMissing = isList(type)
              ? Array.isArray(value) && value.length === 0
              : value === null
            return isMissing ? [] : [[name, isList(type) ? value : cell(value)]]
          }),
        ),
      )
    },
    refusal(query, rows = []) {
      const error = compiled(query, rows, new Map()).diagnostics.find(
        (each) => each.severity === 'error',
      )
      return error === undefined ? '' : `${error.code} ${error.message}`
    },
  }
}

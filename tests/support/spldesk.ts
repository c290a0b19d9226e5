/** Searches of Splunk from their text to the engine's rows, over rows that a test writes down. */
import { afterAll, beforeAll } from 'vitest'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { planRows, type QueryWorld } from '../../src/detect/runquery.ts'
import { discoverSpl } from '../../src/detect/spldiscover.ts'
import type { SplAnswer } from '../../src/dialects/spl/answer.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { LookupDefinition } from '../../src/dialects/spl/lookupdef.ts'
import type { Macro } from '../../src/dialects/spl/world.ts'
import { isList, type Type } from '../../src/ir/types.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { writtenRows } from '../../tools/conform/splproduct.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryEngine } from './temporary.ts'

type Cell = string | readonly string[]
/** A row: a field that is not there is missing. */
export type TestRow = Readonly<Record<string, Cell>>

export interface SplSurroundings {
  readonly macros?: readonly Macro[]
  readonly lookups?: readonly LookupDefinition[]
  /** Rows that stand for the events of an index. */
  readonly indexes?: Readonly<Record<string, readonly TestRow[]>>
}

export interface SplDesk {
  answer(rows: readonly TestRow[], search: string, around?: SplSurroundings): Promise<SplAnswer>
  /** The rows that a search gives, without the fields that they lack; numbers as texts. Throws when it is refused. */
  found(
    rows: readonly TestRow[],
    search: string,
    around?: SplSurroundings,
  ): Promise<readonly TestRow[]>
  /** The code of the error that refuses a search. */
  refusal(search: string, rows?: readonly TestRow[]): Promise<string>
}

const mapped = (rows: readonly TestRow[]) =>
  writtenRows(rows.map((row) => new Map(Object.entries(row))))

function cellOf(value: unknown, type: Type): Cell | undefined {
  if (value === null || value === undefined) return undefined
  if (!isList(type)) return String(value)
  const list: readonly string[] = Array.isArray(value) ? value : JSON.parse(String(value))
  return list.length === 0 ? undefined : list
}

/** Opens an engine for the tests of a file and closes it after them. */
export function splDesk(): SplDesk {
  let opened: TemporaryEngine
  beforeAll(async () => {
    opened = await temporaryEngine()
  })
  afterAll(() => opened.close())
  const schema = readyMadeSchema()
  const world: QueryWorld = { schema, stored: new Map(), time: {} }

  const answer: SplDesk['answer'] = (rows, search, around = {}) => {
    const { macros = [], lookups = [], indexes = {} } = around
    const library = { macros, lookups }
    const options = {
      world: {
        ...splWorld({ schema, stored: world.stored, library }).world,
        rows: mapped(rows),
        indexes: new Map(Object.entries(indexes).map(([name, list]) => [name, mapped(list)])),
      },
    }
    return discoverSpl({
      compile: (found) => compileSpl(search, { ...options, found }),
      rows: (rel) => planRows(opened.engine, rel, world),
    })
  }
  const found: SplDesk['found'] = async (rows, search, around) => {
    const { rel, columns, diagnostics } = await answer(rows, search, around)
    const error = diagnostics.find(({ severity }) => severity === 'error')
    if (error !== undefined || rel === undefined) {
      throw new Error(error === undefined ? 'no plan' : renderDiagnostic(error, search))
    }
    const list: TestRow[] = []
    for await (const row of planRows(opened.engine, rel, world)) {
      const cells = columns.flatMap(({ name, type }, at) => {
        const value = cellOf(row[at], type)
        return value === undefined ? [] : [[name, value] as const]
      })
      list.push(Object.fromEntries(cells))
    }
    return list
  }
  return {
    answer,
    found,
    async refusal(search, rows = [{ a: '1' }]) {
      const { diagnostics } = await answer(rows, search)
      return diagnostics.find(({ severity }) => severity === 'error')?.code ?? 'none'
    },
  }
}

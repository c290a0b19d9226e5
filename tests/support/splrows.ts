/** The desk of searches for commands that calculate: rows with numbers in them, and results with numbers. */
import { type SplDesk, splDesk, type TestRow } from './spldesk.ts'

type Given = Readonly<Record<string, TestRow[string] | number>>

/** A row of a result by its columns; numbers as numbers, and what is missing not there. */
type Found = Readonly<Record<string, unknown>>

export interface NumberDesk {
  /** The rows of a search over rows. */
  run(search: string, rows: readonly Given[]): Promise<readonly Found[]>
  /** The code of the error that refuses a search. */
  refusal(search: string, rows?: readonly Given[]): Promise<string>
}

const written = (rows: readonly Given[]): readonly TestRow[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? String(value) : value,
      ]),
    ),
  )

/** Texts that are numbers as Splunk prints them. */
const NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$/

function cell(value: unknown): unknown {
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
}

/** Opens a desk for the tests of a file and closes it after them. */
export function numberDesk(desk: SplDesk = splDesk()): NumberDesk {
  return {
    async run(search, rows) {
      const found = await desk.found(written(rows), search)
      return found.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, cell(value)])),
      )
    },
    refusal: (search, rows = [{ a: '1' }]) => desk.refusal(search, written(rows)),
  }
}

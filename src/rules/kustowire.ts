/**
 * What passes between this program and the process of the Kusto front end, and what is kept of it on disk: lines of
 * JSON, with the numbers that JSON does not have.
 */
import type { TableText } from '../dialects/kusto/adapter.ts'
import type { KustoAnswer, KustoFunction, KustoPin, Watchlist } from '../dialects/kusto/answer.ts'

/** What queries may use beside the tables. */
export interface FrontWorld {
  readonly functions: readonly KustoFunction[]
  readonly watchlists: readonly Watchlist[]
  readonly pins: readonly KustoPin[]
  /** Tables that only the store knows. */
  readonly custom: readonly TableText[]
}

export type FrontRequest =
  | { readonly op: 'world'; readonly world: FrontWorld }
  | { readonly op: 'compile'; readonly id: number; readonly text: string }

export type FrontReply =
  | { readonly op: 'ready' }
  | { readonly op: 'answer'; readonly id: number; readonly answer: KustoAnswer }
  | { readonly op: 'end'; readonly id: number }

/** The files that the front end is made of. */
export interface FrontFiles {
  /** Bundles of Microsoft's library, in the order in which they are loaded. */
  readonly library: readonly string[]
  /** The texts of the tables, of functions over them, and of what feeds them. */
  readonly tables: readonly string[]
}

/** Stands for a number that JSON lacks. No relation has a key of this name. */
const MARK = '@number'

const isLost = (value: unknown): value is number =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))

/** One line of JSON, without its end. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    isLost(each) ? { [MARK]: Object.is(each, -0) ? '-0' : String(each) } : each,
  )
}

/** What `encode` was given. Throws for a text that is no JSON. */
export function decode(text: string): unknown {
  if (!text.includes(`"${MARK}"`)) return JSON.parse(text)
  return JSON.parse(text, (_, each: unknown) => {
    if (typeof each !== 'object' || each === null || !Object.hasOwn(each, MARK)) return each
    return Number((each as Record<string, unknown>)[MARK])
  })
}

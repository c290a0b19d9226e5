/**
 * The tokens by which cells with patterns are found (`functions/lookups.ts` says what they are), made once when a
 * lookup is read. They count bytes, so that only cells of ASCII get theirs here; the engine makes all others.
 */
import { limits } from '../../core/limits.ts'

/** How the cells of a column of patterns are found. */
export interface Patterns {
  /** The column that holds their tokens; absent where the engine makes them. */
  readonly column?: string
  /** Kinds and lengths of tokens that there may be. */
  readonly shapes: readonly string[]
  /** The tokens and their beginnings, where they are few. */
  readonly stubs?: readonly string[]
}

/** Bytes that are taken of a text between stars, and at most of one at the start or the end. */
const HELD = [48, 32, 24, 16, 12, 8, 4, 3, 2, 1]
const MOST_BYTES = 128

const ENDS = Array.from({ length: MOST_BYTES }, (_, at) => at + 1)

/** All kinds and lengths of tokens of texts with stars. */
export const ALL_SHAPES: readonly string[] = [
  '=',
  '*',
  ...['^', '$'].flatMap((kind) => ENDS.map((each) => `${kind}${each}`)),
  ...HELD.map((each) => `~${each}`),
]

/** The lengths of all networks. */
export const ALL_LENGTHS: readonly string[] = Array.from({ length: 129 }, (_, at) => String(at))

/** True for a text whose characters are bytes. */
function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

const bucket = (text: string): number => HELD.find((each) => each <= text.length) ?? 0

/** The token of a cell of ASCII. */
function wildToken(cell: string): string {
  const pieces = cell.split('*')
  const [first = ''] = pieces
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return `=${first}`
  const longest = pieces.reduce((best, each) => (each.length > best.length ? each : best), '')
  if (longest === '') return '*'
  if (first.length === longest.length) return `^${first.slice(0, MOST_BYTES)}`
  if (last.length === longest.length) return `$${last.slice(-MOST_BYTES)}`
  return `~${longest.slice(0, bucket(longest))}`
}

const shapeOf = (token: string): string =>
  /^[~^$]/.test(token) ? `${token.slice(0, 1)}${token.length - 1}` : token.slice(0, 1)

export interface Tokens {
  readonly tokens: readonly string[]
  readonly shapes: readonly string[]
  readonly stubs?: readonly string[]
}

/** The tokens of the cells of a column; undefined where the engine must make them. */
export function tokensOf(cells: readonly string[], isCaseSensitive: boolean): Tokens | undefined {
  if (!cells.every(isAscii)) return undefined
  const tokens = cells.map((each) => wildToken(isCaseSensitive ? each : each.toLowerCase()))
  const shapes = [...new Set(tokens.map(shapeOf))]
  const stubs = new Set(
    tokens.flatMap((each) =>
      each.startsWith('~') && each.length > 5 ? [each, each.slice(0, 5)] : [each],
    ),
  )
  return stubs.size <= limits.inlineLookupTokens
    ? { tokens, shapes, stubs: [...stubs] }
    : { tokens, shapes }
}

/** The lengths that networks of a column have, counted in addresses of sixteen bytes. */
export function networkLengths(cells: readonly string[]): readonly string[] {
  const found = cells.map((cell) => {
    const [address = '', length] = cell.split('/')
    const isFour = !address.includes(':')
    const bits = length === undefined ? (isFour ? 32 : 128) : Number.parseInt(length, 10)
    return String(isFour ? bits + 96 : bits)
  })
  return ALL_LENGTHS.filter((each) => found.includes(each))
}

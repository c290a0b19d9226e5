/**
 * Repeatable randomness for made-up data: the same seed gives the same numbers on every machine. Not for secrets.
 */

export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next(): number
  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number
  /** A whole number from `low` to `high`, both possible. */
  between(low: number, high: number): number
  /** One of the items, each as likely; throws when there is none. */
  pick<T>(items: readonly T[]): T
  /** So many lower-case hexadecimal digits. */
  hex(digits: number): string
  /** A GUID in braces, upper case, as Windows prints it. */
  guid(): string
}

/** A 32-bit number for a text (FNV-1a), to seed one stream a subject. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}

/** Starts a stream: a Weyl sequence whose steps are mixed by two multiplications (the splitmix family, 32 bits). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const next = (): number => word() / 0x1_0000_0000
  const below = (limit: number): number => Math.floor(next() * limit)
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits) text += word().toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }
  return {
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    pick: (items) => {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    hex,
    guid: () => {
      const digits = hex(32).toUpperCase()
      return `{${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}}`
    },
  }
}

/** Draws places 0 to `count - 1` so that place k is drawn in proportion to 1 / (k + 1) ** `skew`. */
export function zipf(random: Random, count: number, skew: number): () => number {
  const sums = new Float64Array(count)
  let total = 0
  for (let at = 0; at < count; at++) {
    total += 1 / (at + 1) ** skew
    sums[at] = total
  }
  return () => {
    const wanted = random.next() * total
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] ?? total) <= wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

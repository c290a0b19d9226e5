/** Lengths of time as people write them: `90s`, `5m`, `24h`, `7d`, `2w`. */

/** Units with their milliseconds, the longest first. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
])

/** Milliseconds of a length of time; undefined for other texts. */
export function millisecondsOf(text: string): number | undefined {
  const found = /^(\d{1,9})\s*(ms|[smhdw])$/.exec(text.trim())
  return found === null ? undefined : Number(found[1]) * (UNITS.get(found[2] ?? '') ?? 0)
}

/** A length of time in the largest unit up to days that it is a whole number of, else in seconds. */
export function lengthText(ms: number): string {
  const fits = (unit: string): boolean => {
    const size = UNITS.get(unit) ?? 0
    return ms >= size && ms % size === 0
  }
  const unit = ['d', 'h', 'm'].find(fits) ?? 's'
  return `${ms / (UNITS.get(unit) ?? 1)}${unit}`
}

/** Numbers, sizes, durations and times as a person reads them; the same text on every machine. */

/** Whole number with commas: `1,234,567`. */
export function count(value: number): string {
  const whole = String(Math.round(value))
  return whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** A count with its noun, in the right number: `1 rule`, `2 rules`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Bytes in decimal units with three figures at most: `1.21 GB`. */
export function bytes(value: number): string {
  let size = Math.max(0, value)
  let unit = 0
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000
    unit++
  }
  if (unit === 0) return value === 1 ? '1 byte' : `${Math.round(size)} bytes`
  const digits = size >= 99.5 ? 0 : size >= 9.95 ? 1 : 2
  return `${size.toFixed(digits)} ${UNITS[unit]}`
}

/** A span of seconds: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`
}

/** An ISO instant cut to seconds, without T and Z; other text is given back as it is. */
export function shortTime(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(iso)
  return match ? `${match[1]} ${match[2]}` : iso
}

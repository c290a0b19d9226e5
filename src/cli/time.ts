/**
 * The times of `--from` and `--to`: absolute ISO times, dates, and times relative to a clock that is passed in.
 * Gives instants or diagnostics. Without an offset, times are UTC.
 */
import { type Diagnostic, diagnose, type Outcome } from '../core/diagnostic.ts'
import { millisecondsOf } from '../core/length.ts'
import {
  EARLIEST_MS,
  type Instant,
  LATEST_MS,
  parseEpoch,
  parseIso,
  printInstant,
} from '../core/time.ts'

/** `now`, `-24h`, `+5m`, `now-7d`. */
const RELATIVE = /^(?:now|(?:now)?([+-])(\d{1,9})([smhdw]))$/
const DATE = /^\d{4}-?\d\d-?\d\d$/

export interface TimeRange {
  /** First instant of the range. */
  readonly from?: Instant
  /** First instant after the range. */
  readonly to?: Instant
}

function read(text: string, edge: 'from' | 'to', now: Instant): Instant | undefined {
  const relative = RELATIVE.exec(text.toLowerCase())
  if (relative) {
    const [, sign = '+', amount = '0', unit = 's'] = relative
    const ms = millisecondsOf(`${amount}${unit}`) ?? 0
    return { ms: now.ms + (sign === '-' ? -ms : ms), sub: now.sub }
  }
  if (/^\d{9,19}(?:\.\d{1,9})?$/.test(text)) return parseEpoch(text)
  const instant = parseIso(text)
  const isWholeDay = edge === 'to' && instant !== undefined && DATE.test(text)
  return isWholeDay ? { ms: instant.ms + 86_400_000, sub: 0 } : instant
}

/**
 * Reads one time. A date alone is its first instant for `from` and the end of the day for `to`, so
 * that `--from 2024-01-31 --to 2024-01-31` is one whole day.
 */
export function parseTime(text: string, edge: 'from' | 'to', now: Instant): Outcome<Instant> {
  const trimmed = text.trim()
  const value = trimmed.length > 48 ? undefined : read(trimmed, edge, now)
  if (value === undefined) {
    return { diagnostics: [diagnose('HR800', { text: trimmed.slice(0, 60) })] }
  }
  if (!(value.ms >= EARLIEST_MS && value.ms <= LATEST_MS)) {
    return { diagnostics: [diagnose('HR801', { text: trimmed })] }
  }
  return { value, diagnostics: [] }
}

/** Reads both ends; a range that can hold no event is an error. */
export function parseRange(
  from: string | undefined,
  to: string | undefined,
  now: Instant,
): Outcome<TimeRange> {
  const start = from === undefined ? undefined : parseTime(from, 'from', now)
  const end = to === undefined ? undefined : parseTime(to, 'to', now)
  const diagnostics: Diagnostic[] = [...(start?.diagnostics ?? []), ...(end?.diagnostics ?? [])]
  if (diagnostics.length > 0) return { diagnostics }
  const first = start?.value
  const last = end?.value
  if (first && last && (first.ms > last.ms || (first.ms === last.ms && first.sub >= last.sub))) {
    return {
      diagnostics: [diagnose('HR802', { from: printInstant(first), to: printInstant(last) })],
    }
  }
  return {
    value: {
      ...(first === undefined ? {} : { from: first }),
      ...(last === undefined ? {} : { to: last }),
    },
    diagnostics: [],
  }
}

/** The time range of a command: `--from` and `--to` as options, and as bounds of a scan. */
import { type Instant, printInstant } from '../core/time.ts'
import type { TimeBounds } from '../ir/rel.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import { parseRange, parseTime } from './time.ts'
import { UsageError } from './usage.ts'

export const TIME_OPTIONS: readonly OptionRecord[] = [
  {
    flags: '--from <time>',
    says: 'events from this time on: ISO 8601 (UTC) or relative, e.g. -24h',
  },
  { flags: '--to <time>', says: 'events before this time: ISO 8601 (UTC), relative, or now' },
]

export const AT_OPTION: OptionRecord = {
  flags: '--at <time>',
  says: 'run scheduled rules once, as of this time, and let now() be it (default: their schedule, all over the logs)',
}

/** The time that `--at` names, ISO text. */
export function atOf(options: OptionValues, now: Instant): string | undefined {
  const text = options.text('at')
  if (text === undefined) return undefined
  const { value, diagnostics } = parseTime(text, 'from', now)
  const [first] = diagnostics
  if (value === undefined) throw new UsageError(first?.message ?? 'not a time', first?.hint)
  return printInstant(value)
}

/** The bounds that the options give. */
export function boundsOf(options: OptionValues, now: Instant): TimeBounds {
  const { value, diagnostics } = parseRange(options.text('from'), options.text('to'), now)
  if (value === undefined) {
    const [first] = diagnostics
    throw new UsageError(first?.message ?? 'not a time range', first?.hint)
  }
  const { from, to } = value
  return {
    ...(from === undefined ? {} : { from: printInstant(from) }),
    ...(to === undefined ? {} : { to: printInstant(to) }),
  }
}

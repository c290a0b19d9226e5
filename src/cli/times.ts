/** The time range of a command: `--from` and `--to` as options, and as bounds of a scan. */
import { type Instant, printInstant } from '../core/time.ts'
import type { TimeBounds } from '../ir/rel.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import { parseRange } from './time.ts'
import { UsageError } from './usage.ts'

export const TIME_OPTIONS: readonly OptionRecord[] = [
  {
    flags: '--from <time>',
    says: 'events from this time on: ISO 8601 (UTC) or relative, e.g. -24h',
  },
  { flags: '--to <time>', says: 'events before this time: ISO 8601 (UTC), relative, or now' },
]

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

/** Time modifiers (`-24h@h`, `now`, `10/27/2024:00:00:00`, epoch seconds) as tests of the time of events. */
import type { Span } from '../../core/span.ts'
import { functionsSpelled } from '../../functions/catalogue.ts'
import { isTimeModifier } from '../../functions/timemodifier.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import { META } from '../../schema/source.ts'
import { callOf, NOW } from './evaluating.ts'
import { refuse } from './refusal.ts'
import type { TimeModifier } from './searchterms.ts'

/** Units of the older modifiers that count back in words (`starthoursago=24`). */
const AGO: Readonly<Record<string, string>> = { days: 'd', hours: 'h', minutes: 'm', months: 'mon' }

function spelled(name: string) {
  const record = functionsSpelled('spl').get(name)
  if (record === undefined) throw new RangeError(`no function ${name}`)
  return record
}

/** Seconds since 1970 of a date as Splunk writes it, or as ISO 8601; undefined for other texts. UTC. */
function secondsOf(written: string): number | undefined {
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?::(\d{1,2}):(\d{2}):(\d{2})(\.\d+)?)?$/.exec(written)
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?Z?)?$/.exec(
    written,
  )
  const parts = us ?? iso
  if (parts === null) return undefined
  const [, a, b, c, hour = '0', minute = '0', second = '0', rest = '0'] = parts
  const [year, month, day] = us === null ? [a, b, c] : [c, a, b]
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute))
  return ms / 1000 + Number(second) + Number(rest)
}

/**
 * The instant of a modifier as an expression; undefined for one that bounds nothing (`now`, `0`, nothing): events of
 * the future are not kept out.
 */
export function instantOf(written: string, span?: Span): Expr | undefined {
  const given = written.trim().toLowerCase()
  if (given === '' || given === 'now' || given === 'now()' || given === '0') return undefined
  const tell = (reason: string): never => refuse('HR519', { text: written, reason }, span)
  if (given.startsWith('rt')) return tell('searches in real time are not run')
  const seconds = /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : secondsOf(written.trim())
  if (seconds !== undefined) {
    return call('time.of_seconds', [{ op: 'const', value: seconds, type: 'float' }], 'time')
  }
  const relative = given.replace(/^now(?=[+-@])/, '')
  if (relative.startsWith('now') || !isTimeModifier(relative)) {
    return tell('it is no time such as -24h@h, now, 1700000000 or 10/27/2024:00:00:00')
  }
  const place = span ?? { start: 0, end: 0 }
  const moved = callOf(spelled('relative_time'), [NOW, text(relative)], 'relative_time', place)
  return call('time.of_seconds', [moved], 'time')
}

/** The bounds that modifiers set, as tests of own columns of the events. */
export function timeTests(times: readonly TimeModifier[]): readonly Expr[] {
  return times.flatMap(({ name, value, span }): readonly Expr[] => {
    const ago = /^(start|end)?(days|hours|minutes|months)ago$/.exec(name)
    if (ago !== null) {
      const [, which = 'start', unit = ''] = ago
      return bound(META.time, which === 'start', `-${value}${AGO[unit]}`, span)
    }
    switch (name) {
      case 'earliest':
      case 'starttime':
      case 'starttimeu':
        return bound(META.time, true, value, span)
      case 'latest':
      case 'endtime':
      case 'endtimeu':
        return bound(META.time, false, value, span)
      case '_index_earliest':
        return bound(META.ingest, true, value, span)
      case '_index_latest':
        return bound(META.ingest, false, value, span)
      default:
        return refuse('HR507', { what: `the time modifier "${name}"` }, span)
    }
  })
}

function bound(column: string, isStart: boolean, value: string, span: Span): readonly Expr[] {
  const instant = instantOf(value, span)
  if (instant === undefined) return []
  const fn = isStart ? 'compare.greater_or_equal' : 'compare.less'
  return [call(fn, [field(column, 'time'), instant])]
}

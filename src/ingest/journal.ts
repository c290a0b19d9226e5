/**
 * Records of the systemd journal as `journalctl -o json` and its uploaders write them, told from their field names:
 * syslog lines with the names that the syslog decoder gives; fields of the journal's own are kept as they are.
 */
import type { FieldValue } from './decoder.ts'
import type { Plan } from './shape.ts'
import { facilityName, severityName } from './syslogline.ts'

const NAMES: ReadonlyMap<string, string> = new Map([
  ['MESSAGE', 'message'],
  ['SYSLOG_IDENTIFIER', 'program'],
  ['_HOSTNAME', 'host'],
  ['SYSLOG_PID', 'pid'],
  ['PRIORITY', 'severity'],
  ['SYSLOG_FACILITY', 'facility'],
])

/** A message with bytes that are no text stands as a list of numbers; they become the text that was logged. */
function messageOf(value: FieldValue): FieldValue {
  if (value === null || typeof value === 'string') return value
  const bytes = value.map(Number)
  const isBytes = bytes.every((each) => Number.isInteger(each) && each >= 0 && each <= 255)
  return isBytes && bytes.length > 0 ? Buffer.from(bytes).toString('utf8') : value
}

function fieldValue(name: string, value: FieldValue): FieldValue {
  if (name === 'message') return messageOf(value)
  if (typeof value !== 'string') return value
  if (name === 'severity') return severityName(Number(value)) ?? value
  return name === 'facility' ? (facilityName(Number(value)) ?? value) : value
}

/** The plan of journal records, or undefined when the names are not those of one. */
export function journalPlan(original: readonly string[]): Plan | undefined {
  if (!original.includes('MESSAGE') || !original.includes('__REALTIME_TIMESTAMP')) return undefined
  const table = new Map(NAMES)
  if (!original.includes('SYSLOG_PID')) table.set('_PID', 'pid')
  if (!original.includes('SYSLOG_IDENTIFIER')) table.set('_COMM', 'program')
  const present = new Set(original)
  const names = original.map((name) => {
    const known = table.get(name)
    return known === undefined || present.has(known) ? name : known
  })
  const at = ['_SOURCE_REALTIME_TIMESTAMP', '__REALTIME_TIMESTAMP'].map((name) =>
    original.indexOf(name),
  )
  return {
    kind: 'syslog',
    names,
    times: at.filter((each) => each >= 0),
    hosts: [original.indexOf('_HOSTNAME')].filter((each) => each >= 0),
    arrange: (values) => ({
      names,
      values: values.map((value, slot) => fieldValue(names[slot] ?? '', value)),
    }),
  }
}

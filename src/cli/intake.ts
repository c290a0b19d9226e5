/**
 * The result of intake for a person: each file when there are few or when something is wrong with it, and totals
 * that add up. Takes an intake report, gives safe text for stderr.
 */
import type { FileReport, IntakeReport } from '../ingest/report.ts'
import { bytes, count, counted, duration } from './figures.ts'
import { shownPath } from './paths.ts'
import { type Column, renderTable } from './table.ts'
import { paint, type Writer } from './terminal.ts'
import { safeCut, safeText } from './text.ts'

/** Up to this many files are listed one by one; past it only those with trouble. */
const FEW_FILES = 12
const MOST_FILES = 50
const DAMAGE_LINES = 3
/** With fewer events the start of the workers is most of the time, and a rate would say nothing. */
const RATE_FROM = 100_000

const COLUMNS: readonly Column[] = [
  { title: 'FILE', shrinksTo: 20 },
  { title: 'FORMAT' },
  { title: 'SIZE', align: 'right', dropOrder: 2 },
  { title: 'RECEIVED', align: 'right' },
  { title: 'STORED', align: 'right', dropOrder: 1 },
  { title: 'REPEATED', align: 'right', dropOrder: 3 },
  { title: 'REJECTED', align: 'right' },
  { title: 'DAMAGE', align: 'right' },
]

/** A file as a person reads it. */
function nameOf(file: string): string {
  return file === '-' ? '(standard input)' : shownPath(file)
}

/** True when a person should look at the file. */
export function isTroubled(file: FileReport): boolean {
  return file.error !== undefined || file.rejected > 0 || file.damages > 0
}

function damageLines(writer: Writer, file: FileReport): string[] {
  const name = safeText(nameOf(file.file))
  if (file.error !== undefined) {
    return [`  ${paint(writer, 'bad', 'not read')} ${name}: ${safeCut(file.error, 300)}`]
  }
  const lines = file.damage
    .slice(0, DAMAGE_LINES)
    .map(
      ({ code, reason, place }) =>
        `  ${paint(writer, 'bad', 'damaged')} ${name} at ${safeCut(place, 40)}: ${safeText(code)} ${safeCut(reason, 300)}`,
    )
  const more = file.damages - Math.min(DAMAGE_LINES, file.damage.length)
  if (more > 0) lines.push(`    and ${count(more)} more in this file`)
  return lines
}

/** The equation that must hold: `received 10 = stored 7 + already stored 2 + rejected 1`. */
export function equation(report: IntakeReport): string {
  return (
    `received ${count(report.received)} = stored ${count(report.stored)} + ` +
    `already stored ${count(report.repeated)} + rejected ${count(report.rejected)}`
  )
}

/** Where the events went, for advice that fits. */
export interface Kept {
  /** The command that lists rejected records. */
  readonly list?: string
  /** True when the store is gone after the call. */
  readonly isTemporary?: boolean
}

/** What to do about the result; empty when all is well. Safe text. */
export function intakeHints(report: IntakeReport, kept: Kept = {}): readonly string[] {
  const hints: string[] = []
  const unread = report.files.filter((each) => each.error !== undefined).length
  if (report.files.length === 0) hints.push('no file was found under the given paths')
  if (unread > 0) {
    hints.push(`${counted(unread, 'path')} could not be read; the reasons are above`)
  }
  if (report.rejected > 0) {
    const { list } = kept
    const how =
      list === undefined
        ? 'they are kept with the reason, not dropped'
        : `see them: ${safeText(list)}`
    hints.push(`${counted(report.rejected, 'record')} could not be read as events; ${how}`)
  }
  if (report.repeated > 0 && report.stored === 0) {
    hints.push('everything was stored by an earlier intake: nothing was doubled')
  }
  if (report.interrupted) {
    hints.push(
      kept.isTemporary === true
        ? 'interrupted: the rest was not read'
        : 'interrupted: run the same command again to read the rest',
    )
  }
  return hints
}

/** The intake report as text. */
export function intakeText(writer: Writer, report: IntakeReport, kept: Kept = {}): string {
  const troubled = report.files.filter(isTroubled)
  const isUnread = (file: FileReport): boolean => file.error !== undefined && file.received === 0
  const isFew = report.files.length <= FEW_FILES
  const worth = (isFew ? report.files : troubled).filter((file) => !isUnread(file))
  const listed = worth.slice(0, MOST_FILES)
  let text = ''
  if (listed.length > 0) {
    text += renderTable(
      writer,
      COLUMNS,
      listed.map((file) => [
        nameOf(file.file),
        file.format ?? '?',
        bytes(file.bytes),
        count(file.received),
        count(file.stored),
        count(file.repeated),
        count(file.rejected),
        count(file.damages),
      ]),
    )
    const hidden = worth.length - listed.length
    if (hidden > 0) text += `  and ${counted(hidden, 'more file')} with trouble\n`
  }
  const read = report.files.filter((file) => !isUnread(file)).length
  const lines = troubled.slice(0, MOST_FILES).flatMap((file) => damageLines(writer, file))
  const damaged = report.files.reduce((sum, file) => sum + file.damages, 0)
  const rate =
    report.received >= RATE_FROM ? ` (${count(report.received / report.seconds)} events/s)` : ''
  if (read > 0 || report.files.length === 0) {
    lines.push(
      `${paint(writer, 'bold', counted(report.received, 'event'))} from ${counted(read, 'file')}, ` +
        `${bytes(report.bytes)} in ${duration(report.seconds)}${rate}` +
        (report.skipped > 0 ? `; ${counted(report.skipped, 'file')} skipped` : '') +
        (damaged > 0 ? `; ${counted(damaged, 'damaged part')}` : ''),
      `  ${equation(report)}`,
    )
  }
  lines.push(...intakeHints(report, kept).map((hint) => `  hint: ${hint}`))
  return `${text}${lines.join('\n')}\n`
}

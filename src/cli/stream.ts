/**
 * Findings as data: JSON lines, one JSON document, or CSV, written as they come so that memory stays bounded. Takes
 * findings and the report of the run, gives text on stdout that other programs read.
 */
import type { Finding } from '../detect/finding.ts'
import type { RunReport } from '../detect/report.ts'
import { type DiagnosticRecord, diagnosticRecord } from './check.ts'
import { jsonText } from './json.ts'
import { totalsOf } from './summary.ts'
import type { Writer } from './terminal.ts'
import { safeText } from './text.ts'

/** Where findings go: every output form is one of these. */
export interface FindingWriter {
  /** Takes one finding; await what it gives, so that a slow reader slows the run instead of filling memory. */
  write(finding: Finding): void | Promise<void>
  /** Finishes the output. Call it also for an interrupted run: the output is then complete but partial. */
  end(report: RunReport): Promise<void>
}

const FLUSH_CHARS = 64 * 1024

interface Buffered {
  put(text: string): void | Promise<void>
  flush(): Promise<void>
}

/** A writer that collects text into larger pieces; await `put` when it gives a promise. */
export function buffered(writer: Writer): Buffered {
  let pieces: string[] = []
  let size = 0
  const flush = (): Promise<void> => {
    writer.write(pieces.join(''))
    pieces = []
    size = 0
    return writer.ready()
  }
  return {
    flush,
    put(text) {
      pieces.push(text)
      size += text.length
      return size >= FLUSH_CHARS ? flush() : undefined
    },
  }
}

/** `--jsonl`: one finding a line and nothing else. */
export function jsonLines(writer: Writer): FindingWriter {
  const buffer = buffered(writer)
  return {
    write: (finding) => buffer.put(`${jsonText(finding)}\n`),
    end: () => buffer.flush(),
  }
}

/** The outcome of one rule in `--json`. */
export interface OutcomeRecord {
  readonly id: string
  readonly title: string
  readonly language: string
  readonly level: string
  readonly file: string
  readonly state: string
  readonly findings: number
  readonly first?: string
  readonly last?: string
  readonly diagnostics?: readonly DiagnosticRecord[]
}

function outcomeRecord({
  rule,
  state,
  findings,
  first,
  last,
  diagnostics,
}: RunReport['outcomes'][number]): OutcomeRecord {
  return {
    id: rule.id,
    title: rule.title,
    language: rule.language,
    level: rule.level,
    file: rule.file,
    state,
    findings,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
    ...(diagnostics.length === 0 ? {} : { diagnostics: diagnostics.map(diagnosticRecord) }),
  }
}

/** `--json`: `{"findings": [...], "rules": [...], "totals": {...}}`, one member of a list a line. */
export function jsonDocument(writer: Writer): FindingWriter {
  const buffer = buffered(writer)
  let isFirst = true
  void buffer.put('{"findings":[')
  return {
    write(finding) {
      const comma = isFirst ? '' : ','
      isFirst = false
      return buffer.put(`${comma}\n${jsonText(finding)}`)
    },
    async end(report) {
      await buffer.put('\n],"rules":[')
      for (const [index, outcome] of report.outcomes.entries()) {
        await buffer.put(`${index === 0 ? '' : ','}\n${jsonText(outcomeRecord(outcome))}`)
      }
      await buffer.put(`\n],"totals":${jsonText(totalsOf(report))}}\n`)
      return buffer.flush()
    },
  }
}

const CSV_COLUMNS = [
  'time',
  'rule_id',
  'rule_title',
  'language',
  'level',
  'host',
  'tags',
  'source',
  'file',
  'record',
  'id',
  'event',
  'title',
  'description',
  'rows',
  'entities',
  'details',
  'risk_message',
  'risk',
  'threat_objects',
] as const

/** First characters that make a spreadsheet read a cell as a formula, their full-width forms included. */
const FORMULA = /^[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]/

/**
 * One CSV cell. Unless `isRaw`, a cell that a spreadsheet would compute gets a leading `'`, and control characters
 * are shown as escapes so that one finding is one line (the `event` column holds the values unchanged, as JSON).
 */
export function csvCell(value: string, isRaw: boolean): string {
  const text = isRaw ? value : (FORMULA.test(value) ? "'" : '') + safeText(value)
  return /[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function csvRow(finding: Finding, isRaw: boolean): string {
  const cells: Readonly<Record<(typeof CSV_COLUMNS)[number], string>> = {
    time: finding.time,
    rule_id: finding.rule_id,
    rule_title: finding.rule_title,
    language: finding.language,
    level: finding.level,
    host: finding.host,
    tags: finding.tags.join(' '),
    source: finding.source,
    file: finding.file,
    record: String(finding.record),
    id: finding.id,
    event: jsonText(finding.event),
    title: finding.title ?? '',
    description: finding.description ?? '',
    rows: finding.rows === undefined ? '' : String(finding.rows),
    entities: finding.entities === undefined ? '' : jsonText(finding.entities),
    details: finding.details === undefined ? '' : jsonText(finding.details),
    risk_message: finding.risk_message ?? '',
    risk: finding.risk === undefined ? '' : jsonText(finding.risk),
    threat_objects: finding.threat_objects === undefined ? '' : jsonText(finding.threat_objects),
  }
  return `${CSV_COLUMNS.map((column) => csvCell(cells[column], isRaw)).join(',')}\n`
}

/** `--csv` and `--raw-csv`: fixed columns, then the event as JSON. A terminal never gets raw cells. */
export function csvTable(writer: Writer, isRaw: boolean): FindingWriter {
  const buffer = buffered(writer)
  void buffer.put(`${CSV_COLUMNS.join(',')}\n`)
  return {
    write: (finding) => buffer.put(csvRow(finding, isRaw && !writer.isTerminal)),
    end: () => buffer.flush(),
  }
}

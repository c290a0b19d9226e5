/**
 * Findings for a person at a terminal: grouped by rule (the default) or one line an event. Takes findings as they
 * come and the report of the run, gives tables on stdout.
 */
import type { Finding } from '../detect/finding.ts'
import { evidenceLine, orderFields } from './evidence.ts'
import { count, counted, shortTime } from './figures.ts'
import type { FindingWriter } from './stream.ts'
import { type Cell, type Column, renderTable } from './table.ts'
import { type Kept, type RuleTally, Tally } from './tally.ts'
import { levelText, paint, type Writer } from './terminal.ts'
import { cut, safeCut } from './text.ts'

/** Names of the fields that a rule reads, by rule id, to show those first. */
export type ReadFields = (rule: string) => readonly string[]

const SAMPLES_PER_RULE = 2
const RULES_WITH_SAMPLES = 5
/** Memory for samples, in characters. */
const SAMPLE_CHARS = 4_000_000

const GROUP_COLUMNS: readonly Column[] = [
  { title: 'LEVEL' },
  { title: 'RULE', shrinksTo: 24 },
  { title: 'HITS', align: 'right' },
  { title: 'HOSTS', align: 'right', dropOrder: 2 },
  { title: 'FIRST (UTC)', dropOrder: 1 },
  { title: 'LAST (UTC)', dropOrder: 3 },
]

/** Number of hosts of a rule, with a plus when they were not all told apart. */
export function hostsText(rule: RuleTally): string {
  return rule.hasMoreHosts ? `${count(rule.hosts.size)}+` : count(rule.hosts.size)
}

function groupRow(writer: Writer, rule: RuleTally): readonly Cell[] {
  const isFile = !writer.isTerminal
  return [
    { text: isFile ? rule.level : levelText(rule.level), style: rule.level },
    rule.title,
    isFile ? String(rule.hits) : count(rule.hits),
    hostsText(rule),
    safeCut(shortTime(rule.first), 32),
    safeCut(shortTime(rule.last), 32),
  ]
}

/** What a finding says beside its event: the alert's own title, how many rows it stands for, and its entities. */
function saidLines(writer: Writer, { said }: Kept, width: number): readonly string[] {
  if (said === undefined) return []
  const { title, description, entities, rows } = said
  const facts = [
    ...(title === '' ? [] : [title]),
    ...(description === '' ? [] : [description]),
    ...(rows === undefined || rows === 1 ? [] : [counted(rows, 'row')]),
    ...(entities.length === 0 ? [] : [`entities: ${entities.slice(0, 8).join(', ')}`]),
  ]
  return facts.map((each) => paint(writer, 'dim', `    ${safeCut(each, Math.max(20, width - 5))}`))
}

function sampleLines(writer: Writer, rule: RuleTally): string {
  const width = Math.min(writer.columns(), 400)
  const head = paint(writer, rule.level, levelText(rule.level))
  const lines = [`\n${head} ${paint(writer, 'bold', safeCut(rule.title, width - 18))}`]
  for (const kept of rule.kept.toSorted((a, b) => (a.time < b.time ? -1 : 1))) {
    const host = safeCut(kept.host === '' ? '(no host)' : kept.host, Math.max(10, width - 26))
    const time = safeCut(shortTime(kept.time), 32)
    lines.push(paint(writer, 'dim', cut(`  ${time}  ${host}`, width)))
    lines.push(`    ${evidenceLine(kept.fields, width - 5)}`)
    lines.push(...saidLines(writer, kept, width))
  }
  if (rule.hits > rule.kept.length) {
    lines.push(paint(writer, 'dim', `  and ${count(rule.hits - rule.kept.length)} more`))
  }
  return `${lines.join('\n')}\n`
}

/** The default view: a table of the rules that fired, then sample events of the most severe. */
export function groupedTable(writer: Writer, read: ReadFields = () => []): FindingWriter {
  const tally = new Tally({
    perRule: SAMPLES_PER_RULE,
    findings: Number.MAX_SAFE_INTEGER,
    chars: SAMPLE_CHARS,
    read,
  })
  return {
    write: (finding) => tally.add(finding),
    end() {
      const rules = tally.ordered()
      if (rules.length > 0) {
        writer.write(
          renderTable(
            writer,
            GROUP_COLUMNS,
            rules.map((rule) => groupRow(writer, rule)),
          ),
        )
        const sampled = rules.filter((rule) => rule.kept.length > 0).slice(0, RULES_WITH_SAMPLES)
        for (const rule of sampled) writer.write(sampleLines(writer, rule))
        const rest = rules.length - sampled.length
        if (writer.isTerminal && rest > 0) {
          writer.write(
            `\n${paint(writer, 'dim', `${counted(rest, 'more rule')} fired; see --events or --html FILE for all evidence`)}\n`,
          )
        }
      }
      return writer.ready()
    },
  }
}

const EVENT_COLUMNS: readonly Column[] = [
  { title: 'TIME (UTC)' },
  { title: 'LEVEL' },
  { title: 'HOST', shrinksTo: 10, dropOrder: 1 },
  { title: 'RULE', shrinksTo: 20 },
  { title: 'EVIDENCE', shrinksTo: 24 },
]

/** Rows that are measured and printed together; widths may differ between such blocks. */
const BLOCK_ROWS = 500

/** One line an event, printed in blocks as the findings come. */
export function eventTable(writer: Writer, read: ReadFields = () => []): FindingWriter {
  let rows: (readonly Cell[])[] = []
  let isFirst = true
  const print = (): void => {
    if (rows.length === 0) return
    const text = renderTable(writer, EVENT_COLUMNS, rows)
    writer.write(isFirst ? text : text.slice(text.indexOf('\n') + 1))
    isFirst = false
    rows = []
  }
  const row = (finding: Finding): readonly Cell[] => [
    shortTime(finding.time),
    {
      text: writer.isTerminal ? levelText(finding.level) : finding.level,
      style: finding.level,
    },
    finding.host === '' ? '-' : safeCut(finding.host, 200),
    safeCut(finding.rule_title, 200),
    evidenceLine(orderFields(finding.event, read(finding.rule_id)), 400),
  ]
  return {
    write(finding) {
      rows.push(row(finding))
      if (rows.length < BLOCK_ROWS) return undefined
      print()
      return writer.ready()
    },
    end() {
      print()
      return writer.ready()
    },
  }
}

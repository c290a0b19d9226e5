/** One finding in full, for a terminal or as JSON: why it fired, what it is about, and what became of it. */
import type { EventFields } from '../detect/finding.ts'
import { entityKey, entityName, entityWord } from '../detect/keeping/entities.ts'
import { EvidenceStore } from '../detect/keeping/evidence.ts'
import { incidentNumber, type KeptFinding } from '../detect/keeping/kept.ts'
import { byRun, type Member, readMembers } from '../detect/keeping/members.ts'
import { type SuppressedGroup, suppressedFindings } from '../detect/keeping/suppressed.ts'
import {
  type FindingState,
  type HistoryEntry,
  readHistory,
  readStates,
  type TriageStore,
  UNTOUCHED,
} from '../detect/triage/states.ts'
import { DISPOSITION_WORDS, STATUS_WORDS } from '../detect/triage/words.ts'
import type { OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { orderFields } from './evidence.ts'
import { count, counted, shortTime } from './figures.ts'
import { jsonText } from './json.ts'
import { levelText, paint, type Writer } from './terminal.ts'
import { pad, safeCut, safeLines, safeText } from './text.ts'

/** Longest value that is shown, in characters; `--json` has all. */
const LONGEST = 2_000
/** Result rows of a finding that are shown. */
const MOST_ROWS = 5
/** Other findings of an incident that are named. */
const MOST_NAMED = 8
const LABEL = 12

type Fact = readonly [label: string, value: string]

function factLines(writer: Writer, facts: readonly Fact[]): string {
  return facts
    .filter(([, value]) => value !== '')
    .map(([label, value]) => {
      const name = paint(writer, 'dim', pad(safeCut(label, 40), LABEL))
      return `  ${name}  ${safeCut(value, LONGEST)}\n`
    })
    .join('')
}

const title = (writer: Writer, text: string): string => `\n${paint(writer, 'bold', text)}\n`

function stateFacts({
  status,
  disposition,
  owner,
  change,
  changed_by: by,
  changed_at: at,
}: FindingState): readonly Fact[] {
  const said = ({
    splunk,
    sentinel,
  }: {
    readonly splunk: string
    readonly sentinel: string
  }): string => `Splunk: ${splunk}, Sentinel: ${sentinel}`
  return [
    ['status', `${status} (${said(STATUS_WORDS[status])})`],
    [
      'disposition',
      disposition === 'undetermined'
        ? disposition
        : `${disposition} (${said(DISPOSITION_WORDS[disposition])})`,
    ],
    ['owner', owner || 'nobody'],
    [
      'last change',
      change === '' ? 'none' : `${change.slice(0, 12)} by ${by ?? ''} at ${shortTime(at ?? '')}`,
    ],
  ]
}

const listText = (value: string | readonly string[]): string =>
  typeof value === 'string' ? value : value.join(', ')

function urgencyText(finding: KeptFinding, state: FindingState): string {
  const { severity, urgency, context } = finding
  if (state.urgency !== undefined) return `${state.urgency}, set by hand; ${urgency} was computed`
  const priorities = Object.entries(context).filter(([name]) => name.endsWith('_priority'))
  const why = priorities.map(([name, value]) => `${name} ${listText(value)}`)
  return [`severity ${severity}`, ...why].join(', ')
}

function windowText({ window, run_at: at, is_backfill: isPast }: KeptFinding): string {
  const from = window.from === undefined ? 'the beginning' : shortTime(window.from)
  const to = window.to === undefined ? '' : ` to ${shortTime(window.to)}`
  return `${from}${to}, run as of ${shortTime(at)}${isPast === true ? ' (a run of the past)' : ''}`
}

/** The incident that a finding is in, and with what. */
function incidentText(finding: KeptFinding, members: readonly Member[]): string {
  if (finding.is_alert_only === true) return 'none: its rule makes no incident of what it finds'
  if (finding.incident === undefined) return ''
  const others = members.filter(({ id }) => id !== finding.id).map(({ id }) => id.slice(0, 12))
  const more = others.length > MOST_NAMED ? ` and ${count(others.length - MOST_NAMED)} more` : ''
  const named = `${others.slice(0, MOST_NAMED).join(', ')}${more}`
  const number = incidentNumber(finding.incident)
  return `${number} (${finding.incident.slice(0, 12)})${others.length === 0 ? '' : `, with ${named}`}`
}

function whyFacts(
  finding: KeptFinding,
  state: FindingState,
  members: readonly Member[],
): readonly Fact[] {
  const { rule_title: rule, rule_id: id, language, level, risk_message: message, tags } = finding
  return [
    ['urgency', urgencyText(finding, state)],
    ['rule', `${rule} (${language}, level ${level}, id ${id})`],
    ['says', (finding.description ?? finding.rule_description).replace(/\s+/g, ' ').trim()],
    ['message', message ?? ''],
    ['window', windowText(finding)],
    ['time', `${shortTime(finding.time)}, kept ${shortTime(finding.kept_at)}`],
    [
      'source',
      [finding.source, finding.file === '' ? '' : `${finding.file} record ${finding.record}`]
        .filter((each) => each !== '')
        .join(', '),
    ],
    ['tags', tags.join(', ')],
    ['incident', incidentText(finding, members)],
    ['more hits', finding.more === undefined ? '' : count(finding.more)],
    ['event id', finding.event_id],
  ]
}

function aboutText(writer: Writer, finding: KeptFinding): string {
  const { entities = [], risks, threat_objects: threats = [], details = {}, context } = finding
  const facts = entities.map((each): Fact => [entityWord(each), entityName(each)])
  const risk = risks.map((each): Fact => {
    const why = [...each.added, ...each.multiplied]
    const changed =
      each.calculated === each.score ? '' : `, ${each.score} before factors or the most of a day`
    return [
      String(each.calculated),
      `${each.value} (${each.type})${changed}${why.length === 0 ? '' : `: ${why.join(', ')}`}`,
    ]
  })
  const evidence = threats.map((each): Fact => [each.type, each.value])
  const lists = Object.entries(context).map(([name, value]): Fact => [name, listText(value)])
  const more = Object.entries(details).map(([name, values]): Fact => [name, values.join(', ')])
  const parts: readonly (readonly [string, readonly Fact[]])[] = [
    ['Entities (risk objects)', facts],
    [`Risk ${finding.risk_score}`, risk],
    ['Threat objects', evidence],
    ['Assets and identities', lists],
    ['Details', more],
  ]
  return parts
    .filter(([, all]) => all.length > 0)
    .map(([name, all]) => title(writer, name) + factLines(writer, all))
    .join('')
}

function eventText(writer: Writer, event: EventFields): string {
  const fields = orderFields(event, [])
  const width = Math.min(32, Math.max(LABEL, ...fields.map(({ name }) => name.length)))
  return fields
    .map(({ name, values }) => {
      const label = paint(writer, 'dim', pad(safeCut(name, width), width))
      return `  ${label}  ${safeCut(values.join('; '), LONGEST)}\n`
    })
    .join('')
}

function rowsText(writer: Writer, { event, results, rows }: KeptFinding): string {
  const all = results ?? []
  if (all.length <= 1) return title(writer, 'Event') + eventText(writer, event)
  const shown = all.slice(0, MOST_ROWS)
  const head = `Rows (${counted(shown.length, 'row')} of ${count(rows ?? all.length)})`
  return title(writer, head) + shown.map((each) => eventText(writer, each)).join('\n')
}

function historyText(writer: Writer, history: readonly HistoryEntry[]): string {
  if (history.length === 0) return ''
  const lines = history.map(({ time, author, note, ...entry }) => {
    const changed = (['status', 'disposition', 'owner', 'urgency'] as const)
      .filter((key) => entry[key] !== '')
      .map((key) => `${key} ${entry[key]}`)
    const said = [changed.join(', '), note].filter((each) => each !== '').join(': ')
    return `  ${shortTime(time)}  ${safeCut(author, 40)}  ${safeCut(said, LONGEST)}\n`
  })
  return title(writer, 'History') + lines.join('')
}

function heldText(writer: Writer, held: readonly SuppressedGroup[]): string {
  if (held.length === 0) return ''
  const facts = held.map(
    (each): Fact => [
      count(each.count),
      `equal findings held back, ${shortTime(each.first)} to ${shortTime(each.last)}`,
    ],
  )
  return title(writer, 'Suppressed') + factLines(writer, facts)
}

/** What was run: statements or plans, as text. */
async function printRun(
  { output }: Context,
  store: TriageStore,
  finding: KeptFinding,
  what: string,
): Promise<void> {
  const texts = await new EvidenceStore(store.records).read(finding.plans)
  for (const { plan, sql } of texts) output.out.write(`${safeLines(what === 'ir' ? plan : sql)}\n`)
  if (texts.length === 0) output.err.write('what was run for this finding is not kept\n')
}

/** Prints one finding. */
export async function printFinding(
  context: Context,
  store: TriageStore,
  finding: KeptFinding,
  options: OptionValues,
): Promise<void> {
  const what = options.text('show')
  if (what !== undefined) return printRun(context, store, finding, what)
  const state = (await readStates(store.records, [finding.id])).get(finding.id) ?? UNTOUCHED
  const history = await readHistory(store.records, finding.id)
  const held = await suppressedFindings(store.records, {
    rule: finding.rule_key,
    instead: finding.id,
  })
  const members =
    finding.incident === undefined
      ? []
      : (await readMembers(store, 'incident_id', [finding.incident])).toSorted(byRun)
  const { out, err, quiet } = context.output
  if (options.flag('json')) {
    const keys = (finding.entities ?? []).map(entityKey)
    const vocabulary = {
      splunk: {
        status: STATUS_WORDS[state.status].splunk,
        disposition: DISPOSITION_WORDS[state.disposition].splunk,
      },
      sentinel: {
        status: STATUS_WORDS[state.status].sentinel,
        classification: DISPOSITION_WORDS[state.disposition].sentinel,
      },
    }
    const { incident: id } = finding
    const incident =
      id === undefined
        ? undefined
        : { id, number: incidentNumber(id), findings: members.map((each) => each.id) }
    const facts = { finding, entity_keys: keys, state, vocabulary, history, suppressed: held }
    out.write(`${jsonText(incident === undefined ? facts : { ...facts, incident })}\n`)
    return
  }
  const urgency = state.urgency ?? finding.urgency
  const name = safeText((finding.title ?? finding.rule_title).slice(0, LONGEST))
  out.write(`${paint(out, urgency, levelText(urgency))} ${paint(out, 'bold', name)}\n`)
  out.write(factLines(out, stateFacts(state)))
  out.write(title(out, 'Why') + factLines(out, whyFacts(finding, state, members)))
  out.write(aboutText(out, finding))
  out.write(rowsText(out, finding))
  out.write(heldText(out, held))
  out.write(historyText(out, history))
  if (!quiet && out.isTerminal && finding.plans.length > 0) {
    const command = `${context.program} findings show ${finding.id.slice(0, 12)}`
    err.write(`\nnext: ${command} --show sql   what was run\n`)
  }
}

/**
 * A message: what one delivery carries, made from rows of the outbox alone, so that making it again after a crash gives
 * the same message under the same id.
 */

import { limits } from '../../core/limits.ts'
import { rankOf } from '../../rules/rule.ts'
import { fixedId } from '../finding.ts'
import { type KeptFinding, keptFindingOf } from '../keeping/kept.ts'
import type { OutboxRow } from './outbox.ts'
import { fillTemplate, type TemplatePart } from './template.ts'
import { cut, plainLine, valueText } from './words.ts'

/** finding: one; digest: several, each told; summary: those past the limit of a minute, counted; notice: of the product itself. */
export const FORMS = ['finding', 'digest', 'summary', 'notice', 'test'] as const
export type Form = (typeof FORMS)[number]

export interface Message {
  /** The same message has the same id, however often it is sent. */
  readonly id: string
  readonly channel: string
  readonly form: Form
  readonly title: string
  /** Lines with values made safe for the channel. */
  readonly text: string
  /** Greatest urgency of its findings. */
  readonly urgency: KeptFinding['urgency']
  /** Milliseconds since 1970 of the first of its findings. */
  readonly time: number
  /** The findings that are told in full. */
  readonly findings: readonly KeptFinding[]
  /** How many it stands for. */
  readonly count: number
}

export interface Wording {
  readonly title: readonly TemplatePart[] | undefined
  readonly text: readonly TemplatePart[] | undefined
  /** Makes a value safe for where it goes. */
  readonly safe: (value: string) => string
}

export function messageId(channel: string, findings: readonly string[]): string {
  return fixedId(channel, ...[...findings].sort())
}

/** Fields of an event that say most; others follow while there is room. */
const FIRST_FIELDS = [
  'CommandLine',
  'Image',
  'ParentImage',
  'ParentCommandLine',
  'TargetFilename',
  'TargetObject',
  'User',
  'TargetUserName',
  'SubjectUserName',
  'SourceIp',
  'IpAddress',
  'DestinationIp',
  'src',
  'dest',
  'user',
]

function fieldsOf({ event }: KeptFinding): readonly (readonly [string, string])[] {
  const names = [...new Set([...FIRST_FIELDS, ...Object.keys(event)])]
  return names
    .flatMap((name) => {
      const text = Object.hasOwn(event, name) ? valueText(event[name]) : ''
      return text === '' ? [] : [[plainLine(cut(name, 128)), text] as const]
    })
    .slice(0, limits.messageFields)
}

/** The usual text of one finding: name and value, a line each. */
function usualLines(finding: KeptFinding, safe: (value: string) => string): string {
  const entities = (finding.entities ?? [])
    .slice(0, limits.messageListItems)
    .map(({ type, ...ids }) => `${type} ${Object.values(ids).join(' ')}`)
  const rows: readonly (readonly [string, unknown])[] = [
    ['Rule', finding.rule_title],
    ['Urgency', finding.urgency],
    ['Time', finding.time],
    ['Host', finding.host],
    ['Says', finding.risk_message ?? finding.description],
    ['Entities', entities],
    ['Risk', finding.risk_score > 0 ? finding.risk_score : undefined],
    ...fieldsOf(finding),
    ['Finding', finding.id],
  ]
  return rows
    .map(([name, value]) => [name, valueText(value)] as const)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${safe(name)}: ${safe(value)}`)
    .join('\n')
}

function titleOf(finding: KeptFinding, { title, safe }: Wording): string {
  if (title !== undefined) return fillTemplate(title, finding, safe)
  const host = finding.host === '' ? '' : ` on ${finding.host}`
  return safe(valueText(`[${finding.urgency}] ${finding.title ?? finding.rule_title}${host}`))
}

function textOf(finding: KeptFinding, wording: Wording): string {
  return wording.text === undefined
    ? usualLines(finding, wording.safe)
    : fillTemplate(wording.text, finding, wording.safe)
}

/** Titles with how often they occur, the most frequent first. */
function tallied(rows: readonly OutboxRow[], safe: (value: string) => string): readonly string[] {
  const counts = new Map<string, number>()
  for (const { title } of rows) counts.set(title, (counts.get(title) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  const lines = sorted
    .slice(0, limits.messageListItems)
    .map(([title, many]) => `${many} x ${safe(valueText(title))}`)
  const more = sorted.length - lines.length
  return more > 0 ? [...lines, `and of ${more} more kinds`] : lines
}

/** A notice of the product itself as the body of a row. */
export interface NoticeBody {
  readonly notice: string
}

function noticeOf(body: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    const text = parsed !== null && typeof parsed === 'object' ? Reflect.get(parsed, 'notice') : ''
    return typeof text === 'string' && text !== '' ? text : undefined
  } catch {
    return undefined
  }
}

/** The message of rows that share one; all of its words come from the rows and the settings. */
export function makeMessage(
  id: string,
  form: Form,
  rows: readonly OutboxRow[],
  wording: Wording,
): Message {
  const [first] = rows
  const { safe } = wording
  const all = rows.flatMap(({ body }) => keptFindingOf(body) ?? [])
  const findings = form === 'summary' ? [] : all.slice(0, limits.messageFindings)
  const [top] = all
  const urgency = all.reduce<KeptFinding['urgency']>(
    (most, each) => higher(most, each.urgency),
    'informational',
  )
  const time = Math.min(...rows.map(({ filled }) => filled))
  const base = {
    id,
    channel: first?.channel ?? '',
    form,
    urgency,
    time,
    findings,
    count: rows.length,
  }
  const done = (title: string, text: string): Message => ({
    ...base,
    title: cut(title.replace(/[\r\n]+/g, ' '), limits.messageTitleChars),
    text: cut(text, limits.messageChars),
  })
  if (form === 'notice' || form === 'test' || top === undefined) {
    const notice = noticeOf(first?.body ?? '') ?? 'a finding that cannot be shown'
    return done(safe(valueText(first?.title ?? '')), safe(plainLine(notice)))
  }
  if (form === 'finding') return done(titleOf(top, wording), textOf(top, wording))
  const counts = `${rows.length} findings, urgency up to ${urgency}`
  if (form === 'summary') {
    return done(
      `[${urgency}] ${rows.length} more findings`,
      [`${counts}; more than this channel takes singly.`, ...tallied(rows, safe)].join('\n'),
    )
  }
  const told = findings.map((each) => `${titleOf(each, wording)}\n${textOf(each, wording)}`)
  const more = rows.length - findings.length
  return done(
    `[${urgency}] ${rows.length} findings`,
    [
      [counts, ...tallied(rows, safe)].join('\n'),
      ...told,
      ...(more > 0 ? [`and ${more} more`] : []),
    ].join('\n\n'),
  )
}

function higher(
  one: KeptFinding['urgency'],
  other: KeptFinding['urgency'],
): KeptFinding['urgency'] {
  return rankOf(other) > rankOf(one) ? other : one
}

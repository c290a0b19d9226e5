/**
 * The outbox: what channels are to be told of, on disk from before a window counts as run until its message is sent.
 * A finding is put in once for each channel, whatever happens in between.
 */
import { limits } from '../../core/limits.ts'
import { step } from '../../core/steps.ts'
import type { RecordOf, RecordSpec, Records, RecordTable } from '../../engine/records.ts'
import { rankOf } from '../../rules/rule.ts'
import type { KeptFinding } from '../keeping/kept.ts'
import type { ChannelFilter, ChannelSettings, NotifySettings } from './settings.ts'

const COLUMNS = {
  /** Id of the finding, or of a notice of the product itself. */
  finding: 'text',
  channel: 'text',
  /** waiting; claimed: a message with it is being sent; sent; failed: given up. */
  state: 'text',
  /** Urgency, 0 to 4: greater ones go first. */
  rank: 'number',
  /** Findings of one run of one rule have the same. */
  run: 'text',
  title: 'text',
  /** Milliseconds since 1970. */
  filled: 'number',
  next: 'number',
  sent: 'number',
  tries: 'number',
  error: 'text',
  /** Id of the message that it is part of, how that is made, and where a file ended before it. */
  message: 'text',
  form: 'text',
  mark: 'number',
  /** The finding as JSON, until it is sent. */
  body: 'text',
} as const

const SPEC: RecordSpec<typeof COLUMNS> = {
  name: 'outbox',
  columns: COLUMNS,
  key: ['finding', 'channel'],
}

export type OutboxRow = RecordOf<typeof COLUMNS>
export type OutboxTable = RecordTable<typeof COLUMNS>

/** Filled by the keeper; emptied by the courier. */
export interface Outbox {
  /**
   * Puts in what channels are to be told of these findings; resolves with the number of messages that are new, when they
   * are on disk. To be called with every finding that a run tells and nothing holds back, new or known: what is in
   * already stays as it is. Findings of runs of the past are left out.
   */
  fill(findings: readonly KeptFinding[]): Promise<number>
}

/** Ids asked for in one query. */
const CHUNK = 200

export function outboxTable(records: Records): Promise<OutboxTable> {
  return records.table(SPEC)
}

function accepts(filter: ChannelFilter, finding: KeptFinding): boolean {
  const isOf = (list: readonly string[], values: readonly string[]): boolean =>
    list.length === 0 ||
    list.some((each) => values.some((value) => value.toLowerCase() === each.toLowerCase()))
  return (
    rankOf(finding.urgency) >= rankOf(filter.urgency) &&
    rankOf(finding.level) >= rankOf(filter.level) &&
    isOf(filter.rules, [finding.rule_id, finding.rule_title]) &&
    isOf(filter.tags, finding.tags) &&
    isOf(filter.languages, [finding.language])
  )
}

/** The finding as a message carries it; what is past the limit is left out, long lists of rows first. */
function bodyOf(finding: KeptFinding): string {
  const whole = JSON.stringify(finding)
  if (whole.length <= limits.messageChars) return whole
  const { results: _, details: __, ...rest } = finding
  const less = JSON.stringify(rest)
  if (less.length <= limits.messageChars) return less
  return JSON.stringify({ ...rest, event: {}, context: {}, entities: [], risks: [], is_cut: true })
}

/** What every row is before anybody has tried to send it. */
export const UNSENT = {
  state: 'waiting',
  sent: 0,
  tries: 0,
  error: '',
  message: '',
  form: '',
  mark: 0,
} as const

function rowOf(finding: KeptFinding, channel: ChannelSettings, body: string, now: number) {
  return {
    ...UNSENT,
    finding: finding.id,
    channel: channel.name,
    rank: rankOf(finding.urgency),
    run: `${finding.rule_key} ${finding.run_at}`,
    title: (finding.title ?? finding.rule_title).slice(0, limits.messageTitleChars),
    filled: now,
    next: now + channel.wait,
    body,
  } satisfies OutboxRow
}

/** The outbox of a store for the channels of the settings. `now` gives milliseconds since 1970; `filled` is called after. */
export async function openOutbox(
  records: Records,
  settings: NotifySettings,
  now: () => number,
  filled?: () => void,
): Promise<Outbox> {
  const table = await outboxTable(records)
  return {
    async fill(findings) {
      let added = 0
      for (let from = 0; from < findings.length; from += CHUNK) {
        const some = findings.slice(from, from + CHUNK).filter((each) => each.is_backfill !== true)
        const wanted = some.flatMap((finding) => {
          const channels = settings.channels.filter(({ when }) => accepts(when, finding))
          return channels.length === 0 ? [] : [{ finding, channels, body: bodyOf(finding) }]
        })
        if (wanted.length === 0) continue
        const ids = wanted.map(({ finding }) => finding.id)
        const there = await table.read({ where: [{ column: 'finding', is: 'in', value: ids }] })
        const known = new Set(there.map((row) => JSON.stringify([row.finding, row.channel])))
        const rows = wanted.flatMap(({ finding, channels, body }) =>
          channels
            .filter(({ name }) => !known.has(JSON.stringify([finding.id, name])))
            .map((channel) => rowOf(finding, channel, body, now())),
        )
        await table.append(rows)
        added += rows.length
      }
      step('outbox.filled')
      if (added > 0) filled?.()
      return added
    },
  }
}

export interface MessageState {
  readonly channel: string
  /** A message that is being sent counts as waiting. */
  readonly state: 'waiting' | 'sent' | 'failed'
  readonly finding: string
  readonly message: string
  readonly title: string
  readonly filled: number
  readonly sent: number
  readonly next: number
  readonly tries: number
  readonly error: string
}

/** States in the table by what a person is told. */
const STATES = { waiting: ['waiting', 'claimed'], sent: ['sent'], failed: ['failed'] } as const

const stateOf = (state: string): MessageState['state'] =>
  state === 'sent' || state === 'failed' ? state : 'waiting'

/** The latest messages of the outbox. */
export async function listMessages(
  table: OutboxTable,
  wanted: {
    readonly state?: MessageState['state']
    readonly channel?: string
    readonly limit: number
  },
): Promise<readonly MessageState[]> {
  const { state, channel, limit } = wanted
  const rows = await table.read({
    where: [
      ...(state === undefined
        ? []
        : [{ column: 'state', is: 'in' as const, value: [...STATES[state]] }]),
      ...(channel === undefined ? [] : [{ column: 'channel', is: '=' as const, value: channel }]),
    ],
    order: ['-filled', 'channel', 'finding'],
    limit,
  })
  return rows.map((row) => ({ ...row, state: stateOf(row.state) }))
}

export interface MessageCounts {
  readonly channel: string
  readonly waiting: number
  readonly sent: number
  readonly failed: number
}

/** How many messages of each state there are, by channel. */
export async function countMessages(
  table: OutboxTable,
  channels: readonly string[],
): Promise<readonly MessageCounts[]> {
  const counts: MessageCounts[] = []
  for (const channel of channels) {
    const many = (state: MessageState['state']): Promise<number> =>
      table.count([
        { column: 'channel', is: '=', value: channel },
        { column: 'state', is: 'in', value: [...STATES[state]] },
      ])
    counts.push({
      channel,
      waiting: await many('waiting'),
      sent: await many('sent'),
      failed: await many('failed'),
    })
  }
  return counts
}

/** Makes messages that were given up due again, under their old ids; of one channel, or of all. */
export async function retryMessages(
  table: OutboxTable,
  now: number,
  channel?: string,
): Promise<number> {
  let many = 0
  for (;;) {
    const rows = await table.read({
      where: [
        { column: 'state', is: '=', value: 'failed' },
        ...(channel === undefined ? [] : [{ column: 'channel', is: '=' as const, value: channel }]),
      ],
      order: ['channel', 'finding'],
      limit: CHUNK,
    })
    if (rows.length === 0) return many
    await table.append(
      rows.map((row) => ({ ...row, state: 'claimed', tries: 0, error: '', next: now })),
    )
    many += rows.length
  }
}

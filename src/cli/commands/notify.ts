/** `harrier notify test|list|retry`: whether channels can be reached, and what became of messages. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { renderDiagnostic } from '../../core/diagnostic.ts'
import { systemReason } from '../../core/systemerror.ts'
import { type ChannelOptions, openChannels } from '../../detect/notify/channels.ts'
import { KINDS } from '../../detect/notify/kinds/table.ts'
import {
  countMessages,
  listMessages,
  type MessageState,
  outboxTable,
  retryMessages,
} from '../../detect/notify/outbox.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openNamedStore } from '../context.ts'
import { count, counted, shortTime } from '../figures.ts'
import { STORE_OPTION } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { checkListing, isForPeople, LIST_OPTIONS, listLimit, printListing } from '../listing.ts'
import { type FoundSettings, SETTINGS_OPTION, settingsFor, storeOf } from '../settings.ts'
import type { Cell, Column } from '../table.ts'
import { paint } from '../terminal.ts'
import { line, safeLines } from '../text.ts'
import { EXIT, UsageError } from '../usage.ts'
import { version } from '../version.ts'

/** What channels need of this machine. */
export function channelSurroundings(
  context: Context,
  { pathOf }: FoundSettings,
): Omit<ChannelOptions, 'now'> {
  return {
    env: context.env,
    pathOf,
    hostname: hostname(),
    version: version(),
    signal: context.signal,
  }
}

/** Refuses the name of a channel that the settings do not have. */
function checkName({ settings, file }: FoundSettings, name: string | undefined): void {
  const names = settings.notify.channels.map((each) => each.name)
  if (name === undefined || names.includes(name)) return
  throw new UsageError(
    `there is no channel "${name}"`,
    names.length === 0
      ? `channels stand under notify.channels in ${file ?? 'harrier.yml'}`
      : `the channels are ${names.join(', ')}`,
  )
}

async function test(
  context: Context,
  [name]: readonly string[],
  options: OptionValues,
): Promise<number> {
  const found = settingsFor(context, options)
  checkName(found, name)
  const all = found.settings.notify
  const settings = {
    ...all,
    channels: all.channels.filter((each) => name === undefined || each.name === name),
  }
  if (settings.channels.length === 0) {
    throw new UsageError(
      'there are no channels to test',
      `write them under notify.channels in ${found.file ?? 'harrier.yml'}`,
    )
  }
  const { out, err } = context.output
  const now = context.now().ms
  const { value: channels, diagnostics } = openChannels(settings, {
    ...channelSurroundings(context, found),
    now: () => now,
  })
  for (const each of diagnostics) err.write(`${safeLines(renderDiagnostic(each))}\n`)
  if (channels === undefined) return EXIT.usage
  const results: { channel: string; kind: string; ok: boolean; says: string }[] = []
  for (const { settings: channel, sender } of channels) {
    if (context.signal.aborted) return EXIT.interrupted
    const id = randomUUID().replaceAll('-', '')
    const result = { channel: channel.name, kind: channel.kind, ok: true, says: 'taken' }
    try {
      await sender.send(
        {
          id,
          channel: channel.name,
          form: 'test',
          title: '[test] Harrier can reach this channel',
          text: `This is a test message. Nothing was found.\nChannel: ${channel.name}\nMessage: ${id}`,
          urgency: 'informational',
          time: now,
          findings: [],
          count: 0,
        },
        { isAgain: false, mark: 0 },
      )
      if (channel.kind === 'syslog') result.says = 'sent; nobody acknowledges syslog'
    } catch (error) {
      if (context.signal.aborted) return EXIT.interrupted
      Object.assign(result, { ok: false, says: systemReason(error) })
    }
    results.push(result)
    if (options.flag('json')) continue
    const mark = paint(out, result.ok ? 'good' : 'bad', result.ok ? 'ok  ' : 'FAIL')
    out.write(`${mark}  ${line`${channel.name} (${channel.kind}): ${result.says}`}\n`)
  }
  if (options.flag('json')) out.write(`${jsonText({ channels: results })}\n`)
  return results.every((each) => each.ok) ? EXIT.done : EXIT.engine
}

const STATES = ['waiting', 'sent', 'failed'] as const
const MOST_SHOWN = 50

const isoOf = (ms: number): string => (ms === 0 ? '' : new Date(ms).toISOString())

const COLUMNS: readonly Column[] = [
  { title: 'CHANNEL', shrinksTo: 8 },
  { title: 'STATE' },
  { title: 'TRIES', align: 'right', dropOrder: 3 },
  { title: 'SENT OR DUE', dropOrder: 1 },
  { title: 'ABOUT', shrinksTo: 20 },
  { title: 'ERROR', shrinksTo: 16, dropOrder: 2 },
]

const plainMessage = (each: MessageState) => ({
  channel: each.channel,
  state: each.state,
  title: each.title,
  finding: each.finding,
  message: each.message,
  filled: isoOf(each.filled),
  sent: isoOf(each.sent),
  next: each.state === 'waiting' ? isoOf(each.next) : '',
  tries: each.tries,
  error: each.error,
})

function messageCells(row: ReturnType<typeof plainMessage> | undefined): readonly Cell[] {
  if (row === undefined) return []
  return [
    row.channel,
    { text: row.state, ...(row.state === 'failed' ? { style: 'bad' as const } : {}) },
    row.tries,
    shortTime(row.sent || row.next || row.filled),
    row.title,
    row.error,
  ]
}

async function list(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  const limit = listLimit(options, MOST_SHOWN)
  const found = settingsFor(context, options)
  const opened = await openNamedStore(context, storeOf(found, options), true)
  const { err, quiet } = context.output
  try {
    const table = await outboxTable(opened.store.records)
    const state = STATES.find((each) => each === options.text('state'))
    const channel = options.text('channel')
    const messages = await listMessages(table, {
      limit,
      ...(state === undefined ? {} : { state }),
      ...(channel === undefined ? {} : { channel }),
    })
    const named = found.settings.notify.channels
    const names = [
      ...new Set([...named.map(({ name }) => name), ...messages.map((each) => each.channel)]),
    ]
    const totals = await countMessages(table, names)
    const channels = totals.map((each) => {
      const kind = named.find(({ name }) => name === each.channel)?.kind
      return {
        ...each,
        ...(kind === undefined ? {} : { kind, promise: KINDS[kind].promise }),
      }
    })
    const rows = messages.map(plainMessage)
    await printListing(context, options, {
      head: { channels },
      name: 'messages',
      rows,
      columns: COLUMNS,
      cells: (at) => messageCells(rows[at]),
    })
    if (!quiet && isForPeople(options)) {
      for (const { channel: name, kind, promise, waiting, sent, failed } of channels) {
        const about = kind === undefined ? 'not in the settings' : `${kind}, ${promise}`
        err.write(
          line`${name}: ${count(waiting)} waiting, ${count(sent)} sent, ${count(failed)} failed (${about})\n`,
        )
      }
      if (channels.length === 0) err.write('nothing has been put into the outbox yet\n')
      else if (rows.length === limit) {
        err.write(`the latest ${counted(limit, 'message')}; --limit shows more\n`)
      }
    }
    return EXIT.done
  } finally {
    await opened.close()
  }
}

async function retry(
  context: Context,
  [name]: readonly string[],
  options: OptionValues,
): Promise<number> {
  const found = settingsFor(context, options)
  checkName(found, name)
  const opened = await openNamedStore(context, storeOf(found, options), true)
  try {
    const table = await outboxTable(opened.store.records)
    const many = await retryMessages(table, context.now().ms, name)
    const { out, err, quiet } = context.output
    if (options.flag('json')) out.write(`${jsonText({ retried: many })}\n`)
    else if (!quiet) {
      const more = many > 0 ? `; \`${context.program} serve\` sends them` : ''
      err.write(`${counted(many, 'message')} that had been given up will be sent again${more}\n`)
    }
    return EXIT.done
  } finally {
    await opened.close()
  }
}

const JSON_OPTION = { flags: '--json', says: 'as one JSON document' }

export const notifyCommands: readonly CommandRecord[] = [
  {
    name: 'notify test',
    says: 'send a test message to a channel (to all when none is named)',
    args: '[channel]',
    options: [SETTINGS_OPTION, JSON_OPTION],
    prints:
      'One line for each channel: whether its receiver has taken the message, and why not. The message is marked as a test ' +
      'and does not go through the outbox. The exit code is 4 when a channel fails, 3 when its settings are wrong.',
    examples: ['harrier notify test', 'harrier notify test soc --settings /etc/harrier.yml'],
    act: test,
  },
  {
    name: 'notify list',
    says: 'messages that wait, were sent, or were given up',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--state <state>', says: 'only messages of this state', values: STATES },
      { flags: '--channel <name>', says: 'only messages of this channel' },
      { flags: '--limit <n>', says: `at most so many messages (default: ${MOST_SHOWN})` },
      ...LIST_OPTIONS,
    ],
    prints:
      'The latest messages of the outbox, one for each finding and channel, and on stderr how many there are of each ' +
      'state, with what each kind of channel promises about repeats.',
    examples: ['harrier notify list', 'harrier notify list --state failed --json'],
    act: list,
  },
  {
    name: 'notify retry',
    says: 'send messages again that were given up',
    args: '[channel]',
    options: [STORE_OPTION, SETTINGS_OPTION, JSON_OPTION],
    prints:
      'How many messages are due again. They keep their ids, so that a receiver that looks at those takes none twice.',
    examples: ['harrier notify retry', 'harrier notify retry mail'],
    act: retry,
  },
]

/** Channels over https: plain JSON with an optional signature, and the shapes that Slack and Teams take. */
import { createHmac } from 'node:crypto'
import { limits } from '../../../core/limits.ts'
import { readPlace } from '../../../net/place.ts'
import { reach } from '../../../net/reach.ts'
import type { Message } from '../message.ts'
import {
  asIs,
  type Kind,
  SendError,
  type Sender,
  type Surroundings,
  type Target,
} from './sender.ts'

/** Answers that speak of one message, not of the receiver. */
const OF_MESSAGE = new Set([400, 413, 414, 415, 422])
const LONGEST_WAIT = 3_600_000

function waitOf(header: string | undefined): number | undefined {
  const seconds = header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined
  return seconds === undefined ? undefined : Math.min(LONGEST_WAIT, seconds * 1_000)
}

/** Sends bodies made from messages to the address of a target. */
function post(target: Target, around: Surroundings, bodyOf: (message: Message) => string): Sender {
  const { allowed } = around
  const url = target.url ?? ''
  readPlace(url, { allowed })
  const options = {
    allowed,
    bytes: limits.messageReplyBytes,
    ...(around.proxy === undefined ? {} : { proxy: around.proxy }),
    ...(around.resolver === undefined ? {} : { resolver: around.resolver }),
    ...(around.ca === undefined ? {} : { ca: around.ca }),
    ...(around.signal === undefined ? {} : { signal: around.signal }),
  }
  const signed = (body: string): Readonly<Record<string, string>> => {
    if (target.secret === undefined) return {}
    const at = Math.floor(around.now() / 1_000)
    const hash = createHmac('sha256', target.secret).update(`${at}.${body}`).digest('hex')
    return { 'X-Harrier-Signature': `t=${at},v1=${hash}` }
  }
  return {
    async send(message) {
      const body = bodyOf(message)
      const { status, headers } = await reach(
        {
          method: 'POST',
          url,
          body,
          headers: {
            'Content-Type': 'application/json; charset=utf-8',
            'Idempotency-Key': message.id,
            ...(target.authorization === undefined ? {} : { Authorization: target.authorization }),
            ...signed(body),
          },
        },
        options,
      )
      if (status >= 200 && status < 300) return
      throw new SendError(
        `the receiver answers ${status}`,
        OF_MESSAGE.has(status),
        waitOf(headers['retry-after']),
      )
    },
  }
}

/** The message as other programs read it; a public contract, keys may be added. */
export function messageJson(message: Message): string {
  const { id, channel, form, title, text, urgency, time, count, findings } = message
  return JSON.stringify({
    id,
    channel,
    form,
    time: new Date(time).toISOString(),
    urgency,
    title,
    text,
    count,
    findings,
  })
}

export const webhook: Kind = {
  kind: 'webhook',
  promise: 'at least once; a repeat has the same Idempotency-Key',
  safe: asIs,
  open: (target, around) => post(target, around, messageJson),
}

/** Texts of at most so many characters each, cut between lines. */
function pieces(text: string, most: number): readonly string[] {
  const found: string[] = []
  let piece = ''
  for (const line of text.split('\n').flatMap((each) => chunks(each, most))) {
    if (piece.length + line.length + 1 > most) {
      found.push(piece)
      piece = line
    } else piece = piece === '' ? line : `${piece}\n${line}`
  }
  return [...found, piece].filter((each) => each !== '')
}

function chunks(line: string, most: number): readonly string[] {
  const found: string[] = []
  for (let at = 0; at < line.length; at += most) found.push(line.slice(at, at + most))
  return found.length === 0 ? [''] : found
}

/** The sizes that Slack and Teams take. */
const SLACK_BLOCK = 2_900
const SLACK_BLOCKS = 12
const TEAMS_CHARS = 16_000

/** Slack reads `<...>` as links and mentions; nothing else in a value can do more than look different. */
function slackText(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

export const slack: Kind = {
  kind: 'slack',
  promise: 'at least once; Slack shows a repeat twice',
  safe: slackText,
  open: (target, around) =>
    post(target, around, ({ title, text }) => {
      const section = (words: string) => ({
        type: 'section',
        // Verbatim: names and addresses in it do not become links by themselves.
        text: { type: 'mrkdwn', text: words, verbatim: true },
      })
      const parts = pieces(text, SLACK_BLOCK).slice(0, SLACK_BLOCKS)
      return JSON.stringify({
        text: title,
        blocks: [section(`*${title}*`), ...parts.map(section)],
        unfurl_links: false,
        unfurl_media: false,
      })
    }),
}

export const teams: Kind = {
  kind: 'teams',
  promise: 'at least once; Teams shows a repeat twice',
  safe: asIs,
  open: (target, around) =>
    post(target, around, ({ title, text }) => {
      // Runs of rich text are not read as Markdown.
      const block = (run: Readonly<Record<string, unknown>>) => ({
        type: 'RichTextBlock',
        inlines: [{ type: 'TextRun', ...run }],
      })
      const lines = text.slice(0, TEAMS_CHARS).split('\n')
      return JSON.stringify({
        type: 'message',
        attachments: [
          {
            contentType: 'application/vnd.microsoft.card.adaptive',
            contentUrl: null,
            content: {
              $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
              type: 'AdaptiveCard',
              version: '1.4',
              body: [
                block({ text: title, weight: 'bolder', size: 'medium' }),
                ...lines.filter((line) => line !== '').map((line) => block({ text: line })),
              ],
            },
          },
        ],
      })
    }),
}

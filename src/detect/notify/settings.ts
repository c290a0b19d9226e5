/** The section `notify` of the settings: channels, what each is told of, and which private places they may reach. */
import { limits } from '../../core/limits.ts'
import type { Section } from '../../core/section.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'

export const CHANNEL_KINDS = ['webhook', 'slack', 'teams', 'email', 'file', 'syslog'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/** Which findings share a message: none, those of one run, or all that wait. */
const BATCHES = ['finding', 'run', 'all'] as const

/** What a finding must be for a channel to be told of it; an empty list asks for nothing. */
export interface ChannelFilter {
  readonly urgency: Level
  readonly level: Level
  /** Ids or titles. */
  readonly rules: readonly string[]
  readonly tags: readonly string[]
  readonly languages: readonly string[]
}

export interface ChannelSettings {
  readonly name: string
  readonly kind: ChannelKind
  readonly when: ChannelFilter
  /** What a message is called and what it says; undefined: the usual text. */
  readonly title?: string
  readonly template?: string
  readonly batch: (typeof BATCHES)[number]
  /** How long the first finding of a message waits for more, in milliseconds. */
  readonly wait: number
  /** Messages in a minute; findings beyond share one. */
  readonly perMinute: number
  readonly tries: number
  /** Address of the receiver. */
  readonly url?: string
  /** Names of environment variables that hold secrets; a secret itself is never in the settings. */
  readonly urlEnv?: string
  readonly secretEnv?: string
  readonly authorizationEnv?: string
  readonly userEnv?: string
  readonly passwordEnv?: string
  /** E-mail. */
  readonly from?: string
  readonly to: readonly string[]
  /** File, as it is written in the settings. */
  readonly path?: string
  /** Syslog: what a line holds. */
  readonly format: 'json' | 'cef' | 'text'
}

export interface NotifySettings {
  readonly channels: readonly ChannelSettings[]
  /** Hosts (`hooks.example`) and networks (`10.1.0.0/16`) that may be reached though they are private. */
  readonly allow: readonly string[]
  /** Proxy for http and https. */
  readonly proxy?: string
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/
const DAY = 86_400_000

const TEXT_KEYS = ['title', 'template', 'url', 'from', 'path'] as const
const SECRET_KEYS = {
  urlEnv: 'url_env',
  secretEnv: 'secret_env',
  authorizationEnv: 'authorization_env',
  userEnv: 'user_env',
  passwordEnv: 'password_env',
} as const

function readFilter(section: Section): ChannelFilter {
  const filter: ChannelFilter = {
    urgency: section.word('urgency', LEVELS) ?? 'informational',
    level: section.word('level', LEVELS) ?? 'informational',
    rules: section.texts('rules'),
    tags: section.texts('tags'),
    languages: section.texts('languages'),
  }
  section.end()
  return filter
}

/** What each kind cannot do without. */
const NEEDS: Readonly<Record<ChannelKind, readonly string[]>> = {
  webhook: ['url'],
  slack: ['url'],
  teams: ['url'],
  email: ['url', 'from', 'to'],
  file: ['path'],
  syslog: ['url'],
}

/** Reads one channel; what it lacks is told, and it is left out. */
function readChannel(section: Section): ChannelSettings | undefined {
  const name = section.text('name')
  const kind = section.word('kind', CHANNEL_KINDS)
  const texts: Partial<Record<(typeof TEXT_KEYS)[number], string>> = {}
  for (const key of TEXT_KEYS) {
    const text = section.text(key)
    if (text !== undefined) texts[key] = text
  }
  const secrets: Partial<Record<keyof typeof SECRET_KEYS, string>> = {}
  for (const [field, key] of Object.entries(SECRET_KEYS)) {
    const text = section.text(key)
    if (text === undefined) continue
    if (!VARIABLE.test(text)) section.wrong(key, 'the name of an environment variable')
    Object.assign(secrets, { [field]: text })
  }
  const wait = section.duration('wait') ?? 0
  if (wait > DAY) section.wrong('wait', 'at most 24h')
  const to = section.texts('to')
  const channel = {
    when: readFilter(section.section('when')),
    batch: section.word('batch', BATCHES) ?? (wait > 0 ? 'all' : 'finding'),
    wait,
    perMinute: section.number('per_minute', 1, 10_000) ?? limits.messagesPerMinute,
    tries: section.number('tries', 1, 1_000) ?? limits.messageTries,
    to,
    format: section.word('format', ['json', 'cef', 'text'] as const) ?? 'json',
    ...texts,
    ...secrets,
  }
  section.end()
  if (name === undefined || !NAME.test(name)) {
    section.wrong('name', 'a name of letters, digits, ".", "_" and "-"')
    return undefined
  }
  if (kind === undefined) {
    if (section.text('kind') === undefined) section.wrong('kind', 'there')
    return undefined
  }
  const has = new Set<string>([
    ...Object.keys(texts),
    ...(secrets.urlEnv === undefined ? [] : ['url']),
    ...(to.length === 0 ? [] : ['to']),
  ])
  for (const need of NEEDS[kind]) {
    if (has.has(need)) continue
    section.wrong(need, need === 'url' ? 'there (or url_env)' : 'there')
    return undefined
  }
  return { name, kind, ...channel }
}

/** Reads the section; without it nobody is told of anything. */
export function readNotifySettings(section: Section): NotifySettings {
  const channels: ChannelSettings[] = []
  for (const each of section.sections('channels')) {
    const channel = readChannel(each)
    if (channel === undefined) continue
    if (channels.some(({ name }) => name === channel.name)) each.wrong('name', 'a name of its own')
    else channels.push(channel)
  }
  if (channels.length > limits.channels) section.wrong('channels', `at most ${limits.channels}`)
  const proxy = section.text('proxy')
  const settings: NotifySettings = {
    channels,
    allow: section.texts('allow'),
    ...(proxy === undefined ? {} : { proxy }),
  }
  section.end()
  return settings
}

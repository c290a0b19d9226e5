/** Channels that are ready to be used: their secrets taken from the environment, their targets and templates read. */
import { type Diagnostic, diagnose, hasErrors, type Outcome } from '../../core/diagnostic.ts'
import { RefusedError, readAllowed } from '../../net/place.ts'
import type { Sender, Surroundings, Target } from './kinds/sender.ts'
import { KINDS } from './kinds/table.ts'
import type { Wording } from './message.ts'
import type { ChannelSettings, NotifySettings } from './settings.ts'
import { readTemplate } from './template.ts'
import { plainLine } from './words.ts'

export interface Channel {
  readonly settings: ChannelSettings
  readonly wording: Wording
  readonly sender: Sender
}

/** What channels need of the world. */
export interface ChannelOptions extends Omit<Surroundings, 'allowed' | 'proxy'> {
  /** The variables of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Secrets of a channel by the settings that name their variables. */
const SECRETS = [
  ['url', 'urlEnv'],
  ['secret', 'secretEnv'],
  ['authorization', 'authorizationEnv'],
  ['user', 'userEnv'],
  ['password', 'passwordEnv'],
] as const

function targetOf(
  channel: ChannelSettings,
  env: ChannelOptions['env'],
  tell: (diagnostic: Diagnostic) => void,
): Target {
  const found: Record<string, string> = {}
  for (const [field, setting] of SECRETS) {
    const variable = channel[setting]
    if (variable === undefined) continue
    const value = env[variable]
    if (value === undefined || value === '') {
      tell(diagnose('HR750', { channel: channel.name, variable }))
    } else found[field] = value
  }
  return { ...channel, ...found }
}

/** Makes the channels of the settings ready; no value when one of them cannot be used. */
export function openChannels(
  settings: NotifySettings,
  { env, ...around }: ChannelOptions,
): Outcome<readonly Channel[]> {
  const diagnostics: Diagnostic[] = []
  const tell = (diagnostic: Diagnostic): void => {
    diagnostics.push(diagnostic)
  }
  const { wrong, ...allowed } = readAllowed(settings.allow)
  for (const text of wrong) tell(diagnose('HR751', { text: plainLine(text).slice(0, 128) }))
  const { proxy } = settings
  if (proxy !== undefined && !/^http:\/\/[^\s/?#@\\]+\/?$/.test(proxy)) {
    tell(diagnose('HR752', { text: plainLine(proxy).slice(0, 128) }))
    return { diagnostics }
  }
  const channels = settings.channels.flatMap((channel): readonly Channel[] => {
    const before = diagnostics.length
    const target = targetOf(channel, env, tell)
    if (diagnostics.length > before) return []
    const kind = KINDS[channel.kind]
    const template = (text: string | undefined) => (text === undefined ? text : readTemplate(text))
    try {
      const sender = kind.open(target, {
        ...around,
        allowed,
        ...(proxy === undefined ? {} : { proxy }),
      })
      const { title, template: text } = channel
      const wording = { title: template(title), text: template(text), safe: kind.safe }
      return [{ settings: channel, wording, sender }]
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      tell(diagnose('HR753', { channel: channel.name, reason: error.message }))
      return []
    }
  })
  return hasErrors(diagnostics) ? { diagnostics } : { value: channels, diagnostics }
}

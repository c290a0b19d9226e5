/** The table of the kinds of channels. */
import type { ChannelKind } from '../settings.ts'
import { file } from './file.ts'
import { email } from './mail.ts'
import type { Kind } from './sender.ts'
import { syslog } from './syslog.ts'
import { slack, teams, webhook } from './web.ts'

export const KINDS: Readonly<Record<ChannelKind, Kind>> = {
  webhook,
  slack,
  teams,
  email,
  file,
  syslog,
}

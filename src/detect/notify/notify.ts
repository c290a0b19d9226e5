/** All of notifying for a running program: the outbox that the keeper fills, and the courier that empties it. */
import type { Diagnostic, Outcome } from '../../core/diagnostic.ts'
import type { Records } from '../../engine/records.ts'
import { type ChannelOptions, openChannels } from './channels.ts'
import { Courier, type CourierClock } from './courier.ts'
import { type Outbox, openOutbox, outboxTable } from './outbox.ts'
import type { NotifySettings } from './settings.ts'

export interface NotifyOptions extends Omit<ChannelOptions, 'now'> {
  readonly records: Records
  readonly settings: NotifySettings
  readonly clock: CourierClock
  /** Told of messages that are given up. */
  readonly tell: (diagnostic: Diagnostic) => void
}

export interface Notify {
  readonly outbox: Outbox
  readonly courier: Courier
}

/** Makes outbox and courier ready; no value when a channel of the settings cannot be used. */
export async function openNotify(options: NotifyOptions): Promise<Outcome<Notify>> {
  const { records, settings, clock, tell, ...around } = options
  const now = (): number => clock.now()
  const { value: channels, diagnostics } = openChannels(settings, { ...around, now })
  if (channels === undefined) return { diagnostics }
  const table = await outboxTable(records)
  const courier = new Courier({ table, channels, clock, tell })
  const outbox = await openOutbox(records, settings, now, () => courier.wake())
  return { value: { outbox, courier }, diagnostics }
}

/**
 * The courier takes what waits in the outbox to the channels. A message is claimed on disk, with its id and all that it
 * stands for, before it is sent, and noted after; a crash in between leads to the very same message again. Nothing is
 * given up before its last try, and what is given up is told.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { step } from '../../core/steps.ts'
import { systemReason } from '../../core/systemerror.ts'
import { EngineError } from '../../engine/engine.ts'
import type { Channel } from './channels.ts'
import { SendError } from './kinds/sender.ts'
import {
  FORMS,
  type Form,
  type Message,
  makeMessage,
  messageId,
  type NoticeBody,
} from './message.ts'
import { type OutboxRow, type OutboxTable, UNSENT } from './outbox.ts'
import { plainLine } from './words.ts'

/** What the courier needs of the clock of the scheduler. */
export interface CourierClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after so many milliseconds, or when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
}

export interface CourierOptions {
  readonly table: OutboxTable
  readonly channels: readonly Channel[]
  readonly clock: CourierClock
  /** Told of messages that are given up. */
  readonly tell: (diagnostic: Diagnostic) => void
}

export interface Delivery {
  /** Messages that receivers have taken. */
  readonly sent: number
  /** Messages that were not taken and will be tried again. */
  readonly later: number
  /** Messages that were given up. */
  readonly failed: number
  /** When there is more to do, milliseconds since 1970; undefined when nothing waits. */
  readonly next: number | undefined
}

/** Rows that go as one message. */
interface Parcel {
  readonly id: string
  readonly form: Form
  readonly rows: readonly OutboxRow[]
}

const MINUTE = 60_000
const FIRST_WAIT = 10_000
const LONGEST_WAIT = 15 * MINUTE
/** How often the outbox is looked at when nobody says that there is something in it. */
const LOOK_EVERY = 15_000

/** Wait after the store has failed, and how often in a row it may. */
const TROUBLE_MS = 5_000
const MOST_TROUBLES = 60

/** Wait after a try: doubled each time, and spread by what the message is, so that channels do not act in step. */
function waitAfter(tries: number, id: string): number {
  const whole = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(20, tries - 1))
  return Math.round(whole * (0.85 + 0.15 * (Number.parseInt(id.slice(0, 4), 16) / 0xffff)))
}

const isNotice = (row: OutboxRow): boolean => row.run === ''

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

/** The messages of one channel. */
class Route {
  readonly #channel: Channel
  readonly #options: CourierOptions
  /** When messages were sent, within the last minute. */
  #sent: number[] = []
  /** Until when the receiver is left alone, and how often in a row it has failed. */
  #heldUntil = 0
  #failures = 0
  #counts = { sent: 0, later: 0, failed: 0 }

  constructor(channel: Channel, options: CourierOptions) {
    this.#channel = channel
    this.#options = options
  }

  /** Sends what is due. */
  async pass(signal: AbortSignal | undefined): Promise<Delivery> {
    this.#counts = { sent: 0, later: 0, failed: 0 }
    const now = this.#now()
    let next: number | undefined
    const waiting = (at: number): void => {
      next = next === undefined ? at : Math.min(next, at)
    }
    if (this.#heldUntil > now) waiting(this.#heldUntil)
    else {
      for (const parcel of await this.#claimed()) {
        if (!this.#goesOn(signal)) break
        await this.#deliver(parcel, true)
      }
      if (this.#goesOn(signal)) {
        for (const parcel of await this.#claim()) {
          if (!this.#goesOn(signal)) break
          await this.#deliver(parcel, false)
        }
      }
    }
    const at = await this.#nextDue()
    if (at !== undefined) waiting(Math.max(at, this.#heldUntil, this.#freeAt()))
    return { ...this.#counts, next }
  }

  #now(): number {
    return this.#options.clock.now()
  }

  #goesOn(signal: AbortSignal | undefined): boolean {
    return signal?.aborted !== true && this.#heldUntil <= this.#now()
  }

  /** Messages that may still be sent in this minute. */
  #free(): number {
    const now = this.#now()
    // A clock that went back must not hold the channel for as long as it went.
    this.#sent = this.#sent.filter((at) => at > now - MINUTE && at <= now)
    return this.#channel.settings.perMinute - this.#sent.length
  }

  #freeAt(): number {
    return this.#free() > 0 ? 0 : (this.#sent[0] ?? 0) + MINUTE
  }

  #read(state: string, due?: number): Promise<readonly OutboxRow[]> {
    return this.#options.table.read({
      where: [
        { column: 'channel', is: '=', value: this.#channel.settings.name },
        { column: 'state', is: '=', value: state },
        ...(due === undefined ? [] : [{ column: 'next', is: '<=' as const, value: due }]),
      ],
      order: state === 'claimed' ? ['next', 'message', 'finding'] : ['-rank', 'filled', 'finding'],
      limit: limits.messageRows + 1,
    })
  }

  async #nextDue(): Promise<number | undefined> {
    const [first] = await this.#options.table.read({
      where: [
        { column: 'channel', is: '=', value: this.#channel.settings.name },
        { column: 'state', is: 'in', value: ['waiting', 'claimed'] },
      ],
      order: ['next'],
      limit: 1,
    })
    return first?.next
  }

  /** Messages that were claimed before: those that failed, and the one that a crash has cut off. */
  async #claimed(): Promise<readonly Parcel[]> {
    const rows = await this.#read('claimed', this.#now())
    const groups = grouped(rows, (row) => row.message)
    // The last one may not be whole when there are more rows than were read.
    const whole =
      rows.length > limits.messageRows && groups.length > 1 ? groups.slice(0, -1) : groups
    return whole.slice(0, Math.max(0, this.#free())).map((parts) => ({
      id: parts[0]?.message ?? '',
      form: FORMS.find((form) => form === parts[0]?.form) ?? 'finding',
      rows: parts,
    }))
  }

  /** Puts what waits together to messages and notes them; those past the limit of a minute share one. */
  async #claim(): Promise<readonly Parcel[]> {
    const { settings, sender } = this.#channel
    const free = this.#free()
    if (free <= 0) return []
    let rows = await this.#read('waiting', this.#now())
    if (rows.length === 0) return []
    if (settings.batch === 'all') rows = await this.#read('waiting')
    rows = rows.slice(0, limits.messageRows)
    const groups = grouped(rows, (row) =>
      settings.batch === 'finding' || isNotice(row)
        ? `1 ${row.finding}`
        : settings.batch === 'run'
          ? `2 ${row.run}`
          : '3',
    )
    const single = groups.length > free ? groups.slice(0, free - 1) : groups
    const rest = groups.slice(single.length).flat()
    const parcel = (parts: readonly OutboxRow[], form: Form): Parcel => ({
      id: messageId(
        settings.name,
        parts.map((row) => row.finding),
      ),
      form,
      rows: parts,
    })
    const parcels = [
      ...single.map((parts) =>
        parcel(
          parts,
          parts.length > 1
            ? 'digest'
            : parts[0] !== undefined && isNotice(parts[0])
              ? 'notice'
              : 'finding',
        ),
      ),
      ...(rest.length === 0 ? [] : [parcel(rest, 'summary')]),
    ]
    const mark = (await sender.mark?.()) ?? 0
    const next = this.#now()
    const claimed = parcels.map(({ id, form, rows: parts }) => ({
      id,
      form,
      rows: parts.map((row) => ({ ...row, state: 'claimed', message: id, form, mark, next })),
    }))
    await this.#options.table.append(claimed.flatMap((each) => each.rows))
    return claimed
  }

  async #deliver({ id, form, rows }: Parcel, isAgain: boolean): Promise<void> {
    const { sender, wording } = this.#channel
    const message = makeMessage(id, form, rows, wording)
    this.#sent.push(this.#now())
    try {
      await sender.send(message, { isAgain, mark: rows[0]?.mark ?? 0 })
    } catch (error) {
      await this.#failed(message, rows, error)
      return
    }
    step('message.sent')
    this.#failures = 0
    const sent = this.#now()
    await this.#note(rows, (row) => ({ ...row, state: 'sent', sent, error: '', body: '' }))
    step('message.noted')
    this.#counts.sent++
  }

  #note(rows: readonly OutboxRow[], change: (row: OutboxRow) => OutboxRow): Promise<void> {
    return this.#options.table.append(rows.map(change))
  }

  async #failed(message: Message, rows: readonly OutboxRow[], error: unknown): Promise<void> {
    const { settings } = this.#channel
    const reason = plainLine(systemReason(error)).slice(0, 500)
    const tries = (rows[0]?.tries ?? 0) + 1
    const now = this.#now()
    const isOfMessage = error instanceof SendError && error.isOfMessage
    if (!isOfMessage) this.#failures++
    if (tries >= settings.tries) {
      await this.#note(rows, (row) => ({ ...row, state: 'failed', tries, error: reason }))
      this.#counts.failed++
      await this.#tellOthers(message, reason)
      return
    }
    const asked = error instanceof SendError ? (error.wait ?? 0) : 0
    const row = isOfMessage ? tries : Math.max(tries, this.#failures)
    const next = now + Math.max(asked, waitAfter(row, message.id))
    if (!isOfMessage) this.#heldUntil = next
    await this.#note(rows, (row) => ({ ...row, tries, error: reason, next }))
    this.#counts.later++
  }

  /** What is given up is told, and put into the outbox for the other channels: once an hour for each channel. */
  async #tellOthers({ form, count }: Message, reason: string): Promise<void> {
    const { table, channels, tell } = this.#options
    const { name } = this.#channel.settings
    tell(diagnose('HR754', { channel: name, count, reason }))
    if (form === 'notice') return
    const now = this.#now()
    const finding = `notice:${messageId(name, [String(Math.floor(now / (60 * MINUTE)))])}`
    const others = channels.filter((each) => each.settings.name !== name)
    const there = await table.read({ where: [{ column: 'finding', is: '=', value: finding }] })
    const known = new Set(there.map((row) => row.channel))
    const notice: NoticeBody = {
      notice: `Messages of the channel "${name}" are given up: ${reason}. They are kept and can be sent again: harrier notify retry ${name}`,
    }
    await table.append(
      others
        .filter((each) => !known.has(each.settings.name))
        .map(({ settings }) => ({
          ...UNSENT,
          finding,
          channel: settings.name,
          rank: 3,
          run: '',
          title: `Notifications by "${name}" fail`,
          filled: now,
          next: now,
          body: JSON.stringify(notice),
        })),
    )
  }
}

/** True for troubles that pass: the engine is started again, or a server comes back. */
function passes(error: unknown): boolean {
  return error instanceof EngineError && (error.kind === 'crashed' || error.kind === 'unavailable')
}

export class Courier {
  readonly #options: CourierOptions
  readonly #routes: readonly Route[]
  #woken: AbortController | undefined

  constructor(options: CourierOptions) {
    this.#options = options
    this.#routes = options.channels.map((each) => new Route(each, options))
  }

  /** Sends all that is due once. Only the owner of the schedule may call this: two couriers would send twice. */
  async pass(signal?: AbortSignal): Promise<Delivery> {
    const done = await Promise.all(this.#routes.map((each) => each.pass(signal)))
    const nexts = done.flatMap(({ next }) => next ?? [])
    const sum = (key: 'sent' | 'later' | 'failed'): number =>
      done.reduce((total, each) => total + each[key], 0)
    return {
      sent: sum('sent'),
      later: sum('later'),
      failed: sum('failed'),
      next: nexts.length === 0 ? undefined : Math.min(...nexts),
    }
  }

  /** Says that there is something new in the outbox. */
  wake(): void {
    this.#woken?.abort()
  }

  /** Delivers until the signal aborts. Errors of the store that do not pass reject. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    let troubles = 0
    while (!signal.aborted) {
      const woken = new AbortController()
      this.#woken = woken
      let next: number | undefined
      try {
        next = (await this.pass(signal)).next
        troubles = 0
      } catch (error) {
        // What was sent and could not be noted is sent again, under its id.
        if (!passes(error) || ++troubles > MOST_TROUBLES) throw error
        next = clock.now() + TROUBLE_MS
      }
      const ms = Math.min(LOOK_EVERY, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - clock.now()))
      const until = AbortSignal.any([signal, woken.signal])
      if (ms > 0 && !until.aborted) await clock.wait(ms, until)
    }
  }
}

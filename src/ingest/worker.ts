/**
 * The decoding worker: reads one file at a time, unpacks it, tells its format, decodes it and sends batches. What
 * it has on the way is bounded in number and bytes, so memory stays bounded however slow storage is.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { Instant } from '../core/time.ts'
import type { Batch } from '../schema/batch.ts'
import { readSchema } from '../schema/load.ts'
import { makeRecogniser } from '../schema/recognise.ts'
import { type Member, openPath } from './containers.ts'
import type { Sink } from './decoder.ts'
import { chooseDecoder } from './detect.ts'
import { BatchEncoder, type EncodeSchema, type KnownNames } from './encode.ts'
import { openPart, type Part, type PartEnd } from './follow/part.ts'
import { decoders } from './formats.ts'
import type { FromWorker, KnownBatch, ToWorker, WorkerStart } from './intake.ts'

/** Batches that storage may have in hand: many small ones, or few large ones. */
const ON_THE_WAY = 64
const ON_THE_WAY_BYTES = 64 * 1024 * 1024

const port = parentPort
if (port === null) throw new Error('this file runs as a worker')
const start = workerData as WorkerStart

function readyMadeSchema(): EncodeSchema {
  const { value } = readSchema(start.schemaFiles)
  if (value === undefined) throw new Error('the schema of this installation is damaged')
  return { recognise: makeRecogniser(value), sources: value.sources, forced: start.source }
}

const schema = readyMadeSchema()
const known: KnownNames = new Map()

/** Waiters for messages of the main side, by type; one conversation at a time. */
const waiting: {
  file?: (message: Extract<ToWorker, { type: 'file' }>) => void
  known?: (message: Extract<ToWorker, { type: 'known' }>) => void
  stored?: () => void
} = {}
/** Sizes of the batches on the way, oldest first; storage answers in that order. */
const onTheWay: number[] = []
let bytesOnTheWay = 0

function send(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'file':
      waiting.file?.(message)
      return
    case 'known':
      waiting.known?.(message)
      return
    case 'stored':
      bytesOnTheWay -= onTheWay.shift() ?? 0
      waiting.stored?.()
  }
})

/** Batches by the number of their first record; the largest first where a file of the same name had others. */
type Stored = ReadonlyMap<number, readonly KnownBatch[]>

async function askKnown(file: string): Promise<Stored> {
  send({ type: 'member', file })
  const answer = await new Promise<Extract<ToWorker, { type: 'known' }>>((resolve) => {
    waiting.known = resolve
  })
  for (const [source, names] of answer.columns) {
    const set = known.get(source) ?? new Set()
    for (const name of names) set.add(name)
    known.set(source, set)
  }
  const stored = new Map<number, KnownBatch[]>()
  for (const each of answer.batches) {
    const others = stored.get(each.first)
    if (others === undefined) stored.set(each.first, [each])
    else others.push(each)
  }
  for (const each of stored.values()) each.sort((a, b) => b.received - a.received)
  return stored
}

async function room(): Promise<void> {
  while (onTheWay.length >= ON_THE_WAY || bytesOnTheWay >= ON_THE_WAY_BYTES) {
    await new Promise<void>((resolve) => {
      waiting.stored = resolve
    })
  }
}

function sent(bytes: number): void {
  onTheWay.push(bytes)
  bytesOnTheWay += bytes
}

function post(batch: Batch, repeated: boolean): void {
  if (repeated) {
    sent(0)
    send({ type: 'batch', batch: { ...batch, blocks: [], rejects: [] }, repeated })
    return
  }
  const buffers = new Set<ArrayBuffer>()
  let bytes = 0
  for (const block of batch.blocks) {
    for (const { data } of block.columns) {
      bytes += data.length
      if (data.buffer instanceof ArrayBuffer) buffers.add(data.buffer)
    }
  }
  sent(bytes)
  send({ type: 'batch', batch, repeated }, [...buffers])
}

function tellDamage(file: string, code: string, reason: string, place: string): void {
  send({ type: 'damage', file, damage: { code, reason, place } })
}

/** An encoder whose batches are cut where the store has them already, and sent where it has not. */
class Cutter {
  readonly encoder: BatchEncoder
  readonly #stored: Stored

  constructor(file: string, stored: Stored, now: Instant, first = 1) {
    this.encoder = new BatchEncoder(file, schema, known, now, first)
    this.#stored = stored
  }

  cut(): void {
    const earlier = this.#stored.get(this.encoder.first)
    const batch = this.encoder.cut()
    post(batch, earlier?.some((each) => each.id === batch.id) === true)
  }

  cutIfDue(): void {
    const { encoder } = this
    const earlier = this.#stored.get(encoder.first)
    const isDue =
      earlier?.some(
        // Of several, the largest is where the file was cut before; a smaller one must be the very same.
        ({ received, id }, at) => received === encoder.received && (at === 0 || id === encoder.id),
      ) === true
    if (encoder.isFull || isDue) this.cut()
  }

  end(): void {
    if (this.encoder.received > 0) this.cut()
  }
}

/** Decodes one member into batches; a batch that the store has already is counted, not sent. */
async function readMember(member: Member, now: Instant): Promise<void> {
  const cutter = new Cutter(member.path, await askKnown(member.path), now)
  const damage = (code: string, reason: string, place: string): void =>
    tellDamage(member.path, code, reason, place)
  const { decoder, bytes, code, problem } = await chooseDecoder(member, decoders, start.format)
  if (decoder === undefined) {
    damage(code ?? 'HR005', problem ?? 'the format is not known', 'start')
    return
  }
  send({ type: 'format', file: member.path, format: decoder.name })
  const context = { file: member.path, now, recover: start.recover }
  await decoder.decode(bytes, sinkOf(cutter, damage, 0), context)
  cutter.end()
  await room()
}

/** A sink for records that stand `shift` lines further on in their file than in what is decoded. */
function sinkOf(cutter: Cutter, damage: Sink['damage'], shift: number): Sink {
  const { encoder } = cutter
  const shifted = (place: string): string =>
    shift === 0 ? place : place.replace(/^line (\d+)$/, (_, line) => `line ${Number(line) + shift}`)
  return {
    event(event) {
      encoder.event(shift === 0 ? event : { ...event, record: event.record + shift })
      cutter.cutIfDue()
    },
    reject(code, reason, place, raw) {
      encoder.reject(code, reason, shifted(place), raw)
      cutter.cutIfDue()
    },
    damage: (code, reason, place) => damage(code, reason, shifted(place)),
    ready: room,
  }
}

/** Reads what a file has got since it was left, up to the last whole record. */
async function readPart(path: string, part: Part, now: Instant): Promise<PartEnd> {
  const cut = await openPart(path, part, start.format)
  const { format, header, nextHeader, bytes, end: endOf, ...place } = cut
  const end = { ...place, header: nextHeader, format }
  const decoder = decoders.find((each) => each.name === format)
  if (cut.kind !== 'lines' || cut.to === part.from || decoder === undefined) {
    return { ...end, first: part.first }
  }
  const cutter = new Cutter(part.name, await askKnown(part.name), now, part.first)
  const damage = (code: string, reason: string, place: string): void =>
    tellDamage(part.name, code, reason, place)
  const shift = part.lines - (header === '' ? 0 : header.split('\n').length - 1)
  const whole = header === '' ? bytes : before(Buffer.from(header), bytes)
  const context = { file: part.name, now, recover: start.recover }
  await decoder.decode(whole, sinkOf(cutter, damage, shift), context)
  cutter.end()
  await room()
  return { ...end, to: endOf?.() ?? cut.to, first: cutter.encoder.first }
}

async function* before(first: Uint8Array, rest: AsyncIterable<Uint8Array>) {
  yield first
  yield* rest
}

async function readFile(path: string, now: Instant): Promise<string | undefined> {
  try {
    for await (const member of openPath(path, {
      onBytes: (bytes) => send({ type: 'progress', bytes }),
      onDamage: tellDamage,
    })) {
      await readMember(member, now)
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

send({ type: 'ready' })
for (;;) {
  const {
    path,
    now = start.now,
    part,
  } = await new Promise<Extract<ToWorker, { type: 'file' }>>((resolve) => {
    waiting.file = resolve
  })
  if (part === undefined) {
    const error = await readFile(path, now)
    send(error === undefined ? { type: 'done' } : { type: 'done', error })
    continue
  }
  try {
    send({ type: 'done', part: await readPart(path, part, now) })
  } catch (error) {
    send({ type: 'done', error: error instanceof Error ? error.message : String(error) })
  }
}

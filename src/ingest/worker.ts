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
  file?: (path: string) => void
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
      waiting.file?.(message.path)
      return
    case 'known':
      waiting.known?.(message)
      return
    case 'stored':
      bytesOnTheWay -= onTheWay.shift() ?? 0
      waiting.stored?.()
  }
})

async function askKnown(file: string): Promise<ReadonlyMap<number, KnownBatch>> {
  send({ type: 'member', file })
  const answer = await new Promise<Extract<ToWorker, { type: 'known' }>>((resolve) => {
    waiting.known = resolve
  })
  for (const [source, names] of answer.columns) {
    const set = known.get(source) ?? new Set()
    for (const name of names) set.add(name)
    known.set(source, set)
  }
  return new Map(answer.batches.map((each) => [each.first, each]))
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

/** Decodes one member into batches; a batch that the store has already is counted, not sent. */
async function readMember(member: Member, now: Instant): Promise<void> {
  const stored = await askKnown(member.path)
  const encoder = new BatchEncoder(member.path, schema, known, now)
  const cut = (): void => {
    const earlier = stored.get(encoder.first)
    const batch = encoder.cut()
    post(batch, earlier !== undefined && earlier.id === batch.id)
  }
  const cutIfDue = (): void => {
    const earlier = stored.get(encoder.first)
    if (encoder.isFull || earlier?.received === encoder.received) cut()
  }
  const damage = (code: string, reason: string, place: string): void =>
    tellDamage(member.path, code, reason, place)
  const sink: Sink = {
    event(event) {
      encoder.event(event)
      cutIfDue()
    },
    reject(code, reason, place, raw) {
      encoder.reject(code, reason, place, raw)
      cutIfDue()
    },
    damage,
    ready: room,
  }
  const { decoder, bytes, code, problem } = await chooseDecoder(member, decoders, start.format)
  if (decoder === undefined) {
    damage(code ?? 'HR005', problem ?? 'the format is not known', 'start')
    return
  }
  send({ type: 'format', file: member.path, format: decoder.name })
  await decoder.decode(bytes, sink, { file: member.path, now, recover: start.recover })
  if (encoder.received > 0) cut()
  await room()
}

async function readFile(path: string): Promise<string | undefined> {
  try {
    for await (const member of openPath(path, {
      onBytes: (bytes) => send({ type: 'progress', bytes }),
      onDamage: tellDamage,
    })) {
      await readMember(member, start.now)
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

send({ type: 'ready' })
for (;;) {
  const path = await new Promise<string>((resolve) => {
    waiting.file = resolve
  })
  const error = await readFile(path)
  send(error === undefined ? { type: 'done' } : { type: 'done', error })
}

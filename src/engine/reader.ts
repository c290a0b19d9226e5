/**
 * A reader thread of the engine's child process: one read-only session, one query at a time, its result sent in
 * chunks as they are asked for. A thread of its own, because the engine prepares a query (and runs its scalar
 * subqueries) on the calling thread, and the child must stay able to cancel.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Session } from 'chdb'
import { quoteText } from '../sql/quote.ts'
import {
  CANCELLED,
  CHUNK_BYTES,
  CHUNK_WINDOW,
  type ReaderReply,
  type ReaderRequest,
} from './protocol.ts'

export interface ReaderStart {
  readonly path: string
  /** Marks the queries of this thread, so that the child can kill them. */
  readonly mark: string
}

type Start = Extract<ReaderRequest, { op: 'start' }>

/** Copies of at most `CHUNK_BYTES`: a view would drag the whole result chunk along with every message. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield new Uint8Array(bytes.subarray(at, at + CHUNK_BYTES))
  }
}

/** Runs the thread. Its session is opened with the first query and replaced when limits change or a query failed. */
export function runReader(): void {
  const port = parentPort
  if (port === null) throw new Error('a reader runs as a worker thread')
  const { path, mark } = workerData as ReaderStart
  const send = (message: ReaderReply): void => port.postMessage(message)

  let session: Session | undefined
  let limits = ''
  let cancelled = false
  let credit = 0
  let wake: (() => void) | undefined

  const sessionFor = (set: string): Session => {
    if (session !== undefined && limits === set) return session
    session?.close()
    session = undefined
    const fresh = new Session(path)
    session = fresh
    limits = set
    fresh.query(`${set}, log_comment = ${quoteText(mark)}`)
    // Last, because it forbids any further SET.
    fresh.query('SET readonly = 1')
    return fresh
  }

  const discard = (): void => {
    session?.close()
    session = undefined
  }

  const room = async (): Promise<void> => {
    while (credit === 0 && !cancelled) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    credit--
  }

  const read = async ({ id, sql, set }: Start): Promise<void> => {
    const stream = sessionFor(set).queryStream(sql, { format: 'JSONCompactEachRow' })
    for await (const chunk of stream) {
      for (const bytes of pieces(chunk.raw())) {
        await room()
        if (cancelled) throw new Error(CANCELLED)
        port.postMessage({ op: 'chunk', id, bytes } satisfies ReaderReply, [bytes.buffer])
      }
    }
    if (cancelled) throw new Error(CANCELLED)
  }

  const run = async (start: Start): Promise<void> => {
    cancelled = false
    credit = CHUNK_WINDOW
    try {
      await read(start)
      send({ op: 'end', id: start.id })
    } catch (error) {
      discard()
      send({
        op: 'fail',
        id: start.id,
        message: error instanceof Error ? error.message : String(error),
      })
    }
  }

  port.on('message', (message: ReaderRequest) => {
    switch (message.op) {
      case 'start':
        void run(message)
        return
      case 'more':
        credit++
        break
      case 'cancel':
        cancelled = true
    }
    wake?.()
    wake = undefined
  })
  send({ op: 'ready' })
}

/**
 * Intake: files to batches to storage. Workers read and decode, one file each; this side lists the files, hands
 * batches to storage, and acknowledges a batch only when storage has. Counts always add up.
 */
import { Worker } from 'node:worker_threads'
import type { Instant } from '../core/time.ts'
import type { Batch, BatchReceipt } from '../schema/batch.ts'
import type { Part, PartEnd } from './follow/part.ts'
import type { Damage, FileReport, IntakeReport } from './report.ts'
import { type InputFile, listInputs } from './walk.ts'

/** A batch that storage holds already: where it began, how many records, and its id. */
export interface KnownBatch {
  readonly first: number
  readonly received: number
  readonly id: string
}

/** What intake needs of a store. */
export interface IntakeStore {
  write(batch: Batch): Promise<BatchReceipt>
  knownBatches(file: string): Promise<readonly KnownBatch[]>
  /** Column names of each source that has data; names past the budget go to the overflow map. */
  columnNames(): Promise<ReadonlyMap<string, readonly string[]>>
}

export interface IntakeOptions {
  readonly paths: readonly string[]
  readonly store: IntakeStore
  /** The built worker file. */
  readonly workerPath: string
  /** Schema texts, read again in each worker. */
  readonly schemaFiles: readonly { readonly path: string; readonly text: string }[]
  readonly now: Instant
  /** Name of a decoder, instead of telling the format from content. */
  readonly format?: string
  /** Name of a source, instead of recognising each event. */
  readonly source?: string
  readonly workers?: number
  /** True to look for whole records behind damaged ones. */
  readonly recover?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: IntakeProgress) => void
}

export interface IntakeProgress {
  readonly bytes: number
  readonly totalBytes: number
  readonly events: number
  readonly files: number
  readonly totalFiles: number
}

/** Messages from a worker. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'member'; readonly file: string }
  | { readonly type: 'batch'; readonly batch: Batch; readonly repeated: boolean }
  | { readonly type: 'progress'; readonly bytes: number }
  | {
      readonly type: 'damage'
      readonly file: string
      readonly damage: Damage
    }
  | { readonly type: 'format'; readonly file: string; readonly format: string }
  | { readonly type: 'done'; readonly error?: string; readonly part?: PartEnd }

/** Messages to a worker. */
export type ToWorker =
  | {
      readonly type: 'file'
      readonly path: string
      /** The clock, where it is not the one of the start. */
      readonly now?: Instant
      /** Only what a file has got since it was left. */
      readonly part?: Part
    }
  | {
      readonly type: 'known'
      readonly batches: readonly KnownBatch[]
      readonly columns: ReadonlyMap<string, readonly string[]>
    }
  | { readonly type: 'stored' }

/** What a worker is started with. */
export interface WorkerStart {
  readonly schemaFiles: IntakeOptions['schemaFiles']
  readonly now: Instant
  readonly format: string | undefined
  readonly source: string | undefined
  readonly recover: boolean
}

/** A worker that says nothing for this long is stuck on hostile input and is ended. */
const SILENCE_MS = 180_000
/** Memory of one worker's heap; past it the file is given up, not the product. */
const WORKER_HEAP_MB = 768
const DAMAGE_SHOWN = 100

interface Tally {
  format: string | undefined
  bytes: number
  received: number
  stored: number
  repeated: number
  rejected: number
  damages: number
  readonly damage: Damage[]
  error: string | undefined
}

function freshTally(bytes: number): Tally {
  return {
    format: undefined,
    bytes,
    received: 0,
    stored: 0,
    repeated: 0,
    rejected: 0,
    damages: 0,
    damage: [],
    error: undefined,
  }
}

function fileReport(file: string, tally: Tally): FileReport {
  const { format, error, ...counts } = tally
  return {
    file,
    ...counts,
    ...(format === undefined ? {} : { format }),
    ...(error === undefined ? {} : { error }),
  }
}

class Intake {
  readonly options: IntakeOptions
  readonly queue: InputFile[]
  readonly totalBytes: number
  readonly totalFiles: number
  readonly tallies = new Map<string, Tally>()
  readBytes = 0
  events = 0
  ended = 0

  constructor(options: IntakeOptions, files: readonly InputFile[]) {
    this.options = options
    this.queue = [...files]
    this.totalFiles = files.length
    this.totalBytes = files.reduce((sum, each) => sum + each.bytes, 0)
  }

  tally(file: string, bytes = 0): Tally {
    const known = this.tallies.get(file)
    if (known !== undefined) return known
    const fresh = freshTally(bytes)
    this.tallies.set(file, fresh)
    return fresh
  }

  progress(): void {
    this.options.onProgress?.({
      bytes: this.readBytes,
      totalBytes: this.totalBytes,
      events: this.events,
      files: this.ended,
      totalFiles: this.totalFiles,
    })
  }

  /** Stores one batch and counts it; the counts come from storage's receipt. */
  async take(batch: Batch, repeated: boolean): Promise<void> {
    const tally = this.tally(batch.file)
    tally.received += batch.received
    this.events += batch.received
    if (repeated) {
      tally.repeated += batch.received
      return
    }
    const receipt = await this.options.store.write(batch)
    tally.stored += receipt.stored
    tally.rejected += receipt.rejected
    tally.repeated += receipt.repeated
  }

  /** Runs one worker over files until the queue is empty; gives true when it must be replaced. */
  work(): Promise<boolean> {
    const { workerPath, schemaFiles, now, format, source, signal, recover = false } = this.options
    const workerData: WorkerStart = { schemaFiles, now, format, source, recover }
    const worker = new Worker(workerPath, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    })
    return new Promise((resolve, reject) => {
      let current: InputFile | undefined
      let counted = 0
      let chain: Promise<void> = Promise.resolve()
      /** Writes that storage has in hand; they are answered in order. */
      let writes: Promise<void> = Promise.resolve()
      let storing = 0
      let silence: NodeJS.Timeout | undefined
      let isEnded = false
      const end = (again: boolean): void => {
        if (isEnded) return
        isEnded = true
        clearTimeout(silence)
        signal?.removeEventListener('abort', stop)
        const done = async (): Promise<boolean> => {
          await chain
          await writes
          await worker.terminate()
          return again
        }
        done().then(resolve, giveUp)
      }
      const giveUp = (error: unknown): void => {
        reject(error)
        void worker.terminate()
      }
      const fail = (reason: string): void => {
        if (current === undefined) {
          // Not a file's fault: the next worker would not start either.
          isEnded = true
          clearTimeout(silence)
          giveUp(new Error(`the reading of files cannot start: ${reason}`))
          return
        }
        this.tally(current.path, current.bytes).error = reason
        this.ended++
        end(true)
      }
      const stop = (): void => end(false)
      const send = (message: ToWorker): void => worker.postMessage(message)
      const next = (): void => {
        current = signal?.aborted ? undefined : this.queue.shift()
        counted = 0
        if (current === undefined) {
          end(false)
          return
        }
        this.tally(current.path, current.bytes)
        send({ type: 'file', path: current.path })
      }
      const handle = async (message: FromWorker): Promise<void> => {
        switch (message.type) {
          case 'ready':
            next()
            return
          case 'member': {
            const batches = await this.options.store.knownBatches(message.file)
            send({ type: 'known', batches, columns: await this.options.store.columnNames() })
            return
          }
          case 'batch':
            storing++
            writes = Promise.all([writes, this.take(message.batch, message.repeated)]).then(() => {
              storing--
              send({ type: 'stored' })
              this.progress()
            })
            writes.catch(giveUp)
            return
          case 'progress':
            this.readBytes += message.bytes - counted
            counted = message.bytes
            this.progress()
            return
          case 'damage': {
            const tally = this.tally(message.file)
            tally.damages++
            if (tally.damage.length < DAMAGE_SHOWN) tally.damage.push(message.damage)
            return
          }
          case 'format':
            this.tally(message.file).format = message.format
            return
          case 'done':
            if (current !== undefined) {
              // The size of standard input is known only now.
              if (current.path === '-') this.tally('-').bytes = counted
              else this.readBytes += current.bytes - counted
              if (message.error !== undefined) this.tally(current.path).error = message.error
            }
            this.ended++
            this.progress()
            next()
        }
      }
      const listen = (): void => {
        clearTimeout(silence)
        silence = setTimeout(() => {
          // A worker that waits for a slow store is not stuck.
          if (storing > 0) listen()
          else fail(`no progress for ${SILENCE_MS / 1000} seconds; the file was given up`)
        }, SILENCE_MS)
      }
      signal?.addEventListener('abort', stop, { once: true })
      worker.on('message', (message: FromWorker) => {
        // What comes after an interrupt was not acknowledged and is read again next time.
        if (isEnded) return
        listen()
        chain = chain.then(() => handle(message))
        chain.catch(giveUp)
      })
      worker.on('error', (error: Error) => {
        const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        fail(memory ? 'it needs more memory than one file may take' : error.message)
      })
      listen()
    })
  }

  async workUntilDone(): Promise<void> {
    while (!this.options.signal?.aborted && this.queue.length > 0) await this.work()
  }
}

/**
 * Reads all paths into the store. Resolves when every batch is stored; rejects only when storage itself fails.
 * A file that cannot be read, or that breaks its decoder, is reported and the others go on.
 */
export async function ingest(options: IntakeOptions): Promise<IntakeReport> {
  const started = performance.now()
  const inputs = listInputs(options.paths)
  const intake = new Intake(options, inputs.files)
  for (const { path, reason } of inputs.problems) intake.tally(path).error = reason
  const workers = Math.max(1, Math.min(options.workers ?? 2, inputs.files.length))
  if (inputs.files.length > 0) {
    await Promise.all(Array.from({ length: workers }, () => intake.workUntilDone()))
  }
  const files = [...intake.tallies].map(([file, tally]) => fileReport(file, tally))
  const sum = (pick: (file: FileReport) => number): number =>
    files.reduce((total, each) => total + pick(each), 0)
  return {
    files,
    skipped: inputs.skipped,
    received: sum((each) => each.received),
    stored: sum((each) => each.stored),
    repeated: sum((each) => each.repeated),
    rejected: sum((each) => each.rejected),
    bytes: intake.readBytes,
    seconds: (performance.now() - started) / 1000,
    interrupted: options.signal?.aborted === true,
  }
}

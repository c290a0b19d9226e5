/** One decoding worker and the file that it reads. What it gives is stored as it comes; counts are the store's. */
import { Worker } from 'node:worker_threads'
import type { Instant } from '../../core/time.ts'
import type { Batch, BatchReceipt } from '../../schema/batch.ts'
import type { FromWorker, IntakeStore, KnownBatch, ToWorker, WorkerStart } from '../intake.ts'
import type { Damage } from '../report.ts'
import type { Part, PartEnd } from './part.ts'

/** What reading came to. */
export interface Counts {
  received: number
  stored: number
  repeated: number
  rejected: number
}

export interface Reading {
  readonly path: string
  readonly part?: Part
  /** True when batches of it may be stored without its mark telling. */
  readonly isAgain: boolean
}

/** What a reading came to once it is stored. `error`: the file's own trouble. */
export interface Read {
  readonly part?: PartEnd
  readonly error?: string
}

export interface HandOptions {
  readonly store: IntakeStore
  readonly workerPath: string
  readonly schemaFiles: WorkerStart['schemaFiles']
  readonly format?: string
  readonly source?: string
  readonly now: () => Instant
  readonly counts: Counts
  readonly onDamage: (file: string, damage: Damage) => void
}

/** A worker that says nothing for this long is stuck on hostile input and is ended. */
const SILENCE_MS = 180_000
const WORKER_HEAP_MB = 768
/** How often a worker is told the columns that others have made. */
const COLUMNS_MS = 30_000

interface Job {
  readonly reading: Reading
  readonly writes: Promise<BatchReceipt>[]
  readonly decoded: (read: Read) => void
  readonly broken: (error: Error) => void
}

export class Hand {
  readonly #options: HandOptions
  #worker: Worker | undefined
  #job: Job | undefined
  #storing = 0
  #columnsAt = Number.NEGATIVE_INFINITY
  #silence: NodeJS.Timeout | undefined
  #answers: Promise<void> = Promise.resolve()

  constructor(options: HandOptions) {
    this.#options = options
  }

  #start(): Worker {
    const { workerPath, schemaFiles, now, format, source } = this.#options
    const workerData: WorkerStart = { schemaFiles, now: now(), format, source, recover: false }
    const worker = new Worker(workerPath, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    })
    this.#columnsAt = Number.NEGATIVE_INFINITY
    worker.on('message', (message: FromWorker) => {
      if (worker === this.#worker) this.#hear(message)
    })
    worker.on('error', (error: Error) => {
      const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      const reason = memory ? 'it needs more memory than one file may take' : error.message
      if (worker === this.#worker) this.#end({ error: reason })
    })
    return worker
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message)
  }

  /** Ends the reading; a worker that is not known to be idle is ended with it. */
  #end(read: Read, isIdle = false): void {
    clearTimeout(this.#silence)
    const job = this.#job
    this.#job = undefined
    if (!isIdle) {
      void this.#worker?.terminate()
      this.#worker = undefined
    }
    job?.decoded(read)
  }

  #listen(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      if (this.#storing > 0) this.#listen()
      else
        this.#end({ error: `no progress for ${SILENCE_MS / 1000} seconds; the file was given up` })
    }, SILENCE_MS)
  }

  #hear(message: FromWorker): void {
    const job = this.#job
    if (job === undefined) return
    this.#listen()
    switch (message.type) {
      case 'member':
        this.#answers = this.#answers.then(() => this.#known(message.file, job))
        return
      case 'batch':
        this.#take(message.batch, message.repeated, job)
        return
      case 'damage':
        this.#options.onDamage(message.file, message.damage)
        return
      case 'done':
        this.#end(
          {
            ...(message.part === undefined ? {} : { part: message.part }),
            ...(message.error === undefined ? {} : { error: message.error }),
          },
          true,
        )
        return
      default:
    }
  }

  async #known(file: string, job: Job): Promise<void> {
    const { store } = this.#options
    try {
      const { part, isAgain } = job.reading
      const all: readonly KnownBatch[] = isAgain ? await store.knownBatches(file) : []
      const batches = part === undefined ? all : all.filter(({ first }) => first >= part.first)
      const isDue = performance.now() - this.#columnsAt > COLUMNS_MS
      const columns = isDue ? await store.columnNames() : new Map<string, readonly string[]>()
      if (isDue) this.#columnsAt = performance.now()
      this.#tell({ type: 'known', batches, columns })
    } catch (error) {
      this.#break(job, error)
    }
  }

  #break(job: Job, error: unknown): void {
    job.broken(error instanceof Error ? error : new Error(String(error)))
    if (this.#job === job) this.#end({})
  }

  #take(batch: Batch, repeated: boolean, job: Job): void {
    const { counts, store } = this.#options
    this.#storing++
    const none = { stored: 0, rejected: 0, repeated: batch.received }
    const write = repeated ? Promise.resolve(none) : store.write(batch)
    job.writes.push(write)
    write.then(
      (receipt) => {
        counts.received += batch.received
        counts.stored += receipt.stored
        counts.rejected += receipt.rejected
        counts.repeated += receipt.repeated
        this.#storing--
        this.#tell({ type: 'stored' })
      },
      (error: unknown) => {
        this.#storing--
        this.#break(job, error)
      },
    )
  }

  /**
   * Reads a file, or a part of it. `decoded` settles when the worker is free again; `stored` when all is on disk, with what it
   * came to, or rejects when the store failed.
   */
  read(reading: Reading): { readonly decoded: Promise<void>; readonly stored: Promise<Read> } {
    this.#worker ??= this.#start()
    const writes: Promise<BatchReceipt>[] = []
    const ended = new Promise<Read>((decoded, broken) => {
      this.#job = { reading, writes, decoded, broken }
    })
    this.#listen()
    const { path, part } = reading
    this.#tell({
      type: 'file',
      path,
      now: this.#options.now(),
      ...(part === undefined ? {} : { part }),
    })
    const stored = ended.then(async (read) => {
      await Promise.all(writes)
      return read
    })
    return {
      decoded: ended.then(
        () => undefined,
        () => undefined,
      ),
      stored,
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#silence)
    const worker = this.#worker
    this.#worker = undefined
    this.#end({}, true)
    await worker?.terminate()
  }
}

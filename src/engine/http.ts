/**
 * The engine over HTTP: a ClickHouse server or cluster through its own client. The same guards as the embedded
 * engine: read-only queries with limits sent along, cancelled by id, inserts with a token.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from '@clickhouse/client'
import { limits } from '../core/limits.ts'
import { quoteName, quoteText } from '../sql/quote.ts'
import { type Engine, EngineError, type QueryOptions } from './engine.ts'
import { engineErrorOf, failureOf } from './failure.ts'
import { checkQuery } from './guard.ts'
import { chunksOf, rowsOf } from './lines.ts'
import { readerSettings, writerSettings } from './settings.ts'

export interface HttpOptions {
  readonly url: string
  readonly user?: string
  readonly password?: string
  readonly database?: string
}

/** Silence on the connection that is put up with; queries end by their own limits long before. */
const SILENCE_MS = 24 * 3600 * 1000
/** Milliseconds past its limit after which a query is given up from this side. */
const GRACE_MS = 5_000
const CONNECTIONS = 10

function errorOf(error: unknown): EngineError {
  if (error instanceof ClickHouseError) {
    return failureOf(`Code: ${error.code}. DB::Exception: ${error.message}`)
  }
  return engineErrorOf(error, 'unavailable')
}

class HttpEngine implements Engine {
  readonly #client: ClickHouseClient
  readonly #where: string

  constructor(options: HttpOptions) {
    const { url, user, password, database } = options
    this.#where = new URL(url).origin
    this.#client = createClient({
      url,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
      application: 'harrier',
      request_timeout: SILENCE_MS,
      max_open_connections: CONNECTIONS,
      log: { level: ClickHouseLogLevel.OFF },
    })
  }

  async *bytes(sql: string, options: QueryOptions = {}): AsyncGenerator<Uint8Array> {
    checkQuery(sql)
    const { signal } = options
    const queryId = randomUUID()
    const control = new AbortController()
    let reason: EngineError | undefined
    let ended = false
    const stop = (why: EngineError): void => {
      reason ??= why
      control.abort()
    }
    const abort = (): void => stop(new EngineError('cancelled', 'the query was cancelled'))
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const overdue = setTimeout(
      () => stop(new EngineError('timeout', 'the query took longer than its time limit')),
      Math.min((options.seconds ?? limits.querySeconds) * 1000 + GRACE_MS, SILENCE_MS),
    )
    try {
      if (reason !== undefined) throw reason
      const { stream } = await this.#client.exec({
        query: `${sql}\nFORMAT JSONCompactEachRow`,
        query_id: queryId,
        abort_signal: control.signal,
        clickhouse_settings: {
          ...readerSettings(options),
          cancel_http_readonly_queries_on_client_close: 1,
          readonly: '1',
        },
      })
      for await (const chunk of stream) {
        if (reason !== undefined) throw reason
        if (chunk instanceof Uint8Array) yield chunk
      }
      if (reason !== undefined) throw reason
      ended = true
    } catch (error) {
      // An error that the server reported has ended the query there.
      ended = reason === undefined && error instanceof ClickHouseError
      throw reason ?? errorOf(error)
    } finally {
      clearTimeout(overdue)
      signal?.removeEventListener('abort', abort)
      if (!ended) {
        control.abort()
        await this.#kill(queryId)
      }
    }
  }

  async #kill(queryId: string): Promise<void> {
    try {
      await this.#client.command({
        query: `KILL QUERY WHERE query_id = ${quoteText(queryId)} ASYNC`,
        abort_signal: AbortSignal.timeout(GRACE_MS),
      })
    } catch {
      // The server ends the query itself when its client has gone, or at its time limit.
    }
  }

  chunks(sql: string, options: QueryOptions = {}): AsyncIterable<readonly (readonly unknown[])[]> {
    return chunksOf(this.bytes(sql, options))
  }

  rows(sql: string, options: QueryOptions = {}): AsyncIterable<readonly unknown[]> {
    return rowsOf(this.chunks(sql, options))
  }

  async command(sql: string): Promise<void> {
    try {
      await this.#client.command({ query: sql, clickhouse_settings: writerSettings })
    } catch (error) {
      throw errorOf(error)
    }
  }

  async insert(table: string, native: readonly Uint8Array[], token: string): Promise<void> {
    const pieces = native.map((each) => Buffer.from(each.buffer, each.byteOffset, each.length))
    try {
      const { stream } = await this.#client.exec({
        query: `INSERT INTO ${quoteName(table)} FORMAT Native`,
        values: Readable.from(pieces, { objectMode: false }),
        clickhouse_settings: { ...writerSettings, insert_deduplication_token: token },
      })
      for await (const _ of stream) {
        // The answer is empty; it must be read for the connection to be used again.
      }
    } catch (error) {
      throw errorOf(error)
    }
  }

  async about(): Promise<{ readonly version: string; readonly where: string }> {
    let version = ''
    for await (const [found] of this.rows('SELECT version()')) version = String(found)
    return { version, where: this.#where }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/**
 * Opens a ClickHouse server by its URL. Fails with `unavailable` when it cannot be reached or refuses the user.
 * Credentials never appear in messages.
 */
export async function openHttp(options: HttpOptions): Promise<Engine> {
  const engine = new HttpEngine(options)
  try {
    await engine.about()
  } catch (error) {
    await engine.close()
    const { kind, message, code } = errorOf(error)
    const where = new URL(options.url).origin
    throw new EngineError(kind, `cannot use the server at ${where}: ${message}`, code)
  }
  return engine
}

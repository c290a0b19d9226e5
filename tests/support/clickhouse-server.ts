/**
 * A small server that speaks enough of the ClickHouse HTTP protocol for the client to be tested against it: it
 * runs what it is sent on an embedded engine. Results stream; errors come as the real server sends them, with a
 * status before the first row and as text after it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Engine, EngineError } from '../../src/engine/engine.ts'
import { nameOf } from '../../src/sql/quote.ts'

export interface TestServer {
  readonly url: string
  /** Query strings of all requests so far. */
  readonly requests: readonly URLSearchParams[]
  close(): Promise<void>
}

const FORMAT = '\nFORMAT JSONCompactEachRow'

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

function errorText(error: unknown): { readonly code: number; readonly text: string } {
  const codes = { timeout: 159, memory: 241, cancelled: 394, refused: 497 }
  const kind = error instanceof EngineError ? error.kind : 'query'
  const known = kind in codes ? codes[kind as keyof typeof codes] : 62
  const code = error instanceof EngineError ? (error.code ?? known) : known
  const message = error instanceof Error ? error.message : String(error)
  return { code, text: `Code: ${code}. DB::Exception: ${message} (version 0)\n` }
}

const CONTROLS: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  0: '\0',
  b: '\b',
  f: '\f',
}

/** The table of `INSERT INTO t FORMAT Native`. */
function insertTarget(sql: string): string {
  const quoted = /`((?:[^`\\]|\\.)*)`/s.exec(sql)?.[1] ?? ''
  return nameOf(quoted.replace(/\\(.)/gs, (_, char: string) => CONTROLS[char] ?? char))
}

class Answers {
  readonly engine: Engine
  readonly running = new Map<string, AbortController>()

  constructor(engine: Engine) {
    this.engine = engine
  }

  async rows(sql: string, params: URLSearchParams, response: ServerResponse): Promise<void> {
    const control = new AbortController()
    const id = params.get('query_id') ?? ''
    this.running.set(id, control)
    const gone = new Promise<void>((closed) => {
      response.once('close', () => {
        control.abort()
        closed()
      })
    })
    const chunks = this.engine.chunks(sql.slice(0, -FORMAT.length), {
      seconds: Number(params.get('max_execution_time')),
      memory: Number(params.get('max_memory_usage')),
      signal: control.signal,
    })
    try {
      for await (const rows of chunks) {
        const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
        if (response.write(text)) continue
        await Promise.race([gone, new Promise((room) => response.once('drain', room))])
      }
    } finally {
      this.running.delete(id)
    }
  }

  async answer(request: IncomingMessage, params: URLSearchParams, response: ServerResponse) {
    const body = await bodyOf(request)
    const inUrl = params.get('query')
    const sql = inUrl ?? body.toString('utf8')
    const kill = /^KILL QUERY WHERE query_id = '([^']+)'/.exec(sql)
    if (kill !== null) this.running.get(kill[1] ?? '')?.abort()
    else if (inUrl !== null && sql.startsWith('INSERT')) {
      const table = insertTarget(sql)
      const token = params.get('insert_deduplication_token') ?? ''
      await this.engine.insert(table, [body], token)
    } else if (sql.endsWith(FORMAT)) {
      if (params.get('readonly') !== '1') throw new EngineError('refused', 'expected readonly=1')
      await this.rows(sql, params, response)
    } else await this.engine.command(sql)
  }
}

/** Starts the server on a free local port; closing it leaves the engine open. */
export async function startServer(engine: Engine): Promise<TestServer> {
  const requests: URLSearchParams[] = []
  const answers = new Answers(engine)
  const server = createServer((request, response) => {
    const params = new URL(request.url ?? '/', 'http://localhost').searchParams
    requests.push(params)
    answers.answer(request, params, response).then(
      () => response.end(),
      (error: unknown) => {
        const { code, text } = errorText(error)
        if (!response.headersSent) {
          response.writeHead(500, { 'X-ClickHouse-Exception-Code': String(code) })
        }
        response.end(text)
      },
    )
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections()
        server.close(() => closed())
      }),
  }
}

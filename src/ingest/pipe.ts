/**
 * Standard input and named pipes as streams of bytes. Nothing here waits in a thread, so a program can always end
 * while nothing comes, and a pipe that nothing writes to is given up.
 */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { isatty, ReadStream } from 'node:tty'

/** How long the first bytes of a pipe may take when no program has it open for writing, and how often it is tried. */
const PATIENCE_MS = 5_000
const TRY_EVERY_MS = 50

/** Standard input. A worker's own `process.stdin` is another thing, so this is descriptor 0 itself. */
export function standardInput(): AsyncIterable<Uint8Array> {
  if (isatty(0)) return new ReadStream(0)
  const stat = fstatSync(0)
  return stat.isFIFO() || stat.isSocket()
    ? new Socket({ fd: 0, readable: true, writable: false })
    : createReadStream('', { fd: 0, autoClose: false })
}

/** Bytes that are there already; none when nothing writes to the pipe, undefined when they are still to come. */
function readNow(pipe: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(64 * 1024)
  try {
    return buffer.subarray(0, readSync(pipe, buffer))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}

/** A named pipe. Fails when no program writes to it within a few seconds. */
export async function* pipeBytes(path: string): AsyncGenerator<Uint8Array> {
  const pipe = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  let first: Buffer | undefined
  try {
    const started = performance.now()
    for (first = readNow(pipe); first?.length === 0; first = readNow(pipe)) {
      if (performance.now() - started > PATIENCE_MS) throw new Error('nothing writes to this pipe')
      await wait(TRY_EVERY_MS)
    }
  } catch (error) {
    closeSync(pipe)
    throw error
  }
  if (first !== undefined) yield first
  yield* new Socket({ fd: pipe, readable: true, writable: false })
}

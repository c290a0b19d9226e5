/**
 * A file that gets one line of JSON for each message, synced before the message counts as sent. A later try looks first
 * whether the line is there, so that each message is in the file once.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { systemReason } from '../../../core/systemerror.ts'
import { RefusedError } from '../../../net/place.ts'
import type { Message } from '../message.ts'
import { asIs, type Earlier, type Kind, SendError } from './sender.ts'
import { messageJson } from './web.ts'

const CHUNK = 1 << 20

/** True when the file has a line from `from` on that begins so; a file that became shorter is searched whole. */
async function hasLine(file: FileHandle, start: string, from: number): Promise<boolean> {
  const { size } = await file.stat()
  const wanted = Buffer.from(`\n${start}`)
  let at = from > size ? 0 : Math.max(0, from - 1)
  // The first line of a file has no end of line before it.
  let before = at === 0 ? Buffer.from('\n') : Buffer.alloc(0)
  const chunk = Buffer.alloc(CHUNK)
  while (at < size) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, at)
    if (bytesRead === 0) break
    at += bytesRead
    const seen = Buffer.concat([before, chunk.subarray(0, bytesRead)])
    if (seen.includes(wanted)) return true
    before = seen.subarray(Math.max(0, seen.length - wanted.length))
  }
  return false
}

/** Takes away the end of a file after its last whole line: what a crash left of a line. */
async function dropTorn(file: FileHandle, from: number): Promise<void> {
  const { size } = await file.stat()
  if (size === 0 || size <= from) return
  const rest = Buffer.alloc(size - from)
  await file.read(rest, 0, rest.length, from)
  const end = rest.lastIndexOf(0x0a)
  if (end + 1 < rest.length) await file.truncate(from + end + 1)
}

async function write(path: string, message: Message, { isAgain, mark }: Earlier): Promise<void> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    if (!(await file.stat()).isFile()) throw new RefusedError('it is not a plain file')
    const line = `${messageJson(message)}\n`
    if (isAgain) {
      if (await hasLine(file, `{"id":"${message.id}",`, mark)) {
        if (await endsWhole(file)) {
          await file.sync()
          return
        }
      }
      const { size } = await file.stat()
      if (mark <= size) await dropTorn(file, mark)
    }
    const { size } = await file.stat()
    const isWhole = await endsWhole(file)
    await file.write(isWhole ? line : `\n${line}`, size)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function endsWhole(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat()
  if (size === 0) return true
  const last = Buffer.alloc(1)
  await file.read(last, 0, 1, size - 1)
  return last[0] === 0x0a
}

export const file: Kind = {
  kind: 'file',
  promise: 'exactly once',
  safe: asIs,
  open(target, { pathOf }) {
    const path = pathOf(target.path ?? '')
    return {
      async mark() {
        const found = await stat(path).catch(() => undefined)
        return found?.isFile() === true ? found.size : 0
      },
      async send(message, earlier) {
        try {
          await write(path, message, earlier)
        } catch (error) {
          if (error instanceof RefusedError) throw error
          throw new SendError(`the file cannot be written: ${systemReason(error)}`)
        }
      },
    }
  },
}

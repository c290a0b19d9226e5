/**
 * Whether a new file is one that was read before under another name: a rotated log that was copied, or packed. What it holds is
 * then not read twice; only what was written after the last look is.
 */
import { open } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'
import type { InputFile } from '../walk.ts'
import type { Mark } from './mark.ts'
import { isSame, printOf, readAt } from './part.ts'

/** Packed bytes that are enough for the first thousand unpacked ones. */
const PACKED_HEAD = 4_096
const MOST_UNPACKED = 8 * 1024 * 1024

export interface Kin {
  readonly mark: Mark
  /** Bytes of it, unpacked; exact up to 4 GiB. */
  readonly bytes: number
  readonly isPacked: boolean
}

const stemOf = (path: string): string => {
  const base = basename(path)
  return base.slice(0, base.length - extname(base).length)
}

/** Marks by the names that rotation may give to their files: names in the same folder that begin like theirs. */
export class Kinship {
  readonly #byStem = new Map<string, Mark[]>()

  constructor(marks: Iterable<Mark>) {
    for (const mark of marks) {
      if (mark.offset === 0) continue
      const key = join(dirname(mark.name), stemOf(mark.name))
      const others = this.#byStem.get(key)
      if (others === undefined) this.#byStem.set(key, [mark])
      else others.push(mark)
    }
  }

  /** The marks to which a new file may belong. */
  of(path: string): readonly Mark[] {
    const folder = dirname(path)
    const base = basename(path)
    const found: Mark[] = []
    for (let length = 1; length <= base.length; length++) {
      const some = this.#byStem.get(join(folder, base.slice(0, length))) ?? []
      for (const mark of some) if (mark.name !== path) found.push(mark)
    }
    return found
  }
}

interface Beginning {
  readonly bytes: Buffer
  readonly size: number
}

/** The first unpacked bytes of a gzip file and its unpacked size; undefined for another file. */
async function unpackedHead(path: string, size: number): Promise<Beginning | undefined> {
  const handle = await open(path, 'r')
  try {
    const packed = await readAt(handle, 0, PACKED_HEAD)
    if (packed[0] !== 0x1f || packed[1] !== 0x8b || size < 18) return undefined
    const end = await readAt(handle, size - 4, 4)
    const bytes = gunzipSync(packed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MOST_UNPACKED,
    })
    return { bytes, size: end.readUInt32LE(0) }
  } catch {
    return undefined
  } finally {
    await handle.close()
  }
}

/** The file that a new one continues or repeats, among those that it may belong to. */
export async function kinOf(file: InputFile, marks: readonly Mark[]): Promise<Kin | undefined> {
  // Of several that begin alike, the one of which most was read.
  const related = marks.toSorted((a, b) => b.offset - a.offset)
  const packed = await unpackedHead(file.path, file.bytes)
  for (const mark of related) {
    if (packed !== undefined) {
      const head = packed.bytes.subarray(0, mark.headBytes)
      const isAlike = head.length === mark.headBytes && printOf(head) === mark.head
      if (isAlike && packed.size >= mark.offset % 2 ** 32) {
        return { mark, bytes: packed.size, isPacked: true }
      }
    } else if (file.bytes >= mark.offset && (await isSame(file.path, mark.offset, mark))) {
      return { mark, bytes: file.bytes, isPacked: false }
    }
  }
  return undefined
}

/** How far each file has been read. Kept in the store, so that a restart goes on where it was. */
import { open } from 'node:fs/promises'
import { PRINT_BYTES, printOf, readAt } from './part.ts'

/** The records that marks are kept as. */
export const MARKS = {
  name: 'followed',
  columns: {
    id: 'text',
    name: 'text',
    path: 'text',
    identity: 'text',
    head: 'text',
    headBytes: 'number',
    tail: 'text',
    offset: 'number',
    first: 'number',
    lines: 'number',
    header: 'text',
    format: 'text',
    kind: 'text',
    size: 'number',
    changed: 'number',
    state: 'text',
    at: 'number',
  },
  key: ['id'],
} as const

export interface Mark {
  /** Tells the files apart that one name has had. */
  readonly id: string
  /** The name that events are stored under: the path at which the file was first seen. */
  readonly name: string
  /** Where it is now. */
  readonly path: string
  readonly identity: string
  /** Print of the first bytes, and of how many. */
  readonly head: string
  readonly headBytes: number
  /** Print of the last bytes before `offset`. */
  readonly tail: string
  readonly offset: number
  readonly first: number
  readonly lines: number
  readonly header: string
  readonly format: string
  /** `lines`, `whole`, or empty while that is not known. */
  readonly kind: string
  /** Size and time of change when it was last read from its start. */
  readonly size: number
  readonly changed: number
  /** `live`, or `ended` when its name has another file, or none. */
  readonly state: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** Where marks are kept. */
export interface MarkTable {
  append(rows: readonly Mark[]): Promise<void>
  read(): Promise<readonly Mark[]>
}

/** Prints of a file at a place: of its beginning, and of what ends there. */
export interface Prints {
  readonly head: string
  readonly headBytes: number
  readonly tail: string
}

/** The prints of a file for an offset. `headBytes`: how many bytes of the beginning, at most so many as there are. */
export async function printsOf(
  path: string,
  offset: number,
  headBytes = PRINT_BYTES,
): Promise<Prints> {
  const handle = await open(path, 'r')
  try {
    const head = await readAt(handle, 0, Math.min(headBytes, offset))
    const tail = await readAt(
      handle,
      Math.max(0, offset - PRINT_BYTES),
      Math.min(PRINT_BYTES, offset),
    )
    return { head: printOf(head), headBytes: head.length, tail: printOf(tail) }
  } finally {
    await handle.close()
  }
}

/** True when a file still holds at this place what it held when the mark was made. */
export async function isSame(path: string, mark: Mark): Promise<boolean> {
  if (mark.offset === 0) return true
  const { head, tail } = await printsOf(path, mark.offset, mark.headBytes)
  return head === mark.head && tail === mark.tail
}

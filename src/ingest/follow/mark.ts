/** How far each file has been read. Kept in the store, so that a restart goes on where it was. */
import type { Prints } from './part.ts'

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

export interface Mark extends Prints {
  /** Tells the files apart that one name has had. */
  readonly id: string
  /** The name that events are stored under: the path at which the file was first seen. */
  readonly name: string
  /** Where it is now. */
  readonly path: string
  readonly identity: string
  /** Bytes that have been read; the prints are of this place. */
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

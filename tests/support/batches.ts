/** Small batches for tests of the store, as intake would make them. */
import { createHash } from 'node:crypto'
import type { Batch, ColumnBlock, Reject, SourceBlock } from '../../src/schema/batch.ts'
import {
  constantText,
  ListColumn,
  MapColumn,
  TextColumn,
  TimeColumn,
  Uint64Column,
} from '../../src/schema/columns.ts'
import { LIST_SUFFIX, META } from '../../src/schema/source.ts'

/** A field is a text or a list of texts; `@more` entries go to the overflow map. */
export interface TestEvent {
  /** Milliseconds since 1970. */
  readonly time?: number
  readonly fields?: readonly (readonly [string, string | readonly string[]])[]
  readonly more?: readonly (readonly [string, string])[]
}

const START = Date.UTC(2024, 4, 1)

export function blockOf(source: string, events: readonly TestEvent[]): SourceBlock {
  const time = new TimeColumn()
  const record = new Uint64Column()
  const more = new MapColumn()
  const texts = new Map<string, TextColumn>()
  const lists = new Map<string, ListColumn>()
  for (const [row, event] of events.entries()) {
    time.append(row, event.time ?? START + row, 0)
    record.append(row, row + 1)
    for (const [key, value] of event.more ?? []) more.append(row, key, value)
    for (const [name, value] of event.fields ?? []) {
      if (typeof value === 'string') {
        const column = texts.get(name) ?? new TextColumn()
        texts.set(name, column)
        column.append(row, value)
      } else {
        const column = lists.get(name) ?? new ListColumn()
        lists.set(name, column)
        column.append(row, value)
      }
    }
  }
  const rows = events.length
  const columns: ColumnBlock[] = [
    time.finish(META.time, rows),
    constantText(META.file, 'test.log', rows),
    record.finish(META.record, rows),
    more.finish(META.more, rows),
    ...[...texts].map(([name, column]) => column.finish(name, rows)),
    ...[...lists].map(([name, column]) => column.finish(name + LIST_SUFFIX, rows)),
  ]
  return { source, rows, columns, overflow: events.some((each) => each.more !== undefined) }
}

export interface TestBatch {
  readonly id?: string
  readonly file?: string
  readonly first?: number
  readonly rejects?: readonly Reject[]
}

/** A batch of blocks; without an id, one is made from file, place and sizes. */
export function batchOf(blocks: readonly SourceBlock[], options: TestBatch = {}): Batch {
  const { file = 'test.log', first = 1, rejects = [] } = options
  const received = blocks.reduce((sum, { rows }) => sum + rows, rejects.length)
  const id =
    options.id ??
    createHash('sha256')
      .update(JSON.stringify([file, first, received]))
      .digest('hex')
  return { id, file, first, received, blocks, rejects }
}

/** A batch of numbered events of one source: `n` counts on from `first`. */
export function numberedBatch(source: string, first: number, rows: number, file?: string): Batch {
  const events = Array.from(
    { length: rows },
    (_, row): TestEvent => ({ fields: [['n', String(first + row)]] }),
  )
  return batchOf([blockOf(source, events)], { first, ...(file === undefined ? {} : { file }) })
}

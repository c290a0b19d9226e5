/** Rows of a scan back to events: which columns to ask for, and the event that a row stands for. */
import type { Field, Schema } from '../ir/types.ts'
import { LIST_SUFFIX, META } from '../schema/source.ts'
import type { StoredColumns } from '../schema/stored.ts'
import type { StoredEvent } from './finding.ts'

const HEAD: Schema = [
  { name: META.time, type: 'time' },
  { name: META.host, type: 'text' },
  { name: META.file, type: 'text' },
  { name: META.record, type: 'int' },
  { name: META.empty, type: { list: 'text' } },
  { name: META.nulls, type: { list: 'text' } },
]

/** The columns of a source that make up an event, in the order in which `readEvent` takes them. */
export function eventColumns(columns: StoredColumns): Schema {
  const texts = [...columns.text].sort().map((name): Field => ({ name, type: 'text' }))
  const lists = [...columns.lists]
    .sort()
    .map((name): Field => ({ name: name + LIST_SUFFIX, type: { list: 'text' } }))
  const more: Schema = columns.overflow ? [{ name: META.more, type: 'dynamic' }] : []
  return [...HEAD, ...more, ...texts, ...lists]
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : String(value ?? ''))
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(textOf) : []

/** The engine prints `2026-01-02 03:04:05.1234567`; people and other tools read ISO 8601. */
function isoOf(value: unknown): string {
  return `${textOf(value).replace(' ', 'T')}Z`
}

/** The overflow map holds texts by field name, and lists as JSON under the name with the list suffix. */
function overflowEntries(
  more: unknown,
): readonly (readonly [string, string | readonly string[]])[] {
  if (more === null || typeof more !== 'object') return []
  return Object.entries(more).map(([name, value]) => {
    if (!name.endsWith(LIST_SUFFIX)) return [name, textOf(value)] as const
    try {
      return [name.slice(0, -LIST_SUFFIX.length), textsOf(JSON.parse(textOf(value)))] as const
    } catch {
      return [name, textOf(value)] as const
    }
  })
}

/** Reads one row, laid out as `eventColumns` says, from `offset` on. */
export function readEvent(row: readonly unknown[], columns: Schema, offset: number): StoredEvent {
  const event: Record<string, string | readonly string[] | null> = {}
  const set = (name: string, given: string | readonly string[] | null): void => {
    // Assigning to this one name would change what the object is instead of adding a field.
    if (name !== '__proto__') event[name] = given
    else Object.defineProperty(event, name, { value: given, enumerable: true, writable: true })
  }
  const at = (index: number): unknown => row[offset + index]
  for (let index = HEAD.length; index < columns.length; index++) {
    const column = columns[index]
    if (column === undefined) continue
    const { name, type } = column
    const value = at(index)
    if (value === '') continue
    if (name === META.more) {
      for (const [field, kept] of overflowEntries(value)) set(field, kept)
    } else if (typeof type === 'object') {
      const list = textsOf(value)
      if (list.length > 0) set(name.slice(0, -LIST_SUFFIX.length), list)
    } else {
      set(name, textOf(value))
    }
  }
  for (const name of textsOf(at(4))) if (!Object.hasOwn(event, name)) set(name, '')
  for (const name of textsOf(at(5))) if (!Object.hasOwn(event, name)) set(name, null)
  return {
    time: isoOf(at(0)),
    host: textOf(at(1)),
    file: textOf(at(2)),
    record: Number(at(3)),
    event,
  }
}

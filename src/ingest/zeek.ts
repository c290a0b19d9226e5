/**
 * The decoder of Zeek's tab-separated logs. Takes bytes, gives one event a line with the log's name in `_path`: sets and
 * vectors are lists, an unset value is absent, an empty one is present but empty.
 */
import { isUtf8 } from 'node:buffer'
import { limits } from '../core/limits.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse, tell } from './refusal.ts'
import { type Field, Records } from './shape.ts'
import { zeekPath } from './zeekpath.ts'

/** Text of a value with runs of `\xHH` resolved where they are UTF-8; anything else stays as written. */
function unescaped(value: string): string {
  if (!value.includes('\\')) return value
  const pieces: string[] = []
  const bytes: number[] = []
  const flush = (): void => {
    if (bytes.length === 0) return
    const run = Buffer.from(bytes)
    const written = (): string =>
      bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
    pieces.push(isUtf8(run) ? run.toString('utf8') : written())
    bytes.length = 0
  }
  for (let at = 0; at < value.length; ) {
    const hex = value[at] === '\\' && value[at + 1] === 'x' ? value.slice(at + 2, at + 4) : ''
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16))
      at += 4
      continue
    }
    flush()
    const isDouble = value[at] === '\\' && value[at + 1] === '\\'
    const next = value.indexOf('\\', isDouble ? at + 2 : at + 1)
    const end = next === -1 ? value.length : next
    pieces.push(isDouble ? value.slice(at + 1, end) : value.slice(at, end))
    at = end
  }
  flush()
  return pieces.join('')
}

interface Column {
  readonly field: Field
  readonly isList: boolean
}

/** What the header lines say, until the next header. */
class ZeekLog {
  private readonly sink: Sink
  private readonly file: string
  private separator = '\t'
  private setSeparator = ','
  private emptyText = '(empty)'
  private unsetText = '-'
  private path: string | undefined
  private names: readonly string[] = []
  private types: readonly string[] = []
  private columns: readonly Column[] | undefined
  private records: Records
  private pathField: Field

  constructor(sink: Sink, file: string) {
    this.sink = sink
    this.file = file
    this.records = this.fresh()
    this.pathField = this.records.field('_path')
  }

  private fresh(): Records {
    return new Records((names) => ({
      kind: 'zeek',
      names,
      times: [names.indexOf('ts')].filter((at) => at >= 0),
      hosts: [],
    }))
  }

  line(text: string, line: number): void {
    if (text.startsWith('#')) this.header(text, line)
    else if (text !== '') this.row(text, line)
  }

  private header(text: string, line: number): void {
    const [word = '', ...rest] = text.split(
      text.startsWith('#separator ') ? ' ' : this.separator,
      limits.fieldsPerEvent + 2,
    )
    const [value = ''] = rest
    if (word === '#separator') this.separator = unescaped(value) || '\t'
    else if (word === '#set_separator') this.setSeparator = unescaped(value) || ','
    else if (word === '#empty_field') this.emptyText = unescaped(value)
    else if (word === '#unset_field') this.unsetText = unescaped(value)
    else if (word === '#path') this.path = unescaped(value)
    else if (word === '#fields' || word === '#types') {
      if (word === '#fields') {
        this.names = rest
        this.types = []
      } else this.types = rest
      this.columns = undefined
      if (new Set(this.names).size !== this.names.length) this.bad(text, line)
    } else if (word !== '#open' && word !== '#close') this.bad(text, line)
  }

  private bad(text: string, line: number): void {
    tell(this.sink, 'HR140', { line: text.slice(0, 100) }, `line ${line}`)
  }

  private layout(): readonly Column[] {
    if (this.columns !== undefined) return this.columns
    this.records = this.fresh()
    this.pathField = this.records.field('_path')
    this.columns = this.names.slice(0, limits.fieldsPerEvent + 1).map((name, at) => ({
      field: this.records.field(name),
      isList: /^(?:set|vector)\[/.test(this.types[at] ?? ''),
    }))
    return this.columns
  }

  private row(text: string, line: number): void {
    const at = { place: `line ${line}`, raw: text }
    const columns = this.layout()
    if (columns.length === 0) {
      refuse(this.sink, 'HR139', {}, at)
      return
    }
    if (columns.length > limits.fieldsPerEvent) {
      refuse(this.sink, 'HR124', { limit: limits.fieldsPerEvent }, at)
      return
    }
    const cells = text.split(this.separator, columns.length + 1)
    if (cells.length !== columns.length) {
      const found = cells.length > columns.length ? `more than ${columns.length}` : cells.length
      refuse(this.sink, 'HR138', { cells: found, columns: columns.length }, at)
      return
    }
    this.records.begin()
    const path = this.path ?? zeekPath(this.file)
    if (path !== undefined) this.records.put(this.pathField, path)
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i] ?? ''
      const column = columns[i]
      if (column === undefined || cell === this.unsetText) continue
      if (!this.put(column, cell)) {
        refuse(this.sink, 'HR128', { limit: limits.valuesPerEvent }, at)
        return
      }
    }
    this.sink.event(this.records.finish(text, line))
  }

  /** Sets a field; false when a list is too long. */
  private put({ field, isList }: Column, cell: string): boolean {
    if (cell === this.emptyText) this.records.put(field, '')
    else if (isList) {
      const elements = cell.split(this.setSeparator, limits.valuesPerEvent + 1)
      if (elements.length > limits.valuesPerEvent) return false
      this.records.list(
        field,
        elements.map((each) => (each === this.unsetText ? '' : unescaped(each))),
      )
    } else this.records.put(field, unescaped(cell))
    return true
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  context: DecodeContext,
): Promise<void> {
  const log = new ZeekLog(sink, context.file)
  await readLines(bytes, sink, (text, line) => log.line(text, line))
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  if (/^#separator /.test(text)) return 99
  return /^#(?:fields|path|set_separator)\t/m.test(text.slice(0, 2_000)) ? 90 : 0
}

/** The decoder of Zeek's own log format. */
export const zeek: Decoder = {
  name: 'zeek',
  says: 'Zeek logs in their tab-separated form',
  detect,
  decode,
}

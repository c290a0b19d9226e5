/**
 * Joins the records of one Linux audit event (same node, time and serial number) into one event, also when the records of
 * several events arrive mixed. `type` lists the record types; a field that differs between records is a list of its values.
 *
 * The arguments of a program stand in its EXECVE record as `a0`, `a1`, ...; the SYSCALL record has fields of the same
 * names that hold register values. When an event has both, those of SYSCALL are called `syscall_a0` and so on, so that a
 * rule for one record type cannot match the other's arguments. All arguments in order are `argv` as well.
 */
import { limits } from '../core/limits.ts'
import type { Instant } from '../core/time.ts'
import { type AuditRecord, argumentText } from './auditline.ts'
import type { Sink } from './decoder.ts'
import { refuse, tell } from './refusal.ts'
import { Records } from './shape.ts'

/** Arguments past this one are in `argv` only: a command may have tens of thousands. */
const OWN_ARGUMENTS = 100

interface OpenEvent {
  readonly time: Instant
  readonly host: string | undefined
  readonly line: number
  readonly lines: string[]
  readonly types: Set<string>
  /** One value, or the different values of several records. */
  readonly fields: Map<string, string | Set<string>>
  /** Register values of the SYSCALL record, and the pieces of each argument of EXECVE. */
  readonly registers: [string, string][]
  readonly pieces: Map<number, string[]>
  readonly inPieces: Set<number>
  chars: number
  isClosed: boolean
}

function put(fields: OpenEvent['fields'], name: string, value: string): void {
  const before = fields.get(name)
  if (before === undefined) fields.set(name, value)
  else if (typeof before !== 'string') before.add(value)
  else if (before !== value) fields.set(name, new Set([before, value]))
}

/** True for `a0` to `a3`, the register values of a SYSCALL record. */
function isRegister(name: string): boolean {
  const digit = name.charCodeAt(1)
  return name.length === 2 && name.charCodeAt(0) === 97 && digit >= 48 && digit <= 51
}

export class AuditJoiner {
  private readonly sink: Sink
  private records = this.fresh()
  private readonly open = new Map<string, OpenEvent>()
  /**
   * Events in the order in which they began, which is the order in which they are given: where a file is cut must not
   * change which events are whose neighbours.
   */
  private readonly waiting = new Set<OpenEvent>()
  /** Events closed lately, to tell records that come after. */
  private readonly closed = new Set<string>()
  /** Characters of all events that wait. */
  private chars = 0
  private late = 0
  private firstLate = ''

  constructor(sink: Sink) {
    this.sink = sink
  }

  private fresh(): Records {
    return new Records((names) => ({ kind: 'auditd', names, times: [], hosts: [] }))
  }

  /** Takes a record; `raw` is its line and `host` the host of the syslog line around it, if any. */
  take(record: AuditRecord, raw: string, line: number, host?: string): void {
    if (record.fields.length > limits.fieldsPerEvent / 2) {
      const at = { place: `line ${line}`, raw }
      refuse(this.sink, 'HR124', { limit: limits.fieldsPerEvent / 2 }, at)
      return
    }
    const from = record.node ?? host
    const key = `${from ?? ''} ${record.stamp}`
    const known = this.open.get(key)
    const isTight =
      known !== undefined && known.fields.size + record.fields.length > limits.fieldsPerEvent / 2
    if (isTight) this.close(key, known)
    const event = isTight || known === undefined ? this.begin(key, record, line, from) : known
    event.lines.push(raw)
    event.chars += raw.length
    this.chars += raw.length
    event.types.add(record.type)
    for (const [name, value] of record.fields) this.field(event, record.type, name, value)
    const isFull = event.chars > limits.recordBytes / 4
    if (record.type === 'EOE' || isFull) this.close(key, event)
    while (this.waiting.size > limits.auditEvents || this.chars > limits.recordBytes)
      this.closeOldest()
  }

  private closeOldest(): void {
    for (const [key, event] of this.open) {
      this.close(key, event)
      return
    }
  }

  private begin(
    key: string,
    record: AuditRecord,
    line: number,
    host: string | undefined,
  ): OpenEvent {
    if (this.closed.has(key)) {
      if (this.late === 0) this.firstLate = `line ${line}`
      this.late++
    }
    const event: OpenEvent = {
      time: record.time,
      host,
      line,
      lines: [],
      types: new Set(),
      fields: new Map(),
      registers: [],
      pieces: new Map(),
      inPieces: new Set(),
      chars: 0,
      isClosed: false,
    }
    this.waiting.add(event)
    this.open.set(key, event)
    return event
  }

  private field(event: OpenEvent, type: string, name: string, value: string): void {
    if (type === 'SYSCALL' && isRegister(name)) {
      event.registers.push([name, value])
      return
    }
    const argument = type === 'EXECVE' ? /^a(\d{1,6})(\[\d{1,6}\])?$/.exec(name) : null
    if (argument === null) {
      put(event.fields, name, value)
      return
    }
    const index = Number(argument[1])
    if (argument[2] === undefined) event.pieces.set(index, [value])
    else {
      const pieces = event.pieces.get(index)
      event.inPieces.add(index)
      if (pieces === undefined) event.pieces.set(index, [value])
      else pieces.push(value)
    }
  }

  private close(key: string, event: OpenEvent): void {
    this.open.delete(key)
    event.isClosed = true
    this.closed.add(key)
    if (this.closed.size > limits.auditEvents) {
      for (const oldest of this.closed) {
        this.closed.delete(oldest)
        break
      }
    }
    for (const first of this.waiting) {
      if (!first.isClosed) break
      this.waiting.delete(first)
      this.chars -= first.chars
      this.emit(first)
    }
  }

  private emit(event: OpenEvent): void {
    if (this.records.nameChars > limits.recordBytes / 16) this.records = this.fresh()
    const { records } = this
    records.begin()
    const [type = ''] = event.types
    if (event.types.size === 1) records.put(records.field('type'), type)
    else records.list(records.field('type'), [...event.types])
    const prefix = event.pieces.size > 0 ? 'syscall_' : ''
    for (const [name, value] of event.registers) put(event.fields, prefix + name, value)
    const indexes = [...event.pieces.keys()].sort((a, b) => a - b)
    const argv = indexes.map((index) => {
      const pieces = event.pieces.get(index) ?? []
      return event.inPieces.has(index) ? argumentText(pieces) : (pieces[0] ?? '')
    })
    indexes.forEach((index, at) => {
      if (index < OWN_ARGUMENTS) put(event.fields, `a${index}`, argv[at] ?? '')
    })
    for (const [name, value] of event.fields) {
      const field = records.field(name === 'type' ? 'type_' : name)
      if (typeof value === 'string') records.put(field, value)
      else records.list(field, [...value])
    }
    if (argv.length > 0) records.list(records.field('argv'), argv)
    this.sink.event(records.finish(event.lines.join('\n'), event.line, event.time, event.host))
  }

  /** Gives all events that are still open. */
  end(): void {
    for (const [key, event] of this.open) this.close(key, event)
    if (this.late > 0) tell(this.sink, 'HR136', { count: this.late }, this.firstLate)
  }
}

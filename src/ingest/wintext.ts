/**
 * The decoder of Windows events as text, as the agents of Splunk write them: a time, `LogName=...` and other header lines,
 * and the message that a person reads. Takes bytes, gives the same fields as the event's XML as far as the message tells
 * them, beside the names of the message itself.
 */
import { limits } from '../core/limits.ts'
import type { DecodeContext, Decoder, Sink } from './decoder.ts'
import { readLines } from './lines.ts'
import { refuse } from './refusal.ts'
import type { Records } from './shape.ts'
import { timeIn } from './times.ts'
import { innerScope, MOST_NAME_CHARS, ROOT, textField, windowsRecords } from './winevent.ts'

const DATE = /^\d{1,2}\/\d{1,2}\/\d{4} \d{1,2}:\d\d:\d\d(?:\.\d{1,7})? [AP]M$/
const HEADER = /^([A-Z][A-Za-z]{1,30})=(.*)$/
const PAIR = /^(\s*)([A-Za-z][A-Za-z0-9 /()_.-]{0,60}):(?:\s+(.*))?$/
const SCRIPT = /^Creating Scriptblock text \((\d+) of (\d+)\):\s*$/

/** Providers that write another name into their texts. */
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['Microsoft Windows security auditing.', 'Microsoft-Windows-Security-Auditing'],
])

/** Names of the header that the XML of an event has under others. */
const HEADERS: ReadonlyMap<string, string> = new Map([
  ['LogName', 'Channel'],
  ['EventCode', 'EventID'],
  ['ComputerName', 'Computer'],
  ['SourceName', 'Provider_Name'],
  ['RecordNumber', 'EventRecordID'],
  ['Sid', 'Security_UserID'],
])

const ACCOUNT = [
  ['Security ID', 'UserSid'],
  ['Account Name', 'UserName'],
  ['Account Domain', 'DomainName'],
  ['Logon ID', 'LogonId'],
] as const

/** Sections of a message whose names begin those of the XML. */
const SECTIONS: ReadonlyMap<string, 'Subject' | 'Target'> = new Map([
  ['Subject', 'Subject'],
  ['Creator Subject', 'Subject'],
  ['Target Subject', 'Target'],
  ['Target Account', 'Target'],
  ['Target Computer', 'Target'],
  ['New Logon', 'Target'],
  ['New Account', 'Target'],
  ['New Computer Account', 'Target'],
  ['Group', 'Target'],
  ['Account Information', 'Target'],
  ['Account For Which Logon Failed', 'Target'],
  ['Account Whose Credentials Were Used', 'Target'],
  ['Account That Was Locked Out', 'Target'],
  ['Computer Account That Was Changed', 'Target'],
])

/** Names of lines that the XML has under others, wherever they stand. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ['Accesses', 'AccessList'],
  ['Access Mask', 'AccessMask'],
  ['Authentication Package', 'AuthenticationPackageName'],
  ['Client Address', 'IpAddress'],
  ['Client Port', 'IpPort'],
  ['Creator Process ID', 'ProcessId'],
  ['Creator Process Name', 'ParentProcessName'],
  ['Error Code', 'Status'],
  ['Failure Code', 'Status'],
  ['Failure Reason', 'FailureReason'],
  ['Group Domain', 'TargetDomainName'],
  ['Group Name', 'TargetUserName'],
  ['Logon Account', 'TargetUserName'],
  ['Logon GUID', 'LogonGuid'],
  ['Logon Process', 'LogonProcessName'],
  ['Logon Type', 'LogonType'],
  ['Mandatory Label', 'MandatoryLabel'],
  ['New Process ID', 'NewProcessId'],
  ['New Process Name', 'NewProcessName'],
  ['Object Name', 'ObjectName'],
  ['Object Server', 'ObjectServer'],
  ['Object Type', 'ObjectType'],
  ['Process Command Line', 'CommandLine'],
  ['Process ID', 'ProcessId'],
  ['Process Name', 'ProcessName'],
  ['Relative Target Name', 'RelativeTargetName'],
  ['Result Code', 'Status'],
  ['SAM Account Name', 'SamAccountName'],
  ['Service File Name', 'ImagePath'],
  ['Service Name', 'ServiceName'],
  ['Service Start Type', 'StartType'],
  ['Service Type', 'ServiceType'],
  ['Share Name', 'ShareName'],
  ['Source Network Address', 'IpAddress'],
  ['Source Port', 'IpPort'],
  ['Source Workstation', 'Workstation'],
  ['Sub Status', 'SubStatus'],
  ['Task Content', 'TaskContent'],
  ['Task Name', 'TaskName'],
  ['Ticket Encryption Type', 'TicketEncryptionType'],
  ['Ticket Options', 'TicketOptions'],
  ['Token Elevation Type', 'TokenElevationType'],
  ['Workstation Name', 'WorkstationName'],
])

const DATA = innerScope(innerScope(ROOT, 'Event'), 'EventData')

/** Puts a value unless the record has the field already. */
class Fields {
  private readonly records: Records
  private readonly seen = new Set<string>()

  constructor(records: Records) {
    this.records = records
  }

  /** True when the record has as many fields as an event may have; the message still holds the rest. */
  get isFull(): boolean {
    return this.records.fieldCount >= limits.fieldsPerEvent
  }

  once(name: string, value: string): void {
    if (this.seen.has(name) || this.isFull) return
    this.seen.add(name)
    this.records.put(this.records.field(name), value)
  }

  /** A field of which a message may give several values. */
  also(name: string, value: string): void {
    const field = this.records.field(name)
    if (this.seen.has(name)) this.records.append(field, value)
    else this.once(name, value)
  }
}

/** The lines of a script block, which is no message to be taken apart, and where it ends. */
function scriptOf(lines: readonly string[]): number {
  const end = lines.findIndex((line) => line.startsWith('ScriptBlock ID:'))
  return end < 0 ? lines.length : end
}

function readMessage(lines: readonly string[], fields: Fields): void {
  let rest = lines
  const script = SCRIPT.exec(lines[0] ?? '')
  if (script !== null) {
    const end = scriptOf(lines)
    fields.once('MessageNumber', script[1] ?? '')
    fields.once('MessageTotal', script[2] ?? '')
    fields.once('ScriptBlockText', lines.slice(1, end).join('\n').trimEnd())
    rest = lines.slice(end).map((line) => line.replace(/^ScriptBlock ID:/, 'ScriptBlockId:'))
  }
  let section = ''
  for (const line of rest) {
    const match = PAIR.exec(line)
    if (match === null) continue
    const [, indent = '', name = '', value = ''] = match
    const text = value.trim()
    if (text === '' && indent === '') section = name
    if (text === '') continue
    const owner = SECTIONS.get(section)
    const account = ACCOUNT.find(([each]) => each === name)
    const known =
      owner !== undefined && account !== undefined
        ? `${owner === 'Target' && account[1] === 'UserSid' && section === 'Group' ? 'TargetSid' : owner + account[1]}`
        : NAMES.get(name)
    if (known !== undefined) fields.once(known, text)
    const written = name.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')
    if (written !== known) fields.also(textField(DATA, written, ''), text)
  }
}

function readEvent(lines: readonly string[], records: Records): void {
  const fields = new Fields(records)
  for (let at = 0; at < lines.length; at++) {
    const match = HEADER.exec(lines[at] ?? '')
    if (match === null) continue
    const [, name = '', value = ''] = match
    if (name !== 'Message') {
      fields.once(HEADERS.get(name) ?? name, PROVIDERS.get(value) ?? value)
      continue
    }
    const message = [value, ...lines.slice(at + 1)]
    fields.once('Message', message.join('\n').trimEnd())
    readMessage(message, fields)
    return
  }
}

async function decode(
  bytes: AsyncIterable<Uint8Array>,
  sink: Sink,
  _context: DecodeContext,
): Promise<void> {
  let records = windowsRecords()
  let lines: string[] = []
  let first = 1
  let size = 0
  let held: { readonly text: string; readonly line: number } | undefined
  const finish = (): void => {
    const raw = lines.join('\n').trimEnd()
    const place = `line ${first}`
    const isEvent = lines.some((line) => line.startsWith('LogName='))
    if (size > limits.recordBytes)
      refuse(sink, 'HR120', { limit: limits.recordBytes }, { place, raw })
    else if (isEvent) {
      if (records.nameChars > MOST_NAME_CHARS) records = windowsRecords()
      records.begin()
      readEvent(lines, records)
      const date = lines.find((line) => line.trim() !== '') ?? ''
      sink.event(records.finish(raw, first, DATE.test(date) ? timeIn(date) : undefined))
    } else if (raw !== '') refuse(sink, 'HR126', {}, { place, raw })
    lines = []
    size = 0
  }
  const add = (text: string, line: number): void => {
    if (lines.length === 0) first = line
    size += text.length + 1
    // What is over the limit is counted, not kept.
    if (size <= limits.recordBytes) lines.push(text)
  }
  await readLines(bytes, sink, (text, line) => {
    const before = held
    held = undefined
    if (text.startsWith('LogName=')) {
      finish()
      if (before !== undefined) add(before.text, before.line)
      add(text, line)
      return
    }
    if (before !== undefined) add(before.text, before.line)
    if (DATE.test(text)) held = { text, line }
    else if (text.trim() !== '' || lines.length > 0) add(text, line)
  })
  if (held !== undefined) add(held.text, held.line)
  finish()
}

function detect(head: Uint8Array): number {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 4096)).toString(
    'latin1',
  )
  const [first = '', second = ''] = text.replace(/\r/g, '').trimStart().split('\n', 2)
  if (first.startsWith('LogName=')) return 95
  return DATE.test(first) && second.startsWith('LogName=') ? 95 : 0
}

/** The decoder of Windows events as text. */
export const wintext: Decoder = {
  name: 'wintext',
  says: 'Windows events as text, as agents of Splunk write them (LogName=..., Message=...)',
  detect,
  decode,
}

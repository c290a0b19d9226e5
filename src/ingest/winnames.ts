/**
 * Names of Windows event records in JSON and CSV, whichever tool wrote them, changed to the names that the EVTX reader
 * gives: System parts as `Provider_Name`, event data by its own leaf name. Takes and gives lists of names.
 */

import { attributeField, innerScope, ROOT, textField } from './winevent.ts'

/** A new name for each place, or undefined for a place that carries nothing (an empty element). */
export type NewNames = readonly (string | undefined)[]

const BEAT_NAMES = new Map([
  ['winlog.channel', 'Channel'],
  ['winlog.event_id', 'EventID'],
  ['winlog.computer_name', 'Computer'],
  ['winlog.provider_name', 'Provider_Name'],
  ['winlog.provider_guid', 'Provider_Guid'],
  ['winlog.record_id', 'EventRecordID'],
  ['winlog.version', 'Version'],
  ['winlog.process.pid', 'Execution_ProcessID'],
  ['winlog.process.thread.id', 'Execution_ThreadID'],
  ['winlog.activity_id', 'Correlation_ActivityID'],
  ['winlog.related_activity_id', 'Correlation_RelatedActivityID'],
  ['winlog.user.identifier', 'Security_UserID'],
  ['winlog.time_created', 'TimeCreated_SystemTime'],
])

const OLD_BEAT_NAMES = new Map([
  ['log_name', 'Channel'],
  ['event_id', 'EventID'],
  ['computer_name', 'Computer'],
  ['source_name', 'Provider_Name'],
  ['provider_guid', 'Provider_Guid'],
  ['record_number', 'EventRecordID'],
  ['version', 'Version'],
  ['process_id', 'Execution_ProcessID'],
  ['thread_id', 'Execution_ThreadID'],
  ['activity_id', 'Correlation_ActivityID'],
  ['related_activity_id', 'Correlation_RelatedActivityID'],
  ['user.identifier', 'Security_UserID'],
])

/**
 * Flat records (NXLog, OTRF data sets, Splunk, Log Analytics, Get-WinEvent): a name and what it stands for. A name is
 * changed only when the record has no field of the wanted name; the first that fits is taken.
 */
const FLAT_NAMES: readonly (readonly [string, string])[] = [
  ['EventId', 'EventID'],
  ['EventCode', 'EventID'],
  ['Id', 'EventID'],
  ['LogName', 'Channel'],
  ['Hostname', 'Computer'],
  ['ComputerName', 'Computer'],
  ['MachineName', 'Computer'],
  ['SourceName', 'Provider_Name'],
  ['EventSourceName', 'Provider_Name'],
  ['ProviderName', 'Provider_Name'],
  ['Provider', 'Provider_Name'],
  ['ProviderGuid', 'Provider_Guid'],
  ['ProviderId', 'Provider_Guid'],
  ['RecordNumber', 'EventRecordID'],
  ['RecordId', 'EventRecordID'],
  ['EventRecordId', 'EventRecordID'],
  ['ExecutionProcessID', 'Execution_ProcessID'],
  ['SystemProcessId', 'Execution_ProcessID'],
  ['ExecutionThreadID', 'Execution_ThreadID'],
  ['SystemThreadId', 'Execution_ThreadID'],
  ['SystemUserId', 'Security_UserID'],
  ['TimeCreated', 'TimeCreated_SystemTime'],
  ['OpcodeValue', 'Opcode'],
  ['TaskValue', 'Task'],
  ['LevelValue', 'Level'],
]

/** Elements that carry attributes only: converters give a null for them when there are none. */
const BARE_ELEMENTS = new Set(
  ['Provider', 'TimeCreated', 'Correlation', 'Execution', 'Security'].map(
    (each) => `System.${each}`,
  ),
)

/** Names that stand for System parts in NXLog records only; elsewhere they may be event data. */
const NXLOG_NAMES: readonly (readonly [string, string])[] = [
  ['ThreadID', 'Execution_ThreadID'],
  ['UserID', 'Security_UserID'],
  ['ActivityID', 'Correlation_ActivityID'],
  ['RelatedActivityID', 'Correlation_RelatedActivityID'],
]

const EVENT = innerScope(ROOT, 'Event')
const EVENT_DATA = innerScope(EVENT, 'EventData')
const USER_DATA = innerScope(EVENT, 'UserData')

function leafOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

/** How XML-to-JSON converters mark an attribute: the key between the element's path and the attribute's name. */
const ATTRIBUTE_MARKS = ['.#attributes.', '_attributes.', '.@']

/** Element path and attribute name of a place in the tree; no attribute for an element's own text. */
function treePlace(path: string): { readonly element: string; readonly attribute?: string } {
  for (const mark of ATTRIBUTE_MARKS) {
    const at = path.indexOf(mark)
    if (at >= 0) return { element: path.slice(0, at), attribute: path.slice(at + mark.length) }
  }
  if (path === 'System.EventID.Value') return { element: 'System.EventID' }
  return { element: path.endsWith('.#text') ? path.slice(0, -6) : path }
}

/** The field of one place in an event tree, given its path below `Event`; undefined for what is no field. */
function treeName(path: string): string | undefined {
  if (/(?:^|[.@])xmlns(?:[.:]|$)/.test(path)) return undefined
  const { element, attribute } = treePlace(path)
  const dot = element.indexOf('.')
  const section = dot < 0 ? element : element.slice(0, dot)
  const inner = element.slice(section.length + 1)
  if (inner === '') {
    return attribute === undefined ? undefined : attributeField(EVENT, section, attribute)
  }
  const scope = innerScope(EVENT, section)
  // Some converters mark nothing; in the System section whatever is below an element is its attribute.
  const name = section === 'System' ? inner.replaceAll('.', '_') : inner
  const own = section === 'System' || section === 'EventData' ? name : leafOf(inner)
  if (attribute !== undefined) return attributeField(scope, own, attribute)
  return BARE_ELEMENTS.has(element) ? undefined : textField(scope, own, '')
}

/** `{"Event": {"System": ..., "EventData": ...}}` as evtx_dump, xmltodict and their like write it. */
function treeNames(names: readonly string[]): NewNames | undefined {
  for (const root of ['Event.', '']) {
    const isTree = names.some(
      (name) =>
        name === `${root}System.EventID` ||
        name === `${root}System.EventID.#text` ||
        name === `${root}System.EventID.Value`,
    )
    if (!isTree) continue
    return names.map((name) => {
      if (name.startsWith('Event_attributes.')) return treeName('xmlns')
      return name.startsWith(root) ? treeName(name.slice(root.length)) : name
    })
  }
  return undefined
}

function beatNames(names: readonly string[]): NewNames | undefined {
  const isNew = names.includes('winlog.event_id') || names.includes('winlog.channel')
  if (!isNew && !(names.includes('event_id') && names.includes('log_name'))) return undefined
  const table = isNew ? BEAT_NAMES : OLD_BEAT_NAMES
  const root = isNew ? 'winlog.' : ''
  // Agents of a later kind give the event id in the common part only.
  const isBare = isNew && !names.includes('winlog.event_id')
  return names.map((name) => {
    const known = table.get(name)
    if (known !== undefined) return known
    if (isBare && name === 'event.code') return 'EventID'
    if (name.startsWith(`${root}event_data.`)) {
      return textField(EVENT_DATA, name.slice(root.length + 'event_data.'.length), '')
    }
    return name.startsWith(`${root}user_data.`) ? textField(USER_DATA, leafOf(name), '') : name
  })
}

function isFlat(names: ReadonlySet<string>): boolean {
  const hasId = names.has('EventID') || names.has('EventId') || names.has('EventCode')
  if (hasId && (names.has('Channel') || names.has('LogName'))) return true
  if (hasId && names.has('ProviderGuid') && names.has('SourceName')) return true
  return names.has('Id') && names.has('LogName') && names.has('ProviderName')
}

function flatNames(names: readonly string[]): NewNames | undefined {
  const present = new Set(names)
  if (!isFlat(present)) return undefined
  const renamed: (string | undefined)[] = names.map((name) =>
    name.startsWith('EventData.')
      ? textField(EVENT_DATA, name.slice('EventData.'.length), '')
      : name,
  )
  const rename = (from: string, to: string): void => {
    if (!present.has(from) || present.has(to)) return
    renamed[names.indexOf(from)] = to
    present.delete(from)
    present.add(to)
  }
  // NXLog gives the rendered text as Opcode beside the number; the number is what other readers call Opcode.
  if (present.has('OpcodeValue')) rename('Opcode', 'OpcodeName')
  for (const [from, to] of FLAT_NAMES) rename(from, to)
  if (names.includes('ExecutionProcessID') || names.includes('SourceModuleType')) {
    for (const [from, to] of NXLOG_NAMES) rename(from, to)
  }
  for (const name of names) {
    if (!name.startsWith('EventData.')) rename(name, name.replaceAll(' ', ''))
  }
  return renamed
}

/**
 * The EVTX names of a record with these names, or undefined when it is no Windows event. Two places may get
 * the same name; their values then make one list.
 */
export function windowsNames(names: readonly string[]): NewNames | undefined {
  return treeNames(names) ?? beatNames(names) ?? flatNames(names)
}

/** True when event data stands as a list of name and text pairs, whose names only the values tell. */
export function hasPairs(names: readonly string[]): boolean {
  return names.some((name) => /(?:^|\.)EventData\.Data\.(?:@|#attributes\.)?Name$/.test(name))
}

/** A whole number of 64 bits as Windows prints keywords: `0x` and lower-case hex. */
export function keywordsText(text: string): string {
  if (!/^-?\d{1,20}$/.test(text)) return text
  return `0x${BigInt.asUintN(64, BigInt(text)).toString(16)}`
}

/** A GUID with braces, as Windows prints it; some converters leave them out. */
export function guidText(text: string): string {
  return /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/.test(text) ? `{${text}}` : text
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Object.getOwnPropertyDescriptor(value, key)?.value
    : undefined
}

/** Name and text of each `<Data Name="...">` in the JSON text of an event written as pairs, in order. */
export function dataPairs(raw: string): readonly (readonly [string, string])[] {
  let tree: unknown
  try {
    tree = JSON.parse(raw)
  } catch {
    return []
  }
  const source = memberOf(tree, '_source') ?? memberOf(tree, 'result') ?? tree
  const data = memberOf(memberOf(memberOf(source, 'Event') ?? source, 'EventData'), 'Data')
  const items: readonly unknown[] = Array.isArray(data) ? data : [data]
  return items.map((item) => {
    const name =
      memberOf(item, '@Name') ??
      memberOf(memberOf(item, '#attributes'), 'Name') ??
      memberOf(item, 'Name')
    const text =
      typeof item === 'object' ? (memberOf(item, '#text') ?? memberOf(item, 'text')) : item
    return [
      textField(EVENT_DATA, 'Data', typeof name === 'string' ? name : ''),
      text == null ? '' : String(text),
    ]
  })
}

/**
 * Which fields of an event tell a person most. Takes the event and the fields that the rule reads, gives them in
 * the order in which to show them.
 */
import type { EventFields } from '../detect/finding.ts'
import { cut, safeCut } from './text.ts'

/** Fields that tell most about an event, best first. */
const TELLING = [
  'CommandLine',
  'ProcessCommandLine',
  'ScriptBlockText',
  'Payload',
  'Image',
  'NewProcessName',
  'ParentImage',
  'ParentCommandLine',
  'TargetFilename',
  'TargetObject',
  'Details',
  'ImageLoaded',
  'PipeName',
  'QueryName',
  'DestinationHostname',
  'DestinationIp',
  'DestinationPort',
  'ServiceName',
  'ImagePath',
  'ServiceFileName',
  'TaskName',
  'SourceImage',
  'TargetImage',
  'GrantedAccess',
  'ShareName',
  'RelativeTargetName',
  'TargetUserName',
  'SubjectUserName',
  'User',
  'IpAddress',
  'Message',
  'message',
  'exe',
  'comm',
  'cs-uri',
  'c-uri',
  'cs-uri-query',
  'cs-host',
  'c-useragent',
  'query',
  'id.orig_h',
  'id.resp_h',
  'eventName',
  'eventSource',
  'sourceIPAddress',
  'userIdentity.arn',
  'operationName',
  'OperationName',
  'properties.message',
]

const TELLING_NAMES = new Set(TELLING)
const RANKS = new Map(TELLING.map((name, rank) => [name, rank]))

/** Fields that say what kind of event it is or where it came from, which is shown already; in lower case. */
const DULL = new Set([
  'eventid',
  'channel',
  'provider_name',
  'provider_guid',
  'logname',
  'source_name',
  'product',
  'computer',
  'eventrecordid',
  'timecreated_systemtime',
  'utctime',
  'version',
  'level',
  'task',
  'opcode',
  'keywords',
  'correlation_activityid',
  'execution_processid',
  'execution_threadid',
  'security_userid',
  'processguid',
])

export interface FieldShown {
  readonly name: string
  readonly values: readonly string[]
  /** True when the rule reads this field. */
  readonly isRead: boolean
}

/** Every field of the event: those the rule reads, then those that tell most, then the rest in their order. */
export function orderFields(event: EventFields, read: readonly string[]): readonly FieldShown[] {
  const readNames = new Set(read.map((name) => name.toLowerCase()))
  const rows = Object.entries(event).map(([name, value], place) => {
    const isRead = readNames.has(name.toLowerCase())
    const values = value === null ? [] : typeof value === 'string' ? [value] : value
    const rank = (isRead ? 0 : TELLING.length + 1) + (RANKS.get(name) ?? TELLING.length)
    return { name, values, isRead, rank, place }
  })
  rows.sort((a, b) => a.rank - b.rank || a.place - b.place)
  return rows.map(({ name, values, isRead }) => ({ name, values, isRead }))
}

/** One safe line of the fields that tell most, from fields in the order of `orderFields`, at most `width` columns. */
export function evidenceLine(fields: readonly FieldShown[], width: number): string {
  const pieces: string[] = []
  let room = width
  for (const { name, values, isRead } of fields) {
    if (pieces.length === 4 || (room < 16 && pieces.length > 0)) break
    if (DULL.has(name.toLowerCase()) || values.every((value) => value === '')) continue
    if (!isRead && pieces.length > 1 && !TELLING_NAMES.has(name)) continue
    const value = values.slice(0, 20).map((each) => safeCut(each, 240))
    const piece = cut(`${safeCut(name, 40)}=${value.join(', ')}`, 280)
    pieces.push(piece)
    room -= piece.length + 2
  }
  return cut(pieces.join('  '), width)
}

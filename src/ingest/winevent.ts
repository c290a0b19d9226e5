/**
 * How the elements of a Windows event become fields: one set of naming rules for EVTX and for event XML, so that
 * the same event gives the same fields from both. Takes element and attribute names, gives field names.
 */
import { Records } from './shape.ts'

/**
 * Where an element stands. `root` is around `<Event>`, `event` directly within it, `system` within `<System>`,
 * `rendering` within `<RenderingInfo>`, `data` within any other section, whose name is `section`.
 */
export interface Scope {
  readonly kind: 'root' | 'event' | 'system' | 'rendering' | 'data'
  readonly section: string
}

export const ROOT: Scope = { kind: 'root', section: '' }
const EVENT: Scope = { kind: 'event', section: 'Event' }
const SYSTEM: Scope = { kind: 'system', section: 'System' }
const RENDERING: Scope = { kind: 'rendering', section: 'RenderingInfo' }
const EVENT_DATA: Scope = { kind: 'data', section: 'EventData' }

export const TIME_FIELD = 'TimeCreated_SystemTime'
const HOST_FIELD = 'Computer'

/**
 * Names that belong to the System section alone. Data that an event's author can name must not be able to pass
 * for them, so there they are called `EventData_EventID` and so on.
 */
const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  'Provider_Name',
  'Provider_Guid',
  'Provider_EventSourceName',
  'EventID',
  'EventID_Qualifiers',
  'Version',
  'Level',
  'Task',
  'Opcode',
  'Keywords',
  TIME_FIELD,
  'TimeCreated_RawTime',
  'EventRecordID',
  'Correlation_ActivityID',
  'Correlation_RelatedActivityID',
  'Execution_ProcessID',
  'Execution_ThreadID',
  'Execution_ProcessorID',
  'Execution_SessionID',
  'Execution_KernelTime',
  'Execution_UserTime',
  'Execution_ProcessorTime',
  'Channel',
  HOST_FIELD,
  'Container',
  'Security_UserID',
])

/** System elements that carry attributes only; without any they give no field. */
const BARE: ReadonlySet<string> = new Set([
  'Provider',
  'TimeCreated',
  'Correlation',
  'Execution',
  'Security',
])

/** The scope of the children of an element. */
export function innerScope(scope: Scope, element: string): Scope {
  if (scope.kind === 'root') return EVENT
  if (scope.kind !== 'event') return scope
  if (element === 'EventData') return EVENT_DATA
  if (element === 'System') return SYSTEM
  if (element === 'RenderingInfo') return RENDERING
  return { kind: 'data', section: element }
}

/** True when templates or elements compiled for one scope hold for the other. */
export function sameScope(a: Scope, b: Scope): boolean {
  return a === b || (a.kind === b.kind && a.section === b.section)
}

function dataField(scope: Scope, name: string): string {
  const plain = name.replace(/[ \t\r\n]/g, '')
  if (plain === '') return 'Data'
  return SYSTEM_NAMES.has(plain) ? `${scope.section}_${plain}` : plain
}

/** True for the attribute that names the field of a `<Data>` element. */
export function isDataName(scope: Scope, element: string, attribute: string): boolean {
  return attribute === 'Name' && element === 'Data' && scope.kind === 'data'
}

/** Field of an attribute; empty for a namespace declaration, which is no field. */
export function attributeField(scope: Scope, element: string, attribute: string): string {
  if (attribute === 'xmlns' || attribute.startsWith('xmlns:')) return ''
  const name = `${element}_${attribute}`
  if (scope.kind === 'system') return name
  if (scope.kind === 'rendering') return `RenderingInfo_${name}`
  return dataField(scope, name)
}

/** Field of an element's own text. `dataName` is the `Name` attribute of a `<Data>` element, or empty. */
export function textField(scope: Scope, element: string, dataName: string): string {
  if (scope.kind === 'system') return element
  if (scope.kind === 'rendering') {
    return element === 'Message' ? element : `RenderingInfo_${element}`
  }
  return dataField(scope, dataName === '' ? element : dataName)
}

function isBlank(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return false
  }
  return true
}

/**
 * True when the text of an element is a field. An empty element is one, with an empty value, unless it is a
 * section, or holds its facts in attributes. Beside child elements, white space is only pretty printing.
 */
export function givesField(
  scope: Scope,
  element: string,
  text: string,
  hadChildren: boolean,
  hadAttributes: boolean,
): boolean {
  const { kind } = scope
  if (hadChildren || kind === 'root' || kind === 'event') return !isBlank(text)
  if (kind === 'system' && BARE.has(element)) return !isBlank(text)
  return text !== '' || !hadAttributes || (kind === 'data' && element === 'Data')
}

/** Characters of field names after which a reader starts a new builder. */
export const MOST_NAME_CHARS = 4 * 1024 * 1024

/** A builder of Windows records. */
export function windowsRecords(): Records {
  return new Records((names) => ({
    kind: 'windows',
    names,
    times: [names.indexOf(TIME_FIELD)].filter((at) => at >= 0),
    hosts: [names.indexOf(HOST_FIELD)].filter((at) => at >= 0),
  }))
}

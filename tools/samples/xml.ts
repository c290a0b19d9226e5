/** Prints Windows events as event XML, the form in which the event viewer and forwarders export them. */
import type { EventValue, WindowsEvent } from './windows.ts'

const NAMESPACE = 'http://schemas.microsoft.com/win/2004/08/events/event'

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&apos;')
    .replaceAll('"', '&quot;')
}

/** The text that Windows shows for a value. */
export function valueText(value: EventValue): string {
  if (typeof value === 'object') {
    return value.type === 'hex32' || value.type === 'hex64'
      ? `0x${value.value.toString(16)}`
      : String(value.value)
  }
  return String(value)
}

/** One `<Event>` element, on one line. */
export function eventXml(event: WindowsEvent, record: number, time: number): string {
  const user = event.userSid === undefined ? '' : ` UserID='${event.userSid}'`
  const stamp = new Date(time).toISOString().replace('Z', '0000Z')
  const data = event.data
    .map(([name, value]) => `<Data Name='${escaped(name)}'>${escaped(valueText(value))}</Data>`)
    .join('')
  return (
    `<Event xmlns='${NAMESPACE}'><System>` +
    `<Provider Name='${escaped(event.provider)}' Guid='${event.providerGuid}'/>` +
    `<EventID>${event.eventId}</EventID><Version>${event.version}</Version><Level>${event.level}</Level>` +
    `<Task>${event.task}</Task><Opcode>${event.opcode}</Opcode><Keywords>${event.keywords}</Keywords>` +
    `<TimeCreated SystemTime='${stamp}'/><EventRecordID>${record}</EventRecordID><Correlation/>` +
    `<Execution ProcessID='${event.processId}' ThreadID='${event.threadId}'/>` +
    `<Channel>${escaped(event.channel)}</Channel><Computer>${event.computer}</Computer>` +
    `<Security${user}/></System><EventData>${data}</EventData></Event>`
  )
}

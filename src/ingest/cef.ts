/**
 * Records of the Common Event Format, alone on a line or behind a syslog header: seven fields between bars, then
 * `name=value` pairs whose values may hold blanks. Takes the text of a line, gives names and values in order.
 */
import { limits } from '../core/limits.ts'

const START = /CEF: ?\d\|/
const HEADER = [
  'DeviceVendor',
  'DeviceProduct',
  'DeviceVersion',
  'DeviceEventClassID',
  'Name',
  'Severity',
] as const

/** Keys of the format's own dictionary; what else a device sends is its own and is kept together as well. */
const KNOWN = new Set(
  (
    'act app c6a1 c6a1Label c6a2 c6a2Label c6a3 c6a3Label c6a4 c6a4Label cat cfp1 cfp1Label cfp2 cfp2Label cfp3 cfp3Label ' +
    'cfp4 cfp4Label cn1 cn1Label cn2 cn2Label cn3 cn3Label cnt cs1 cs1Label cs2 cs2Label cs3 cs3Label cs4 cs4Label cs5 ' +
    'cs5Label cs6 cs6Label destinationDnsDomain destinationServiceName destinationTranslatedAddress ' +
    'destinationTranslatedPort deviceCustomDate1 deviceCustomDate1Label deviceCustomDate2 deviceCustomDate2Label ' +
    'deviceDirection deviceDnsDomain deviceExternalId deviceFacility deviceInboundInterface deviceNtDomain ' +
    'deviceOutboundInterface devicePayloadId deviceProcessName deviceTranslatedAddress dhost dmac dntdom dpid dpriv ' +
    'dproc dpt dst dtz duid duser dvc dvchost dvcmac dvcpid end externalId fileCreateTime fileHash fileId ' +
    'fileModificationTime filePath filePermission fileType flexDate1 flexDate1Label flexNumber1 flexNumber1Label ' +
    'flexNumber2 flexNumber2Label flexString1 flexString1Label flexString2 flexString2Label fname fsize in msg ' +
    'oldFileCreateTime oldFileHash oldFileId oldFileModificationTime oldFileName oldFilePath oldFilePermission ' +
    'oldFileSize oldFileType out outcome proto reason request requestClientApplication requestContext requestCookies ' +
    'requestMethod rt shost smac sntdom sourceDnsDomain sourceServiceName sourceTranslatedAddress sourceTranslatedPort ' +
    'spid spriv sproc spt src start suid suser type'
  ).split(' '),
)
const MOST_NAME = 128

function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(.)/g, (_, mark: string) =>
    mark === 'n' ? '\n' : mark === 'r' ? '\r' : mark === 't' ? '\t' : mark,
  )
}

/** True where the character before is a backslash that escapes it. */
function isEscaped(text: string, at: number): boolean {
  let before = at
  while (before > 0 && text[before - 1] === '\\') before--
  return (at - before) % 2 === 1
}

/** Where the pair begins whose `=` stands at a place; -1 when what stands before is no name. */
function nameStart(text: string, equals: number): number {
  let at = equals
  while (at > 0 && equals - at <= MOST_NAME && /[\w.\-[\]]/.test(text[at - 1] ?? '')) at--
  const isName = at < equals && equals - at <= MOST_NAME && (at === 0 || text[at - 1] === ' ')
  return isName ? at : -1
}

/** The pairs of an extension; a value reaches to the name of the next pair. */
function extension(text: string): readonly (readonly [string, string])[] | undefined {
  const pairs: [string, string][] = []
  let name: string | undefined
  let from = 0
  const close = (end: number): void => {
    if (name !== undefined) pairs.push([name, unescaped(text.slice(from, end).trim())])
  }
  for (let at = text.indexOf('='); at !== -1; at = text.indexOf('=', at + 1)) {
    if (isEscaped(text, at)) continue
    const start = nameStart(text, at)
    if (start === -1) continue
    close(start)
    name = text.slice(start, at)
    from = at + 1
    if (pairs.length > limits.fieldsPerEvent / 2) return undefined
  }
  close(text.length)
  return pairs
}

/** The fields of a record; undefined when the text holds none, or one that is not whole. */
export function readCef(text: string): readonly (readonly [string, string])[] | undefined {
  const start = START.exec(text)
  if (start === null) return undefined
  const header: string[] = []
  let from = start.index + start[0].length
  while (header.length < HEADER.length) {
    let bar = text.indexOf('|', from)
    while (bar !== -1 && isEscaped(text, bar)) bar = text.indexOf('|', bar + 1)
    // The last field may end the line when there are no pairs.
    const isLast = header.length === HEADER.length - 1
    if (bar === -1 && !isLast) return undefined
    const end = bar === -1 ? text.length : bar
    header.push(unescaped(text.slice(from, end)))
    from = end + 1
  }
  const pairs = extension(text.slice(from))
  if (pairs === undefined) return undefined
  const own = pairs.filter(([name]) => !KNOWN.has(name)).map(([name, value]) => `${name}=${value}`)
  return [
    ...HEADER.map((name, at) => [name, header[at] ?? ''] as const),
    ...pairs,
    ...(own.length === 0 ? [] : [['AdditionalExtensions', own.join(';')] as const]),
  ]
}

/** True when a text may hold a record; cheap, asked of every line. */
export function isCef(text: string): boolean {
  return text.includes('CEF:') && START.test(text)
}

/**
 * Makes Sysmon process creations for benchmarks: as many as asked for, always the same ones for the same seed. Hosts,
 * accounts and programs follow Zipf's law, about half of the command lines are different, and one event in 500 has the shape
 * that rules look for. `node tools/run.mjs bench/generate.ts json|evtx COUNT FILE [SEED]`.
 */
import { once } from 'node:events'
import { closeSync, createWriteStream, openSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CHUNK, crc32, type EvtxValue } from '../tools/binxml-writer.ts'
import { type EvtxEvent, writeEvtx } from '../tools/evtx-writer.ts'
import { type Random, randomFrom, zipf } from '../tools/random.ts'
import { PARENTS, PROGRAMS, SUSPECTS, WORDS } from './programs.ts'

/** The flat shape in which shippers export Windows events: System fields under their common names beside the data. */
export interface ProcessEvent {
  readonly EventID: number
  readonly Channel: string
  readonly Hostname: string
  readonly SourceName: string
  readonly EventRecordID: number
  readonly '@timestamp': string
  readonly RuleName: string
  readonly UtcTime: string
  readonly ProcessGuid: string
  readonly ProcessId: string
  readonly Image: string
  readonly FileVersion: string
  readonly Description: string
  readonly Product: string
  readonly Company: string
  readonly OriginalFileName: string
  readonly CommandLine: string
  readonly CurrentDirectory: string
  readonly User: string
  readonly LogonGuid: string
  readonly LogonId: string
  readonly TerminalSessionId: string
  readonly IntegrityLevel: string
  readonly Hashes: string
  readonly ParentProcessGuid: string
  readonly ParentProcessId: string
  readonly ParentImage: string
  readonly ParentCommandLine: string
  readonly ParentUser: string
}

const START = Date.UTC(2026, 9, 5)
const WEEK = 7 * 86_400_000
const HOSTS = 2_000
const USERS = 3_000
const VENDORS = 400
/** One event in so many is shaped like something that rules look for. */
const SUSPECT_EVERY = 500

interface World {
  readonly random: Random
  readonly host: () => string
  readonly user: () => string
  readonly program: () => number
  readonly parent: () => string
  readonly vendor: () => string
  readonly hashes: (image: string) => string
}

function hashesFor(random: Random): (image: string) => string {
  const known = new Map<string, readonly string[]>()
  const make = (): string =>
    `SHA1=${random.hex(40)},MD5=${random.hex(32)},SHA256=${random.hex(64)},IMPHASH=${random.hex(32)}`.replace(
      /[a-f]/g,
      (letter) => letter.toUpperCase(),
    )
  return (image) => {
    // Programs in a user's folder share a few hundred builds.
    const key = image.startsWith('C:\\Users') ? `user ${random.below(300)}` : image
    let versions = known.get(key)
    if (versions === undefined) {
      versions = [make(), make(), make()]
      known.set(key, versions)
    }
    return versions[random.below(10) > 0 ? 0 : random.between(1, 2)] ?? ''
  }
}

function makeWorld(seed: number): World {
  const random = randomFrom(seed)
  const hosts = Array.from(
    { length: HOSTS },
    (_, at) => `${at % 10 === 0 ? 'SRV' : 'WKS'}-${String(at).padStart(5, '0')}.corp.example.com`,
  )
  const users = Array.from({ length: USERS }, (_, at) =>
    at === 0
      ? 'NT AUTHORITY\\SYSTEM'
      : at === 1
        ? 'NT AUTHORITY\\NETWORK SERVICE'
        : at === 2
          ? 'NT AUTHORITY\\LOCAL SERVICE'
          : `CORP\\${random.pick(WORDS)}.${random.pick(WORDS)}${at}`,
  )
  const vendors = Array.from(
    { length: VENDORS },
    (_, at) =>
      `C:\\Program Files\\${random.pick(WORDS)} ${random.pick(WORDS)}\\${random.pick(WORDS)}${at}.exe`,
  )
  const draw = (items: readonly string[], skew: number): (() => string) => {
    const place = zipf(random, items.length, skew)
    return () => items[place()] ?? ''
  }
  return {
    random,
    host: draw(hosts, 0.8),
    user: draw(users, 1),
    program: zipf(random, PROGRAMS.length, 0.7),
    parent: draw(PARENTS, 0.9),
    vendor: draw(vendors, 1),
    hashes: hashesFor(random),
  }
}

interface Launch {
  readonly image: string
  readonly command: string
  readonly place: number
}

function launch(world: World, account: string): Launch {
  const place = world.program()
  const program = PROGRAMS[place]
  if (program === undefined) throw new RangeError('no such program')
  const text = program.command(world.random, account)
  if (program.image === 'user')
    return { image: text.slice(1, text.indexOf('"', 1)), command: text, place }
  if (program.image === 'vendor') {
    const image = world.vendor()
    return { image, command: `"${image}" ${text}`, place }
  }
  return { image: program.image, command: text, place }
}

const PRODUCTS = {
  windows: 'Microsoft® Windows® Operating System',
  office: 'Microsoft Office',
  other: '-',
} as const

function makeEvent(world: World, place: number, count: number): ProcessEvent {
  const { random } = world
  const user = world.user()
  const account = user.slice(user.indexOf('\\') + 1)
  const isSystem = user.startsWith('NT ')
  const usual = launch(world, account)
  const suspect = random.below(SUSPECT_EVERY) === 0 ? random.pick(SUSPECTS) : undefined
  const image = suspect?.image ?? usual.image
  const facts = suspect === undefined ? PROGRAMS[usual.place] : undefined
  const parent = suspect?.parent ?? world.parent()
  const host = world.host()
  const time = new Date(START + Math.floor((WEEK * place) / count + random.below(4_000)))
  const iso = time.toISOString()
  return {
    EventID: 1,
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    Hostname: host,
    SourceName: 'Microsoft-Windows-Sysmon',
    EventRecordID: 1_000_000 + place,
    '@timestamp': iso,
    RuleName: '-',
    UtcTime: `${iso.slice(0, 10)} ${iso.slice(11, 23)}`,
    ProcessGuid: random.guid(),
    ProcessId: String(4 * random.between(100, 8_000)),
    Image: image,
    FileVersion:
      facts?.vendor === 'windows'
        ? `10.0.1904${random.below(6)}.${random.below(900)} (WinBuild.160101.0800)`
        : '-',
    Description: facts?.description ?? '-',
    Product: PRODUCTS[facts?.vendor ?? 'other'],
    Company: facts === undefined || facts.vendor === 'other' ? '-' : 'Microsoft Corporation',
    OriginalFileName: facts?.original ?? image.slice(image.lastIndexOf('\\') + 1),
    CommandLine: suspect?.command ?? usual.command,
    CurrentDirectory: isSystem ? 'C:\\Windows\\System32\\' : `C:\\Users\\${account}\\`,
    User: user,
    LogonGuid: isSystem ? '{00000000-0000-0000-E703-000000000000}' : random.guid(),
    LogonId: isSystem ? '0x3e7' : `0x${random.hex(6)}`,
    TerminalSessionId: isSystem ? '0' : String(random.between(1, 4)),
    IntegrityLevel: isSystem ? 'System' : random.below(5) > 0 ? 'Medium' : 'High',
    Hashes: world.hashes(image),
    ParentProcessGuid: random.guid(),
    ParentProcessId: String(4 * random.between(100, 8_000)),
    ParentImage: parent,
    ParentCommandLine: random.below(10) < 7 ? parent : launch(world, account).command,
    ParentUser: random.below(10) > 0 ? user : 'NT AUTHORITY\\SYSTEM',
  }
}

/** So many process creations over one week, in the order of time; the same for the same count and seed. */
export function* processEvents(count: number, seed = 1): Iterable<ProcessEvent> {
  const world = makeWorld(seed)
  for (let place = 0; place < count; place++) yield makeEvent(world, place, count)
}

/** Characters that are put together before they are written. */
const WRITE_CHARS = 4 * 1024 * 1024

/** Writes the events as JSON lines; gives the number of bytes. */
export async function writeJsonLines(path: string, count: number, seed = 1): Promise<number> {
  const file = createWriteStream(path)
  let chunk = ''
  for (const event of processEvents(count, seed)) {
    chunk += `${JSON.stringify(event)}\n`
    if (chunk.length >= WRITE_CHARS) {
      const ready = file.write(chunk)
      chunk = ''
      if (!ready) await once(file, 'drain')
    }
  }
  file.end(chunk)
  await once(file, 'close')
  return file.bytesWritten
}

/** Fields of the event data, in Sysmon's order, and how the event log stores those that are no plain text. */
const DATA: readonly (readonly [keyof ProcessEvent, 'string' | 'guid' | 'uint32' | 'hexint64'])[] =
  [
    ['RuleName', 'string'],
    ['UtcTime', 'string'],
    ['ProcessGuid', 'guid'],
    ['ProcessId', 'uint32'],
    ['Image', 'string'],
    ['FileVersion', 'string'],
    ['Description', 'string'],
    ['Product', 'string'],
    ['Company', 'string'],
    ['OriginalFileName', 'string'],
    ['CommandLine', 'string'],
    ['CurrentDirectory', 'string'],
    ['User', 'string'],
    ['LogonGuid', 'guid'],
    ['LogonId', 'hexint64'],
    ['TerminalSessionId', 'uint32'],
    ['IntegrityLevel', 'string'],
    ['Hashes', 'string'],
    ['ParentProcessGuid', 'guid'],
    ['ParentProcessId', 'uint32'],
    ['ParentImage', 'string'],
    ['ParentCommandLine', 'string'],
    ['ParentUser', 'string'],
  ]

function stored(text: string, type: 'string' | 'guid' | 'uint32' | 'hexint64'): EvtxValue {
  if (type === 'uint32') return { type, value: Number(text) }
  if (type === 'hexint64') return { type, value: BigInt(text) }
  return { type, value: text }
}

function evtxEvent(event: ProcessEvent): EvtxEvent {
  return {
    provider: event.SourceName,
    providerGuid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
    eventId: event.EventID,
    version: 5,
    task: 1,
    time: { ms: Date.parse(event['@timestamp']), sub: 0 },
    recordId: event.EventRecordID,
    processId: 2_916,
    threadId: 3_908,
    channel: event.Channel,
    computer: event.Hostname,
    userSid: 'S-1-5-18',
    data: DATA.map(([name, type]) => [name, stored(String(event[name]), type)] as const),
  }
}

const FILE_HEADER = 4_096
const CHUNK_HEADER = 512
/** Events of a group, put together in memory; the last chunk of each group stays partly empty. */
const GROUP = 10_000
/** The file header counts chunks with 16 bits. */
const MOST_CHUNKS = 65_535

/** Gives the chunks of a group the record numbers that they have in the whole file. */
function renumber(chunks: Buffer, before: number): void {
  for (let at = 0; at < chunks.length; at += CHUNK) {
    const head = chunks.subarray(at, at + CHUNK_HEADER)
    for (const place of [8, 16]) {
      head.writeBigUInt64LE(head.readBigUInt64LE(place) + BigInt(before), place)
    }
    head.writeUInt32LE(crc32(head.subarray(0, 120), head.subarray(128)), 124)
  }
}

/**
 * Writes the same events as one EVTX file, about 2,430 bytes each; gives the number of bytes. `size` is the number of
 * events put together in memory. Throws when the format cannot hold so many, past about 1.7 million.
 */
export function writeEvtxFile(path: string, count: number, seed = 1, size = GROUP): number {
  const file = openSync(path, 'w')
  try {
    let header = Buffer.from(writeEvtx([]))
    let end = FILE_HEADER
    let before = 0
    let group: EvtxEvent[] = []
    const flush = (): void => {
      const bytes = Buffer.from(writeEvtx(group))
      header = bytes.subarray(0, FILE_HEADER)
      const chunks = bytes.subarray(FILE_HEADER)
      renumber(chunks, before)
      writeSync(file, chunks, 0, chunks.length, end)
      end += chunks.length
      before += group.length
      group = []
    }
    for (const event of processEvents(count, seed)) {
      group.push(evtxEvent(event))
      if (group.length >= size) flush()
    }
    if (group.length > 0) flush()
    const chunks = (end - FILE_HEADER) / CHUNK
    if (chunks > MOST_CHUNKS) throw new RangeError(`${count} events do not fit into one EVTX file`)
    header.writeBigUInt64LE(BigInt(Math.max(0, chunks - 1)), 16)
    header.writeUInt16LE(chunks, 42)
    header.writeUInt32LE(crc32(header.subarray(0, 120)), 124)
    writeSync(file, header, 0, FILE_HEADER, 0)
    return end
  } finally {
    closeSync(file)
  }
}

async function main(): Promise<void> {
  const [format = '', count = '', path, seed = '1'] = process.argv.slice(2)
  const isKnown = format === 'json' || format === 'evtx'
  if (!isKnown || !/^\d{1,9}$/.test(count) || !/^\d{1,9}$/.test(seed) || path === undefined) {
    console.error('usage: node tools/run.mjs bench/generate.ts json|evtx COUNT FILE [SEED]')
    process.exitCode = 3
    return
  }
  const bytes =
    format === 'json'
      ? await writeJsonLines(path, Number(count), Number(seed))
      : writeEvtxFile(path, Number(count), Number(seed))
  console.log(`${path}: ${count} events, ${bytes} bytes`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

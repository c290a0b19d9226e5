/** Every sample log is read in full by its decoder, and the EVTX ones give back exactly what was written. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { processEvents, writeEvtxFile, writeJsonLines } from '../../bench/generate.ts'
import { access } from '../../src/ingest/access.ts'
import { auditd } from '../../src/ingest/auditd.ts'
import { csv } from '../../src/ingest/csv.ts'
import type { DecodedEvent, Decoder } from '../../src/ingest/decoder.ts'
import { evtx } from '../../src/ingest/evtx.ts'
import { json } from '../../src/ingest/json.ts'
import { squid } from '../../src/ingest/squid.ts'
import { syslog } from '../../src/ingest/syslog.ts'
import { winxml } from '../../src/ingest/winxml.ts'
import { zeek } from '../../src/ingest/zeek.ts'
import { makeSamples } from '../../tools/make-samples.ts'
import { valueText } from '../../tools/samples/xml.ts'

const DECODERS: Readonly<Record<string, Decoder>> = {
  'cloud/cloudtrail.json': json,
  'cloud/gcp-dns.jsonl': json,
  'cloud/signin.json': json,
  'defender/file-events.csv': csv,
  'defender/hunting.jsonl': json,
  'linux/access.log': access,
  'linux/audit.log': auditd,
  'linux/auth.log': syslog,
  'network/cisco-nvm.jsonl': json,
  'network/proxy.log': squid,
  'network/zeek-dns.log': zeek,
  'windows/sysmon-events.xml': winxml,
}

async function decode(decoder: Decoder, bytes: Uint8Array): Promise<readonly DecodedEvent[]> {
  const events: DecodedEvent[] = []
  const refused = (...facts: readonly string[]): void => {
    throw new Error(facts.join(' '))
  }
  const sink = {
    event: (event: DecodedEvent): void => {
      events.push(event)
    },
    reject: refused,
    damage: refused,
    ready: () => Promise.resolve(),
  }
  const parts = async function* () {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000)
  }
  const now = { ms: Date.UTC(2026, 10, 21), sub: 0 }
  await decoder.decode(parts(), sink, { file: 'sample', now })
  return events
}

function fieldOf(event: DecodedEvent | undefined, name: string): unknown {
  return event?.values[event.names.indexOf(name)]
}

describe.each(makeSamples())('$path', ({ path, bytes, events, marks }) => {
  const decoder = DECODERS[path] ?? evtx
  const decoded = decode(decoder, bytes)

  test('is recognised and read in full, every event with its time', async () => {
    expect(decoder.detect(bytes.subarray(0, 65_536))).toBeGreaterThan(50)
    const all = await decoded
    expect(all).toHaveLength(events)
    expect(all.filter((event) => event.time === undefined)).toEqual([])
    const day = all.map((event) => new Date(event.time?.ms ?? 0).toISOString().slice(0, 10))
    expect(new Set(day)).toEqual(new Set(['2026-11-03']))
  })

  test('has the record numbers that expected.json uses', async () => {
    const records = new Set((await decoded).map((event) => event.record))
    expect(records.size).toBe(events)
    expect(marks.filter(({ record }) => !records.has(record))).toEqual([])
  })
})

const windowsSamples = makeSamples().filter(({ windows }) => windows !== undefined)

test.each(windowsSamples)('$path gives back the values that were written', async (file) => {
  const { path, bytes, windows = [] } = file
  const all = await decode(DECODERS[path] ?? evtx, bytes)
  expect(all.map((event) => event.record)).toEqual(windows.map(({ record }) => record))
  windows.forEach(({ record, event }, place) => {
    const read = all[place]
    expect(fieldOf(read, 'EventID')).toBe(String(event.eventId))
    expect(fieldOf(read, 'Computer')).toBe(event.computer)
    for (const [name, value] of event.data) {
      const plain = name.replaceAll(' ', '')
      const field = plain === 'Channel' ? 'UserData_Channel' : plain
      expect(fieldOf(read, field), `${record} ${name}`).toBe(valueText(value))
    }
  })
})

test('the benchmark writes the same events as EVTX and as JSON lines', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-bench-'))
  try {
    const evtxPath = join(folder, 'events.evtx')
    const jsonPath = join(folder, 'events.jsonl')
    const count = 1_040
    // In groups of 100, so that the seams are read as well.
    const evtxBytes = writeEvtxFile(evtxPath, count, 3, 100)
    const jsonBytes = await writeJsonLines(jsonPath, count, 3)
    const log = readFileSync(evtxPath)
    const lines = readFileSync(jsonPath)
    expect([log.length, lines.length]).toEqual([evtxBytes, jsonBytes])
    const fromEvtx = await decode(evtx, log)
    const fromJson = await decode(json, lines)
    expect([fromEvtx.length, fromJson.length]).toEqual([count, count])
    let place = 0
    for (const event of processEvents(count, 3)) {
      const stored = { ...event, LogonId: `0x${BigInt(event.LogonId).toString(16)}` }
      for (const name of ['CommandLine', 'Hashes', 'LogonGuid', 'LogonId', 'ProcessId'] as const) {
        if (fieldOf(fromEvtx[place], name) !== stored[name]) expect.fail(`${place} ${name} in EVTX`)
        if (fieldOf(fromJson[place], name) !== event[name]) expect.fail(`${place} ${name} in JSON`)
      }
      place++
    }
    expect(fromEvtx.at(-1)?.record).toBe(1_000_000 + count - 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

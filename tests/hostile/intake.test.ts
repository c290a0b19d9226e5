/**
 * Hostile logs and rules through the built program: it ends by itself, says clearly what it could not take, its counts
 * add up, and the memory of the program and its engine stays under a gigabyte.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { writeEvtx } from '../../tools/evtx-writer.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/harrier.js', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'harrier-hostile-'))
const GIGABYTE = 1024 * 1024

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
  /** Most memory of the program and of its engine together, in KB; 0 where the system does not tell. */
  readonly peak: number
}

function peakOf(pid: number): number {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return ''
    }
  }
  const own = Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)
  return children.reduce((sum, child) => sum + peakOf(Number(child)), own)
}

function run(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: work,
      env: { ...process.env, XDG_DATA_HOME: join(work, 'data') },
    })
    let [out, err, peak] = ['', '', 0]
    const timer = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid ?? 0))
    }, 50)
    child.stdout.on('data', (data) => {
      out += String(data)
    })
    child.stderr.on('data', (data) => {
      err += String(data)
    })
    child.on('close', (code, signal) => {
      clearInterval(timer)
      resolve({ code, signal, out, err, peak })
    })
  })
}

const json = (value: unknown): string => JSON.stringify(value)
const deep = (open: string, close: string, times: number): string =>
  open.repeat(times) + close.repeat(times)
const evtx = Buffer.from(
  writeEvtx(
    Array.from({ length: 40 }, (_, index) => ({
      provider: 'P',
      eventId: 1,
      version: 1,
      level: 4,
      task: 1,
      opcode: 0,
      keywords: 0n,
      time: { ms: Date.UTC(2026, 0, 1), sub: index },
      recordId: index + 1,
      processId: 1,
      threadId: 2,
      channel: 'Security',
      computer: 'h',
      data: [['__proto__', { type: 'string' as const, value: `v${index}` }] as const],
    })),
  ),
)

function flipped(seed: number): Buffer {
  const bytes = Buffer.from(evtx)
  for (let at = 4096 + seed * 37; at < bytes.length; at += 997 + seed)
    bytes[at] = (at * 31 + seed) & 255
  return bytes
}

function tarOf(name: string, size: string, type: string, body: string): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000644\0', 100)
  head.write(size, 124)
  head.write('        ', 148)
  head.write(type, 156)
  head.write('ustar\0', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, Buffer.from(body.padEnd(512, '\0')), Buffer.alloc(1024)])
}

function zipOf(name: string, packed: Buffer, claimed: number): Buffer {
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(8, 4)
  common.writeUInt32LE(packed.length, 14)
  common.writeUInt32LE(claimed, 18)
  common.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed])
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

const line = (fields: object): string => `${json(fields)}\n`
/** Small hostile files by kind; each is one file of one folder. */
const kinds: Readonly<Record<string, string | Buffer>> = {
  'empty.log': '',
  'nul.log': Buffer.alloc(4096),
  'random.evtx': randomBytes(20_000),
  'random.json': randomBytes(20_000),
  'random.xml': randomBytes(20_000),
  'random.csv': randomBytes(20_000),
  'random.gz': Buffer.concat([Buffer.from([0x1f, 0x8b, 8]), randomBytes(5_000)]),
  'random.zip': Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(5_000)]),
  'header-only.evtx': evtx.subarray(0, 4096),
  'cut.evtx': evtx.subarray(0, 9_000),
  'flip1.evtx': flipped(1),
  'flip2.evtx': flipped(7),
  'flip3.evtx': flipped(23),
  'proto.evtx': evtx,
  'cut.gz': gzipSync(line({ a: 1 }).repeat(10_000)).subarray(0, 200),
  'nested.zip': zipOf(
    'a.zip',
    deflateRawSync(zipOf('b.json', deflateRawSync(Buffer.from('{}')), 2)),
    50,
  ),
  'lying.zip': zipOf('a.json', deflateRawSync(Buffer.from(line({ a: 1 }))), 4_000_000_000),
  'link.tar': tarOf('x.json', '00000000000\0', '2', ''),
  'up.tar': tarOf('../../etc/x.json', '00000000010\0', '0', '{"a":1}\n'),
  'huge.tar': tarOf('x.json', '77777777777\0', '0', '{"a":1}\n'),
  'dtd.xml': '<!DOCTYPE x [<!ENTITY a "b">]><Event><System><EventID>&a;</EventID></System></Event>',
  'bomb.xml': `<!DOCTYPE l [<!ENTITY a "${'x'.repeat(99)}"><!ENTITY b "&a;&a;&a;">]><Event>&b;</Event>`,
  'deep.xml': `<Event>${deep('<a>', '</a>', 100_000)}</Event>`,
  'open.xml': '<Event><System><EventID>1</EventID></System><EventData><![CDATA[',
  'deep.json': deep('[', ']', 1_000_000),
  'deep-object.json': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}\n`,
  'open-array.json': `[${json({ a: 1 })},${json({ a: 2 })}`,
  'proto.json': '{"__proto__":{"x":"1"},"constructor":"c","toString":"t","hasOwnProperty":"h"}\n',
  'twice.json': '{"a":1,"a":2}\n',
  'numbers.json': '{"a":9007199254740993,"b":1e400,"c":-0,"d":1.10}\n',
  'surrogate.json': '{"a":"\\ud800x","\\udc00":"y"}\n',
  'own-names.json': line({ '@time': 'x', '@raw': 'y', 'x[]': 'z', '': 'w' }),
  'names.json': line({
    'a`b': 1,
    "x') OR 1=1--": 2,
    '😀': 3,
    'new\nline': 4,
    ['n'.repeat(1_000)]: 5,
  }),
  'years.json': ['1601-01-01', '1969-12-31', '2038-02-01', '9999-12-31', '0000-00-00', '2026-13-45']
    .map((day) => line({ '@timestamp': `${day}T00:00:00Z`, day }))
    .join(''),
  'epochs.json': [-1, 0, 2 ** 31, 2 ** 53, '99999999999999999999']
    .map((time) => line({ time, x: 1 }))
    .join(''),
  'bad-utf8.log': Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28, 0x0a, 0x62, 0xed, 0xa0, 0x80, 0x0a]),
  'utf16.json': Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from(line({ a: 'é' }), 'utf16le'),
  ]),
  'bom.csv': '\ufeffa,b\n1,2\n',
  'proto.csv': '__proto__,constructor,a,a\n1,2,3,4\n',
  'ragged.csv': 'a,b\n1,2,3\n4\n5,6\n',
  'quote.csv': `a,b\n1,"${'x\n'.repeat(50_000)}`,
  'counted.log':
    '<34>1 2026-01-01T00:00:00Z h p - - - a\n999999 <34>1 2026-01-01T00:00:00Z h p - - - b\n',
  'escape.log': 'Jan  1 00:00:00 h p: \x1b]8;;x\x07\x1b[2J\u202e\n',
  'serials.log': Array.from(
    { length: 20_000 },
    (_, at) => `type=PATH msg=audit(1.1:${at}): name="x"`,
  ).join('\n'),
  'lies.zeek':
    '#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\n#types\ttime\n1.0\tC\tx\ty\tz\n',
  'fields.w3c':
    '#Fields: date time c-ip\n2026-01-01 00:00:00 10.0.0.1\n#Fields: c-ip\n10.0.0.2 extra\n',
  'many-fields.json': line(
    Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f${at}`, at])),
  ),
  'each-new.json': Array.from({ length: 3_000 }, (_, at) =>
    line({ [`new${at}`]: `value${at}` }),
  ).join(''),
  'value-64k.json': line({ v: 'x'.repeat(65_536) }),
  'value-1m.json': line({ v: 'y'.repeat(1_048_576) }),
}

afterAll(() => rmSync(work, { recursive: true, force: true }))

function checkEnd(ended: Ended): void {
  expect(ended.signal).toBeNull()
  expect([0, 2, 3, 4]).toContain(ended.code)
  expect(ended.err).not.toMatch(/\n\s+at |Unhandled|FATAL|heap out of memory/)
  expect(ended.peak).toBeLessThan(GIGABYTE)
}

interface Counts {
  readonly received: number
  readonly stored: number
  readonly repeated: number
  readonly rejected: number
}

interface Report extends Counts {
  readonly files: readonly (Counts & {
    readonly file: string
    readonly damages: number
    readonly error?: string
  })[]
}

describe('hostile logs', () => {
  it(`take ${Object.keys(kinds).length} kinds of files and account for every record`, async () => {
    const folder = join(work, 'logs')
    mkdirSync(folder)
    for (const [name, bytes] of Object.entries(kinds)) writeFileSync(join(folder, name), bytes)
    symlinkSync(folder, join(folder, 'loop'))
    const ended = await run(['ingest', 'logs', '--store', 'store', '--json', '-q'])
    checkEnd(ended)
    const report = JSON.parse(ended.out) as Report
    for (const each of [report, ...report.files]) {
      expect(each.received).toBe(each.stored + each.repeated + each.rejected)
    }
    const of = (name: string) => report.files.filter((each) => each.file.includes(`/${name}`))
    for (const name of Object.keys(kinds)) {
      // A link, nothing, and a log without a record yet: there is nothing to account for.
      if (['link.tar', 'empty.log', 'header-only.evtx'].includes(name)) continue
      const told = of(name).reduce(
        (sum, each) => sum + each.received + each.damages + (each.error ? 1 : 0),
        0,
      )
      expect(told, `${name} is accounted for`).toBeGreaterThan(0)
    }
    const stored = (name: string): number => of(name).reduce((sum, each) => sum + each.stored, 0)
    expect(stored('proto.evtx')).toBe(40)
    expect(stored('proto.json')).toBe(1)
    expect(stored('years.json')).toBe(6)
    expect(stored('each-new.json')).toBe(3_000)
    expect(stored('value-1m.json')).toBe(1)
    expect(stored('deep.json') + stored('deep-object.json')).toBe(0)
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  }, 120_000)

  it('find a hostile field by its name', async () => {
    const rule = (name: string, field: string, value: string): string =>
      `title: ${name}\nid: ${name}\nlogsource:\n  product: windows\n  service: security\ndetection:\n  s:\n    ${json(field)}: ${json(value)}\n  condition: s\n`
    writeFileSync(join(work, 'proto.yml'), rule('proto', '__proto__', 'v7'))
    const ended = await run(['run', '--store', 'store', '--rules', 'proto.yml', '--jsonl', '-q'])
    checkEnd(ended)
    const hits = ended.out.split('\n').filter((each) => each.includes('/logs/proto.evtx"'))
    expect(hits).toHaveLength(1)
    expect(hits[0]).toContain('"__proto__":"v7"')
  }, 60_000)

  it('refuse bombs and give up values that are too large, whole, never cut', async () => {
    const folder = join(work, 'large')
    mkdirSync(folder)
    writeFileSync(join(folder, 'bomb.json.gz'), gzipSync(Buffer.alloc(400 * 1024 * 1024)))
    writeFileSync(join(folder, 'value-16m.json'), line({ v: 'x'.repeat(16 * 1024 * 1024) }))
    writeFileSync(join(folder, 'value-64m.json'), line({ v: 'y'.repeat(64 * 1024 * 1024) }))
    const ended = await run(['ingest', 'large', '--store', 'store2', '--json', '-q'])
    checkEnd(ended)
    const report = JSON.parse(ended.out) as Report
    expect(report.received).toBe(report.stored + report.repeated + report.rejected)
    const large = report.files.find((each) => each.file.endsWith('value-64m.json'))
    expect((large?.rejected ?? 0) + (large?.damages ?? 0) + (large?.stored ?? 0)).toBeGreaterThan(0)
  }, 120_000)
})

describe('hostile rules', () => {
  const base = 'title: t\nlogsource: {product: windows}\ndetection:\n'
  const rules: Readonly<Record<string, string | Buffer>> = {
    alias: `a: &a [x, x]\nb: &b [*a, *a]\n${base}  s: {A: 1}\n  condition: s\n`,
    deep: `${base}  s: ${deep('[', ']', 100_000)}\n  condition: s\n`,
    scalar: `${base}  s: {A: ${'x'.repeat(2_000_000)}}\n  condition: s\n`,
    twice: `${base}  s: {A: 1}\n  s: {A: 2}\n  condition: s\n`,
    tabs: `${base}\ts: {A: 1}\n`,
    latin: Buffer.from([0x74, 0x3a, 0xff, 0xfe]),
    regex: `${base}  s: {A|re: '(a{1,1000}){1,1000}'}\n  condition: s\n`,
    long: `${base}  s: {A|re: '${'a'.repeat(200_000)}'}\n  condition: s\n`,
    lookahead: `${base}  s: {A|re: '(?=a)b'}\n  condition: s\n`,
    brackets: `${base}  s: {A: 1}\n  condition: ${deep('(', ')', 10_000)}\n`,
    nots: `${base}  s: {A: 1}\n  condition: ${'not '.repeat(10_000)}s\n`,
    length: `${base}  s: {A: 1}\n  condition: ${'s or '.repeat(20_000)}s\n`,
    placeholder: `${base}  s: {A|expand: '%none%'}\n  condition: s\n`,
  }

  it('are refused with a code each, quickly, and the good one among them still runs', async () => {
    const folder = join(work, 'rules')
    mkdirSync(folder)
    for (const [name, text] of Object.entries(rules))
      writeFileSync(join(folder, `${name}.yml`), text)
    writeFileSync(join(folder, 'good.yml'), `${base}  s: {A: 1}\n  condition: s\n`)
    const ended = await run(['rules', 'check', 'rules', '--json'])
    checkEnd(ended)
    const { rules: told } = JSON.parse(ended.out) as {
      rules: readonly { file: string; runnable: boolean; code?: string }[]
    }
    const good = told.filter((each) => each.runnable).map((each) => each.file.replace(/^.*\//, ''))
    expect(good).toEqual(['good.yml'])
    for (const each of told) if (!each.runnable) expect(each.code).toMatch(/^HR\d{3}$/)
    const named = (name: string): boolean =>
      told.some((each) => each.file.endsWith(`/${name}.yml`)) || ended.err.includes(`${name}.yml`)
    expect(Object.keys(rules).filter((name) => !named(name))).toEqual([])
  }, 60_000)
})

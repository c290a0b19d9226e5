import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { openBytes, openPath } from '../../src/ingest/containers.ts'
import { paxName, tar, tarEntry, tarHeader, zip, zstdFrame } from '../support/archives.ts'

const folder = mkdtempSync(join(tmpdir(), 'harrier-containers-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Opened {
  readonly members: readonly (readonly [string, string])[]
  readonly damage: readonly (readonly [string, string])[]
}

const MOST_SHOWN = 1_000_000

/** Reads all members; a long one is given by its length. */
async function opened(
  source: AsyncIterable<{ readonly path: string; readonly bytes: AsyncIterable<Uint8Array> }>,
  damage: [string, string][],
): Promise<Opened> {
  const members: [string, string][] = []
  for await (const { path, bytes } of source) {
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of bytes) {
      size += part.length
      if (size <= MOST_SHOWN) parts.push(part)
    }
    members.push([path, size > MOST_SHOWN ? String(size) : Buffer.concat(parts).toString()])
  }
  return { members, damage }
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

function open(bytes: Uint8Array, size = 65_536): Promise<Opened> {
  const damage: [string, string][] = []
  const onDamage = (file: string, code: string): void => {
    damage.push([code, file])
  }
  return opened(openBytes('f', pieces(bytes, size), { onDamage }), damage)
}

let files = 0
async function openFile(bytes: Uint8Array): Promise<Opened & { readonly read: number }> {
  const path = join(folder, `file${files++}`)
  writeFileSync(path, bytes)
  const damage: [string, string][] = []
  let read = 0
  const found = await opened(
    openPath(path, {
      onDamage: (file, code) => damage.push([code, file.replace(path, 'f')]),
      onBytes: (count) => {
        expect(count).toBeGreaterThanOrEqual(read)
        read = count
      },
    }),
    damage,
  )
  return {
    ...found,
    members: found.members.map(([name, text]) => [name.replace(path, 'f'), text]),
    read,
  }
}

const data = (text: string): Buffer => Buffer.from(text)
const ONE = [{ name: 'a/b.log', data: data('hello') }]
const TWO = [...ONE, { name: 'c.log', data: data('world'.repeat(1_000)) }]
const WORLD = 'world'.repeat(1_000)

describe('plain and compressed files', () => {
  it('are given under their own path, however cut', async () => {
    const frames = [data('hel'), data('lo'), { byte: 33, count: 3 }]
    const skippable = Buffer.concat([
      Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]),
      data('xyz'),
    ])
    const forms: readonly (readonly [string, Buffer, string])[] = [
      ['plain', data('hello'), 'hello'],
      ['empty', data(''), ''],
      ['gzip', gzipSync('hello'), 'hello'],
      ['members', Buffer.concat([gzipSync('hel'), gzipSync(''), gzipSync('lo')]), 'hello'],
      ['padding', Buffer.concat([gzipSync('hello'), Buffer.alloc(600)]), 'hello'],
      ['zstd', zstdFrame(frames), 'hello!!!'],
      [
        'frames',
        Buffer.concat([zstdFrame(frames), skippable, zstdFrame(frames, { checksum: true })]),
        'hello!!!hello!!!',
      ],
      ['skippable first', Buffer.concat([skippable, zstdFrame(frames)]), 'hello!!!'],
    ]
    for (const [name, bytes, text] of forms) {
      for (const size of [1, 7, 65_536]) {
        expect([name, await open(bytes, size)]).toEqual([
          name,
          { members: [['f', text]], damage: [] },
        ])
      }
      expect([name, (await openFile(bytes)).members]).toEqual([name, [['f', text]]])
    }
  })

  it('reads gzip headers with all their parts', async () => {
    const plain = gzipSync('hello')
    const header = Buffer.from([0x1f, 0x8b, 8, 31, 0, 0, 0, 0, 0, 3, 2, 0, 65, 66])
    const bytes = Buffer.concat([
      header,
      data('name\0comment\0'),
      Buffer.from([0, 0]),
      plain.subarray(10),
    ])
    expect(await open(bytes, 3)).toEqual({ members: [['f', 'hello']], damage: [] })
  })

  it('gives what stands before damage, and tells it', async () => {
    let seed = 1
    const packed = gzipSync(
      Buffer.from(
        Array.from({ length: 100_000 }, () => {
          seed = (seed * 48_271) % 2_147_483_647
          return 32 + ((seed >> 8) % 64)
        }),
      ),
    )
    const cases: readonly (readonly [Buffer, string])[] = [
      [packed.subarray(0, packed.length - 4), 'HR151'],
      [packed.subarray(0, packed.length - 500), 'HR151'],
      [Buffer.concat([packed, data('garbage')]), 'HR152'],
      [Buffer.concat([packed.subarray(0, packed.length - 8), Buffer.alloc(8)]), 'HR150'],
    ]
    for (const [bytes, code] of cases) {
      const { members, damage } = await open(bytes, 1_000)
      expect(damage).toEqual([[code, 'f']])
      expect(members[0]?.[1].length).toBeGreaterThan(90_000)
    }
    const broken = Buffer.from(packed)
    broken.fill(0xff, 60, 90)
    expect((await open(broken)).damage.map(([code]) => code)).toEqual(['HR150'])
    expect(
      (await open(Buffer.from([0x1f, 0x8b, 8, 0xff, 0, 0]))).damage.map(([code]) => code),
    ).toEqual(['HR150'])
  })

  it('tells damaged zstd data', async () => {
    const frame = zstdFrame([data('hello'), data('world')])
    const cases: readonly (readonly [Buffer, string])[] = [
      [frame.subarray(0, frame.length - 2), 'HR151'],
      [frame.subarray(0, 5), 'HR151'],
      [Buffer.concat([frame, data('garbage')]), 'HR152'],
      [zstdFrame([data('x')], { dictionary: true }), 'HR150'],
      [zstdFrame([data('x')], { windowLog: 31 }), 'HR163'],
      [Buffer.concat([frame.subarray(0, 6), Buffer.from([7, 0, 0])]), 'HR150'],
      [
        Buffer.concat([
          frame.subarray(0, 6),
          Buffer.from([5 | (20 << 3), 0, 0]),
          Buffer.alloc(20, 0xa5),
        ]),
        'HR150',
      ],
    ]
    for (const [bytes, code] of cases) {
      expect((await open(bytes)).damage.map(([each]) => each)).toEqual([code])
    }
  })

  it('names formats that it cannot open', async () => {
    const signs: readonly (readonly [string, readonly number[]])[] = [
      ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
      ['bzip2', [0x42, 0x5a, 0x68, 0x39]],
      ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
      ['Parquet', [0x50, 0x41, 0x52, 0x31]],
    ]
    for (const [, sign] of signs) {
      expect(await open(Buffer.from([...sign, ...Buffer.alloc(50)]))).toEqual({
        members: [],
        damage: [['HR157', 'f']],
      })
    }
  })

  it('throws only for a file that cannot be opened', async () => {
    await expect(openPath(join(folder, 'none')).next()).rejects.toThrow()
  })
})

describe('archives', () => {
  it('give their members with a path inside', async () => {
    const members = [
      ['f!/a/b.log', 'hello'],
      ['f!/c.log', WORLD],
    ]
    const forms: readonly (readonly [string, Buffer])[] = [
      ['zip', zip(TWO)],
      ['zip64', zip(TWO, { wide: true })],
      ['stored', zip(TWO.map((each) => ({ ...each, method: 0 })))],
      ['with a comment', zip(TWO, { comment: 'PK\x05\x06 not the end' })],
      ['tar', tar(TWO)],
      ['tar.gz', gzipSync(tar(TWO))],
      ['tar.zst', zstdFrame([tar(TWO)])],
    ]
    for (const [name, bytes] of forms) {
      expect([name, await open(bytes, 100)]).toEqual([name, { members, damage: [] }])
      const found = await openFile(bytes)
      expect([name, found.members, found.damage]).toEqual([name, members, []])
      expect(found.read).toBe(bytes.length === 0 ? 0 : Math.min(found.read, bytes.length))
    }
  })

  it('open with a program in front of a zip only by their sign', async () => {
    const bytes = zip(TWO, { prefix: data('PK\x03\x04 self-extracting program') })
    expect((await openFile(bytes)).members.map(([name]) => name)).toEqual([
      'f!/a/b.log',
      'f!/c.log',
    ])
  })

  it('go on when a member is not read, or not to its end', async () => {
    for (const bytes of [zip(TWO), tar(TWO), gzipSync(tar(TWO))]) {
      const names: string[] = []
      for await (const member of openBytes('f', pieces(bytes, 50))) {
        names.push(member.path)
        if (names.length > 1) for await (const _ of member.bytes) break
      }
      expect(names).toEqual(['f!/a/b.log', 'f!/c.log'])
    }
  })

  it('tell encrypted, linked and oddly packed members of a zip', async () => {
    const bytes = zip([
      { name: 'secret', data: data('x'), flags: 1 },
      { name: 'link', data: data('/etc/passwd'), unixMode: 0xa1ff },
      { name: 'odd', data: data('x'), method: 12 },
      { name: 'dir/', data: data('') },
      { name: '__MACOSX/._a', data: data('x') },
      { name: 'ok', data: data('fine') },
    ])
    expect(await open(bytes)).toEqual({
      members: [['f!/ok', 'fine']],
      damage: [
        ['HR158', 'f'],
        ['HR161', 'f'],
        ['HR159', 'f'],
        ['HR161', 'f!/__MACOSX/._a'],
      ],
    })
  })

  it('tell a zip whose sizes or checksums lie', async () => {
    for (const lie of [{ size: 3 }, { size: 3_000_000_000 }, { crc: 1 }]) {
      const { members, damage } = await open(zip([{ name: 'a', data: data('hello'), ...lie }]))
      expect(members).toEqual([['f!/a', 'hello']])
      expect(damage.map(([code]) => code)).toEqual(['HR160'])
    }
  })

  it('survive a damaged zip', async () => {
    const whole = zip(TWO)
    for (let at = 4; at < whole.length; at += 3) {
      const { damage } = await open(whole.subarray(0, at))
      expect(damage.length).toBeGreaterThan(0)
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        async (changes) => {
          const bytes = Buffer.from(whole)
          for (const [at, value] of changes) bytes[at] = value
          await open(bytes)
          await openFile(bytes)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('read pax and GNU names, and pass over what is no file', async () => {
    const long = `${'d/'.repeat(80)}é.log`
    const bytes = Buffer.concat([
      paxName(long),
      tarEntry('short', 'one'),
      tarEntry('././@LongLink', `${long}2\0`, 'L'),
      tarEntry('short', 'two'),
      tarEntry('link', '', '2'),
      tarEntry('hard', '', '1'),
      tarEntry('dir/', '', '5'),
      tarEntry('pipe', '', '6'),
      tarEntry('sparse', 'x', 'S'),
      tarEntry('/absolute/../../up\0', 'three'),
      Buffer.alloc(1_024),
    ])
    expect(await open(bytes)).toEqual({
      members: [
        [`f!/${long}`, 'one'],
        [`f!/${long}2`, 'two'],
        ['f!//absolute/%2e%2e/%2e%2e/up', 'three'],
      ],
      damage: [
        ['HR161', 'f'],
        ['HR161', 'f'],
        ['HR161', 'f'],
        ['HR159', 'f'],
      ],
    })
  })

  it('survive a damaged tar', async () => {
    const broken = Buffer.concat([
      tarEntry('a', 'one'),
      Buffer.alloc(512, 65),
      tarEntry('b', 'two'),
    ])
    const { members, damage } = await open(broken)
    expect(members.map(([, text]) => text)).toEqual(['one', 'two'])
    expect(damage.map(([code]) => code)).toEqual(['HR150', 'HR151'])
    const whole = tar(TWO)
    for (const at of [513, 600, 1_100, 1_537, 3_000]) {
      expect((await open(whole.subarray(0, at))).damage.map(([code]) => code)).toEqual(['HR151'])
    }
    const huge = Buffer.concat([
      tarEntry('a', 'one'),
      tarHeader('b', '\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff'),
      tarEntry('c', 'two'),
    ])
    expect((await open(huge)).members.map(([, text]) => text)).toEqual(['one', 'two'])
    expect((await open(Buffer.concat([whole, data('x'.repeat(600))]))).damage).toEqual([
      ['HR152', 'f'],
    ])
  })

  it('show control characters in names escaped', async () => {
    const { members } = await open(zip([{ name: '../a\0\x1b[2J\n.log', data: data('x') }]))
    expect(members[0]?.[0]).toBe('f!/%2e%2e/a\\x00\\x1b[2J\\x0a.log')
  })

  it('refuse an archive inside an archive', async () => {
    const inner = [gzipSync('x'), zip(ONE), tar(ONE), zstdFrame([data('x')])]
    const entries = inner.map((each, at) => ({ name: `n${at}`, data: each }))
    for (const bytes of [zip(entries), tar(entries), gzipSync(tar(entries))]) {
      const { members, damage } = await open(bytes)
      expect(members).toEqual([])
      expect(damage).toEqual(entries.map(({ name }) => ['HR156', `f!/${name}`]))
    }
    expect(await open(gzipSync(gzipSync('x')))).toEqual({ members: [], damage: [['HR156', 'f']] })
    expect((await open(gzipSync(zip(ONE)))).damage).toEqual([['HR156', 'f']])
  })
})

describe('bombs', () => {
  const bomb = Buffer.alloc(limits.archiveFreeBytes * 3, 65)

  it('are stopped at the ratio, with little memory', async () => {
    const before = process.memoryUsage().rss
    const packed = gzipSync(bomb)
    const stored = Array.from({ length: 2_000 }, () => ({ byte: 65, count: 131_072 }))
    const forms: readonly (readonly [string, Buffer, string])[] = [
      ['gzip', packed, 'f'],
      ['tar.gz', gzipSync(tar([{ name: 'b', data: bomb }])), 'f'],
      ['zip', zip([{ name: 'b', data: bomb }]), 'f!/b'],
      ['zip with a lying size', zip([{ name: 'b', data: bomb, size: 5 }]), 'f!/b'],
      ['zstd', zstdFrame(stored), 'f'],
    ]
    for (const [name, bytes, where] of forms) {
      const { members, damage } = await open(bytes)
      const codes = damage.filter(([code]) => code === 'HR153')
      expect([name, codes]).toEqual([name, [['HR153', where]]])
      expect(Number(members[0]?.[1])).toBeLessThan(limits.archiveFreeBytes * 1.2)
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * 1024 * 1024)
  })

  it('are counted over all members of an archive', async () => {
    const part = bomb.subarray(0, limits.archiveFreeBytes / 4)
    const packed = zip([{ name: 'x', data: part }])
    const entries = Array.from({ length: 8 }, (_, at) => ({ name: `m${at}`, data: part }))
    expect(packed.length).toBeLessThan(part.length / 200)
    const { members, damage } = await open(zip(entries))
    expect(members.length).toBeLessThan(8)
    expect(damage.map(([code]) => code)).toEqual(['HR153'])
  })

  it('of many members are stopped', async () => {
    const entries = Array.from({ length: 10 }, (_, at) => ({ name: `m${at}`, data: data('') }))
    const archive = zip(entries, { wide: true })
    const record = archive.indexOf(Buffer.from([0x50, 0x4b, 6, 6]))
    archive.writeBigUInt64LE(BigInt(limits.archiveMembers + 1), record + 32)
    expect((await open(archive)).damage.map(([code]) => code)).toEqual(['HR155'])
    const empty = tarEntry('e', '')
    const many = Buffer.concat(Array.from({ length: limits.archiveMembers + 10 }, () => empty))
    const { members, damage } = await open(many)
    expect(members.length).toBe(limits.archiveMembers)
    expect(damage.map(([code]) => code)).toEqual(['HR155'])
  })

  it('of tiny zstd blocks with a large window are stopped', async () => {
    const started = performance.now()
    const blocks = Array.from({ length: 5_000 }, () => data(''))
    const { damage } = await open(zstdFrame(blocks, { windowLog: 27 }))
    expect(damage.map(([code]) => code)).toEqual(['HR150'])
    expect(performance.now() - started).toBeLessThan(60_000)
  })

  it('of a zip from standard input are not held in memory', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from([0x50, 0x4b, 3, 4])
      for (let at = 0; at < 100; at++) yield Buffer.alloc(1024 * 1024)
    }
    const damage: [string, string][] = []
    const onDamage = (file: string, code: string): void => {
      damage.push([code, file])
    }
    expect((await opened(openBytes('-', endless(), { onDamage }), damage)).damage).toEqual([
      ['HR162', '-'],
    ])
  })
})

it('ends on any bytes', async () => {
  const starts = [[], [0x1f, 0x8b, 8], [0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x4b, 3, 4]]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...starts),
      fc.uint8Array({ maxLength: 600 }),
      async (start, bytes) => {
        await open(Buffer.from([...start, ...bytes]), 64)
      },
    ),
    { numRuns: 500 },
  )
})

it('tells a read error of the stream', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield data('some text\n')
    throw new Error('device gone')
  }
  const damage: [string, string][] = []
  const onDamage = (file: string, code: string): void => {
    damage.push([code, file])
  }
  const { members } = await opened(openBytes('f', failing(), { onDamage }), damage)
  expect(members).toEqual([['f', 'some text\n']])
  expect(damage).toEqual([['HR005', 'f']])
})

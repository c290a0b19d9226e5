import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { access } from '../../src/ingest/access.ts'
import type { Decoder } from '../../src/ingest/decoder.ts'
import { text } from '../../src/ingest/text.ts'
import { w3c } from '../../src/ingest/w3c.ts'
import { zeek } from '../../src/ingest/zeek.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

function decode(
  decoder: Decoder,
  body: string,
  file = 'test.log',
  size?: number,
): Promise<Decoded> {
  return decodeAll(decoder, Buffer.from(body), size, { file })
}

async function one(
  decoder: Decoder,
  body: string,
  file?: string,
): Promise<Record<string, unknown>> {
  const { events, rejects } = await decode(decoder, body, file)
  expect(rejects).toEqual([])
  expect(events.length).toBe(1)
  const { time, host, kind } = events[0] ?? {}
  return {
    kind,
    ...(host === undefined ? {} : { '@host': host }),
    ...(time === undefined ? {} : { '@time': new Date(time.ms).toISOString() }),
    ...Object.fromEntries(fieldsOf(events[0])),
  }
}

const ZEEK_HEAD = [
  '#separator \\x09',
  '#set_separator\t,',
  '#empty_field\t(empty)',
  '#unset_field\t-',
  '#path\tdns',
  '#open\t2020-01-01-00-00-00',
  '#fields\tts\tuid\tid.orig_h\tquery\tanswers\tTTLs',
  '#types\ttime\tstring\taddr\tstring\tvector[string]\tset[interval]',
  '',
].join('\n')

describe('Zeek', () => {
  it('reads rows under their header', async () => {
    expect(
      await one(
        zeek,
        `${ZEEK_HEAD}1600000000.123456\tC1\t10.0.0.1\ta.example\tx,y\\x2cz\t-\n#close\t2020\n`,
      ),
    ).toEqual({
      kind: 'zeek',
      '@time': '2020-09-13T12:26:40.123Z',
      _path: 'dns',
      ts: '1600000000.123456',
      uid: 'C1',
      'id.orig_h': '10.0.0.1',
      query: 'a.example',
      answers: ['x', 'y,z'],
    })
  })

  it('tells empty from unset, and decodes escapes that are text', async () => {
    expect(
      await one(zeek, `${ZEEK_HEAD}1600000000\t-\t-\t\\xc3\\xa9\\x5c\\xff\\\\\t(empty)\t-\n`),
    ).toMatchObject({
      query: '\\xc3\\xa9\\x5c\\xff\\',
      answers: '',
    })
    expect((await one(zeek, `${ZEEK_HEAD}1\t-\t-\t\\xc3\\xa9 \\x09\t-\t-\n`)).query).toBe('é \t')
  })

  it('takes the path from the file name when the header has none, and follows a new header', async () => {
    const { events } = await decode(
      zeek,
      '#fields\tts\ta\n1600000000\t1\n#path\tssl\n#fields\tts\tb\n1600000000\t2\n',
      '/x/http.log',
    )
    expect(events.map((event) => [fieldsOf(event).get('_path'), event.names.at(-1)])).toEqual([
      ['http', 'a'],
      ['ssl', 'b'],
    ])
  })

  it('rejects rows that do not fit', async () => {
    const { events, rejects } = await decode(zeek, `1\t2\n${ZEEK_HEAD}1\t2\n1\t2\t3\t4\t5\t6\t7\n`)
    expect(events).toEqual([])
    expect(rejects.map(({ code }) => code)).toEqual(['HR139', 'HR138', 'HR138'])
  })
})

const IIS =
  '#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2024-01-01 00:00:00\r\n' +
  '#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status\r\n'

describe('W3C extended logs', () => {
  it('reads rows under their header', async () => {
    expect(
      await one(
        w3c,
        `${IIS}2024-01-01 00:00:01 10.0.0.1 GET /a.aspx id=1 10.0.0.2 Mozilla/5.0+(X) 200\r\n`,
      ),
    ).toEqual({
      kind: 'w3c',
      '@time': '2024-01-01T00:00:01.000Z',
      date: '2024-01-01',
      time: '00:00:01',
      's-ip': '10.0.0.1',
      'cs-method': 'GET',
      'cs-uri-stem': '/a.aspx',
      'cs-uri-query': 'id=1',
      'c-ip': '10.0.0.2',
      'cs(User-Agent)': 'Mozilla/5.0+(X)',
      'sc-status': '200',
      'c-uri': '/a.aspx?id=1',
    })
  })

  it('leaves out what is not logged', async () => {
    const found = await one(w3c, `${IIS}2024-01-01 00:00:01 - GET /a - - - 200\n`)
    expect(found['c-uri']).toBe('/a')
    expect(Object.keys(found)).not.toContain('s-ip')
  })

  it('follows a header that changes', async () => {
    const { events } = await decode(
      w3c,
      `${IIS}2024-01-01 00:00:01 1 GET / - 2 x 200\n#Fields: time c-ip c-uri\n00:00:02 3 /z\n`,
    )
    expect(events[1]?.names).toEqual(['time', 'c-ip', 'c-uri'])
    expect(events[1]?.time?.ms).toBe(Date.UTC(2024, 0, 1, 0, 0, 2))
  })

  it('reads commas, tabs and quoted texts', async () => {
    expect(
      await one(w3c, '#Fields: date-time,session-id,data\n2024-01-01T00:00:01.5Z,1,"a, ""b"""\n'),
    ).toMatchObject({
      '@time': '2024-01-01T00:00:01.500Z',
      data: 'a, "b"',
    })
    expect(
      await one(
        w3c,
        '#Fields: date time cs(User-Agent) s-computername\n2024-01-01 00:00:01 "Mozilla 5" WEB\n',
      ),
    ).toMatchObject({ 'cs(User-Agent)': 'Mozilla 5', '@host': 'WEB' })
    expect(await one(w3c, '#Fields: a b\nx"y z\n')).toMatchObject({ a: 'x"y', b: 'z' })
  })

  it('rejects rows that do not fit', async () => {
    const { rejects } = await decode(w3c, `1 2\n${IIS}1 2\n${'x '.repeat(20)}\n`)
    expect(rejects.map(({ code }) => code)).toEqual(['HR139', 'HR138', 'HR138'])
  })
})

describe('access logs', () => {
  const combined =
    '10.0.0.1 - bob [10/Oct/2000:13:55:36 -0700] "GET /a.php?x=1&y=%20 HTTP/1.1" 200 2326 "http://e.com/?q=\\"" "Mozilla/5.0 \\x22"'

  it('reads the combined form', async () => {
    expect(await one(access, combined)).toEqual({
      kind: 'access',
      '@time': '2000-10-10T20:55:36.000Z',
      'c-ip': '10.0.0.1',
      'cs-username': 'bob',
      'cs-method': 'GET',
      'c-uri': '/a.php?x=1&y=%20',
      'cs-uri-stem': '/a.php',
      'cs-uri-query': 'x=1&y=%20',
      'cs-version': 'HTTP/1.1',
      'sc-status': '200',
      'sc-bytes': '2326',
      'cs-referer': 'http://e.com/?q=\\"',
      'cs-user-agent': 'Mozilla/5.0 \\x22',
    })
  })

  it('reads the common form, a virtual host in front, and fields after', async () => {
    expect(
      await one(access, '::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.0" 304 -'),
    ).toEqual({
      kind: 'access',
      '@time': '2000-10-10T13:55:36.000Z',
      'c-ip': '::1',
      'cs-method': 'GET',
      'c-uri': '/',
      'cs-uri-stem': '/',
      'cs-version': 'HTTP/1.0',
      'sc-status': '304',
    })
    expect(await one(access, `www.e.com:443 ${combined} "10.9.9.9" 0.01`)).toMatchObject({
      's-host': 'www.e.com:443',
      'c-ip': '10.0.0.1',
      extra: '"10.9.9.9" 0.01',
    })
    expect(await one(access, combined.replace('bob', 'a b [x]'))).toMatchObject({
      'cs-username': 'a b [x]',
    })
  })

  it('keeps request lines that are none', async () => {
    const line = (request: string): string =>
      `1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "${request}" 400 226 "-" "-"`
    expect(await one(access, line('\\x16\\x03\\x01'))).toMatchObject({
      request: '\\x16\\x03\\x01',
      'sc-status': '400',
    })
    expect(await one(access, line('GET /a b c HTTP/1.1'))).toMatchObject({
      'c-uri': '/a b c',
      'cs-method': 'GET',
    })
    expect(Object.keys(await one(access, line('-')))).toEqual([
      'kind',
      '@time',
      'c-ip',
      'sc-status',
      'sc-bytes',
    ])
  })

  it('rejects other lines with their place', async () => {
    const { events, rejects } = await decode(
      access,
      `${combined}\nnoise\n1.2.3.4 - - [99/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1\n\n${combined}`,
    )
    expect(events.map(({ record }) => record)).toEqual([1, 5])
    expect(rejects.map(({ code, place }) => [code, place])).toEqual([
      ['HR141', 'line 2'],
      ['HR141', 'line 3'],
    ])
  })

  it('recognises them', () => {
    expect(access.detect(Buffer.from(`${combined}\n${combined}\n`))).toBeGreaterThan(80)
    expect(access.detect(Buffer.from('hello\n'))).toBe(0)
  })
})

describe('plain text', () => {
  it('gives one event a line, with the time at its start', async () => {
    const { events } = await decode(
      text,
      '2024-05-01 10:00:00,123 INFO x\r\n\n[2024-05-01T10:00:00Z] y\nno time',
    )
    expect(events.map(({ record, values, time }) => [record, values[0], time?.ms])).toEqual([
      [1, '2024-05-01 10:00:00,123 INFO x', Date.UTC(2024, 4, 1, 10, 0, 0, 123)],
      [3, '[2024-05-01T10:00:00Z] y', Date.UTC(2024, 4, 1, 10)],
      [4, 'no time', undefined],
    ])
  })
})

describe('any line format', () => {
  const heads: readonly (readonly [Decoder, string])[] = [
    [zeek, ZEEK_HEAD],
    [w3c, '#Fields: a b c\n'],
    [access, ''],
    [text, ''],
  ]
  const piece = fc.constantFrom(
    '\t',
    ' ',
    '"',
    '[',
    ']',
    '-',
    '\\x',
    '41',
    '10/Oct/2000:13:55:36 +0000',
    '(empty)',
    'x',
    ',',
    '1.2.3.4',
  )
  const line = fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => `q${parts.join('')}`)
  for (const [decoder, start] of heads) {
    it(`${decoder.name}: accounts for every line`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
          const { events, rejects } = await decode(decoder, start + lines.join('\n'), 'x', 20)
          expect([...events, ...rejects].map(({ raw }) => raw).sort()).toEqual([...lines].sort())
          for (const { names } of events) expect(new Set(names).size).toBe(names.length)
        }),
        { numRuns: 200 },
      )
    })

    it(`${decoder.name}: ends on random bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
          await decodeAll(decoder, Buffer.concat([Buffer.from(start), bytes]), 37)
        }),
      )
    })

    it(`${decoder.name}: stays quick on long lines`, async () => {
      const started = performance.now()
      for (const unit of [
        '[',
        '"',
        '\\',
        '\t',
        ' ',
        'x"',
        '\\x4',
        '[10/Oct/2000:13:55:36 +0000] ',
      ]) {
        await decode(decoder, start + unit.repeat(1_000_000 / unit.length))
      }
      expect(performance.now() - started).toBeLessThan(10_000)
    })
  }
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import type { FieldValue } from '../../src/ingest/decoder.ts'
import { json } from '../../src/ingest/json.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

function decode(text: string, size?: number, file = 'test.json'): Promise<Decoded> {
  return decodeAll(json, Buffer.from(text), size, { file })
}

async function fields(text: string, file?: string): Promise<Record<string, FieldValue>> {
  const { events, rejects } = await decode(text, undefined, file)
  expect(rejects).toEqual([])
  expect(events.length).toBe(1)
  return Object.fromEntries(fieldsOf(events[0]))
}

describe('flattening', () => {
  it('joins nested names with dots and keeps lists', async () => {
    expect(
      await fields(
        '{"a":{"b":"x","c":{"d":"y"}},"l":["1",2,true,null],"o":[{"k":"p","m":1},{"k":"q"}],"n":null}',
      ),
    ).toEqual({
      'a.b': 'x',
      'a.c.d': 'y',
      l: ['1', '2', 'true', ''],
      'o.k': ['p', 'q'],
      'o.m': ['1'],
      n: null,
    })
  })

  it('keeps empty containers as present but empty', async () => {
    expect(await fields('{"a":{},"b":[],"c":"","d":[[]],"e":[{}]}')).toEqual({
      a: '',
      b: '',
      c: '',
      d: [''],
      e: [''],
    })
  })

  it('keeps numbers as they are written', async () => {
    expect(
      await fields(
        '{"a":1.0,"b":-9223372036854775808,"c":18446744073709551615,"d":1e5,"e":-0,"f":0.1}',
      ),
    ).toEqual({
      a: '1.0',
      b: '-9223372036854775808',
      c: '18446744073709551615',
      d: '1e5',
      e: '-0',
      f: '0.1',
    })
  })

  it('keeps both values of a doubled key, and of names that become the same', async () => {
    expect(await fields('{"a":1,"a":2,"b":{"c":3},"b.c":4}')).toEqual({
      a: ['1', '2'],
      'b.c': ['3', '4'],
    })
  })

  it('keeps the order of the record, also of names that are numbers', async () => {
    const { events } = await decode('{"b":1,"2":2,"a":3,"1":4}')
    expect(events[0]?.names).toEqual(['b', '2', 'a', '1'])
  })

  it('resolves escapes in values and names', async () => {
    expect(
      await fields('{"p":"C:\\\\Win\\\\x \\"q\\" \\u00e9\\ud83d\\ude00\\n","k\\u0041\\"":"v"}'),
    ).toEqual({ p: 'C:\\Win\\x "q" é😀\n', 'kA"': 'v' })
  })

  it('keeps raw control characters inside a text', async () => {
    expect(await fields('{"a":"x\ty\\\\z"}')).toEqual({ a: 'x\ty\\z' })
  })

  it('treats dangerous names as data', async () => {
    const text = '{"__proto__":{"polluted":"1"},"constructor":{"prototype":{"polluted":"2"}}}'
    expect(await fields(text)).toEqual({
      '__proto__.polluted': '1',
      'constructor.prototype.polluted': '2',
    })
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    const { events } = await decode('{"__proto__":"x","toString":"y","hasOwnProperty":null}')
    expect(events[0]?.names).toEqual(['__proto__', 'toString', 'hasOwnProperty'])
  })

  it('gives the record its own text', async () => {
    const { events } = await decode('{"a": 1 }\n  {"b":2}  \n')
    expect(events.map(({ raw, record }) => [raw, record])).toEqual([
      ['{"a": 1 }', 1],
      ['{"b":2}', 2],
    ])
  })

  it('agrees with JSON.parse on any object of texts and numbers', async () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean())
    const key = fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !name.includes('.'))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, leaf), async (object) => {
        const text = JSON.stringify(object)
        const { events, rejects } = await decode(text)
        expect(rejects).toEqual([])
        const expected = Object.entries(JSON.parse(text) as object)
        const found = fieldsOf(events[0])
        if (found.has('_source')) return
        expect([...found]).toEqual(expected.map(([name, value]) => [name, String(value)]))
      }),
    )
  })
})

describe('layouts', () => {
  const three = ['{"a":1}', '{"a":2,"s":"}{][,\\\\\\""}', '{"a":3}']

  const layouts: readonly (readonly [string, string])[] = [
    ['lines', three.join('\n')],
    ['lines with CR LF and blanks', `\r\n${three.join('\r\n \r\n')}\r\n`],
    ['lines with commas', three.join(',\n')],
    ['one line', three.join(' ')],
    ['one line, nothing between', three.join('')],
    ['a list', `[${three.join(',')}]`],
    ['a list over lines', `[\n  ${three.join(',\n  ')}\n]\n`],
    [
      'pretty-printed objects',
      three.map((each) => each.replace('{', '{\n  ').replace(/}$/, '\n}')).join('\n'),
    ],
    ['a list of lists', `[[${three[0]}],[${three[1]},${three[2]}]]`],
    ['lists one after another', `[${three[0]},${three[1]}]\n[${three[2]}]`],
    ['record separators', three.map((each) => `\x1e${each}\n`).join('')],
    ['CloudTrail', `{"Records":[${three.join(',')}]}`],
    ['Azure diagnostics', `{ "records": [ ${three.join(',')} ] }`],
    ['Graph', `{"@odata.context":"x","value":[${three.join(',')}],"@odata.nextLink":"y"}`],
    [
      'Elasticsearch',
      `{"took":1,"_shards":{"total":1},"hits":{"total":{"value":3},"hits":[${three.join(',')}]}}`,
    ],
    [
      'Splunk',
      `{"preview":false,"messages":[{"type":"x"}],"fields":[],"results":[${three.join(',')}],"highlighted":{}}`,
    ],
    ['wrapped lines', three.map((each) => `{"Records":[${each}]}`).join('\n')],
  ]
  for (const [name, text] of layouts) {
    it(`reads ${name}, however cut`, async () => {
      for (const size of [1, 7, 65_536]) {
        const { events, rejects, damage } = await decode(text, size)
        expect(rejects).toEqual([])
        expect(damage).toEqual([])
        expect(events.map((event) => fieldsOf(event).get('a'))).toEqual(['1', '2', '3'])
        expect(fieldsOf(events[1]).get('s')).toBe('}{][,\\"')
      }
    })
  }

  it('takes the members of _source and of a Splunk result as the record', async () => {
    expect(await fields('{"_index":"i","_id":"1","_source":{"a":1,"b":{"c":2}}}')).toEqual({
      _index: 'i',
      _id: '1',
      a: '1',
      'b.c': '2',
    })
    expect(
      await fields(
        '{"preview":false,"offset":0,"result":{"_raw":"x","_time":"2024-01-01T00:00:00Z"}}',
      ),
    ).toEqual({
      preview: 'false',
      offset: '0',
      _raw: 'x',
      _time: '2024-01-01T00:00:00Z',
    })
    expect(await fields('{"user":"u","result":{"code":1}}')).toEqual({
      user: 'u',
      'result.code': '1',
    })
  })

  it('leaves records alone that only look like a wrapper', async () => {
    expect(await fields('{"value":[1,2],"name":"n"}')).toEqual({ value: ['1', '2'], name: 'n' })
    expect(await fields('{"name":"n","Records":[{"a":1}]}')).toEqual({
      name: 'n',
      'Records.a': ['1'],
    })
  })

  it('tells keys of a wrapper that it does not read', async () => {
    const { events, damage } = await decode('{"Records":[{"a":1}],"owner":{"id":1},"more":2}')
    expect(events.length).toBe(1)
    expect(damage.map(({ code, reason }) => [code, reason])).toEqual([
      ['HR127', 'the document around the records has more keys, which are not read: owner, more'],
    ])
  })

  it('tells when a list is cut off', async () => {
    const whole = await decode('[{"a":1},{"a":2}')
    expect(whole.events.length).toBe(2)
    expect(whole.damage.map(({ code }) => code)).toEqual(['HR151'])
    const cut = await decode('[{"a":1},{"a":2')
    expect(cut.events.length).toBe(1)
    expect(cut.rejects.map(({ code, place, raw }) => [code, place, raw])).toEqual([
      ['HR126', 'record 2', '{"a":2'],
    ])
  })
})

describe('bad records', () => {
  const bad: readonly (readonly [string, string])[] = [
    ['{"a":1', 'HR122'],
    ['{"a" 1}', 'HR122'],
    ['{a:1}', 'HR122'],
    ['{"a":01}', 'HR122'],
    ['{"a":1.}', 'HR122'],
    ['{"a":-}', 'HR122'],
    ['{"a":tru}', 'HR122'],
    ['{"a":"\\x"}', 'HR122'],
    ['{"a":"\\u12g4"}', 'HR122'],
    ['{"a":"x}', 'HR122'],
    ['{"a":"x\\"}', 'HR122'],
    ['{"a":1,}', 'HR122'],
    ['{"a":[1,]}', 'HR122'],
    ['{"a":[1}', 'HR122'],
    ['{"a":{"b":1]}', 'HR122'],
    ['{,}', 'HR122'],
    ['{"a":1}x', 'HR125'],
    ['plain text', 'HR125'],
    ['"text"', 'HR125'],
    ['42', 'HR125'],
  ]
  it('rejects each with its line and text, and goes on', async () => {
    for (const [text, code] of bad) {
      const { events, rejects } = await decode(`{"n":1}\n${text}\n{"n":2}\n`)
      expect(events.map((event) => fieldsOf(event).get('n')).filter(Boolean)).toEqual(['1', '2'])
      expect(rejects.map((each) => [text, each.code, each.place])).toEqual([[text, code, 'line 2']])
      expect(rejects[0]?.raw).toBe(text === '{"a":1}x' ? 'x' : text)
    }
  })

  it('says where in the record the fault is', async () => {
    const { rejects } = await decode('{"n":1}\n{"a":1 "b":2}')
    expect(rejects[0]?.reason).toBe(
      'not valid JSON: expected a comma or the end of the object at character 8',
    )
  })

  it('rejects one broken element of a list and reads the others', async () => {
    const { events, rejects } = await decode('[{"n":1},{"a":tru},7,"t",{"n":2}]')
    expect(events.map((event) => fieldsOf(event).get('n'))).toEqual(['1', '2'])
    expect(rejects.map(({ code, place }) => [code, place])).toEqual([
      ['HR122', 'record 2'],
      ['HR125', 'record 3'],
      ['HR125', 'record 4'],
    ])
  })

  it('finds the way back after a text that never ends', async () => {
    const { events, rejects } = await decode('[\n{"n":1},\n{"a":"open},\n{"n":2},\n{"n":3}\n]')
    expect(events.map((event) => fieldsOf(event).get('n'))).toEqual(['1', '2', '3'])
    expect(rejects.map(({ code, raw }) => [code, raw])).toEqual([['HR122', '{"a":"open},\n']])
  })

  it('rejects nesting past the limit and lives through a million levels', async () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    expect((await decode(nested(limits.jsonDepth))).events.length).toBe(1)
    for (const text of [
      nested(limits.jsonDepth + 1),
      `{"a":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`,
      '{"a":'.repeat(200_000),
    ]) {
      const { events, rejects } = await decode(`{"n":1}\n${text}\n{"n":2}\n`)
      expect(events.length).toBe(2)
      expect(rejects.map(({ code }) => code)).toEqual(['HR123'])
    }
    const lists = await decode('['.repeat(1_000_000))
    expect(lists.events).toEqual([])
    expect(lists.rejects.length).toBeGreaterThan(0)
  })

  it('rejects a record with too many fields or values', async () => {
    const many = `{${Array.from({ length: 100_000 }, (_, at) => `"f${at}":1`).join(',')}}`
    const list = `{"a":[${'1,'.repeat(limits.valuesPerEvent)}1]}`
    const { events, rejects } = await decode(`{"n":1}\n${many}\n${list}\n{"n":2}\n`)
    expect(events.length).toBe(2)
    expect(rejects.map(({ code }) => code)).toEqual(['HR124', 'HR128'])
  })

  it('keeps its memory small over hundreds of thousands of different names', async () => {
    let count = 0
    async function* lines(): AsyncGenerator<Uint8Array> {
      for (let block = 0; block < 30; block++) {
        const parts: string[] = []
        for (let at = 0; at < 1_000; at++) {
          const id = block * 1_000 + at
          parts.push(
            `{"a${id}":1,"b${id}":{"c${id}":2},"d${id}":3,"e${id}":4,"f${id}":5,"g${id}":6}\n`,
          )
        }
        yield Buffer.from(parts.join(''))
      }
    }
    const sink = {
      event: () => count++,
      reject: () => {},
      damage: () => {},
      ready: () => Promise.resolve(),
    }
    await json.decode(lines(), sink, { file: 'x', now: { ms: 0, sub: 0 } })
    expect(count).toBe(30_000)
    expect(process.memoryUsage().heapUsed).toBeLessThan(500 * 1024 * 1024)
  })

  it('rejects one record over the size limit and reads the next', async () => {
    const long = `{"a":"${'x'.repeat(limits.recordBytes)}"}`
    for (const text of [`{"n":1}\n${long}\n{"n":2}`, `[{"n":1},${long},{"n":2}]`]) {
      const { events, rejects } = await decode(text, 1024 * 1024)
      expect(events.map((event) => fieldsOf(event).get('n'))).toEqual(['1', '2'])
      expect(rejects.map(({ code }) => code)).toEqual(['HR120'])
    }
  })

  it('keeps bytes that are not UTF-8 as escapes in the value', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":"x'),
      Buffer.from([0xff, 0xe9]),
      Buffer.from('y","b":"ok"}\n{"a":"z"}\n'),
    ])
    const { events, damage } = await decodeAll(json, bytes)
    expect(events.map((event) => fieldsOf(event).get('a'))).toEqual(['x\\xff\\xe9y', 'z'])
    expect(damage.map(({ code, place }) => [code, place])).toEqual([['HR121', 'line 1']])
  })

  it('accounts for every line, whatever it holds', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      'a',
      '1',
      ' ',
      'true',
      '{"a":1}',
    )
    const line = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), async (lines) => {
        const { events, rejects } = await decode(`{"first":1}\n${lines.join('\n')}`)
        const told = new Set([
          ...events.map(({ record }) => `line ${record}`),
          ...rejects.map(({ place }) => place),
        ])
        lines.forEach((text, at) => {
          if (text.replace(/[ ,]/g, '') !== '') expect(told.has(`line ${at + 2}`)).toBe(true)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('always ends on random bytes and cut files', async () => {
    const whole = Buffer.from('[{"a":"b\\"c","d":[1,{"e":null}]},{"Records":[{"x":1}]}, 5]')
    for (let at = 0; at <= whole.length; at++) {
      for (const size of [1, 1_000]) await decodeAll(json, whole.subarray(0, at), size)
    }
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom('', '[', '{"', '{"Records":['),
        async (bytes, head) => {
          await decodeAll(json, Buffer.concat([Buffer.from(head), bytes]), 50)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('time and host', () => {
  const ms = Date.UTC(2024, 1, 29, 12, 30, 45, 120)
  const times: readonly string[] = [
    '{"@timestamp":"2024-02-29T12:30:45.120Z"}',
    '{"timestamp":"2024-02-29T13:30:45.120+01:00"}',
    '{"eventTime":"2024-02-29 12:30:45.12"}',
    '{"TIME":"2024-02-29T12:30:45,120Z"}',
    '{"ts":1709209845.120}',
    '{"time":1709209845120}',
    '{"_time":"1709209845.120000"}',
    '{"fss":"1709209845","fes":"x","@timestamp":"2024-02-29T12:30:45.120Z"}',
    '{"protoPayload":{"requestMetadata":{"requestAttributes":{"time":"2024-02-29T12:30:45.12Z"}}}}',
    '{"TimeGenerated [UTC]":"2/29/2024, 12:30:45.120 PM"}',
    '{"@timestamp":"Feb 29, 2024 @ 12:30:45.120"}',
    '{"TimeCreated":"/Date(1709209845120)/"}',
    '{"date":"2024-02-29","time":"12:30:45.120"}',
  ]
  it('is read from the well-known fields and forms', async () => {
    for (const text of times) {
      const { events } = await decode(text)
      expect([text, events[0]?.time?.ms]).toEqual([text, ms])
    }
  })

  it('keeps 100 ns', async () => {
    const { events } = await decode(
      '{"time":"2024-02-29T12:30:45.1234567Z"}\n{"ts":1709209845.1234567}',
    )
    expect(events.map(({ time }) => time)).toEqual([
      { ms: ms + 3, sub: 4567 },
      { ms: ms + 3, sub: 4567 },
    ])
  })

  it('is not made up from durations, or from fields that are no times', async () => {
    for (const text of [
      '{"time":0.25}',
      '{"time":"12"}',
      '{"timestamp":"yesterday"}',
      '{"x":"2024-01-01"}',
    ]) {
      const { events } = await decode(text)
      expect([text, events[0]?.time]).toEqual([text, undefined])
    }
  })

  it('lives with the ends of the calendar', async () => {
    const { events } = await decode(
      '{"time":"1601-01-01T00:00:00Z"}\n{"time":"9999-12-31T23:59:59.9999999Z"}\n{"time":"2023-02-29T00:00:00Z"}',
    )
    expect(events.map(({ time }) => time?.ms)).toEqual([
      Date.UTC(1601, 0, 1),
      Date.UTC(9999, 11, 31, 23, 59, 59, 999),
      undefined,
    ])
  })

  it('finds the host', async () => {
    for (const text of [
      '{"host":{"name":"h"}}',
      '{"host":"h"}',
      '{"Hostname":"h"}',
      '{"Computer":"h","host":"other"}',
    ]) {
      expect((await decode(text)).events[0]?.host).toBe('h')
    }
  })
})

describe('Zeek JSON', () => {
  it('is told by its fields, and named by its path or file', async () => {
    const line = '{"ts":1600000000.5,"uid":"C1","id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2"}'
    const { events } = await decode(line, undefined, '/logs/conn.2020-01-01.log.gz')
    expect(events[0]?.kind).toBe('zeek')
    expect(fieldsOf(events[0]).get('_path')).toBe('conn')
    expect(events[0]?.time?.ms).toBe(1_600_000_000_500)
    const corelight = await decode('{"_path":"dns","ts":"2020-01-01T00:00:00Z","query":"x"}')
    expect(corelight.events.map(({ kind }) => kind)).toEqual(['zeek'])
    expect((await decode('{"ts":1600000000,"a":1}')).events[0]?.kind).toBe('json')
  })
})

it('recognises JSON', () => {
  const detect = (text: string): number => json.detect(Buffer.from(text))
  expect(detect('{"a":1}')).toBeGreaterThan(50)
  expect(detect('\n [ {"a":1}')).toBeGreaterThan(50)
  expect(detect('[2024-01-01] x')).toBe(0)
  expect(detect('{not json')).toBe(0)
  expect(detect('')).toBe(0)
})

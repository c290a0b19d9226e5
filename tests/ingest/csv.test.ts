import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csv } from '../../src/ingest/csv.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

function decode(text: string, size?: number): Promise<Decoded> {
  return decodeAll(csv, Buffer.from(text), size)
}

async function rows(text: string): Promise<readonly Record<string, unknown>[]> {
  const { events, rejects } = await decode(text)
  expect(rejects).toEqual([])
  return events.map((event) => Object.fromEntries(fieldsOf(event)))
}

describe('tables', () => {
  it('reads cells under their header', async () => {
    expect(await rows('a,b\n1,2\r\n\n3,4')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ])
  })

  it('reads quotes, doubled quotes, delimiters and line breaks in cells', async () => {
    const text = 'a,"b ""x""",c\n"1,2","say ""hi""","two\r\nlines\n"\n"",plain"quote,""""\n'
    for (let size = 1; size < 20; size++) {
      const { events, rejects } = await decode(text, size)
      expect(rejects).toEqual([])
      expect(events.map((event) => Object.fromEntries(fieldsOf(event)))).toEqual([
        { a: '1,2', 'b "x"': 'say "hi"', c: 'two\r\nlines\n' },
        { a: '', 'b "x"': 'plain"quote', c: '"' },
      ])
    }
  })

  it('keeps the text of the record and its line', async () => {
    const { events } = await decode('a,b\n"x\ny",1\n2,3\n')
    expect(events.map(({ raw, record }) => [raw, record])).toEqual([
      ['"x\ny",1', 2],
      ['2,3', 4],
    ])
  })

  it('tells empty from missing, and refuses more', async () => {
    const { events, rejects } = await decode('a,b,c\n1\n1,,\n1,2,3,4\n5,6,7\n')
    expect(events.map(({ names, values }) => [names, values])).toEqual([
      [['a'], ['1']],
      [
        ['a', 'b', 'c'],
        ['1', '', ''],
      ],
      [
        ['a', 'b', 'c'],
        ['5', '6', '7'],
      ],
    ])
    expect(rejects.map(({ code, place, raw }) => [code, place, raw])).toEqual([
      ['HR130', 'line 4', '1,2,3,4'],
    ])
  })

  it('makes lists of columns of one name, and names columns without one', async () => {
    expect(await rows('a,a,\n1,2,3\n')).toEqual([{ a: ['1', '2'], column_3: '3' }])
  })

  it('finds the delimiter', async () => {
    expect(await rows('a;b\n"1;2";3,5\n')).toEqual([{ a: '1;2', b: '3,5' }])
    expect(await rows('a\tb\n1\t2\n')).toEqual([{ a: '1', b: '2' }])
    expect(await rows('a|b|c\n1|2,3|4\n')).toEqual([{ a: '1', b: '2,3', c: '4' }])
    expect(await rows('sep=;\na;b\n1;2\n')).toEqual([{ a: '1', b: '2' }])
    expect(await rows('\uFEFFa,b\n1,2\n')).toEqual([{ a: '1', b: '2' }])
  })

  it('does not let a stray quote swallow the rows after it', async () => {
    const { events, rejects } = await decode('a,b\n1,"open\n2,x\n3,"ok"\n4,y\n"5"x,z\n6,w\n')
    expect(events.map((event) => fieldsOf(event).get('a'))).toEqual(['2', '3', '4', '6'])
    expect(rejects.map(({ code, place }) => [code, place])).toEqual([
      ['HR131', 'line 2'],
      ['HR131', 'line 6'],
    ])
    const last = await decode('a,b\n1,2\n3,"open\n4,5\n')
    expect(last.events.map((event) => fieldsOf(event).get('a'))).toEqual(['1', '4'])
  })

  it('stays quick on rows that are never closed', async () => {
    const started = performance.now()
    const many = `a,b\n${'x"y,"z\n'.repeat(100_000)}`
    const { events, rejects } = await decode(many)
    expect(events.length + rejects.length).toBeGreaterThan(0)
    const wide = `${Array.from({ length: 5_000 }, (_, at) => `c${at}`).join(',')}\n${'","\n'.repeat(50_000)}`
    await decode(wide)
    expect(performance.now() - started).toBeLessThan(60_000)
  })

  it('reads time and host by their columns', async () => {
    const { events } = await decode(
      'TenantId,"TimeGenerated [UTC]",Computer\nx,"10/26/2020, 9:43:12.000 PM",H\n',
    )
    expect(events[0]?.names).toEqual(['TenantId', 'TimeGenerated', 'Computer'])
    expect(events[0]?.time?.ms).toBe(Date.UTC(2020, 9, 26, 21, 43, 12))
    expect(events[0]?.host).toBe('H')
    expect(events[0]?.kind).toBe('csv')
  })

  it('treats dangerous names as data', async () => {
    expect(await decode('__proto__,constructor\nx,y\n')).toMatchObject({
      events: [{ names: ['__proto__', 'constructor'], values: ['x', 'y'] }],
    })
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it('tells when there is no header', async () => {
    expect((await decode('\n\n')).damage.map(({ code }) => code)).toEqual(['HR132'])
  })

  it('refuses rows of a header with too many columns', async () => {
    const header = Array.from({ length: 100_000 }, (_, at) => `c${at}`).join(',')
    const { events, rejects } = await decode(`${header}\n1,2\n3,4\n`)
    expect(events).toEqual([])
    expect(rejects.map(({ code }) => code)).toEqual(['HR124', 'HR124'])
  })

  it('gives back any table that was written by the rules', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ';', ' ') })
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        async (table) => {
          const text = ['x,y,z', ...table.map((row) => row.map(quoted).join(','))].join('\n')
          const { events, rejects } = await decode(text, 7)
          expect(rejects).toEqual([])
          expect(events.map(({ values }) => values)).toEqual(table)
        },
      ),
    )
  })

  it('accounts for every line of any text', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '1'), maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        const { events, rejects } = await decode(`h,i\n${body}`)
        const lines = [...events, ...rejects]
          .flatMap(({ raw }) => raw.split('\n'))
          .filter((line) => line !== '')
        const wanted = body.split('\n').filter((line) => line !== '')
        expect(lines.sort()).toEqual(wanted.sort())
      }),
      { numRuns: 500 },
    )
  })
})

it('recognises tables', () => {
  const detect = (text: string): number => csv.detect(Buffer.from(text))
  expect(detect('a,b,c,d\n1,2,3,4\n5,6,7,8\n')).toBeGreaterThan(40)
  expect(detect('just text\nmore text\n')).toBe(0)
  expect(detect('2024-01-01 00:00:00, something\n')).toBe(0)
  expect(detect('Hello, world\nand, then, more, commas\nnone\n')).toBe(0)
})

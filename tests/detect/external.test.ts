/** `externaldata` from files that the user gave: formats, types, packed files, and what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { planQuery, type QueryWorld, queryRows } from '../../src/detect/runquery.ts'
import type { KustoPin } from '../../src/dialects/kusto/answer.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readPin } from '../../src/rules/kustopins.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine
let folder: string
beforeAll(async () => {
  opened = await temporaryEngine()
  folder = mkdtempSync(join(tmpdir(), 'harrier-test-'))
})
afterAll(async () => {
  await opened.close()
  rmSync(folder, { recursive: true, force: true })
})

const schema = readyMadeSchema()
const world: QueryWorld = { schema, stored: new Map(), time: {} }
const URL = 'https://example.org/list'

const pinOf = (text: string, file = 'list.csv', address = URL): KustoPin => ({
  address,
  file,
  text,
})

async function answer(query: string, pins: readonly KustoPin[]) {
  const compiler = compilerHere(schema.tables, pins)
  const [compiled] = await compiler.compile([{ query, name: 'q' }], [], [])
  const [first] = compiled?.queries ?? []
  if (first === undefined) throw new Error('no answer')
  return first
}

async function rows(query: string, ...pins: readonly KustoPin[]) {
  const { rel, diagnostics } = await answer(query, pins)
  if (rel === undefined) throw new Error(JSON.stringify(diagnostics))
  const { value: plan } = planQuery(rel, world)
  if (plan === undefined) throw new Error('no plan')
  const found: (readonly unknown[])[] = []
  for await (const row of queryRows(opened.engine, plan)) found.push(row)
  return found
}

describe('external data', () => {
  it('has the types that the query names, and nothing where a cell is missing or wrong', async () => {
    const text = 's,n,t,d\r\n"a ""b""",12,2024-01-02T03:04:05Z,"{""x"":1}"\r\nc,zz\r\n'
    const query = `externaldata(s:string, n:long, t:datetime, d:dynamic)[@'${URL}'] with (format='csv', IgnoreFirstRecord=True)`
    expect(await rows(query, pinOf(text))).toEqual([
      ['a "b"', 12n, '2024-01-02T03:04:05.0000000Z', '{"x":1}'],
      ['c', null, null, null],
    ])
  })

  it.each([
    [
      'csv',
      'a,b\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['tsv', 'a,b\tc', [['a,b', 'c']]],
    ['psv', 'a|b', [['a', 'b']]],
    ['scsv', 'a;b', [['a', 'b']]],
    [
      'txt',
      'a,b\r\n\n"c',
      [
        ['a,b', ''],
        ['"c', ''],
      ],
    ],
    ['raw', 'a\nb', [['a\nb', '']]],
    [
      'json',
      '{"p":"a","q":{"z":1}}\n{"q":true}',
      [
        ['a', '{"z":1}'],
        ['', 'true'],
      ],
    ],
    [
      'multijson',
      '[{"p":"a"},\n {"p":12345678901234567890}]',
      [
        ['a', ''],
        ['12345678901234567890', ''],
      ],
    ],
    [
      'multijson',
      '{"p":"a"}{"q":null}',
      [
        ['a', ''],
        ['', ''],
      ],
    ],
  ])('is read as %s: %j', async (format, text, wanted) => {
    const query = `externaldata(p:string, q:string)['${URL}'] with (format="${format}")`
    expect(await rows(query, pinOf(text))).toEqual(wanted)
  })

  it('has the format of its ending where the query names none', async () => {
    const address = `${URL}.txt.gz?x=1`
    const query = `externaldata(p:string)['${address};secret']`
    expect(await rows(query, pinOf('a,b', 'x', address))).toEqual([['a,b']])
  })

  it('is mapped by the paths that the query gives', async () => {
    const mapping = `[{"Column":"p","Properties":{"Path":"$.x['y z']"}},{"Column":"q","Properties":{"Path":"$"}}]`
    const query = `externaldata(p:string, q:dynamic)['${URL}'] with (format='multijson', ingestionMapping=@'${mapping.replaceAll("'", "''")}')`
    const plain = `externaldata(p:string, q:dynamic)['${URL}'] with (format='multijson', ingestionMapping=@'[{"Column":"p","Properties":{"Path":"$.x.y"}},{"Column":"q","Properties":{"Path":"$"}}]')`
    expect(await rows(plain, pinOf('[{"x":{"y":"a"}}]'))).toEqual([['a', '{"x":{"y":"a"}}']])
    expect((await answer(query, [pinOf('[{"x":{"y z":"a"}}]')])).rel).toBeDefined()
  })

  it('joins several addresses, each without its first record', async () => {
    const other = `${URL}2`
    const query = `externaldata(p:string)['${URL}', '${other}'] with (ignoreFirstRecord=true) | where p in ('b', 'd')`
    expect(await rows(query, pinOf('a\nb'), pinOf('c\nd', 'x', other))).toEqual([['b'], ['d']])
  })

  it('holds many rows', async () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    const query = `let l = externaldata(ip:string)['${URL}']; print a = '10.0.3.7', b = 'x' | where a in (l) | count`
    expect(await rows(query, pinOf(text.join('\n')))).toEqual([[1n]])
  })

  it('is asked for by name where no file was given, and nothing runs without it', async () => {
    const { rel, diagnostics } = await answer(`externaldata(p:string)['https://other']`, [])
    expect(diagnostics.map((each) => each.code)).toEqual(['HR430'])
    if (rel === undefined) throw new Error('no plan')
    const planned = planQuery(rel, world)
    expect([planned.value, planned.diagnostics[0]?.code]).toEqual([undefined, 'HR432'])
  })

  it.each([
    [
      'its format is not read',
      `externaldata(p:string)['${URL}'] with (format=parquet)`,
      'a',
      'HR407',
    ],
    [
      'it is not in its format',
      `externaldata(p:string)['${URL}'] with (format=csv)`,
      '"a',
      'HR482',
    ],
    [
      'its JSON is broken',
      `externaldata(p:string)['${URL}'] with (format=json)`,
      '{"a":1',
      'HR482',
    ],
    ['its JSON is no object', `externaldata(p:string)['${URL}'] with (format=json)`, '}', 'HR482'],
    [
      'it has too many rows',
      `externaldata(p:string)['${URL}']`,
      'a\n'.repeat(limits.externalRows + 1),
      'HR482',
    ],
  ])('is refused when %s', async (_, query, text, code) => {
    const { rel, diagnostics } = await answer(query, [pinOf(text)])
    expect(rel).toBeUndefined()
    expect(diagnostics.map((each) => each.code)).toEqual([code])
  })
})

describe('files for external data', () => {
  const write = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(join(folder, name), bytes)
    return join(folder, name)
  }

  it('are named behind their address, which may hold any sign', async () => {
    const path = write('a=b.csv', 'x')
    const { pin } = await readPin(`https://h/list?a=b&c=d;secret=${path}`)
    expect(pin).toEqual({ address: 'https://h/list?a=b&c=d', file: path, text: 'x' })
  })

  it('may be packed', async () => {
    const path = write('a.csv.gz', gzipSync('packed'))
    expect((await readPin(`u=${path}`)).pin?.text).toBe('packed')
  })

  it.each([
    ['nothing', 'no-file', 'is not ADDRESS=FILE'],
    ['a file that is not there', 'u=/no/such/file', 'there is no file'],
  ])('are refused: %s', async (_, given, reason) => {
    const { pin, diagnostics } = await readPin(given)
    expect(pin).toBeUndefined()
    expect(diagnostics[0]?.message).toContain(reason)
  })

  it('are refused when they are too large, cut or no text', async () => {
    const told = async (name: string, bytes: Uint8Array): Promise<string> =>
      (await readPin(`u=${write(name, bytes)}`)).diagnostics[0]?.message ?? ''
    expect(await told('large', Buffer.alloc(limits.externalBytes + 1, 65))).toContain('more than')
    expect(await told('bomb', gzipSync(Buffer.alloc(limits.externalBytes * 4)))).toContain(
      'more than',
    )
    expect(await told('cut', gzipSync('a'.repeat(5000)).subarray(0, 30))).not.toBe('')
    expect(await told('latin', Buffer.from([0xe9, 0x0a]))).toContain('UTF-8')
  })
})

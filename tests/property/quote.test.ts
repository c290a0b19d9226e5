/** 100,000 random strings through quoting and back: the engine reads each literal as exactly that text. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { quoteName, quoteText } from '../../src/sql/quote.ts'
import { type Random, randomFrom } from '../../tools/random.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

const STRINGS = 100_000
const CHUNK = 5_000
const PIECES = [
  "'",
  '"',
  '`',
  '\\',
  '\0',
  '\n',
  '\r',
  '\t',
  '\b',
  '\f',
  '\v',
  '\x1b',
  '\x7f',
  '%',
  '_',
  '--',
  '/*',
  '*/',
  ';',
  ')',
  '\\0',
  '\\x41',
  '\\N',
  "\\'",
  "''",
  '{a:String}',
  '$$',
  'a',
  'Z',
  '0',
  ' ',
  'é',
  'ß',
  '中',
  '😀',
  '\u202e',
  '\ufeff',
  '\ufffd',
  ' OR 1=1',
  'FORMAT',
  'SETTINGS',
]

function randomText(random: Random): string {
  return Array.from({ length: random.below(12) }, () =>
    random.next() < 0.7 ? random.pick(PIECES) : String.fromCodePoint(random.below(0xd7ff)),
  ).join('')
}

let opened: TemporaryEngine
beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

describe('quoting', () => {
  it('round-trips random texts as literals', async () => {
    const random = randomFrom(7)
    for (let at = 0; at < STRINGS; at += CHUNK) {
      const texts = Array.from({ length: CHUNK }, () => randomText(random))
      const sql = `SELECT hex(SHA256(arrayStringConcat([${texts.map(quoteText).join(',')}], '|')))`
      const [[hash] = []] = await allRows(opened.engine, sql)
      const wanted = createHash('sha256').update(texts.join('|')).digest('hex').toUpperCase()
      expect(hash, `texts ${at} to ${at + CHUNK}`).toBe(wanted)
    }
  })

  it('round-trips random names as identifiers', async () => {
    const random = randomFrom(11)
    const names = [...new Set(Array.from({ length: 2_000 }, () => randomText(random)))].filter(
      (name) => name !== '',
    )
    for (let at = 0; at < names.length; at += 100) {
      const some = names.slice(at, at + 100)
      const columns = some.map((name, index) => `${index} AS ${quoteName(name)}`)
      const sum = some.map(quoteName).join(' + ')
      const [[total] = []] = await allRows(
        opened.engine,
        `SELECT ${sum} FROM (SELECT ${columns.join(', ')})`,
      )
      expect(Number(total)).toBe((some.length * (some.length - 1)) / 2)
    }
  })

  it('replaces a lone surrogate, which has no UTF-8 form', async () => {
    const [[text] = []] = await allRows(opened.engine, `SELECT ${quoteText('a\ud800b')}`)
    expect(text).toBe('a\ufffdb')
  })
})

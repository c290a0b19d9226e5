/**
 * The tests of terms against a plain reading of what they mean, on thousands of random texts and needles: constant
 * needles (prefilters, patterns, multi-needle searches) and needles of the row must say the same.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { functionOf } from '../../src/functions/catalogue.ts'
import { name, sql } from '../../src/functions/sql.ts'
import { printTemplate } from '../../src/sql/expr.ts'
import { quoteTexts } from '../../src/sql/quote.ts'
import { type Random, randomFrom } from '../../tools/random.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

const PIECES = [
  ...['a', 'A', 'ab', 'b', '1', '_', '-', '.', ' ', '/', '\\', '(', '*', '$', '^', '\n', '\0'],
  ...[
    "'",
    'é',
    'É',
    'ü',
    'Σ',
    'ς',
    'σ',
    'ß',
    '中',
    '٣',
    '—',
    '\u00a0',
    '“',
    '😀',
    '\u0301',
    'ſ',
    '\u212a',
    'k',
  ],
]

function randomText(random: Random, most: number): string {
  return Array.from({ length: random.below(most) }, () => random.pick(PIECES)).join('')
}

const inTerm = (char: string | undefined): boolean =>
  char !== undefined && /[\p{L}\p{N}]/u.test(char)

/** ASCII needles fold ASCII letters only. */
function fold(text: string, needle: string): string {
  const wide = [...needle].some((c) => c > '\x7f' && c.toLowerCase() !== c.toUpperCase())
  return wide
    ? text.toLowerCase().replaceAll('ς', 'σ')
    : text.replace(/[A-Z]/g, (each) => each.toLowerCase())
}

function has(text: string, needle: string, left: boolean, right: boolean): boolean {
  const chars = [...text]
  const wanted = [...needle]
  if (wanted.length === 0) return true
  return chars.some((_, at) => {
    if (!wanted.every((each, index) => chars[at + index] === each)) return false
    const cutsLeft = inTerm(wanted[0]) && inTerm(chars[at - 1])
    const cutsRight = inTerm(wanted.at(-1)) && inTerm(chars[at + wanted.length])
    return !(left && cutsLeft) && !(right && cutsRight)
  })
}

const FAMILY = [
  { id: 'term.has', left: true, right: true },
  { id: 'term.hasprefix', left: true, right: false },
  { id: 'term.hassuffix', left: false, right: true },
]

let opened: TemporaryEngine
beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

const random = randomFrom(7)
const texts = Array.from({ length: 400 }, () => randomText(random, 12))
const needles = ['', ...Array.from({ length: 150 }, () => randomText(random, 5))]

/** The answers of each test for each text. */
async function answers(tests: readonly string[]): Promise<readonly (readonly boolean[])[]> {
  const list = tests.map((each) => `groupArray(toUInt8(${each}))`).join(', ')
  const from = `(SELECT arrayJoin(${quoteTexts(texts)}) AS x)`
  const [row = []] = await allRows(opened.engine, `SELECT ${list} FROM ${from}`)
  return row.map((each) => (Array.isArray(each) ? each.map(Boolean) : []))
}

const x = { sql: sql`${name('x')}`, type: 'text' } as const
const constant = (id: string, value: string | readonly string[]): string =>
  printTemplate(
    functionOf(id).sql([
      x,
      { sql: sql`''`, type: Array.isArray(value) ? { list: 'text' } : 'text', value },
    ]),
  )

it('finds one constant needle as it reads', async () => {
  for (const { id, left, right } of FAMILY) {
    for (const exact of [false, true]) {
      const found = await answers(needles.map((each) => constant(exact ? `${id}_cs` : id, each)))
      needles.forEach((needle, index) => {
        const wanted = texts.map((text) =>
          exact
            ? has(text, needle, left, right)
            : has(fold(text, needle), fold(needle, needle), left, right),
        )
        expect(found[index], `${id} ${exact} ${JSON.stringify(needle)}`).toEqual(wanted)
      })
    }
  }
})

it('finds a needle of the row as it reads', async () => {
  const needle = { sql: sql`materialize(${name('n')})`, type: 'text' } as const
  for (const { id, left, right } of FAMILY) {
    const test = printTemplate(functionOf(`${id}_cs`).sql([x, needle]))
    const [row = []] = await allRows(
      opened.engine,
      `SELECT groupArray(toUInt8(${test})) FROM (SELECT arrayJoin(${quoteTexts(texts)}) AS x, arrayJoin(${quoteTexts(needles)}) AS n)`,
    )
    const wanted = texts.flatMap((text) => needles.map((each) => has(text, each, left, right)))
    const given = Array.isArray(row[0]) ? row[0].map(Boolean) : []
    expect(given.length).toBe(wanted.length)
    const wrong = given.flatMap((each, index) => (each === wanted[index] ? [] : [index]))
    expect(
      wrong
        .slice(0, 3)
        .map((each) => [texts[Math.floor(each / needles.length)], needles[each % needles.length]]),
    ).toEqual([])
  }
})

it('finds any and all of few and of many needles as it reads', async () => {
  const lists = Array.from({ length: 60 }, (_, index) =>
    Array.from(
      { length: 1 + random.below(index % 2 === 0 ? 5 : 40) },
      () => randomText(random, 4) || 'q',
    ),
  )
  const one = (text: string) => (needle: string) =>
    has(fold(text, needle), fold(needle, needle), true, true)
  const any = await answers(lists.map((each) => constant('term.has_any', each)))
  const all = await answers(lists.map((each) => constant('term.has_all', each)))
  lists.forEach((list, index) => {
    const note = JSON.stringify(list)
    expect(any[index], note).toEqual(texts.map((text) => list.some(one(text))))
    expect(all[index], note).toEqual(texts.map((text) => list.every(one(text))))
  })
})

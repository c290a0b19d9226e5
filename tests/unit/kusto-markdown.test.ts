/** Kusto queries in Markdown and in bare files: which blocks are taken, what they are called, where they stand. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { kustoForm, readKustoFile } from '../../src/dialects/kusto/document.ts'

function read(text: string, file = 'notes.md') {
  const form = kustoForm(file, text, true)
  if (form === undefined) throw new Error('not Kusto')
  return readKustoFile(form, text, file)
}

const titles = (text: string, file?: string): readonly string[] =>
  read(text, file).documents.map(({ rule }) => rule.name)
const queries = (text: string): readonly string[] => read(text).documents.map(({ query }) => query)

const FENCE = '```'

describe('blocks of Markdown', () => {
  it('are titled by the heading before them, and numbered below one heading', () => {
    const text = [
      `${FENCE}kql`,
      'Zero',
      FENCE,
      '# One',
      'About T1059.001 and T1059.001.',
      `${FENCE}kusto`,
      'A',
      FENCE,
      `${FENCE}KQL`,
      'B',
      FENCE,
      'Two `words`',
      '---',
      `${FENCE}kql {.numberLines}`,
      'C',
      FENCE,
      '### **Three** [link](https://example.org/x) ###',
      '~~~ {.kusto}',
      'D',
      '~~~',
    ].join('\n')
    expect(titles(text)).toEqual(['notes', 'One', 'One (2)', 'Two words', 'Three link'])
    expect(queries(text)).toEqual(['Zero', 'A', 'B', 'C', 'D'])
    expect(read(text).documents[1]?.rule).toMatchObject({
      form: 'query',
      techniques: ['T1059.001'],
      description: 'About T1059.001 and T1059.001.',
    })
  })

  it('of other languages, and what looks like blocks inside them, are left alone', () => {
    const text = [
      '# H',
      `${FENCE}spl`,
      `${FENCE} a comment of the language ${FENCE}`,
      'search x',
      FENCE,
      '````text',
      `${FENCE}kql`,
      'not me',
      FENCE,
      '````',
      `${FENCE}kqlx`,
      'nor me',
      FENCE,
      `${FENCE}kql`,
      'me',
      FENCE,
      `Some ${FENCE}kql inline${FENCE} text`,
    ].join('\n')
    expect(queries(text)).toEqual(['me'])
  })

  it('may be indented, quoted, or with CRLF, and are placed exactly', () => {
    const text = [
      '1. Do this',
      `   ${FENCE}kql`,
      '   T',
      '     | where x == 1',
      '  | take 5',
      `   ${FENCE}`,
      `> ${FENCE}kql`,
      '> U',
      '> | where y == 2',
      `> ${FENCE}`,
    ].join('\r\n')
    const { documents } = read(text)
    expect(documents.map(({ query }) => query)).toEqual([
      'T\n  | where x == 1\n| take 5',
      'U\n| where y == 2',
    ])
    for (const [index, word] of ['x == 1', 'y == 2'].entries()) {
      const document = documents[index]
      const start = document?.query.indexOf(word) ?? -1
      const span = document?.place({ start, end: start + word.length })
      expect(text.slice(span?.start, span?.end)).toBe(word)
    }
  })

  it('that are not closed are read to the end, and told', () => {
    const { documents, diagnostics } = read(`# A\n${FENCE}kql\nT\n| take 1\n`)
    expect(documents.map(({ query }) => query)).toEqual(['T\n| take 1'])
    expect(diagnostics.map((each) => each.code)).toEqual(['HR462'])
  })

  it('that are empty are none', () => {
    expect(queries(`${FENCE}kql\n\n${FENCE}\n${FENCE}kql\nT\n${FENCE}\n`)).toEqual(['T'])
  })

  it('are found in a text file, too', () => {
    expect(kustoForm('brief.txt', `# A\n${FENCE}kql\nT\n${FENCE}\n`, true)).toBe('markdown')
    expect(kustoForm('brief.txt', `# A\n${FENCE}kql\nT\n${FENCE}\n`, false)).toBeUndefined()
    expect(kustoForm('readme.md', '# A\nnothing\n', false)).toBeUndefined()
  })
})

describe('bare queries', () => {
  it('take title and description from the comments before them', () => {
    const text = '// Title: Odd logons.\n// ------\n// From far away.\n\nT\n| where x // no\n'
    const [document] = read(text, 'a/odd_logons.kql').documents
    expect(document?.rule).toMatchObject({ name: 'Odd logons', description: 'From far away.' })
    expect(document?.query).toBe(text)
  })

  it('are called after their file without', () => {
    expect(titles('T | take 1', 'a/odd logons.kql')).toEqual(['odd logons'])
    expect(titles(`// ${'long '.repeat(60)}\nT`, 'b.csl')).toEqual(['b'])
    expect(titles('// let x = 1;\nT', 'b.kusto')).toEqual(['b'])
    expect(titles('T\n| take 1', 'b.txt')).toEqual(['b'])
  })

  it('keep blank lines for the compiler, and lose only the byte order mark', () => {
    const [document] = read('\ufeffT\n\n\nU\n', 'a.kql').documents
    expect(document?.query).toBe('T\n\n\nU\n')
    expect(document?.place({ start: 0, end: 1 })).toEqual({ start: 1, end: 2 })
  })

  it('with nothing in them are none', () => {
    expect(read(' \n\n', 'a.kql').documents).toEqual([])
  })

  it('are told from other text by their content when the name says nothing', () => {
    expect(kustoForm('-', 'let a = 1;\nT | where x == a', true)).toBe('query')
    expect(kustoForm('-', 'T\n| where x', true)).toBe('query')
    expect(kustoForm('-', 'title: x\nlogsource: {}\n', true)).toBeUndefined()
    expect(kustoForm('-', '{"query": "T"}', true)).toBe('json')
    expect(kustoForm('-', '{"query": "T"}\n{"query": "U"}\n', true)).toBe('pack')
    expect(kustoForm('-', 'name: A\nquery: T\n', true)).toBe('yaml')
  })
})

describe('hostile Markdown', () => {
  it('of countless blocks is read up to the limit', () => {
    const text = `# A\n${`${FENCE}kql\nT\n${FENCE}\n`.repeat(100_000)}`
    const start = performance.now()
    const { documents, diagnostics } = read(text)
    expect(documents.length).toBe(limits.queriesPerFile)
    expect(diagnostics.map((each) => each.code)).toEqual(['HR004'])
    expect(performance.now() - start).toBeLessThan(20_000)
  })

  it.each([
    ['open fences', `${FENCE}\n~~~\n`.repeat(50_000)],
    ['one long line of marks', `${'`'.repeat(500_000)}\n`],
    ['marks of quotation', `${'>'.repeat(500_000)}\n`],
    ['brackets', `# ${'['.repeat(200_000)}\n`],
    ['underlines', `a\n${'-'.repeat(500_000)}x\n`],
    ['hashes', `${'# '.repeat(200_000)}\n`],
    ['no end of line', `${FENCE}kql ${'x'.repeat(900_000)}`],
  ])('ends soon: %s', (_, text) => {
    const start = performance.now()
    read(`${text}${FENCE}kql\nT\n`)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

/** Texts that are written to keep patterns busy: long runs of what a pattern may take or leave. */
import { expect, it } from 'vitest'
import { readBlocks } from '../../src/core/markdown.ts'
import { withoutEnd } from '../../src/core/trim.ts'
import { readsAll } from '../../src/dialects/kusto/scan.ts'
import { splitScript } from '../../src/dialects/kusto/script.ts'

const LONG = 300_000

it('end at once in the middle of a text', () => {
  expect(withoutEnd(`${';'.repeat(LONG)}x; ;`, /[\s;]/)).toHaveLength(LONG + 1)
  expect(withoutEnd(';;', /;/)).toBe('')
})

it('tell whether a query reads all tables', () => {
  expect(readsAll('union *')).toBe(true)
  expect(readsAll('union withsource=T A, B*\n| take 1')).toBe(true)
  expect(readsAll('union A, B | project-away a*')).toBe(false)
  expect(readsAll('let x = 1;\n\n  search "a"')).toBe(true)
  expect(readsAll('T | where find_it == 1')).toBe(false)
  expect(readsAll(`${'union '.repeat(LONG / 6)}${'\n'.repeat(LONG)}x`)).toBe(false)
  expect(readsAll(`(${' '.repeat(LONG)}x`)).toBe(false)
})

it('are split into queries', () => {
  const text = `// one\n\n${'\n'.repeat(LONG)}T`
  expect(splitScript(text, () => true)).toEqual([{ start: 0, end: text.length }])
  expect(splitScript(`// one${'\n'.repeat(LONG)}// two`, () => false)).toEqual([])
})

it('are headings', () => {
  const titleOf = (heading: string): string | undefined =>
    readBlocks(`${heading}\n\n~~~kql\nT\n~~~\n`, 'a.md', /^kql$/).blocks[0]?.title
  expect(titleOf('## Title of it ##')).toBe('Title of it')
  expect(titleOf('## Title of C#')).toBe('Title of C#')
  // What is too long for a title is cut off.
  expect(titleOf(`# Title${' '.repeat(LONG)}x #b`)).toBe('Title')
})

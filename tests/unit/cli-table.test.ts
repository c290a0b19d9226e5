import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Column, renderTable } from '../../src/cli/table.ts'
import { widthOf } from '../../src/cli/text.ts'
import { fakeOutput } from '../support/output.ts'

const columns: readonly Column[] = [
  { title: 'LEVEL' },
  { title: 'RULE', shrinksTo: 8 },
  { title: 'HITS', align: 'right' },
  { title: 'FIRST', dropOrder: 1 },
]

describe('tables', () => {
  it('align text left and numbers right, without trailing blanks', () => {
    const { out } = fakeOutput({ columns: 80 })
    const rows = [
      [{ text: 'high', style: 'high' as const }, 'A rule', 7, '2024-01-05'],
      ['low', 'Another rule', 1200, '2024-01-06'],
    ]
    expect(renderTable(out, columns, rows)).toBe(
      [
        'LEVEL  RULE          HITS  FIRST',
        'high   A rule           7  2024-01-05',
        'low    Another rule  1200  2024-01-06',
        '',
      ].join('\n'),
    )
  })

  it('shrink the column that may shrink, then drop what may be dropped', () => {
    const rows = [['high', 'A rule with a long title', 7, '2024-01-05']]
    const at = (width: number): string[] =>
      renderTable(fakeOutput({ columns: width }).out, columns, rows).split('\n')
    expect(at(40)[1]).toBe('high   A rule with a…      7  2024-01-05')
    expect(at(26)[1]).toBe('high   A rule with…      7')
  })

  it('cut nothing in a file', () => {
    const long = 'x'.repeat(300)
    expect(renderTable(fakeOutput().out, columns, [['high', long, 1, 'now']])).toContain(long)
  })

  it('paint without changing the layout', () => {
    const rows = [[{ text: 'high', style: 'high' as const }, 'A rule', 7, 'now']]
    const plain = renderTable(fakeOutput({ columns: 60 }).out, columns, rows)
    const painted = renderTable(fakeOutput({ columns: 60, color: true }).out, columns, rows)
    expect(painted).not.toBe(plain)
    expect(painted.replace(/\x1b\[[\d;]*m/g, '')).toBe(plain)
  })

  it('hold one line a row and the width of the terminal, whatever the cells hold', () => {
    const cell = fc.string({ unit: 'binary', maxLength: 120 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell, cell), { maxLength: 6 }),
        fc.integer({ min: 20, max: 140 }),
        (rows, width) => {
          const text = renderTable(fakeOutput({ columns: width }).out, columns, rows)
          const lines = text.split('\n')
          expect(lines.length).toBe(rows.length + 2)
          for (const each of lines) expect(widthOf(each)).toBeLessThanOrEqual(width)
          expect(text.replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/)
        },
      ),
    )
  })
})

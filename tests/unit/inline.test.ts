/** Reading values where they are made: what a selection reads of one row of a group, and paths into parsed texts. */
import { describe, expect, it } from 'vitest'
import { call, type Expr, field, text } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { inline } from '../../src/plan/inline.ts'
import { printSql } from '../../src/sql/print.ts'

const scan: Rel = {
  op: 'scan',
  table: { kind: 'source', name: 's' },
  time: {},
  out: ['Host', 'Name', 'Size', 'Text'].map((name) => ({ name, type: 'text' })),
}

const at = (place: number, type: Expr['type']): Expr =>
  call('tuple.at', [field('row', 'dynamic'), { op: 'const', value: place, type: 'int' }], type)

/** The row with the latest time of each host, of which some places are read. */
function latest(places: readonly (readonly [number, Expr['type']])[], isGrouped = true): string {
  const keep = ['Host', 'Name'].map((name) => ({ name, value: field(name) }))
  const below: Rel = {
    op: 'select',
    from: scan,
    keep: [
      ...keep,
      { name: 'Size', value: call('cast.int', [field('Size')], 'int') },
      { name: 'Kind', value: text('fixed') },
      { name: 'Time', value: field('@time', 'time') },
    ],
  }
  const args = [field('Time', 'time'), field('Name'), field('Size', 'int'), field('Kind')]
  return printSql(
    inline({
      op: 'select',
      from: {
        op: 'aggregate',
        from: below,
        by: isGrouped ? [{ name: 'Host', value: field('Host') }] : [],
        into: [{ name: 'row', fn: 'agg.arg_max', args, type: 'dynamic' }],
      },
      keep: places.map(([place, type]) => ({ name: `p${place}`, value: at(place, type) })),
    }),
  )
}

describe('the row of a group', () => {
  it('gives each text on its own, and drops what nothing reads', () => {
    const sql = latest([[1, 'text']])
    expect(sql).toContain('argMax(`Name`, ')
    expect(sql).not.toContain('tuple')
    expect(sql).not.toContain('Size')
  })

  it('gives the value it is chosen by as the greatest one', () => {
    expect(latest([[0, 'time']])).toContain('max(`Time`)')
  })

  it('keeps together what may be missing', () => {
    const sql = latest([
      [1, 'text'],
      [2, 'int'],
    ])
    expect(sql).toContain('argMax(`Name`, ')
    expect(sql).toContain('argMax(tuple(`Time`, `Size`), ')
    expect(sql).toContain('tupleElement(`row`, 2) AS `p2`')
  })

  it('is not asked for what is the same in all rows, unless there may be no row', () => {
    expect(latest([[3, 'text']])).toContain("'fixed' AS `p3`")
    expect(latest([[3, 'text']], false)).toContain('argMax(`Kind`, ')
  })
})

describe('a path', () => {
  const parsed: Rel = {
    op: 'derive',
    from: scan,
    set: [{ name: 'd', value: call('dyn.parse', [field('Text')], 'dynamic') }],
  }
  const path = call('dyn.path', [field('d', 'dynamic'), text('a')], 'dynamic')

  it('reads the text that was parsed', () => {
    const sql = printSql(inline({ op: 'select', from: parsed, keep: [{ name: 'a', value: path }] }))
    expect(sql).toContain('`Text` AS `@@text_d`')
    expect(sql).toContain("JSONExtractRaw(`@@text_d`, 'a')")
    expect(sql).not.toContain('toJSONString')
  })

  it('leaves the parsed value to those that read it whole', () => {
    const keep = [
      { name: 'a', value: path },
      { name: 'd', value: field('d', 'dynamic') },
    ]
    expect(printSql(inline({ op: 'select', from: parsed, keep }))).toContain('toJSONString')
  })
})

/** Renaming goes to where columns are made. */
import { describe, expect, it } from 'vitest'
import { call, field } from '../../src/ir/expr.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { rename } from '../../src/plan/rename.ts'

const scan: Rel = {
  op: 'scan',
  table: { kind: 'source', name: 's' },
  time: {},
  out: [{ name: 'a', type: 'text' }],
}
const made: Rel = {
  op: 'select',
  from: scan,
  keep: [{ name: 'x', value: call('text.lower', [field('a')], 'text') }],
}

describe('renaming', () => {
  it('becomes one with the selection below, in each part of a union', () => {
    const union: Rel = { op: 'union', all: [made, made] }
    const renamed: Rel = { op: 'select', from: union, keep: [{ name: 'y', value: field('x') }] }
    const part: Rel = {
      ...made,
      keep: [{ name: 'y', value: call('text.lower', [field('a')], 'text') }],
    }
    expect(rename(renamed)).toEqual({ op: 'union', all: [part, part] })
  })
  it('leaves what makes new values where it is', () => {
    const other: Rel = {
      op: 'select',
      from: made,
      keep: [{ name: 'y', value: call('text.lower', [field('x')], 'text') }],
    }
    expect(rename(other)).toEqual(other)
  })
})

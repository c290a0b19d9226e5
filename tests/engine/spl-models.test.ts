/** Models of distributions: fitting one, and telling outliers by one that was fitted before. */
import { describe, expect, it } from 'vitest'
import { type LookupDefinition, PLAIN_LOOKUP } from '../../src/dialects/spl/lookupdef.ts'
import { normalQuantile } from '../../src/dialects/spl/models.ts'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()

const HEADER =
  'user,cardinality,mean(n),mlspl_std,mlspl_min,mlspl_dist,mlspl_low,mlspl_high,mlspl_tail,mlspl_key'
const csv = [
  HEADER,
  'a,50,10,2,5,norm,2.5758,2.5758,4.6052,1',
  'b,50,10,2,5,expon,2.5758,2.5758,4.6052,1',
].join('\n')
const model: LookupDefinition = {
  name: '__mlspl_usual',
  kind: 'csv',
  description: '',
  options: PLAIN_LOOKUP,
  fields: [],
  source: 'usual.csv',
  csv: `${csv}\n`,
  others: new Map(),
  file: '',
}

describe('models of distributions', () => {
  it('know the quantiles of the normal distribution', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8)
    expect(normalQuantile(0.005)).toBeCloseTo(-2.575829303548901, 8)
    expect(normalQuantile(0.0001)).toBeCloseTo(-3.719016485455709, 8)
  })
  it('tell outliers of the values that they are fitted to', async () => {
    const rows: TestRow[] = Array.from({ length: 40 }, (_, at) => ({ n: `${10 + (at % 3)}` }))
    rows.push({ n: '500' })
    const found = await desk.found(
      rows,
      'fit DensityFunction n threshold=0.01 | search "IsOutlier(n)"=1 | table n',
    )
    expect(found).toEqual([{ n: '500' }])
  })
  it('tell how dense the distribution is at a value', async () => {
    const rows = [
      { user: 'a', n: '12' },
      { user: 'b', n: '5' },
      { user: 'c', n: '1' },
    ]
    const search =
      "apply usual show_density=true | eval d=round('ProbabilityDensity(n)', 4) | table user d"
    expect(await desk.found(rows, search, { lookups: [model] })).toEqual([
      { user: 'a', d: '0.121' },
      { user: 'b', d: '0.2' },
      { user: 'c' },
    ])
  })
  it('tell outliers of each group by what was kept', async () => {
    const rows = [
      { user: 'a', n: '15' },
      { user: 'a', n: '16' },
      { user: 'a', n: '4' },
      { user: 'b', n: '16' },
      { user: 'b', n: '40' },
      { user: 'c', n: '9999' },
      { user: 'a' },
    ]
    const search = 'apply usual | rename "IsOutlier(n)" as o | table user n o'
    const found = await desk.found(rows, search, { lookups: [model] })
    expect(found.filter(({ o }) => o === '1').map(({ user, n }) => `${user}${n}`)).toEqual([
      'a16',
      'a4',
      'b40',
    ])
    const wide = await desk.found(rows, `${search.replace('usual', 'usual threshold=0.0001')}`, {
      lookups: [model],
    })
    expect(wide.filter(({ o }) => o === '1').map(({ user, n }) => `${user}${n}`)).toEqual([])
    const bounds =
      'apply usual threshold=0.05 | head 1 | eval up=mvindex(split(mvindex(BoundaryRanges, -1), ":"), 0) | eval up=round(up, 2) | table up'
    expect(await desk.found(rows, bounds, { lookups: [model] })).toEqual([{ up: '13.92' }])
  })
  it('say what they keep', async () => {
    const found = await desk.found([], '| summary usual | table user type mean cardinality', {
      lookups: [model],
    })
    expect(found).toEqual([
      { user: 'a', type: 'norm', mean: '10', cardinality: '50' },
      { user: 'b', type: 'expon', mean: '10', cardinality: '50' },
    ])
  })
  it('are written as lookups when the search has run', async () => {
    const { effects, diagnostics } = await desk.answer(
      [{ n: '1', u: 'x' }],
      'fit DensityFunction n by "u" into m1',
    )
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(effects.map(({ kind, name }) => [kind, name])).toEqual([['outputlookup', '__mlspl_m1']])
  })
  it('find nothing where none was fitted, and say so', async () => {
    const { rel, diagnostics } = await desk.answer(
      [{ n: '1' }],
      'apply never | search "IsOutlier(n)"=1',
    )
    expect(rel).toBeDefined()
    expect(diagnostics.map(({ code }) => code)).toContain('HR535')
  })
  it('of other kinds are refused', async () => {
    expect(await desk.refusal('fit RandomForest a from b')).toBe('HR504')
    expect(await desk.refusal('apply some_pretrained_model_in_dsdl')).toBe('HR504')
    expect(await desk.refusal('apply usual threshold=2')).toMatch(/^HR5/)
  })
})

/** States of counts and percentiles, windows that slide, declared patterns and settings, from the query to its rows. */
import { describe, expect, it } from 'vitest'
import { kustoDesk } from '../support/kustodesk.ts'

const { answer, rows, found } = kustoDesk()

describe('states of counts and percentiles', () => {
  it('are exact while they are small, and merge', async () => {
    const query = `range x from 1 to 100 step 1 | extend g = x % 3
      | summarize h = hll(x), t = tdigest(x) by g
      | summarize h = hll_merge(h), t = tdigest_merge(t)
      | project dcount_hll(h), percentile_tdigest(t, 50, typeof(long)), rank_tdigest(t, 25)`
    expect(await found(query)).toEqual([[100, 50, 25]])
  })

  it('merge by rows, by the same names', async () => {
    const query = `range x from 1 to 10 step 1 | summarize a = tdigest(x), b = tdigest(x + 10)
      | project percentiles_array_tdigest(merge_tdigest(a, b), 50, 100)`
    expect(await found(query)).toEqual([['[10,20]']])
  })

  it('keep to a size that tells counts and ranks within a hundredth', async () => {
    const query = `range x from 1 to 60000 step 1 | summarize h = hll(x), t = tdigest(x)
      | project strlen(tostring(t)) < 200000, abs(dcount_hll(h) - 60000) < 600,
        abs(percentile_tdigest(t, 90, typeof(long)) - 54000) < 10`
    expect(await found(query)).toEqual([[true, true, true]])
  })

  it('keep instants and lengths of time', async () => {
    const query = `range x from 1 to 3 step 1
      | summarize t = tdigest(datetime(2020-01-01) + x * 1d), s = tdigest(x * 1h)
      | project percentile_tdigest(t, 100, typeof(datetime)) == datetime(2020-01-04),
        percentile_tdigest(s, 1, typeof(timespan)) == 1h, rank_tdigest(s, 2h)`
    expect(await found(query)).toEqual([[true, true, 2]])
  })

  it('are missing where there are no values', async () => {
    const query = 'datatable(x:long)[] | summarize h = hll(x), t = tdigest(x)'
    expect(await found(query)).toEqual([[null, null]])
  })

  it('tell what they have in common', async () => {
    const query = `range x from 1 to 12 step 1
      | summarize a = hll_if(x, x % 2 == 0), b = hll_if(x, x % 3 == 0)
      | evaluate dcount_intersect(a, b) | project s0, s1`
    expect(await found(query)).toEqual([[6, 2]])
  })
})

describe('windows that slide', () => {
  it('count rows and ids up to each step, along numbers too', async () => {
    const query = `range x from 0 to 9 step 1 | extend id = x % 3
      | evaluate sliding_window_counts(id, x, 0, 9, 4, 2) | sort by x asc`
    const full = [2, 4, 6, 8].map((each) => [each, 4, 3])
    expect(await found(query)).toEqual([[0, 2, 2], ...full])
  })

  it('give a percentile for each bin that has rows', async () => {
    const query = `datatable(t:long, v:long)[0,1, 1,3, 2,5, 9,7]
      | evaluate rolling_percentile(v, 100, t, 1, 2) | sort by t asc`
    expect(await found(query)).toEqual([
      [0, 1],
      [1, 3],
      [2, 5],
      [9, 7],
    ])
  })

  it('count the ids that came often enough', async () => {
    const query = `datatable(u:string, t:datetime)["a",datetime(2020-01-01), "a",datetime(2020-01-02),
        "a",datetime(2020-01-03), "b",datetime(2020-01-03), "b",datetime(2020-01-07)]
      | evaluate active_users_count(u, t, datetime(2020-01-01), datetime(2020-01-08), 3d, 1d, 3, 7d)`
    expect(await found(query)).toEqual([['2020-01-01T00:00:00.0000000Z', 1]])
  })

  it('show the rows near one, in their order', async () => {
    const query = 'range x from 0 to 9 step 1 | sort by x asc | evaluate rows_near(x == 5, 1, 2)'
    expect(await found(query)).toEqual([[4], [5], [6], [7]])
  })
})

describe('statements', () => {
  it('choose a table by a pattern, and refuse texts that it does not have', async () => {
    const pattern = `declare pattern place = (name:string)[part:string] {
      ('a').['x'] = { print n = 1, s = name }; ('a').['y'] = { print n = 2, s = name }; };`
    expect(await found(`${pattern} place('a').y`)).toEqual([[2, 'a']])
    expect(await found(`${pattern} union place('a').x, place('a').['y'] | count`)).toEqual([[2]])
    const missing = await answer(`${pattern} place('b').x`)
    expect(missing.diagnostics.length).toBeGreaterThan(0)
  })

  it('set the size of bins', async () => {
    const bins = 'range x from 1 to 7 step 1 | summarize count() by bin_auto(x) | sort by x asc'
    expect(await found(`set query_bin_auto_size = 4; ${bins}`)).toEqual([
      [0, 3],
      [4, 4],
    ])
    expect(await found(`set query_bin_auto_size=4; set query_bin_auto_at=1; ${bins}`)).toEqual([
      [1, 4],
      [5, 3],
    ])
    expect((await answer(bins)).diagnostics.map(({ code }) => code)).toEqual(['HR407'])
  })

  it('add up the sizes of columns, but for dynamic ones', async () => {
    const source = 'print a = 1, b = "é", c = true, d = dynamic([1]) | project'
    expect(await found(`${source} a, b, c | project estimate_data_size(*)`)).toEqual([[11]])
    expect((await answer(`${source} estimate_data_size(*)`)).diagnostics[0]?.code).toBe('HR408')
  })

  it('name the columns of a table without reading it', async () => {
    expect(await found('let T = datatable(a:int, b:int)[]; print column_names_of(T)')).toEqual([
      ['["a","b"]'],
    ])
  })
})

describe('seasons', () => {
  it('leave out of extend what has no name, and keep it in project', async () => {
    const source = 'print s = dynamic([1,3]) |'
    const names = async (query: string) => (await rows(`${source} ${query}`)).names
    expect(await names('extend (b, x) = series_decompose(s, 0)')).toEqual(['s', 'b', 'x'])
    const rest = ['series_decompose_s_trend', 'series_decompose_s_residual']
    expect(await names('project (b, x) = series_decompose(s, 0)')).toEqual(['b', 'x', ...rest])
  })

  it('must be said', async () => {
    const source = 'print s = dynamic([1,9,1,9]) | extend'
    expect(await found(`${source} (b, x) = series_decompose(s, 2) | project b, x`)).toEqual([
      ['[1,9,1,9]', '[1,9,1,9]'],
    ])
    const { diagnostics } = await answer(`${source} b = series_decompose(s, -1)`)
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR404'])
  })
})

describe('buildschema', () => {
  it('gives the types of all properties', async () => {
    const source = 'datatable(d:dynamic)[dynamic({"a":1,"b":{"c":[true,"x"]}}), dynamic({"a":"s"})]'
    const shape = '{"a":["long","string"],"b":{"c":{"`indexer`":["bool","string"]}}}'
    expect(await found(`${source} | summarize buildschema(d)`)).toEqual([[shape]])
  })

  it('is missing without values, and plain for plain ones', async () => {
    expect(await found('datatable(d:dynamic)[] | summarize buildschema(d)')).toEqual([[null]])
    const source = 'datatable(d:dynamic)[dynamic(1.5), dynamic({}), dynamic(null)]'
    expect(await found(`${source} | summarize buildschema(d)`)).toEqual([['["double",{}]']])
  })
})

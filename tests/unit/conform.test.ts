/** The comparer of recorded cases: what it lets pass, and above all what it must not. */
import { describe, expect, it } from 'vitest'
import { readValue, type Value } from '../../src/detect/values.ts'
import type { Type } from '../../src/ir/types.ts'
import { pageCell, tupleRow } from '../../tools/conform/cells.ts'
import { compare, type Given, sameNumber } from '../../tools/conform/compare.ts'
import { readCases } from '../../tools/conform/formats.ts'
import { orderOf } from '../../tools/conform/order.ts'
import type { RecordedCase } from '../../tools/conform/record.ts'
import { QueryFailure, runCases } from '../../tools/conform/run.ts'
import { isSetColumn, isUnstable, toleranceOf } from '../../tools/conform/tolerance.ts'

function engineCase(
  columns: readonly string[],
  sampleRows: readonly string[],
  more: { readonly query?: string; readonly rowCount?: number } = {},
): RecordedCase {
  const { query = 'T', rowCount = sampleRows.length } = more
  const given = { name: 'one', family: 'some', query, columns, sampleRows, rowCount }
  const [only] = readCases({ cases: [given] }).cases
  if (only === undefined) throw new Error('no case')
  return only
}

function pageCase(
  columns: readonly (readonly [string, string | null])[],
  rows: readonly (readonly string[])[],
  more: { readonly query?: string; readonly ordered?: boolean } = {},
): RecordedCase {
  const expected = { columns: columns.map(([name, type]) => ({ name, type })), rows }
  const [only] = readCases({ cases: [{ name: 'page', query: 'T', expected, ...more }] }).cases
  if (only === undefined) throw new Error('no case')
  return only
}

function given(
  columns: Readonly<Record<string, Type>>,
  rows: readonly (readonly unknown[])[],
  order?: Given['order'],
): Given {
  const list = Object.entries(columns).map(([name, type]) => ({ name, type }))
  const typed = rows.map((row) =>
    row.map((raw, at): Value => readValue(raw, list[at]?.type ?? 'text')),
  )
  return { columns: list, rows: typed, ...(order === undefined ? {} : { order }) }
}

const cause = (recorded: RecordedCase, got: Given): string =>
  compare(recorded, got)?.cause ?? 'same'

describe('rows printed as tuples', () => {
  const value = (text: string, type: string): unknown => tupleRow(text, [type])[0]?.[0]?.[0]

  it('reads every type', () => {
    expect(value('(null)', 'long')).toEqual({ is: 'null' })
    expect(value('(-5)', 'long')).toEqual({ is: 'whole', value: -5n })
    expect(value('(9223372036854775807)', 'long')).toEqual({
      is: 'whole',
      value: 9223372036854775807n,
    })
    expect(value('(6.37134336E+17)', 'real')).toEqual({ is: 'real', value: 6.37134336e17 })
    expect(value('(-Infinity)', 'real')).toEqual({ is: 'real', value: Number.NEGATIVE_INFINITY })
    expect(value('(False)', 'bool')).toEqual({ is: 'bool', value: false })
    expect(value("('null')", 'string')).toEqual({ is: 'text', value: 'null' })
    expect(value('(-1.02:03:04.5000000)', 'timespan')).toEqual({
      is: 'span',
      value: -937_845_000_000n,
    })
    expect(value('(0001-01-01T00:00:00.0000001Z)', 'datetime')).toEqual({
      is: 'time',
      value: '0001-01-01T00:00:00.0000001Z',
    })
    expect(value('({\n  "a": [\n    1,\n    "x, )"\n  ]\n})', 'dynamic')).toEqual({
      is: 'json',
      value: { a: [1, 'x, )'] },
    })
  })

  it('reads texts with quotes and line breaks in them', () => {
    const [row] = tupleRow("(1, 'a'b', ''', 'one\ntwo')", ['long', 'string', 'string', 'string'])
    expect(row?.map((cells) => cells[0])).toEqual([
      { is: 'whole', value: 1n },
      { is: 'text', value: "a'b" },
      { is: 'text', value: "'" },
      { is: 'text', value: 'one\ntwo' },
    ])
  })

  it('gives every way to cut texts that hold the separator, and none when there is none', () => {
    expect(tupleRow("('a', 'b', 'c')", ['string', 'string'])).toHaveLength(2)
    expect(tupleRow("('a', 'b')", ['string', 'string', 'string'])).toHaveLength(0)
    expect(tupleRow('(1, 2)', ['long'])).toHaveLength(0)
    expect(tupleRow('1', ['long'])).toHaveLength(0)
  })
})

describe('cells of pages', () => {
  it('reads the printed forms of each type', () => {
    expect(pageCell('1,048,576', 'long')).toEqual([{ is: 'whole', value: 1_048_576n }])
    expect(pageCell('', 'int')).toEqual([{ is: 'null' }])
    expect(pageCell('null', 'int')).toEqual([{ is: 'null' }])
    expect(pageCell('-∞', 'real')).toEqual([{ is: 'real', value: Number.NEGATIVE_INFINITY }])
    expect(pageCell('true', 'bool')).toEqual([{ is: 'bool', value: true }])
    expect(pageCell('14:00:00:00', 'timespan')).toEqual([
      { is: 'span', value: 14n * 864_000_000_000n },
    ])
    expect(pageCell('2017-05-14T12:00:00Z', 'datetime')).toEqual([
      { is: 'time', value: '2017-05-14T12:00:00.0000000Z' },
    ])
    expect(pageCell('[yes, no]', 'dynamic')[0]).toEqual({ is: 'json', value: ['yes', 'no'] })
    expect(pageCell('a->b', 'dynamic')).toEqual([{ is: 'json', value: 'a->b' }])
    expect(pageCell('yesterday', 'datetime')).toEqual([{ is: 'unread', value: 'yesterday' }])
  })
})

describe('compare', () => {
  it('passes the recorded result', () => {
    const recorded = engineCase(['a:Int', 'b:Dynamic'], ['(1, [\n  1.0\n])', '(2, null)'])
    expect(
      cause(
        recorded,
        given({ a: 'int', b: 'dynamic' }, [
          ['2', null],
          ['1', '[1]'],
        ]),
      ),
    ).toBe('same')
  })

  it('sees wrong names, their order and their number', () => {
    const recorded = engineCase(['a:Int', 'b:Int'], ['(1, 2)'])
    expect(cause(recorded, given({ b: 'int', a: 'int' }, [['1', '2']]))).toBe('columns')
    expect(cause(recorded, given({ a: 'int', B: 'int' }, [['1', '2']]))).toBe('columns')
    expect(cause(recorded, given({ a: 'int' }, [['1']]))).toBe('columns')
    expect(cause(recorded, given({ a: 'int', b: 'int', c: 'int' }, [['1', '2', '3']]))).toBe(
      'columns',
    )
  })

  it('sees wrong types, coarse ones as far as they tell', () => {
    const coarse = engineCase(['a:Int'], ['(1)'])
    expect(cause(coarse, given({ a: 'int32' }, [[1]]))).toBe('same')
    expect(cause(coarse, given({ a: 'float' }, [[1]]))).toBe('types')
    const exact = pageCase([['a', 'long']], [['1']])
    expect(cause(exact, given({ a: 'int' }, [['1']]))).toBe('same')
    expect(cause(exact, given({ a: 'int32' }, [[1]]))).toBe('types')
  })

  it('sees missing, extra and doubled rows', () => {
    const recorded = engineCase(['a:Int'], ['(1)', '(2)'])
    expect(cause(recorded, given({ a: 'int' }, [['1']]))).toBe('count')
    expect(cause(recorded, given({ a: 'int' }, []))).toBe('count')
    expect(cause(recorded, given({ a: 'int' }, [['1'], ['2'], ['2']]))).toBe('count')
    expect(cause(recorded, given({ a: 'int' }, [['1'], ['1']]))).toBe('rows')
    expect(cause(engineCase(['a:Int'], []), given({ a: 'int' }, [[null]]))).toBe('count')
  })

  it('counts all rows where only the first are recorded, and wants those', () => {
    const recorded = engineCase(['a:Int'], ['(1)', '(2)'], { rowCount: 3 })
    expect(cause(recorded, given({ a: 'int' }, [['3'], ['2'], ['1']]))).toBe('same')
    expect(cause(recorded, given({ a: 'int' }, [['3'], ['2'], ['4']]))).toBe('rows')
    expect(cause(recorded, given({ a: 'int' }, [['1'], ['2']]))).toBe('count')
  })

  it.each<readonly [string, string, Type, unknown]>([
    ['Int', '(1)', 'int', '2'],
    ['Int', '(null)', 'int', '0'],
    ['Int', '(0)', 'int', null],
    ['Int', '(9007199254740993)', 'int', '9007199254740992'],
    ['Real', '(1)', 'float', 1.000001],
    ['Real', '(0)', 'float', 1e-12],
    ['Real', '(NaN)', 'float', null],
    ['Real', '(NaN)', 'float', 0],
    ['Real', '(Infinity)', 'float', '-inf'],
    ['Real', '(null)', 'float', 'nan'],
    ['Bool', '(True)', 'bool', false],
    ['Bool', '(False)', 'bool', null],
    ['String', "('a')", 'text', 'A'],
    ['String', "('a')", 'text', 'a '],
    ['String', "('')", 'text', null],
    ['String', "('1')", 'text', '1.0'],
    ['DateTime', '(2020-01-01T00:00:00.0000001Z)', 'time', '2020-01-01 00:00:00.0000000'],
    ['TimeSpan', '(00:00:01)', 'span', '10000001'],
    ['Dynamic', '([\n  1\n])', 'dynamic', '["1"]'],
    ['Dynamic', '([\n  1,\n  2\n])', 'dynamic', '[2,1]'],
    ['Dynamic', '([])', 'dynamic', '{}'],
    ['Dynamic', '([])', 'dynamic', null],
    ['Dynamic', '({\n  "a": 1\n})', 'dynamic', '{"a":1,"b":null}'],
    ['Dynamic', '({\n  "a": null\n})', 'dynamic', '{"b":null}'],
    ['Dynamic', '("1")', 'dynamic', '1'],
    ['Dynamic', '("x")', 'dynamic', 'x'],
    ['Guid', "('550e8400-e29b-41d4-a716-446655440000')", 'guid', '550e8400'],
  ])('sees a wrong value: %s %s is not %s %j', (type, row, got, raw) => {
    expect(cause(engineCase([`a:${type}`], [row]), given({ a: got }, [[raw]]))).toBe('rows')
  })

  it.each<readonly [string, string, Type, unknown]>([
    ['Real', '(0.3333333333)', 'float', 1 / 3],
    ['Real', '(0.1)', 'decimal', '0.1'],
    ['Real', '(NaN)', 'float', 'nan'],
    ['Real', '(-Infinity)', 'float', '-inf'],
    ['Bool', '(True)', 'bool', 1],
    ['Dynamic', '({\n  "b": 1.0,\n  "a": [\n    null\n  ]\n})', 'dynamic', '{"a":[null],"b":1}'],
    ['TimeSpan', '(-00:30:00)', 'span', '-18000000000'],
    ['DateTime', '(9999-12-31T23:59:59.9999999Z)', 'time', '9999-12-31 23:59:59.9999999'],
  ])('takes the right value in its other form: %s %s', (type, row, got, raw) => {
    expect(cause(engineCase([`a:${type}`], [row]), given({ a: got }, [[raw]]))).toBe('same')
  })

  it('wants the order that the query asks for', () => {
    const sorted = { query: 'T | sort by a asc' }
    const recorded = engineCase(['a:Int', 'b:Int'], ['(1, 1)', '(1, 2)', '(2, 3)'], sorted)
    const rows = (...list: readonly (readonly [string, string])[]): Given =>
      given({ a: 'int', b: 'int' }, list)
    expect(cause(recorded, rows(['1', '1'], ['1', '2'], ['2', '3']))).toBe('same')
    expect(cause(recorded, rows(['1', '2'], ['1', '1'], ['2', '3']))).toBe('same')
    expect(cause(recorded, rows(['2', '3'], ['1', '1'], ['1', '2']))).toBe('order')
  })

  it('wants the exact sequence when a sort key is no column of the result', () => {
    const recorded = engineCase(['a:Int'], ['(1)', '(2)'], { query: 'T | sort by strlen(s)' })
    expect(cause(recorded, given({ a: 'int' }, [['2'], ['1']]))).toBe('order')
    const own = engineCase(['a:Int'], ['(1)', '(2)'])
    expect(cause(own, given({ a: 'int' }, [['2'], ['1']]))).toBe('same')
    expect(cause(own, given({ a: 'int' }, [['2'], ['1']], [undefined]))).toBe('order')
    expect(cause(own, given({ a: 'int' }, [['2'], ['1']], ['a']))).toBe('order')
    const page = pageCase([['a', 'long']], [['1'], ['2']], { ordered: true })
    expect(cause(page, given({ a: 'int' }, [['2'], ['1']]))).toBe('order')
  })

  it('frees the order of elements in sets only', () => {
    const query = 'T | summarize make_set(x), b = make_list(x)'
    const recorded = engineCase(['set_x:Dynamic', 'b:Dynamic'], ['([1, 2], [1, 2])'], { query })
    const columns: Readonly<Record<string, Type>> = { set_x: 'dynamic', b: 'dynamic' }
    expect(cause(recorded, given(columns, [['[2,1]', '[1,2]']]))).toBe('same')
    expect(cause(recorded, given(columns, [['[1,2]', '[2,1]']]))).toBe('rows')
    expect(cause(recorded, given(columns, [['[1,1]', '[1,2]']]))).toBe('rows')
    expect(cause(recorded, given(columns, [['[1,2,2]', '[1,2]']]))).toBe('rows')
  })

  it('ignores blanks at the ends of texts on pages only', () => {
    const page = pageCase([['a', 'string']], [['x']])
    expect(cause(page, given({ a: 'text' }, [[' x ']]))).toBe('same')
    expect(cause(page, given({ a: 'text' }, [['y']]))).toBe('rows')
    expect(cause(engineCase(['a:String'], ["('x')"]), given({ a: 'text' }, [[' x']]))).toBe('rows')
  })

  it('never passes a record that cannot be read', () => {
    const cut = pageCase(
      [
        ['a', 'long'],
        ['b', 'long'],
      ],
      [['1']],
    )
    expect(cause(cut, given({ a: 'int', b: 'int' }, [['1', null]]))).toBe('record')
    expect(cause(engineCase(['a:Int'], ['1']), given({ a: 'int' }, [['1']]))).toBe('record')
    expect(cause(engineCase([], []), given({}, []))).toBe('record')
    expect(cause(engineCase(['a:Odd'], ['(1)']), given({ a: 'int' }, [['1']]))).toBe('types')
  })

  it('reads cells without a type by the type that came', () => {
    const page = pageCase([['a', null]], [['2']])
    expect(cause(page, given({ a: 'int' }, [['2']]))).toBe('same')
    expect(cause(page, given({ a: 'int' }, [['3']]))).toBe('rows')
  })
})

describe('tolerances', () => {
  it('are for approximate functions on many rows', () => {
    expect(toleranceOf('range x from 1 to 100000 step 1 | summarize dcount(x)')).toBe(0.02)
    expect(toleranceOf('range x from 1 to 10 step 1 | summarize dcount(x)')).toBe(1e-9)
    expect(toleranceOf('range x from 1 to 100000 step 1 | summarize sum(x)')).toBe(1e-9)
    const query = 'range x from 1 to 100000 step 1 | summarize dcount(x)'
    const recorded = engineCase(['dcount_x:Int'], ['(100000)'], { query })
    expect(cause(recorded, given({ dcount_x: 'int' }, [['100500']]))).toBe('same')
    expect(cause(recorded, given({ dcount_x: 'int' }, [['90000']]))).toBe('rows')
  })

  it('tell numbers apart', () => {
    expect(sameNumber(1, 1 + 1e-12, 1e-9)).toBe(true)
    expect(sameNumber(1, 1 + 1e-6, 1e-9)).toBe(false)
    expect(sameNumber(Number.NaN, Number.NaN, 1e-9)).toBe(true)
    expect(sameNumber(Number.POSITIVE_INFINITY, Number.MAX_VALUE, 1e-9)).toBe(false)
  })

  it('know which columns are sets and which queries never give the same twice', () => {
    expect(isSetColumn('set_a', 'T | summarize make_set(a)')).toBe(true)
    expect(isSetColumn('set_a', 'T | project set_a')).toBe(false)
    expect(isSetColumn('s', 'T | extend s = set_union(a, b)')).toBe(true)
    expect(isSetColumn('list_a', 'T | summarize make_set(a), make_list(a)')).toBe(false)
    expect(isUnstable('print rand()')).toBe(true)
    expect(isUnstable('T | where t > ago(1d)')).toBe(true)
    expect(isUnstable('T | project grand')).toBe(false)
  })
})

describe('order of a query', () => {
  it.each<readonly [string, readonly (string | undefined)[] | undefined]>([
    ['T | sort by a, b desc nulls last', ['a', 'b']],
    ['T | order by strlen(a) asc, b', [undefined, 'b']],
    ['T | top 3 by x desc | project x', ['x']],
    ['let q = T | sort by a; q | where b > 1', undefined],
    ['T | sort by a | summarize count()', undefined],
    ['T | where s == "| sort by a"', undefined],
    ['T | sort by a // | count\n| take 3;', ['a']],
    ['T | join (U | sort by a) on b', undefined],
  ])('%s', (query, keys) => {
    expect(orderOf(query)).toEqual(keys)
  })
})

describe('formats and runs', () => {
  it('knows formats that nothing runs yet, and refuses others', () => {
    const url = { id: '1', url: 'http://a', verdict: 'deny', category: 'c', reason: 'r' }
    expect(readCases({ cases: [url] }).format).toMatchObject({ name: 'urls' })
    expect(readCases({ cases: [url] }).format.read).toBeUndefined()
    expect(() => readCases({ cases: [{ a: 1 }] })).toThrow(/none of the formats/)
    expect(() => readCases({ cases: [] })).toThrow(/no list of cases/)
    expect(() => readCases({ cases: [url, { a: 1 }] })).toThrow(/case 2/)
  })

  it('fails what throws, and never counts an unstable case as passed', async () => {
    const one = engineCase(['a:Int'], ['(1)'])
    const got = given({ a: 'int' }, [['1']])
    const run = async (recorded: RecordedCase, answer: () => Given) => {
      const [only] = await runCases([recorded], { run: async () => answer() })
      return `${only?.state} ${only?.cause ?? ''}`.trim()
    }
    const fail = (error: Error) => () => {
      throw error
    }
    expect(await run(one, () => got)).toBe('passed')
    expect(await run(one, fail(new QueryFailure('HR400', 'no')))).toBe('failed HR400')
    expect(await run(one, fail(new TypeError('no')))).toBe('failed crash')
    expect(await run(one, () => given({ a: 'int' }, [['2']]))).toBe('failed rows')
    const unstable = engineCase(['a:Int'], ['(1)'], { query: 'print a = rand()' })
    expect(await run(unstable, () => got)).toBe('unstable')
  })
})

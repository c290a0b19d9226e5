/** Rows of queries in each form of output, in the report, and as charts. */
import { describe, expect, it } from 'vitest'
import { OptionValues } from '../../src/cli/command.ts'
import { resultChart } from '../../src/cli/plot.ts'
import { KUSTO_PRINTING, SPL_PRINTING } from '../../src/cli/printing.ts'
import { ResultTally, renderResultPage } from '../../src/cli/resultpage.ts'
import { mostRows, resultWriter } from '../../src/cli/results.ts'
import { widthOf } from '../../src/cli/text.ts'
import { limits } from '../../src/core/limits.ts'
import type { ResultColumn, Value } from '../../src/detect/values.ts'
import { fakeOutput } from '../support/output.ts'

const columns: readonly ResultColumn[] = [
  { name: 'Host', type: 'text' },
  { name: 'n', type: 'int' },
  { name: 'ok', type: 'bool' },
  { name: 'd', type: 'dynamic' },
]
const rows: readonly (readonly Value[])[] = [
  ['a,"b"', -5n, true, '{ "x": 1 }'],
  ['=cmd\x1b[2J', 9_007_199_254_740_993n, null, null],
]

async function written(
  values: Readonly<Record<string, unknown>>,
  options: { readonly columns?: number; readonly more?: number; readonly isPartial?: boolean } = {},
  given: readonly (readonly [readonly ResultColumn[], readonly (readonly Value[])[]])[] = [
    [columns, rows],
  ],
) {
  const { more = 0, isPartial = false, ...screen } = options
  const output = fakeOutput(screen)
  const writer = resultWriter(output, new OptionValues(values))
  for (const [heads, lines] of given) {
    await writer.begin({
      columns: heads,
      render: undefined,
      printing: KUSTO_PRINTING,
      isEvents: false,
    })
    for (const row of lines) await writer.row(row)
    await writer.finish({ more, isPartial })
  }
  await writer.end()
  return { out: output.outText(), err: output.errText() }
}

describe('rows of a query', () => {
  it('are a table', async () => {
    const { out, err } = await written({})
    expect(out).toBe(
      [
        'Host                        n  ok    d',
        'a,"b"                      -5  True  {"x":1}',
        '=cmd\\x1b[2J  9007199254740993',
        '',
      ].join('\n'),
    )
    expect(err).toBe('')
  })

  it('stand one below the other where the screen is too narrow', async () => {
    const heads: readonly ResultColumn[] = [
      { name: 'CommandLine', type: 'text' },
      { name: 'FolderPath', type: 'text' },
      { name: 'n', type: 'int' },
    ]
    const long = 'x'.repeat(90)
    const { out } = await written({}, { columns: 50 }, [[heads, [[long, 'C:\\', 3n]]]])
    expect(out.split('\n')).toEqual([
      'row 1',
      ` CommandLine  ${'x'.repeat(36)}`,
      `              ${'x'.repeat(36)}`,
      `              ${'x'.repeat(18)}`,
      ' FolderPath   C:\\',
      ' n            3',
      '',
    ])
    for (const line of out.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(50)
    expect((await written({}, { columns: 200 }, [[heads, [[long, 'C:\\', 3n]]]])).out).toMatch(
      /^CommandLine/,
    )
  })

  it('show the names of columns when there is no row', async () => {
    expect((await written({}, {}, [[columns, []]])).out).toBe('Host  n  ok  d\n')
    expect((await written({ json: true }, {}, [[columns, []]])).out).toContain('"rows":[\n]}')
  })

  it('are a JSON document with all digits, nested values, and nothing that steers a terminal', async () => {
    const { out } = await written({ json: true }, { more: 3 })
    expect(out).toContain('"n":9007199254740993')
    expect(out).not.toContain('\x1b')
    expect(JSON.parse(out)).toEqual({
      results: [
        {
          columns: [
            { name: 'Host', type: 'string' },
            { name: 'n', type: 'long' },
            { name: 'ok', type: 'bool' },
            { name: 'd', type: 'dynamic' },
          ],
          rows: [
            { Host: 'a,"b"', n: -5, ok: true, d: { x: 1 } },
            { Host: '=cmd\x1b[2J', n: Number('9007199254740993'), ok: null, d: null },
          ],
          more: 3,
        },
      ],
    })
  })

  it('are JSON lines, those of several queries one after the other', async () => {
    const one: readonly ResultColumn[] = [{ name: '__proto__', type: 'int' }]
    const { out } = await written({ jsonl: true }, {}, [
      [one, [[1n]]],
      [one, [[2n]]],
    ])
    expect(out).toBe('{"__proto__":1}\n{"__proto__":2}\n')
  })

  it('are CSV that a spreadsheet does not compute', async () => {
    const { out } = await written({ csv: true }, {}, [
      [columns, rows],
      [[{ name: 'x', type: 'span' }], [[-10_000_000n]]],
    ])
    expect(out).toBe(
      [
        'Host,n,ok,d',
        '"a,""b""",-5,True,"{""x"":1}"',
        "'=cmd\\x1b[2J,9007199254740993,,",
        '',
        'x',
        "'-00:00:01",
        '',
      ].join('\n'),
    )
    expect((await written({ rawCsv: true })).out).toContain('=cmd\x1b[2J')
  })

  it('say when they are not all', async () => {
    expect((await written({}, { isPartial: true }, [[columns, []]])).out).toBe('')
    const { out } = await written({ json: true }, { isPartial: true }, [[columns, []]])
    expect(JSON.parse(out)).toMatchObject({ results: [{ rows: [], interrupted: true }] })
  })

  it('say how many more there are', async () => {
    expect((await written({}, { more: 1_234 })).err).toContain('1,234 more rows')
    expect((await written({ csv: true }, { more: 1 })).err).toBe('and 1 more row\n')
    const screen = fakeOutput({ columns: 80 })
    expect(mostRows(screen, new OptionValues({}))).toBe(500)
    expect(mostRows(screen, new OptionValues({ csv: true }))).toBe(Number.POSITIVE_INFINITY)
    expect(mostRows(fakeOutput(), new OptionValues({}))).toBe(Number.POSITIVE_INFINITY)
    expect(mostRows(screen, new OptionValues({ rows: '7' }))).toBe(7)
    expect(() => mostRows(screen, new OptionValues({ rows: 'x' }))).toThrow(/--rows/)
  })
})

describe('the report of queries', () => {
  const page = (tally: ResultTally): string =>
    [
      ...renderResultPage({
        tally,
        made: '2026-01-02T03:04:05.0000000Z',
        version: '1',
        isInterrupted: false,
      }),
    ].join('')

  it('holds text, chart and rows, all as text', () => {
    const tally = new ResultTally()
    const heads: readonly ResultColumn[] = [
      { name: '<b>', type: 'text' },
      { name: 'n', type: 'int' },
    ]
    tally.begin({
      printing: KUSTO_PRINTING,
      columns: heads,
      render: 'piechart',
      text: 'T | render piechart // </pre>',
    })
    tally.add(['<script>alert(1)</script>', 3n])
    tally.add(['b', 1n])
    const text = page(tally)
    expect(text).not.toContain('<script>')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(text).toContain('// &lt;/pre&gt;')
    expect(text).toContain('<svg class="pie"')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;: 75.0 %')
    expect(text).toContain('default-src &#39;none&#39;')
  })

  it('keeps within its budgets and counts the rest', () => {
    const tally = new ResultTally()
    tally.begin({
      printing: KUSTO_PRINTING,
      columns: [{ name: 'x', type: 'text' }],
      render: undefined,
      text: 'T',
    })
    for (let at = 0; at < limits.reportFindings + 5; at++) tally.add(['v'])
    expect(tally.results[0]?.rows).toHaveLength(limits.reportFindings)
    expect(page(tally)).toContain('and 5 more rows')
    tally.begin({
      printing: KUSTO_PRINTING,
      columns: [{ name: 'x', type: 'text' }],
      render: undefined,
      text: 'T',
    })
    tally.add(['x'.repeat(limits.reportChars + 1)])
    expect(tally.results[1]).toMatchObject({ total: 1, rows: [] })
  })
})

describe('charts', () => {
  const time = (day: number): string => `2026-01-0${day}T00:00:00.0000000Z`
  const draw = (
    render: string,
    heads: readonly ResultColumn[],
    lines: readonly (readonly Value[])[],
  ): string => String(resultChart(render, heads, lines) ?? '')

  it('draw a line for each series over time', () => {
    const heads: readonly ResultColumn[] = [
      { name: 'TimeGenerated', type: 'time' },
      { name: 'Host', type: 'text' },
      { name: 'count_', type: 'int' },
    ]
    const chart = draw('timechart', heads, [
      [time(1), 'a', 1n],
      [time(2), 'a', 5n],
      [time(1), 'b', 2n],
      [time(2), 'b', 3n],
    ])
    expect(chart.match(/<polyline/g)).toHaveLength(2)
    expect(chart).toContain('<bdi>a</bdi>')
    expect(chart).toContain('2026-01-01')
  })

  it('draw the lists that make-series gives', () => {
    const heads: readonly ResultColumn[] = [
      { name: 'n', type: 'dynamic' },
      { name: 't', type: 'dynamic' },
    ]
    const chart = draw('timechart', heads, [['[1,2,null]', JSON.stringify([1, 2, 3].map(time))]])
    expect(chart.match(/<polyline/g)).toHaveLength(1)
    expect(/points="([^"]*)"/.exec(chart)?.[1]?.split(' ')).toHaveLength(2)
  })

  it('draw columns, below nought too, and a pie of one slice', () => {
    const heads: readonly ResultColumn[] = [
      { name: 'x', type: 'text' },
      { name: 'y', type: 'float' },
    ]
    const lines: readonly (readonly Value[])[] = [
      ['a', 2],
      ['b', -1],
      ['c', Number.NaN],
    ]
    expect(draw('columnchart', heads, lines).match(/<rect/g)).toHaveLength(2)
    expect(draw('piechart', heads, lines)).toContain('<circle')
    expect(draw('columnchart', heads, lines)).not.toContain('NaN')
  })

  it('draw nothing where there is nothing to draw', () => {
    const heads: readonly ResultColumn[] = [
      { name: 'x', type: 'text' },
      { name: 'y', type: 'text' },
    ]
    expect(draw('timechart', heads, [['a', 'b']])).toBe('')
    expect(draw('piechart', heads, [])).toBe('')
    expect(draw('table', heads, [['a', 'b']])).toBe('')
    expect(draw('card', heads, [['a', 'b']])).toBe('')
  })
})

describe('rows of searches', () => {
  const heads: readonly ResultColumn[] = [
    { name: '_time', type: 'float' },
    { name: 'user', type: { list: 'text' } },
    { name: 'dest', type: 'text' },
    { name: 'count', type: 'int' },
  ]
  const events: readonly (readonly Value[])[] = [
    [1_700_000_000.25, '["a","b"]', null, 3n],
    [1_700_000_000, '[]', 'x', null],
  ]

  async function printed(values: Readonly<Record<string, unknown>>, isEvents = false) {
    const output = fakeOutput({})
    const writer = resultWriter(output, new OptionValues(values))
    await writer.begin({ columns: heads, render: undefined, printing: SPL_PRINTING, isEvents })
    for (const row of events) await writer.row(row)
    await writer.finish({ more: 0, isPartial: false })
    await writer.end()
    return output.outText()
  }

  it('prints times of events, and several values, for people', async () => {
    const text = await printed({})
    expect(text).toContain('2023-11-14T22:13:20.25Z')
    expect(text).toContain('2023-11-14T22:13:20Z')
    expect(text).toContain('a, b')
  })

  it('keeps numbers and lists as such in JSON, one value a line in CSV', async () => {
    expect(await printed({ jsonl: true })).toBe(
      '{"_time":1700000000.25,"user":["a","b"],"dest":null,"count":3}\n' +
        '{"_time":1700000000,"user":[],"dest":"x","count":null}\n',
    )
    expect(await printed({ rawCsv: true })).toContain('2023-11-14T22:13:20.25Z,"a\nb",,3')
  })

  it('prints of events only the fields that they have', async () => {
    expect(await printed({ jsonl: true }, true)).toBe(
      '{"_time":1700000000.25,"user":["a","b"],"count":3}\n{"_time":1700000000,"dest":"x"}\n',
    )
    const text = await printed({}, true)
    expect(text).toMatch(
      /^row 1\n +_time +2023-11-14T22:13:20.25Z\n +user +a, b\n +count +3\nrow 2/,
    )
  })
})

/** Correlation and filter documents: what they say, and where they are refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSigma } from '../../src/dialects/sigma/rule.ts'

const text = (lines: readonly string[]): string =>
  `title: T\ncorrelation:\n${lines.map((line) => `  ${line}\n`).join('')}`

const USUAL = [
  'type: event_count',
  'rules: [a]',
  'group-by: [User]',
  'timespan: 5m',
  'condition: {gte: 3}',
]

/** The usual correlation with other lines for some keys; an empty line takes a key out. */
function changed(lines: Readonly<Record<string, string>>): readonly string[] {
  const keys = new Set([...USUAL.map((line) => line.split(':')[0] ?? ''), ...Object.keys(lines)])
  return [...keys].flatMap((key) => {
    const line = lines[key] ?? USUAL.find((each) => each.startsWith(`${key}:`)) ?? ''
    return line === '' ? [] : [line]
  })
}

function read(lines: readonly string[]) {
  const source = text(lines)
  const [parse] = parseSigma(source).rules
  return {
    correlation: parse?.correlation,
    told: (parse?.diagnostics ?? []).map(({ code, span }) => [
      code,
      span === undefined ? '' : source.slice(span.start, span.end),
    ]),
  }
}

describe('correlations', () => {
  it('are read with all that they say', () => {
    const { correlation, told } = read(
      changed({
        type: 'type: value_count',
        rules: 'rules: [a, b]',
        'group-by': 'group-by: [who, Computer]',
        aliases: 'aliases: {who: {a: User, b: Account}}',
        condition: 'condition: {field: [Image, User], gt: 2, lte: 9.5}',
        generate: 'generate: true',
      }),
    )
    expect(told).toEqual([])
    expect(correlation).toMatchObject({
      type: 'value_count',
      rules: [{ name: 'a' }, { name: 'b' }],
      groupBy: ['who', 'Computer'],
      timespan: 300_000,
      comparisons: [
        { op: 'gt', value: 2 },
        { op: 'lte', value: 9.5 },
      ],
      fields: ['Image', 'User'],
      generate: true,
      aliases: [
        {
          name: 'who',
          fields: [
            { name: 'a', field: 'User' },
            { name: 'b', field: 'Account' },
          ],
        },
      ],
    })
  })

  it('have each unit of time', () => {
    const days = (timespan: string) =>
      (read(changed({ timespan: `timespan: ${timespan}` })).correlation?.timespan ?? 0) / 86_400_000
    expect(['86400s', '1440m', '24h', '1d'].map(days)).toEqual([1, 1, 1, 1])
    expect([days('1w'), days('1M'), days('1y')]).toEqual([7, 30.436875, 365.2425])
  })

  it('take rules from an expression, or hold it to those that are listed', () => {
    const alone = read(
      changed({ type: 'type: temporal', rules: '', condition: 'condition: a and not (b or a)' }),
    )
    expect(alone.told).toEqual([])
    expect(alone.correlation?.rules.map(({ name }) => name)).toEqual(['a', 'b'])
    const listed = read(
      changed({
        type: 'type: temporal',
        rules: 'rules: [x_1, x_2]',
        condition: 'condition: 1 of x_*',
      }),
    )
    expect(listed.correlation?.expression).toMatchObject({ op: 'some', names: ['x_1', 'x_2'] })
    const other = read(
      changed({ type: 'type: temporal', rules: 'rules: [x]', condition: 'condition: x and yy' }),
    )
    expect(other.told).toEqual([['HR332', 'yy']])
  })

  it('need no condition where all rules must match', () => {
    for (const type of ['temporal', 'temporal_ordered']) {
      const { correlation, told } = read(changed({ type: `type: ${type}`, condition: '' }))
      expect([told, correlation?.comparisons]).toEqual([[], []])
    }
  })

  const refusals: readonly (readonly [string, Readonly<Record<string, string>>, string, string])[] =
    [
      ['an unknown type', { type: 'type: event_cuont' }, 'HR360', 'event_cuont'],
      ['an unknown key', { group: 'group_by: [x]' }, 'HR361', 'group_by'],
      ['an unknown comparison', { condition: 'condition: {gte: 1, above: 3}' }, 'HR361', 'above'],
      ['no length of time', { timespan: 'timespan: 5 min' }, 'HR362', '5 min'],
      ['an empty length of time', { timespan: 'timespan: 0s' }, 'HR362', '0s'],
      ['a very long time', { timespan: 'timespan: 3y' }, 'HR004', '3y'],
      ['no timespan', { timespan: '' }, 'HR301', 'correlation'],
      ['no rules', { rules: '' }, 'HR301', 'correlation'],
      ['an empty list of rules', { rules: 'rules: []' }, 'HR302', '['],
      ['no condition', { condition: '' }, 'HR301', 'type'],
      [
        'a field of a count',
        { condition: 'condition: {gte: 1, field: x}' },
        'HR363',
        '{gte: 1, field: x',
      ],
      ['no field of a value', { type: 'type: value_sum' }, 'HR363', '{gte: 3'],
      ['no comparison', { condition: 'condition: {}' }, 'HR363', '{'],
      [
        'three comparisons',
        { condition: 'condition: {gt: 1, lt: 3, neq: 2}' },
        'HR363',
        '{gt: 1, lt: 3, neq: 2',
      ],
      ['words for a number', { condition: 'condition: {gte: many}' }, 'HR302', 'many'],
      ['an expression over counts', { condition: 'condition: a and b' }, 'HR363', 'a and b'],
      [
        'a wrong percentile',
        {
          type: 'type: value_percentile',
          condition: 'condition: {gte: 1, field: x, percentile: 101}',
        },
        'HR302',
        '101',
      ],
      ['a wrong generate', { generate: 'generate: maybe' }, 'HR302', 'maybe'],
    ]
  for (const [what, lines, code, place] of refusals) {
    it(`are refused for ${what}`, () => {
      const { correlation, told } = read(changed(lines))
      expect(correlation).toBeUndefined()
      expect(told).toContainEqual([code, place])
    })
  }

  it('warn of a rule that is listed twice and of an alias without use', () => {
    const { correlation, told } = read(
      changed({ rules: 'rules: [a, a]', aliases: 'aliases: {who: {a: User}}' }),
    )
    expect(correlation?.rules).toHaveLength(1)
    expect(told).toEqual([
      ['HR369', 'a'],
      ['HR368', 'who'],
    ])
  })

  it('never throw', () => {
    const part = fc.oneof(
      fc.constantFrom(
        ...USUAL,
        'condition: a and not',
        'aliases: [x]',
        'rules: {a: b}',
        'generate: [x]',
        'timespan: [1]',
      ),
      fc.string({ maxLength: 30 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (lines) => {
        const { rules, diagnostics } = parseSigma(text(lines))
        for (const { correlation, diagnostics: said } of rules) {
          const isRefused = said.some(({ severity }) => severity === 'error')
          if (correlation !== undefined) expect(isRefused).toBe(false)
        }
        expect(rules.length + diagnostics.length).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })
})

describe('filters', () => {
  const filter = (lines: string): ReturnType<typeof parseSigma>['rules'][number] | undefined =>
    parseSigma(
      `title: F\nlogsource: {product: windows}\nfilter:\n${lines.replace(/^ */gm, '  ')}\n`,
    ).rules[0]

  it('are read with their rules and their condition', () => {
    const parse = filter('rules: [a, b]\nselection: {User: x}\ncondition: not selection')
    expect(parse?.filter?.rules).toMatchObject([{ name: 'a' }, { name: 'b' }])
    expect(parse?.filter?.detection.selections.map(({ name }) => name)).toEqual(['selection'])
    expect(parse?.diagnostics).toEqual([])
    expect(
      filter('rules: any\nselection: {User: x}\ncondition: not selection')?.filter?.rules,
    ).toBe('any')
  })

  it('say that they keep what they describe', () => {
    const parse = filter('rules: any\nselection: {User: x}\ncondition: selection')
    expect(parse?.filter).toBeDefined()
    expect(parse?.diagnostics.map(({ code }) => code)).toEqual(['HR381'])
  })

  it('are refused without rules, without a condition, and without a log source', () => {
    const codes = (lines: string) => filter(lines)?.diagnostics.map(({ code }) => code)
    expect(codes('selection: {User: x}\ncondition: not selection')).toEqual(['HR301'])
    expect(codes('rules: any\nselection: {User: x}')).toEqual(['HR301'])
    const [bare] = parseSigma(
      'title: F\nfilter:\n  rules: any\n  s: {a: b}\n  condition: not s\n',
    ).rules
    expect([bare?.filter, bare?.diagnostics.map(({ code }) => code)]).toEqual([
      undefined,
      ['HR301'],
    ])
  })
})

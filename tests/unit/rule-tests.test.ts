/** Files of tests beside rules, and what findings lack of what they expect. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { placeOfData } from '../../src/detect/testing/attackdata.ts'
import { readCaseFile } from '../../src/detect/testing/casefile.ts'
import { FIRES } from '../../src/detect/testing/cases.ts'
import { unmet } from '../../src/detect/testing/expect.ts'

const messages = (text: string): readonly string[] =>
  readCaseFile(text).diagnostics.map(({ code, message }) => `${code} ${message}`)

const one = (body: string) => `tests:\n  - name: one\n    events: [{a: 1}]\n${body}`

describe('a file of tests', () => {
  it('gives tests with logs, steps and expectations', () => {
    const { value } = readCaseFile(`
rule: Some Rule
logs:
  - events: ["a line", {a: 1, b: [x, y]}]
    format: json
tests:
  - name: first
    files: [a.log, sub/b.evtx]
    sourcetype: aws:cloudtrail
    at: 2026-02-01T10:00:00Z
    fires: at least 2
    fields: {User: alice, Ports: [80, 443], Gone: []}
    risk: [{object: pc, score: 40}]
  - steps:
      - {rule: baseline.yml, write: true}
      - {fires: false}
    events: |
      one
      two
`)
    expect(value?.rule).toBe('Some Rule')
    const [first, second] = value?.tests ?? []
    expect(first?.logs).toEqual([
      { files: [], events: ['a line', { a: 1, b: ['x', 'y'] }], format: 'json' },
      { files: ['a.log', 'sub/b.evtx'], events: [], sourcetype: 'aws:cloudtrail' },
    ])
    expect(first?.steps).toMatchObject([
      {
        at: '2026-02-01T10:00:00.0000000Z',
        writes: false,
        expected: {
          fires: { least: 2 },
          fields: [
            new Map([
              ['User', ['alice']],
              ['Ports', ['80', '443']],
              ['Gone', []],
            ]),
          ],
        },
      },
    ])
    expect(second?.name).toBe('test 2')
    expect(second?.logs[1]?.events).toEqual(['one', 'two'])
    expect(
      second?.steps.map(({ called, writes, expected }) => [called, writes, expected.fires]),
    ).toEqual([
      ['baseline.yml', true, { least: 0 }],
      [undefined, false, { least: 0, most: 0 }],
    ])
  })

  it.each([
    ['true', { least: 1 }],
    ['false', { least: 0, most: 0 }],
    ['3', { least: 3, most: 3 }],
    ['at least 3', { least: 3 }],
    ['at most 3', { least: 0, most: 3 }],
    ['{least: 2, most: 4}', { least: 2, most: 4 }],
  ])('reads how often: %s', (text, fires) => {
    expect(
      readCaseFile(one(`    fires: ${text}\n`)).value?.tests[0]?.steps[0]?.expected.fires,
    ).toEqual(fires)
  })

  it.each([
    ['', 'HR760 tests: tests must be a list with at least one test'],
    ['tests: 1', 'HR760 tests: tests must be a list of maps'],
    [
      one('    fires: -1\n'),
      'HR760 tests: tests[0].fires must be true, false, a number of findings',
    ],
    [one('    fires: 99999999999\n'), 'HR760 tests: tests[0].fires must be'],
    [
      one('    fire: 1\n'),
      'HR761 tests: nothing is called "tests[0].fire" (did you mean "fires"?)',
    ],
    [one('    fires: {least: 3, most: 1}\n'), 'most must be at least 3, as least says'],
    [
      one('    fires: false\n    fields: {a: b}\n'),
      'HR760 tests: tests[0].fires must be more than none where the test says what a finding has',
    ],
    [one(''), 'HR765 a step expects nothing and writes nothing'],
    [one('    fires: 1\n    at: soon\n'), 'HR760 tests: tests[0].at must be a time'],
    [
      one('    fires: 1\n    risk: [{objekt: a}]\n'),
      'HR760 tests: tests[0].risk must be a list of maps with object',
    ],
    [
      one('    fires: 1\n    source: a\n    table: b\n'),
      'the only one of source, table and sourcetype',
    ],
    ['tests: [{name: a, fires: 1}]', 'HR760 tests: tests[0].logs must be there'],
    [
      'tests: [{name: a, fires: 1, events: [[1]]}]',
      'HR760 tests: tests[0].events must be a list of maps or of lines',
    ],
  ])('says what is wrong: %s', (text, wanted) => {
    expect(messages(text).join('\n')).toContain(wanted)
    expect(readCaseFile(text).value).toBeUndefined()
  })

  it('takes only so many tests and events', () => {
    const many = `tests:\n${'  - {events: [x], fires: 1}\n'.repeat(1_001)}`
    expect(messages(many)).toEqual([
      'HR763 the number of tests is 1001, and at most 1000 are taken',
    ])
    const events = `logs: []\ntests: [{fires: 1, events: [${'x,'.repeat(10_001)}]}]`
    expect(messages(events)).toEqual([
      'HR763 the number of events is 10001, and at most 10000 are taken',
    ])
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify({ tests: [value, { events: value, fires: value }] })
        const { value: read, diagnostics } = readCaseFile(text)
        expect(read === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
      }),
    )
  })
})

const finding = (more: Partial<Finding> = {}): Finding => ({
  time: '2026-02-01T10:00:00.0000000Z',
  rule_id: 'r',
  rule_title: 'Rule',
  language: 'spl',
  level: 'high',
  host: 'pc',
  tags: [],
  source: 's',
  file: 'f',
  record: 1,
  id: 'i',
  event: { User: 'alice', Ports: ['80', '443'], Empty: null },
  ...more,
})
const values = (all: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(all))

describe('what findings lack', () => {
  const none = { ...FIRES, fires: { least: 0, most: 0 } }

  it('is nothing where all is met', () => {
    const expected = {
      ...FIRES,
      fires: { least: 1, most: 1 },
      title: 'Rule',
      level: 'high',
      host: 'pc',
      fields: [values({ User: ['alice'], Ports: ['443'], Empty: [], Gone: [] })],
      risk: [values({ object: ['pc'], score: ['40'] })],
      entities: [values({ type: ['Host'], HostName: ['pc'] })],
    }
    const risk = [{ field: 'dest', value: 'pc', type: 'system', score: 40, message: 'm' }]
    const entities = [{ type: 'Host', HostName: 'pc' }]
    expect(unmet(expected, [finding({ risk, entities })], 1)).toEqual([])
    expect(unmet(none, [], 0)).toEqual([])
  })

  it('is told with what was found instead', () => {
    expect(unmet(none, [finding()], 1)).toEqual(['expected none, found 1'])
    expect(unmet(FIRES, [], 0)).toEqual(['expected at least 1, found none'])
    const expected = {
      ...FIRES,
      title: 'Other',
      fields: [values({ User: ['bob'] }), values({ Nope: ['x'] })],
      risk: [values({ object: ['pc'] })],
      entities: [values({ type: ['IP'] })],
    }
    expect(unmet(expected, [finding({ entities: [{ type: 'Host', HostName: 'pc' }] })], 1)).toEqual(
      [
        'the title "Other" expected; it is "Rule"',
        'a finding with User "bob" expected; User is "alice"',
        'a finding with Nope "x" expected; nothing has a Nope',
        'an entity with type "IP" expected; there is "type Host, HostName pc"',
        'a risk with object "pc" expected; there is none',
      ],
    )
  })

  it('wants the values of one item in one finding, not spread over several', () => {
    const both = [finding({ event: { a: '1', b: '2' } }), finding({ event: { a: '2', b: '1' } })]
    const wants = (a: string, b: string) => ({ ...FIRES, fields: [values({ a: [a], b: [b] })] })
    expect(unmet(wants('1', '2'), both, 2)).toEqual([])
    expect(unmet(wants('1', '1'), both, 2)).toHaveLength(1)
  })

  it('does not reach into prototypes', () => {
    const expected = { ...FIRES, fields: [values({ constructor: ['x'], toString: ['y'] })] }
    expect(unmet(expected, [finding()], 1)[0]).toContain('nothing has a constructor')
  })
})

describe('the place of attack data', () => {
  it.each([
    [
      'https://media.githubusercontent.com/media/splunk/attack_data/master/datasets/attack_techniques/T1/a.log',
      'datasets/attack_techniques/T1/a.log',
    ],
    ['https://raw.example/x/datasets/a.log?raw=true#top', 'datasets/a.log'],
    ['datasets/a.log', 'datasets/a.log'],
    ['./datasets/a.log', 'datasets/a.log'],
    ['https://elsewhere.example/a.log', ''],
    ['file:///etc/passwd', ''],
  ])('of %s', (address, place) => {
    expect(placeOfData(address)).toBe(place)
  })
})

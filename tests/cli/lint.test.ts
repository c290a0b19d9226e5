/** `harrier lint` through the built program: its forms, what it ends with, and wrong calls. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Desk, makeDesk } from '../support/desk.ts'

const RULE = [
  'title: Two At Once',
  'id: 11111111-0000-4000-8000-000000000031',
  'description: d',
  'status: test',
  'date: 2026-01-31',
  'level: low',
  'tags: [attack.t1086]',
  'logsource: {product: windows, category: process_creation}',
  'detection:',
  '  a: {EventID: 4688}',
  '  b: {EventID: 4624}',
  '  condition: a and b',
  '',
].join('\n')

let desk: Desk
beforeAll(() => {
  desk = makeDesk()
  desk.write('rules/a b.yml', RULE)
  desk.write('good/a.yml', RULE.replace('a and b', 'a or b').replace('t1086', 't1059.001'))
})
afterAll(() => desk.close())

describe('harrier lint', () => {
  it('tells each problem with its line and a caret below the title of its rule', async () => {
    const { code, out, err } = await desk.call(['lint', 'rules'])
    expect(code).toBe(0)
    expect(out).toBe(
      [
        'Two At Once',
        'rules/a b.yml:7:8: warning HR951: the technique T1086 of ATT&CK is revoked',
        '  tags: [attack.t1086]',
        '         ^^^^^^^^^^^^',
        '  hint: write T1059.001, PowerShell, which took its place',
        'rules/a b.yml:11:16: warning HR961: this part can never hold: EventID would have to be "4688" and "4624"',
        '    b: {EventID: 4624}',
        '                 ^^^^',
        '',
      ].join('\n'),
    )
    expect(err).toBe('1 rule: 0 errors, 2 warnings\n  HR951: 1\n  HR961: 1\n')
  })

  it('ends with 1 when it is asked to', async () => {
    const codes = []
    for (const more of [
      ['rules', '--fail-on', 'warning'],
      ['rules', '--fail-on', 'error'],
      ['rules', '--fail-on', 'warning', '--ignore', 'hr951,HR961'],
      ['good', '--fail-on', 'warning'],
    ]) {
      codes.push((await desk.call(['lint', ...more])).code)
    }
    expect(codes).toEqual([1, 0, 0, 0])
  })

  it('gives JSON', async () => {
    const { out } = await desk.call(['lint', 'rules', '--json', '--only', 'HR961'])
    expect(JSON.parse(out)).toEqual({
      problems: [
        {
          file: 'rules/a b.yml',
          rule: {
            id: '11111111-0000-4000-8000-000000000031',
            title: 'Two At Once',
            language: 'sigma',
          },
          code: 'HR961',
          severity: 'warning',
          message: 'this part can never hold: EventID would have to be "4688" and "4624"',
          place: { line: 11, column: 16 },
        },
      ],
      totals: { rules: 1, errors: 0, warnings: 1, notices: 0 },
    })
    const lines = await desk.call(['lint', 'rules', '--jsonl'])
    expect(
      lines.out
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each).code),
    ).toEqual(['HR951', 'HR961'])
  })

  it('gives SARIF whose parts refer to each other', async () => {
    const { out } = await desk.call(['lint', 'rules', '--sarif'])
    const { version, runs } = JSON.parse(out)
    const [{ tool, results, columnKind }] = runs
    expect({ version, columnKind }).toEqual({ version: '2.1.0', columnKind: 'utf16CodeUnits' })
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(['HR951', 'HR961'])
    for (const each of tool.driver.rules) {
      expect(each.help.text.length).toBeGreaterThan(10)
      expect(each.defaultConfiguration.level).toBe('warning')
    }
    for (const each of results) expect(tool.driver.rules[each.ruleIndex].id).toBe(each.ruleId)
    expect(results[1]).toMatchObject({
      ruleId: 'HR961',
      level: 'warning',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'rules/a%20b.yml' },
            region: { startLine: 11, startColumn: 16, endLine: 11, endColumn: 20 },
          },
        },
      ],
    })
  })

  it('doubles braces in the messages of SARIF, where they mean placeholders', async () => {
    desk.write('braces/a.yml', RULE.replace('EventID: 4688', "User: ['{a}', '{a}']"))
    const { out } = await desk.call(['lint', 'braces', '--sarif', '--only', 'HR976'])
    const [{ tool, results }] = JSON.parse(out).runs
    expect(results[0].message.text).toContain('"{{a}}"')
    expect(tool.driver.rules[0].shortDescription.text).not.toMatch(/[{}]/)
  })

  it('refuses wrong calls', async () => {
    const wrong = await desk.call(['lint', 'rules', '--only', 'HR96'])
    expect(wrong).toMatchObject({ code: 3, out: '' })
    expect(wrong.err).toContain('there is no code HR96')
    expect(await desk.call(['lint', 'nowhere'])).toMatchObject({ code: 2, out: '' })
    expect(await desk.call(['lint', 'rules', '--json', '--sarif'])).toMatchObject({
      code: 3,
      out: '',
    })
    expect(await desk.call(['lint', 'rules', '--store', 'nowhere'])).toMatchObject({ out: '' })
  })
})

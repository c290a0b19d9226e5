/** Lists of assets and identities, and the urgency that follows from them. */
import { describe, expect, it } from 'vitest'
import { readAssetLists } from '../../src/detect/keeping/assets.ts'
import { standingOf, urgencyOf } from '../../src/detect/keeping/urgency.ts'
import { sampleFinding } from '../support/findings.ts'

const ASSETS = `ip,mac,nt_host,dns,owner,priority,category,bunit,watchlist

10.1.2.3,,DC01|DC02,dc01.corp.example,kim,critical,server|domain controller,it,true
10.1.0.0/16,,,,,low,office,,
10.1.9.5-10.1.9.9,,,,,medium,"lab
of two lines",,
fd00::/8,,,,,high,,,
,,,,,high,,,
10.0.0.300,,,,,high,,,
,aa:bb,PRINTER,,,urgent,,,
`
const IDENTITIES = `identity,email,priority,category,watchlist
kim|CORP\\kim.admin,kim@corp.example,high,privileged,yes
ann,,low,,
`

const { lists, diagnostics } = readAssetLists(
  [{ file: 'assets.csv', text: ASSETS }],
  [{ file: 'identities.csv', text: IDENTITIES }],
)

describe('lists', () => {
  it('tell the lines that cannot be used', () => {
    expect(diagnostics.map((each) => each.message)).toEqual([
      'assets.csv, line 8 is left out: it has none of ip, nt_host, dns and mac',
      'assets.csv, line 9 is left out: "10.0.0.300" is no address, network or range',
      'assets.csv, line 10 is left out: "urgent" is no priority: it is one of unknown, low, medium, high, critical',
    ])
  })

  it.each([
    ['10.1.2.3', 'critical'],
    ['::ffff:10.1.2.3', 'critical'],
    ['10.1.2.4', 'low'],
    ['10.1.9.7', 'medium'],
    ['10.1.9.10', 'low'],
    ['fd12::1', 'high'],
    ['10.2.0.1', undefined],
    ['DC02', 'critical'],
    ['dc01.corp.example', 'critical'],
    ['dc02.other.example', 'critical'],
    ['10.1.2.3.4', undefined],
    ['__proto__', undefined],
  ])('find the asset of %s: %s', (value, priority) => {
    expect(lists.asset(value)?.priority).toBe(priority)
  })

  it.each([
    ['kim', 'high'],
    ['CORP\\KIM', 'high'],
    ['kim.admin', 'high'],
    ['kim@corp.example', 'high'],
    ['kim@elsewhere.example', 'high'],
    ['eve', undefined],
  ])('find the identity of %s: %s', (value, priority) => {
    expect(lists.identity(value)?.priority).toBe(priority)
  })

  it.each([
    ['', 'it is empty'],
    ['a,b\n1,2\n', 'its first line names none of the columns ip, nt_host, dns, mac'],
    ['ip\n"10.0.0.1\n', 'a quoted cell is not closed'],
  ])('that cannot be used are refused: %j', (text, reason) => {
    const [first] = readAssetLists([{ file: 'a.csv', text }], []).diagnostics
    expect(first).toMatchObject({
      code: 'HR740',
      message: `the list a.csv cannot be used: ${reason}`,
    })
  })

  it('tell the first wrong lines and count the others', () => {
    const text = `ip\n${'x\n'.repeat(30)}`
    const told = readAssetLists([{ file: 'a.csv', text }], []).diagnostics
    expect(told).toHaveLength(21)
    expect(told.at(-1)?.message).toBe('a.csv: 10 more lines are left out')
  })

  it('answer fast whatever their size', () => {
    const many = Array.from(
      { length: 30_000 },
      (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255},high`,
    )
    const { lists: large } = readAssetLists(
      [{ file: 'a.csv', text: `ip,priority\n${many.join('\n')}` }],
      [],
    )
    const before = performance.now()
    for (let at = 0; at < 30_000; at++) large.asset(`10.0.${at >> 8}.${at & 255}`)
    expect(performance.now() - before).toBeLessThan(3_000)
    expect(large.asset('10.0.2.3')?.priority).toBe('high')
  })
})

describe('urgency', () => {
  it('follows the matrix of Enterprise Security', () => {
    expect(urgencyOf('medium', 'unknown')).toBe('low')
    expect(urgencyOf('high', 'unknown')).toBe('medium')
    expect(urgencyOf('medium', 'high')).toBe('medium')
    expect(urgencyOf('medium', 'critical')).toBe('high')
    expect(urgencyOf('critical', 'medium')).toBe('critical')
    expect(urgencyOf('informational', 'critical')).toBe('informational')
  })

  it('takes the greatest of assets and identities, and says what they are', () => {
    const finding = sampleFinding({ event: { dest: 'DC01', src: '10.1.9.7', user: 'ann' } })
    expect(standingOf(finding, [], lists)).toEqual({
      priority: 'critical',
      context: {
        dest_priority: 'critical',
        dest_category: ['server', 'domain controller'],
        dest_bunit: 'it',
        dest_owner: 'kim',
        dest_watchlist: 'true',
        src_priority: 'medium',
        src_category: 'lab\nof two lines',
        user_priority: 'low',
      },
    })
  })

  it('asks entities where an event has no fields of the models', () => {
    const entities = [
      { type: 'Host', HostName: 'ws1' },
      { type: 'Account', Name: 'kim', NTDomain: 'CORP' },
    ]
    expect(standingOf(sampleFinding({ event: {} }), entities, lists)).toEqual({
      priority: 'high',
      context: { user_priority: 'high', user_category: 'privileged', user_watchlist: 'true' },
    })
  })
})

/** `harrier findings` as a user calls it: the queue, one finding, changes, what is held back, and hostile values in each. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeKeeper } from '../../src/detect/keeping/keep.ts'
import { openChdb } from '../../src/engine/chdb.ts'
import { openStore } from '../../src/engine/store.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type Desk, makeDesk } from '../support/desk.ts'
import { sampleFinding } from '../support/findings.ts'
import { ATTACK, keptRule, riskSettings, windowRun } from '../support/keeping.ts'
import { terminalPayloads } from '../support/payloads.ts'
import { CHILD } from '../support/temporary.ts'

let desk: Desk
const hostile = `=cmd|' /C calc'!A0 ${terminalPayloads.join(' ')} \u202e`
/** An argument of a program holds no NUL. */
const note = hostile.replaceAll('\0', '').toWellFormed()
const id = (at: number): string => `${'abcd'.repeat(2)}${String(at).padStart(24, '0')}`

beforeAll(async () => {
  desk = makeDesk()
  const engine = await openChdb({ path: join(desk.path('case'), 'db'), childPath: CHILD })
  const schema = readyMadeSchema()
  const store = await openStore({ engine, source: (name) => schema.sources.get(name) })
  const keeper = makeKeeper({
    store,
    schema,
    attack: ATTACK,
    risk: riskSettings(),
    now: () => ({ ms: Date.UTC(2026, 0, 2, 4), sub: 0 }),
  })
  const suppress = { fields: ['host'], seconds: 3_600 }
  const rule = keptRule({ id: 'r', title: 'Odd Logon', tuning: { file: 'o.yml', suppress } })
  const about = { rule_id: 'r', rule_title: 'Odd Logon', title: hostile }
  await keeper.keep([
    windowRun(rule, [
      sampleFinding({
        ...about,
        id: id(1),
        time: '2026-01-02T03:10:00.0000000Z',
        host: hostile,
        entities: [
          { type: 'Host', HostName: hostile },
          { type: 'Account', Name: 'CORP\\kim' },
        ],
        event: { [hostile]: hostile, CommandLine: 'x'.repeat(200_000) },
      }),
      sampleFinding({ ...about, id: id(2), time: '2026-01-02T03:11:00.0000000Z', host: hostile }),
      sampleFinding({ ...about, id: id(3), time: '2026-01-02T03:12:00.0000000Z', host: 'b' }),
    ]),
  ])
  await engine.close()
})
afterAll(() => desk.close())

const call = (words: readonly string[]) => desk.call([...words, '--store', 'case'])
/** No character that a terminal obeys. */
const isSafe = (text: string): boolean => !/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(text)

it('lists the queue under both names, groups it, and is safe', async () => {
  for (const words of [
    ['findings'],
    ['notables'],
    ['findings', 'list'],
    ['findings', '--by', 'entity'],
  ]) {
    const { code, out, err } = await call(words)
    expect(code).toBe(0)
    expect(out.trim().split('\n').length).toBeGreaterThanOrEqual(3)
    expect(isSafe(out + err)).toBe(true)
  }
  const { findings, total } = JSON.parse((await call(['findings', '--json'])).out)
  expect(total).toBe(2)
  expect(findings[0]).toMatchObject({ id: id(1), status: 'new', urgency: 'high' })
  expect(findings[0].title.startsWith(hostile.slice(0, 400))).toBe(true)
  const csv = (await call(['findings', '--csv'])).out
  expect(csv.split('\n')[0]).toContain('id,event_id,time,title')
  expect(csv).not.toMatch(/(?:^|,|")=cmd/m)
  const kim = JSON.parse((await call(['findings', '--entity', 'kim@corp.example', '--json'])).out)
  expect(kim.findings.map((each: { id: string }) => each.id)).toEqual([id(1)])
}, 60_000)

it('shows one finding with what it is about, safely and cut', async () => {
  const { code, out, err } = await call(['findings', 'show', id(1)])
  expect(code).toBe(0)
  expect(isSafe(out + err)).toBe(true)
  expect(out.length).toBeLessThan(60_000)
  expect(out).toContain('Splunk: New, Sentinel: New')
  expect(out).toMatch(/user {10}CORP\\kim/)
  expect(out).toMatch(/Suppressed\n {2}1 {13}equal findings held back/)
  expect((await call(['findings', 'show', id(1), '--show', 'sql'])).out).toBe('SELECT 1\n')
  expect(JSON.parse((await call(['findings', 'show', id(1), '--json'])).out)).toMatchObject({
    finding: { id: id(1) },
    state: { status: 'new' },
    vocabulary: { sentinel: { status: 'New' } },
    suppressed: [{ count: 1 }],
  })
}, 60_000)

it('changes findings by id and by choice, and tells conflicts', async () => {
  const first = await call([
    'findings',
    'set',
    id(1),
    '--status',
    'Active',
    '--owner',
    'kim',
    '--note',
    note,
    '--author',
    'ann',
  ])
  expect(first).toMatchObject({ code: 0, out: '', err: '1 finding changed\n' })
  const late = await call(['findings', 'set', id(1), '--status', 'closed', '--if-change', 'none'])
  expect(late.code).toBe(4)
  expect(late.err).toContain('the finding has changed since: ann set it at')
  const shown = await call(['findings', 'show', id(1)])
  expect(shown.out).toContain('status in progress, owner kim: =cmd')
  expect(isSafe(shown.out)).toBe(true)
  const all = await call([
    'findings',
    'set',
    '--rule',
    'odd',
    '--status',
    'resolved',
    '--disposition',
    'fp',
    '--json',
  ])
  expect(JSON.parse(all.out).findings).toMatchObject([
    { status: 'closed' },
    { status: 'closed', disposition: 'false positive' },
  ])
  expect((await call(['findings'])).err).toContain('no finding is open here')
  const closed = JSON.parse(
    (await call(['findings', '--status', 'closed', '--owner', 'kim', '--json'])).out,
  )
  expect(closed.findings).toHaveLength(1)
}, 60_000)

it('counts what is held back', async () => {
  const { code, out, err } = await call(['findings', 'suppressed'])
  expect(code).toBe(0)
  expect(out).toContain('host==cmd')
  expect(isSafe(out + err)).toBe(true)
  expect(err).toContain('1 finding held back')
  expect(JSON.parse((await call(['findings', 'suppressed', '--json'])).out)).toMatchObject({
    total: 1,
    suppressed: [{ count: 1, fields: ['host'], instead: id(1) }],
  })
}, 60_000)

it.each([
  [['findings', 'show', 'abcd'], 3, 'several findings have an id that begins with "abcd"'],
  [['findings', 'show', 'ffff0000'], 3, 'there is no finding "ffff0000"'],
  [['findings', 'show', "'; DROP"], 3, 'there is no finding'],
  [['findings', 'set', id(1)], 3, 'nothing is to be changed'],
  [['findings', 'set', '--status', 'new'], 3, 'no finding is named'],
  [['findings', 'set', id(1), '--status', 'soon'], 3, '"soon" is no status'],
  [['findings', 'set', id(1), '--rule', 'x', '--owner', 'a'], 3, 'not by both'],
  [['findings', '--status', 'soon'], 3, '"soon" is no status'],
  [['findings', '--limit', '0'], 3, '--limit wants a number'],
  [['findings', '--json', '--csv'], 3, 'choose one of'],
  [['findings', '--from', 'soon'], 3, 'not a time'],
])(
  'refuses %j',
  async (words, code, says) => {
    const result = await call(words)
    expect(result.code).toBe(code)
    expect(result.out).toBe('')
    expect(result.err).toContain(says)
  },
  60_000,
)

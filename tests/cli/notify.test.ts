/** `harrier notify` as a user calls it: test messages, what is in the outbox, and settings that are wrong. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openOutbox, outboxTable } from '../../src/detect/notify/outbox.ts'
import { openChdb } from '../../src/engine/chdb.ts'
import { openStore } from '../../src/engine/store.ts'
import { type Desk, makeDesk } from '../support/desk.ts'
import { NOON, notifySettings, toldFinding, webReceiver } from '../support/notifying.ts'
import { CHILD } from '../support/temporary.ts'

let desk: Desk
let receiver: Awaited<ReturnType<typeof webReceiver>>
const channels = (port: number): string => `notify:
  allow: [127.0.0.0/8]
  channels:
    - {name: soc, kind: webhook, url: "http://127.0.0.1:${port}/hook", secret_env: HOOK_SECRET}
    - {name: log, kind: file, path: out.jsonl}
`

beforeAll(async () => {
  desk = makeDesk()
  receiver = await webReceiver()
  desk.write('harrier.yml', channels(receiver.port))
  const engine = await openChdb({ path: join(desk.path('case'), 'db'), childPath: CHILD })
  const store = await openStore({ engine })
  const settings = notifySettings(channels(receiver.port))
  const title = 'Whoami \u001b[2J as System'
  await (await openOutbox(store.records, settings, () => NOON)).fill([
    toldFinding({ rule_title: title }),
  ])
  const table = await outboxTable(store.records)
  const [row] = await table.read({ where: [{ column: 'channel', is: '=', value: 'soc' }] })
  if (row !== undefined)
    await table.append([{ ...row, state: 'failed', tries: 24, error: 'the receiver answers 500' }])
  await engine.close()
})
afterAll(async () => {
  await receiver.close()
  desk.close()
})

it('sends a marked test message to each channel, and says which cannot be reached', async () => {
  const env = { HOOK_SECRET: 'quiet' }
  const both = await desk.call(['notify', 'test'], { env })
  expect(both).toMatchObject({
    code: 0,
    out: 'ok    soc (webhook): taken\nok    log (file): taken\n',
  })
  expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ form: 'test', findings: [] })
  expect(receiver.received[0]?.headers['x-harrier-signature']).toMatch(/^t=\d+,v1=/)
  expect(JSON.parse(readFileSync(desk.path('out.jsonl'), 'utf8'))).toMatchObject({ form: 'test' })
  desk.write('down.yml', channels(1))
  const down = await desk.call(['notify', 'test', 'soc', '--json', '--settings', 'down.yml'], {
    env,
  })
  expect(down.code).toBe(4)
  expect(JSON.parse(down.out).channels[0]).toMatchObject({ channel: 'soc', ok: false })
})

it('refuses settings and names that are wrong, with the place', async () => {
  const unset = await desk.call(['notify', 'test'])
  expect(unset.code).toBe(3)
  expect(unset.err).toMatch(/^error HR750: .*HOOK_SECRET/)
  const unknown = await desk.call(['notify', 'test', 'sco'])
  expect(unknown).toMatchObject({ code: 3, out: '' })
  expect(unknown.err).toContain('the channels are soc, log')
  desk.write('wrong.yml', 'notify:\n  channels:\n    - {name: a, kind: pager}\n')
  const wrong = await desk.call(['notify', 'test', '--settings', 'wrong.yml'])
  expect(wrong.code).toBe(3)
  expect(wrong.err.split('\n').slice(0, 2)).toEqual([
    'wrong.yml:3:23: error HR930: settings: notify.channels[0].kind must be one of webhook, slack, teams, email, file, syslog',
    '      - {name: a, kind: pager}',
  ])
})

it('lists messages by state, safely, and makes those due again that were given up', async () => {
  const listed = await desk.call(['notify', 'list', '--store', 'case'])
  expect(listed.code).toBe(0)
  expect(listed.out).toMatch(
    /soc +failed +24 .*Whoami \\x1b\[2J as System +the receiver answers 500/,
  )
  expect(listed.out).toMatch(/log +waiting +0 /)
  expect(listed.err).toContain('log: 1 waiting, 0 sent, 0 failed (file, exactly once)')
  const json = await desk.call(['notify', 'list', '--store', 'case', '--state', 'failed', '--json'])
  expect(JSON.parse(json.out).messages).toHaveLength(1)
  const csv = await desk.call(['notify', 'list', '--store', 'case', '--csv', '--channel', 'log'])
  expect(csv.out.split('\n')).toHaveLength(3)
  const retried = await desk.call(['notify', 'retry', '--store', 'case', '--json'])
  expect(JSON.parse(retried.out)).toEqual({ retried: 1 })
  const after = await desk.call(['notify', 'list', '--store', 'case', '--jsonl'])
  expect(
    after.out
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).state),
  ).toEqual(['waiting', 'waiting'])
  expect((await desk.call(['notify', 'list', '--store', 'case', '--json', '--csv'])).code).toBe(3)
  expect((await desk.call(['notify', 'list', '--store', 'nowhere'])).code).toBe(3)
})

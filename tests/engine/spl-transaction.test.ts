/** `transaction` over written rows, the newest first as a search gives them. */
import { describe, expect, it } from 'vitest'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()

/** Events of one letter each, by their time; the newest comes first. */
function events(...list: readonly (readonly [time: number, kind: string, user?: string])[]) {
  return [...list]
    .sort(([a], [b]) => b - a)
    .map(([time, kind, user = 'u']): TestRow => ({ _time: `${time}`, kind, user }))
}

async function parts(rows: readonly TestRow[], args: string): Promise<readonly string[]> {
  const found = await desk.found(
    rows,
    `transaction ${args} mvlist=t | eval k=mvjoin(kind, "") | table _time k duration closed_txn`,
  )
  return found.map((row) => `${row._time}:${row.k}/${row.duration}/${row.closed_txn}`)
}

const LOG = events([0, 'a'], [10, 'b'], [20, 'c'], [200, 'd'], [210, 'e'])

describe('transaction', () => {
  it('puts events with the same values together', async () => {
    const rows = events([1, 'a', 'x'], [2, 'b', 'y'], [5, 'c', 'x'])
    const found = await desk.found(
      rows,
      'transaction user | table _time user kind duration eventcount',
    )
    expect(found).toEqual([
      { _time: '2', user: 'y', kind: ['b'], duration: '0', eventcount: '1' },
      { _time: '1', user: 'x', kind: ['a', 'c'], duration: '4', eventcount: '2' },
    ])
  })
  it('parts at pauses', async () => {
    expect(await parts(LOG, 'user maxpause=1m')).toEqual(['200:ed/10/1', '0:cba/20/0'])
  })
  it('parts by the span from the newest event', async () => {
    expect(await parts(LOG, 'user maxspan=15s')).toEqual(['200:ed/10/1', '10:cb/10/1', '0:a/0/0'])
  })
  it('parts by the number of events', async () => {
    expect(await parts(LOG, 'user maxevents=2')).toEqual(['200:ed/10/0', '10:cb/10/0', '0:a/0/0'])
  })
  it('begins with the event that a condition names', async () => {
    expect(await parts(LOG, 'user startswith=(kind=b OR kind=d)')).toEqual([
      '200:ed/10/1',
      '10:cb/10/1',
    ])
    expect(await parts(LOG, 'user startswith=eval(kind="b") keepevicted=t')).toEqual([
      '10:edcb/200/1',
      '0:a/0/0',
    ])
  })
  it('ends with the event that a condition names', async () => {
    expect(await parts(LOG, 'user endswith=(kind=c)')).toEqual(['0:cba/20/1'])
  })
  it('takes what lies between both', async () => {
    const rows = events(
      [0, 'x'],
      [1, 's'],
      [2, 'm'],
      [3, 'e'],
      [4, 'x'],
      [5, 'e'],
      [9, 's'],
      [30, 'e'],
    )
    expect(await parts(rows, 'startsWith=(kind=s) endsWith=(kind=e)')).toEqual([
      '9:es/21/1',
      '1:ems/2/1',
    ])
    expect(await parts(rows, 'startswith=(kind=s) endswith=(kind=e) maxspan=10s')).toEqual([
      '1:ems/2/1',
    ])
    expect(await parts(rows, 'startswith=(kind=s) endswith=(kind=e) maxpause=10s')).toEqual([
      '1:ems/2/1',
    ])
  })
  it('lists the values of every event with a text for missing ones', async () => {
    const rows = [
      { _time: '2', user: 'u' },
      { _time: '1', user: 'u', kind: 'b' },
    ]
    const made = async (args: string) =>
      (await desk.found(rows, `transaction user ${args} | table kind`))[0]
    expect(await made('mvlist=t')).toEqual({ kind: ['NULL', 'b'] })
    expect(await made('mvlist=t nullstr=-')).toEqual({ kind: ['-', 'b'] })
    expect(await made('')).toEqual({ kind: ['b'] })
  })
  it('leaves events without any of the fields out', async () => {
    const rows = [
      { _time: '2', kind: 'a' },
      { _time: '1', kind: 'b', user: 'u' },
    ]
    expect(await parts(rows, 'user')).toEqual(['1:b/0/0'])
  })
  it('refuses what it does not do', async () => {
    const rows = [{ _time: '1', a: '1' }]
    expect(await desk.refusal('transaction a maxspan=x', rows)).toBe('HR506')
    expect(await desk.refusal('transaction a keeporphans=t', rows)).toBe('HR507')
    expect(await desk.refusal('transaction a nosuch=t', rows)).toBe('HR505')
    expect(await desk.refusal('transaction a', [{ a: '1' }])).toBe('HR507')
  })
})

/** Windows events as text: header, message, sections, scripts, and what is none of these. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { wintext } from '../../src/ingest/wintext.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

const decode = (text: string, size?: number): Promise<Decoded> =>
  decodeAll(wintext, Buffer.from(text), size)

const event = (message: string, code = 4720, channel = 'Security'): string =>
  `10/09/2020 10:41:26 AM\nLogName=${channel}\nSourceName=Microsoft Windows security auditing.\nEventCode=${code}\nComputerName=pc.example\nKeywords=Audit Success\nMessage=${message}\n`

const CREATED = `A user account was created.

Subject:
\tSecurity ID:\t\tS-1-5-1
\tAccount Name:\t\tann
\tLogon ID:\t\t0x1F

New Account:
\tSecurity ID:\t\tS-1-5-2
\tAccount Name:\t\tbo
`

async function one(text: string): Promise<Readonly<Record<string, unknown>>> {
  const { events, rejects } = await decode(text)
  expect(rejects).toEqual([])
  expect(events).toHaveLength(1)
  return Object.fromEntries(fieldsOf(events[0]))
}

describe('Windows events as text', () => {
  it('have the names of the XML, and those of the text', async () => {
    expect(await one(event(CREATED))).toMatchObject({
      Channel: 'Security',
      EventID: '4720',
      Computer: 'pc.example',
      Provider_Name: 'Microsoft-Windows-Security-Auditing',
      SubjectUserName: 'ann',
      SubjectLogonId: '0x1F',
      TargetUserName: 'bo',
      TargetUserSid: 'S-1-5-2',
      Account_Name: ['ann', 'bo'],
      Security_ID: ['S-1-5-1', 'S-1-5-2'],
    })
  })

  it('begin at a time before a log name, whatever stands in the message before', async () => {
    const text = `${event('one\n\n01/01/2020 01:01:01 AM\nnot a header')}\n${event(CREATED)}`
    for (const size of [1, 7, 100_000]) {
      const { events } = await decode(text.replaceAll('\n', '\r\n'), size)
      expect(events.map((each) => each.record)).toEqual([1, 12])
      expect(events[0]?.time?.ms).toBe(Date.UTC(2020, 9, 9, 10, 41, 26))
      expect(events[0]?.host).toBe('pc.example')
      expect(events[0]?.raw).toContain('not a header')
    }
  })

  it('of processes and scripts', async () => {
    const created = await one(
      event(
        'A new process has been created.\n\nProcess Information:\n\tNew Process Name:\tC:\\a.exe\n\tProcess Command Line:\ta -b: c\n',
        4688,
      ),
    )
    expect(created).toMatchObject({ NewProcessName: 'C:\\a.exe', CommandLine: 'a -b: c' })
    const script = await one(
      event(
        'Creating Scriptblock text (1 of 2):\nUser: $x\nLogName: y\n\nScriptBlock ID: 7\nPath: C:\\s.ps1',
        4104,
      ),
    )
    expect(script).toMatchObject({
      MessageNumber: '1',
      MessageTotal: '2',
      ScriptBlockText: 'User: $x\nLogName: y',
      ScriptBlockId: '7',
      Path: 'C:\\s.ps1',
    })
    expect(script).not.toHaveProperty('User')
  })

  it('cannot name what belongs to the header', async () => {
    const found = await one(event('x\nEventID: 1\nChannel: System\nComputer: other\n__proto__: y'))
    expect(found).toMatchObject({ EventID: '4720', Channel: 'Security', Computer: 'pc.example' })
  })

  it('are refused when they are too long or no events', async () => {
    const long = event(`${'x'.repeat(999)}\n`.repeat(limits.recordBytes / 1000 + 1))
    const { events, rejects } = await decode(`only\nwords\n${long}${event(CREATED)}`)
    expect(rejects.map((each) => each.code)).toEqual(['HR126', 'HR120'])
    expect(events).toHaveLength(1)
  })

  it('have no more fields than an event may have', async () => {
    const lines = Array.from({ length: limits.fieldsPerEvent * 2 }, (_, at) => `n${at}: v`)
    const found = await one(event(lines.join('\n')))
    expect(Object.keys(found).length).toBeLessThanOrEqual(limits.fieldsPerEvent)
  })

  it('never make the reader fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (a, b) => {
        const { events, rejects } = await decode(`${a}\nLogName=${b}\nMessage=${a}\n${b}:${a}`)
        expect(events.length + rejects.length).toBeGreaterThan(0)
      }),
      { numRuns: 200 },
    )
  })
})

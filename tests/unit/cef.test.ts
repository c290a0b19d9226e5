/** Records of the Common Event Format: header, pairs, escapes, what is cut, and anything else an attacker may send. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCef, readCef } from '../../src/ingest/cef.ts'
import { syslog } from '../../src/ingest/syslog.ts'
import { decodeAll, fieldsOf } from '../support/decoding.ts'

const NOW = { ms: Date.UTC(2026, 4, 15), sub: 0 }
const fields = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(readCef(text) ?? [])

describe('a record', () => {
  it('has seven fields and pairs whose values may hold blanks', () => {
    expect(
      fields(
        'CEF:0|Example|Gate|1.2|100|Door opened|5|src=192.0.2.1 msg=the door = open suser=ann b request=http://x.example/?a=b&c=d ExampleZone=north wing',
      ),
    ).toEqual({
      DeviceVendor: 'Example',
      DeviceProduct: 'Gate',
      DeviceVersion: '1.2',
      DeviceEventClassID: '100',
      Name: 'Door opened',
      Severity: '5',
      src: '192.0.2.1',
      msg: 'the door = open',
      suser: 'ann b',
      request: 'http://x.example/?a=b&c=d',
      ExampleZone: 'north wing',
      AdditionalExtensions: 'ExampleZone=north wing',
    })
  })

  it('may escape bars, equals signs, backslashes and line ends', () => {
    expect(fields('CEF:0|A\\|B|C\\\\|1|2|n|9|msg=a\\=b\\nc\\\\ fname=C:\\\\x')).toMatchObject({
      DeviceVendor: 'A|B',
      DeviceProduct: 'C\\',
      msg: 'a=b\nc\\',
      fname: 'C:\\x',
    })
  })

  it('may have no pairs, and must have its header', () => {
    expect(fields('CEF:0|a|b|c|d|e|3')).toMatchObject({ Severity: '3' })
    expect(fields('CEF:0|a|b|c|d|e|3|')).toMatchObject({ Severity: '3' })
    expect(readCef('CEF:0|a|b|c')).toBeUndefined()
    expect(isCef('CEF: see the manual')).toBe(false)
  })

  it('is read in one pass whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('=', '|', '\\', ' ', 'a=', 'k', '\n', 'é'), { maxLength: 400 }),
        (pieces) => {
          const read = readCef(`CEF:0|a|b|c|d|e|3|${pieces.join('')}`)
          expect(read?.every(([name]) => name !== '')).toBe(true)
        },
      ),
    )
    const started = performance.now()
    readCef(`CEF:0|a|b|c|d|e|3|${'\\'.repeat(200_000)}=${'x'.repeat(200_000)}`)
    readCef(`CEF:0|${'\\|'.repeat(200_000)}`)
    expect(performance.now() - started).toBeLessThan(5_000)
  })
})

describe('a line of syslog', () => {
  it('with a record is an event of its kind; the time and the name of the device come first', async () => {
    const { events, rejects } = await decodeAll(
      syslog,
      Buffer.from(
        '<134>May  1 10:00:00 relay CEF: 0|Example|Gate|1|7|Denied|8|rt=1777629600000 dvchost=gate1 act=deny\n' +
          'CEF:0|Example|Gate|1|7|Denied|8|act=deny\n' +
          '<134>May  1 10:00:01 relay CEF: 0|cut\n',
      ),
      undefined,
      { now: NOW },
    )
    expect(rejects).toEqual([])
    expect(events.map(({ kind, host }) => [kind, host])).toEqual([
      ['cef', 'gate1'],
      ['cef', undefined],
      ['syslog', 'relay'],
    ])
    expect(events[0]?.time?.ms).toBe(Date.UTC(2026, 4, 1, 10))
    expect(Object.fromEntries(fieldsOf(events[0]))).toMatchObject({ act: 'deny', Name: 'Denied' })
  })

  it('is told by its content', () => {
    expect(syslog.detect(Buffer.from('CEF:0|Example|Gate|1|7|Denied|8|act=deny\n'))).toBe(85)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { syslog } from '../../src/ingest/syslog.ts'
import { parseSyslog } from '../../src/ingest/syslogline.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

const NOW = { ms: Date.UTC(2024, 4, 15, 12), sub: 0 }

function decode(text: string, size?: number, now = NOW): Promise<Decoded> {
  return decodeAll(syslog, Buffer.from(text), size, { now })
}

async function one(text: string): Promise<Record<string, unknown>> {
  const { events, rejects } = await decode(text)
  expect(rejects).toEqual([])
  expect(events.length).toBe(1)
  const { time, host, kind } = events[0] ?? {}
  return {
    kind,
    '@host': host,
    '@time': time === undefined ? undefined : new Date(time.ms).toISOString(),
    ...Object.fromEntries(fieldsOf(events[0])),
  }
}

describe('syslog lines', () => {
  it('reads RFC 3164 with a priority', async () => {
    expect(
      await one("<34>Oct 11 22:14:15 mymachine su[42]: 'su root' failed on /dev/pts/8"),
    ).toEqual({
      kind: 'syslog',
      '@host': 'mymachine',
      '@time': '2023-10-11T22:14:15.000Z',
      facility: 'auth',
      severity: 'crit',
      host: 'mymachine',
      program: 'su',
      pid: '42',
      message: "'su root' failed on /dev/pts/8",
    })
  })

  it('reads files without a priority, with single-digit days and programs with paths', async () => {
    expect(await one('May  5 01:02:03 web-1 postfix/smtpd[7]: connect from x')).toMatchObject({
      '@time': '2024-05-05T01:02:03.000Z',
      host: 'web-1',
      program: 'postfix/smtpd',
      pid: '7',
      message: 'connect from x',
    })
    expect(await one('May  5 01:02:03 web-1 kernel: [1.5] eth0: up')).toMatchObject({
      program: 'kernel',
      message: '[1.5] eth0: up',
    })
  })

  it('reads lines without a host, and without a program', async () => {
    expect(await one('May  5 01:02:03 sshd[1]: hello')).toEqual({
      kind: 'syslog',
      '@host': undefined,
      '@time': '2024-05-05T01:02:03.000Z',
      program: 'sshd',
      pid: '1',
      message: 'hello',
    })
    expect(await one('May  5 01:02:03 host last message repeated 3 times')).toMatchObject({
      host: 'host',
      message: 'last message repeated 3 times',
    })
  })

  it('takes the year that puts the date at most a day ahead of the clock', async () => {
    const at = (text: string, now: number): string | undefined => {
      const { time } = parseSyslog(text, { ms: now, sub: 0 })
      return time && new Date(time.ms).toISOString().slice(0, 10)
    }
    expect(at('May 16 11:00:00 h p: m', NOW.ms)).toBe('2024-05-16')
    expect(at('May 17 00:00:00 h p: m', NOW.ms)).toBe('2023-05-17')
    expect(at('Jan  1 00:00:10 h p: m', Date.UTC(2023, 11, 31, 23, 59))).toBe('2024-01-01')
    expect(at('Dec 31 23:59:59 h p: m', Date.UTC(2024, 0, 1))).toBe('2023-12-31')
    expect(at('Feb 29 00:00:00 h p: m', Date.UTC(2023, 5, 1))).toBe('2020-02-29')
    expect(at('Feb 30 00:00:00 h p: m', NOW.ms)).toBeUndefined()
    expect(at('May 05 2019 00:00:00 h p: m', NOW.ms)).toBe('2019-05-05')
  })

  it('reads RFC 5424 with structured data', async () => {
    expect(
      await one(
        '<165>1 2003-10-11T22:14:15.003Z host.example app 17 ID47 ' +
          '[ex@32473 iut="3" q="a \\"b\\" \\] \\\\ c"][meta n="1"] \uFEFFAn event',
      ),
    ).toEqual({
      kind: 'syslog',
      '@host': 'host.example',
      '@time': '2003-10-11T22:14:15.003Z',
      facility: 'local4',
      severity: 'notice',
      host: 'host.example',
      program: 'app',
      pid: '17',
      msgid: 'ID47',
      'ex@32473.iut': '3',
      'ex@32473.q': 'a "b" ] \\ c',
      'meta.n': '1',
      message: 'An event',
    })
    expect(await one('<0>1 - - - - - -')).toEqual({
      kind: 'syslog',
      '@host': undefined,
      '@time': undefined,
      facility: 'kern',
      severity: 'emerg',
      message: '',
    })
  })

  it('reads ISO dates', async () => {
    expect(
      await one('2024-05-01T12:00:00.123456+02:00 host cron[9]: (root) CMD (x)'),
    ).toMatchObject({
      '@time': '2024-05-01T10:00:00.123Z',
      host: 'host',
      program: 'cron',
      pid: '9',
      message: '(root) CMD (x)',
    })
  })

  it('loses nothing of lines that it cannot take apart', async () => {
    const lines = [
      'no header at all',
      '<999>x',
      '<34>free text: yes',
      '<165>1 2003-10-11T22:14:15Z host app - - [broken x="1" rest',
      'Oct 11 99:99:99 host app: m',
      '   indented stack trace',
    ]
    const { events, rejects } = await decode(lines.join('\n'))
    expect(rejects).toEqual([])
    expect(events.map(({ raw }) => raw)).toEqual(lines)
    for (const event of events) expect(event.names).toContain('message')
    expect(fieldsOf(events[0]).get('message')).toBe('no header at all')
  })

  it('reads octet-counted frames, however cut', async () => {
    const messages = [
      '<34>1 - h a - - - one\ntwo',
      '<34>Oct 11 22:14:15 h b: three',
      '<35>1 - h c - - - é',
    ]
    const text = messages.map((each) => `${Buffer.byteLength(each)} ${each}`).join('')
    for (const size of [1, 5, 1_000]) {
      const { events, rejects } = await decode(text, size)
      expect(rejects).toEqual([])
      expect(events.map((event) => fieldsOf(event).get('message'))).toEqual([
        'one\ntwo',
        'three',
        'é',
      ])
    }
    const broken = await decode(`${text}garbage\n${text}99 <34>cut`)
    expect(broken.events.length).toBe(6)
    expect(broken.rejects.map(({ code, raw }) => [code, raw])).toEqual([
      ['HR134', 'garbage'],
      ['HR126', '<34>cut'],
    ])
  })

  it('gives Sysmon for Linux as Windows events', async () => {
    const xml =
      '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><Channel>Linux-Sysmon/Operational</Channel>' +
      '<Computer>tux</Computer><TimeCreated SystemTime="2024-05-01T10:00:00.5Z"/></System>' +
      '<EventData><Data Name="Image">/bin/sh</Data></EventData></Event>'
    const { events } = await decode(
      `May  1 10:00:01 tux sysmon: ${xml}\nMay  1 10:00:02 tux sysmon: <Event><System>cut`,
    )
    expect(events[0]?.kind).toBe('windows')
    expect(events[0]?.raw).toBe(xml)
    expect(events[0]?.host).toBe('tux')
    expect(events[0]?.time?.ms).toBe(Date.UTC(2024, 4, 1, 10, 0, 0, 500))
    expect(fieldsOf(events[0]).get('Image')).toBe('/bin/sh')
    expect(fieldsOf(events[0]).get('Channel')).toBe('Linux-Sysmon/Operational')
    expect(events[1]?.kind).toBe('syslog')
    expect(fieldsOf(events[1]).get('message')).toBe('<Event><System>cut')
  })

  it('joins audit records inside syslog, and takes their host from the line', async () => {
    const { events } = await decode(
      [
        'May  1 10:00:01 tux audispd: type=SYSCALL msg=audit(1714557601.123:5): syscall=59 a0=1 comm="id"',
        'May  1 10:00:01 tux sshd[3]: hello',
        'May  1 10:00:01 tux audispd: type=EXECVE msg=audit(1714557601.123:5): argc=1 a0="id"',
        'May  1 10:00:02 tux kernel: audit: type=1400 audit(1714557602.000:6): apparmor="DENIED" profile="x"',
      ].join('\n'),
    )
    expect(events.map(({ kind, host }) => [kind, host])).toEqual([
      ['syslog', 'tux'],
      ['auditd', 'tux'],
      ['auditd', 'tux'],
    ])
    expect(Object.fromEntries(fieldsOf(events[1]))).toMatchObject({
      type: ['SYSCALL', 'EXECVE'],
      a0: 'id',
      syscall_a0: '1',
    })
    expect(fieldsOf(events[2]).get('type')).toBe('AVC')
    expect(fieldsOf(events[2]).get('apparmor')).toBe('DENIED')
  })

  it('gives one event for each line, whatever it holds', async () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '1',
      '34',
      ' ',
      ':',
      '[',
      ']',
      '"',
      '=',
      'Oct 11 22:14:15',
      'x',
      '-',
      '2024-05-01T10:00:00Z',
    )
    const line = fc.array(piece, { minLength: 1, maxLength: 20 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
        const body = ['x', ...lines.filter((each) => each.trim() !== '')]
        const { events, rejects } = await decode(body.join('\n'))
        expect(rejects).toEqual([])
        expect(events.map(({ raw }) => raw)).toEqual(body)
      }),
      { numRuns: 500 },
    )
  })

  it('stays quick on long lines made to be slow', async () => {
    const started = performance.now()
    const size = 2_000_000
    await decode(
      [
        `<34>1 - h a - - ${'[a b="'.repeat(size / 6)}`,
        `<34>1 - h a - - [a ${'b="c" '.repeat(size / 6)}]`,
        `Oct 11 22:14:15 h ${'a['.repeat(size / 2)}`,
        ' '.repeat(size),
        `<34>${'\t'.repeat(size)}x`,
      ].join('\n'),
    )
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

it('recognises syslog', () => {
  const detect = (text: string): number => syslog.detect(Buffer.from(text))
  expect(detect('<34>Oct 11 22:14:15 h su: m\n')).toBeGreaterThan(50)
  expect(detect('Oct 11 22:14:15 h su: m\n')).toBeGreaterThan(50)
  expect(detect('2024-05-01T12:00:00Z host cron[9]: x\n')).toBeGreaterThan(50)
  expect(detect('23 <34>1 - - - - - - x')).toBeGreaterThan(50)
  expect(detect('2024-05-01 12:00:00 INFO starting up\n')).toBe(0)
  expect(detect('{"a":1}\n')).toBe(0)
})

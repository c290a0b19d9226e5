import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { auditd } from '../../src/ingest/auditd.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

function decode(lines: readonly string[], size?: number): Promise<Decoded> {
  return decodeAll(auditd, Buffer.from(lines.join('\n')), size)
}

async function one(...lines: string[]): Promise<Record<string, unknown>> {
  const { events, rejects } = await decode(lines)
  expect(rejects).toEqual([])
  expect(events.length).toBe(1)
  return Object.fromEntries(fieldsOf(events[0]))
}

const head = (type: string, serial = 24287): string =>
  `type=${type} msg=audit(1364481363.243:${serial}): `

const EXECUTION = [
  `${head('SYSCALL')}arch=c000003e syscall=59 success=yes exit=0 a0=7fffd19c5592 a1=1 pid=3538 uid=1000 comm="cat" exe="/bin/cat" key="k"\x1dARCH=x86_64 SYSCALL=execve UID="bob"`,
  `${head('EXECVE')}argc=3 a0="cat" a1=2F6574632F61206 a2=2F6574632F612062`,
  `${head('CWD')}cwd="/home/bob"`,
  `${head('PATH')}item=0 name="/bin/cat" inode=1 nametype=NORMAL`,
  `${head('PATH')}item=1 name="/lib64/ld.so" inode=2 nametype=NORMAL`,
  `${head('PROCTITLE')}proctitle=636174002F6574632F7061737377640000`,
]

describe('audit events', () => {
  it('joins the records of one event', async () => {
    expect(await one(...EXECUTION)).toEqual({
      type: ['SYSCALL', 'EXECVE', 'CWD', 'PATH', 'PROCTITLE'],
      arch: 'c000003e',
      syscall: '59',
      success: 'yes',
      exit: '0',
      pid: '3538',
      uid: '1000',
      comm: 'cat',
      exe: '/bin/cat',
      key: 'k',
      ARCH: 'x86_64',
      SYSCALL: 'execve',
      UID: 'bob',
      argc: '3',
      cwd: '/home/bob',
      item: ['0', '1'],
      name: ['/bin/cat', '/lib64/ld.so'],
      inode: ['1', '2'],
      nametype: 'NORMAL',
      proctitle: 'cat /etc/passwd',
      syscall_a0: '7fffd19c5592',
      syscall_a1: '1',
      a0: 'cat',
      a1: '2F6574632F61206',
      a2: '/etc/a b',
      argv: ['cat', '2F6574632F61206', '/etc/a b'],
    })
  })

  it('keeps raw, time, host and line', async () => {
    const { events } = await decode(['', ...EXECUTION.map((line) => `node=tux ${line}`)])
    expect(events[0]?.raw).toBe(EXECUTION.map((line) => `node=tux ${line}`).join('\n'))
    expect(events[0]?.time).toEqual({ ms: 1_364_481_363_243, sub: 0 })
    expect(events[0]?.host).toBe('tux')
    expect(events[0]?.record).toBe(2)
    expect(events[0]?.kind).toBe('auditd')
  })

  it('leaves the arguments of a system call alone where no program was run', async () => {
    expect(
      await one(`${head('SYSCALL')}syscall=135 a0=40000 a1=0\x1dSYSCALL=personality`),
    ).toMatchObject({
      type: 'SYSCALL',
      a0: '40000',
      SYSCALL: 'personality',
    })
  })

  it('joins records that arrive mixed and out of order', async () => {
    const mixed = [
      `${head('PATH', 2)}name="b"`,
      `${head('SYSCALL', 1)}pid=1`,
      `${head('SYSCALL', 2)}pid=2`,
      `${head('PATH', 1)}name="a"`,
    ]
    const { events } = await decode(mixed)
    expect(
      events.map((event) => [fieldsOf(event).get('pid'), fieldsOf(event).get('name')]),
    ).toEqual([
      ['2', 'b'],
      ['1', 'a'],
    ])
  })

  it('tells hosts apart that use the same serial number', async () => {
    const { events } = await decode([
      `node=a ${head('CWD')}cwd="/a"`,
      `node=b ${head('CWD')}cwd="/b"`,
    ])
    expect(events.map(({ host }) => host)).toEqual(['a', 'b'])
  })

  it('closes an event at its end record and tells late ones', async () => {
    const { events, damage } = await decode([
      `${head('SYSCALL', 1)}pid=1`,
      `${head('EOE', 1)}`,
      `${head('PATH', 1)}name="late"`,
    ])
    expect(events.length).toBe(2)
    expect(damage.map(({ code, place }) => [code, place])).toEqual([['HR136', 'line 3']])
  })

  it('keeps at most so many events open', async () => {
    const lines = Array.from(
      { length: limits.auditEvents * 3 },
      (_, at) => `${head('CWD', at)}cwd="/${at}"`,
    )
    const { events } = await decode(lines)
    expect(events.length).toBe(lines.length)
  })

  it('reads the pairs inside the message of user-space records', async () => {
    expect(
      await one(
        `${head('USER_CMD')}pid=1 uid=0 msg='cwd="/root" cmd=6C73202D6C exe="/usr/bin/sudo" terminal=pts/0 acct="o'brien" res=success'\x1dUID="root"`,
      ),
    ).toEqual({
      type: 'USER_CMD',
      pid: '1',
      uid: '0',
      cwd: '/root',
      cmd: 'ls -l',
      exe: '/usr/bin/sudo',
      terminal: 'pts/0',
      acct: "o'brien",
      res: 'success',
      UID: 'root',
    })
    expect(
      await one(`${head('ADD_USER')}pid=1 msg='op=adding user to group id=5 res=success'`),
    ).toMatchObject({
      op: 'adding user to group',
      id: '5',
    })
  })

  it('reads access vector messages', async () => {
    expect(
      await one(
        `${head('AVC')}avc:  denied  { read write } for  pid=7 comm="x" scontext=a:b tclass=file`,
      ),
    ).toEqual({
      type: 'AVC',
      seresult: 'denied',
      seperms: 'read write',
      pid: '7',
      comm: 'x',
      scontext: 'a:b',
      tclass: 'file',
    })
  })

  it('puts long arguments together before it decodes them', async () => {
    const found = await one(
      `${head('EXECVE')}argc=2 a0="sh" a1_len=6 a1[0]=C3 a1[1]=A9C3A9`,
      `${head('EXECVE')}a1[2]=21`,
    )
    expect(found.a1).toBe('éé!')
    expect(found.argv).toEqual(['sh', 'éé!'])
  })

  it('keeps arguments past the hundredth in argv only', async () => {
    const found = await one(
      `${head('EXECVE')}argc=150 ${Array.from({ length: 150 }, (_, at) => `a${at}="x${at}"`).join(' ')}`,
    )
    expect(found.a99).toBe('x99')
    expect(found.a100).toBeUndefined()
    expect(found.argv).toHaveLength(150)
  })

  it('decodes hex only where audit writes it, and keeps what is no text', async () => {
    expect(
      await one(`${head('PATH')}name=FF41 inode=4142 comm=4A key=6B31016B32 exe=abcd cwd=(null)`),
    ).toMatchObject({
      name: '\\xffA',
      inode: '4142',
      comm: 'J',
      key: ['k1', 'k2'],
      exe: 'abcd',
      cwd: '(null)',
    })
  })

  it('rejects lines that are no records', async () => {
    const { events, rejects } = await decode([
      '----',
      'time->Thu Mar 28',
      `${head('CWD')}cwd="/"`,
      'noise',
    ])
    expect(events.length).toBe(1)
    expect(rejects.map(({ code, place, raw }) => [code, place, raw])).toEqual([
      ['HR135', 'line 4', 'noise'],
    ])
  })

  it('bounds one event, and rejects a record with too many fields', async () => {
    const many = Array.from({ length: 100_000 }, (_, at) => `f${at}=1`).join(' ')
    const spread = Array.from(
      { length: 6 },
      (_, block) =>
        head('PATH', 9) + Array.from({ length: 4_000 }, (_, at) => `g${block}_${at}=1`).join(' '),
    )
    const { events, rejects } = await decode([`${head('CWD', 1)}${many}`, ...spread])
    expect(rejects.map(({ code }) => code)).toEqual(['HR124'])
    expect(events.every(({ names }) => names.length <= limits.fieldsPerEvent)).toBe(true)
    expect(events.reduce((sum, { names }) => sum + names.length - 1, 0)).toBe(24_000)
  })

  it('treats dangerous names as data', async () => {
    const { events } = await decode([`${head('CWD')}__proto__=x constructor=y type=z`])
    expect(events[0]?.names).toEqual(['type', '__proto__', 'constructor', 'type_'])
  })

  it('keeps every line in an event or a reject, whatever it holds', async () => {
    const piece = fc.constantFrom(
      'a=1',
      '"',
      "'",
      ' ',
      '\x1d',
      'msg=',
      'a0="x"',
      'a0[1]=41',
      '=',
      'name=41',
      'word',
    )
    const line = fc
      .tuple(
        fc.constantFrom('SYSCALL', 'EXECVE', 'PATH', 'EOE', 'x('),
        fc.integer({ min: 1, max: 3 }),
        fc.array(piece),
      )
      .map(([type, serial, parts]) => head(type, serial) + parts.join(''))
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 10 }), async (lines) => {
        const { events, rejects } = await decode(lines, 30)
        const kept = [...events, ...rejects].flatMap(({ raw }) => raw.split('\n'))
        expect(kept.sort()).toEqual([...lines].sort())
        for (const { names } of events) expect(new Set(names).size).toBe(names.length)
      }),
      { numRuns: 300 },
    )
  })

  it('stays quick on long lines made to be slow', async () => {
    const started = performance.now()
    const size = 2_000_000
    await decode([
      `${head('PATH', 1)}${'a '.repeat(size / 2)}`,
      `${head('PATH', 2)}${"'".repeat(size)}`,
      `${head('PATH', 3)}${'a="'.repeat(size / 3)}`,
      `${head('PATH', 4)}msg='${"msg='".repeat(size / 5)}`,
      `${head('PROCTITLE', 5)}proctitle=${'00'.repeat(size / 2)}41`,
      `type=${'x'.repeat(size)}`,
    ])
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

it('recognises audit logs', () => {
  expect(auditd.detect(Buffer.from(EXECUTION.join('\n')))).toBeGreaterThan(90)
  expect(auditd.detect(Buffer.from(`node=x ${EXECUTION[0] ?? ''}`))).toBeGreaterThan(90)
  expect(auditd.detect(Buffer.from('type=x y=z'))).toBe(0)
})

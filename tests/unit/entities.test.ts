/** Entities of findings: typed by what rules map or by what fields name, and one key for one entity. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventFields, FoundEntity } from '../../src/detect/finding.ts'
import {
  addressText,
  entityKey,
  entityName,
  keysNamed,
  typedEntities,
} from '../../src/detect/keeping/entities.ts'
import { sampleFinding } from '../support/findings.ts'

const of = (event: EventFields, host = ''): readonly FoundEntity[] =>
  typedEntities(sampleFinding({ event, host }))
const keys = (event: EventFields, host = ''): readonly string[] => of(event, host).map(entityKey)

describe('fields of events', () => {
  it('name the entities of a process event of Sysmon', () => {
    const event = {
      Image: 'C:\\Windows\\System32\\cmd.exe',
      CommandLine: 'cmd /c  whoami',
      User: 'CORP\\kim',
      Computer: 'WS07.corp.example',
      Hashes: `SHA1=${'a'.repeat(40)},MD5=${'b'.repeat(32)},IMPHASH=${'c'.repeat(32)}`,
    }
    expect(of(event, 'WS07.corp.example')).toEqual([
      { type: 'Host', HostName: 'WS07.corp.example' },
      { type: 'Account', Name: 'kim', NTDomain: 'CORP' },
      { type: 'File', Name: 'cmd.exe', Directory: 'C:\\Windows\\System32' },
      { type: 'FileHash', Algorithm: 'SHA1', Value: 'a'.repeat(40) },
      { type: 'FileHash', Algorithm: 'MD5', Value: 'b'.repeat(32) },
      { type: 'Process', CommandLine: 'cmd /c  whoami' },
    ])
    expect(keys(event)).toContain('process:cmd /c whoami')
  })

  it('take the domain of a user from the field beside it', () => {
    const event = {
      TargetUserName: 'ann',
      TargetDomainName: 'CORP',
      SubjectUserSid: 'S-1-5-21-1-2-3-500',
    }
    expect(of(event)).toEqual([{ type: 'Account', Name: 'ann', NTDomain: 'CORP' }])
    const { SubjectUserSid } = event
    expect(of({ SubjectUserSid })).toEqual([{ type: 'Account', Sid: SubjectUserSid }])
    expect(of({ SubjectUserName: 'WS07$' }, 'ws07')).toEqual([{ type: 'Host', HostName: 'ws07' }])
  })

  it.each([
    [
      { 'id.orig_h': '10.0.0.5', 'id.resp_h': '2001:DB8::1', query: 'Evil.Example.' },
      ['ip:10.0.0.5', 'ip:2001:db8:0:0:0:0:0:1', 'domain:evil.example'],
    ],
    [
      { 'userIdentity.arn': 'arn:aws:iam::1:user/kim', sourceIPAddress: '203.0.113.9' },
      ['user:arn:aws:iam::1:user/kim', 'ip:203.0.113.9'],
    ],
    [
      { 'source.ip': '203.0.113.9', 'user.name': 'kim', 'host.name': 'ws07' },
      ['host:ws07', 'user:kim', 'ip:203.0.113.9'],
    ],
    [
      { dest: '10.1.2.3', src: 'ws07', src_user: 'corp\\kim' },
      ['ip:10.1.2.3', 'host:ws07', 'user:kim'],
    ],
    [{ TargetObject: 'HKEY_LOCAL_MACHINE\\Software\\Run' }, ['registry:hklm\\software\\run']],
    [
      { SenderFromAddress: 'a@b.example', Url: 'https://b.example/x' },
      ['url:https://b.example/x', 'mailbox:a@b.example'],
    ],
  ])('of other systems are known too: %o', (event, wanted) => {
    expect(keys(event)).toEqual(wanted)
  })

  it('stand for nothing where every machine has them', () => {
    const event = {
      User: 'NT AUTHORITY\\SYSTEM',
      SubjectUserSid: 'S-1-5-18',
      IpAddress: '-',
      SourceIp: '127.0.0.1',
      DestinationIp: '::1',
      Computer: 'localhost',
      query: 'error in line 3',
    }
    expect(of(event)).toEqual([])
  })

  it('are not asked where the rule maps its entities', () => {
    const finding = sampleFinding({
      event: { Computer: 'WS07', User: 'kim' },
      entities: [{ type: 'Account', FullName: 'CORP\\kim' }, { type: 'Host' }],
    })
    expect(typedEntities(finding)).toEqual([{ type: 'Account', FullName: 'CORP\\kim' }])
  })
})

describe('keys', () => {
  it('are the same for one entity in three languages', () => {
    const hosts: FoundEntity[] = [
      { type: 'Host', HostName: 'WS07' },
      { type: 'Host', FullName: 'ws07.corp.example' },
      { type: 'Host', NetBiosName: 'WS07.' },
    ]
    expect(new Set(hosts.map(entityKey))).toEqual(new Set(['host:ws07']))
    const users: FoundEntity[] = [
      { type: 'Account', Name: 'kim' },
      { type: 'Account', FullName: 'CORP\\Kim' },
      { type: 'Account', UPN: 'KIM@corp.example' },
    ]
    expect(new Set(users.map(entityKey))).toEqual(new Set(['user:kim']))
    expect(entityKey({ type: 'IP', Address: '::ffff:10.0.0.5' })).toBe('ip:10.0.0.5')
  })

  it('are found by what a person writes', () => {
    expect(keysNamed('host:WS07.corp.example')).toEqual(['host:ws07'])
    expect(keysNamed('CORP\\kim')).toContain('user:kim')
    expect(keysNamed('10.0.0.5')).toContain('ip:10.0.0.5')
    expect(keysNamed('2001:db8::1')).toContain('ip:2001:db8:0:0:0:0:0:1')
  })

  it('bound what hostile values may do', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`)
    const event = { SourceIp: many, CommandLine: 'x'.repeat(1_000_000), __proto__: 'x' }
    const found = of(event)
    expect(found.length).toBeLessThanOrEqual(100)
    for (const each of found) {
      expect(entityName(each).length).toBeLessThanOrEqual(1_024)
      expect(entityKey(each).length).toBeLessThanOrEqual(256)
    }
    expect(of({ constructor: 'x', toString: 'y' })).toEqual([])
    expect(entityKey({ type: 'constructor', a: 'B' })).toBe('constructor:b')
  })

  it('do not change when they are made again from what they hold', () => {
    const words = fc.constantFrom('Host', 'Account', 'IP', 'File', 'DNS', 'RegistryKey')
    const identifier: Record<string, string> = {
      Host: 'HostName',
      Account: 'Name',
      IP: 'Address',
      File: 'Name',
      DNS: 'DomainName',
      RegistryKey: 'Key',
    }
    const marks = fc.constantFrom(...'\\.@ aB-$/:[]1%\'"\t', '::')
    const values = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(marks, { maxLength: 9 }).map((each) => each.join('')),
    )
    fc.assert(
      fc.property(words, values, (type, value) => {
        const name = identifier[type] ?? ''
        const key = entityKey({ type, [name]: value })
        if (key === '') return
        const plain = key.slice(key.indexOf(':') + 1)
        expect(['', key]).toContain(entityKey({ type, [name]: plain }))
      }),
      { numRuns: 5_000 },
    )
    expect(entityKey({ type: 'DNS', DomainName: `${'.'.repeat(500_000)}x. .` }).length).toBe(256)
    expect(addressText('[::1]')).toBe('0:0:0:0:0:0:0:1')
  })
})

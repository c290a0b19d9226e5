/** Rules over small logs in the form of the vendor: each fires on the event it is for, and not on the one beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findingsOf } from '../../tools/product.ts'

const TIME = '2026-05-01T10:00:00.000Z'

interface Case {
  readonly name: string
  readonly logsource: string
  readonly selection: string
  /** The line or document that is meant, and one that is not. */
  readonly hit: string
  readonly miss: string
}

const ecs = (os: string, executable: string): string =>
  JSON.stringify({
    '@timestamp': TIME,
    event: { category: ['process'], type: ['start'], action: 'exec' },
    host: { name: 'h1', os: { type: os } },
    process: { executable, args: ['x', '-q'], parent: { executable: '/bin/sh' } },
  })
const laurel = (argument: string): string =>
  JSON.stringify({
    ID: '1777629600.123:42',
    SYSCALL: { arch: '0xc000003e', syscall: 59, exe: '/usr/bin/tool', PPID: { exe: '/bin/sh' } },
    EXECVE: { argc: 2, ARGV: ['tool', argument] },
  })
const unified = (name: string): string =>
  JSON.stringify([
    {
      CreationTime: '2026-05-01T10:00:00',
      Operation: 'AlertTriggered',
      RecordType: 40,
      ResultStatus: 'Succeeded',
      Workload: 'SecurityComplianceCenter',
      Name: name,
      Status: 'Active',
    },
  ])
const forti = (action: string): string =>
  `date=2026-05-01 time=10:00:00 devname="FG1" devid="FG01" logid="0100044547" type="event" subtype="system" action="${action}" cfgpath="firewall.policy"\n`
const squid = (url: string): string =>
  `1777629600.000     12 198.51.100.7 TCP_MISS/200 1234 GET ${url} - HIER_DIRECT/192.0.2.9 -\n`
const signins = (agent: string): string =>
  `Date (UTC),Request ID,User agent,Username,Application,Sign-in error code,Client app,Authentication requirement\n${TIME},r,${agent},b@example.com,Portal,50126,IMAP,Single-factor authentication\n`
const incident = (kind: string): string =>
  JSON.stringify({ value: [{ '@odata.type': `#microsoft.graph.${kind}`, id: 'i' }] })

const cases: readonly Case[] = [
  {
    name: 'ECS processes on macOS',
    logsource: '{ product: macos, category: process_creation }',
    selection: "{ Image|endswith: /tool, CommandLine|contains: ' -q', ParentImage: /bin/sh }",
    hit: ecs('macos', '/opt/tool'),
    miss: ecs('linux', '/opt/tool'),
  },
  {
    name: 'ECS processes on Linux',
    logsource: '{ product: linux, category: process_creation }',
    selection: '{ Image: /opt/tool2 }',
    hit: ecs('linux', '/opt/tool2'),
    miss: ecs('macos', '/opt/tool2'),
  },
  {
    name: 'joined audit records as processes',
    logsource: '{ product: linux, category: process_creation }',
    selection: "{ Image: /usr/bin/tool, CommandLine|contains: ' --drop', ParentImage: /bin/sh }",
    hit: laurel('--drop'),
    miss: laurel('--keep'),
  },
  {
    name: 'joined audit records as audit records',
    logsource: '{ product: linux, service: auditd }',
    selection: '{ type: EXECVE, a0: tool, a1: --other }',
    hit: laurel('--other'),
    miss: laurel('--less'),
  },
  {
    name: 'alerts of the unified audit log',
    logsource: '{ product: m365, service: threat_management }',
    selection: '{ eventSource: SecurityComplianceCenter, eventName: Odd mail, status: success }',
    hit: unified('Odd mail'),
    miss: unified('Even mail'),
  },
  {
    name: 'FortiGate',
    logsource: '{ product: fortigate, service: event }',
    selection: '{ action: Add, cfgpath: firewall.policy }',
    hit: forti('Add'),
    miss: forti('Delete'),
  },
  {
    name: 'Squid',
    logsource: '{ category: proxy }',
    selection: '{ c-uri|endswith: .class, cs-host: bad.example }',
    hit: squid('http://bad.example/x.class'),
    miss: squid('http://good.example/x.class'),
  },
  {
    name: 'sign-ins as the portal exports them',
    logsource: '{ product: azure, service: signinlogs }',
    selection:
      '{ ResultType: 50126, userAgent|startswith: axios, AuthenticationRequirement: singleFactorAuthentication }',
    hit: signins('axios/1.7'),
    miss: signins('Mozilla/5.0'),
  },
  {
    name: 'incidents of privileged identities',
    logsource: '{ product: azure, service: pim }',
    selection: '{ riskEventType: staleSignInAlertIncident }',
    hit: incident('staleSignInAlertIncident'),
    miss: incident('invalidLicenseAlertIncident'),
  },
  {
    name: 'queries of a name server in syslog',
    logsource: '{ category: dns }',
    selection: '{ query|endswith: .bad.example, record_type: TXT }',
    hit: 'May  1 10:00:00 ns1 dnsmasq[1]: query[TXT] x.bad.example from 198.51.100.7\n',
    miss: 'May  1 10:00:00 ns1 dnsmasq[1]: query[A] x.bad.example from 198.51.100.7\n',
  },
  {
    name: 'files that a scanner found',
    logsource: '{ category: antivirus }',
    selection: '{ Signature|contains: Trojan, Filename|startswith: /srv/ }',
    hit: '/srv/x: Win.Trojan.Foo-1 FOUND\n',
    miss: '/home/x: Win.Trojan.Foo-1 FOUND\n',
  },
]

describe('rules over logs in the form of the vendor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-native-'))
  const found = new Map<string, Set<string>>()

  beforeAll(async () => {
    const logs: string[] = []
    const rules = cases.map(({ name, logsource, selection, hit, miss }, at) => {
      for (const [kind, log] of [
        ['hit', hit],
        ['miss', miss],
      ] as const) {
        const path = join(folder, `${at}-${kind}.log`)
        writeFileSync(path, log)
        logs.push(path)
      }
      return `title: ${name}\nid: rule-${at}\nlogsource: ${logsource}\ndetection:\n  s: ${selection}\n  condition: s\nlevel: high\n`
    })
    const path = join(folder, 'rules.yml')
    writeFileSync(path, rules.join('---\n'))
    await findingsOf([path], logs, ({ rule_id: rule, file }) => {
      const files = found.get(rule) ?? new Set()
      files.add(basename(file))
      found.set(rule, files)
    })
  }, 60_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(cases.map((each, at) => ({ name: each.name, at })))('$name', ({ at }) => {
    expect([...(found.get(`rule-${at}`) ?? [])]).toEqual([`${at}-hit.log`])
  })
})

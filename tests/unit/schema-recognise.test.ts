/** Which source an event is stored in, on samples of the logs that people have. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSchema } from '../../src/schema/load.ts'
import { type FieldValueLike, makeRecogniser } from '../../src/schema/recognise.ts'

const FOLDER = fileURLToPath(new URL('../../content/schema', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => /\.(?:yml|txt)$/.test(name))
  .sort()
  .map((path) => ({ path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') }))
const { value: catalogue } = readSchema(files)
if (catalogue === undefined) throw new Error('the schema does not load')
const recognise = makeRecogniser(catalogue)

type Fields = Readonly<Record<string, FieldValueLike>>
const of = (kind: string, fields: Fields): string =>
  recognise(kind, Object.keys(fields), Object.values(fields))

/** Fields that only need to be there. */
const with_ = (names: string, fields: Fields = {}): Fields => ({
  ...Object.fromEntries(names.split(' ').map((name) => [name, 'x'])),
  ...fields,
})

const AUDIT = 'type.googleapis.com/google.cloud.audit.AuditLog'
const SAMPLES: readonly (readonly [string, string, Fields])[] = [
  [
    'windows.sysmon',
    'windows',
    {
      Provider_Name: 'Microsoft-Windows-Sysmon',
      EventID: '1',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
    },
  ],
  ['windows.sysmon', 'windows', { Channel: 'microsoft-windows-SYSMON/operational', EventID: '1' }],
  ['windows.security', 'windows', { Channel: 'security', EventID: '4688' }],
  ['windows.security', 'json', { Channel: 'Security', EventID: '4688' }],
  ['windows.security', 'csv', with_('TenantId EventID Account', { Type: 'SecurityEvent' })],
  ['windows.powershell', 'windows', { Channel: 'PowerShellCore/Operational', EventID: '4104' }],
  ['windows.powershell_classic', 'windows', { Channel: 'Windows PowerShell', EventID: '400' }],
  [
    'windows.security_mitigations',
    'windows',
    { Channel: 'Microsoft-Windows-Security-Mitigations/KernelMode', EventID: '12' },
  ],
  [
    'windows.kernel_shimengine',
    'windows',
    { Channel: 'XmlWinEventLog:Microsoft-Windows-Kernel-ShimEngine/Diagnostic', EventID: '1' },
  ],
  [
    'windows.kernel_file',
    'windows',
    { Provider_Name: 'Microsoft-Windows-Kernel-File', EventID: '12' },
  ],
  [
    'windows.dns_server_analytic',
    'windows',
    { Provider_Name: 'Microsoft-Windows-DNSServer', EventID: '257' },
  ],
  [
    'windows.dns_server_audit',
    'windows',
    { Provider_Name: 'Microsoft-Windows-DNSServer', EventID: '515' },
  ],
  [
    'windows.other',
    'windows',
    { Channel: 'Microsoft-Windows-GroupPolicy/Operational', EventID: '4016' },
  ],
  ['windows.other', 'windows', { EventID: '1' }],
  [
    'linux.sysmon',
    'windows',
    { Provider_Name: 'Linux-Sysmon', Channel: 'Linux-Sysmon/Operational', EventID: '1' },
  ],
  ['linux.auditd', 'auditd', { type: ['SYSCALL', 'EXECVE'], exe: '/bin/ls' }],
  ['linux.auditd', 'json', { type: 'PATH', name: '/etc', SourceModuleType: 'im_linuxaudit' }],
  ['syslog', 'syslog', { program: 'sshd', message: 'Accepted' }],
  [
    'syslog',
    'json',
    with_('TenantId SyslogMessage Facility SeverityLevel HostName', { Type: 'Syslog' }),
  ],
  ['web.access', 'access', with_('c-ip cs-method c-uri sc-status')],
  ['web.w3c', 'w3c', with_('date time s-ip cs-method cs-uri-stem cs-uri-query c-uri sc-status')],
  ['proxy.w3c', 'w3c', with_('date time c-ip s-action cs-host cs-uri-scheme cs-uri-path')],
  ['proxy.umbrella', 'json', with_('Timestamp Identities Verdict URL', { EventType: 'proxylogs' })],
  ['zeek.conn', 'zeek', with_('ts uid id.orig_h', { _path: 'conn' })],
  ['zeek.dns', 'json', with_('ts uid id.orig_h id.resp_h query trans_id rejected')],
  ['zeek.other', 'zeek', with_('ts uid id.orig_h', { _path: 'a_new_log' })],
  [
    'suricata.alert',
    'json',
    with_('timestamp flow_id src_ip alert.signature', { event_type: 'alert' }),
  ],
  [
    'aws.cloudtrail',
    'json',
    with_('eventVersion eventSource eventName awsRegion userIdentity.type'),
  ],
  [
    'azure.signinlogs',
    'json',
    with_('time operationName properties.id', { category: 'NonInteractiveUserSignInLogs' }),
  ],
  [
    'azure.auditlogs',
    'json',
    with_('time operationName properties.activityDisplayName', { category: 'AuditLogs' }),
  ],
  [
    'azure.activitylogs',
    'json',
    with_('time resourceId operationName', { category: 'Administrative' }),
  ],
  ['azure.riskdetection', 'csv', with_('TenantId RiskEventType', { Type: 'AADUserRiskEvents' })],
  ['azure.pim', 'json', { riskEventType: 'staleSignInAlertIncident' }],
  ['m365.audit', 'json', with_('CreationTime Operation Workload RecordType UserId')],
  ['m365.audit', 'json', with_('RecordType Operation OfficeWorkload', { Type: 'OfficeActivity' })],
  [
    'gcp.audit',
    'json',
    with_('logName protoPayload.methodName', {
      'protoPayload.@type': AUDIT,
      'protoPayload.serviceName': 'compute.googleapis.com',
    }),
  ],
  [
    'gcp.google_workspace',
    'json',
    with_('logName protoPayload.methodName', {
      'protoPayload.@type': AUDIT,
      'protoPayload.serviceName': 'login.googleapis.com',
    }),
  ],
  [
    'gcp.dns',
    'json',
    with_('insertId jsonPayload.queryName jsonPayload.queryType', { 'resource.type': 'dns_query' }),
  ],
  ['kubernetes.audit', 'json', with_('kind auditID verb stage', { apiVersion: 'audit.k8s.io/v1' })],
  [
    'okta',
    'json',
    with_('uuid published eventType legacyEventType actor.alternateId outcome.result'),
  ],
  ['github.audit', 'json', with_('@timestamp _document_id action actor org')],
  ['bitbucket.audit', 'json', with_('timestamp auditType.action auditType.category')],
  ['opencanary', 'json', with_('dst_port local_time logtype node_id src_host')],
  ['cisco.duo', 'json', with_('txid event_type factor reason result')],
  ['cisco.nvm', 'json', with_('fv pr sa da pn ppn udid fss fes')],
  ['cisco.nvm', 'csv', with_('udid process_name parent_process_name dest_ip')],
  ['fortigate', 'csv', with_('date time devname devid logid type subtype action')],
  [
    'defender.process_events',
    'json',
    with_('Timestamp DeviceId ReportId FileName', { ActionType: 'ProcessCreated' }),
  ],
  [
    'defender.network_events',
    'json',
    with_('time properties.DeviceId', { category: 'AdvancedHunting-DeviceNetworkEvents' }),
  ],
  ['json.other', 'json', with_('hello world')],
  ['csv.other', 'csv', with_('hello world')],
  ['text.other', 'text', { message: 'hello' }],
  ['text.other', 'a kind of tomorrow', {}],
]

describe('recognising', () => {
  it.each(SAMPLES)('%s from %s', (source, kind, fields) => {
    expect(of(kind, fields)).toBe(source)
    expect(source === 'text.other' || catalogue.sources.has(source)).toBe(true)
  })

  it('remembers a list of names, not what the values were', () => {
    const names = ['Channel', 'EventID']
    expect(recognise('windows', names, ['Security', '1'])).toBe('windows.security')
    expect(recognise('windows', names, ['System', '1'])).toBe('windows.system')
    expect(recognise('windows', names, ['nothing we know', '1'])).toBe('windows.other')
    expect(recognise('syslog', names, ['x', '1'])).toBe('syslog')
    expect(recognise('windows', names, ['Security', '1'])).toBe('windows.security')
  })

  it('looks into lists, and takes null, missing and odd names calmly', () => {
    expect(of('windows', { Channel: ['x', 'Security'] })).toBe('windows.security')
    expect(of('windows', { Channel: null })).toBe('windows.other')
    expect(of('windows', { Channel: [] })).toBe('windows.other')
    expect(recognise('windows', ['Channel'], [])).toBe('windows.other')
    expect(recognise('json', ['__proto__', 'constructor', 'toString'], ['a', 'b', 'c'])).toBe(
      'json.other',
    )
    expect(of('__proto__', { Channel: 'constructor' })).toBe('text.other')
  })

  it('stays right when every event has other names', () => {
    for (let round = 0; round < 600; round++) {
      expect(recognise('json', [`f${round}`, 'Channel', 'EventID'], ['1', 'System', '2'])).toBe(
        'windows.system',
      )
    }
  })
})

describe('order of recognisers', () => {
  it('lets equality stand above presence, and the first declared above the rest', () => {
    const text = `
sources:
  - { name: a, title: A, recognise: { has: [x, y, z] } }
  - { name: b, title: B, recognise: { where: { x: [1] } } }
  - { name: c, title: C, recognise: { where: { x: [1] }, has: [q] } }
  - { name: d, title: D, recognise: { where: { x: [1, 2] } } }
`
    const { value } = readSchema([{ path: 't', text }])
    const test = makeRecogniser(value ?? expect.fail())
    expect(test('json', ['x', 'y', 'z'], ['1', '', ''])).toBe('b')
    expect(test('json', ['x', 'y', 'z'], ['3', '', ''])).toBe('a')
    expect(test('json', ['x', 'q'], ['1', ''])).toBe('c')
    expect(test('json', ['x'], ['2'])).toBe('d')
    expect(test('json', ['x'], ['3'])).toBe('json.other')
  })
})

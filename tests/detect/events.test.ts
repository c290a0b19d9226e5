/** Raw searches: stored events of many kinds under the names that Splunk's add-ons give, through the compiler and the engine. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { splStore, windowsEvent } from '../support/splstore.ts'

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url))
const SYSMON = 'Microsoft-Windows-Sysmon/Operational'

const FILES: Readonly<Record<string, readonly string[]>> = {
  'events.xml': [
    windowsEvent(SYSMON, 10, {
      SourceImage: 'C:\\tools\\dump.exe',
      TargetImage: 'C:\\Windows\\System32\\lsass.exe',
      SourceProcessGUID: '{A}',
      TargetProcessGUID: '{B}',
      GrantedAccess: '0x1fffff',
    }),
    windowsEvent(SYSMON, 22, {
      QueryName: 'two.example',
      QueryResults: '::ffff:198.51.100.1;::ffff:198.51.100.2;',
    }),
    windowsEvent('Security', 4776, {
      TargetUserName: 'eve',
      Workstation: 'KIOSK',
      Status: '0xc000006a',
    }),
    windowsEvent(
      'System',
      7036,
      { param1: 'Backup', param2: 'stopped' },
      'Service Control Manager',
    ),
    windowsEvent('Vendor/Operational', 1, { Odd: 'value' }),
  ],
  'trail.json': [
    JSON.stringify({
      eventVersion: '1.08',
      eventTime: '2026-02-01T10:00:00Z',
      eventSource: 'iam.amazonaws.com',
      eventName: 'PutRolePolicy',
      awsRegion: 'eu-west-1',
      sourceIPAddress: '203.0.113.8',
      userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::1:assumed-role/admin/kim' },
      requestParameters: { roleName: 'r', tags: [{ key: 'a' }, { key: 'b' }] },
      resources: ['one', 'two'],
    }),
  ],
  'office.json': [
    JSON.stringify({
      CreationTime: '2026-02-01T10:00:00',
      Operation: 'UserLoginFailed',
      Workload: 'AzureActiveDirectory',
      RecordType: 15,
      UserId: 'kim@near.example',
      ClientIP: '203.0.113.9',
      ExtendedProperties: [{ Name: 'UserAgent', Value: 'curl/8' }],
    }),
  ],
  'papercut_ng.log': ['level=warn user="Kim Lee" action=print, pages=3'],
}

const { found, one } = splStore([SAMPLES], FILES)
const count = async (search: string): Promise<number> =>
  Number((await one(`${search} | stats count`)).count)

describe('sources', () => {
  it.each([
    ['sourcetype=XmlWinEventLog source="XmlWinEventLog:System"', 'source="WinEventLog:System"'],
    [`source="XmlWinEventLog:${SYSMON}"`, `sourcetype="xmlwineventlog:${SYSMON.toLowerCase()}"`],
    ['sourcetype=cisco:nvm:flowdata', 'sourcetype="cisco:nvm:flowdata:v2"'],
    ['sourcetype=linux:audit', 'source="/var/log/audit/audit.log"'],
    ['sourcetype=bro:dns:json', 'sourcetype=zeek:dns*'],
    ['sourcetype=papercut:ng', 'source=*papercut_ng.log'],
  ])('answer to %s and to %s', async (first, second) => {
    const [a, b] = [await count(first), await count(second)]
    expect(a).toBeGreaterThan(0)
    expect(b).toBe(a)
  })

  it('are told apart', async () => {
    expect(await count('source="XmlWinEventLog:Vendor/*"')).toBe(1)
    expect(await count('sourcetype=XmlWinEventLog source="WinEventLog:Nothing"')).toBe(0)
    expect(await count('index=_internal')).toBe(0)
    expect(await count('index=wineventlog sourcetype=XmlWinEventLog')).toBe(
      await count('sourcetype=WinEventLog'),
    )
    expect(await count('index=main')).toBe(await count('index=* OR index=_*'))
  })

  it('are shown under one spelling each', async () => {
    const rows = await found(`EventCode=10 | table sourcetype source index host`)
    expect(rows).toContainEqual({
      sourcetype: 'XmlWinEventLog',
      source: `XmlWinEventLog:${SYSMON}`,
      index: 'main',
      host: 'pc.example',
    })
  })
})

describe('fields', () => {
  it('of a process that opens another', async () => {
    const row = await one(
      'EventCode=10 SourceImage=*dump.exe | table process_name parent_process_name process_guid granted_access dest signature action',
    )
    expect(row).toEqual({
      process_name: 'lsass.exe',
      parent_process_name: 'dump.exe',
      process_guid: '{B}',
      granted_access: '0x1fffff',
      dest: 'pc.example',
      signature: 'Process Access',
      action: 'allowed',
    })
  })

  it('of a query with its answers', async () => {
    const row = await one(
      'EventCode=22 query=two.example answer=198.51.100.2 | eval answers=mvjoin(answer, " ") | table answers src tag',
    )
    expect(row).toMatchObject({ answers: '198.51.100.1 198.51.100.2', src: 'pc.example' })
  })

  it('of a logon that failed, and of a service', async () => {
    expect(await one('EventCode=4776 | table user src action status Error_Code')).toEqual({
      user: 'eve',
      src: 'KIOSK',
      action: 'failure',
      status: 'failure',
      Error_Code: '0xc000006a',
    })
    expect(await one('EventCode=7036 service=Backup | table status ServiceName')).toEqual({
      status: 'stopped',
      ServiceName: 'Backup',
    })
  })

  it('of cloud services, with their lists', async () => {
    const row = await one(
      "sourcetype=aws:cloudtrail eventName=PutRolePolicy | eval tags=mvcount('requestParameters.tags{}.key'), second=mvindex('resources{}', 1) | table user errorCode action tags second src",
    )
    expect(row).toMatchObject({
      user: 'kim',
      errorCode: 'success',
      action: 'modified',
      second: 'two',
      src: '203.0.113.8',
    })
    expect(Number(row.tags)).toBe(2)
    expect(
      await one('sourcetype=o365:management:activity | table user user_agent status record_type'),
    ).toEqual({
      user: 'kim@near.example',
      user_agent: 'curl/8',
      status: 'failure',
      record_type: 'AzureActiveDirectoryStsLogon',
    })
    expect(await count('sourcetype=aws:cloudtrail "requestParameters.tags{}.key"=b')).toBe(1)
  })

  it('that a text writes as pairs', async () => {
    expect(await one('sourcetype=papercut_ng user="kim lee" | table user action pages')).toEqual({
      user: 'Kim Lee',
      action: 'print',
      pages: '3',
    })
  })

  it('that every event has', async () => {
    const row = await one(
      'EventCode=4776 | table _time date_hour date_wday date_month linecount punct index splunk_server timestartpos',
    )
    expect(row).toMatchObject({
      _time: Date.UTC(2026, 1, 1, 10) / 1000,
      date_hour: '10',
      date_wday: 'sunday',
      date_month: 'february',
      linecount: '1',
      index: 'main',
    })
    expect(String(row.punct)).toMatch(/^<_='/)
  })

  it('of event types and tags', async () => {
    const rows = await found('tag=authentication | stats count by sourcetype')
    expect(rows.map((each) => each.sourcetype)).toEqual([
      'XmlWinEventLog',
      'azure:monitor:aad',
      'linux_secure',
      'o365:management:activity',
    ])
    expect(await count('eventtype=ms-sysmon-process EventCode=10 SourceImage=*dump.exe')).toBe(1)
  })

  it('that no event has are missing', async () => {
    expect(await count('sourcetype=aws:cloudtrail nothing=*')).toBe(0)
    expect(await count('sourcetype=aws:cloudtrail NOT nothing=*')).toBeGreaterThan(0)
  })
})

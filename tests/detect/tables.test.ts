/** Tables over the sample logs and over exports: typed rows through the binder, the printer and the engine. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { viewResolver } from '../../src/detect/plan.ts'
import type { Store } from '../../src/engine/store.ts'
import { checkRel } from '../../src/functions/check.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { bindTables } from '../../src/plan/bindtable.ts'
import { optimise } from '../../src/plan/passes.ts'
import { storedTable } from '../../src/schema/tableview.ts'
import { printSql } from '../../src/sql/print.ts'
import { readInto, readyMadeSchema, withStore } from '../../tools/product.ts'

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url))
const schema = readyMadeSchema()
const folder = mkdtempSync(join(tmpdir(), 'harrier-tables-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The columns of a table, all of them when none are named. */
function scanOf(name: string, columns: readonly string[] = []): Rel {
  const table = schema.tables.table(name) ?? expect.fail(`no table ${name}`)
  const known = [...table.columns, ...[...table.old.values()].map((each) => each.field)]
  const out =
    columns.length === 0
      ? table.columns
      : columns.map((each) => known.find((field) => field.name === each) ?? expect.fail(each))
  return { op: 'scan', table: { kind: 'view', name: `table:${name}` }, time: {}, out }
}

async function rowsOf(
  store: Store,
  name: string,
  columns: readonly string[] = [],
): Promise<readonly (readonly unknown[])[]> {
  return read(store, scanOf(name, columns))
}

async function read(store: Store, scan: Rel): Promise<readonly (readonly unknown[])[]> {
  const { rel, diagnostics } = bindTables(scan, {
    view: viewResolver(schema),
    source: (each) => schema.sources.get(each),
    stored: await store.catalogue(),
    table: (each) => schema.tables.table(each),
  })
  expect(diagnostics).toEqual([])
  expect(checkRel(rel)).toEqual([])
  const rows: (readonly unknown[])[] = []
  for await (const row of store.rows(printSql(optimise(rel)), {})) rows.push(row)
  return rows
}

let store: Store
let release: () => void
let done: Promise<void>

beforeAll(async () => {
  const opened = new Promise<Store>((resolve, reject) => {
    done = withStore((each) => {
      resolve(each)
      return new Promise<void>((free) => {
        release = free
      })
    })
    done.catch(reject)
  })
  store = await opened
  const files: Readonly<Record<string, string>> = {
    'hunting.csv': [
      'Timestamp,DeviceId,DeviceName,ActionType,FileName,FolderPath,ProcessId,ProcessCommandLine,AdditionalFields,ReportId',
      '2026-05-01T10:00:00.1234567Z,d1,h1.example,ProcessCreated,exported.exe,C:\\x\\exported.exe,77,exported.exe -q,"{""a"":{""b"":1}}",5',
    ].join('\n'),
    'stream.json': JSON.stringify({
      time: '2026-05-01T10:00:01Z',
      tenantId: 't',
      category: 'AdvancedHunting-DeviceProcessEvents',
      properties: {
        Timestamp: '2026-05-01T10:00:01Z',
        DeviceId: 'd2',
        DeviceName: 'h2.example',
        ActionType: 'ProcessCreated',
        FileName: 'streamed.exe',
        ProcessId: 78,
        ReportId: 6,
        IsProcessRemoteSession: true,
        AdditionalFields: '{"a":2}',
      },
    }),
    'audit.json': JSON.stringify([
      {
        TimeGenerated: '2026-05-01T10:00:00Z',
        Type: 'AuditLogs',
        OperationName: 'Add member to role',
        Category: 'RoleManagement',
        Result: 'success',
        InitiatedBy: { user: { userPrincipalName: 'a@example.com', roles: [] } },
        TargetResources: [
          { type: 'User', modifiedProperties: [{ displayName: 'Role', newValue: '"Admin"' }] },
        ],
      },
    ]),
    'diagnostic.jsonl': JSON.stringify({
      time: '2026-05-01T11:00:00Z',
      operationName: 'Add user',
      category: 'AuditLogs',
      tenantId: 'tenant',
      properties: {
        category: 'UserManagement',
        activityDisplayName: 'Add user',
        result: 'failure',
        initiatedBy: { app: { displayName: 'Sync' } },
      },
    }),
    'portal.csv': [
      '"TimeGenerated [UTC]",TenantId,AlertName,AlertSeverity,ProviderName,DisplayName,"StartTime [UTC]",Type',
      '"5/1/2026, 10:00:00.250 AM",t,Odd logon,High,ASI,Odd logon,"5/1/2026, 9:30:00.000 PM",SecurityAlert',
    ].join('\n'),
    'custom.jsonl': JSON.stringify({
      TimeGenerated: '2026-05-01T10:00:00Z',
      Type: 'Gate_CL',
      door_s: 'north',
      count_d: 2.5,
      open_b: true,
      tags: ['a', 'b'],
    }),
    'gate.log':
      '<134>May  1 10:00:00 relay CEF: 0|Example|Gate|1|7|Denied|8|rt=1777629600000 dvchost=gate1 act=deny src=192.0.2.9 dpt=443 cs1Label=zone cs1=north Own=x y\n',
    'signin.csv':
      'Date (UTC),Request ID,User agent,Username,Application,IP address,Sign-in error code,Client app,Authentication requirement\n2026-05-01T10:00:00Z,r1,curl,b@example.com,Portal,192.0.2.7,50126,IMAP,Single-factor authentication\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const report = await readInto(store, [SAMPLES, folder])
  expect(report.files.filter((each) => each.error !== undefined)).toEqual([])
})

afterAll(async () => {
  release()
  await done
})

const only = (rows: readonly (readonly unknown[])[], at: number, value: unknown) =>
  rows.filter((each) => each[at] === value)

describe('DeviceProcessEvents', () => {
  const columns = [
    'TimeGenerated',
    'Timestamp',
    'DeviceName',
    'FileName',
    'FolderPath',
    'ProcessId',
    'ProcessCommandLine',
    'AccountName',
    'AccountDomain',
    'InitiatingProcessFileName',
    'LogonId',
    'AdditionalFields',
    'Type',
    'FileSize',
    'ReportId',
    'IsProcessRemoteSession',
  ]

  it('is fed by Sysmon', async () => {
    const rows = await rowsOf(store, 'DeviceProcessEvents', columns)
    const [node] = rows.filter((each) =>
      String(each[6]).includes('src\\offer\\build.js --port 3403'),
    )
    expect(node?.slice(2)).toEqual([
      'ws12.corp.example.com',
      'node.exe',
      'C:\\Program Files\\nodejs\\node.exe',
      '5344',
      '"C:\\Program Files\\nodejs\\node.exe" C:\\Users\\user12\\src\\offer\\build.js --port 3403',
      'user12',
      'corp',
      'explorer.exe',
      '4300994',
      null,
      'DeviceProcessEvents',
      null,
      '88840',
      null,
    ])
    expect(node?.[0]).toBe(node?.[1])
  })

  it('is fed by the Security log', async () => {
    const rows = await rowsOf(store, 'DeviceProcessEvents', columns)
    expect(only(rows, 14, '410222').map((each) => each.slice(2, 11))).toEqual([
      [
        'fs02.corp.example.com',
        'agent.exe',
        'C:\\Program Files\\Example Backup\\agent.exe',
        '5500',
        '"C:\\Program Files\\Example Backup\\agent.exe" --job 128 --log "D:\\Logs\\job.txt"',
        'fs02$',
        'corp',
        'services.exe',
        '999',
      ],
    ])
  })

  it('is fed by its own exports and by streams', async () => {
    const rows = await rowsOf(store, 'DeviceProcessEvents', columns)
    const [exported] = only(rows, 3, 'exported.exe')
    expect(exported?.[0]).toBe('2026-05-01 10:00:00.1234567')
    expect(exported?.slice(5, 7)).toEqual(['77', 'exported.exe -q'])
    expect(exported?.slice(10)).toEqual([
      null,
      '{"a":{"b":1}}',
      'DeviceProcessEvents',
      null,
      '5',
      null,
    ])
    const [streamed] = only(rows, 3, 'streamed.exe')
    expect([streamed?.[2], streamed?.[5], streamed?.[11], streamed?.[15]]).toEqual([
      'h2.example',
      '78',
      '{"a":2}',
      true,
    ])
  })
})

describe('tables of Sentinel', () => {
  it('keep what is nested in AuditLogs, whatever wrote them', async () => {
    const rows = await rowsOf(store, 'AuditLogs', [
      'OperationName',
      'Category',
      'Result',
      'InitiatedBy',
      'TargetResources',
      'Type',
      'DurationMs',
    ])
    expect([...rows].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))).toEqual([
      [
        'Add member to role',
        'RoleManagement',
        'success',
        '{"user":{"userPrincipalName":"a@example.com","roles":[]}}',
        '[{"type":"User","modifiedProperties":[{"displayName":"Role","newValue":"\\"Admin\\""}]}]',
        'AuditLogs',
        null,
      ],
      [
        'Add user',
        'UserManagement',
        'failure',
        '{"app":{"displayName":"Sync"}}',
        null,
        'AuditLogs',
        null,
      ],
    ])
  })

  it('know the columns of a download of the portal', async () => {
    const rows = await rowsOf(store, 'SigninLogs', [
      'UserPrincipalName',
      'AppDisplayName',
      'IPAddress',
      'ResultType',
      'ClientAppUsed',
      'UserAgent',
    ])
    const downloaded = rows.filter(([who]) => who === 'b@example.com')
    expect(downloaded).toEqual([['b@example.com', 'Portal', '192.0.2.7', '50126', 'IMAP', 'curl']])
  })

  it('read the Common Event Format', async () => {
    expect(
      await rowsOf(store, 'CommonSecurityLog', [
        'TimeGenerated',
        'DeviceVendor',
        'Activity',
        'DeviceAction',
        'SourceIP',
        'DestinationPort',
        'DeviceCustomString1',
        'DeviceName',
        'AdditionalExtensions',
        'LogSeverity',
        'Computer',
      ]),
    ).toEqual([
      [
        '2026-05-01 10:00:00.0000000',
        'Example',
        'Denied',
        'deny',
        '192.0.2.9',
        443,
        'north',
        'gate1',
        'Own=x y',
        '8',
        'gate1',
      ],
    ])
  })

  it('take exports of tables that nothing else is known of', async () => {
    expect(
      await rowsOf(store, 'SecurityAlert', [
        'TimeGenerated',
        'AlertName',
        'Tactics',
        'StartTime',
        'EndTime',
      ]),
    ).toEqual([
      ['2026-05-01 10:00:00.2500000', 'Odd logon', '', '2026-05-01 21:30:00.0000000', null],
    ])
  })

  it('give Windows events by name, as an object and as XML', async () => {
    const security = await rowsOf(store, 'SecurityEvent', [
      'EventID',
      'Computer',
      'Account',
      'Activity',
      'Process',
      'NewProcessName',
    ])
    expect(security.find((each) => String(each[4]) === 'agent.exe')).toEqual([
      4688,
      'FS02.corp.example.com',
      'CORP\\FS02$',
      '4688 - A new process has been created.',
      'agent.exe',
      'C:\\Program Files\\Example Backup\\agent.exe',
    ])
    const events = await rowsOf(store, 'WindowsEvent', ['Provider', 'EventID', 'EventData'])
    const sysmon = events.find((each) => each[0] === 'Microsoft-Windows-Sysmon' && each[1] === 1)
    const data: unknown = JSON.parse(String(sysmon?.[2]))
    expect(data).toMatchObject({ Image: expect.any(String), ProcessGuid: expect.any(String) })
    expect(data).not.toHaveProperty('Computer')
    const xml = await rowsOf(store, 'Event', ['Source', 'EventID', 'EventData'])
    const created = xml.find((each) => each[0] === 'Microsoft-Windows-Sysmon' && each[1] === 1)
    expect(created?.[2]).toMatch(
      /^<DataItem type="System.XmlData"><EventData xmlns="[^"]*"><Data Name="RuleName">[^<]*<\/Data><Data Name="UtcTime">/,
    )
  })

  it('give GCPCloudDNS as its parser does', async () => {
    const rows = await rowsOf(store, 'GCPCloudDNS', ['Query', 'SrcIpAddr', 'EventProduct'])
    expect(rows.length).toBeGreaterThan(0)
    expect(
      rows.every(([query, from]) => query !== '' && !String(query).endsWith('.') && from !== ''),
    ).toBe(true)
  })
})

describe('custom tables', () => {
  it('are told by what is stored', async () => {
    const stored = await store.catalogue()
    const table = storedTable('Gate_CL', stored)
    expect(table?.columns).toEqual([
      { name: 'TimeGenerated', type: 'time' },
      { name: 'Type', type: 'text' },
      { name: 'count_d', type: 'float' },
      { name: 'door_s', type: 'text' },
      { name: 'open_b', type: 'bool' },
      { name: 'tags', type: 'dynamic' },
    ])
    expect(storedTable('Other_CL', stored)).toBeUndefined()
    const rel: Rel = {
      op: 'scan',
      table: { kind: 'view', name: 'table:Gate_CL' },
      time: {},
      out: table?.columns ?? [],
    }
    expect(await read(store, rel)).toEqual([
      ['2026-05-01 10:00:00.0000000', 'Gate_CL', 2.5, 'north', true, '["a","b"]'],
    ])
  })
})

describe('every declared table', () => {
  it('can be read with all of its columns', async () => {
    const stored = await store.catalogue()
    for (const name of schema.tableParts().keys()) {
      const view = viewResolver(schema)(`table:${name}`)
      const isFed = view?.parts.some((part) => stored.has(part.source)) ?? false
      if (!isFed) continue
      const columns = schema.tables.table(name)?.columns ?? []
      const rows = await read(store, { op: 'limit', from: scanOf(name), rows: 50 })
      for (const row of rows.slice(0, 3)) expect(row, name).toHaveLength(columns.length)
      columns.forEach((column, at) => {
        if (column.type !== 'text') return
        expect(
          rows.every((row) => typeof row[at] === 'string'),
          `${name}.${column.name}`,
        ).toBe(true)
      })
    }
  })

  it('is fed by the samples', async () => {
    const fed = new Map<string, number>()
    const stored = await store.catalogue()
    for (const name of schema.tableParts().keys()) {
      const view = viewResolver(schema)(`table:${name}`)
      if (view?.parts.some((part) => stored.has(part.source)) !== true) continue
      fed.set(name, (await rowsOf(store, name, ['TimeGenerated'])).length)
    }
    expect(Object.fromEntries([...fed].filter(([, rows]) => rows > 0))).toMatchObject({
      AWSCloudTrail: 114,
      GCPCloudDNS: 274,
      GCPDNS: 274,
      GCP_DNS_CL: 274,
      SecurityEvent: 483,
      Syslog: 195,
      LinuxAuditLog: 58,
      Corelight_v2_dns_CL: 426,
      ASimDns_: expect.any(Number),
      ASimProcessEvent_: expect.any(Number),
      ASimAuthentication_: expect.any(Number),
      ASimNetworkSession_: expect.any(Number),
      ASimWebSession_: expect.any(Number),
      ASimFileEvent_: expect.any(Number),
      ASimRegistryEvent_: expect.any(Number),
    })
  })
})

describe('tables of Defender', () => {
  it('say what Sysmon says in their own words', async () => {
    const registry = await rowsOf(store, 'DeviceRegistryEvents', [
      'ActionType',
      'RegistryKey',
      'RegistryValueName',
      'RegistryValueType',
    ])
    expect(registry.every(([, key]) => String(key).startsWith('HKEY_'))).toBe(true)
    expect(registry.some(([kind, , name]) => kind === 'RegistryValueSet' && name !== '')).toBe(true)
    const network = await rowsOf(store, 'DeviceNetworkEvents', [
      'RemoteIP',
      'RemoteIPType',
      'Protocol',
    ])
    expect(new Set(network.map((each) => each[1]))).toEqual(new Set(['Public', 'Private']))
    expect(network.every(([, , protocol]) => ['Tcp', 'Udp'].includes(String(protocol)))).toBe(true)
    const others = await rowsOf(store, 'DeviceEvents', [
      'ActionType',
      'FileName',
      'AdditionalFields',
    ])
    const dns = others.find(([kind]) => kind === 'DnsQueryResponse')
    expect(JSON.parse(String(dns?.[2]))).toHaveProperty('DnsQueryString')
    expect(new Set(others.map(([kind]) => kind)).size).toBeGreaterThan(3)
    const logons = await rowsOf(store, 'DeviceLogonEvents', [
      'ActionType',
      'LogonType',
      'AccountName',
    ])
    expect(new Set(logons.map(([kind]) => kind))).toEqual(
      new Set(['LogonSuccess', 'LogonFailed', 'LogonAttempted']),
    )
    expect(logons.every(([, , name]) => name !== '')).toBe(true)
  })
})

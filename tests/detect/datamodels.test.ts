/** Data models over the sample logs and over small logs of other kinds: searches through the compiler and the engine. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { datasetNames } from '../../src/schema/datamodels.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { splStore, windowsEvent } from '../support/splstore.ts'

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url))
const schema = readyMadeSchema()

const SYSMON = 'Microsoft-Windows-Sysmon/Operational'
const VALUE = 'HKLM\\System\\CurrentControlSet\\Control\\Lsa\\RunAsPPL'

const FILES: Readonly<Record<string, readonly string[]>> = {
  'events.xml': [
    windowsEvent(SYSMON, 13, {
      EventType: 'SetValue',
      Image: 'C:\\Windows\\regedit.exe',
      TargetObject: VALUE,
      Details: 'DWORD (0x00000001)',
      User: 'CORP\\mia',
    }),
    windowsEvent(SYSMON, 3, {
      Image: 'C:\\tools\\nc.exe',
      Protocol: 'TCP',
      Initiated: 'true',
      SourceIp: '192.0.2.5',
      SourceHostname: '-',
      SourcePort: '50001',
      DestinationIp: '198.51.100.9',
      DestinationHostname: 'far.example',
      DestinationPort: '4444',
    }),
    windowsEvent(SYSMON, 22, {
      Image: 'C:\\tools\\nc.exe',
      QueryName: 'two.example',
      QueryStatus: '0',
      QueryResults: '::ffff:198.51.100.1;::ffff:198.51.100.2;',
    }),
    windowsEvent('Security', 4740, { TargetUserName: 'noor', SubjectUserName: 'PC$' }),
    windowsEvent('Security', 5157, {
      Application: '\\device\\harddiskvolume1\\tools\\nc.exe',
      Direction: '%%14593',
      SourceAddress: '192.0.2.5',
      SourcePort: '50002',
      DestAddress: '198.51.100.9',
      DestPort: '445',
      Protocol: '6',
    }),
  ],
  'eve.json': [
    JSON.stringify({
      timestamp: '2026-02-01T10:00:00Z',
      event_type: 'http',
      flow_id: 7,
      src_ip: '203.0.113.7',
      src_port: 40000,
      dest_ip: '192.0.2.80',
      dest_port: 80,
      proto: 'TCP',
      http: { hostname: 'shop.example', url: '/app?x=1', http_method: 'POST', status: 200 },
    }),
    JSON.stringify({
      timestamp: '2026-02-01T10:00:01Z',
      event_type: 'alert',
      flow_id: 7,
      src_ip: '203.0.113.7',
      dest_ip: '192.0.2.80',
      proto: 'TCP',
      alert: { action: 'allowed', category: 'Web', signature: 'Odd request', severity: 1 },
    }),
    JSON.stringify({
      timestamp: '2026-02-01T10:00:02Z',
      event_type: 'tls',
      flow_id: 8,
      src_ip: '192.0.2.5',
      dest_ip: '203.0.113.9',
      tls: {
        subject: 'CN=xn--pple-43d.example, emailAddress=a@xn--b.example',
        issuerdn: 'CN=Some CA',
      },
    }),
  ],
  'trail.json': [
    JSON.stringify({
      eventVersion: '1.08',
      eventTime: '2026-02-01T10:00:00Z',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      awsRegion: 'eu-west-1',
      sourceIPAddress: '203.0.113.8',
      userIdentity: { type: 'IAMUser', userName: 'lee' },
      requestParameters: {
        instanceType: 'p3.large',
        instancesSet: { items: [{ imageId: 'ami-1' }] },
      },
    }),
  ],
  'mail.jsonl': [
    JSON.stringify({
      Type: 'EmailEvents',
      Timestamp: '2026-02-01T10:00:00Z',
      NetworkMessageId: 'm1',
      SenderFromAddress: 'ann@far.example',
      RecipientEmailAddress: 'bo@near.example',
      DeliveryAction: 'Blocked',
      Subject: 'Bill',
    }),
  ],
}

const { found, one } = splStore([SAMPLES], FILES)

describe('data models over logs', () => {
  it('read every dataset', async () => {
    for (const name of datasetNames(schema)) {
      const rows = await found(`| tstats count from datamodel=${name}`)
      expect([name, rows.length]).toEqual([name, 1])
    }
  })

  it('keep rows whose parent is not known', async () => {
    const [all] = await found('| tstats count from datamodel=Endpoint.Processes')
    const by = await found(
      '| tstats count from datamodel=Endpoint.Processes by Processes.parent_process_name Processes.original_file_name | stats sum(count) as count',
    )
    expect(Number(by[0]?.count)).toBe(Number(all?.count))
    const some = await found(
      '| tstats count from datamodel=Endpoint.Processes by Processes.parent_process_guid | stats sum(count) as count',
    )
    expect(Number(some[0]?.count)).toBeLessThan(Number(all?.count))
  })

  it('find programs by their name in all sources', async () => {
    const rows = await found(
      '| tstats count from datamodel=Endpoint.Processes where Processes.process_name=POWERSHELL.EXE by Processes.vendor_product Processes.process_name',
    )
    const products = rows.map((each) => each['Processes.vendor_product'])
    expect(products).toEqual(['Microsoft Defender for Endpoint', 'Microsoft Sysmon'])
    for (const each of rows) expect(each['Processes.process_name']).toMatch(/^powershell\.exe$/i)
  })

  it('take names of registry values apart', async () => {
    const row = await one(
      '| tstats count from datamodel=Endpoint.Registry where Registry.registry_path="*\\\\RunAsPPL" Registry.registry_value_data=0x00000001 by Registry.registry_value_name Registry.registry_key_name Registry.action Registry.registry_value_type Registry.dest',
    )
    expect(row).toMatchObject({
      'Registry.registry_value_name': 'RunAsPPL',
      'Registry.registry_key_name': VALUE.replace('\\RunAsPPL', ''),
      'Registry.action': 'modified',
      'Registry.registry_value_type': 'REG_DWORD',
      'Registry.dest': 'pc.example',
    })
  })

  it('tell allowed from blocked traffic', async () => {
    const rows = await found(
      '| tstats count from datamodel=Network_Traffic where All_Traffic.dest_ip=198.51.100.0/24 All_Traffic.dest_port IN (445, 4444) by All_Traffic.action All_Traffic.dest All_Traffic.src All_Traffic.transport All_Traffic.direction',
    )
    expect(rows.map((row) => Object.values(row).slice(0, 5))).toEqual([
      ['allowed', 'far.example', '192.0.2.5', 'tcp', 'outbound'],
      ['blocked', '198.51.100.9', '192.0.2.5', 'tcp', 'outbound'],
    ])
    const blocked = await one('| tstats count from datamodel=Network_Traffic.Blocked_Traffic')
    expect(Number(blocked.count)).toBe(1)
  })

  it('have each answer of a name server', async () => {
    const rows = await found(
      '| tstats count from datamodel=Network_Resolution where DNS.query=two.example by DNS.answer DNS.reply_code',
    )
    expect(rows.map((row) => row['DNS.answer'])).toEqual(['198.51.100.1', '198.51.100.2'])
    expect(
      await found(
        '| tstats count from datamodel=Network_Resolution where DNS.answer=198.51.100.2 DNS.src=pc.example by DNS.query',
      ),
    ).toMatchObject([{ 'DNS.query': 'two.example' }])
  })

  it('measure addresses of the web', async () => {
    const row = await one(
      '| tstats count from datamodel=Web where Web.url="/app*" Web.url_length>5 Web.http_method=post Web.status=200 by Web.src Web.dest Web.url_length Web.http_user_agent',
    )
    expect(row).toMatchObject({
      'Web.src': '203.0.113.7',
      'Web.url_length': '8',
      'Web.http_user_agent': 'unknown',
    })
  })

  it('read children with their own fields from the root', async () => {
    const row = await one(
      '| tstats count from datamodel=Change where All_Changes.action=started All_Changes.object_category=instance by All_Changes.Instance_Changes.image_id All_Changes.Instance_Changes.instance_type All_Changes.user',
    )
    expect(row).toMatchObject({
      'All_Changes.Instance_Changes.image_id': 'ami-1',
      'All_Changes.Instance_Changes.instance_type': 'p3.large',
      'All_Changes.user': 'lee',
    })
    const lock = await one(
      '| tstats count from datamodel=Change.All_Changes where nodename=All_Changes.Account_Management All_Changes.action=lockout All_Changes.result="*lock*" by All_Changes.user',
    )
    expect(lock).toMatchObject({ 'All_Changes.user': 'noor' })
    const certificate = await one(
      '| tstats count from datamodel=Certificates.All_Certificates by All_Certificates.SSL.ssl_subject_email_domain All_Certificates.SSL.src',
    )
    expect(certificate).toMatchObject({
      'All_Certificates.SSL.ssl_subject_email_domain': 'xn--b.example',
      'All_Certificates.SSL.src': '192.0.2.5',
    })
  })

  it('tell failed from successful logons', async () => {
    const count = async (name: string): Promise<number> =>
      Number((await one(`| tstats count from datamodel=Authentication.${name}`)).count)
    const [all, failed, passed] = await Promise.all(
      ['Authentication', 'Failed_Authentication', 'Successful_Authentication'].map(count),
    )
    expect(failed).toBeGreaterThan(20)
    expect((failed ?? 0) + (passed ?? 0)).toBe(all)
  })

  it('read mail, alerts and answers of sensors', async () => {
    expect(
      await one(
        '| from datamodel:"Email.All_Email" | search src_user=ann@far.example | table recipient recipient_domain src_user_domain action',
      ),
    ).toEqual({
      recipient: '["bo@near.example"]',
      recipient_domain: '["near.example"]',
      src_user_domain: 'far.example',
      action: 'blocked',
    })
    expect(
      await one(
        '| tstats count from datamodel=Intrusion_Detection.IDS_Attacks where IDS_Attacks.severity IN (high, critical) by IDS_Attacks.signature IDS_Attacks.dest_port',
      ),
    ).toMatchObject({ 'IDS_Attacks.signature': 'Odd request', 'IDS_Attacks.dest_port': '0' })
  })
})

/** Small logs as vendors write them: the source each is taken for, its time, its host and a field of it. */
import { describe, expect, it } from 'vitest'
import { detectFormat } from '../../src/ingest/detect.ts'
import { decoders } from '../../src/ingest/formats.ts'
import { makeRecogniser } from '../../src/schema/recognise.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { decodeAll, fieldsOf } from '../support/decoding.ts'

const recognise = makeRecogniser(readyMadeSchema())
const TIME = '2026-05-01T10:00:00'
const STAMP = '1777629600'

interface Row {
  readonly name: string
  readonly log: string
  readonly source: string
  readonly host?: string
  readonly fields: Readonly<Record<string, string>>
}

const trail = {
  eventVersion: '1.08',
  eventTime: `${TIME}Z`,
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'StopLogging',
  awsRegion: 'us-east-1',
}
const unified = {
  CreationTime: TIME,
  Operation: 'New-InboxRule',
  RecordType: 1,
  Workload: 'Exchange',
}
const doubled = JSON.stringify(unified).replaceAll('"', '""')
const forti =
  `date=2026-05-01 time=10:00:00 devname="FG1" devid="FG01" eventtime=${STAMP}000000000 logid="0100044547" ` +
  'type="event" subtype="system" action="Add" cfgpath="firewall.policy" msg="Add \\"x\\""'
const sysmon =
  '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><TimeCreated SystemTime="2026-05-01T10:00:00Z"/>' +
  '<Channel>Linux-Sysmon/Operational</Channel><Computer>web1</Computer></System><EventData><Data Name="Image">/bin/x</Data></EventData></Event>'

const journal = (program: string, message: unknown): string =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: `${STAMP}000000`,
    _HOSTNAME: 'web1',
    SYSLOG_IDENTIFIER: program,
    PRIORITY: '3',
    MESSAGE: message,
  })

const rows: readonly Row[] = [
  {
    name: 'a trail look-up',
    log: JSON.stringify({ Events: [{ EventId: '1', CloudTrailEvent: JSON.stringify(trail) }] }),
    source: 'aws.cloudtrail',
    fields: { eventName: 'StopLogging', EventId: '1' },
  },
  {
    name: 'a trail on an event bus',
    log: JSON.stringify({ version: '0', 'detail-type': 'x', detail: trail }),
    source: 'aws.cloudtrail',
    fields: { eventName: 'StopLogging' },
  },
  {
    name: 'a unified audit search as a table',
    log: `CreationDate,UserIds,Operations,AuditData\n${TIME}Z,b@example.com,New-InboxRule,"${doubled}"\n`,
    source: 'm365.audit',
    fields: { Operation: 'New-InboxRule', UserIds: 'b@example.com' },
  },
  {
    name: 'a Kubernetes list',
    log: JSON.stringify({
      kind: 'EventList',
      apiVersion: 'audit.k8s.io/v1',
      metadata: {},
      items: [
        {
          auditID: 'a',
          verb: 'get',
          stage: 'x',
          requestURI: '/',
          requestReceivedTimestamp: `${TIME}Z`,
        },
      ],
    }),
    source: 'kubernetes.audit',
    fields: { verb: 'get' },
  },
  {
    name: 'the journal',
    log: journal('sshd', 'hello'),
    source: 'syslog',
    host: 'web1',
    fields: { program: 'sshd', message: 'hello', severity: 'err' },
  },
  {
    name: 'the journal with a message of bytes',
    log: journal('x', [104, 105]),
    source: 'syslog',
    host: 'web1',
    fields: { message: 'hi' },
  },
  {
    name: 'Sysmon in the journal',
    log: journal('sysmon', sysmon),
    source: 'linux.sysmon',
    host: 'web1',
    fields: { Image: '/bin/x', EventID: '1' },
  },
  {
    name: 'Squid',
    log: `${STAMP}.000     12 198.51.100.7 TCP_MISS/200 1234 GET http://bad.example/x alice HIER_DIRECT/192.0.2.9 text/html\n`,
    source: 'proxy.squid',
    fields: { url: 'http://bad.example/x', user: 'alice', status: '200', peer: '192.0.2.9' },
  },
  {
    name: 'FortiGate on disk',
    log: forti,
    source: 'fortigate',
    host: 'FG1',
    fields: { cfgpath: 'firewall.policy', msg: 'Add "x"' },
  },
  {
    name: 'FortiGate over syslog',
    log: `<189>${forti}`,
    source: 'fortigate',
    host: 'FG1',
    fields: { action: 'Add' },
  },
  {
    name: 'Cisco IOS with sequence number and host',
    log: '<189>123: router1: *May  1 2026 10:00:00.000 UTC: %SYS-5-CONFIG_I: Configured\n',
    source: 'syslog',
    host: 'router1',
    fields: { program: '%SYS-5-CONFIG_I', message: 'Configured' },
  },
  {
    name: 'the Apache error log',
    log: '[Fri May 01 10:00:00.000000 2026] [core:notice] [pid 12] AH00052: x\n',
    source: 'web.apache_error',
    fields: {},
  },
  {
    name: 'the nginx error log',
    log: '2026/05/01 10:00:00 [alert] 12#12: worker process 13 exited on signal 6\n',
    source: 'web.nginx_error',
    fields: {},
  },
  {
    name: 'ClamAV',
    log: 'Fri May  1 10:00:00 2026 -> /srv/x: Win.Trojan.Foo-1 FOUND\n',
    source: 'linux.clamav',
    fields: { file: '/srv/x', signature: 'Win.Trojan.Foo-1' },
  },
  {
    name: 'BIND queries',
    log: '01-May-2026 10:00:00.000 queries: info: client @0x7f 198.51.100.7#53000 (x.example): query: x.example IN TXT +E(0)K (192.0.2.53)\n',
    source: 'dns',
    fields: { query: 'x.example', record_type: 'TXT', client: '198.51.100.7' },
  },
  {
    name: 'the debug log of the Windows name server',
    log: '5/1/2026 10:00:00 AM 0F8C PACKET  00000000 UDP Rcv 198.51.100.7    5c5e   Q [0001   D   NOERROR] A      (1)x(7)example(0)\n',
    source: 'dns',
    fields: { query: 'x.example', record_type: 'A' },
  },
  {
    name: 'Windows events of an agent that gives the id in the common part',
    log: JSON.stringify({
      '@timestamp': `${TIME}Z`,
      event: { code: '4688' },
      winlog: { channel: 'Security', computer_name: 'ws1', event_data: { NewProcessName: 'x' } },
    }),
    source: 'windows.security',
    host: 'ws1',
    fields: { EventID: '4688', NewProcessName: 'x' },
  },
]

describe('logs in the form of the vendor', () => {
  it.each(rows)('$name', async ({ log, source, host, fields }) => {
    const bytes = Buffer.from(log)
    const decoder = detectFormat(bytes, decoders)
    expect(decoder).toBeDefined()
    if (decoder === undefined) return
    const { events, rejects } = await decodeAll(decoder, bytes)
    expect(rejects).toEqual([])
    expect(events).toHaveLength(1)
    const [event] = events
    if (event === undefined) return
    expect(recognise(event.kind, event.names, event.values)).toBe(source)
    expect(new Date(event.time?.ms ?? 0).toISOString()).toBe(`${TIME}.000Z`)
    expect(event.host).toBe(host)
    expect(Object.fromEntries(fieldsOf(event))).toMatchObject(fields)
  })
})

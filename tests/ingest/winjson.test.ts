import { describe, expect, it } from 'vitest'
import { csv } from '../../src/ingest/csv.ts'
import type { FieldValue } from '../../src/ingest/decoder.ts'
import { json } from '../../src/ingest/json.ts'
import { winxml } from '../../src/ingest/winxml.ts'
import { decodeAll, fieldsOf } from '../support/decoding.ts'

async function fields(record: unknown): Promise<Record<string, FieldValue>> {
  const { events, rejects } = await decodeAll(json, Buffer.from(JSON.stringify(record)))
  expect(rejects).toEqual([])
  expect(events.map(({ kind }) => kind)).toEqual(['windows'])
  expect(events[0]?.names.length).toBe(events[0]?.values.length)
  return Object.fromEntries(fieldsOf(events[0]))
}

const SYSTEM = {
  Provider_Name: 'Microsoft-Windows-Sysmon',
  Provider_Guid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
  EventID: '1',
  Version: '5',
  Level: '4',
  Task: '1',
  Opcode: '0',
  Keywords: '0x8000000000000000',
  TimeCreated_SystemTime: '2020-05-12T08:54:27.646624Z',
  EventRecordID: '99',
  Execution_ProcessID: '10',
  Execution_ThreadID: '11',
  Channel: 'Microsoft-Windows-Sysmon/Operational',
  Computer: 'HOST',
  Security_UserID: 'S-1-5-18',
}

const TREE = {
  Provider: {
    '#attributes': { Name: SYSTEM.Provider_Name, Guid: SYSTEM.Provider_Guid.slice(1, -1) },
  },
  EventID: 1,
  Version: 5,
  Level: 4,
  Task: 1,
  Opcode: 0,
  Keywords: '0x8000000000000000',
  TimeCreated: { '#attributes': { SystemTime: SYSTEM.TimeCreated_SystemTime } },
  EventRecordID: 99,
  Correlation: null,
  Execution: { '#attributes': { ProcessID: 10, ThreadID: 11 } },
  Channel: SYSTEM.Channel,
  Computer: 'HOST',
  Security: { '#attributes': { UserID: 'S-1-5-18' } },
}

describe('Windows events in JSON', () => {
  it('reads evtx_dump output', async () => {
    expect(
      await fields({
        Event: {
          '#attributes': { xmlns: 'http://schemas.microsoft.com/win/2004/08/events/event' },
          System: TREE,
          EventData: { Image: 'C:\\x.exe', 'Two Words': 'w' },
        },
      }),
    ).toEqual({ ...SYSTEM, Image: 'C:\\x.exe', TwoWords: 'w' })
  })

  it('reads evtx_dump output with separate attributes and qualifiers', async () => {
    const found = await fields({
      Event_attributes: { xmlns: 'x' },
      Event: {
        System: {
          ...TREE,
          Provider: undefined,
          Provider_attributes: { Name: 'P' },
          EventID: 7045,
          EventID_attributes: { Qualifiers: 16384 },
        },
        UserData: {
          LogFileCleared: { SubjectUserName: 'u', '#attributes': { 'xmlns:auto': 'x' } },
        },
      },
    })
    expect(found.Provider_Name).toBe('P')
    expect(found.EventID).toBe('7045')
    expect(found.EventID_Qualifiers).toBe('16384')
    expect(found.SubjectUserName).toBe('u')
    expect(Object.keys(found).some((name) => /xmlns|UserData|Correlation/.test(name))).toBe(false)
  })

  it('reads pairs of name and text, as xmltodict writes them', async () => {
    const found = await fields({
      Event: {
        '@xmlns': 'x',
        System: {
          Provider: { '@Name': 'P' },
          EventID: { '@Qualifiers': '0', '#text': '4624' },
          Channel: 'Security',
          Computer: 'HOST',
          TimeCreated: { '@SystemTime': '2020-05-12T08:54:27.646624Z' },
        },
        EventData: {
          Data: [
            { '@Name': 'User', '#text': 'bob' },
            { '@Name': 'Empty' },
            { '@Name': 'Level', '#text': '9' },
            { '@Name': 'User', '#text': 'eve' },
          ],
        },
      },
    })
    expect(found).toEqual({
      Provider_Name: 'P',
      EventID: '4624',
      EventID_Qualifiers: '0',
      Channel: 'Security',
      Computer: 'HOST',
      TimeCreated_SystemTime: '2020-05-12T08:54:27.646624Z',
      User: ['bob', 'eve'],
      Empty: '',
      EventData_Level: '9',
    })
  })

  it('gives the fields that event XML gives', async () => {
    const xml =
      `<Event xmlns='n'><System><Provider Name='P'/><EventID Qualifiers='1'>5</EventID><Channel>C</Channel>` +
      `<Computer>H</Computer><Correlation/></System><EventData Name='N'><Data Name='A b'>1</Data>` +
      `<Data Name='Channel'>evil</Data></EventData></Event>`
    const fromXml = await decodeAll(winxml, Buffer.from(xml))
    const found = await fields({
      Event: {
        System: {
          Provider: { '#attributes': { Name: 'P' } },
          EventID: { '#attributes': { Qualifiers: 1 }, '#text': 5 },
          Channel: 'C',
          Computer: 'H',
          Correlation: null,
        },
        EventData: { '#attributes': { Name: 'N' }, 'A b': '1', Channel: 'evil' },
      },
    })
    expect(found).toEqual(Object.fromEntries(fieldsOf(fromXml.events[0])))
  })

  it('reads Winlogbeat, new and old', async () => {
    const found = await fields({
      '@timestamp': '2020-05-12T08:54:27.646Z',
      winlog: {
        channel: 'Security',
        event_id: 4688,
        computer_name: 'HOST',
        provider_name: 'P',
        provider_guid: '{A}',
        record_id: 5,
        task: 'Process Creation',
        keywords: ['Audit Success'],
        version: 2,
        process: { pid: 4, thread: { id: 8 } },
        event_data: { NewProcessName: 'C:\\x.exe', Version: 'evil' },
        user: { identifier: 'S-1' },
      },
      host: { name: 'shipper' },
    })
    expect(found).toMatchObject({
      Channel: 'Security',
      EventID: '4688',
      Computer: 'HOST',
      Provider_Name: 'P',
      EventRecordID: '5',
      Version: '2',
      EventData_Version: 'evil',
      Execution_ProcessID: '4',
      Execution_ThreadID: '8',
      NewProcessName: 'C:\\x.exe',
      Security_UserID: 'S-1',
      'winlog.task': 'Process Creation',
      'host.name': 'shipper',
    })
    const old = await fields({
      '@timestamp': '2018-05-12T08:54:27.646Z',
      log_name: 'Security',
      event_id: 4624,
      computer_name: 'HOST',
      source_name: 'P',
      record_number: '7',
      event_data: { TargetUserName: 'u' },
    })
    expect(old).toMatchObject({
      Channel: 'Security',
      EventID: '4624',
      Computer: 'HOST',
      Provider_Name: 'P',
      EventRecordID: '7',
      TargetUserName: 'u',
    })
  })

  it('reads the flat records of NXLog and the OTRF data sets', async () => {
    const text =
      '{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"HOST","SourceName":"P",' +
      '"ProviderGuid":"{A}","ExecutionProcessID":10,"ThreadID":11,"RecordNumber":99,"UserID":"S-1-5-18",' +
      '"Keywords":-9223372036854775808,"OpcodeValue":0,"Opcode":"Info","Task":1,"host":"collector",' +
      '"SourceModuleType":"im_msvistalog","@timestamp":"2020-05-12T08:54:27.646Z","EventTime":"2020-05-12 04:54:26",' +
      '"Image":"C:\\\\x.exe","ProcessId":"4"}'
    const { events } = await decodeAll(json, Buffer.from(text))
    expect(Object.fromEntries(fieldsOf(events[0]))).toEqual({
      EventID: '1',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Computer: 'HOST',
      Provider_Name: 'P',
      Provider_Guid: '{A}',
      Execution_ProcessID: '10',
      Execution_ThreadID: '11',
      EventRecordID: '99',
      Security_UserID: 'S-1-5-18',
      Keywords: '0x8000000000000000',
      Opcode: '0',
      OpcodeName: 'Info',
      Task: '1',
      host: 'collector',
      SourceModuleType: 'im_msvistalog',
      '@timestamp': '2020-05-12T08:54:27.646Z',
      EventTime: '2020-05-12 04:54:26',
      Image: 'C:\\x.exe',
      ProcessId: '4',
    })
    expect(events[0]?.host).toBe('HOST')
    expect(events[0]?.time?.ms).toBe(Date.UTC(2020, 4, 12, 8, 54, 27, 646))
  })

  it('does not rename what a record has under the wanted name already', async () => {
    const found = await fields({ EventID: 1, Channel: 'C', Computer: 'H', Hostname: 'other' })
    expect(found).toEqual({ EventID: '1', Channel: 'C', Computer: 'H', Hostname: 'other' })
  })

  it('reads Get-WinEvent and Log Analytics records', async () => {
    expect(
      await fields({
        Id: 1,
        LogName: 'Security',
        ProviderName: 'P',
        MachineName: 'H',
        RecordId: 3,
      }),
    ).toEqual({
      EventID: '1',
      Channel: 'Security',
      Provider_Name: 'P',
      Computer: 'H',
      EventRecordID: '3',
    })
    expect(
      await fields({
        EventID: 4624,
        Channel: 'Security',
        EventSourceName: 'P',
        EventData: { A: 1 },
      }),
    ).toEqual({ EventID: '4624', Channel: 'Security', Provider_Name: 'P', A: '1' })
  })

  it('leaves other records with an event id alone', async () => {
    const { events } = await decodeAll(json, Buffer.from('{"EventID":1,"EventLog":"RPCFW"}'))
    expect(events[0]?.kind).toBe('json')
  })

  it('tells Windows events in tables too', async () => {
    const { events } = await decodeAll(csv, Buffer.from('EventID,Channel,Hostname\n1,Security,H\n'))
    expect(events[0]?.kind).toBe('windows')
    expect(events[0]?.names).toEqual(['EventID', 'Channel', 'Computer'])
  })
})

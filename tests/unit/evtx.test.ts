import { describe, expect, it } from 'vitest'
import type { FieldValue } from '../../src/ingest/decoder.ts'
import { evtx } from '../../src/ingest/evtx.ts'
import { eventXmlReader } from '../../src/ingest/winxml.ts'
import type { ChunkWriter, EvtxValue } from '../../tools/binxml-writer.ts'
import { type EvtxEvent, writeEvtx, writeRecords } from '../../tools/evtx-writer.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

const TIME = { ms: Date.UTC(2026, 3, 20, 10, 0, 35, 646), sub: 6240 }
const CHUNK = 65_536

function sample(recordId: number, data: EvtxEvent['data'], more: Partial<EvtxEvent> = {}) {
  return {
    provider: 'Microsoft-Windows-Sysmon',
    providerGuid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
    eventId: 1,
    version: 5,
    task: 1,
    time: TIME,
    recordId,
    processId: 3208,
    threadId: 1724,
    channel: 'Microsoft-Windows-Sysmon/Operational',
    computer: 'HOST-1',
    userSid: 'S-1-5-18',
    data,
    ...more,
  } satisfies EvtxEvent
}

function text(value: string): EvtxValue {
  return { type: 'string', value }
}

/** Decodes, and checks that each event's XML is read back to the same fields. */
async function decoded(bytes: Uint8Array, size?: number): Promise<Decoded> {
  const result = await decodeAll(evtx, bytes, size)
  const read = eventXmlReader()
  for (const event of result.events) {
    const again = read(event.raw)
    expect(again.damage).toBeUndefined()
    expect([...again.names]).toEqual([...event.names])
    expect(again.values).toEqual(event.values)
  }
  return result
}

async function valuesOf(data: EvtxEvent['data']): Promise<ReadonlyMap<string, FieldValue>> {
  const { events, rejects, damage } = await decoded(writeEvtx([sample(1, data)]))
  expect([rejects, damage]).toEqual([[], []])
  return fieldsOf(events[0])
}

async function one(value: EvtxValue): Promise<FieldValue | undefined> {
  return (await valuesOf([['V', value]])).get('V')
}

/** Decodes one record that is written by hand. */
function written(write: (chunk: ChunkWriter) => void): Promise<Decoded> {
  return decoded(writeRecords([{ recordId: 1, time: TIME, write }]))
}

const NONE = { dependency: 'none' } as const

describe('a log of one event', () => {
  const bytes = writeEvtx([
    sample(86918, [
      ['CommandLine', text('"C:\\x.exe" a&b <c> \'d\'  ')],
      ['ProcessId', { type: 'uint32', value: 6180 }],
    ]),
  ])

  it('gives the fields by their names', async () => {
    const { events } = await decoded(bytes)
    const [event] = events
    expect(event?.kind).toBe('windows')
    expect(event?.time).toEqual(TIME)
    expect(event?.host).toBe('HOST-1')
    expect(event?.record).toBe(86918)
    expect(Object.fromEntries(fieldsOf(event))).toEqual({
      Provider_Name: 'Microsoft-Windows-Sysmon',
      Provider_Guid: '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}',
      EventID: '1',
      Version: '5',
      Level: '4',
      Task: '1',
      Opcode: '0',
      Keywords: '0x8000000000000000',
      TimeCreated_SystemTime: '2026-04-20T10:00:35.6466240Z',
      EventRecordID: '86918',
      Execution_ProcessID: '3208',
      Execution_ThreadID: '1724',
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Computer: 'HOST-1',
      Security_UserID: 'S-1-5-18',
      CommandLine: '"C:\\x.exe" a&b <c> \'d\'  ',
      ProcessId: '6180',
    })
  })

  it('gives the XML as Windows writes it', async () => {
    const { events } = await decoded(bytes)
    expect(events[0]?.raw).toBe(
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
        "<Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385F-C22A-43E0-BF4C-06F5698FFBD9}'/>" +
        '<EventID>1</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode>' +
        '<Keywords>0x8000000000000000</Keywords>' +
        "<TimeCreated SystemTime='2026-04-20T10:00:35.6466240Z'/>" +
        '<EventRecordID>86918</EventRecordID><Correlation/>' +
        "<Execution ProcessID='3208' ThreadID='1724'/>" +
        '<Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>HOST-1</Computer>' +
        "<Security UserID='S-1-5-18'/></System><EventData>" +
        "<Data Name='CommandLine'>\"C:\\x.exe\" a&amp;b &lt;c&gt; 'd'  </Data>" +
        "<Data Name='ProcessId'>6180</Data></EventData></Event>",
    )
  })

  it('gives the same for blocks of any size', async () => {
    const whole = await decoded(bytes)
    for (const size of [1, 7, 4095, 4097, 65_537]) {
      expect((await decodeAll(evtx, bytes, size)).events).toEqual(whole.events)
    }
  })

  it('is recognised', () => {
    expect(evtx.detect(bytes)).toBe(100)
    expect(evtx.detect(bytes.subarray(4096))).toBe(90)
    expect(evtx.detect(new Uint8Array(0))).toBe(0)
    expect(evtx.detect(new TextEncoder().encode('ElfFil'))).toBe(0)
  })

  it('is written the same each time, with right checksums', () => {
    const again = writeEvtx([
      sample(86918, [
        ['CommandLine', text('"C:\\x.exe" a&b <c> \'d\'  ')],
        ['ProcessId', { type: 'uint32', value: 6180 }],
      ]),
    ])
    expect(Buffer.from(again).equals(Buffer.from(bytes))).toBe(true)
    expect(bytes.length).toBe(4096 + CHUNK)
  })
})

describe('values', () => {
  const guid = '{5770385F-C22A-43E0-BF4C-06F5698FFBD9}'
  const cases: readonly (readonly [string, EvtxValue, FieldValue])[] = [
    ['null', { type: 'null' }, ''],
    ['text', text(' keeps its spaces  '), ' keeps its spaces  '],
    ['one terminating zero', text('ends\0'), 'ends'],
    ['only one of them', text('ends\0\0'), 'ends\0'],
    ['empty text', text(''), ''],
    ['other scripts', text('Привет 漢字 🦅'), 'Привет 漢字 🦅'],
    ['Latin-1', text('Müller'), 'Müller'],
    ['control characters', text('a\u0001\t\r\nb'), 'a\u0001\t\r\nb'],
    ['ANSI', { type: 'ansi', value: 'caf\u00e9 <&>\0' }, 'café <&>'],
    ['int8', { type: 'int8', value: -128 }, '-128'],
    ['uint8', { type: 'uint8', value: 255 }, '255'],
    ['int16', { type: 'int16', value: -2 }, '-2'],
    ['uint16', { type: 'uint16', value: 65535 }, '65535'],
    ['int32', { type: 'int32', value: -2147483648 }, '-2147483648'],
    ['uint32', { type: 'uint32', value: 4294967295 }, '4294967295'],
    ['int64', { type: 'int64', value: -9223372036854775808n }, '-9223372036854775808'],
    ['small int64', { type: 'int64', value: -1n }, '-1'],
    ['uint64', { type: 'uint64', value: 18446744073709551615n }, '18446744073709551615'],
    ['uint64 at 2^53', { type: 'uint64', value: 9007199254740993n }, '9007199254740993'],
    ['uint64 below', { type: 'uint64', value: 9007199254740991n }, '9007199254740991'],
    ['hexint32', { type: 'hexint32', value: 0x1410 }, '0x1410'],
    ['hexint32 zero', { type: 'hexint32', value: 0 }, '0x0'],
    ['hexint32 high bit', { type: 'hexint32', value: 0xc000006d }, '0xc000006d'],
    ['hexint64', { type: 'hexint64', value: 0x8020000000000000n }, '0x8020000000000000'],
    ['hexint64 inner zeros', { type: 'hexint64', value: 0x100000001n }, '0x100000001'],
    ['size_t', { type: 'sizet', value: 0x7ffe0000n }, '0x7ffe0000'],
    ['true', { type: 'bool', value: true }, 'true'],
    ['false', { type: 'bool', value: false }, 'false'],
    ['binary', { type: 'binary', value: Uint8Array.of(0, 0xab, 0xff) }, '00ABFF'],
    ['no binary', { type: 'binary', value: new Uint8Array(0) }, ''],
    ['GUID', { type: 'guid', value: guid }, guid],
    ['SID', { type: 'sid', value: 'S-1-5-21-1-4294967295-3-500' }, 'S-1-5-21-1-4294967295-3-500'],
    ['SID, wide authority', { type: 'sid', value: 'S-1-0x100000001-7' }, 'S-1-0x100000001-7'],
    ['FILETIME', { type: 'filetime', value: TIME }, '2026-04-20T10:00:35.6466240Z'],
    [
      'FILETIME 0',
      { type: 'filetime', value: { ms: -11644473600000, sub: 0 } },
      '1601-01-01T00:00:00.0000000Z',
    ],
    ['SYSTEMTIME', { type: 'systemtime', value: TIME }, '2026-04-20T10:00:35.6460000Z'],
    ['real64', { type: 'real64', value: 0.1 }, '0.1'],
    ['real64 whole', { type: 'real64', value: -3 }, '-3.0'],
    ['real64 large', { type: 'real64', value: 1.5e21 }, '1500000000000000000000.0'],
    ['real64 small', { type: 'real64', value: 1.25e-7 }, '0.000000125'],
    ['real64 none', { type: 'real64', value: Number.NaN }, 'NaN'],
    ['real64 infinite', { type: 'real64', value: Number.NEGATIVE_INFINITY }, '-INF'],
    ['real32', { type: 'real32', value: Math.fround(0.1) }, '0.1'],
    [
      'array of text',
      { type: 'array', values: [text('a'), text(''), text('c d ')] },
      ['a', '', 'c d '],
    ],
    ['array of one', { type: 'array', values: [text('a')] }, 'a'],
    ['empty array', { type: 'array', values: [] }, ''],
    [
      'array of numbers',
      {
        type: 'array',
        values: [
          { type: 'hexint32', value: 1 },
          { type: 'hexint32', value: 255 },
        ],
      },
      ['0x1', '0xff'],
    ],
    [
      'array of SIDs',
      {
        type: 'array',
        values: [
          { type: 'sid', value: 'S-1-5-18' },
          { type: 'sid', value: 'S-1-5-32-544' },
        ],
      },
      ['S-1-5-18', 'S-1-5-32-544'],
    ],
  ]
  it.each(cases)('%s', async (_title, value, wanted) => {
    expect(await one(value)).toEqual(wanted)
  })

  it('takes any bool that is not zero for true, whatever its size', async () => {
    for (const size of [1, 2, 8]) {
      const { events } = await written((chunk) => {
        const value: EvtxValue = { type: 'binary', value: new Uint8Array(size).fill(0xcd) }
        chunk.instance('bool', () => root(chunk, () => chunk.substitution(0, 0x0d)), [value])
        retype(chunk, 0x0e, 0x0d)
      })
      expect(fieldsOf(events[0]).get('V')).toBe('true')
    }
  })
})

/** `<Event>` with one `<Data Name='V'>` around what is written, within a template. */
function root(chunk: ChunkWriter, content: () => void): void {
  chunk.element('Event', NONE, () => {
    chunk.element('EventData', NONE, () => {
      const attributes = [['Name', () => chunk.text('V')]] as const
      chunk.element('Data', { ...NONE, attributes }, content)
    })
  })
}

/** Changes the type of the last value whose type is `from`, in the description in front of the values. */
function retype(chunk: ChunkWriter, from: number, to: number): void {
  for (let at = chunk.at - 1; at > 512; at--) {
    if (chunk.bytes[at] === from && chunk.bytes[at + 1] === 0 && chunk.bytes[at - 1] === 0) {
      chunk.bytes[at] = to
      return
    }
  }
  throw new Error('no such value')
}

describe('names', () => {
  it('makes one list of names that repeat, and of data without a name', async () => {
    const fields = await valuesOf([
      ['A', text('1')],
      ['', text('x')],
      ['A', text('2')],
      ['', text('y')],
      ['A', text('3')],
    ])
    expect(fields.get('A')).toEqual(['1', '2', '3'])
    expect(fields.get('Data')).toEqual(['x', 'y'])
  })

  it('keeps a single datum without a name as a text', async () => {
    expect((await valuesOf([['', text(' x ')]])).get('Data')).toBe(' x ')
  })

  it('takes spaces out of names only', async () => {
    const fields = await valuesOf([['Source Name', text('a b')]])
    expect(fields.get('SourceName')).toBe('a b')
    expect(fields.has('Source Name')).toBe(false)
  })

  it('lets no data pass for a part of the System section', async () => {
    const fields = await valuesOf([
      ['EventID', text('4624')],
      ['Event ID', text('4625')],
      ['Channel', text('Security')],
      ['Provider_Name', text('forged')],
    ])
    expect(fields.get('EventID')).toBe('1')
    expect(fields.get('EventData_EventID')).toEqual(['4624', '4625'])
    expect(fields.get('EventData_Channel')).toBe('Security')
    expect(fields.get('EventData_Provider_Name')).toBe('forged')
    expect(fields.get('Provider_Name')).toBe('Microsoft-Windows-Sysmon')
  })

  it('takes names of object members as plain names', async () => {
    const fields = await valuesOf([
      ['__proto__', text('1')],
      ['constructor', text('2')],
      ['toString', text('3')],
    ])
    expect([fields.get('__proto__'), fields.get('constructor'), fields.get('toString')]).toEqual([
      '1',
      '2',
      '3',
    ])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('flattens UserData to leaf names', async () => {
    const { events } = await decoded(
      writeEvtx([
        sample(1, [], {
          userData: (chunk) => {
            const attributes = [
              ['xmlns', () => chunk.text('http://example.test/ns')],
              ['Kind', () => chunk.text("it's")],
            ] as const
            chunk.element('RuleAndFileData', { attributes }, () => {
              chunk.element('PolicyName', {}, () => chunk.text('EXE'))
              chunk.element('Level', {}, () => chunk.text('7'))
              chunk.element('Empty', {})
              chunk.element('Inner', {}, () => {
                chunk.element('FilePath', {}, () => chunk.text('C:\\a'))
                chunk.element('FilePath', {}, () => chunk.text('C:\\b'))
              })
            })
          },
        }),
      ]),
    )
    const fields = fieldsOf(events[0])
    expect(fields.get('PolicyName')).toBe('EXE')
    expect(fields.get('Level')).toBe('4')
    expect(fields.get('UserData_Level')).toBe('7')
    expect(fields.get('Empty')).toBe('')
    expect(fields.get('FilePath')).toEqual(['C:\\a', 'C:\\b'])
    expect(fields.get('RuleAndFileData_Kind')).toBe("it's")
    expect([...fields.keys()].filter((name) => name.includes('xmlns'))).toEqual([])
  })

  it('keeps rendered texts apart from the facts', async () => {
    const { events } = await written((chunk) => {
      chunk.header()
      chunk.element('Event', {}, () => {
        chunk.element('System', {}, () => {
          chunk.element('EventID', {}, () => chunk.text('4624'))
          chunk.element('Level', {}, () => chunk.text('0'))
        })
        const attributes = [['Culture', () => chunk.text('en-US')]] as const
        chunk.element('RenderingInfo', { attributes }, () => {
          chunk.element('Message', {}, () => chunk.text('An account was logged on.'))
          chunk.element('Level', {}, () => chunk.text('Information'))
          chunk.element('Keywords', {}, () => {
            chunk.element('Keyword', {}, () => chunk.text('Audit Success'))
          })
        })
      })
      chunk.u8(0)
    })
    expect(Object.fromEntries(fieldsOf(events[0]))).toEqual({
      EventID: '4624',
      Level: '0',
      RenderingInfo_Culture: 'en-US',
      Message: 'An account was logged on.',
      RenderingInfo_Level: 'Information',
      RenderingInfo_Keyword: 'Audit Success',
    })
    // Without a TimeCreated the time is that at which the record was written.
    expect(events[0]?.time).toEqual(TIME)
  })

  it('gives the same array of names for events of one shape', async () => {
    const { events } = await decoded(
      writeEvtx([sample(1, [['A', text('1')]]), sample(2, [['A', text('2')]])]),
    )
    expect(events[0]?.names).toBe(events[1]?.names)
  })
})

describe('elements', () => {
  it('reads records without a template, with every kind of content', async () => {
    const { events, rejects } = await written((chunk) => {
      chunk.header()
      chunk.instruction('target', 'some data')
      chunk.element('Event', {}, () => {
        chunk.element('EventData', {}, () => {
          const attributes = [
            [
              'Name',
              () => {
                chunk.text('a')
                chunk.charRef(39)
                chunk.entityRef('quot')
              },
            ],
          ] as const
          chunk.element('Data', { attributes }, () => {
            chunk.text('<')
            chunk.cdata('[x & y]')
            chunk.charRef(0x263a)
            chunk.entityRef('amp')
            chunk.instruction('p', 'q')
            chunk.cdata('a]]>b')
          })
        })
      })
      chunk.u8(0)
    })
    expect(rejects).toEqual([])
    expect(fieldsOf(events[0]).get('a\'"')).toBe('<[x & y]\u263a&a]]>b')
    expect(events[0]?.raw).toContain('<?target some data?><Event>')
    expect(events[0]?.raw).toContain('<![CDATA[[x & y]]]>')
  })

  it('leaves out an element that depends on an absent value', async () => {
    const { events } = await written((chunk) => {
      const body = (): void => {
        chunk.element('Event', NONE, () => {
          chunk.element('EventData', NONE, () => {
            chunk.element('Gone', { dependency: 0 }, () => chunk.substitution(0, 1, true))
            chunk.element('Here', { dependency: 1 }, () => chunk.substitution(1, 1, true))
            chunk.element('Empty', NONE, () => chunk.substitution(0, 1, true))
          })
        })
      }
      chunk.instance('optional', body, [{ type: 'null' }, text('yes')])
    })
    expect(events[0]?.raw).toBe(
      '<Event><EventData><Here>yes</Here><Empty></Empty></EventData></Event>',
    )
    expect(Object.fromEntries(fieldsOf(events[0]))).toEqual({ Here: 'yes', Empty: '' })
  })

  it('repeats an element for each item of an array, together with its attributes', async () => {
    const { events } = await written((chunk) => {
      const body = (): void =>
        chunk.element('Event', NONE, () => {
          chunk.element('EventData', NONE, () => {
            const attributes = [
              ['Name', () => chunk.substitution(0, 1)],
              ['At', () => chunk.substitution(1, 0x84)],
            ] as const
            chunk.element('Data', { ...NONE, attributes }, () => {
              chunk.text('no. ')
              chunk.substitution(2, 0x81)
            })
          })
        })
      chunk.instance('arrays', body, [
        text('V'),
        {
          type: 'array',
          values: [
            { type: 'uint8', value: 7 },
            { type: 'uint8', value: 8 },
          ],
        },
        { type: 'array', values: [text('a'), text('b')] },
      ])
    })
    const fields = fieldsOf(events[0])
    expect(fields.get('V')).toEqual(['no. a', 'no. a', 'no. b', 'no. b'])
    expect(fields.get('Data_At')).toEqual(['7', '8', '7', '8'])
  })

  it('reads XML within values, as template and as plain elements', async () => {
    const inner = (chunk: ChunkWriter): void => {
      chunk.header()
      const body = (): void =>
        chunk.element('EventData', NONE, () => {
          chunk.element('A', NONE, () => chunk.substitution(0, 8))
          chunk.element('B', NONE, () => chunk.substitution(1, 0x21))
        })
      chunk.instance('inner', body, [
        { type: 'uint32', value: 5 },
        { type: 'xml', write: (each) => each.element('C', {}, () => each.text('deep')) },
      ])
      chunk.u8(0)
    }
    const write = (chunk: ChunkWriter): void => {
      chunk.header()
      const body = (): void =>
        chunk.element('Event', { dependency: 0 }, () => chunk.substitution(0, 0x21, true))
      chunk.instance('outer', body, [{ type: 'xml', write: inner }])
      chunk.u8(0)
    }
    const { events } = await decoded(
      writeRecords([1, 2, 3].map((recordId) => ({ recordId, time: TIME, write }))),
    )
    expect(events.length).toBe(3)
    for (const event of events) {
      expect(event.raw).toBe('<Event><EventData><A>5</A><B><C>deep</C></B></EventData></Event>')
      expect(Object.fromEntries(fieldsOf(event))).toEqual({ A: '5', C: 'deep' })
    }
  })
})

describe('many records', () => {
  it('fills as many chunks as are needed and reads them in order', async () => {
    const events = Array.from({ length: 400 }, (_, index) =>
      sample(index + 1, [
        ['CommandLine', text(`cmd.exe /c echo ${index} ${'x'.repeat(index)}`)],
        ['LogonId', { type: 'hexint64', value: BigInt(index) }],
      ]),
    )
    const bytes = writeEvtx(events)
    expect(bytes.length).toBeGreaterThan(4096 + 3 * CHUNK)
    const { events: read, rejects, damage } = await decoded(bytes)
    expect([rejects, damage]).toEqual([[], []])
    expect(read.map((each) => each.record)).toEqual(events.map((each) => each.recordId))
    expect(fieldsOf(read[399]).get('LogonId')).toBe('0x18f')
  })

  it('refuses to write an event that fits no chunk', () => {
    expect(() => writeEvtx([sample(1, [['A', text('x'.repeat(40_000))]])])).toThrow()
  })
})

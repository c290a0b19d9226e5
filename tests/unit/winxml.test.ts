import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { eventXmlReader, winxml } from '../../src/ingest/winxml.ts'
import { escapeAttribute, escapeText, readXml } from '../../src/ingest/xml.ts'
import { type Decoded, decodeAll, fieldsOf } from '../support/decoding.ts'

const NAMESPACE = 'http://schemas.microsoft.com/win/2004/08/events/event'

function event(data: string, number = 7): string {
  return (
    `<Event xmlns='${NAMESPACE}'><System><Provider Name='P' Guid="{A}"/>` +
    `<EventID Qualifiers='16384'>${number}</EventID><Level>4</Level>` +
    `<TimeCreated SystemTime='2020-05-12T08:54:27.646624000Z'/><EventRecordID>99</EventRecordID>` +
    `<Correlation/><Channel>Security</Channel><Computer>HOST</Computer><Security/></System>` +
    `<EventData>${data}</EventData></Event>`
  )
}

const ONE = event("<Data Name='A'>1</Data>")

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function decoded(text: string, size?: number): Promise<Decoded> {
  return decodeAll(winxml, utf8(text), size)
}

function ids(result: Decoded): unknown[] {
  return result.events.map((each) => fieldsOf(each).get('EventID'))
}

describe('one event', () => {
  it('gives the fields that EVTX gives', async () => {
    const { events } = await decoded(ONE)
    expect(events.length).toBe(1)
    expect(events[0]?.kind).toBe('windows')
    expect(events[0]?.raw).toBe(ONE)
    expect(events[0]?.record).toBe(1)
    expect(events[0]?.time).toEqual({ ms: Date.UTC(2020, 4, 12, 8, 54, 27, 646), sub: 6240 })
    expect(events[0]?.host).toBe('HOST')
    expect(Object.fromEntries(fieldsOf(events[0]))).toEqual({
      Provider_Name: 'P',
      Provider_Guid: '{A}',
      EventID_Qualifiers: '16384',
      EventID: '7',
      Level: '4',
      TimeCreated_SystemTime: '2020-05-12T08:54:27.646624000Z',
      EventRecordID: '99',
      Channel: 'Security',
      Computer: 'HOST',
      A: '1',
    })
  })

  it('reads text exactly: references, CDATA, comments, spaces and line ends', async () => {
    const data =
      "<Data Name='A'> a&amp;b &lt;c&gt; &quot;&apos;&#65;&#x1F985; </Data>" +
      "<Data Name='B'><![CDATA[<x> & ]] >]]>tail</Data>" +
      "<Data Name='C'>one<!-- <Data> -->two<?pi x?></Data>" +
      "<Data Name='D'>line 1\r\nline 2\t</Data>" +
      "<Data Name='E'></Data><Data Name='F'/><Data>x</Data><Data> y</Data>"
    const fields = fieldsOf((await decoded(event(data))).events[0])
    expect(fields.get('A')).toBe(' a&b <c> "\'A\u{1f985} ')
    expect(fields.get('B')).toBe('<x> & ]] >tail')
    expect(fields.get('C')).toBe('onetwo')
    expect(fields.get('D')).toBe('line 1\r\nline 2\t')
    expect([fields.get('E'), fields.get('F')]).toEqual(['', ''])
    expect(fields.get('Data')).toEqual(['x', ' y'])
  })

  it('takes no white space of pretty printing for data', async () => {
    const { events } = await decoded(event(ONE).replaceAll('><', '>\r\n  <'))
    const [plain] = (await decoded(event(ONE))).events
    expect(events[0]?.names).toEqual(plain?.names)
    expect(events[0]?.values).toEqual(plain?.values)
  })

  it('keeps names apart that data could take', async () => {
    const data =
      "<Data Name='__proto__'>1</Data><Data Name='Source Name'>2</Data>" +
      "<Data Name='Computer'>3</Data><Data Name='constructor'>4</Data><Binary>00FF</Binary>"
    const fields = fieldsOf((await decoded(event(data))).events[0])
    expect(fields.get('__proto__')).toBe('1')
    expect(fields.get('SourceName')).toBe('2')
    expect([fields.get('Computer'), fields.get('EventData_Computer')]).toEqual(['HOST', '3'])
    expect(fields.get('constructor')).toBe('4')
    expect(fields.get('Binary')).toBe('00FF')
  })
})

describe('framing', () => {
  const three = [1, 2, 3].map((number) => event("<Data Name='A'>x</Data>", number))

  it.each([
    ['run together', three.join('')],
    ['one a line', `${three.join('\r\n')}\r\n`],
    ['wrapped', `<?xml version="1.0" encoding="utf-8"?>\n<Events>\n${three.join('\n')}</Events>\n`],
    ['wrapped with a comment', `<Events xmlns='x'><!-- <Event> -->${three.join('')}</Events>`],
    ['with a byte order mark', `\ufeff${three.join('\n')}`],
    ['each a document', three.map((each) => `<?xml version="1.0"?>${each}`).join('\n')],
  ])('%s', async (_title, text) => {
    for (const size of [65_536, 1, 5, 64]) {
      const result = await decoded(text, size)
      expect([ids(result), result.rejects, result.damage]).toEqual([['1', '2', '3'], [], []])
      expect(result.events.map((each) => each.raw)).toEqual(three)
      expect(result.events.map((each) => each.record)).toEqual([1, 2, 3])
    }
  })

  it('reads UTF-16 of both orders', async () => {
    const text = `\ufeff${event("<Data Name='A'>Привет 🦅</Data>")}\r\n${ONE}`
    const little = Buffer.from(text, 'utf16le')
    for (const bytes of [little, Buffer.from(little).swap16()]) {
      for (const size of [65_536, 1, 3]) {
        const result = await decodeAll(winxml, new Uint8Array(bytes), size)
        expect(result.events.length).toBe(2)
        expect(fieldsOf(result.events[0]).get('A')).toBe('Привет 🦅')
      }
      expect(winxml.detect(new Uint8Array(bytes))).toBe(100)
    }
  })

  it('rejects a bad event with its line and goes on', async () => {
    const bad = event("<Data Name='A'>x</Dat>", 2)
    const result = await decoded(`${three[0]}\n${bad}\n${three[2]}\n`)
    expect(ids(result)).toEqual(['1', '3'])
    expect(result.rejects.length).toBe(1)
    expect(result.rejects[0]?.code).toBe('HR110')
    expect(result.rejects[0]?.reason).toContain('</Dat>')
    expect(result.rejects[0]?.place).toMatch(/^line 2, event 2, character \d+$/)
    expect(result.rejects[0]?.raw).toBe(bad)
  })

  it('begins anew at an event within an event that was cut off', async () => {
    const cut = event('x', 2).slice(0, -30)
    for (const size of [65_536, 1]) {
      const result = await decoded(`${three[0]}${cut}${three[2]}`, size)
      expect(ids(result)).toEqual(['1', '3'])
      expect(result.rejects.map((each) => [each.code, each.raw])).toEqual([['HR110', cut]])
    }
  })

  it('keeps elements named Event within an event', async () => {
    const data = '<Event><Inner>1</Inner></Event><Event/>'
    const result = await decoded(`${event(data, 1)}${three[1]}`)
    expect(ids(result)).toEqual(['1', '2'])
    expect(fieldsOf(result.events[0]).get('Inner')).toBe('1')
  })

  it('takes nothing within CDATA or a comment for an event', async () => {
    const forged = three.join('')
    for (const [open, close] of [
      ['<![CDATA[', ']]>'],
      ['<!--', '-->'],
    ]) {
      for (const size of [65_536, 3]) {
        const result = await decoded(
          `${event(`<Data Name='A'>${open}</Event>${forged}${close}</Data>`, 9)}${three[0]}`,
          size,
        )
        expect([ids(result), result.rejects]).toEqual([['9', '1'], []])
      }
    }
  })

  it('tells once of what stands between events', async () => {
    const result = await decoded(`hello\n<b>x</b>\n${three[0]}\n\ntext &amp; <i/>${three[1]}`)
    expect(ids(result)).toEqual(['1', '2'])
    expect(result.damage.map((each) => [each.code, each.place])).toEqual([
      ['HR114', 'line 1'],
      ['HR114', 'line 5'],
    ])
  })

  it('rejects the event in which a file ends', async () => {
    for (let length = 1; length < ONE.length; length += 7) {
      const result = await decoded(`${three[0]}${ONE.slice(0, length)}`)
      expect(ids(result)).toEqual(['1'])
      expect(result.rejects.length + result.damage.length).toBe(1)
    }
  })

  it('tells of bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(ONE.replace('>1<', '>\xff<'), 'latin1')
    const result = await decodeAll(winxml, new Uint8Array(bytes))
    expect(fieldsOf(result.events[0]).get('A')).toBe('\\xff')
    expect(result.damage.map((each) => each.code)).toEqual(['HR121'])
  })

  it('rejects an event over the size limit and goes on', async () => {
    const block = utf8('x'.repeat(1024 * 1024))
    async function* blocks(): AsyncGenerator<Uint8Array> {
      yield utf8("<Event xmlns='x'><EventData><Data>")
      for (let i = 0; i <= limits.recordBytes / block.length; i++) yield block
      yield utf8(`</Data></EventData></Event>${ONE}`)
    }
    const codes: string[] = []
    let events = 0
    await winxml.decode(
      blocks(),
      {
        event: () => events++,
        reject: (code) => codes.push(code),
        damage: (code) => codes.push(code),
        ready: () => Promise.resolve(),
      },
      { file: 'test', now: { ms: 0, sub: 0 } },
    )
    expect([events, codes]).toEqual([1, ['HR120']])
  })

  it('ends for any input', async () => {
    const pieces = [
      '<',
      '>',
      '</Event>',
      '<Event>',
      '<Event ',
      "'",
      '"',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '/',
      '<System>',
      'a',
      '&',
      '\n',
      '<!DOCTYPE',
      '<Events>',
    ]
    let state = 1
    const next = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 4294967296) * limit)
    }
    for (let i = 0; i < 1500; i++) {
      let text = ''
      for (let k = next(30); k >= 0; k--) text += pieces[next(pieces.length)]
      const whole = await decoded(text)
      const apart = await decoded(text, 1)
      expect(apart).toEqual(whole)
    }
  })
})

describe('refusals', () => {
  it('refuses a file with a document type declaration', async () => {
    const bomb =
      '<?xml version="1.0"?>\n<!DOCTYPE Events [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>' +
      `<Events>${event('<Data>&b;</Data>')}</Events>`
    const result = await decoded(bomb)
    expect(result.events).toEqual([])
    expect(result.rejects.map((each) => [each.code, each.place])).toEqual([['HR111', 'line 2']])
  })

  it.each([
    ['HR112', event('<Data>&xxe;</Data>')],
    ['HR112', event("<Data Name='&b;'>x</Data>")],
    ['HR111', event('<!DOCTYPE a><Data/>')],
    ['HR110', event('<Data>a & b</Data>')],
    ['HR110', event('<Data>&#xD800;</Data>')],
    ['HR110', event('<Data>&#x110000;</Data>')],
    ['HR110', event('<Data>&#;</Data>')],
    ['HR110', event("<Data Name='a<b'>x</Data>")],
    ['HR110', event('<Data Name=a>x</Data>')],
    ['HR110', event('<Data Name>x</Data>')],
    ['HR110', event("<Data Name='a'Type='b'>x</Data>")],
    ['HR110', event('<Data')],
    ['HR110', event('<![INCLUDE[x]]>')],
    ['HR113', event('<E>'.repeat(100) + '</E>'.repeat(100))],
    ['HR113', event('<E>'.repeat(200_000) + '</E>'.repeat(200_000))],
    ['HR124', event(Array.from({ length: 20_001 }, (_, index) => `<F${index}/>`).join(''))],
  ])('%s', async (code, text) => {
    const result = await decoded(`${text}${ONE}`)
    expect(result.rejects.map((each) => each.code)).toEqual([code])
    expect(result.events.length).toBe(1)
  })

  it('takes no long time for texts made to be slow', async () => {
    const many = 100_000
    const texts = [
      event(`<Data ${"a='b' ".repeat(many)}/>`),
      event('<a/>'.repeat(many)),
      event(`<Data>${'&amp;'.repeat(many)}</Data>`),
      event(`<Data>${']]'.repeat(many)}</Data>`),
      '<!--'.repeat(many),
      '<Event'.repeat(many),
      '</Event'.repeat(many),
      `<Event ${"'".repeat(many)}`,
      '<Event>'.repeat(many),
      '<Event/>'.repeat(many),
    ]
    const start = performance.now()
    for (const text of texts) await decoded(text, 1000)
    expect(performance.now() - start).toBeLessThan(10_000)
  }, 30_000)
})

describe('recognition', () => {
  it.each([
    [100, ONE],
    [100, `\n<Events>${ONE}`],
    [95, `<?xml version='1.0'?><Wrapper>${ONE}`],
    [80, '<Event><System/></Event>'],
    [0, '<Events/>'],
    [0, `<html>${'<Event>'}`],
    [0, '{"Event": 1}'],
    [0, ''],
    [0, '<13>Jan 1 host sysmon: <Event><System/></Event>'],
  ])('%s', (sure, text) => {
    expect(winxml.detect(utf8(text))).toBe(sure)
  })
})

describe('the reader of single events', () => {
  it('gives the EventRecordID, and damage in place of fields', () => {
    const read = eventXmlReader()
    expect(read(ONE).record).toBe(99)
    expect(read(ONE).names).toBe(read(ONE).names)
    const bad = read('<Event><System></Event>')
    expect([bad.names, bad.damage?.code]).toEqual([[], 'HR110'])
    expect(read('<Other/>').damage?.reason).toContain('<Other>')
    expect(read('').damage?.reason).toContain('no element')
    expect(read(`${ONE}${ONE}`).damage?.reason).toContain('second element')
  })
})

describe('escaping', () => {
  it('is undone by reading', () => {
    let all = ''
    for (let code = 0; code < 0x300; code++) all += String.fromCharCode(code)
    const seen: string[] = []
    const xml = `<a b='${escapeAttribute(all)}'>${escapeText(all)}</a>`
    const fault = readXml(xml, {
      open: () => {},
      attribute: (_name, value) => seen.push(value),
      text: (value) => seen.push(value),
      close: () => {},
    })
    expect([fault, seen]).toEqual([undefined, [all, all]])
  })
})

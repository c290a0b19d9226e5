import { describe, expect, it } from 'vitest'
import { chooseDecoder, detectFormat } from '../../src/ingest/detect.ts'
import { decoders } from '../../src/ingest/formats.ts'

const samples: readonly (readonly [string, string])[] = [
  ['json', '{"a":1}\n'],
  ['json', '\uFEFF[\n {"a":1}]'],
  ['wintext', '10/09/2020 10:41:26 AM\nLogName=Security\nEventCode=1'],
  ['winxml', '<Events><Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">'],
  ['zeek', '#separator \\x09\n#fields\tts\n'],
  ['w3c', '#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time\r\n'],
  ['auditd', 'type=CWD msg=audit(1364481363.243:1): cwd="/"\n'],
  ['access', '1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 1\n'],
  ['syslog', '<34>Oct 11 22:14:15 host su: x\n'],
  ['syslog', 'Oct 11 22:14:15 host CRON[1]: x\nOct 11 22:14:16 host sshd[2]: y\n'],
  ['csv', 'time,host,user,action\n2024-01-01,a,b,c\n2024-01-02,d,e,f\n'],
  ['csv', 'a;b\n1;2\n'],
  ['text', 'Something happened\nand again\n'],
  ['text', '2024-05-01 10:00:00,123 INFO [main] started, with 5 workers\n'],
  ['text', 'Dear reader, this, is prose.\nIt has commas, of course.\n'],
]

describe('formats', () => {
  it('are told from the first bytes', () => {
    for (const [name, text] of samples) {
      expect([text, detectFormat(Buffer.from(text), decoders)?.name]).toEqual([text, name])
    }
  })

  it('are told in UTF-16 too', () => {
    for (const [name, text] of samples) {
      const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
      expect([text, detectFormat(bytes, decoders)?.name]).toEqual([text, name])
    }
  })

  it('are not told of bytes that are no text', () => {
    expect(detectFormat(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1]), decoders)).toBeUndefined()
  })

  it('have different names', () => {
    expect(new Set(decoders.map(({ name }) => name)).size).toBe(decoders.length)
    for (const { says } of decoders) expect(says.length).toBeGreaterThan(10)
  })
})

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts).toString()
}

async function* bytesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

describe('the choice', () => {
  it('looks ahead without using up the bytes', async () => {
    const text = '{"a":"'.padEnd(200_000, 'x')
    const { decoder, bytes } = await chooseDecoder(
      { path: 'f', bytes: bytesOf('{', text.slice(1)) },
      decoders,
    )
    expect(decoder?.name).toBe('json')
    expect(await collected(bytes)).toBe(text)
  })

  it('follows the name that the user gave', async () => {
    const chosen = await chooseDecoder({ path: 'f', bytes: bytesOf('{}') }, decoders, 'text')
    expect(chosen.decoder?.name).toBe('text')
    const wrong = await chooseDecoder({ path: 'f', bytes: bytesOf('{}') }, decoders, 'xlsx')
    expect(wrong.decoder).toBeUndefined()
    expect(wrong.code).toBe('HR143')
    expect(wrong.problem).toContain('json')
  })

  it('says when no format fits, and takes an empty file for text', async () => {
    const binary = await chooseDecoder({ path: 'f', bytes: bytesOf('\0\0\x01') }, decoders)
    expect([binary.decoder, binary.code]).toEqual([undefined, 'HR142'])
    expect((await chooseDecoder({ path: 'f', bytes: bytesOf() }, decoders)).decoder?.name).toBe(
      'text',
    )
  })
})

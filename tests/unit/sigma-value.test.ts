import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  base64,
  base64Offsets,
  dashCount,
  markDashes,
  textOfBytes,
  utf16Bytes,
  writeDashes,
} from '../../src/dialects/sigma/encoding.ts'
import { readNetwork } from '../../src/dialects/sigma/network.ts'
import {
  anchorTokens,
  dashPattern,
  likePattern,
  plainTokens,
  readText,
  shapeOf,
  type Tokens,
} from '../../src/dialects/sigma/value.ts'

/** Tokens in one line: texts in brackets, wildcards as they are. */
function print(tokens: Tokens): string {
  return tokens
    .map((token) => {
      if (token.kind === 'text') return `<${token.text}>`
      if (token.kind === 'hole') return `{${token.name}}`
      return { run: '*', one: '?', dash: '~' }[token.kind]
    })
    .join('')
}

describe('text values', () => {
  it.each([
    ['', ''],
    ['plain', '<plain>'],
    [' kept ', '< kept >'],
    ['C:\\Win', '<C:\\Win>'],
    ['C:\\\\Win', '<C:\\Win>'],
    ['\\*', '<*>'],
    ['\\?', '<?>'],
    ['\\\\*', '<\\>*'],
    ['\\\\\\*', '<\\*>'],
    ['\\\\\\\\srv', '<\\\\srv>'],
    ['\\\\srv', '<\\srv>'],
    ['x\\', '<x\\>'],
    ['x\\\\', '<x\\>'],
    ['\\%x', '<\\%x>'],
    ['a*b?c', '<a>*<b>?<c>'],
    ['***', '*'],
    ['*?*', '*?*'],
    ['%name%', '<%name%>'],
  ])('reads %s', (written, wanted) => {
    expect(print(readText(written))).toBe(wanted)
  })

  it.each([
    ['%a%', '{a}'],
    ['x%a-b.c_1%y*', '<x>{a-b.c_1}<y>*'],
    ['%a%%b%', '{a}{b}'],
    ['\\%a%', '<%a%>'],
    ['\\\\%a%', '<\\>{a}'],
    ['100% of 5%', '<100% of 5%>'],
    ['%%', '<%%>'],
    ['%a', '<%a>'],
  ])('reads the placeholders of %s', (written, wanted) => {
    expect(print(readText(written, true))).toBe(wanted)
  })

  it.each([
    ['', 'equals', ''],
    ['a', 'equals', 'a'],
    ['a*', 'starts', 'a'],
    ['*a', 'ends', 'a'],
    ['*a*', 'contains', 'a'],
    ['*', 'any', undefined],
    ['**', 'any', undefined],
    ['?', 'like', undefined],
    ['a*b', 'like', undefined],
    ['*a*b*', 'like', undefined],
    ['a?', 'like', undefined],
    ['*a?', 'like', undefined],
  ])('sees the shape of %s', (written, kind, text) => {
    const shape = shapeOf(readText(written))
    expect(shape.kind).toBe(kind)
    expect('text' in shape ? shape.text : undefined).toBe(text)
  })

  it('opens sides after the escapes are settled', () => {
    expect(print(anchorTokens(readText('dir\\'), 'starts'))).toBe('<dir\\>*')
    expect(print(anchorTokens(readText('a'), 'ends'))).toBe('*<a>')
    expect(print(anchorTokens(readText('*a*'), 'contains'))).toBe('*<a>*')
    expect(print(anchorTokens([], 'contains'))).toBe('*')
    expect(print(anchorTokens(readText('a'), undefined))).toBe('<a>')
  })

  it('writes patterns for like', () => {
    expect(likePattern(readText('50%_\\x*?'))).toBe('50\\%\\_\\\\x%_')
  })

  it('never throws, and reads back what it wrote', () => {
    const alphabet = fc.constantFrom(...'\\*?%a-/ é😀\n'.split(''), '\ud800')
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 24 }), fc.boolean(), (parts, holes) => {
        const tokens = readText(parts.join(''), holes)
        const again = tokens
          .map((token) => {
            if (token.kind === 'text') return token.text.replace(/[\\*?]/g, '\\$&')
            return token.kind === 'run' ? '*' : token.kind === 'one' ? '?' : ''
          })
          .join('')
        if (!holes) expect(readText(again)).toEqual(tokens)
        expect(markDashes(tokens).length).toBeGreaterThanOrEqual(tokens.length)
        shapeOf(tokens)
        likePattern(tokens)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('windash', () => {
  it.each([
    ['-foo', '~<foo>'],
    [' /foo', '< >~<foo>'],
    ['-param-name', '~<param-name>'],
    ['--foo', '<->~<foo>'],
    ['a-foo', '<a-foo>'],
    ['-', '<->'],
    ['- foo', '<- foo>'],
    ['é-foo', '<é-foo>'],
    ['-é', '~<é>'],
    ['*-a', '*~<a>'],
    ['a*-', '<a>*<->'],
    ['http://x', '<http:/>~<x>'],
  ])('marks the dashes of %s', (written, wanted) => {
    expect(print(markDashes(readText(written)))).toBe(wanted)
  })

  it('writes five forms for each dash', () => {
    const tokens = markDashes(plainTokens('-a /b'))
    expect(dashCount(tokens)).toBe(25)
    const texts = writeDashes(tokens).map(print)
    expect(new Set(texts).size).toBe(25)
    expect(texts.slice(0, 5)).toEqual(['<-a -b>', '<-a /b>', '<-a –b>', '<-a —b>', '<-a ―b>'])
  })

  it('has a pattern for very many dashes', () => {
    const tokens = anchorTokens(markDashes(readText('-a.b')), 'contains')
    expect(dashPattern(tokens, false)).toBe('(?is)[-/\\x{2013}\\x{2014}\\x{2015}]a\\.b')
    expect(dashPattern(markDashes(readText('?*-a|\n€')), true)).toBe(
      '(?s)^..*[-/\\x{2013}\\x{2014}\\x{2015}]a\\|\\x{a}€$',
    )
  })
})

describe('encodings', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

  it('writes base64 as every other encoder does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        expect(base64(data)).toBe(Buffer.from(data).toString('base64'))
      }),
    )
  })

  it('gives the three offset forms', () => {
    expect(base64Offsets(bytes('foobar'))).toEqual(['Zm9vYmFy', 'Zvb2Jhc', 'mb29iYX'])
    expect(base64Offsets(utf16Bytes('foo', 'le'))).toEqual(['ZgBvAG8A', 'YAbwBvA', 'mAG8Abw'])
  })

  it('finds the value at any place inside a longer text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 5 }),
        fc.uint8Array({ minLength: 3, maxLength: 12 }),
        fc.uint8Array({ maxLength: 5 }),
        (before, value, after) => {
          const whole = Buffer.from([...before, ...value, ...after]).toString('base64')
          expect(base64Offsets(value).some((form) => whole.includes(form))).toBe(true)
        },
      ),
    )
  })

  it('writes UTF-16', () => {
    expect([...utf16Bytes('aé', 'le')]).toEqual([0x61, 0, 0xe9, 0])
    expect([...utf16Bytes('aé', 'be')]).toEqual([0, 0x61, 0, 0xe9])
    expect([...utf16Bytes('a', 'bom')]).toEqual([0xff, 0xfe, 0x61, 0])
    expect(textOfBytes(utf16Bytes('ab', 'le'))).toBe('a\0b\0')
    expect(textOfBytes(utf16Bytes('é', 'le'))).toBeUndefined()
  })
})

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.1.2.3/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::1', '0:0:0:0:0:0:0:1/128'],
    ['::/0', '0:0:0:0:0:0:0:0/0'],
    ['FE80::/10', 'fe80:0:0:0:0:0:0:0/10'],
    ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2:3:4:5:6/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0/128'],
    ['::ffff:1.2.3.4/96', '0:0:0:0:0:ffff:102:304/96'],
  ])('reads %s', (written, wanted) => {
    expect(readNetwork(written)).toBe(wanted)
  })

  it.each([
    '',
    '10.0.0',
    '10.0.0.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    '/8',
    '192.168.*',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::8',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::/129',
    'localhost',
  ])('refuses %s', (written) => {
    expect(readNetwork(written)).toBeUndefined()
  })
})

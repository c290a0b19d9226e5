import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, line, pad, safeCut, safeLines, safeText, widthOf } from '../../src/cli/text.ts'

describe('safeText', () => {
  it.each([
    ['plain text', 'plain text'],
    ['C:\\Users\\x', 'C:\\Users\\x'],
    ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['\x1b]8;;http://evil\x07link\x1b]8;;\x07', '\\x1b]8;;http://evil\\x07link\\x1b]8;;\\x07'],
    ['\x1b]52;c;ZWNobw==\x07', '\\x1b]52;c;ZWNobw==\\x07'],
    ['a\nb\r\nc\td\0', 'a\\nb\\r\\nc\\td\\x00'],
    ['\x7f\x80\x9b31m\x9d0;t\x9c', '\\x7f\\x80\\x9b31m\\x9d0;t\\x9c'],
    ['user\u202egpj.exe', 'user\\u202egpj.exe'],
    ['\u2066a\u2069\u061c\u200f', '\\u2066a\\u2069\\u061c\\u200f'],
    ['a\u200bb\u00adc\ufeffd\u2060e\u3164', 'a\\u200bb\\xadc\\ufeffd\\u2060e\\u3164'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
    ['naïve Ωmega 日本語 😀 ❤\ufe0f', 'naïve Ωmega 日本語 😀 ❤\ufe0f'],
  ])('shows case %# as escapes', (raw, shown) => {
    expect(safeText(raw)).toBe(shown)
  })

  it('keeps four stacked marks and shows the rest', () => {
    expect(safeText(`a${'\u0301'.repeat(6)}`)).toBe(`a${'\u0301'.repeat(4)}\\u0301\\u0301`)
  })

  it('never leaves a control, a bidi control or a line break, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (raw) => {
        expect(safeText(raw)).not.toMatch(
          /[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
        )
      }),
    )
  })

  it('keeps line feeds and tabs where lines are wanted', () => {
    expect(safeLines('a\r\n\tb\x1b[0m\u202e\r')).toBe('a\n\tb\\x1b[0m\\u202e\\r')
  })

  it('makes every value of a line safe', () => {
    expect(line`rule ${'a\x1b[2J'} fired ${3} times`).toBe('rule a\\x1b[2J fired 3 times')
  })
})

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['ｆｕｌｌ', 8],
    ['🇸🇪', 2],
    ['한글', 4],
    ['◆ critical', 10],
    ['', 0],
  ])('%j takes %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  it('cuts to the width and says so', () => {
    expect(cut('abcdef', 6)).toBe('abcdef')
    expect(cut('abcdefg', 6)).toBe('abcde…')
    expect(cut('日本語', 4)).toBe('日…')
    expect(cut('日本語', 5)).toBe('日本…')
    expect(cut('abc', 1)).toBe('…')
    expect(cut('abc', 0)).toBe('')
    expect(cut('e\u0301e\u0301e\u0301', 3)).toBe('e\u0301e\u0301e\u0301')
  })

  it('never exceeds the width asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.nat(40), (raw, width) => {
        expect(widthOf(safeCut(raw, width))).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('reads only the start of a very long text', () => {
    const long = 'x'.repeat(50_000_000)
    expect(safeCut(long, 20)).toBe(`${'x'.repeat(19)}…`)
    expect(safeCut(`a${'\u0301'.repeat(5_000)}`, 30)).toMatch(/…$/)
  })

  it('pads on either side', () => {
    expect(pad('日', 4)).toBe('日  ')
    expect(pad('7', 3, 'right')).toBe('  7')
    expect(pad('toolong', 3)).toBe('toolong')
  })
})

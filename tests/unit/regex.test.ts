import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkRegex } from '../../src/core/regex.ts'

const value = (pattern: string): string | undefined => checkRegex(pattern).value
const code = (pattern: string): string | undefined => checkRegex(pattern).diagnostics[0]?.code
const place = (pattern: string): string | undefined => {
  const span = checkRegex(pattern).diagnostics[0]?.span
  return span && pattern.slice(span.start, span.end)
}

describe('checkRegex', () => {
  it('puts the flags in front', () => {
    expect(checkRegex('a').value).toBe('(?-s)a')
    expect(checkRegex('a', { i: true }).value).toBe('(?i-s)a')
    expect(checkRegex('a', { m: true }).value).toBe('(?m-s)a')
    expect(checkRegex('a', { s: true }).value).toBe('(?s)a')
    expect(checkRegex('a', { i: true, m: true, s: true }).value).toBe('(?ims)a')
  })

  it.each([
    ['', ''],
    ['abc.*\\d+\\w?\\s*', 'abc.*\\d+\\w?\\s*'],
    ['^a|b$', '^a|b$'],
    ['(a)(?:b)', '(a)(?:b)'],
    ['a||b()', 'a||b()'],
    ['a{2}b{2,}c{0,3}?', 'a{2}b{2,}c{0,3}?'],
    ['\\/\\-\\"\\<\\_', '\\/\\-\\"\\<_'],
    ['\\e\\cA\\cz\\a', '\\x{1B}\\x{1}\\x{1A}\\x{7}'],
    ['\\u00e9\\xe9\\x{e9}', 'ééé'],
    ['\\u00e9+\\x{1F600}?', '\\x{E9}+\\x{1F600}?'],
    ['\\ud83d\\ude00\\U0001F600\\u{1F600}', '😀😀😀'],
    ['\\0\\012\\101', '\\x{0}\\x{A}A'],
    ['\\Qa.b\\Ec', 'a\\.bc'],
    ['\\Qa.b', 'a\\.b'],
    ['a\\Eb', 'ab'],
    ['[a-z0-9_]', '[a-z0-9_]'],
    ['[^]a]', '[^\\]a]'],
    ['[]a]', '[\\]a]'],
    ['[a-]', '[a\\-]'],
    ['[-a]', '[\\-a]'],
    ['[\\d-x]', '[\\d\\-x]'],
    ['[\\b\\1]', '[\\x{8}\\x{1}]'],
    ['[[:alpha:][:^digit:]]', '[[:alpha:][:^digit:]]'],
    ['[à-ÿ]', '[à-ÿ]'],
    ['\\pL\\p{^Greek}\\P{Lu}', '\\p{L}\\P{Greek}\\P{Lu}'],
    ['(?P<n>a)(?<m_1>b)', '(a)(b)'],
    ["(?'n'a)", '(a)'],
    ['(?i)a(?i:b)(?s-i:c)', '(?i)a(?i:b)(?s-i:c)'],
    ['a(?#note)*b', 'a*b'],
    ['é*', '\\x{E9}*'],
    ['aé', 'aé'],
    ['x{', 'x\\{'],
    ['x{a}{}', 'x\\{a\\}\\{\\}'],
    ['(?i)^\\w+@[\\w-]+\\.com$', '(?i)^\\w+\\@[\\w\\-]+\\.com$'],
    ['(x{20}){50}', '(x{20}){50}'],
  ])('reads %s', (pattern, wanted) => {
    expect(value(pattern)).toBe(`(?-s)${wanted}`)
  })

  it.each([
    ['a(?=b)', 'HR601', '(?='],
    ['a(?!b)', 'HR601', '(?!'],
    ['(?<=a)b', 'HR601', '(?<='],
    ['(?<!a)b', 'HR601', '(?<!'],
    ['(a)\\1', 'HR602', '\\1'],
    ['(a)\\12', 'HR602', '\\1'],
    ['(?<n>a)\\k<n>', 'HR602', '\\k'],
    ['(a)\\g1', 'HR602', '\\g'],
    ['(?P=n)', 'HR602', '(?P='],
    ['a++', 'HR603', '++'],
    ['a*+', 'HR603', '*+'],
    ['a{2}+', 'HR603', '{2}+'],
    ['(?>a)', 'HR603', '(?>'],
    ['(?(1)a|b)', 'HR604', '(?('],
    ['(?R)', 'HR604', '(?R'],
    ['(?1)', 'HR604', '(?1'],
    ['(?&n)', 'HR604', '(?&'],
    ['(?|a|b)', 'HR604', '(?|'],
    ['\\g<n>', 'HR604', '\\g<'],
    ['(*UTF8)a', 'HR604', '(*U'],
    ['\\G', 'HR605', '\\G'],
    ['a\\Kb', 'HR605', '\\K'],
    ['\\R', 'HR605', '\\R'],
    ['\\X', 'HR605', '\\X'],
    ['\\h', 'HR605', '\\h'],
    ['a\\Z', 'HR605', '\\Z'],
    ['\\v', 'HR605', '\\v'],
    ['\\y', 'HR605', '\\y'],
    ['\\x9', 'HR605', '\\x'],
    ['\\x{110000}', 'HR605', '\\x{110000}'],
    ['\\ud83d', 'HR605', '\\ud83d'],
    ['\\c', 'HR605', '\\c'],
    ['[\\A]', 'HR605', '\\A'],
    ['[\\Qa\\E]', 'HR605', '\\Q'],
    ['a{1001}', 'HR606', '{1001}'],
    ['(a{40}){30}', 'HR606', '{30}'],
    ['(?x)a', 'HR607', '(?x'],
    ['(?i-x:a)', 'HR607', '(?i-x'],
    ['\\p{Emoji}', 'HR608', '\\p{Emoji}'],
    ['\\p{L', 'HR608', '\\p{L'],
    ['\\pL{1000}', 'HR609', '\\pL{1000}'],
    ['(a', 'HR600', '('],
    ['a)', 'HR600', ')'],
    ['[a', 'HR600', '['],
    ['[]', 'HR600', '['],
    ['a\\', 'HR600', '\\'],
    ['*a', 'HR600', '*'],
    ['a|*', 'HR600', '*'],
    ['(?i)*', 'HR600', '*'],
    ['a**', 'HR600', '*'],
    ['a{2}{3}', 'HR600', '{'],
    ['a{3,2}', 'HR600', '{3,2}'],
    ['a{,2}', 'HR600', '{,2}'],
    ['[z-a]', 'HR600', 'z-a'],
    ['[a-\\d]', 'HR600', 'a-\\d'],
    ['[[:foo:]]', 'HR600', '[:foo:]'],
    ['[[.x.]]', 'HR600', '[.x.]'],
    ['(?<1>a)', 'HR600', '(?<1>'],
    ['(?<n>a)(?<n>b)', 'HR600', '(?<n>'],
    ['(?i-)a', 'HR600', '(?i-)'],
    ['(?', 'HR600', '('],
    ['(?#a', 'HR600', '(?#'],
    ['\ud800', 'HR600', '\ud800'],
  ])('refuses %s', (pattern, wanted, text) => {
    expect(value(pattern)).toBeUndefined()
    expect(code(pattern)).toBe(wanted)
    expect(place(pattern)).toBe(text)
  })

  it('says what to write instead', () => {
    expect(checkRegex('a\\Z').diagnostics[0]?.hint).toBe('write \\z for the very end, or \\n?\\z')
  })

  it('bounds length and nesting', () => {
    expect(code('a'.repeat(4_097))).toBe('HR004')
    expect(code('é'.repeat(2_049))).toBe('HR004')
    expect(value('a'.repeat(4_096))).toBeDefined()
    expect(value(`${'('.repeat(200)}a${')'.repeat(200)}`)).toBeDefined()
    expect(code(`${'('.repeat(201)}a${')'.repeat(201)}`)).toBe('HR004')
  })

  it('counts what repeats write out', () => {
    expect(value('\\w{1000}')).toBeDefined()
    expect(value('.{1000}.{1000}')).toBeDefined()
    expect(code('(?:\\p{L}{30}){30}')).toBe('HR609')
    expect(code(`${'.{1000}'.repeat(40)}`)).toBe('HR609')
  })

  it('never throws', () => {
    const alphabet = fc.constantFrom(
      ...'()[]{}|*+?\\^$.-:=!<>#,012xuUpPQEkgcdwsbBAzZimaZé😀'.split(''),
      '(?',
      '(?<',
      '[:alpha:]',
      '[^',
      '\\p{L}',
      '{2,3}',
      '\\x{',
      '\ud800',
    )
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 30 }), (parts) => {
        const { value: found, diagnostics } = checkRegex(parts.join(''))
        expect(found === undefined).toBe(diagnostics.length > 0)
      }),
      { numRuns: 2_000 },
    )
  })
})

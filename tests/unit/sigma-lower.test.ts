import { describe, expect, it } from 'vitest'
import { lowerSigma } from '../../src/dialects/sigma/lower.ts'
import { parseSigma } from '../../src/dialects/sigma/rule.ts'
import { checkRel } from '../../src/functions/check.ts'
import { printExpr, printRel } from '../../src/ir/print.ts'
import { visitExpr } from '../../src/ir/walk.ts'
import { lowerDetection, lowerField, ruleText } from '../support/sigma.ts'

const list = (key: string, ...values: readonly string[]): string =>
  [`${key}:`, ...values.map((value) => `  - ${value}`)].join('\n')

describe('values', () => {
  it.each([
    ['F: cmd.exe', 'match.equals(F, "cmd.exe")'],
    ["F: ' a '", 'match.equals(F, " a ")'],
    ["F: ''", 'match.equals(F, "")'],
    ['F: null', 'value.is_null(F)'],
    ['F:', 'value.is_null(F)'],
    ['F: []', 'value.is_null(F)'],
    ['F: 5', 'match.equals(F, "5")'],
    ["F: '5'", 'match.equals(F, "5")'],
    ['F: -1', 'match.equals(F, "-1")'],
    ['F: 0x1', 'match.equals(F, "0x1")'],
    ['F: 1.0', 'match.equals(F, "1.0")'],
    ['F: 00000429', 'match.equals(F, "00000429")'],
    ['F: 18446744073709551615', 'match.equals(F, "18446744073709551615")'],
    ['F: true', 'match.equals(F, "true")'],
    ['F: True', 'match.equals(F, "true")'],
    ['F: 2026-01-31', 'match.equals(F, "2026-01-31")'],
    ["F: '*'", 'value.has_value(F)'],
    ['F: a*', 'match.starts(F, "a")'],
    ["F: '*a'", 'match.ends(F, "a")'],
    ["F: '*a*'", 'match.contains(F, "a")'],
    ['F: a*b?c', 'match.like(F, "a%b_c")'],
    ["F: 'a_%\\*b*c'", 'match.like(F, "a\\\\_\\\\%*b%c")'],
    ["F: 'C:\\x\\\\'", 'match.equals(F, "C:\\\\x\\\\")'],
    ['F G: 1', 'match.equals(FG, "1")'],
    ['a.b-c: 1', 'match.equals(`a.b-c`, "1")'],
    ['F*: 1', 'match.equals(`F*`, "1")'],
  ])('lowers %s', (line, wanted) => {
    const { expr, codes } = lowerField(line)
    expect(codes).toEqual([])
    expect(expr?.replaceAll('","', '", "')).toBe(wanted)
  })

  it('groups a list by shape', () => {
    const { expr } = lowerField(
      list('F', 'a', "'b*'", "'*c'", "'*d*'", "'e*f'", 'g', "'h*'", "'*i'", "'*j*'", "'?'", '1'),
    )
    expect(expr).toBe(
      'logic.or(match.in(F, ["a","g","1"]), match.starts_any(F, ["b","h"]), match.ends_any(F, ["c","i"]), match.contains_any(F, ["d","j"]), match.like(F, "e%f"), match.like(F, "_"))',
    )
  })

  it('keeps a rule of thousands of values flat', () => {
    const values = Array.from({ length: 4_432 }, (_, index) => `'\\driver${index}.sys'`)
    const { rules } = parseSigma(
      ruleText(
        `  sel:\n    ImageLoaded|endswith:\n${values.map((each) => `      - ${each}`).join('\n')}\n  condition: sel`,
      ),
    )
    const rule = rules[0]?.rule
    const lowered = rule && lowerSigma(rule, { placeholders: new Map() }).value
    let nodes = 0
    if (lowered) visitExpr(lowered.where, () => nodes++)
    expect(nodes).toBe(3)
    expect(lowered && lowered.where.op === 'call' && lowered.where.fn).toBe('match.ends_any')
  })

  it('ors null in a list, with a warning', () => {
    const { expr, codes } = lowerField(list('F', 'a', 'null'))
    expect(expr).toBe('logic.or(match.equals(F, "a"), value.is_null(F))')
    expect(codes).toEqual(['HR326'])
    const empty = lowerField('F:\n  - a\n  -\n  - b')
    expect(empty.codes).toEqual(['HR326'])
    expect(empty.diagnostics[0]?.span?.start).toBeGreaterThan(50)
    expect(lowerField(list('F', 'null')).codes).toEqual([])
  })

  it('ands the keys of a map and ors a list of maps', () => {
    expect(lowerField('A: 1\nB: 2').expr).toBe(
      'logic.and(match.equals(A, "1"), match.equals(B, "2"))',
    )
    expect(lowerField('- A: 1\n  B: 2\n- C: 3').expr).toBe(
      'logic.or(logic.and(match.equals(A, "1"), match.equals(B, "2")), match.equals(C, "3"))',
    )
  })

  it('makes a negation true for a missing field by plain logic', () => {
    const { expr } = lowerDetection(
      '  a:\n    A: 1\n  b:\n    B: null\n  condition: not a and not b',
    )
    expect(expr).toBe('logic.and(logic.not(match.equals(A, "1")), logic.not(value.is_null(B)))')
  })

  it.each([
    ['F:\n  a: b', 'HR322'],
    ['F:\n  - a\n  - [b]', 'HR322'],
    ['F: "\\ud800"', 'HR327'],
  ])('refuses %j', (line, code) => {
    const { expr, codes } = lowerField(line)
    expect(expr).toBeUndefined()
    expect(codes).toEqual([code])
  })

  it.each([
    ['  sel: {}', 'HR321'],
    ['  sel: []', 'HR321'],
    ['  sel:', 'HR321'],
  ])('refuses the empty selection %j', (selection, code) => {
    expect(lowerDetection(`${selection}\n  condition: sel`).codes).toContain(code)
  })
})

describe('text modifiers', () => {
  it.each([
    ['F|contains: a', 'match.contains(F, "a")'],
    ["F|startswith: 'C:\\'", 'match.starts(F, "C:\\\\")'],
    ["F|startswith: 'C:\\\\'", 'match.starts(F, "C:\\\\")'],
    ["F|endswith: '\\cmd.exe'", 'match.ends(F, "\\\\cmd.exe")'],
    ["F|contains: 'a*b'", 'match.like(F, "%a%b%")'],
    ["F|startswith: 'a*'", 'match.starts(F, "a")'],
    ["F|contains: '*a'", 'match.contains(F, "a")'],
    ["F|contains: ''", 'value.has_value(F)'],
    ["F|endswith: ''", 'value.has_value(F)'],
    ["F|contains: '5'", 'match.contains(F, "5")'],
    ['F|contains: 2024-01-01', 'match.contains(F, "2024-01-01")'],
    ['F|contains: 00429', 'match.contains(F, "00429")'],
    [list('F|contains', 'a', 'b'), 'match.contains_any(F, ["a","b"])'],
    [list('F|contains|all', 'a', 'b'), 'logic.and(match.contains(F, "a"), match.contains(F, "b"))'],
    [list('F|all|contains', 'a', 'b'), 'logic.and(match.contains(F, "a"), match.contains(F, "b"))'],
    ['F|contains|all: a', 'match.contains(F, "a")'],
    [list('F|all', "'*a*'", 'b'), 'logic.and(match.contains(F, "a"), match.equals(F, "b"))'],
    ['F|cased: A', 'match.equals_cased(F, "A")'],
    ['F|contains|cased: A', 'match.contains_cased(F, "A")'],
    [list('F|endswith|cased', 'A', 'b'), 'match.ends_any_cased(F, ["A","b"])'],
    ['F|cased: A*b', 'match.like_cased(F, "A%b")'],
    [list('F|cased', 'A', 'B'), 'match.in_cased(F, ["A","B"])'],
    ['F|neq: a', 'logic.not(match.equals(F, "a"))'],
    ['F|neq: 5', 'logic.not(match.equals(F, "5"))'],
    ['F|neq: null', 'logic.not(value.is_null(F))'],
    [list('F|neq', 'a', 'b'), 'logic.not(match.in(F, ["a","b"]))'],
    [list('F|contains|neq', 'a', 'b'), 'logic.not(match.contains_any(F, ["a","b"]))'],
  ])('lowers %s', (line, wanted) => {
    const { expr, codes } = lowerField(line)
    expect(codes).toEqual([])
    expect(expr).toBe(wanted)
  })

  it('writes the five dashes', () => {
    expect(lowerField("F|contains|windash: ' -a'").expr).toBe(
      'match.contains_any(F, [" -a"," /a"," –a"," —a"," ―a"])',
    )
    expect(lowerField("F|windash|contains: ' /a'").expr).toBe(
      'match.contains_any(F, [" -a"," /a"," –a"," —a"," ―a"])',
    )
    expect(lowerField('F|windash: a').expr).toBe('match.equals(F, "a")')
    const all = lowerField(list('F|windash|contains|all', '-a', '-b')).expr
    expect(all?.match(/match\.contains_any/g)).toHaveLength(2)
  })

  it('makes a pattern of more than five dashes', () => {
    const five = lowerField("F|windash: '-a -b -c -d -e'").expr ?? ''
    expect(five.split(',')).toHaveLength(3_126)
    const six = lowerField("F|windash|contains: '-a -b -c -d -e -f'").expr ?? ''
    expect(six.startsWith('match.regex(F, "(?is)[-/\\\\x{2013}')).toBe(true)
    const cased = lowerField("F|windash|cased: '-a -b -c -d -e -f*'").expr ?? ''
    expect(cased.startsWith('match.regex(F, "(?s)^[-/')).toBe(true)
    expect(lowerField(`F|windash: '${'-a '.repeat(300)}'`).codes).toEqual(['HR004'])
  })

  it('encodes in base64 with case', () => {
    expect(lowerField('F|base64: foobar').expr).toBe('match.equals_cased(F, "Zm9vYmFy")')
    expect(lowerField('F|base64|contains: foo').expr).toBe('match.contains_cased(F, "Zm9v")')
    expect(lowerField('F|base64offset|contains: foobar').expr).toBe(
      'match.contains_any_cased(F, ["Zm9vYmFy","Zvb2Jhc","mb29iYX"])',
    )
    for (const wide of ['wide', 'utf16le']) {
      expect(lowerField(`F|${wide}|base64offset|contains: foo`).expr).toBe(
        'match.contains_any_cased(F, ["ZgBvAG8A","YAbwBvA","mAG8Abw"])',
      )
    }
    expect(lowerField('F|utf16be|base64: a').expr).toBe('match.equals_cased(F, "AGE=")')
    expect(lowerField('F|utf16|base64: a').expr).toBe('match.equals_cased(F, "//5hAA==")')
    expect(lowerField("F|base64: 'a\\*'").expr).toBe('match.equals_cased(F, "YSo=")')
    expect(lowerField("F|windash|base64|contains: ' -a'").expr).toContain(
      'match.contains_any_cased',
    )
  })

  it('writes UTF-16 alone when it is text', () => {
    expect(lowerField('F|wide: ab*').expr).toBe('match.starts(F, "a\\u0000b\\u0000")')
    expect(lowerField('F|utf16be: a').expr).toBe('match.equals(F, "\\u0000a")')
    expect(lowerField('F|wide: é').codes).toEqual(['HR350'])
    expect(lowerField('F|utf16: a').codes).toEqual(['HR350'])
  })

  it.each([
    ["F|base64: 'a*'", 'HR348'],
    ["F|base64offset|contains: 'a?b'", 'HR348'],
    ["F|base64: ''", 'HR349'],
    ["F|base64offset|contains: ''", 'HR349'],
    ["F|windash|base64: '-a -b -c -d -e -f'", 'HR004'],
    ['F|contains: 5', 'HR347'],
    ['F|contains: true', 'HR347'],
    ['F|startswith: null', 'HR347'],
    ['F|endswith: []', 'HR347'],
    ['F|base64: 5', 'HR347'],
    ['F|re: 5', 'HR347'],
    ['F|cidr: 5', 'HR347'],
    ['F|cased: 5', 'HR347'],
    ["F|gt: '5'", 'HR347'],
    ['F|lt: a', 'HR347'],
    ['F|lt: 1e999', 'HR347'],
    ['F|lt: 18446744073709551615', 'HR347'],
    ['F|lt: 0x10', 'HR347'],
    ['F|hour: a', 'HR347'],
    ['F|hour: 1.5', 'HR356'],
    ["F|exists: 'true'", 'HR347'],
    ['F|exists: a', 'HR347'],
    ['F|exists: [true, false]', 'HR354'],
    ["F|fieldref: ' '", 'HR355'],
    ['F|fieldref: 5', 'HR347'],
  ])('refuses %s', (line, code) => {
    const { expr, codes } = lowerField(line)
    expect(expr).toBeUndefined()
    expect(codes).toEqual([code])
  })

  it('says which value is wrong, and where', () => {
    const found = lowerField(list('F|contains|all', 'a', '429'))
    expect(found.places).toEqual(['429'])
    expect(found.diagnostics[0]?.message).toBe('"contains|all" takes text, not 429')
  })

  it('bounds the length of a value with wildcards', () => {
    expect(lowerField(`F: 'a*${'b'.repeat(20_000)}?'`).codes).toEqual(['HR004'])
    expect(lowerField(`F: '${'b'.repeat(20_000)}'`).codes).toEqual([])
  })
})

describe('regular expressions', () => {
  it.each([
    ["F|re: 'a.*b'", 'match.regex(F, "(?-s)a.*b")'],
    ["F|re|i: 'a'", 'match.regex(F, "(?i-s)a")'],
    ["F|re|i|m|s: 'a'", 'match.regex(F, "(?ims)a")'],
    ["F|re|ignorecase|multiline|dotall: 'a'", 'match.regex(F, "(?ims)a")'],
    ["F|re|neq: 'a'", 'logic.not(match.regex(F, "(?-s)a"))'],
    ["F|re: ''", 'match.regex(F, "(?-s)")'],
    [list('F|re', 'a', 'b'), 'logic.or(match.regex(F, "(?-s)a"), match.regex(F, "(?-s)b"))'],
    [list('F|re|all', 'a', 'b'), 'logic.and(match.regex(F, "(?-s)a"), match.regex(F, "(?-s)b"))'],
  ])('lowers %s', (line, wanted) => {
    const { expr, codes } = lowerField(line)
    expect(codes).toEqual([])
    expect(expr).toBe(wanted)
  })

  it('says that sides change nothing', () => {
    const { expr, codes } = lowerField('F|re|endswith: a')
    expect(expr).toBe('match.regex(F, "(?-s)a")')
    expect(codes).toEqual(['HR345'])
  })

  it('points into the pattern', () => {
    const found = lowerField("F|re: 'ab(?=c)'")
    expect(found.codes).toEqual(['HR601'])
    expect(found.places).toEqual(['(?='])
    expect(lowerField('F|re: "a\\\\b(?=c)"').places).toEqual(['a\\\\b(?=c)'])
  })
})

describe('networks, numbers, presence and other fields', () => {
  it.each([
    ['F|cidr: 10.0.0.0/8', 'match.cidr_any(F, ["10.0.0.0/8"])'],
    ['F|cidr: 10.1.2.3', 'match.cidr_any(F, ["10.1.2.3/32"])'],
    ["F|cidr: '::1'", 'match.cidr_any(F, ["0:0:0:0:0:0:0:1/128"])'],
    [
      list('F|cidr', '10.0.0.0/8', "'fe80::/10'"),
      'match.cidr_any(F, ["10.0.0.0/8","fe80:0:0:0:0:0:0:0/10"])',
    ],
    [
      list('F|cidr|all', '10.0.0.0/8', '10.1.0.0/16'),
      'logic.and(match.cidr_any(F, ["10.0.0.0/8"]), match.cidr_any(F, ["10.1.0.0/16"]))',
    ],
    ['F|cidr|neq: 10.0.0.0/8', 'logic.not(match.cidr_any(F, ["10.0.0.0/8"]))'],
    ['F|lt: 5', 'number.lt(F, 5)'],
    ['F|lte: 5.5', 'number.lte(F, 5.5)'],
    ['F|gt: -5', 'number.gt(F, -5)'],
    ['F|gte: 0', 'number.gte(F, 0)'],
    ['F|gt: 1.50', 'number.gt(F, 1.5)'],
    ['F|gt: 1e3', 'number.gt(F, 1000)'],
    ['F|hour: 08', 'number.eq(time.part(F, "hour"), 8)'],
    [list('F|gt', '5', '7'), 'logic.or(number.gt(F, 5), number.gt(F, 7))'],
    [list('F|gt|all', '5', '7'), 'logic.and(number.gt(F, 5), number.gt(F, 7))'],
    ['F|hour: 8', 'number.eq(time.part(F, "hour"), 8)'],
    ['F|hour|neq: 8', 'logic.not(number.eq(time.part(F, "hour"), 8))'],
    ['F|minute|gte: 8', 'number.gte(time.part(F, "minute"), 8)'],
    ['F|lt|week: 8', 'number.lt(time.part(F, "week"), 8)'],
    ['F|day: 1', 'number.eq(time.part(F, "day"), 1)'],
    ['F|month: 1', 'number.eq(time.part(F, "month"), 1)'],
    ['F|year: 2026', 'number.eq(time.part(F, "year"), 2026)'],
    ['F|exists: true', 'value.exists(F)'],
    ['F|exists: yes', 'value.exists(F)'],
    ['F|exists: false', 'logic.not(value.exists(F))'],
    ['F|exists: no', 'logic.not(value.exists(F))'],
    ['F|fieldref: G', 'match.same(F, G)'],
    ['F|fieldref: G H', 'match.same(F, GH)'],
    ['F|fieldref|startswith: G', 'match.same_start(F, G)'],
    ['F|fieldref|endswith: G', 'match.same_end(F, G)'],
    ['F|contains|fieldref: G', 'match.same_part(F, G)'],
    [
      'F|fieldref|neq: G',
      'logic.and(value.has_value(F), value.has_value(G), logic.not(match.same(F, G)))',
    ],
    [
      list('F|fieldref|neq', 'G', 'H'),
      'logic.and(value.has_value(F), value.has_value(G), logic.not(match.same(F, G)), value.has_value(F), value.has_value(H), logic.not(match.same(F, H)))',
    ],
    [list('F|fieldref', 'G', 'H'), 'logic.or(match.same(F, G), match.same(F, H))'],
    [
      'F|fieldref|startswith|neq: G',
      'logic.and(value.has_value(F), value.has_value(G), logic.not(match.same_start(F, G)))',
    ],
  ])('lowers %s', (line, wanted) => {
    const { expr, codes } = lowerField(line)
    expect(codes).toEqual([])
    expect(expr).toBe(wanted)
  })

  it('refuses what is no network', () => {
    const found = lowerField(list('F|cidr', '10.0.0.0/8', "'192.168.*'"))
    expect(found.codes).toEqual(['HR351'])
    expect(found.places).toEqual(['192.168.*'])
  })
})

describe('keywords', () => {
  const keywords = (lines: string) => lowerDetection(`${lines}\n  condition: keywords`)

  it.each([
    ['  keywords: word', 'match.contains(row.values(), "word")'],
    ['  keywords:\n    - a\n    - 5', 'match.contains_any(row.values(), ["a","5"])'],
    ['  keywords:\n    - a*b', 'match.like(row.values(), "%a%b%")'],
    [
      "  keywords:\n    '|all':\n      - a\n      - b",
      'logic.and(match.contains(row.values(), "a"), match.contains(row.values(), "b"))',
    ],
    ["  keywords:\n    '|contains': a", 'match.contains(row.values(), "a")'],
    ["  keywords:\n    '|re': a.b", 'match.regex(row.values(), "(?-s)a.b")'],
    ["  keywords:\n    '|cased': A", 'match.contains_cased(row.values(), "A")'],
    ["  keywords:\n    '|neq': a", 'logic.not(match.contains(row.values(), "a"))'],
    [
      '  keywords:\n    - a\n    - F: 1',
      'logic.or(match.contains(row.values(), "a"), match.equals(F, "1"))',
    ],
    ["  keywords:\n    - 'a*'", 'match.contains(row.values(), "a")'],
  ])('lowers %j', (lines, wanted) => {
    const { expr, codes } = keywords(lines)
    expect(codes).toEqual([])
    expect(expr).toBe(wanted)
  })

  it('warns of a keyword that every event meets', () => {
    const { expr, codes } = keywords("  keywords:\n    - ''")
    expect(expr).toBe('true')
    expect(codes).toEqual(['HR323'])
  })

  it.each([
    ["  keywords:\n    '|startswith': a", 'HR343'],
    ["  keywords:\n    '|endswith': a", 'HR343'],
    ["  keywords:\n    '|cidr': 10.0.0.0/8", 'HR343'],
    ["  keywords:\n    '|exists': true", 'HR343'],
    ["  keywords:\n    '|gt': 5", 'HR343'],
    ["  keywords:\n    '|fieldref': F", 'HR343'],
    ["  keywords:\n    '|hour': 5", 'HR343'],
    ['  keywords:\n    - null', 'HR347'],
    ["  keywords:\n    '|all': []", 'HR347'],
  ])('refuses %j', (lines, code) => {
    const { expr, codes } = keywords(lines)
    expect(expr).toBeUndefined()
    expect(codes).toContain(code)
  })
})

describe('placeholders', () => {
  const options = {
    placeholders: new Map<string, readonly (string | number)[]>([
      ['admins', ['root', 'adm*', 5]],
      ['nets', ['10.0.0.0/8', '::1']],
      ['one', ['x.y']],
      ['none', []],
    ]),
  }

  it.each([
    ["F|expand: '%one%'", 'match.equals(F, "x.y")'],
    ["F|expand: '%admins%'", 'logic.or(match.in(F, ["root","5"]), match.starts(F, "adm"))'],
    ["F|contains|expand: '%one%'", 'match.contains(F, "x.y")'],
    ["F|expand: 'a-%one%-b*'", 'match.starts(F, "a-x.y-b")'],
    ["F|expand: '\\%one%'", 'match.equals(F, "%one%")'],
    ["F: '%one%'", 'match.equals(F, "%one%")'],
    ["F|cidr|expand: '%nets%'", 'match.cidr_any(F, ["10.0.0.0/8","0:0:0:0:0:0:0:1/128"])'],
    ["F|re|expand: '^%one%$'", 'match.regex(F, "(?-s)^x.y$")'],
    ["F|expand|base64: '%one%'", 'match.equals_cased(F, "eC55")'],
    ["'|expand': '%one%'", 'match.contains(row.values(), "x.y")'],
    [
      "F|expand: '%one%%admins%'",
      'logic.or(match.in(F, ["x.yroot","x.y5"]), match.starts(F, "x.yadm"))',
    ],
  ])('lowers %s', (line, wanted) => {
    const { expr, codes } = lowerField(line, options)
    expect(codes.filter((code) => code !== 'HR353')).toEqual([])
    expect(expr).toBe(wanted)
  })

  it.each(['%other%', '%Admins%', '%none%', 'a%other%b', '%DC-NAME%'])('refuses %s', (written) => {
    const found = lowerField(`F|expand: '${written}'`, options)
    expect(found.expr).toBeUndefined()
    expect(found.codes).toEqual(['HR352'])
    expect(found.diagnostics[0]?.message).toContain(`"${/%.*%/.exec(written)?.[0]}"`)
  })

  it('refuses them inside patterns and networks too', () => {
    expect(lowerField("F|re|expand: '%other%'", options).codes).toEqual(['HR352'])
    expect(lowerField("F|cidr|expand: '%other%'", options).codes).toEqual(['HR352'])
  })

  it('warns when there is nothing to expand', () => {
    expect(lowerField('F|expand: plain', options).codes).toEqual(['HR353'])
  })

  it('bounds what they multiply to', () => {
    const many = { placeholders: new Map([['n', Array.from({ length: 400 }, (_, n) => n)]]) }
    expect(lowerField("F|expand: '%n%'", many).codes).toEqual([])
    expect(lowerField("F|expand: '%n%-%n%'", many).codes).toEqual(['HR004'])
    expect(lowerField(list('F|expand', ...Array(300).fill("'%n%'")), many).codes).toEqual(['HR004'])
  })
})

describe('lowerSigma', () => {
  const text = `title: T
logsource:
  product: windows
  service: security
detection:
  selection:
    EventID: 4688
    Image|endswith: '\\cmd.exe'
  filter:
    User|fieldref: Owner
  words:
    - needle
  condition: selection and words and not filter
`
  const rule = parseSigma(text).rules[0]?.rule
  const lowered = rule && lowerSigma(rule, { placeholders: new Map() }).value

  it('makes a scan of the view of the log source, and a filter', () => {
    expect(lowered && printRel(lowered.rel)).toBe(
      [
        'filter logic.and(match.equals(EventID, "4688"), match.ends(Image, "\\\\cmd.exe"), match.contains(row.values(), "needle"), logic.not(match.same(User, Owner)))',
        '  scan view sigma:windows/-/security',
      ].join('\n'),
    )
    expect(lowered?.logsource).toEqual({ product: 'windows', service: 'security' })
  })

  it('tells its fields, keywords and selections', () => {
    expect(lowered?.fields).toEqual(['EventID', 'Image', 'User', 'Owner'])
    expect(lowered?.keywords).toBe(true)
    expect(
      lowered?.selections.map(({ name, expr, span }) => [
        name,
        printExpr(expr),
        text.slice(span.start, span.end).split('\n')[0],
      ]),
    ).toEqual([
      [
        'selection',
        'logic.and(match.equals(EventID, "4688"), match.ends(Image, "\\\\cmd.exe"))',
        'selection:',
      ],
      ['filter', 'match.same(User, Owner)', 'filter:'],
      ['words', 'match.contains(row.values(), "needle")', 'words:'],
    ])
  })

  it('uses only functions that there are', () => {
    const known = lowered ? checkRel(lowered.rel) : []
    expect(known.filter((each) => !each.message.includes('row.values'))).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Condition,
  namesOf,
  parseCondition,
  scopeOf,
} from '../../src/dialects/sigma/condition.ts'
import { lowerDetection, lowerText, ruleText } from '../support/sigma.ts'

const NAMES = ['sel_a', 'sel_b', 'filter_main', 'keywords', '_hidden', '_other', 'a-b.c']
const place = (start: number, end: number) => ({ start, end })

function print(condition: Condition): string {
  switch (condition.op) {
    case 'selection':
      return condition.name
    case 'not':
      return `not(${print(condition.part)})`
    case 'and':
    case 'or':
      return `${condition.op}(${condition.parts.map(print).join(' ')})`
    case 'some':
    case 'every':
      return `${condition.op}[${condition.names.join(' ')}]`
  }
}

function parse(text: string, names: readonly string[] = NAMES) {
  const { condition, diagnostics } = parseCondition(text, scopeOf(names), place)
  return {
    tree: condition && print(condition),
    codes: diagnostics.map((each) => each.code),
    places: diagnostics.map((each) => text.slice(each.span?.start, each.span?.end)),
    hints: diagnostics.map((each) => each.hint),
  }
}

describe('conditions', () => {
  it.each([
    ['sel_a', 'sel_a'],
    ['  sel_a ', 'sel_a'],
    ['a-b.c', 'a-b.c'],
    ['sel_a and sel_b', 'and(sel_a sel_b)'],
    ['sel_a or sel_b or keywords', 'or(sel_a sel_b keywords)'],
    ['not sel_a', 'not(sel_a)'],
    ['not not sel_a', 'not(not(sel_a))'],
    ['sel_a and not sel_b', 'and(sel_a not(sel_b))'],
    ['sel_a or sel_b and keywords', 'or(sel_a and(sel_b keywords))'],
    ['not sel_a and sel_b', 'and(not(sel_a) sel_b)'],
    ['not sel_a or sel_b', 'or(not(sel_a) sel_b)'],
    ['(sel_a or sel_b) and keywords', 'and(or(sel_a sel_b) keywords)'],
    ['not (sel_a or sel_b)', 'not(or(sel_a sel_b))'],
    ['((sel_a))', 'sel_a'],
    ['(sel_a)and(not(sel_b))', 'and(sel_a not(sel_b))'],
    ['sel_a\n  and\tsel_b', 'and(sel_a sel_b)'],
    ['1 of sel_*', 'some[sel_a sel_b]'],
    ['any of sel_*', 'some[sel_a sel_b]'],
    ['all of sel_*', 'every[sel_a sel_b]'],
    ['not 1 of filter_*', 'not(some[filter_main])'],
    ['1 of *_a', 'some[sel_a]'],
    ['1 of s*_*b', 'some[sel_b]'],
    ['1 of *e*', 'some[sel_a sel_b filter_main keywords]'],
    ['1 of sel_a', 'some[sel_a]'],
    ['all of them', 'every[sel_a sel_b filter_main keywords a-b.c]'],
    ['1 of *', 'some[sel_a sel_b filter_main keywords a-b.c]'],
    ['1 of _*', 'some[_hidden _other]'],
    ['all of _h*', 'every[_hidden]'],
    ['_hidden', '_hidden'],
    ['1 of sel_* and not 1 of filter_*', 'and(some[sel_a sel_b] not(some[filter_main]))'],
  ])('reads %s', (text, wanted) => {
    const { tree, codes } = parse(text)
    expect(codes).toEqual([])
    expect(tree).toBe(wanted)
  })

  it.each([
    ['', 'HR330', ''],
    ['sel_a sel_b', 'HR330', 'sel_b'],
    ['sel_a and', 'HR330', 'd'],
    ['and sel_a', 'HR330', 'and'],
    ['(sel_a', 'HR330', 'a'],
    ['sel_a)', 'HR330', ')'],
    ['()', 'HR330', ')'],
    ['them', 'HR330', 'them'],
    ['all sel_*', 'HR330', 'all'],
    ['1 of', 'HR330', 'f'],
    ['1 of (sel_a)', 'HR330', '('],
    ['sel_a AND sel_b', 'HR331', 'AND'],
    ['NOT sel_a', 'HR331', 'NOT'],
    ['sel_a Or sel_b', 'HR331', 'Or'],
    ['1 OF sel_*', 'HR331', 'OF'],
    ['All of sel_*', 'HR331', 'All'],
    ['1 of THEM', 'HR331', 'THEM'],
    ['sel_c', 'HR332', 'sel_c'],
    ['Sel_a', 'HR332', 'Sel_a'],
    ['1 of nothing_*', 'HR333', 'nothing_*'],
    ['1 of sel', 'HR333', 'sel'],
    ['2 of sel_*', 'HR334', '2'],
    ['0 of them', 'HR334', '0'],
    ['few of them', 'HR334', 'few'],
    ['sel_a | count() by User > 5', 'HR335', '|'],
    ['sel_a | near sel_b', 'HR335', '|'],
    ['sel_*', 'HR336', 'sel_*'],
  ])('refuses %s', (text, code, where) => {
    const { tree, codes, places } = parse(text)
    expect(tree).toBeUndefined()
    expect(codes).toEqual([code])
    expect(places).toEqual([where])
  })

  it('suggests what may be meant', () => {
    expect(parse('sel_c').hints).toEqual(['did you mean "sel_a"?'])
    expect(parse('nothing', ['one', 'two']).hints).toEqual(['the rule has "one", "two"'])
    expect(parse('a AND b', ['a', 'b']).hints).toEqual(['write "and"'])
  })

  it('goes on after a wrong name, and stops after ten', () => {
    expect(parse('x1 and sel_a or x2').codes).toEqual(['HR332', 'HR332'])
    expect(parse(Array(50).fill('x').join(' or ')).codes).toHaveLength(10)
  })

  it('takes a selection with the name of a word in capitals', () => {
    expect(parse('OR', ['OR']).tree).toBe('OR')
  })

  it('bounds nesting and length', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}sel_a${')'.repeat(depth)}`
    expect(parse(nested(200)).tree).toBe('sel_a')
    expect(parse(nested(201)).codes).toEqual(['HR004'])
    expect(parse(`${'not '.repeat(201)}sel_a`).codes).toEqual(['HR004'])
    expect(parse('sel_a or '.repeat(8_000)).codes).toEqual(['HR004'])
  })

  it('lists the names that it uses', () => {
    const { condition } = parseCondition(
      '(sel_a or not keywords) and 1 of f*',
      scopeOf(NAMES),
      place,
    )
    expect([...namesOf(condition ?? { op: 'and', parts: [], span: place(0, 0) })]).toEqual([
      'sel_a',
      'keywords',
      'filter_main',
    ])
  })

  it('never throws on any words', () => {
    const word = fc.constantFrom(
      ...['and', 'or', 'not', 'of', 'them', 'all', 'any', '1', '2', 'AND', '(', ')', '|', '*'],
      ...['sel_a', 'sel_*', '_*', 'x', '-', '"', '\n', '\u00a0', '😀'],
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.boolean(), (words, spaced) => {
        const { condition, diagnostics } = parseCondition(
          words.join(spaced ? ' ' : ''),
          scopeOf(NAMES),
          place,
        )
        expect(condition === undefined).toBe(diagnostics.length > 0)
      }),
      { numRuns: 3_000 },
    )
  })

  it('prints and reads back the same tree', () => {
    const leaf = fc.constantFrom('sel_a', 'sel_b', '1 of sel_*', 'all of them')
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} and ${b})`),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} or ${b})`),
        tie('tree').map((a) => `(not ${a})`),
      ),
    }))
    fc.assert(
      fc.property(tree, (text) => {
        expect(parse(`((${text}))`).tree).toBe(parse(text).tree)
        expect(parse(text).codes).toEqual([])
      }),
    )
  })
})

describe('conditions of a rule', () => {
  it('fires when any condition of a list holds', () => {
    const { expr } = lowerDetection(`
      a:
        A: 1
      b:
        B: 2
      condition:
        - a
        - not b`)
    expect(expr).toBe('logic.or(match.equals(A, "1"), logic.not(match.equals(B, "2")))')
  })

  it('keeps a selection whole under all of', () => {
    const { expr } = lowerDetection(`
      sel_1:
        - A: 1
        - B: 2
      sel_2:
        C: 3
      condition: all of sel_*`)
    expect(expr).toBe(
      'logic.and(logic.or(match.equals(A, "1"), match.equals(B, "2")), match.equals(C, "3"))',
    )
  })

  it('warns of selections that are not used', () => {
    const found = lowerDetection(`
      a:
        A: 1
      b:
        B|contains: 2
      condition: a`)
    expect(found.expr).toBe('match.equals(A, "1")')
    expect(found.codes).toEqual(['HR324'])
    expect(found.places).toEqual(['b'])
  })

  it('notes that a timeframe is not used', () => {
    const found = lowerDetection(`
      a:
        A: 1
      timeframe: 5m
      condition: a`)
    expect(found.expr).toBe('match.equals(A, "1")')
    expect(found.codes).toEqual(['HR325'])
    expect(found.diagnostics[0]?.severity).toBe('notice')
  })

  it.each([
    ['  a:\n    A: 1', 'HR301'],
    ['  a:\n    A: 1\n  condition:', 'HR301'],
    ['  a:\n    A: 1\n  condition: []', 'HR301'],
    ['  a:\n    A: 1\n  condition: 1', 'HR302'],
    ['  a:\n    A: 1\n  condition: [[a]]', 'HR302'],
    ['  a:\n    A: 1\n  condition:\n    a: b', 'HR302'],
    ['  condition: a', 'HR320'],
  ])('refuses the detection %j', (detection, code) => {
    const { expr, codes } = lowerDetection(detection)
    expect(expr).toBeUndefined()
    expect(codes).toContain(code)
  })

  it('finds places inside folded and quoted conditions', () => {
    const folded = ruleText('  a:\n    A: 1\n  condition: >-\n    a and\n    wrong_name')
    expect(lowerText(folded).places).toEqual(['wrong_name'])
    const quoted = ruleText('  a:\n    A: 1\n  condition: "a \\x61nd b\\"c"')
    expect(lowerText(quoted).codes).toEqual(['HR332'])
  })

  it('refuses very many selections and very long names', () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `  s${index}:\n    A: 1`).join('\n')
    expect(lowerDetection(`${many}\n  condition: 1 of them`).codes).toEqual(['HR004'])
    const long = 'n'.repeat(300)
    expect(lowerDetection(`  ${long}:\n    A: 1\n  condition: ${long}`).codes).toEqual(['HR004'])
  })

  it('refuses a rule that would become too large', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => `      - v${index}`).join('\n')
    const uses = Array(60).fill('(not a)').join(' or ')
    const { expr, codes } = lowerDetection(`  a:\n    A:\n${values}\n  condition: ${uses}`)
    expect(expr).toBeUndefined()
    expect(codes).toEqual(['HR004'])
  })

  it('bounds the length of a list of conditions', () => {
    const one = Array(5_000).fill('a').join(' or ')
    const list = Array(4).fill(`    - ${one}`).join('\n')
    const { codes } = lowerDetection(`  a:\n    A: 1\n  condition:\n${list}`)
    expect(codes).toEqual(['HR004'])
  })
})

import { describe, expect, it } from 'vitest'
import { type Matcher, readModifiers } from '../../src/dialects/sigma/modifiers.ts'
import { lowerField } from '../support/sigma.ts'

function read(chain: string, hasField = true) {
  let at = 0
  const uses = (chain === '' ? [] : chain.split('|')).map((name) => {
    const start = at
    at += name.length + 1
    return { name, span: { start, end: start + name.length } }
  })
  const { matcher, diagnostics } = readModifiers(uses, hasField)
  return {
    matcher,
    codes: diagnostics.map((each) => each.code),
    places: diagnostics.map((each) => chain.slice(each.span?.start, each.span?.end)),
    hints: diagnostics.map((each) => each.hint),
  }
}

describe('modifiers', () => {
  const cases: readonly (readonly [string, Partial<Matcher>])[] = [
    ['', { kind: 'text', all: false, negated: false, takes: ['text', 'number', 'bool', 'null'] }],
    ['contains', { kind: 'text', anchor: 'contains', takes: ['text'] }],
    ['startswith', { anchor: 'starts' }],
    ['endswith|all', { anchor: 'ends', all: true }],
    ['all', { all: true, takes: ['text', 'number', 'bool', 'null'] }],
    ['neq', { negated: true }],
    ['cased|contains', { cased: true, anchor: 'contains' }],
    ['windash|contains|all', { dashes: true, all: true }],
    ['contains|expand', { expands: true, anchor: 'contains' }],
    ['re|i|s', { kind: 'regex', flags: { i: true, s: true } }],
    ['re|ignorecase|m', { flags: { i: true, m: true } }],
    ['re|multiline|dotall', { flags: { m: true, s: true } }],
    ['all|re', { kind: 'regex', all: true }],
    ['base64', { base64: 'whole', cased: true }],
    ['wide|base64offset|contains', { utf16: 'le', base64: 'offset', cased: true }],
    ['utf16le|base64', { utf16: 'le' }],
    ['utf16be|base64', { utf16: 'be' }],
    ['utf16|base64', { utf16: 'bom' }],
    ['expand|windash|wide|base64|contains', { expands: true, dashes: true }],
    ['cidr', { kind: 'network' }],
    ['expand|cidr|neq', { kind: 'network', expands: true, negated: true }],
    ['fieldref|neq', { kind: 'field', negated: true }],
    ['fieldref|startswith', { kind: 'field', anchor: 'starts' }],
    ['gte', { kind: 'compare', comparison: 'gte', takes: ['number'] }],
    ['hour|lt', { kind: 'compare', comparison: 'lt', part: 'hour' }],
    ['lt|hour', { kind: 'compare', comparison: 'lt', part: 'hour' }],
    ['year|neq', { kind: 'compare', part: 'year', negated: true }],
    ['exists', { kind: 'exists', takes: ['bool'] }],
  ]
  it.each(cases)('reads %j', (chain, wanted) => {
    const { matcher, codes } = read(chain)
    expect(codes).toEqual([])
    expect(matcher).toMatchObject(wanted)
  })

  it.each([
    ['contain', 'HR340', 'contain'],
    ['Contains', 'HR340', 'Contains'],
    ['', 'HR340', ''],
    ['contains|startswith', 'HR341', 'startswith'],
    ['contains|contains', 'HR341', 'contains'],
    ['all|neq', 'HR341', 'neq'],
    ['re|contains|cidr', 'HR341', 'cidr'],
    ['re|cased', 'HR341', 'cased'],
    ['re|windash', 'HR341', 'windash'],
    ['re|base64', 'HR341', 'base64'],
    ['re|i|ignorecase', 'HR341', 'ignorecase'],
    ['re|re', 'HR341', 're'],
    ['cidr|contains', 'HR341', 'contains'],
    ['exists|all', 'HR341', 'all'],
    ['exists|neq', 'HR341', 'neq'],
    ['gt|neq', 'HR341', 'neq'],
    ['gt|lt', 'HR341', 'lt'],
    ['hour|day', 'HR341', 'day'],
    ['gt|contains', 'HR341', 'contains'],
    ['fieldref|cased', 'HR341', 'cased'],
    ['fieldref|gt', 'HR341', 'gt'],
    ['wide|utf16be|base64', 'HR341', 'utf16be'],
    ['base64|base64offset', 'HR341', 'base64offset'],
    ['contains|base64offset', 'HR342', 'base64offset'],
    ['base64|wide', 'HR342', 'wide'],
    ['base64|windash', 'HR342', 'windash'],
    ['wide|expand|base64', 'HR342', 'expand'],
    ['i|re', 'HR342', 're'],
    ['i', 'HR344', 'i'],
    ['contains|multiline', 'HR344', 'multiline'],
  ])('refuses %j', (chain, code, place) => {
    const uses = chain === '' ? [{ name: '', span: { start: 0, end: 0 } }] : undefined
    const found = uses ? readModifiers(uses, true) : undefined
    const { matcher, codes, places } = found
      ? { matcher: found.matcher, codes: found.diagnostics.map((each) => each.code), places: [''] }
      : read(chain)
    expect(matcher).toBeUndefined()
    expect(codes[0]).toBe(code)
    expect(places[0]).toBe(place)
  })

  it('suggests the modifier that may be meant', () => {
    expect(read('contain').hints).toEqual(['did you mean "contains"?'])
    expect(read('base64ofset').hints).toEqual(['did you mean "base64offset"?'])
    expect(read('zzzzzzzz').hints).toEqual(['see the list of modifiers'])
  })

  it('warns of combinations that may not say what is meant', () => {
    expect(read('re|contains').codes).toEqual(['HR345'])
    expect(read('base64offset').codes).toEqual(['HR346'])
    expect(read('base64offset').matcher).toBeDefined()
  })

  it('knows which modifiers need a field', () => {
    expect(read('contains|all', false).codes).toEqual([])
    expect(read('re|i', false).codes).toEqual([])
    expect(read('startswith', false).codes).toEqual(['HR343'])
    expect(read('cidr', false).codes).toEqual(['HR343'])
  })

  it('points into the key', () => {
    const found = lowerField('Image|contians: a')
    expect(found.codes).toEqual(['HR340'])
    expect(found.places).toEqual(['contians'])
    expect(lowerField("'Image|contians': a").places).toEqual(['contians'])
  })

  it('bounds the number of modifiers', () => {
    expect(lowerField(`F${'|all'.repeat(17)}: a`).codes).toEqual(['HR004'])
  })
})

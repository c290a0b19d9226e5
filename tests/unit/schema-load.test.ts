/** The schema reader: families, recognisers, mini-languages, and located refusals. */
import { describe, expect, it } from 'vitest'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { printExpr } from '../../src/ir/print.ts'
import { readSchema } from '../../src/schema/load.ts'

function load(text: string) {
  return readSchema([{ path: 'a.yml', text }])
}

/** The condition and the mapping of a single part over source `s`. */
function part(where: string, fields = '{}') {
  const text = `
sources: [{ name: s, title: S }]
logsources: [{ product: p, title: P, parts: { source: s, where: ${where}, fields: ${fields} } }]
`
  const { value, diagnostics } = load(text)
  const [only] = value?.logsources[0]?.view.parts ?? []
  const mapped = [...(only?.fields ?? [])].map(([name, each]) => `${name} = ${printExpr(each)}`)
  return {
    where: only && printExpr(only.where),
    fields: mapped,
    says: diagnostics.map((each) => `${each.code} ${each.message}`),
  }
}

const value = (text: string): string => part('{}', `{ f: ${text} }`).fields[0] ?? 'nothing'

describe('where', () => {
  it.each([
    ['{}', 'true'],
    ['{ EventID: 1 }', 'match.equals(EventID, "1")'],
    [
      '{ EventID: [1, 2], x: yes }',
      'logic.and(match.in(EventID, ["1","2"]), match.equals(x, "yes"))',
    ],
    [
      '{ a: { contains: b, endswith: [c, d] } }',
      'logic.and(match.contains(a, "b"), match.ends_any(a, ["c","d"]))',
    ],
    ['{ a: { startswith: b } }', 'match.starts(a, "b")'],
    ['{ a: { matches: "x+" } }', 'match.regex(a, "x+")'],
    [
      '{ a: { exists: true }, b: { exists: false } }',
      'logic.and(value.has_value(a), logic.not(value.has_value(b)))',
    ],
    [
      '{ any: [{ a: 1 }, { b: 2, c: 3 }] }',
      'logic.or(match.equals(a, "1"), logic.and(match.equals(b, "2"), match.equals(c, "3")))',
    ],
    [
      '{ not: { a: 1 }, all: [{ b: 1 }, { b: 2 }] }',
      'logic.and(logic.not(match.equals(a, "1")), match.equals(b, "1"), match.equals(b, "2"))',
    ],
  ])('%s', (text, expected) => {
    expect(part(text)).toEqual({ where: expected, fields: [], says: [] })
  })
})

describe('fields', () => {
  it.each([
    ['g', 'g'],
    ['{ field: g }', 'g'],
    ['{ const: x }', '"x"'],
    ["{ join: [a, { const: '\\' }, b] }", 'text.join(a, "\\\\", b)'],
    ['{ first: [a, b] }', 'value.first(a, b)'],
    ['{ lines: [a, b] }', 'text.lines(a, b)'],
    ['{ any: [a, { hex: b }] }', 'list.of(a, a[], text.hex_to_decimal(b))'],
    ['{ dword: a }', 'text.dword(a)'],
    ['{ map: a, values: { "1": one, two: "2" } }', 'value.map(a, ["1","two"], ["one","2"])'],
    [
      '{ prefix: a, replace: { x: y, z: w } }',
      'text.replace_prefix(text.replace_prefix(a, "x", "y"), "z", "w")',
    ],
    ['{ between: a, after: "u=", before: ";" }', 'text.between(a, "u=", ";")'],
    ['{ drop_end: a, end: . }', 'text.drop_end(a, ".")'],
    ['{ words: argv }', 'value.first(list.join(argv[], " "), argv)'],
    ['{ item: Data, at: 2 }', 'list.at(Data[], 2)'],
    [
      '{ case: [{ where: { a: 1 }, gives: b }], otherwise: c }',
      'case(match.equals(a, "1") -> b, c)',
    ],
    ['{ case: { where: { a: 1 }, gives: b } }', 'case(match.equals(a, "1") -> b, null)'],
  ])('%s', (text, expected) => {
    expect(value(text)).toBe(`f = ${expected}`)
  })
})

describe('sources', () => {
  it('takes what a family shares, and one recogniser for each way to write it', () => {
    const { value: catalogue, diagnostics } = load(`
families:
  w: { by: [Channel, LogName], spell: ['X:'], order: EventID, plain: [Message], host: [Computer] }
sources:
  - { name: w.a, title: A, family: w, is: [One], plain: [Data], recognise: { kind: [json, csv], where: { T: [1] }, has: [b] } }
`)
    expect(diagnostics).toEqual([])
    expect(catalogue?.sources.get('w.a')).toEqual({
      name: 'w.a',
      title: 'A',
      order: 'EventID',
      host: ['Computer'],
      plain: ['Data', 'Message'],
      recognise: [
        { where: { Channel: ['One', 'X:One'] } },
        { where: { LogName: ['One', 'X:One'] } },
        { kind: 'json', where: { T: ['1'] }, has: ['b'] },
        { kind: 'csv', where: { T: ['1'] }, has: ['b'] },
      ],
    })
  })

  it('lets files use names of other files, and parts take sources by their beginning', () => {
    const { value: catalogue, diagnostics } = readSchema([
      {
        path: 'a.yml',
        text: 'logsources: [{ product: w, title: W, source: w.* }, { service: m, title: M, parts: { source: w.a, use: one, fields: { b: c } } }]',
      },
      {
        path: 'b.yml',
        text: 'sources: [{ name: w.a, title: A }, { name: w.b, title: B }, { name: wa, title: C }]',
      },
      { path: 'c.yml', text: 'mappings: { one: { a: x, b: y } }' },
    ])
    expect(diagnostics).toEqual([])
    expect(catalogue?.logsources[0]?.view.parts.map((each) => each.source)).toEqual(['w.a', 'w.b'])
    const fields = catalogue?.logsources[1]?.view.parts[0]?.fields ?? new Map()
    expect([...fields].map(([name, each]) => `${name}=${printExpr(each)}`)).toEqual(['a=x', 'b=c'])
  })
})

describe('refusals', () => {
  it.each([
    ['sources: [{ name: s, title: S, tilte: T }]', 'HR201', 'unknown key "tilte"'],
    ['soruces: []', 'HR201', 'unknown key "soruces"'],
    ['sources: [{ name: s }]', 'HR203', 'a source lacks "title"'],
    ['sources: [{ name: Bad-Name, title: S }]', 'HR206', '"Bad-Name" is not a source name'],
    [
      'sources: [{ name: s, title: S }, { name: s, title: S }]',
      'HR204',
      'source "s" is declared twice',
    ],
    [
      'sources: [{ name: s, title: S, rename: { a: b, b: c } }]',
      'HR207',
      '"a" is renamed onto "b"',
    ],
    ['sources: [{ name: s, title: S, family: f }]', 'HR205', 'no family "f"'],
    ['sources: [{ name: s, title: S, is: x }]', 'HR203', 'lacks "family"'],
    ['sources: [{ name: s, title: S, rawIsText: 1 }]', 'HR202', 'true or false'],
    ['sources: [{ name: s, title: S, recognise: { kinds: x } }]', 'HR201', 'unknown key "kinds"'],
    ['sources: text', 'HR202', 'a source must be a map'],
    ['logsources: [{ product: p, title: P }]', 'HR203', 'lacks "parts"'],
    ['logsources: [{ title: P, parts: [] }]', 'HR203', 'lacks "product"'],
    ['logsources: [{ product: p, title: P, source: nope }]', 'HR205', 'no source "nope"'],
    [
      'sources: [{ name: web.access, title: S }]\nlogsources: [{ product: p, title: P, source: web.acces }]',
      'HR205',
      'did you mean "web.access"',
    ],
    [
      'sources: [{ name: s, title: S }]\nlogsources: [{ product: p, title: P, source: s }, { product: P, title: Q, source: s }]',
      'HR204',
      'log source "sigma:p/-/-" is declared twice',
    ],
    [
      'sources: [{ name: s, title: S }]\nlogsources: [{ product: p, title: P, parts: { source: s, use: m } }]',
      'HR205',
      'no mapping "m"',
    ],
    ['a: &x 1\nb: *x', 'HR200', 'cannot be read'],
    ['sources: [', 'HR200', 'cannot be read'],
  ])('%s', (text, code, says) => {
    const { value: catalogue, diagnostics } = load(text)
    expect(catalogue).toBeUndefined()
    const [first] = diagnostics
    expect(first?.code).toBe(code)
    expect(first?.message).toContain(says)
    expect(first?.message.startsWith('a.yml')).toBe(true)
    expect(first?.severity).toBe('error')
    expect(first?.span).toBeDefined()
  })

  it.each([
    ['{ a: { like: b } }', '{}', 'HR201'],
    ['{ a: { exists: maybe } }', '{}', 'HR202'],
    ['{ a: [{ b: c }] }', '{}', 'HR202'],
    ['[1]', '{}', 'HR202'],
    ['{}', '{ f: { nope: x } }', 'HR201'],
    ['{}', '{ f: {} }', 'HR201'],
    ['{}', '{ f: { map: a } }', 'HR203'],
    ['{}', '{ f: { map: a, values: {}, more: 1 } }', 'HR201'],
    ['{}', '{ f: { item: a, at: 0 } }', 'HR202'],
    ['{}', '{ f: { case: [{ gives: a }] } }', 'HR203'],
    ['{}', '{ f: null }', 'HR202'],
  ])('where %s, fields %s', (where, fields, code) => {
    expect(part(where, fields).says[0]?.slice(0, 5)).toBe(code)
  })

  it('points at the place', () => {
    const text = 'sources:\n  - name: s\n    title: S\n    plian: [x]\n'
    const { diagnostics } = load(text)
    const [first] = diagnostics
    expect(first && renderDiagnostic(first, text, 'a.yml')).toContain('a.yml:4:5:')
  })
})

/** Searches, macros and rows that are written to break the compiler, the engine or the plan. */
import { describe, expect, it } from 'vitest'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { Macro, World } from '../../src/dialects/spl/world.ts'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const bare = (macros: readonly Macro[] = []): World => ({
  macro: (name, args) => macros.find((each) => each.name === name && each.args.length === args),
  macroNames: () => macros.map(({ name }) => name),
  events: () => ({ typeOf: () => 'text', names: [] }),
  dataset: () => undefined,
  datasetNames: () => [],
  lookup: () => undefined,
  lookupNames: () => [],
})

const codeOf = (text: string, macros?: readonly Macro[]): string | undefined =>
  compileSpl(text, { world: bare(macros) }).diagnostics.find(({ severity }) => severity === 'error')
    ?.code

describe('searches that grow', () => {
  it('are stopped where macros double each other', () => {
    const macros = Array.from({ length: 30 }, (_, at): Macro => {
      const definition = at === 0 ? 'a=1 '.repeat(20) : `\`m${at - 1}\` \`m${at - 1}\``
      return { name: `m${at}`, args: [], definition }
    })
    expect(codeOf('`m29`', macros)).toBe('HR517')
  })
  it('are stopped where a macro calls itself with other arguments', () => {
    const definition = '`again($x$$x$)`'
    expect(codeOf('`again(a)`', [{ name: 'again', args: ['x'], definition }])).toBe('HR502')
  })
  it.each([
    ['subsearches', `search ${'[ search '.repeat(400)} a ${']'.repeat(400)}`],
    ['parentheses', `where ${'('.repeat(3_000)} a=1 ${')'.repeat(3_000)}`],
    ['signs', `where ${'-'.repeat(20_000)}a=1`],
    ['negations', `where ${'not '.repeat(20_000)} a=1`],
    ['commands', `a ${'| head '.repeat(1_000)}`],
    ['calls', `x | eval a=${'lower('.repeat(2_000)}b${')'.repeat(2_000)}`],
  ])('are stopped at too many %s', (_, text) => {
    expect(codeOf(text.startsWith('where') ? `x | ${text}` : text)).toMatch(/^HR5(?:00|17)$/)
  })
  it('are read in time however long their values are', () => {
    const began = performance.now()
    codeOf(`a IN (${'"x",'.repeat(50_000)}"y")`)
    codeOf(`"${'*'.repeat(100_000)}"`)
    codeOf(`a=${'b'.repeat(500_000)}`)
    codeOf(`a | foreach * [${'\t'.repeat(100_000)}x ]`)
    codeOf(`a | foreach b c [ | ${' '.repeat(100_000)}evalx ]`)
    codeOf(`a [ search b | return ${' '.repeat(100_000)}c ]`)
    codeOf(`a \`b${' '.repeat(100_000)}c\``)
    expect(performance.now() - began).toBeLessThan(20_000)
  })
})

describe('names', () => {
  it('of objects of the language are names like others', async () => {
    const rows = [{ __proto__x: '1', constructor: 'c', toString: 't' }]
    const search =
      'eval __proto__="p", hasOwnProperty="h" | table constructor toString __proto__ hasOwnProperty'
    const [found] = await desk.found(rows, search)
    expect(Object.entries(found ?? {})).toContainEqual(['constructor', 'c'])
    expect(await desk.refusal('constructor a')).toBe('HR503')
    expect(await desk.refusal('eval a=constructor(1)')).toBe('HR508')
    expect(await desk.refusal('dedup a constructor=1')).toBe('HR505')
    expect(await desk.refusal('`__proto__`')).toBe('HR501')
  })
  it('of columns of the plan are refused', async () => {
    for (const text of [
      'eval "@@o1"=1',
      'rename a as "@time"',
      'rename a* as "@time*"',
      'stats count as "@@i1"',
      "eval '@@i1'=1",
      'stats values(a) as "@record"',
    ]) {
      expect(await desk.refusal(text), text).toBe('HR507')
    }
  })
  it('that the data gives to columns are kept apart from those of the plan', async () => {
    const rows = [
      { a: 'x', b: '@time' },
      { a: 'x', b: '@@i1' },
      { a: 'y', b: '`\'"\\' },
    ]
    const found = await desk.found(rows, 'chart count over a by b')
    expect(found).toHaveLength(2)
    expect(Object.keys(found[0] ?? {})).toEqual(
      expect.arrayContaining(['field_@time', 'field_@@i1', '`\'"\\']),
    )
  })
  it('and values are never read as SQL', async () => {
    const hostile = 'a`; DROP TABLE x; --\' \\ " \u0000 {x} %s'
    const rows = [{ [hostile]: hostile, k: '1' }]
    expect(await desk.found(rows, 'table *')).toEqual([{ [hostile]: hostile, k: '1' }])
    const quoted = hostile.replace(/["\\]/g, '\\$&')
    expect(await desk.found(rows, `search "${quoted}"="${quoted}" | table k`)).toEqual([{ k: '1' }])
    const search = `eval r=if('${hostile.replace(/['`"]/g, '')}'="x", 1, 0) | table r`
    expect(await desk.found(rows, search)).toEqual([{ r: '0' }])
  })
})

describe('rows of a subsearch', () => {
  it('cannot break out of their condition', async () => {
    const rows = [{ k: 'safe' }, { k: 'x" OR k="safe' }]
    const around = { indexes: { r: [{ k: 'x" OR k="safe' }] } }
    const search = 'search [ search index=r | fields k ] | table k'
    expect(await desk.found(rows, search, around)).toEqual([{ k: 'x" OR k="safe' }])
  })
})

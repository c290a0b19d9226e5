/** Columns that are found in the data, written into the text of a query. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import type { Discovery } from '../../src/dialects/kusto/answer.ts'
import { withColumns } from '../../src/dialects/kusto/discover.ts'

const QUERY = 'T | evaluate bag_unpack(d) | count'
const AT = QUERY.indexOf(' | count')

function discovery(given: Partial<Discovery> = {}): Discovery {
  return {
    rel: { op: 'values', rows: [], out: [] },
    at: AT,
    fixed: [
      { name: 'x', type: 'int' },
      { name: 'd', type: 'dynamic' },
    ],
    replaced: 'd',
    prefix: '',
    conflict: 'error',
    plugin: 'bag_unpack',
    ...given,
  }
}

/** What is written behind the call. */
function written(...[given, found]: Parameters<typeof textFor>): string | undefined {
  return textFor(given, found)?.slice(AT, -' | count'.length)
}

function textFor(given: Discovery, found: readonly (readonly [string, string])[]) {
  return withColumns(
    QUERY,
    given,
    found.map(([name, type]) => ({ name, type })),
  ).value
}

describe('columns found in the data', () => {
  it('stand behind those that stay, in the order of their names', () => {
    const found = [
      ['b', 'string'],
      ['B', 'long'],
      ['a', 'real'],
    ] as const
    expect(written(discovery(), found)).toBe(
      " : (['x']: long, ['B']: long, ['a']: real, ['b']: string)",
    )
  })

  it('are dynamic where their values are of several types', () => {
    const found = [
      ['a', 'real'],
      ['a', 'long'],
    ] as const
    expect(written(discovery({ fixed: [] }), found)).toBe(" : (['a']: dynamic)")
  })

  it('may take the place of the bag that they come from', () => {
    expect(written(discovery(), [['d', 'string']])).toBe(" : (['x']: long, ['d']: string)")
  })

  it('cannot end the name that they are written as', () => {
    const name = 'a\'] : long); T | x "\\\n玉😀'
    const text = written(discovery({ fixed: [] }), [[name, 'long']])
    expect(text).toMatch(/^ : \(\['(?:[\w .-]|\\u[0-9a-f]{4})+'\]: long\)$/)
  })

  it('are refused where a column has the name already, unless the query says which to take', () => {
    const found = [['x', 'string']] as const
    const { value, diagnostics } = withColumns(QUERY, discovery(), [{ name: 'x', type: 'string' }])
    expect(value).toBeUndefined()
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR421'])
    expect(written(discovery({ conflict: 'keep' }), found)).toBe(" : (['x']: long)")
    expect(written(discovery({ conflict: 'replace' }), found)).toBe(" : (['x']: string)")
    expect(written(discovery({ prefix: 'p_' }), found)).toBe(" : (['x']: long, ['p_x']: string)")
  })

  it('are refused beyond a number', () => {
    const many = Array.from({ length: limits.discoveredColumns + 1 }, (_, index) => ({
      name: `n${index}`,
      type: 'long',
    }))
    const { diagnostics } = withColumns(QUERY, discovery(), many)
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR420'])
  })

  it('have a name even where there are none', () => {
    expect(written(discovery({ fixed: [] }), [])).toBe(" : (['Column1']: string)")
  })
})

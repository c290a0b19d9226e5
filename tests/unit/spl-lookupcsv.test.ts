/** CSV files of lookups, and the tokens of their patterns. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { readLookupCsv } from '../../src/dialects/spl/lookupcsv.ts'
import { networkLengths, tokensOf } from '../../src/dialects/spl/lookuptokens.ts'

const codes = (text: string): readonly string[] =>
  readLookupCsv('x', text).diagnostics.map(({ code }) => code)

describe('readLookupCsv', () => {
  it('reads quotes, line breaks, a mark at the start and blanks around bare cells', () => {
    const { content } = readLookupCsv('x', '\ufeffa, b ,"c"\r\n1,"x,""y""\nz", True\r\n\r\n2\n')
    expect(content).toEqual({
      columns: ['a', 'b', 'c'],
      rows: [
        ['1', 'x,"y"\nz', 'True'],
        ['2', '', ''],
      ],
    })
  })

  it('leaves out columns without a name at the end, and cells in them', () => {
    expect(readLookupCsv('x', 'a,,\n1,,\n').content).toEqual({ columns: ['a'], rows: [['1']] })
  })

  it('counts rows with too many cells', () => {
    const { content, diagnostics } = readLookupCsv('x', 'a\n1,2\n3\n4,5,6\n')
    expect(content?.rows).toEqual([['3']])
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR531'])
    expect(diagnostics[0]?.message).toContain('2 rows')
  })

  it('refuses headers that name nothing or the same twice, and what is no table', () => {
    expect(codes('')).toEqual(['HR530'])
    expect(codes(',\n')).toEqual(['HR530'])
    expect(codes('a,,b\n')).toEqual(['HR530'])
    expect(codes('a,a\n')).toEqual(['HR530'])
    expect(codes('@@line\n')).toEqual(['HR530'])
    expect(codes('a\n"1\n')).toEqual(['HR530'])
    expect(codes(`${'a,'.repeat(limits.lookupColumns)}b\n`)).toEqual(['HR530'])
  })

  it('takes any other name of a column', () => {
    expect(readLookupCsv('x', '__proto__,constructor\n1,2\n').content).toEqual({
      columns: ['__proto__', 'constructor'],
      rows: [['1', '2']],
    })
  })
})

describe('tokens', () => {
  it('are made from the longest piece', () => {
    const cells = ['abc', 'ab*', '*ab', 'a*bc', '*abc*', 'ab*cdefghij*k', '*', '**', '']
    const tokens = tokensOf(cells, true)?.tokens
    expect(tokens).toEqual(['=abc', '^ab', '$ab', '$bc', '~abc', '~cdefghij', '*', '*', '='])
  })

  it('are left to the engine where characters are not bytes, and listed where they are few', () => {
    expect(tokensOf(['*é*'], false)).toBeUndefined()
    expect(tokensOf(['*ABCDEFGH*'], false)).toEqual({
      tokens: ['~abcdefgh'],
      shapes: ['~8'],
      stubs: ['~abcdefgh', '~abcd'],
    })
  })

  it('know the lengths of networks', () => {
    expect(
      networkLengths(['10.0.0.0/8', '10.1.2.3', '2001:db8::/32', 'x/y', '1.1.1.1/900']),
    ).toEqual(['32', '104', '128'])
  })
})

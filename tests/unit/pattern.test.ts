/** Patterns of Kusto as the engine reads them. */
import { describe, expect, it } from 'vitest'
import { patternOf } from '../../src/functions/pattern.ts'

describe('patternOf', () => {
  it('writes out the classes that know all of Unicode', () => {
    expect(patternOf('\\d').text).toBe('(?-s)[\\p{Nd}]')
    expect(patternOf('\\D').text).toBe('(?-s)\\P{Nd}')
    expect(patternOf('\\s').text).toBe('(?-s)[\\s\\x0B\\x{85}\\pZ]')
    expect(patternOf('[^\\s,]').text).toBe('(?-s)[^\\s\\x0B\\x{85}\\pZ\\,]')
    expect(patternOf('\\W').text).toContain('[^\\pL\\pM')
  })

  it('leaves escaped signs, POSIX classes and ends of lines as they are', () => {
    expect(patternOf('\\\\d').text).toBe('(?-s)\\\\d')
    expect(patternOf('[[:alpha:]\\d]').text).toBe('(?-s)[[:alpha:]\\p{Nd}]')
    expect(patternOf('\\.').text).toBe('(?-s)\\.')
  })

  it('keeps the small classes where repeats would make the large ones too large for the engine', () => {
    expect(patternOf('(?:\\w{1,50}){1,10}').text).toBe('(?-s)(?:\\w{1,50}){1,10}')
    expect(patternOf('\\d{1,3}\\.\\d{1,3}').text).toContain('[\\p{Nd}]{1,3}')
  })

  it('counts and names the groups that capture', () => {
    expect(patternOf('(a)(?:b)(?P<name>c)(?i:d)').names).toEqual(['', 'name'])
    expect(patternOf('\\((x)[(]').groups).toBe(1)
    expect(patternOf('<(/?[a-z]+)').groups).toBe(1)
    expect(patternOf('none').groups).toBe(0)
  })

  it('matches nothing where the pattern was refused', () => {
    expect(patternOf('(?=a)')).toEqual({ text: '[^\\x00-\\x{10FFFF}]', groups: 0, names: [] })
  })
})

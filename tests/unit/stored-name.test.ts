/** Names of fields as they are stored: never one of ours. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOwnName, LIST_SUFFIX, storedName } from '../../src/schema/source.ts'

describe('storedName', () => {
  it.each([
    ['CommandLine', 'CommandLine'],
    ['@timestamp', '@timestamp'],
    ['@hits', '@hits'],
    ['@@hits', 'field_@@hits'],
    ['@time', 'field_@time'],
    ['field_@time', 'field_@time'],
    ['', 'field_'],
    ['x[]', 'field_x[]_'],
    ['[]', 'field_[]_'],
    ['x[]y', 'x[]y'],
    ['__proto__', '__proto__'],
    ['a\ud800b', 'a\\ud800b'],
    ['\u{1f600}', '\u{1f600}'],
  ])('of %j is %j', (name, stored) => {
    expect(storedName(name)).toBe(stored)
  })

  it('is never a name of ours, and its own stored name', () => {
    const part = fc.constantFrom('field_', '@time', '@raw', '@@hits', '[]', '_', 'x', '\udc00', '')
    const name = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(name, (each) => {
        const stored = storedName(each)
        expect(isOwnName(stored) || stored.endsWith(LIST_SUFFIX) || stored === '').toBe(false)
        expect(stored.isWellFormed()).toBe(true)
        expect(storedName(stored)).toBe(stored)
      }),
      { numRuns: 5_000 },
    )
  })
})

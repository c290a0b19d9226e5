/** Names of fields as they are stored: never one of ours, and never two names as one. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIST_SUFFIX, META, storedName } from '../../src/schema/source.ts'

const OURS = new Set<string>(Object.values(META))

describe('storedName', () => {
  it.each([
    ['CommandLine', 'CommandLine'],
    ['@timestamp', '@timestamp'],
    ['field_of_view', 'field_of_view'],
    ['@time', 'field_@time'],
    ['field_@time', 'field_field_@time'],
    ['', 'field_'],
    ['field_', 'field_field_'],
    ['x[]', 'field_x[]_'],
    ['field_x[]_', 'field_field_x[]__'],
    ['[]', 'field_[]_'],
    ['x[]y', 'x[]y'],
    ['__proto__', '__proto__'],
    ['a\ud800b', 'a\\ud800b'],
    ['\u{1f600}', '\u{1f600}'],
  ])('of %j is %j', (name, stored) => {
    expect(storedName(name)).toBe(stored)
  })

  it('never gives a name of ours, and never the same for two names', () => {
    const part = fc.constantFrom('field_', '@time', '@raw', '[]', '_', 'x', '')
    const name = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [first, second] = [storedName(a), storedName(b)]
        expect(OURS.has(first)).toBe(false)
        expect(first.endsWith(LIST_SUFFIX) || first === '').toBe(false)
        expect(first === second).toBe(a === b)
      }),
      { numRuns: 5_000 },
    )
  })
})

/** The world of searches: which macros, lookups, datasets and fields hold, with a store and without one. */
import { describe, expect, it } from 'vitest'
import { EMPTY_LIBRARY } from '../../src/dialects/spl/library.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const schema = readyMadeSchema()

describe('the world of searches', () => {
  it('takes the first macro of a name and number of arguments, then those that are known anyway', () => {
    const macros = [
      { name: 'sysmon', args: [], definition: 'index=mine' },
      { name: 'sysmon', args: [], definition: 'index=other' },
    ]
    const { world } = splWorld({ schema, library: { ...EMPTY_LIBRARY, macros } })
    expect(world.macro('sysmon', 0)?.definition).toBe('index=mine')
    expect(world.macro('sysmon', 1)).toBeUndefined()
    expect(world.macro('drop_dm_object_name', 1)).toBeDefined()
  })

  it('lets filters that nobody defined through only where they belong to rules', () => {
    const plain = splWorld({ schema, library: EMPTY_LIBRARY }).world
    const ofRules = splWorld({ schema, library: EMPTY_LIBRARY, hasFilters: true }).world
    expect(plain.macro('some_rule_filter', 0)).toBeUndefined()
    expect(ofRules.macro('some_rule_filter', 0)?.definition).toBe('search *')
  })

  it('knows datasets by model and name, and lookups of published searches', () => {
    const { world } = splWorld({ schema, library: EMPTY_LIBRARY })
    expect(world.dataset('Endpoint', 'Processes')?.fields.get('process_name')).toBe('text')
    expect(world.dataset('Nothing')).toBeUndefined()
    expect([...world.datasetNames()]).toContain('Endpoint.Processes')
    const lookup = world.lookup('typo_squatted_python_packages')
    expect(lookup?.options.minMatches).toBe(1)
    expect(lookup?.rows).toBeGreaterThan(10)
  })

  it('takes every field to be there without a store, and none with an empty one', () => {
    const fields = (world: ReturnType<typeof splWorld>['world']) => world.events([])
    const assumed = fields(splWorld({ schema, library: EMPTY_LIBRARY }).world)
    expect(assumed.typeOf('anything')).toBe('text')
    expect(assumed.typeOf('a{}.b')).toEqual({ list: 'text' })
    const empty = fields(splWorld({ schema, library: EMPTY_LIBRARY, stored: new Map() }).world)
    expect(empty.typeOf('anything')).toBeUndefined()
  })
})

/** The benchmark's events: repeatable, of the promised size and variety, with suspects among them. */
import { describe, expect, test } from 'vitest'
import { type ProcessEvent, processEvents } from '../../bench/generate.ts'
import { SUSPECTS } from '../../bench/programs.ts'
import { randomFrom, seedOf, zipf } from '../../tools/random.ts'

const COUNT = 20_000
const events: readonly ProcessEvent[] = [...processEvents(COUNT)]

describe('process events', () => {
  test('are the same for the same seed and others for another', () => {
    const again = [...processEvents(50, 7)]
    expect([...processEvents(50, 7)]).toEqual(again)
    expect([...processEvents(50, 8)]).not.toEqual(again)
  })

  test('have 29 fields in a fixed order and about 1,390 bytes', () => {
    const names = Object.keys(events[0] ?? {})
    expect(names).toHaveLength(29)
    expect(events.every((event) => Object.keys(event).join() === names.join())).toBe(true)
    const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0)
    expect(bytes / COUNT).toBeGreaterThan(1_300)
    expect(bytes / COUNT).toBeLessThan(1_450)
  })

  test('have command lines of about 120 characters, half of them different', () => {
    const lines = events.map((event) => event.CommandLine)
    const average = lines.reduce((sum, line) => sum + line.length, 0) / COUNT
    expect(average).toBeGreaterThan(105)
    expect(average).toBeLessThan(135)
    const share = new Set(lines).size / COUNT
    expect(share).toBeGreaterThan(0.45)
    expect(share).toBeLessThan(0.6)
  })

  test('hold about one suspect in 500', () => {
    const commands = new Set(SUSPECTS.map((each) => each.command))
    const found = events.filter((event) => commands.has(event.CommandLine)).length
    expect(found).toBeGreaterThan(COUNT / 1_000)
    expect(found).toBeLessThan(COUNT / 250)
  })

  test('have Sysmon values: GUIDs, hashes, numbers, times within the week', () => {
    const guid = /^\{[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/
    const hashes = /^SHA1=[0-9A-F]{40},MD5=[0-9A-F]{32},SHA256=[0-9A-F]{64},IMPHASH=[0-9A-F]{32}$/
    for (const event of events.slice(0, 2_000)) {
      expect(event.ProcessGuid).toMatch(guid)
      expect(event.LogonGuid).toMatch(guid)
      expect(event.ParentProcessGuid).toMatch(guid)
      expect(event.Hashes).toMatch(hashes)
      expect(event.LogonId).toMatch(/^0x[0-9a-f]{3,6}$/)
      expect(event['@timestamp'].replace('T', ' ').slice(0, 23)).toBe(event.UtcTime)
    }
    const times = events.map((event) => Date.parse(event['@timestamp']))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(Date.UTC(2026, 9, 5))
    expect(Math.max(...times)).toBeLessThan(Date.UTC(2026, 9, 12, 0, 0, 5))
  })
})

describe('random numbers', () => {
  test('stay within their limits and use all of them', () => {
    const random = randomFrom(seedOf('limits'))
    const drawn = new Set(Array.from({ length: 2_000 }, () => random.between(3, 9)))
    expect([...drawn].toSorted()).toEqual([3, 4, 5, 6, 7, 8, 9])
    expect(random.hex(13)).toMatch(/^[0-9a-f]{13}$/)
    expect(() => random.pick([])).toThrow(RangeError)
  })

  test('Zipf draws the first places most', () => {
    const random = randomFrom(1)
    const draw = zipf(random, 100, 1)
    const counts = Array.from({ length: 100 }, () => 0)
    for (let done = 0; done < 20_000; done++) {
      const place = draw()
      counts[place] = (counts[place] ?? 0) + 1
    }
    const [first = 0, second = 0] = counts
    expect(first / second).toBeGreaterThan(1.8)
    expect(first / second).toBeLessThan(2.2)
    expect(counts.every((count) => count > 0)).toBe(true)
  })
})

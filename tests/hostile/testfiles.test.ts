/** Files of tests that try to reach out of their folder, or to take more than they may. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readCaseFile } from '../../src/detect/testing/casefile.ts'
import { filesBelow, locate } from '../../src/detect/testing/datafiles.ts'
import { readTestFile } from '../../src/detect/testing/neighbours.ts'
import { readyMadeSchema } from '../../tools/product.ts'

const folder = mkdtempSync(join(tmpdir(), 'harrier-hostile-'))
const inside = join(folder, 'inside')
mkdirSync(join(inside, 'sub'), { recursive: true })
writeFileSync(join(folder, 'secret.log'), 'secret')
writeFileSync(join(inside, 'a.log'), 'x')
writeFileSync(join(inside, '*.log'), 'x')
symlinkSync(join(folder, 'secret.log'), join(inside, 'link.log'))
symlinkSync(folder, join(inside, 'up'))
writeFileSync(join(inside, 'huge.log'), '')
truncateSync(join(inside, 'huge.log'), 3 * 1024 ** 3)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a file that a test names', () => {
  it.each([
    '../secret.log',
    'sub/../../secret.log',
    '/etc/passwd',
    '..\\secret.log',
    'a.log\0.txt',
    'link.log',
    'up/secret.log',
    'huge.log',
    '/dev/zero',
    '',
    '.',
    'a/'.repeat(40),
    'x'.repeat(5_000),
  ])('is not opened outside of its folder, over a link, or when it is too large: %j', (written) => {
    expect(locate(inside, written)).toMatchObject({ isAbsent: false })
  })

  it('is opened within it, and a star is only a letter', () => {
    expect(locate(inside, './a.log')).toEqual({ path: join(inside, 'a.log'), bytes: 1 })
    expect(locate(inside, '*.log')).toEqual({ path: join(inside, '*.log'), bytes: 1 })
    expect(locate(inside, 'b*.log')).toMatchObject({ isAbsent: true })
  })

  it('is not found over links either', () => {
    const found = filesBelow(inside, (name) => name.endsWith('.log'))
    expect(found.map((each) => each.slice(inside.length + 1))).toEqual([
      '*.log',
      'a.log',
      'huge.log',
    ])
  })
})

describe('a file of tests', () => {
  const schema = readyMadeSchema()
  it('that is a link, or huge, is not read', () => {
    symlinkSync(join(folder, 'secret.log'), join(inside, 'l.test.yml'))
    writeFileSync(join(inside, 'h.test.yml'), '')
    truncateSync(join(inside, 'h.test.yml'), 64 * 1024 ** 2)
    for (const [name, code] of [
      ['l.test.yml', 'HR762'],
      ['h.test.yml', 'HR763'],
    ] as const) {
      const [result] = readTestFile(join(inside, name), { rules: [], schema })
      expect(result).toMatchObject({ state: 'broken', diagnostics: [{ code }] })
      expect(JSON.stringify(result)).not.toContain('secret"')
    }
  })

  it('with bombs of aliases, depth and numbers is refused at once', () => {
    const bombs = [
      `a: &a [x, x]\nb: &b [*a, *a]\ntests: [*b]`,
      `tests: ${'['.repeat(2_000)}${']'.repeat(2_000)}`,
      `tests:\n${'- {events: [x], fires: 1}\n'.repeat(20_000)}`,
      'tests: [{events: [x], fires: 1e308}]',
      'tests: [{events: [x], fires: {least: 9007199254740993}}]',
      '__proto__: {polluted: 1}\ntests: [{events: [{__proto__: {polluted: 1}}], fires: 1}]',
    ]
    const started = performance.now()
    for (const each of bombs) expect(readCaseFile(each).value).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('may have events with names of prototypes, which stay names', () => {
    const { value } = readCaseFile(
      'tests: [{events: [{__proto__: {polluted: 1}, constructor: c}], fires: 1}]',
    )
    const [event] = value?.tests[0]?.logs[0]?.events ?? []
    expect(JSON.stringify(event)).toBe('{"__proto__":{"polluted":1},"constructor":"c"}')
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
  })
})

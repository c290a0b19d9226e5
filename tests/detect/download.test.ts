/** Attack data that is fetched: from where, pinned, and only once. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataCache, fetchablePlace, readPins } from '../../src/detect/testing/download.ts'

const HOME = 'https://media.githubusercontent.com/media/splunk/attack_data/master'
const A = `${HOME}/datasets/T1/a.log`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harrier-download-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lock = () => join(folder, 'data.lock')
function cache(): DataCache {
  const read = readPins(lock())
  if (!('pins' in read)) throw new Error(read.problem.message)
  return new DataCache(join(folder, 'cache'), lock(), read.pins)
}
const giving = (text: string, status = 200) => {
  const asked: string[] = []
  const get = async (address: string) => {
    asked.push(address)
    return { status, body: Buffer.from(text) }
  }
  return { asked, get }
}

describe('what may be fetched', () => {
  it.each([
    [A, 'datasets/T1/a.log'],
    [
      'https://raw.githubusercontent.com/splunk/attack_data/master/datasets/T1/a%20b.log',
      undefined,
    ],
    [
      'https://raw.githubusercontent.com/splunk/attack_data/master/datasets/T1/a.log?x=1',
      'datasets/T1/a.log',
    ],
    [
      'http://media.githubusercontent.com/media/splunk/attack_data/master/datasets/a.log',
      undefined,
    ],
    [
      'https://media.githubusercontent.com:8443/media/splunk/attack_data/master/datasets/a.log',
      undefined,
    ],
    [
      'https://user@media.githubusercontent.com/media/splunk/attack_data/master/datasets/a.log',
      undefined,
    ],
    [
      'https://media.githubusercontent.com.evil.example/media/splunk/attack_data/m/datasets/a.log',
      undefined,
    ],
    [
      'https://media.githubusercontent.com/media/other/attack_data/master/datasets/a.log',
      undefined,
    ],
    [`${HOME}/datasets/../../../other/repo/datasets/a.log`, undefined],
    [`${HOME}/datasets/a/../../b.log`, undefined],
    ['http://169.254.169.254/datasets/a.log', undefined],
    ['file:///etc/passwd', undefined],
    ['datasets/a.log', undefined],
  ])('%s', (address, place) => {
    expect(fetchablePlace(address)).toBe(place)
  })
})

describe('attack data', () => {
  it('is fetched once, pinned, and found from then on', async () => {
    const { asked, get } = giving('events')
    const first = cache()
    expect(first.find(A)).toMatchObject({ isAbsent: true })
    expect(await first.fetch(A, get)).toBeUndefined()
    expect(await first.fetch(A, get)).toBeUndefined()
    expect(asked).toEqual([A])
    expect(first.find(A)).toMatchObject({ path: join(folder, 'cache/datasets/T1/a.log'), bytes: 6 })
    expect(readFileSync(lock(), 'utf8')).toMatch(/^[0-9a-f]{64} {2}datasets\/T1\/a\.log\n$/)
    expect(cache().find(A)).toMatchObject({ bytes: 6 })
  })

  it('is not taken when it is not what was pinned, on the way or on disk', async () => {
    await cache().fetch(A, giving('events').get)
    rmSync(join(folder, 'cache'), { recursive: true })
    expect(await cache().fetch(A, giving('other').get)).toContain(
      'not what the lock file has pinned',
    )
    expect(existsSync(join(folder, 'cache'))).toBe(false)
    expect(await cache().fetch(A, giving('events').get)).toBeUndefined()
    writeFileSync(join(folder, 'cache/datasets/T1/a.log'), 'changed')
    expect(cache().find(A)).toEqual({
      reason: 'the attack data datasets/T1/a.log is not what the lock file has pinned',
      isAbsent: false,
    })
  })

  it('that cannot be had leaves nothing behind', async () => {
    const own = cache()
    expect(await own.fetch(A, giving('no', 404).get)).toBe('the server answers 404')
    expect(
      await own.fetch(A, giving('version https://git-lfs.github.com/spec/v1\n').get),
    ).toContain('only a pointer')
    const broken = async () => Promise.reject(new Error('the answer has more than 5 bytes'))
    expect(await own.fetch(A, broken)).toBe('the answer has more than 5 bytes')
    expect(await own.fetch('https://example.com/datasets/a.log', giving('x').get)).toBe(
      'it is not of the public collection',
    )
    expect(existsSync(lock())).toBe(false)
  })

  it('needs a lock file that can be read', () => {
    writeFileSync(lock(), 'nonsense\n')
    expect(readPins(lock())).toMatchObject({ problem: { code: 'HR767' } })
    writeFileSync(lock(), `${'0'.repeat(64)}  ../../x\n`)
    expect(readPins(lock())).toMatchObject({ problem: { code: 'HR767' } })
  })
})

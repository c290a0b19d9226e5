/** Rules tried on known events. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Bench, trial } from '../../src/detect/testing/trial.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readyMadeSchema, schemaFiles } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryStore } from '../support/temporary.ts'

const WORKER = fileURLToPath(new URL('../../dist/ingest-worker.js', import.meta.url))
const schema = readyMadeSchema()
const folder = mkdtempSync(join(tmpdir(), 'harrier-trial-'))
let opened: TemporaryEngine
let bench: Bench

beforeAll(async () => {
  const made = await temporaryStore()
  opened = made
  bench = new Bench({
    store: made.store,
    schema,
    schemaFiles: schemaFiles(),
    workerPath: WORKER,
    folder: join(folder, 'inline'),
    now: { ms: Date.parse('2026-02-01T12:00:00Z'), sub: 0 },
  })
})
afterAll(async () => {
  await opened.close()
  rmSync(folder, { recursive: true, force: true })
})

async function rulesOf(...texts: readonly string[]): Promise<readonly Rule[]> {
  const paths = texts.map((text, index) => {
    const path = join(folder, `rule${index}.yml`)
    writeFileSync(path, text)
    return path
  })
  const { rules } = await loadRules(paths, { placeholders: new Map(), schema: () => schema })
  return rules.flatMap((each) => each.rule ?? [])
}

const rule = (user: string, id = 'a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d0001', title = 'Whoami') =>
  `title: ${title}
id: ${id}
status: test
level: high
logsource: {category: process_creation, product: windows}
detection:
  s: {Image|endswith: '\\whoami.exe', User: ${user}}
  condition: s
`
const started = (user: string) => ({
  EventID: 1,
  Channel: 'Microsoft-Windows-Sysmon/Operational',
  Provider_Name: 'Microsoft-Windows-Sysmon',
  Computer: 'pc.example',
  UtcTime: '2026-02-01 10:00:00.000',
  Image: 'C:\\Windows\\System32\\whoami.exe',
  User: user,
})

describe('a trial', () => {
  test('gives the findings of each rule on inline events', async () => {
    const [first, second] = await rulesOf(
      rule('alice'),
      rule('bob', 'a7c0a1c2-55ee-4a3b-8b52-0f5f0c1d0002', 'Other'),
    )
    if (first === undefined || second === undefined) throw new Error('the rules are refused')
    const events = [started('alice'), started('alice'), started('carol')]
    const { tried, intake } = await trial([second, first], [{ events }], bench)
    expect(tried.map((each) => [each.rule.title, each.state, each.count])).toEqual([
      ['Other', 'quiet', 0],
      ['Whoami', 'fired', 2],
    ])
    expect(tried[1]?.findings[0]?.event.User).toBe('alice')
    expect(intake[0]?.stored).toBe(3)
  })

  test('keeps trials apart, and two versions of a rule', async () => {
    const [one, other] = await rulesOf(rule('alice'), rule('bob'))
    if (one === undefined || other === undefined) throw new Error('the rules are refused')
    const [a, b] = await Promise.all([
      trial([one, other], [{ events: [started('alice')] }], bench),
      trial([one, other], [{ events: [started('bob'), started('bob')] }], bench),
    ])
    expect(a.tried.map((each) => each.count)).toEqual([1, 0])
    expect(b.tried.map((each) => each.count)).toEqual([0, 2])
  })

  test('reads raw lines and files, each part its own way', async () => {
    const [one] = await rulesOf(rule('alice'))
    if (one === undefined) throw new Error('the rule is refused')
    const path = join(folder, 'a.jsonl')
    writeFileSync(path, `${JSON.stringify(started('alice'))}\n`)
    const line = JSON.stringify({ ...started('alice'), Computer: 'other.example' })
    const { tried, intake } = await trial(
      [one],
      [{ files: [path] }, { events: [line], format: 'json' }],
      bench,
    )
    expect(intake.map((each) => each.stored)).toEqual([1, 1])
    expect(tried[0]?.findings.map((each) => each.host).sort()).toEqual([
      'other.example',
      'pc.example',
    ])
  })

  test('reads many sets in one go, and by itself what is more than it looks', async () => {
    const [one] = await rulesOf(rule('alice'))
    if (one === undefined) throw new Error('the rule is refused')
    const packed = join(folder, 'many.jsonl.gz')
    const line = `${JSON.stringify({ ...started('alice'), Padding: 'x'.repeat(4_000) })}\n`
    writeFileSync(packed, gzipSync(line.repeat(10_000)))
    const small = [{ events: [started('alice')] }]
    const other = [{ events: [started('alice'), started('bob')] }]
    await bench.prepare([small, other, [{ files: [packed] }]])
    const large = await trial([one], [{ files: [packed] }], bench)
    expect([large.intake[0]?.stored, large.tried[0]?.count]).toEqual([10_000, 10_000])
    await bench.prepare([small, other])
    for (const logs of [small, other]) {
      const { intake, tried } = await trial([one], logs, bench)
      expect([intake[0]?.stored, tried[0]?.count]).toEqual([logs[0]?.events.length, 1])
    }
  }, 240_000)
})

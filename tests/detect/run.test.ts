/** Running rules: isolation of a bad rule, states, ids, time bounds, interrupts, and many groups giving the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/detect/finding.ts'
import { type RunOptions, runRules } from '../../src/detect/run.ts'
import type { RunStore } from '../../src/detect/store.ts'
import { EngineError } from '../../src/engine/engine.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { temporaryStore } from '../support/temporary.ts'

const work = mkdtempSync(join(tmpdir(), 'harrier-run-'))
const schema = readyMadeSchema()

function ruleText(
  name: string,
  detection: string,
  logsource = 'product: windows\n    category: process_creation',
): string {
  return `title: ${name}
id: ${name}
logsource:
    ${logsource}
detection:
    s:
        ${detection}
    condition: s
level: high
`
}

async function rulesOf(...texts: readonly string[]): Promise<readonly Rule[]> {
  const path = join(work, 'rules.yml')
  writeFileSync(path, texts.join('---\n'))
  const { rules } = await loadRules([path], { placeholders: new Map() })
  return rules.flatMap((each) => each.rule ?? [])
}

function event(index: number): string {
  return JSON.stringify({
    Channel: 'Microsoft-Windows-Sysmon/Operational',
    EventID: 1,
    Hostname: `host${index % 3}`,
    EventTime: new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString(),
    Image: `C:\\app${index}.exe`,
    CommandLine: `app ${index}`,
  })
}

describe('runs', () => {
  let store: RunStore
  let close: () => Promise<void> = () => Promise.resolve()

  beforeAll(async () => {
    const opened = await temporaryStore()
    store = opened.store
    close = opened.close
    const path = join(work, 'events.jsonl')
    writeFileSync(path, `${Array.from({ length: 60 }, (_, index) => event(index)).join('\n')}\n`)
    const report = await readInto(opened.store, [path])
    expect(report.stored).toBe(60)
  })
  afterAll(async () => {
    await close()
    rmSync(work, { recursive: true, force: true })
  })

  async function run(rules: readonly Rule[], change: Partial<RunOptions> = {}) {
    const findings: Finding[] = []
    const report = await runRules({
      rules,
      schema,
      store,
      time: {},
      onFinding: (finding) => {
        findings.push(finding)
      },
      ...change,
    })
    return { report, findings }
  }

  const states = (report: Awaited<ReturnType<typeof run>>['report']): readonly string[] =>
    report.outcomes.map((each) => each.state)

  it('tells fired, quiet, no data and cannot fire apart', async () => {
    const rules = await rulesOf(
      ruleText('fires', "CommandLine: 'app 7'"),
      ruleText('quiet', "CommandLine: 'nothing like it'"),
      ruleText('nodata', "CommandLine: 'x'", 'product: aws\n    service: cloudtrail'),
      ruleText('cannot', "Company: 'Somebody'"),
    )
    const { report, findings } = await run(rules)
    expect(states(report)).toEqual(['fired', 'quiet', 'no_data', 'cannot_fire'])
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({
      rule_id: 'fires',
      language: 'sigma',
      level: 'high',
      host: 'host1',
      source: 'windows.sysmon',
      record: 8,
      time: '2026-01-01T00:07:00.0000000Z',
      event: { CommandLine: 'app 7', EventID: '1' },
    })
  })

  it('gives each match a fixed id', async () => {
    const rules = await rulesOf(ruleText('all', "CommandLine|startswith: 'app'"))
    const [first, second] = [await run(rules), await run(rules)]
    const ids = (findings: readonly Finding[]): readonly string[] =>
      findings.map((each) => each.id).toSorted()
    expect(new Set(ids(first.findings)).size).toBe(60)
    expect(ids(second.findings)).toEqual(ids(first.findings))
  })

  it('keeps to the time range, from inclusive and to exclusive', async () => {
    const rules = await rulesOf(ruleText('all', "CommandLine|startswith: 'app'"))
    const { findings } = await run(rules, {
      time: { from: '2026-01-01T00:10:00.0000000Z', to: '2026-01-01T00:20:00.0000000Z' },
    })
    expect(findings.map((each) => each.record).toSorted((a, b) => a - b)).toEqual([
      11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ])
  })

  it('gives the same findings however the rules are grouped', async () => {
    const rules = await rulesOf(
      ...Array.from({ length: 40 }, (_, index) =>
        ruleText(`r${index}`, `CommandLine|endswith: '${index}'`),
      ),
    )
    const together = await run(rules)
    const alone = await run(rules, { rulesPerScan: 1 })
    const keys = (findings: readonly Finding[]): readonly string[] =>
      findings.map((each) => `${each.rule_id} ${each.record}`).toSorted()
    expect(together.findings.length).toBeGreaterThan(40)
    expect(keys(alone.findings)).toEqual(keys(together.findings))
    const shared = await run(rules, { shareLiterals: true })
    expect(keys(shared.findings)).toEqual(keys(together.findings))
    expect(together.report.scans).toBe(1)
    expect(alone.report.scans).toBe(40)
  })

  it('gives the same findings when the literals of all rules are searched at once', async () => {
    const needles = [
      'app 1',
      'APP 2',
      '.*',
      '(',
      '[a',
      'p 3',
      '\\\\',
      '^app',
      '|',
      '+',
      '?',
      'app–',
      'é',
      'a$',
      '5{1}',
    ]
    const rules = await rulesOf(
      ...needles.map((needle, index) =>
        ruleText(`n${index}`, `CommandLine|contains: ${JSON.stringify(needle)}`),
      ),
      ruleText('list', `CommandLine|contains: ${JSON.stringify(needles)}`),
      ruleText('all', `CommandLine|contains|all: ${JSON.stringify(['APP', '7'])}`),
    )
    expect(rules).toHaveLength(needles.length + 2)
    const keys = (findings: readonly Finding[]): readonly string[] =>
      findings.map((each) => `${each.rule_id} ${each.record}`).toSorted()
    const [plain, shared] = [
      await run(rules, { shareLiterals: false }),
      await run(rules, { shareLiterals: true }),
    ]
    expect(plain.findings.length).toBeGreaterThan(30)
    expect(keys(shared.findings)).toEqual(keys(plain.findings))
  })

  it('isolates a rule that the engine stops, and runs the others in full', async () => {
    const rules = await rulesOf(
      ...Array.from({ length: 9 }, (_, index) =>
        ruleText(`ok${index}`, `CommandLine: 'app ${index}'`),
      ),
      ruleText('poison', "CommandLine|contains: 'poison'"),
    )
    const flaky: RunStore = {
      catalogue: () => store.catalogue(),
      async *rows(sql, options) {
        let given = 0
        for await (const row of store.rows(sql, options)) {
          yield row
          // Fails half way, after rows have been handed out.
          if (++given === 3 && sql.includes('poison')) break
        }
        if (sql.includes('poison')) throw new EngineError('memory', 'memory limit exceeded', 241)
      },
    }
    const { report, findings } = await run(rules, { store: flaky })
    const failed = report.outcomes.filter((each) => each.state === 'failed')
    expect(failed.map((each) => each.rule.id)).toEqual(['poison'])
    expect(failed[0]?.diagnostics.map((each) => each.code)).toContain('HR700')
    expect(findings.map((each) => each.rule_id).toSorted()).toEqual(
      Array.from({ length: 9 }, (_, index) => `ok${index}`),
    )
  })

  it('stops cleanly when interrupted', async () => {
    const rules = await rulesOf(ruleText('all', "CommandLine|startswith: 'app'"))
    const stop = new AbortController()
    stop.abort()
    const { report, findings } = await run(rules, { query: { signal: stop.signal } })
    expect(report.interrupted).toBe(true)
    expect(findings).toEqual([])
  })

  it('gives up when the engine is gone, instead of calling every rule bad', async () => {
    const rules = await rulesOf(ruleText('all', "CommandLine|startswith: 'app'"))
    const gone: RunStore = {
      catalogue: () => store.catalogue(),
      // biome-ignore lint/correctness/useYield: it fails before the first row
      async *rows() {
        throw new EngineError('unavailable', 'the engine does not start')
      },
    }
    await expect(run(rules, { store: gone })).rejects.toThrow('does not start')
  })
})

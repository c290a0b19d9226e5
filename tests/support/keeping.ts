/** A store with a keeper over it, and queries of what it has kept, for the tests of a file. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { Section } from '../../src/core/section.ts'
import { readYaml } from '../../src/core/yaml.ts'
import { compileDiscovering } from '../../src/detect/discover.ts'
import type { Finding } from '../../src/detect/finding.ts'
import { type KeeperOptions, makeKeeper } from '../../src/detect/keeping/keep.ts'
import type { WindowRun } from '../../src/detect/keeping/keeper.ts'
import { type RiskSettings, readRiskSettings } from '../../src/detect/keeping/risksettings.ts'
import { planRows } from '../../src/detect/runquery.ts'
import { discoverSpl } from '../../src/detect/spldiscover.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Store } from '../../src/engine/store.ts'
import { readAttack } from '../../src/rules/attack.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { sampleRule } from './findings.ts'
import { temporaryStore } from './temporary.ts'

const TABLE = fileURLToPath(new URL('../../content/attack/enterprise.txt', import.meta.url))

export const ATTACK = readAttack(readFileSync(TABLE, 'utf8'))

/** The section `risk` of a settings file. */
export function riskSettings(yaml = ''): RiskSettings {
  const wrong: string[] = []
  const [first] = readYaml(yaml).documents
  const settings = readRiskSettings(new Section(first, 'risk', (each) => wrong.push(each.message)))
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  return settings
}

/** A rule that stands for one of any language; it reads nothing. */
export function keptRule(change: Partial<Rule> = {}): Rule {
  return {
    ...sampleRule(),
    rel: { op: 'values', rows: [], out: [] },
    stages: [],
    fields: [],
    ...change,
  }
}

export function windowRun(
  rule: Rule,
  findings: readonly Finding[],
  change: Partial<WindowRun> = {},
): WindowRun {
  return {
    rule,
    findings,
    window: {
      at: '2026-01-02T04:00:00.0000000Z',
      time: { from: '2026-01-02T03:00:00.0000000Z', to: '2026-01-02T04:00:00.0000000Z' },
    },
    queries: [{ plan: 'scan', sql: 'SELECT 1' }],
    more: 0,
    isBackfill: false,
    ...change,
  }
}

/** Whole numbers as numbers. */
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

export type KeptRow = Readonly<Record<string, unknown>>

export function keepingDesk() {
  const schema = readyMadeSchema()
  let opened: Awaited<ReturnType<typeof temporaryStore>>
  beforeAll(async () => {
    opened = await temporaryStore()
  })
  afterAll(() => opened.close())
  const store = (): Store => opened.store
  const engine = (): Engine => opened.engine
  const keeper = (change: Partial<KeeperOptions> = {}) =>
    makeKeeper({
      store: store(),
      schema,
      attack: ATTACK,
      risk: riskSettings(),
      now: () => ({ ms: Date.UTC(2026, 0, 2, 4, 1), sub: 0 }),
      ...change,
    })
  const spl = async (search: string): Promise<readonly KeptRow[]> => {
    const stored = await store().catalogue()
    const world = { schema, stored, time: {} }
    const { world: known } = splWorld({ schema, stored, library: { macros: [], lookups: [] } })
    const { rel, columns, diagnostics } = await discoverSpl({
      compile: (found) => compileSpl(search, { world: known, found }),
      rows: (each) => planRows(store(), each, world),
    })
    if (rel === undefined) throw new Error(JSON.stringify(diagnostics))
    const rows: KeptRow[] = []
    for await (const row of planRows(store(), rel, world)) {
      const cells = columns.map(({ name }, at) => [name, plain(row[at])] as const)
      rows.push(Object.fromEntries(cells.filter(([, value]) => value !== null)))
    }
    return rows
  }
  const kusto = async (query: string): Promise<readonly KeptRow[]> => {
    const stored = await store().catalogue()
    const world = { schema, stored, time: {} }
    const compiler = compilerHere(schema.tables)
    const { compiled } = await compileDiscovering(query, {
      compile: async (text) => {
        const [first] = await compiler.compile([{ query: text, name: 'q' }], [], [])
        return first ?? { queries: [] }
      },
      rows: (rel) => planRows(store(), rel, world),
    })
    const [answer] = compiled.queries
    if (answer?.rel === undefined) throw new Error(JSON.stringify(answer?.diagnostics))
    const rows: KeptRow[] = []
    for await (const row of planRows(store(), answer.rel, world)) {
      rows.push(Object.fromEntries(answer.columns.map(({ name }, at) => [name, plain(row[at])])))
    }
    return rows
  }
  return { schema, store, engine, keeper, spl, kusto }
}

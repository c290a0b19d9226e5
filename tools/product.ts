/** The product as tools use it: logs into a temporary store, rules over them, findings handed out. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding } from '../src/detect/finding.ts'
import { runRules } from '../src/detect/run.ts'
import { openChdb } from '../src/engine/chdb.ts'
import { openStore, type Store } from '../src/engine/store.ts'
import { ingest } from '../src/ingest/intake.ts'
import type { IntakeReport } from '../src/ingest/report.ts'
import { compilerHere } from '../src/rules/kustolibrary.ts'
import { loadRules } from '../src/rules/load.ts'
import type { SchemaCatalogue } from '../src/schema/catalogue.ts'
import { readSchema } from '../src/schema/load.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const dist = (name: string): string => join(ROOT, 'dist', name)

export function schemaFiles(): readonly { readonly path: string; readonly text: string }[] {
  const folder = join(ROOT, 'content/schema')
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(?:yml|txt|kql)$/.test(name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** The schema of the checkout. */
export function readyMadeSchema(): SchemaCatalogue {
  const { value } = readSchema(schemaFiles())
  if (value === undefined) throw new Error('the schema cannot be read')
  return value
}

/** Opens a store in a temporary folder for the time of an action. */
export async function withStore<T>(action: (store: Store) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-'))
  const engine = await openChdb({ path: join(folder, 'db'), childPath: dist('engine-child.js') })
  try {
    const schema = readyMadeSchema()
    return await action(await openStore({ engine, source: (name) => schema.sources.get(name) }))
  } finally {
    await engine.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads logs into a store. */
export function readInto(store: Store, paths: readonly string[]): Promise<IntakeReport> {
  return ingest({
    paths,
    store,
    workerPath: dist('ingest-worker.js'),
    schemaFiles: schemaFiles(),
    now: { ms: Date.now(), sub: 0 },
  })
}

export interface Totals {
  readonly findings: number
  readonly rules: number
  readonly failed: number
  readonly events: number
}

/** Reads logs into a fresh store and runs all rules below the paths over them. */
export async function findingsOf(
  rules: readonly string[],
  logs: readonly string[],
  take: (finding: Finding) => void,
): Promise<Totals> {
  const schema = readyMadeSchema()
  const kusto = compilerHere(schema.tables)
  const { rules: loaded } = await loadRules(rules, {
    placeholders: new Map(),
    kusto,
    schema: () => schema,
  })
  return withStore(async (store) => {
    const intake = await readInto(store, logs)
    const report = await runRules({
      rules: loaded
        .flatMap((each) => each.rule ?? [])
        .filter(({ countedBy }) => countedBy === undefined),
      schema,
      store,
      time: {},
      onFinding: take,
    })
    return {
      findings: report.findings,
      rules: report.outcomes.length,
      failed: report.outcomes.filter((each) => each.state === 'failed').length,
      events: intake.stored,
    }
  })
}

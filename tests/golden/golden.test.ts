/**
 * Golden cases: one file with a rule, its events, the IR and the SQL that come of it, and the records that match.
 * `npm run golden -- --update` writes the IR and the SQL anew; the records are always written by a person.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { viewResolver } from '../../src/detect/plan.ts'
import { runRules } from '../../src/detect/run.ts'
import { printExpr, printRel } from '../../src/ir/print.ts'
import { bind } from '../../src/plan/bind.ts'
import { rowConditions } from '../../src/plan/group.ts'
import { optimise } from '../../src/plan/passes.ts'
import { loadRules } from '../../src/rules/load.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { makeRecogniser } from '../../src/schema/recognise.ts'
import type { StoredColumns } from '../../src/schema/stored.ts'
import { printSql } from '../../src/sql/print.ts'
import { decodeFile } from '../../tools/decoded.ts'
import { readInto, readyMadeSchema } from '../../tools/product.ts'
import { temporaryStore } from '../support/temporary.ts'

const FOLDER = fileURLToPath(new URL('sigma', import.meta.url))
const UPDATE = process.env.GOLDEN_UPDATE === '1'
const SECTIONS = ['about', 'rule', 'events', 'rows', 'ir', 'sql'] as const

/** Values of the placeholders that the cases use. */
const PLACEHOLDERS = new Map([
  ['test_admins', ['ann', 'bob*']],
  ['test_one', ['uno']],
  ['test_nets', ['10.0.0.0/8', 'fe80::/10']],
])

type Case = Record<(typeof SECTIONS)[number], string>

function readCase(path: string): Case {
  const parts = readFileSync(path, 'utf8').split(/^-- (\w+) --\n/m)
  const found: Case = { about: '', rule: '', events: '', rows: '', ir: '', sql: '' }
  for (let at = 1; at < parts.length; at += 2) {
    const name = SECTIONS.find((each) => each === parts[at])
    if (name !== undefined) found[name] = (parts[at + 1] ?? '').trim()
  }
  return found
}

function writeCase(path: string, found: Case): void {
  writeFileSync(path, SECTIONS.map((name) => `-- ${name} --\n${found[name]}\n`).join(''))
}

const schema = readyMadeSchema()
const recognise = makeRecogniser(schema)
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.case'))
  .map((name) => name.replace(/\.case$/, ''))
  .sort()
const work = mkdtempSync(join(tmpdir(), 'harrier-golden-'))

/** The catalogue that the case's own events would give, so that one case never changes another's SQL. */
async function catalogueOf(file: string): Promise<Map<string, StoredColumns>> {
  const stored = new Map<string, StoredColumns>()
  const { events } = await decodeFile(file)
  for (const event of events) {
    const source = recognise('windows', [...event.keys()], [...event.values()])
    const before = stored.get(source)
    const text = new Set(before?.text)
    const lists = new Set(before?.lists)
    for (const [name, value] of event) {
      if (Array.isArray(value)) lists.add(name)
      else if (value !== null && value !== '') text.add(name)
    }
    stored.set(source, { text, lists, overflow: false, rows: (before?.rows ?? 0) + 1 })
  }
  return stored
}

async function plansOf(rule: Rule, file: string): Promise<{ ir: string; sql: string }> {
  const stored = await catalogueOf(file)
  const view = viewResolver(schema)
  const plan = optimise(
    bind(rule.rel, { view, source: (name) => schema.sources.get(name), stored }).rel,
  )
  const sql = (rowConditions(plan) ?? []).map(({ source, where }) =>
    printSql({
      op: 'filter',
      where,
      from: { op: 'scan', table: { kind: 'source', name: source }, time: {}, out: [] },
    }),
  )
  return {
    ir: printRel(rule.rel),
    sql: sql.join('\n') || `-- nothing: ${printExpr({ op: 'const', value: false, type: 'bool' })}`,
  }
}

describe('golden cases', () => {
  const rules = new Map<string, Rule>()
  const hits = new Map<string, number[]>()
  let close: (() => Promise<void>) | undefined

  beforeAll(async () => {
    const opened = await temporaryStore()
    close = opened.close
    for (const name of names) {
      const { rule, events } = readCase(join(FOLDER, `${name}.case`))
      writeFileSync(join(work, `${name}.yml`), rule)
      writeFileSync(join(work, `${name}.jsonl`), `${events}\n`)
      const loaded = await loadRules([join(work, `${name}.yml`)], { placeholders: PLACEHOLDERS })
      const made = loaded.rules[0]?.rule
      if (made !== undefined) rules.set(name, made)
    }
    await readInto(
      opened.store,
      names.map((name) => join(work, `${name}.jsonl`)),
    )
    await runRules({
      rules: [...rules.values()],
      schema,
      store: opened.store,
      time: {},
      onFinding: ({ rule_id, file, record }) => {
        const name = [...rules].find(([, rule]) => rule.id === rule_id)?.[0]
        if (name === undefined || file !== join(work, `${name}.jsonl`)) return
        hits.set(name, [...(hits.get(name) ?? []), record])
      },
    })
  })
  afterAll(async () => {
    await close?.()
    rmSync(work, { recursive: true, force: true })
  })

  for (const name of names) {
    const path = join(FOLDER, `${name}.case`)
    it(`${name}: ${readCase(path).about}`, async () => {
      const found = readCase(path)
      const rule = rules.get(name)
      expect(rule, 'the rule loads').toBeDefined()
      if (rule === undefined) return
      const rows = found.rows === '' ? [] : found.rows.split(/\s+/).map(Number)
      expect((hits.get(name) ?? []).toSorted((a, b) => a - b)).toEqual(rows)
      const plans = await plansOf(rule, join(work, `${name}.jsonl`))
      if (UPDATE) writeCase(path, { ...found, ...plans })
      else expect({ ir: found.ir, sql: found.sql }).toEqual(plans)
    })
  }
})

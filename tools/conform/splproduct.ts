/**
 * The product as the runner of SPL cases: the compiler and an engine. The rows of a case are written into the plan;
 * events that a data model is to read are stored first, as logs of their kind.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { planQuery, planRows, type QueryWorld, queryRows } from '../../src/detect/runquery.ts'
import { discoverSpl } from '../../src/detect/spldiscover.ts'
import type { RunStore } from '../../src/detect/store.ts'
import { compileSpl } from '../../src/dialects/spl/compile.ts'
import type { SplLibrary } from '../../src/dialects/spl/library.ts'
import type { LookupDefinition } from '../../src/dialects/spl/lookupdef.ts'
import type { WrittenRows } from '../../src/dialects/spl/world.ts'
import { EngineError } from '../../src/engine/engine.ts'
import type { Store } from '../../src/engine/store.ts'
import { field, texts } from '../../src/ir/expr.ts'
import type { Rel, Scalar } from '../../src/ir/rel.ts'
import type { Field, Schema, Type } from '../../src/ir/types.ts'
import { mapRel } from '../../src/ir/walk.ts'
import { splWorld } from '../../src/rules/splworld.ts'
import { readInto, readyMadeSchema, withStore } from '../product.ts'
import type { Given } from './compare.ts'
import type { Outcome } from './report.ts'
import { judgeCases, QueryFailure } from './run.ts'
import type { SplCase, SplLookup, SplRow } from './splcase.ts'
import { compareSpl, expectedRows } from './splcompare.ts'

type Rows = Pick<RunStore, 'rows'>
const SECONDS = 20
const TEXTS: Type = { list: 'text' }
/** The place of a row among those that are written down. */
const PLACE: Field = { name: '@@i1', type: 'int' }

/** The fields of rows: `_time` a number, a field with several values in some row a list, others texts. */
function fieldsOf(rows: readonly SplRow[]): Schema {
  const types = new Map<string, Type>()
  for (const row of rows) {
    for (const [name, value] of row) {
      const isSeveral = typeof value !== 'string' || types.get(name) === TEXTS
      types.set(name, name === '_time' ? 'float' : isSeveral ? TEXTS : 'text')
    }
  }
  return [...types].map(([name, type]) => ({ name, type }))
}

/** Rows of a case as a relation; rows with lists are made one by one, since rows of constants hold single values. */
export function writtenRows(rows: readonly SplRow[]): WrittenRows {
  const fields = fieldsOf(rows)
  const out = [...fields.filter(({ type }) => type !== TEXTS), PLACE]
  const cellOf = (row: SplRow, { name, type }: Field, at: number): Scalar => {
    if (name === PLACE.name) return at
    const value = row.get(name)
    if (value === undefined) return null
    return type === 'float' ? Number(value) : String(value)
  }
  const cells = rows.map((row, at) => out.map((each) => cellOf(row, each, at)))
  if (out.length === fields.length + 1) return { fields, rel: { op: 'values', rows: cells, out } }
  const all = rows.map((row, at): Rel => {
    const keep = [...fields, PLACE].map(({ name, type }) => ({
      name,
      value: type === TEXTS ? texts([row.get(name) ?? []].flat()) : field(name, type),
    }))
    return { op: 'select', from: { op: 'values', rows: [cells[at] ?? []], out }, keep }
  })
  const [only] = all
  return { fields, rel: only !== undefined && all.length === 1 ? only : { op: 'union', all } }
}

const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`

function lookupOf({ name, fields, rows, options }: SplLookup): LookupDefinition {
  const match = new Map<string, 'wildcard' | 'cidr'>()
  for (const [, kind = '', column = ''] of String(options.match_type ?? '').matchAll(
    /(WILDCARD|CIDR)\(([^)]+)\)/g,
  )) {
    match.set(column, kind === 'CIDR' ? 'cidr' : 'wildcard')
  }
  return {
    name,
    kind: 'csv',
    description: '',
    fields,
    source: `${name}.csv`,
    csv: [fields, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join(''),
    options: {
      match,
      isCaseSensitive: options.case_sensitive_match !== false,
      maxMatches: Number(options.max_matches ?? 100),
      minMatches: Number(options.min_matches ?? 0),
      defaultMatch: String(options.default_match ?? ''),
    },
    others: new Map(),
    file: 'case',
  }
}

/** Rows whose fields carry the name of a dataset stand for what a data model has made of events. */
const isModelled = (rows: readonly SplRow[], prefix: string): boolean =>
  rows.some((row) => [...row.keys()].some((name) => name.startsWith(prefix)))

/** A plan that reads a data model from the rows of the case, where they are those of its dataset. */
function overRows(rel: Rel, { rows = [] }: SplCase): Rel {
  return mapRel(rel, (each) => {
    if (each.op !== 'scan' || !each.table.name.startsWith('cim:')) return each
    const prefix = `${each.table.name.split('.').at(-1)}.`
    if (!isModelled(rows, prefix)) return each
    const { fields, rel: from } = writtenRows(rows)
    const keep = each.out.map(({ name, type }) => {
      const known = fields.find((one) => one.name === `${prefix}${name}`)
      const value = known === undefined ? undefined : field(known.name, known.type)
      return { name, value: value ?? ({ op: 'const', value: null, type } as const) }
    })
    return { op: 'select', from, keep }
  })
}

async function runOn(recorded: SplCase, store: Rows, world: QueryWorld, signal: AbortSignal) {
  const { query, rows, indexes, macros, lookups } = recorded
  const library: SplLibrary = { macros, lookups: lookups.map(lookupOf) }
  const { schema, stored } = world
  const options = {
    world: {
      ...splWorld({ schema, stored, library }).world,
      ...(rows === undefined ? {} : { rows: writtenRows(rows) }),
      indexes: new Map([...indexes].map(([name, list]) => [name, writtenRows(list)])),
    },
  }
  const limits = { seconds: SECONDS, signal }
  const answer = await discoverSpl({
    compile: (found) => compileSpl(query, { ...options, found }),
    rows: (rel) => planRows(store, overRows(rel, recorded), world, limits),
  })
  const error = answer.diagnostics.find((each) => each.severity === 'error')
  if (error !== undefined) throw new QueryFailure(error.code, renderDiagnostic(error, query))
  if (answer.rel === undefined) throw new QueryFailure('compiler', 'no plan')
  const { value: plan, diagnostics } = planQuery(overRows(answer.rel, recorded), world)
  const [problem] = diagnostics
  if (plan === undefined) throw new QueryFailure(problem?.code ?? 'plan', problem?.message ?? '')
  const found: Given['rows'][number][] = []
  try {
    for await (const row of queryRows(store, plan, limits)) found.push(row)
  } catch (failure) {
    if (!(failure instanceof EngineError)) throw failure
    throw new QueryFailure(`engine: ${failure.kind}`, `${failure.message}\n${plan.sql}`)
  }
  return { columns: plan.columns, rows: found }
}

/** Events that a log of the kind would hold: those with the numbers of Sysmon as its channel writes them. */
function logLines(rows: readonly SplRow[]): readonly string[] {
  return rows.map((row) => {
    const { EventCode, ...rest } = Object.fromEntries(row)
    return JSON.stringify({
      Channel: 'Microsoft-Windows-Sysmon/Operational',
      Provider: 'Microsoft-Windows-Sysmon',
      EventID: Number(EventCode),
      '@timestamp': '2024-01-01T00:00:00Z',
      ...rest,
    })
  })
}

/** True when a case needs events in a store, not rows in its plan. */
const needsEvents = ({ rows = [] }: SplCase): boolean => rows.some((row) => row.has('EventCode'))

async function storeEvents(store: Store, rows: readonly SplRow[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-case-'))
  try {
    const path = join(folder, 'events.jsonl')
    writeFileSync(path, `${logLines(rows).join('\n')}\n`)
    await readInto(store, [path])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs cases, each on rows of its own. */
export function runSearches(cases: readonly SplCase[]): Promise<readonly Outcome[]> {
  const schema = readyMadeSchema()
  return withStore((store) =>
    judgeCases<SplCase>(cases, {
      async check(recorded, signal) {
        if (recorded.timezone !== 'UTC') throw new QueryFailure('case', 'not in UTC')
        const run = async (own: Store): Promise<Given> => {
          const stored = await own.catalogue()
          return runOn(recorded, own, { schema, stored, time: {} }, signal)
        }
        if (!needsEvents(recorded)) return compareSpl(recorded, await run(store))
        return withStore(async (own) => {
          await storeEvents(own, recorded.rows ?? [])
          return compareSpl(recorded, await run(own))
        })
      },
      expected: expectedRows,
      isUnstable: () => false,
    }),
  )
}

/**
 * Published example events of Splunk's data sources: each is read as a log, and the names that its file lists are looked
 * for among the fields that the event has under Splunk's names.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { childOf, readYaml, textOf, type YamlNode } from '../src/core/yaml.ts'
import { planRows, type QueryWorld } from '../src/detect/runquery.ts'
import type { RunStore } from '../src/detect/store.ts'
import { and, call, text, texts } from '../src/ir/expr.ts'
import type { Rel } from '../src/ir/rel.ts'
import type { Schema } from '../src/ir/types.ts'
import { ALL_EVENTS } from '../src/plan/bindevents.ts'
import { eventFields } from '../src/plan/eventfields.ts'
import { META } from '../src/schema/source.ts'
import type { StoredCatalogue } from '../src/schema/stored.ts'
import { printSql } from '../src/sql/print.ts'
import { readInto, readyMadeSchema, withStore } from './product.ts'

interface Example {
  readonly name: string
  readonly log: string
  readonly fields: readonly string[]
  readonly sourcetype: string
}

interface Found {
  readonly example: Example
  readonly missing: readonly string[]
  /** True when the event answers to the sourcetype that its file names. */
  readonly isNamed: boolean
}

function textsOf(node: YamlNode | undefined): readonly string[] {
  return node?.kind === 'list' ? node.items.flatMap((each) => textOf(each) ?? []) : []
}

/** The data sources that have an example of their events and a list of its fields. */
function examplesOf(folder: string): readonly Example[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .flatMap((name): readonly Example[] => {
      const [node] = readYaml(readFileSync(join(folder, name), 'utf8')).documents
      const log = textOf(childOf(node, 'example_log'))
      const fields = textsOf(childOf(node, 'fields'))
      const sourcetype = textOf(childOf(node, 'sourcetype')) ?? ''
      if (log === undefined || log.trim() === '' || fields.length === 0) return []
      return [{ name: basename(name, '.yml'), log, fields, sourcetype }]
    })
}

/** Events of one file, with the fields that are asked for. */
function eventsIn(file: string, out: Schema, sourcetype: string): Rel {
  const scan: Rel = {
    op: 'scan',
    table: { kind: 'view', name: ALL_EVENTS },
    time: {},
    out: [...out, { name: META.file, type: 'text' }],
  }
  const own = { op: 'field', name: META.file, type: 'text', stored: 'plain' } as const
  const isIn = call('match.equals', [own, text(file)])
  const isNamed = call('events.is', [text('sourcetype'), texts([sourcetype])])
  return { op: 'filter', from: scan, where: sourcetype === '' ? isIn : and([isIn, isNamed]) }
}

/** The sources that hold events of a file, so that only those are asked. */
async function sourcesByFile(
  store: Pick<RunStore, 'rows'>,
  stored: StoredCatalogue,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const found = new Map<string, Set<string>>()
  for (const name of stored.keys()) {
    const scan: Rel = {
      op: 'scan',
      table: { kind: 'source', name },
      time: {},
      out: [{ name: META.file, type: 'text' }],
    }
    const file = { op: 'field', name: META.file, type: 'text', stored: 'plain' } as const
    const by = [{ name: 'file', value: file }]
    for await (const [path] of store.rows(
      printSql({ op: 'aggregate', from: scan, by, into: [] }),
    )) {
      const sources = found.get(String(path)) ?? new Set()
      found.set(String(path), sources.add(name))
    }
  }
  return found
}

const isPresent = (value: unknown): boolean =>
  value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)

/** Reads all examples and looks for the fields of each. */
export async function exampleFields(folder: string, work: string): Promise<readonly Found[]> {
  const examples = examplesOf(folder)
  mkdirSync(work, { recursive: true })
  const paths = examples.map(({ name, log }) => {
    const path = join(work, `${name}.log`)
    writeFileSync(path, log.endsWith('\n') ? log : `${log}\n`)
    return path
  })
  const schema = readyMadeSchema()
  return withStore(async (store) => {
    await readInto(store, paths)
    const stored = await store.catalogue()
    const holders = await sourcesByFile(store, stored)
    const found: Found[] = []
    for (const [index, example] of examples.entries()) {
      const path = paths[index] ?? ''
      const own = new Map([...stored].filter(([name]) => holders.get(path)?.has(name)))
      const world: QueryWorld = { schema, stored: own, time: {} }
      const known = eventFields(schema, own, [])
      const out = example.fields.flatMap((name) => {
        const type = known.typeOf(name)
        return type === undefined ? [] : [{ name, type }]
      })
      const present = new Set<string>()
      for await (const row of planRows(store, eventsIn(path, out, ''), world)) {
        for (const [at, { name }] of out.entries()) if (isPresent(row[at])) present.add(name)
      }
      let isNamed = false
      const named = eventsIn(path, [{ name: '_time', type: 'float' }], example.sourcetype)
      for await (const _ of planRows(store, named, world)) isNamed = true
      const missing = example.fields.filter((name) => !present.has(name))
      found.push({ example, missing, isNamed })
    }
    return found
  })
}

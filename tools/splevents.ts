/**
 * Published example events of Splunk's data sources: each is read as a log, and the names that its file lists are looked
 * for among the fields that the event has under Splunk's names.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { childOf, readYaml, textOf, type YamlNode } from '../src/core/yaml.ts'
import { planQuery, planRows, type QueryWorld } from '../src/detect/runquery.ts'
import type { RunStore } from '../src/detect/store.ts'
import { call, text, texts } from '../src/ir/expr.ts'
import type { Rel } from '../src/ir/rel.ts'
import type { Schema } from '../src/ir/types.ts'
import { ALL_EVENTS } from '../src/plan/bindevents.ts'
import { givesNothing } from '../src/plan/empty.ts'
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

export interface FoundFields {
  readonly name: string
  readonly fields: readonly string[]
  readonly missing: readonly string[]
  /** True when the event answers to the sourcetype that its file names. */
  readonly isNamed: boolean
}

/** Shortest text that holds an event; shorter ones are only the first line of one, a time. */
const LEAST = 60

function textsOf(node: YamlNode | undefined): readonly string[] {
  return node?.kind === 'list' ? node.items.flatMap((each) => textOf(each) ?? []) : []
}

/** The data sources that have a usable example of their events. */
function examplesOf(folder: string): readonly Example[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .flatMap((name): readonly Example[] => {
      const [node] = readYaml(readFileSync(join(folder, name), 'utf8')).documents
      const log = textOf(childOf(node, 'example_log'))
      const fields = [...new Set(textsOf(childOf(node, 'fields')))]
      const sourcetype = textOf(childOf(node, 'sourcetype')) ?? ''
      if (log === undefined || log.length < LEAST) return []
      return [{ name: basename(name, '.yml'), log: completed(log.trimEnd()), fields, sourcetype }]
    })
}

/** An example whose end was cut off when it was published, with what is open in it closed; others as they are. */
function completed(log: string): string {
  if (log.startsWith('<Event') && !log.includes('</Event>')) {
    const inner = [...log.matchAll(/<(\/?)([A-Za-z]+)(?:\s[^<>]*?)?(\/?)>/g)]
    const open: string[] = []
    for (const [, end, name = '', empty] of inner) {
      if (end === '/') open.pop()
      else if (empty !== '/') open.push(name)
    }
    return (
      log +
      open
        .reverse()
        .map((name) => `</${name}>`)
        .join('')
    )
  }
  if (!log.startsWith('{') || log.endsWith('}')) return log
  const open: string[] = []
  let isText = false
  for (let at = 0; at < log.length; at++) {
    const letter = log.charAt(at)
    if (isText && letter === '\\') at++
    else if (letter === '"') isText = !isText
    else if (!isText && (letter === '{' || letter === '[')) open.push(letter)
    else if (!isText && (letter === '}' || letter === ']')) open.pop()
  }
  const closing = open.reverse().map((each) => (each === '{' ? '}' : ']'))
  return `${log}${isText ? '"' : ''}${closing.join('')}`
}

const FILE = { op: 'field', name: META.file, type: 'text', stored: 'plain' } as const

/** All events with the fields that are asked for and their file first; those of one sourcetype where it is given. */
function events(out: Schema, sourcetype?: string): Rel {
  const scan: Rel = {
    op: 'scan',
    table: { kind: 'view', name: ALL_EVENTS },
    time: {},
    out: [{ name: META.file, type: 'text' }, ...out],
  }
  if (sourcetype === undefined) return scan
  const isNamed = call('events.is', [text('sourcetype'), texts([sourcetype])])
  return { op: 'filter', from: scan, where: isNamed }
}

/** The sources that hold events of each file. */
async function sourcesByFile(
  store: Pick<RunStore, 'rows'>,
  stored: StoredCatalogue,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (const name of stored.keys()) {
    const scan: Rel = {
      op: 'scan',
      table: { kind: 'source', name },
      time: {},
      out: [{ name: META.file, type: 'text' }],
    }
    const by = [{ name: 'file', value: FILE }]
    const rows = store.rows(printSql({ op: 'aggregate', from: scan, by, into: [] }))
    for await (const [path] of rows) {
      const key = String(path)
      found.set(key, [...(found.get(key) ?? []), name])
    }
  }
  return found
}

const isPresent = (value: unknown): boolean =>
  value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)

/** Reads all examples below a folder and looks for the fields of each. */
export async function exampleFields(folder: string, work: string): Promise<readonly FoundFields[]> {
  const examples = examplesOf(folder)
  mkdirSync(work, { recursive: true })
  const pathOf = ({ name }: Example): string => join(work, `${name}.log`)
  for (const each of examples) writeFileSync(pathOf(each), `${each.log}\n`)
  const schema = readyMadeSchema()
  return withStore(async (store) => {
    await readInto(store, examples.map(pathOf))
    const stored = await store.catalogue()
    const holders = await sourcesByFile(store, stored)
    const groups = new Map<string, Example[]>()
    for (const each of examples) {
      const key = (holders.get(pathOf(each)) ?? []).join(' ')
      groups.set(key, [...(groups.get(key) ?? []), each])
    }
    const found: FoundFields[] = []
    for (const [key, group] of groups) {
      const own = new Map([...stored].filter(([name]) => key.split(' ').includes(name)))
      const world: QueryWorld = { schema, stored: own, time: {} }
      const known = eventFields(schema, own, [])
      const names = [...new Set(group.flatMap((each) => each.fields))]
      const out = names.flatMap((name) => {
        const type = known.typeOf(name)
        return type === undefined ? [] : [{ name, type }]
      })
      const present = new Map<string, Set<string>>()
      if (own.size > 0) {
        for await (const [file, ...values] of planRows(store, events(out), world)) {
          const has = present.get(String(file)) ?? new Set()
          present.set(String(file), has)
          for (const [at, { name }] of out.entries()) if (isPresent(values[at])) has.add(name)
        }
      }
      for (const each of group) {
        const has = present.get(pathOf(each))
        const plan = planQuery(events([], each.sourcetype), world).value
        found.push({
          name: each.name,
          fields: each.fields,
          missing: each.fields.filter((name) => has?.has(name) !== true),
          isNamed: plan !== undefined && !givesNothing(plan.rel),
        })
      }
    }
    return found
  })
}

/**
 * A second opinion on published rules: each rule is evaluated on each event of its log source by the small evaluator
 * of the tests, which shares nothing with the product but the YAML reader, and the product's findings are compared.
 */

import { viewResolver } from '../src/detect/plan.ts'
import { runRules } from '../src/detect/run.ts'
import { openPath } from '../src/ingest/containers.ts'
import type { DecodedEvent, Sink } from '../src/ingest/decoder.ts'
import { chooseDecoder } from '../src/ingest/detect.ts'
import { decoders } from '../src/ingest/formats.ts'
import type { Expr } from '../src/ir/expr.ts'
import type { Rel } from '../src/ir/rel.ts'
import { childrenOf, mapExpr } from '../src/ir/walk.ts'
import { foldExpr } from '../src/plan/fold.ts'
import type { LoadedRule, Rule } from '../src/rules/rule.ts'
import { makeRecogniser } from '../src/schema/recognise.ts'
import type { View, ViewPart } from '../src/schema/view.ts'
import { type OracleEvent, oracleRule } from '../tests/support/oracle.ts'
import { readInto, readyMadeSchema, withStore } from './product.ts'

interface Known extends OracleEvent {
  readonly key: string
  readonly source: string
}

export interface Agreement {
  /** Rules that could be compared, and those of them with the same events on both sides. */
  readonly compared: number
  readonly agreed: number
  readonly events: number
  readonly findings: number
  readonly differences: readonly string[]
}

const schema = readyMadeSchema()
const recognise = makeRecogniser(schema)
const keyOf = (source: string, file: string, record: number): string =>
  `${source}|${file}|${record}`

/** The event for the evaluator, which knows single values only; undefined when a field has several. */
function knownOf(event: DecodedEvent, file: string): Known | undefined {
  const fields = new Map<string, string>()
  for (const [index, name] of event.names.entries()) {
    const value = event.values[index]
    if (typeof value === 'string') fields.set(name, value)
    else if (value !== null && value !== undefined) return undefined
  }
  const source = recognise(event.kind, event.names, event.values)
  const raw = [...fields.values()].join('\n')
  return { fields, raw, source, key: keyOf(source, file, event.record) }
}

async function readEvents(files: readonly string[]): Promise<readonly Known[]> {
  const events: Known[] = []
  for (const file of files) {
    for await (const member of openPath(file)) {
      const { decoder, bytes } = await chooseDecoder(member, decoders)
      const sink: Sink = {
        event(event) {
          const known = knownOf(event, member.path)
          if (known !== undefined) events.push(known)
        },
        reject: () => undefined,
        damage: () => undefined,
        ready: () => Promise.resolve(),
      }
      await decoder?.decode(bytes, sink, { file: member.path, now: { ms: 0, sub: 0 } })
    }
  }
  return events
}

/** Whether an event belongs to a part of a view, by constant folding alone. */
function belongs(where: Expr, event: Known): boolean {
  const folded = mapExpr(where, (each): Expr => {
    if (each.op !== 'field') return foldExpr(each)
    const value = event.fields.get(each.name) ?? null
    return { op: 'const', value, type: value === null ? 'null' : 'text' }
  })
  return folded.op === 'const' && folded.value === true
}

function viewOf(rel: Rel, resolve: (name: string) => View | undefined): View | undefined {
  if (rel.op === 'scan') return resolve(rel.table.name)
  for (const child of childrenOf(rel)) {
    const found = viewOf(child, resolve)
    if (found !== undefined) return found
  }
  return undefined
}

/** The events that the evaluator says match; undefined when it does not know the rule's language. */
function expectedOf(
  text: string,
  parts: readonly ViewPart[],
  eventsOf: (part: ViewPart) => readonly Known[],
): ReadonlySet<string> | undefined {
  try {
    const rule = oracleRule(text)
    return new Set(
      parts
        .flatMap((part) => eventsOf(part).filter((each) => rule.matches(each)))
        .map((each) => each.key),
    )
  } catch {
    return undefined
  }
}

/** Compares all rules over all files; parts of views that rename fields are left out on both sides. */
export async function agreement(
  rules: readonly LoadedRule[],
  files: readonly string[],
): Promise<Agreement> {
  const events = await readEvents(files)
  const keys = new Set(events.map((each) => each.key))
  const resolve = viewResolver(schema)
  const chosen = new Map<string, readonly Known[]>()
  const eventsOf = (part: ViewPart): readonly Known[] => {
    const name = JSON.stringify([part.source, part.where])
    const known =
      chosen.get(name) ??
      events.filter((each) => each.source === part.source && belongs(part.where, each))
    chosen.set(name, known)
    return known
  }
  const expected = new Map<
    Rule,
    { readonly matches: ReadonlySet<string>; readonly sources: ReadonlySet<string> }
  >()
  for (const { rule, text } of rules) {
    const view = rule && viewOf(rule.rel, resolve)
    const plain = (view?.parts ?? []).filter(
      (part) => part.fields.size === 0 && eventsOf(part).length > 0,
    )
    if (rule === undefined || plain.length === 0) continue
    const matches = expectedOf(text, plain, eventsOf)
    const sources = new Set(plain.map((each) => each.source))
    if (matches !== undefined) expected.set(rule, { matches, sources })
  }
  const found = new Map<string, Set<string>>()
  await withStore(async (store) => {
    await readInto(store, files)
    await runRules({
      rules: [...expected.keys()],
      schema,
      store,
      time: {},
      onFinding: ({ rule_id, source, file, record }) => {
        const seen = found.get(rule_id) ?? new Set()
        found.set(rule_id, seen.add(keyOf(source, file, record)))
      },
    })
  })
  const differences: string[] = []
  let [agreed, findings] = [0, 0]
  for (const [rule, { matches, sources }] of expected) {
    const ours = [...(found.get(rule.id) ?? [])].filter(
      (key) => keys.has(key) && sources.has(key.slice(0, key.indexOf('|'))),
    )
    const missed = [...matches].filter((key) => !ours.includes(key))
    const extra = ours.filter((key) => !matches.has(key))
    findings += ours.length
    if (missed.length + extra.length === 0) agreed++
    else
      differences.push(
        `${rule.title}: ${missed.length} missed, ${extra.length} extra (${missed[0] ?? extra[0]})`,
      )
  }
  return { compared: expected.size, agreed, events: events.length, findings, differences }
}

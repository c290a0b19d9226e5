/**
 * Tells which source an event belongs to. Takes the kind, names and values that a decoder gave, gives the name of a
 * source; it runs once for every event, never throws, and its work for one set of names is done once.
 */
import type { SchemaCatalogue } from './catalogue.ts'
import type { Recogniser } from './source.ts'

/** A value as decoders give it: a text, several texts, or null. */
export type FieldValueLike = string | readonly string[] | null

export type Recognise = (
  kind: string,
  names: readonly string[],
  values: readonly FieldValueLike[],
) => string

/** Where events go that no recogniser knows, by kind; kinds that are not here go to `text.other`. */
const FALLBACKS: ReadonlyMap<string, string> = new Map([
  ['windows', 'windows.other'],
  ['zeek', 'zeek.other'],
  ['syslog', 'syslog'],
  ['auditd', 'linux.auditd'],
  ['access', 'web.access'],
  ['w3c', 'web.w3c'],
  ['json', 'json.other'],
  ['csv', 'csv.other'],
])
const LAST = 'text.other'

/** What equality counts against presence when recognisers are ordered. */
const EQUALITY = 8

interface Candidate {
  readonly source: string
  readonly kind: string | undefined
  /** Fields with the values they may have, in lower case. */
  readonly where: readonly (readonly [string, ReadonlySet<string>])[]
  readonly has: readonly string[]
  readonly score: number
}

/** A test on one field, for events whose names are known; `next` tells of the fields after it. */
type Step =
  | { readonly kind: 'take'; readonly source: string }
  | { readonly kind: 'pick'; readonly at: number; readonly sources: Map<string, string> }
  | {
      readonly kind: 'check'
      readonly tests: readonly { readonly at: number; readonly values: ReadonlySet<string> }[]
      readonly source: string
    }

function candidatesOf(source: string, recogniser: Recogniser): Candidate {
  const where = Object.entries(recogniser.where ?? {}).map(
    ([name, values]) => [name, new Set(values.map((each) => each.toLowerCase()))] as const,
  )
  const has = recogniser.has ?? []
  return {
    source,
    kind: recogniser.kind,
    where,
    has,
    score: where.length * EQUALITY + has.length,
  }
}

/** The steps for one kind and one list of names: what cannot hold for them is left out. */
function stepsFor(
  kind: string,
  names: readonly string[],
  candidates: readonly Candidate[],
): readonly Step[] {
  const places = new Map(names.map((name, at) => [name, at] as const))
  const steps: Step[] = []
  for (const { source, kind: wanted, where, has } of candidates) {
    if (wanted !== undefined && wanted !== kind) continue
    if (!has.every((name) => places.has(name))) continue
    const tests = where.flatMap(([name, values]) => {
      const at = places.get(name)
      return at === undefined ? [] : [{ at, values }]
    })
    if (tests.length < where.length) continue
    const [only] = tests
    if (only === undefined) {
      steps.push({ kind: 'take', source })
      break
    }
    if (tests.length > 1) {
      steps.push({ kind: 'check', tests, source })
      continue
    }
    const last = steps.at(-1)
    const pick: Step =
      last?.kind === 'pick' && last.at === only.at
        ? last
        : { kind: 'pick', at: only.at, sources: new Map() }
    if (pick !== last) steps.push(pick)
    if (pick.kind === 'pick') {
      for (const value of only.values) {
        if (!pick.sources.has(value)) pick.sources.set(value, source)
      }
    }
  }
  return steps
}

function holds(value: FieldValueLike | undefined, wanted: ReadonlySet<string>): boolean {
  if (typeof value === 'string') return wanted.has(value.toLowerCase())
  return value?.some((each) => wanted.has(each.toLowerCase())) ?? false
}

function picked(
  value: FieldValueLike | undefined,
  sources: ReadonlyMap<string, string>,
): string | undefined {
  if (typeof value === 'string') return sources.get(value.toLowerCase())
  for (const each of value ?? []) {
    const found = sources.get(each.toLowerCase())
    if (found !== undefined) return found
  }
  return undefined
}

function run(steps: readonly Step[], values: readonly FieldValueLike[]): string | undefined {
  for (const step of steps) {
    if (step.kind === 'take') return step.source
    if (step.kind === 'pick') {
      const found = picked(values[step.at], step.sources)
      if (found !== undefined) return found
    } else if (step.tests.every(({ at, values: wanted }) => holds(values[at], wanted))) {
      return step.source
    }
  }
  return undefined
}

/** Shapes remembered for decoders that make a new list of names for every event. */
const MOST_SHAPES = 256

/**
 * Makes the function that names the source of an event. The recogniser that asks for most wins, equality counting
 * more than presence; among equals the first declared. Values are compared ignoring case. What no recogniser
 * takes goes to the source for the rest of its kind, and an unknown kind to `text.other`.
 */
export function makeRecogniser(catalogue: SchemaCatalogue): Recognise {
  const candidates = [...catalogue.sources.values()]
    .flatMap(({ name, recognise }) => recognise.map((each) => candidatesOf(name, each)))
    .sort((a, b) => b.score - a.score)
  const byNames = new WeakMap<readonly string[], { kind: string; steps: readonly Step[] }>()
  const byText = new Map<string, readonly Step[]>()
  const stepsOf = (kind: string, names: readonly string[]): readonly Step[] => {
    const known = byNames.get(names)
    if (known !== undefined && known.kind === kind) return known.steps
    const key = `${kind}\n${names.join('\n')}`
    let steps = byText.get(key)
    if (steps === undefined) {
      if (byText.size >= MOST_SHAPES) byText.clear()
      steps = stepsFor(kind, names, candidates)
      byText.set(key, steps)
    }
    byNames.set(names, { kind, steps })
    return steps
  }
  return (kind, names, values) => run(stepsOf(kind, names), values) ?? FALLBACKS.get(kind) ?? LAST
}

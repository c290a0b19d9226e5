/**
 * Tells which source an event belongs to. Takes the kind, names and values that a decoder gave, gives the name of a
 * source; it runs once for every event, never throws, and its work for one set of names is done once.
 */
import type { SchemaCatalogue } from './catalogue.ts'
import type { Recogniser } from './source.ts'
import { makeTableFinder, type Place } from './tablefind.ts'

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
/** True for a source that takes what nothing else does. */
const isRest = (source: string): boolean => source.endsWith('.other')

/** What equality counts against presence when recognisers are ordered. */
const EQUALITY = 8

interface Test {
  readonly field: string
  /** Values that the field may have, in lower case. */
  readonly values: ReadonlySet<string>
}

/** A recogniser made ready. `rank` is its place in the order in which candidates are tried. */
interface Candidate {
  readonly kind: string | undefined
  /** Fields that must be there, those of the tests included. */
  readonly needs: readonly string[]
  /** The one field that decides, with the source for each of its values; or the tests for one source. */
  readonly decide:
    | { readonly field: string; readonly sources: ReadonlyMap<string, string> }
    | { readonly tests: readonly Test[]; readonly source: string }
  readonly score: number
  rank: number
}

/** A test on values, for events whose names are known. */
type Step =
  | { readonly kind: 'take'; readonly source: string }
  | { readonly kind: 'pick'; readonly at: number; readonly sources: ReadonlyMap<string, string> }
  | {
      readonly kind: 'check'
      readonly tests: readonly { readonly at: number; readonly values: ReadonlySet<string> }[]
      readonly source: string
    }

function candidateOf(source: string, { kind, where = {}, has = [] }: Recogniser): Candidate {
  const tests = Object.entries(where).map(([field, values]) => ({
    field,
    values: new Set(values.map((each) => each.toLowerCase())),
  }))
  return {
    kind,
    needs: [...tests.map((each) => each.field), ...has],
    decide: { tests, source },
    score: tests.length * EQUALITY + has.length,
    rank: 0,
  }
}

/**
 * The recognisers of all sources in the order in which they are tried. Those that ask for nothing but the value of
 * one field become one look-up for each field: a channel is found at once, however many channels there are.
 */
function orderedCandidates({ sources }: SchemaCatalogue): readonly Candidate[] {
  const picks = new Map<string, Map<string, string>>()
  const candidates: Candidate[] = []
  for (const { name, recognise } of sources.values()) {
    for (const each of recognise) {
      const candidate = candidateOf(name, each)
      const { decide, kind, needs } = candidate
      const [test] = 'tests' in decide ? decide.tests : []
      if (kind !== undefined || needs.length !== 1 || test === undefined) {
        candidates.push(candidate)
        continue
      }
      let found = picks.get(test.field)
      if (found === undefined) {
        found = new Map()
        picks.set(test.field, found)
        candidates.push({ ...candidate, decide: { field: test.field, sources: found } })
      }
      for (const value of test.values) if (!found.has(value)) found.set(value, name)
    }
  }
  candidates.sort((a, b) => b.score - a.score)
  for (const [rank, each] of candidates.entries()) each.rank = rank
  return candidates
}

/** Candidates by the first field they need; those that need none under the empty name. */
function indexOf(candidates: readonly Candidate[]): ReadonlyMap<string, readonly Candidate[]> {
  const index = new Map<string, Candidate[]>()
  for (const each of candidates) {
    const [first = ''] = each.needs
    const known = index.get(first)
    if (known === undefined) index.set(first, [each])
    else known.push(each)
  }
  return index
}

/** The steps for one kind and one list of names: what cannot hold for them is left out. */
function stepsFor(
  kind: string,
  names: readonly string[],
  index: ReadonlyMap<string, readonly Candidate[]>,
): readonly Step[] {
  const places = new Map(names.map((name, at) => [name, at] as const))
  const fitting = [...places.keys(), '']
    .flatMap((name) => index.get(name) ?? [])
    .filter((each) => each.kind === undefined || each.kind === kind)
    .filter((each) => each.needs.every((name) => places.has(name)))
    .sort((a, b) => a.rank - b.rank)
  const steps: Step[] = []
  for (const { decide } of fitting) {
    if ('sources' in decide) {
      steps.push({ kind: 'pick', at: places.get(decide.field) ?? -1, sources: decide.sources })
    } else if (decide.tests.length === 0) {
      steps.push({ kind: 'take', source: decide.source })
      break
    } else {
      const tests = decide.tests.map(({ field, values }) => ({
        at: places.get(field) ?? -1,
        values,
      }))
      steps.push({ kind: 'check', tests, source: decide.source })
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

/** Kinds of records that may be rows of a table. */
const TABLE_KINDS = new Set(['json', 'csv'])

/** What is done for records of one kind with the same names. */
interface ShapeSteps {
  readonly steps: readonly Step[]
  /** Places of the fields that may name a table. */
  readonly places: readonly Place[]
  /** The source that the columns tell. */
  readonly columns: string | undefined
}

/** Shapes remembered for decoders that make a new list of names for every event. */
const MOST_SHAPES = 256

/**
 * Makes the function that names the source of an event. The recogniser that asks for most wins, equality counting
 * more than presence; among equals the first declared. Rows of a table without a source of its own are told by the
 * table they name, and what nothing else takes by its columns. Values are compared ignoring case. What no recogniser
 * takes goes to the source for the rest of its kind, and an unknown kind to `text.other`.
 */
export function makeRecogniser(catalogue: SchemaCatalogue): Recognise {
  const index = indexOf(orderedCandidates(catalogue))
  const tables = makeTableFinder(catalogue)
  const byNames = new WeakMap<readonly string[], { kind: string; shape: ShapeSteps }>()
  const byText = new Map<string, ShapeSteps>()
  const make = (kind: string, names: readonly string[]): ShapeSteps => {
    const steps = stepsFor(kind, names, index)
    if (!TABLE_KINDS.has(kind)) return { steps, places: [], columns: undefined }
    const last = steps.at(-1)
    const isTaken = last?.kind === 'take' && !isRest(last.source)
    const columns = isTaken ? undefined : tables.byColumns(names)
    return { steps, places: tables.places(names), columns }
  }
  const stepsOf = (kind: string, names: readonly string[]): ShapeSteps => {
    const known = byNames.get(names)
    if (known !== undefined && known.kind === kind) return known.shape
    const key = `${kind}\n${names.join('\n')}`
    let shape = byText.get(key)
    if (shape === undefined) {
      if (byText.size >= MOST_SHAPES) byText.clear()
      shape = make(kind, names)
      byText.set(key, shape)
    }
    byNames.set(names, { kind, shape })
    return shape
  }
  return (kind, names, values) => {
    const { steps, places, columns } = stepsOf(kind, names)
    const named = places.length === 0 ? undefined : tables.named(places, values)
    if (named !== undefined) return named
    const found = run(steps, values)
    if (columns !== undefined && (found === undefined || isRest(found))) return columns
    return found ?? FALLBACKS.get(kind) ?? LAST
  }
}

/**
 * Reading a file of tests beside a rule (`NAME.test.yml`): its cases with their logs, steps and expectations. Pure: the
 * text comes in; names of files come out as they are written, for the reader of files to check.
 */
import { type Diagnostic, diagnose, hasErrors, type Outcome } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { OF_TESTS, Section } from '../../core/section.ts'
import { parseIso, printInstant } from '../../core/time.ts'
import { plainOf, readYaml, textOf, type YamlNode } from '../../core/yaml.ts'
import { type Expected, type ExpectedValues, FIRES, type Fires, type Step } from './cases.ts'
import type { InlineEvent } from './trial.ts'

/** Logs as a test names them. */
export interface NamedLogs {
  readonly files: readonly string[]
  readonly events: readonly InlineEvent[]
  readonly format?: string
  readonly source?: string
  /** Kusto's name of a table, or Splunk's of a kind of source, instead of a stored source. */
  readonly table?: string
  readonly sourcetype?: string
}

/** A test as it is written. */
export interface WrittenTest {
  readonly name: string
  /** Place of the test in the text. */
  readonly start: number
  readonly rule?: string
  readonly logs: readonly NamedLogs[]
  readonly steps: readonly Step[]
}

/** Most findings that a test may speak of. */
const MOST = 1_000_000

function readFires(section: Section): Fires | undefined {
  const node = section.child('fires')
  if (node === undefined) return undefined
  const found = node.kind === 'map' ? readRange(section.section('fires')) : firesOf(node)
  if (found !== undefined) return found
  section.wrong(
    'fires',
    'true, false, a number of findings, "at least N", "at most N", or least and most',
  )
  return undefined
}

function firesOf(node: YamlNode): Fires | undefined {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (typeof value === 'boolean') return value ? { least: 1 } : { least: 0, most: 0 }
  if (typeof value === 'number') {
    const isCount = Number.isSafeInteger(value) && value >= 0 && value <= MOST
    return isCount ? { least: value, most: value } : undefined
  }
  const found = /^at (least|most) (\d{1,7})$/i.exec(String(value ?? '').trim())
  if (found === null) return undefined
  const number = Number(found[2])
  return found[1]?.toLowerCase() === 'least' ? { least: number } : { least: 0, most: number }
}

function readRange(section: Section): Fires {
  const least = section.number('least', 0, MOST) ?? 0
  const most = section.number('most', 0, MOST)
  if (most !== undefined && most < least) section.wrong('most', `at least ${least}, as least says`)
  section.end()
  return { least, ...(most === undefined ? {} : { most }) }
}

/** A map of names to a text or a list of texts; `null` stands for no value. */
function valuesOf(section: Section, key: string, node: YamlNode): ExpectedValues | undefined {
  if (node.kind !== 'map') {
    section.wrong(key, 'a map of names to values', node.span)
    return undefined
  }
  const found = new Map<string, readonly string[]>()
  for (const { key: name, value } of node.entries) {
    const items = value.kind === 'list' ? value.items : [value]
    const isScalar = items.every((each) => each.kind === 'scalar')
    if (isScalar) {
      found.set(
        name,
        items.flatMap((each) => textOf(each) ?? []),
      )
    } else section.wrong(`${key}.${name}`, 'a text or a list of texts', value.span)
  }
  return found
}

function readValues(section: Section, key: string): readonly ExpectedValues[] {
  const node = section.child(key)
  if (node === undefined) return []
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap((each) => valuesOf(section, key, each) ?? [])
}

/** Keys of objects at risk and of evidence. */
function readObjects(section: Section, key: string, known: readonly string[]) {
  const objects = readValues(section, key)
  for (const object of objects) {
    if ([...object.keys()].some((each) => !known.includes(each))) {
      section.wrong(key, `a list of maps with ${known.join(', ')}`)
    }
  }
  return objects
}

/** What a run must find; undefined where the section says nothing of it. */
function readExpected(section: Section): Expected | undefined {
  const fires = readFires(section)
  const title = section.text('title')
  const level = section.text('level')
  const host = section.text('host')
  const message = section.text('message')
  const fields = readValues(section, 'fields')
  const entities = readValues(section, 'entities')
  const risk = readObjects(section, 'risk', ['object', 'score', 'type', 'field'])
  const threats = readObjects(section, 'threats', ['object', 'type', 'field'])
  const lists = [fields, entities, risk, threats]
  const saysNothing =
    [title, level, host, message].every((each) => each === undefined) &&
    lists.every((each) => each.length === 0)
  if (fires === undefined && saysNothing) return undefined
  if (fires?.most === 0 && !saysNothing) {
    section.wrong('fires', 'more than none where the test says what a finding has')
  }
  return {
    fires: fires ?? FIRES.fires,
    ...(title === undefined ? {} : { title }),
    ...(level === undefined ? {} : { level }),
    ...(host === undefined ? {} : { host }),
    ...(message === undefined ? {} : { message }),
    fields,
    entities,
    risk,
    threats,
  }
}

function readEvents(section: Section): readonly InlineEvent[] {
  const node = section.child('events')
  if (node === undefined) return []
  if (node.kind === 'scalar') {
    return node.text.split('\n').filter((each) => each.trim() !== '')
  }
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap((each): readonly InlineEvent[] => {
    const value = plainOf(each)
    if (typeof value === 'string') return [value]
    if (each.kind === 'map' && value !== null && typeof value === 'object') {
      return [Object.fromEntries(Object.entries(value))]
    }
    section.wrong('events', 'a list of maps or of lines', each.span)
    return []
  })
}

/** Logs of a section: files, or events that stand there, and what they are. */
function readLogs(section: Section): NamedLogs | undefined {
  const files = section.texts('files')
  const events = readEvents(section)
  const format = section.text('format')
  const source = section.text('source')
  const table = section.text('table')
  const sourcetype = section.text('sourcetype')
  if ([source, table, sourcetype].filter((each) => each !== undefined).length > 1) {
    section.wrong('source', 'the only one of source, table and sourcetype')
  }
  if (files.length === 0 && events.length === 0) return undefined
  return {
    files,
    events,
    ...(format === undefined ? {} : { format }),
    ...(source === undefined ? {} : { source }),
    ...(table === undefined ? {} : { table }),
    ...(sourcetype === undefined ? {} : { sourcetype }),
  }
}

function readStep(section: Section, tell: (diagnostic: Diagnostic) => void): Step {
  const rule = section.text('rule')
  const at = section.text('at')
  const instant = at === undefined ? undefined : parseIso(at)
  if (at !== undefined && instant === undefined) {
    section.wrong('at', 'a time such as 2026-02-01T10:00:00Z')
  }
  const writes = section.flag('write') ?? false
  const expected = readExpected(section)
  if (expected === undefined && !writes) tell(diagnose('HR765', {}, section.node?.span))
  return {
    ...(rule === undefined ? {} : { called: rule }),
    ...(instant === undefined ? {} : { at: printInstant(instant) }),
    writes,
    expected: expected ?? { ...FIRES, fires: { least: 0 } },
  }
}

function readTest(
  section: Section,
  place: number,
  shared: readonly NamedLogs[],
  tell: (diagnostic: Diagnostic) => void,
): WrittenTest {
  const name = section.text('name') ?? `test ${place + 1}`
  const own = readLogs(section)
  const listed = section.sections('logs').flatMap((each) => {
    const logs = readLogs(each)
    if (logs === undefined) each.wrong('', 'logs with events or files', each.node?.span)
    each.end()
    return logs ?? []
  })
  const logs = [...shared, ...(own === undefined ? [] : [own]), ...listed]
  const parts = section.sections('steps')
  const steps = (parts.length === 0 ? [section] : parts).map((each) => {
    const step = readStep(each, tell)
    if (each !== section) each.end()
    return step
  })
  const rule = parts.length === 0 ? undefined : section.text('rule')
  section.end()
  if (logs.length === 0) section.wrong('logs', 'there: events, files, or a list of logs')
  return {
    name,
    start: section.node?.span.start ?? 0,
    ...(rule === undefined ? {} : { rule }),
    logs,
    steps,
  }
}

/** Reads the tests of one section: its `logs` are those of all, its `rule` the one that they speak of. */
function readTests(
  section: Section,
  tell: (diagnostic: Diagnostic) => void,
): { readonly rule?: string; readonly tests: readonly WrittenTest[] } {
  const rule = section.text('rule')
  const shared = section.sections('logs').flatMap((each) => {
    const logs = readLogs(each)
    each.end()
    return logs ?? []
  })
  const parts = section.sections('tests')
  if (parts.length > limits.testsPerFile) {
    tell(
      diagnose('HR763', {
        what: 'the number of tests',
        size: parts.length,
        limit: limits.testsPerFile,
      }),
    )
    return { tests: [] }
  }
  const tests = parts.map((each, place) => readTest(each, place, shared, tell))
  const events = tests.reduce(
    (sum, { logs }) => sum + logs.reduce((all, each) => all + each.events.length, 0),
    0,
  )
  if (events > limits.testEvents) {
    tell(
      diagnose('HR763', { what: 'the number of events', size: events, limit: limits.testEvents }),
    )
    return { tests: [] }
  }
  return { ...(rule === undefined ? {} : { rule }), tests }
}

/** The tests of a file. No value when something in it is wrong. */
export function readCaseFile(
  text: string,
): Outcome<{ readonly rule?: string; readonly tests: readonly WrittenTest[] }> {
  const { documents, diagnostics: broken } = readYaml(text)
  const diagnostics: Diagnostic[] = [...broken]
  if (hasErrors(diagnostics)) return { diagnostics }
  const tell = (each: Diagnostic): void => {
    diagnostics.push(each)
  }
  const [first] = documents
  const root = new Section(first, '', tell, OF_TESTS)
  const value = readTests(root, tell)
  if (value.tests.length === 0 && diagnostics.length === 0) {
    root.wrong('tests', 'a list with at least one test')
  }
  root.end()
  return hasErrors(diagnostics) ? { diagnostics } : { value, diagnostics }
}

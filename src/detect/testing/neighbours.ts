/**
 * Files of tests that stand beside rules: `NAME.test.yml` next to `NAME.yml` (or `NAME.kql`, `NAME.spl`), or in a folder
 * `tests` there. Takes paths and loaded rules, gives the cases that can be run and those that cannot, with the reason.
 */
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { placesIn } from '../../core/span.ts'
import { suggest } from '../../core/suggest.ts'
import { systemReason } from '../../core/systemerror.ts'
import { type LoadedRule, located, type Rule } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { sourceOfTable } from '../../schema/tableview.ts'
import { type NamedLogs, readCaseFile, type WrittenTest } from './casefile.ts'
import type { Step, TestCase, Unrunnable } from './cases.ts'
import { filesBelow, locate } from './datafiles.ts'
import { sourceOfSourcetype } from './sourcetype.ts'
import type { LogPart } from './trial.ts'

const TEST_NAME = /^(.+)\.test\.ya?ml$/i
const ENDINGS = ['.yml', '.yaml', '.kql', '.kusto', '.csl', '.spl', '.json', '.md']
/** A folder of this name beside rules may hold their tests. */
const FOLDER = 'tests'

/** True for the name of a file of tests. */
function isTestFile(name: string): boolean {
  return TEST_NAME.test(name)
}

/** The rule file that a file of tests stands beside; undefined when there is none. */
function ruleFileOf(test: string): string | undefined {
  const stem = TEST_NAME.exec(basename(test))?.[1]
  const own = dirname(test)
  const folders = basename(resolve(own)) === FOLDER ? [own, dirname(own)] : [own]
  for (const folder of folders) {
    for (const ending of ENDINGS) {
      const path = join(folder, `${stem ?? ''}${ending}`)
      if (existsSync(path)) return path
    }
  }
  return undefined
}

/** Files of tests that stand beside a rule file. */
function besideRule(file: string): readonly string[] {
  const stem = basename(file).replace(/\.[^.]+$/, '')
  const folder = dirname(file)
  return [folder, join(folder, FOLDER)].flatMap((each) =>
    ['.test.yml', '.test.yaml'].map((ending) => join(each, stem + ending)).filter(existsSync),
  )
}

export interface TestPaths {
  /** Paths to load rules from: files of tests are replaced by the rules that they stand beside. */
  readonly rules: readonly string[]
  readonly tests: readonly string[]
}

/** The rules and the files of tests that paths lead to. */
export function testPaths(paths: readonly string[]): TestPaths {
  const rules = new Set<string>()
  const tests = new Map<string, string>()
  const add = (file: string): void => {
    tests.set(resolve(file), file)
  }
  for (const path of paths) {
    if (isTestFile(basename(path)) && existsSync(path)) {
      add(path)
      const rule = ruleFileOf(path)
      if (rule !== undefined) rules.add(rule)
      continue
    }
    rules.add(path)
    const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
    for (const each of isFile ? besideRule(path) : filesBelow(path, isTestFile)) add(each)
  }
  return { rules: [...rules], tests: [...tests.values()] }
}

/** What the reader of tests knows of the world. */
export interface TestWorld {
  readonly rules: readonly LoadedRule[]
  readonly schema: SchemaCatalogue
}

/** Logs as a bench reads them; undefined, with what is wrong told, when a file may not be used. */
export function partOf(
  logs: NamedLogs,
  folder: string,
  schema: SchemaCatalogue,
  tell: (diagnostic: Diagnostic) => void,
): LogPart | undefined {
  const files: string[] = []
  let isGood = true
  for (const written of logs.files) {
    const found = locate(folder, written)
    if ('path' in found) files.push(found.path)
    else {
      isGood = false
      tell(diagnose('HR762', { path: written.slice(0, 200), reason: found.reason }))
    }
  }
  if (!isGood) return undefined
  const { table, sourcetype } = logs
  const source =
    logs.source ??
    (table === undefined ? undefined : sourceOfTable(schema, table)) ??
    (sourcetype === undefined ? undefined : sourceOfSourcetype(schema, sourcetype))
  return {
    files,
    events: logs.events,
    ...(logs.format === undefined ? {} : { format: logs.format }),
    ...(source === undefined ? {} : { source }),
  }
}

/** Rules by the ways in which a test may name them. */
class RuleNames {
  readonly #rules: readonly LoadedRule[]

  constructor(rules: readonly LoadedRule[]) {
    this.#rules = rules
  }

  /** The rules of a file. */
  ofFile(file: string): readonly LoadedRule[] {
    const path = resolve(file)
    return this.#rules.filter((each) => resolve(each.file) === path)
  }

  /** The rules that are called so by their file beside a test, their id or their title. */
  called(name: string, folder: string): readonly LoadedRule[] {
    const isFile = !/[\\/]/.test(name)
    const beside = isFile
      ? [...this.ofFile(join(folder, name)), ...this.ofFile(join(dirname(resolve(folder)), name))]
      : []
    if (beside.length > 0) return beside
    const wanted = name.toLowerCase()
    return this.#rules.filter(
      ({ id, title }) => id.toLowerCase() === wanted || title.toLowerCase() === wanted,
    )
  }

  /** Advice for a name that no rule has. */
  guess(name: string): string {
    const near = suggest(
      name,
      this.#rules.flatMap(({ id, title }) => [id, title]),
    )
    return near === undefined ? '' : ` (did you mean "${near}"?)`
  }
}

/** A rule that a test names; told where there is none, or one that cannot run. */
function ruleCalled(
  name: string,
  folder: string,
  names: RuleNames,
  tell: (diagnostic: Diagnostic) => void,
): Rule | undefined {
  const found = names.called(name, folder)
  const rule = found.find((each) => each.rule !== undefined)?.rule
  if (rule === undefined) {
    const guess = found.length > 0 ? ' that can run' : names.guess(name)
    tell(diagnose('HR764', { name: name.slice(0, 200), guess }))
  }
  return rule
}

/** Reads the tests of one file. */
export function readTestFile(
  file: string,
  { rules, schema }: TestWorld,
): readonly (TestCase | Unrunnable)[] {
  const names = new RuleNames(rules)
  const base = { convention: 'harrier' as const, file }
  const broken = (
    name: string,
    diagnostics: readonly Diagnostic[],
    text: string,
    beside: Partial<Pick<Unrunnable, 'line' | 'rule'>> = {},
  ): Unrunnable => ({
    ...base,
    ...beside,
    name,
    state: 'broken',
    reasons: diagnostics.map((each) => each.message),
    diagnostics: located(diagnostics, text),
  })
  const whole = basename(file)
  let text: string
  try {
    const stat = lstatSync(file)
    if (!stat.isFile()) {
      const reason = stat.isSymbolicLink() ? 'links are not followed' : 'it is no plain file'
      return [broken(whole, [diagnose('HR762', { path: file, reason })], '')]
    }
    const { size } = stat
    if (size > limits.ruleFileBytes) {
      const what = 'the file of tests'
      const params = { what, size: `${size} bytes`, limit: limits.ruleFileBytes }
      return [broken(whole, [diagnose('HR763', params)], '')]
    }
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const params = { path: file, reason: systemReason(error) }
    return [broken(whole, [diagnose('HR005', params)], '')]
  }
  const { value, diagnostics } = readCaseFile(text)
  if (value === undefined) return [broken(whole, diagnostics, text)]
  const folder = dirname(file)
  const beside = ruleFileOf(file)
  const own = beside === undefined ? [] : names.ofFile(beside)
  const place = placesIn(text)
  return value.tests.map((test): TestCase | Unrunnable => {
    const line = place(test.start).line
    const problems: Diagnostic[] = []
    const tell = (each: Diagnostic): void => {
      if (problems.every(({ message }) => message !== each.message)) problems.push(each)
    }
    const named = test.rule ?? value.rule ?? test.steps.at(-1)?.called
    const rule =
      named === undefined
        ? own.find((each) => each.rule !== undefined)?.rule
        : ruleCalled(named, folder, names, tell)
    if (rule === undefined && problems.length === 0) {
      const [first] = own
      if (first === undefined) {
        tell(diagnose('HR764', { name: whole.replace(TEST_NAME, '$1'), guess: '' }))
      }
      for (const each of first?.diagnostics ?? []) if (each.severity === 'error') tell(each)
    }
    const steps = stepsOf(test, folder, names, tell)
    const logs = test.logs.flatMap((each) => partOf(each, folder, schema, tell) ?? [])
    if (rule === undefined || problems.length > 0) {
      return broken(test.name, problems, '', { line, ...(rule === undefined ? {} : { rule }) })
    }
    return { ...base, name: test.name, line, rule, logs, steps }
  })
}

/** Steps with the rules that they name. */
function stepsOf(
  { steps }: WrittenTest,
  folder: string,
  names: RuleNames,
  tell: (diagnostic: Diagnostic) => void,
): readonly Step[] {
  return steps.map((step) => {
    if (step.called === undefined) return step
    const rule = ruleCalled(step.called, folder, names, tell)
    return rule === undefined ? step : { ...step, rule }
  })
}

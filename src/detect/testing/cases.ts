/** What a test of a rule is: logs, steps, and what is expected of the findings; and what became of it. */
import type { LocatedDiagnostic, Rule } from '../../rules/rule.ts'
import type { LogPart } from './trial.ts'

/** How many findings are expected; `most` is absent where any number above is right. */
export interface Fires {
  readonly least: number
  readonly most?: number
}

/** Values by name, each a list of texts. */
export type ExpectedValues = ReadonlyMap<string, readonly string[]>

/** What the findings of a run must be. Each item of a list must be met by some finding. */
export interface Expected {
  readonly fires: Fires
  readonly title?: string
  readonly level?: string
  readonly host?: string
  readonly message?: string
  /** Values of output fields, or of the event that was found. */
  readonly fields: readonly ExpectedValues[]
  /** Entities with a `type` and the identifiers that they must have. */
  readonly entities: readonly ExpectedValues[]
  /** What is at risk: `object`, and any of `score`, `type`, `field`. */
  readonly risk: readonly ExpectedValues[]
  /** What is evidence: `object`, and any of `type`, `field`. */
  readonly threats: readonly ExpectedValues[]
}

/** One run of one rule in a test. */
export interface Step {
  /** Which step it is, for reasons; its number where nothing is said. */
  readonly said?: string
  /** Name of another rule than the one that is tested: its file, id or title. */
  readonly called?: string
  /** The rule that it names. */
  readonly rule?: Rule
  /** The run is as of this time. */
  readonly at?: string
  /** True when the search may write lookups. */
  readonly writes: boolean
  readonly expected: Expected
}

/** By whose conventions a test is judged. */
export type Convention = 'harrier' | 'escu' | 'sigma' | 'overlay'

/** A test that can be run. */
export interface TestCase {
  readonly convention: Convention
  readonly name: string
  /** The file that says so. */
  readonly file: string
  readonly line?: number
  readonly rule: Rule
  readonly logs: readonly LogPart[]
  readonly steps: readonly Step[]
}

/** A test that is there and is not run, or is broken. */
export interface Unrunnable extends Pick<TestCase, 'convention' | 'name' | 'file' | 'line'> {
  readonly rule?: Pick<Rule, 'id' | 'title' | 'file' | 'language'>
  /** Broken: the test or its rule is at fault; skipped: what it needs is not here. */
  readonly state: 'broken' | 'skipped'
  readonly reasons: readonly string[]
  readonly diagnostics: readonly LocatedDiagnostic[]
}

export type TestState = 'passed' | 'failed' | 'skipped' | 'broken'

/** What became of a test. */
export interface TestResult extends Omit<Unrunnable, 'state'> {
  readonly state: TestState
  /** Findings of its last step. */
  readonly findings: number
  readonly events: number
  readonly seconds: number
  /** Where its rule came nearest to a finding; only of tests that wanted one. */
  readonly nearest: readonly string[]
}

/** What is expected where nothing is said: at least one finding. */
export const FIRES: Expected = {
  fires: { least: 1 },
  fields: [],
  entities: [],
  risk: [],
  threats: [],
}

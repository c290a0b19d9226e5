/** Results of tests in the forms that they are printed in: lines for a person, JSON, and JUnit's XML. */
import type { TestResult, TestState } from '../detect/testing/cases.ts'
import type { LoadedRule } from '../rules/rule.ts'
import { diagnosticRecord } from './check.ts'
import { count, counted, duration } from './figures.ts'
import { html } from './markup.ts'
import { shownPath } from './paths.ts'
import { paint, type Style, type Writer } from './terminal.ts'
import type { TestReport } from './testing.ts'
import { safeCut, safeText } from './text.ts'

const STYLES: Readonly<Record<TestState, Style>> = {
  passed: 'good',
  failed: 'bad',
  broken: 'bad',
  skipped: 'dim',
}
/** Up to so many passed tests are listed one by one. */
const FEW = 40
/** Reasons of skipped tests that are listed, the most frequent first. */
const MOST_REASONS = 12
const MOST_CHARS = 400

export interface TestTotals {
  readonly tests: number
  readonly passed: number
  readonly failed: number
  readonly broken: number
  readonly skipped: number
  readonly notReached: number
  readonly seconds: number
}

/** Counts of a report. */
export function testTotals({ results, seconds, left }: TestReport): TestTotals {
  const of = (state: TestState): number => results.filter((each) => each.state === state).length
  return {
    tests: results.length + left,
    passed: of('passed'),
    failed: of('failed'),
    broken: of('broken'),
    skipped: of('skipped'),
    notReached: left,
    seconds,
  }
}

export interface Coverage {
  readonly rules: number
  readonly tested: number
  /** Rules that no test speaks of. */
  readonly untested: readonly LoadedRule[]
}

const nameOf = ({ file, id, title }: Pick<LoadedRule, 'file' | 'id' | 'title'>): string =>
  JSON.stringify([file, id, title])

/** How many rules have a test, whatever became of it. */
export function coverageOf({ results, rules }: TestReport): Coverage {
  const tested = new Set(results.flatMap(({ rule }) => (rule === undefined ? [] : [nameOf(rule)])))
  const untested = rules.filter((each) => !tested.has(nameOf(each)))
  return { rules: rules.length, tested: rules.length - untested.length, untested }
}

/** A test as the JSON forms print it. */
export function testRecord(result: TestResult) {
  const { convention, name, file, line, rule, state, reasons, diagnostics, nearest } = result
  return {
    state,
    name,
    convention,
    file,
    ...(line === undefined ? {} : { line }),
    ...(rule === undefined
      ? {}
      : {
          rule: { id: rule.id, title: rule.title, language: rule.language, file: rule.file },
        }),
    findings: result.findings,
    events: result.events,
    seconds: Math.round(result.seconds * 1_000) / 1_000,
    reasons,
    nearest,
    diagnostics: diagnostics.map(diagnosticRecord),
  }
}

/** A whole report as JSON. */
export function reportRecord(report: TestReport, withCoverage: boolean) {
  const { seconds, ...totals } = testTotals(report)
  const { rules, tested, untested } = coverageOf(report)
  return {
    tests: report.results.map(testRecord),
    totals: { ...totals, seconds: Math.round(seconds * 1_000) / 1_000 },
    ...(withCoverage
      ? {
          coverage: {
            rules,
            tested,
            untested: untested.map(({ id, title, language, file }) => ({
              id,
              title,
              language,
              file,
            })),
          },
        }
      : {}),
  }
}

function placeOf({ file, line }: TestResult): string {
  const shown = safeText(shownPath(file))
  return line === undefined ? shown : `${shown}:${line}`
}

function lineOf(writer: Writer, result: TestResult): string {
  const { state, name, rule, seconds } = result
  const title = rule === undefined ? '' : `${safeCut(rule.title, 80)}: `
  const took = state === 'skipped' || state === 'broken' ? '' : ` ${duration(seconds)}`
  const place = paint(writer, 'dim', `(${placeOf(result)}${took === '' ? '' : `,${took}`})`)
  return `${paint(writer, STYLES[state], state.padEnd(7))}  ${title}${safeCut(name, 100)} ${place}\n`
}

const indented = (text: string): string => `         ${text}\n`

function failureText(writer: Writer, result: TestResult): string {
  const { reasons, nearest, diagnostics } = result
  const hints = diagnostics.flatMap(({ hint }) => (hint === undefined ? [] : [`hint: ${hint}`]))
  return [
    lineOf(writer, result),
    ...reasons.map((each) => indented(safeCut(each, MOST_CHARS))),
    ...nearest.map((each) => indented(`nearest: ${safeCut(each, MOST_CHARS)}`)),
    ...[...new Set(hints)].map((each) => indented(safeCut(each, MOST_CHARS))),
  ].join('')
}

/** Skipped tests by their reason; where each has its own, the place of what is missing is left out. */
function skippedText(writer: Writer, skipped: readonly TestResult[]): string {
  const reasons = new Map<string, number>()
  for (const { reasons: all } of skipped) {
    const reason = (all[0] ?? '').replace(/^(?:datasets\/)?\S+\.\S+: /, '')
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const sorted = [...reasons].sort((a, b) => b[1] - a[1])
  const rest = sorted.length - MOST_REASONS
  const lines = sorted
    .slice(0, MOST_REASONS)
    .map(
      ([reason, number]) =>
        `${paint(writer, 'dim', 'skipped')}  ${counted(number, 'test')}: ${safeCut(reason, MOST_CHARS)}\n`,
    )
  return lines.join('') + (rest > 0 ? indented(`and ${counted(rest, 'more reason')}`) : '')
}

/** The report for a person: what passed when it is little, then what did not, with the reasons. */
export function reportText(writer: Writer, report: TestReport, isAll: boolean): string {
  const of = (state: TestState): readonly TestResult[] =>
    report.results.filter((each) => each.state === state)
  const passed = of('passed')
  const shown = isAll || passed.length <= FEW ? passed : []
  return [
    ...shown.map((each) => lineOf(writer, each)),
    skippedText(writer, of('skipped')),
    ...[...of('broken'), ...of('failed')].map((each) => failureText(writer, each)),
  ].join('')
}

/** Rules without a test, for a person. */
export function coverageText(writer: Writer, { rules, tested, untested }: Coverage): string {
  const share = rules === 0 ? 0 : Math.floor((100 * tested) / rules)
  return [
    ...untested.map(
      ({ title, file }) =>
        `${paint(writer, 'dim', 'no test')}  ${safeCut(title, 100)} ${paint(writer, 'dim', `(${safeText(shownPath(file))})`)}\n`,
    ),
    `${count(tested)} of ${counted(rules, 'rule')} ${tested === 1 ? 'has' : 'have'} a test (${share} %)\n`,
  ].join('')
}

/** The totals in one line. */
export function totalsText(writer: Writer, totals: TestTotals): string {
  const { tests, passed, failed, broken, skipped, notReached, seconds } = totals
  const isBad = failed > 0 || broken > 0
  const parts = [
    paint(writer, passed > 0 && !isBad ? 'good' : undefined, `${count(passed)} passed`),
    ...(failed > 0 ? [paint(writer, 'bad', `${count(failed)} failed`)] : []),
    ...(broken > 0 ? [paint(writer, 'bad', `${count(broken)} broken`)] : []),
    ...(skipped > 0 ? [`${count(skipped)} skipped`] : []),
    ...(notReached > 0 ? [`${count(notReached)} not reached`] : []),
  ]
  return `${parts.join(', ')} of ${counted(tests, 'test')} in ${duration(seconds)}\n`
}

/** The report as JUnit's XML, one suite a file. */
export function junitText(report: TestReport): string {
  const suites = new Map<string, TestResult[]>()
  for (const each of report.results) {
    const suite = suites.get(each.file)
    if (suite === undefined) suites.set(each.file, [each])
    else suite.push(each)
  }
  const totals = testTotals(report)
  const body = [...suites].map(([file, results]) => {
    const of = (state: TestState): number => results.filter((each) => each.state === state).length
    const seconds = results.reduce((sum, each) => sum + each.seconds, 0)
    return html`<testsuite name="${shownPath(file)}" tests="${results.length}" failures="${of('failed')}" errors="${of('broken')}" skipped="${of('skipped')}" time="${seconds.toFixed(3)}">
${results.map((each) => {
  const why = each.reasons[0] ?? ''
  const more = [...each.reasons, ...each.nearest.map((one) => `nearest: ${one}`)]
  const inner =
    each.state === 'passed'
      ? html``
      : each.state === 'skipped'
        ? html`<skipped message="${why}"/>`
        : each.state === 'failed'
          ? html`<failure message="${why}">${more.map((one) => html`${one}\n`)}</failure>`
          : html`<error message="${why}">${more.map((one) => html`${one}\n`)}</error>`
  return html`<testcase classname="${each.rule?.title ?? ''}" name="${each.name}" time="${each.seconds.toFixed(3)}">${inner}</testcase>
`
})}</testsuite>
`
  })
  return String(html`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="${totals.tests}" failures="${totals.failed}" errors="${totals.broken}" skipped="${totals.skipped}" time="${totals.seconds.toFixed(3)}">
${body}</testsuites>
`)
}

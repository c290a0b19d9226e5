/** A backtest in the forms that it is printed in: sections for a person, and JSON. */
import type { Finding } from '../detect/finding.ts'
import type { Backtest, Difference } from '../detect/testing/backtest.ts'
import type { Hidden } from '../detect/testing/hidden.ts'
import type { Counted } from '../detect/testing/tallies.ts'
import type { Rule } from '../rules/rule.ts'
import { diagnosticRecord } from './check.ts'
import { evidenceLine, orderFields } from './evidence.ts'
import { count, counted, duration, shortTime } from './figures.ts'
import { shownPath } from './paths.ts'
import { type Column, renderTable } from './table.ts'
import { levelText, paint, type Writer } from './terminal.ts'
import { safeCut, safeText } from './text.ts'

/** A backtest of a rule, and how another version of it does. */
export interface BacktestResult {
  readonly test: Backtest
  readonly against?: { readonly test: Backtest; readonly difference: Difference }
}

const BAR = 30
/** Past so many days they are put together by the week. */
const MOST_DAYS = 62
const WEEK = 7
/** So many days in a row without a finding become two lines. */
const LEAST_SILENT = 4

/** Milliseconds or seconds of one run. */
function runTime(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : duration(seconds)
}

function byWeek(days: readonly Counted[]): readonly Counted[] {
  const weeks: Counted[] = []
  for (let at = 0; at < days.length; at += WEEK) {
    const week = days.slice(at, at + WEEK)
    const sum = week.reduce((total, each) => total + each.count, 0)
    weeks.push({ value: week[0]?.value ?? '', count: sum })
  }
  return weeks
}

function bar(value: number, most: number): string {
  return value === 0 ? '' : '█'.repeat(Math.max(1, Math.round((value / most) * BAR)))
}

function daysText(writer: Writer, days: readonly Counted[]): string {
  const isLong = days.length > MOST_DAYS
  const shown = isLong ? byWeek(days) : days
  const most = Math.max(1, ...shown.map((each) => each.count))
  const columns: readonly Column[] = [
    { title: isLong ? 'WEEK FROM' : 'DAY' },
    { title: 'FINDINGS', align: 'right' },
    { title: '' },
  ]
  const rows: (readonly string[])[] = []
  for (let at = 0; at < shown.length; at++) {
    const silent = shown.slice(at).findIndex((each) => each.count > 0)
    const length = silent < 0 ? shown.length - at : silent
    const { value = '', count: found = 0 } = shown[at] ?? {}
    if (length >= LEAST_SILENT) {
      const last = shown[at + length - 1]?.value ?? ''
      rows.push([value, '0', ''], [`to ${last}`, '0', ''])
      at += length - 1
    } else rows.push([value, count(found), bar(found, most)])
  }
  return renderTable(writer, columns, rows)
}

function fieldsText(writer: Writer, { fields, findings }: Backtest): string {
  const columns: readonly Column[] = [
    { title: 'FIELD', shrinksTo: 12 },
    { title: 'DIFFERENT', align: 'right', dropOrder: 1 },
    { title: 'COUNT', align: 'right' },
    { title: 'VALUE', shrinksTo: 20 },
  ]
  const rows = fields.flatMap(({ name, different, top }) =>
    top.map(({ value, count: found }, place) => [
      place === 0 ? name : '',
      place === 0 ? count(different) : '',
      count(found),
      value,
    ]),
  )
  return findings === 0 ? '' : renderTable(writer, columns, rows)
}

function samplesText(writer: Writer, samples: readonly Finding[], rule: Rule): string {
  const width = Math.min(writer.columns(), 400)
  return samples
    .map(({ time, host, title, event }) => {
      const head = [shortTime(time), host, title ?? ''].filter((each) => each !== '')
      const evidence = evidenceLine(orderFields(event, rule.fields), width - 4)
      return `${paint(writer, 'dim', safeCut(head.join('  '), width))}\n    ${evidence}\n`
    })
    .join('')
}

/** What would not be told, in words. */
function hiddenLines({ fields, period, ...of }: Hidden): readonly string[] {
  const by = fields.length === 0 ? 'all of the rule' : `equal ${fields.join(', ')}`
  const held = counted(of.suppressed, 'finding')
  return [
    period === 0
      ? 'the rule is not throttled'
      : `throttling (${by}, ${duration(period)}) would hold back ${held}`,
    ...(of.unwanted === 0
      ? []
      : [`suppressions of the settings would hold back ${counted(of.unwanted, 'finding')}`]),
    of.cut === 0
      ? `no run makes more than ${count(of.most)} findings`
      : `the flood cap (${count(of.most)} a run) would cut ${counted(of.cut, 'finding')} in ${counted(of.flooded, 'run')}`,
  ]
}

function factsLines(test: Backtest): readonly string[] {
  const { schedule, due, ran, fired, from, to, findings, cost, whole, isCut } = test
  const range = from === '' ? 'no events' : `${shortTime(from)} to ${shortTime(to)} UTC`
  const runs =
    whole ?? `${counted(due, 'run')} due, ${count(ran)} with events, ${count(fired)} with findings`
  const spread =
    cost.runs > 1
      ? `; a run p50 ${runTime(cost.p50)}, p95 ${runTime(cost.p95)}, longest ${runTime(cost.longest)}`
      : ''
  return [
    `range     ${range}`,
    `schedule  ${schedule}`,
    `runs      ${runs}`,
    `findings  ${count(findings)}${isCut ? ' (counting ended there)' : ''}`,
    `cost      ${duration(cost.seconds)} in ${counted(cost.runs, 'run')}${spread}`,
  ]
}

function differenceText(
  writer: Writer,
  { test, difference }: NonNullable<BacktestResult['against']>,
  rule: Rule,
): string {
  const { both, onlyFirst, onlySecond, firstSamples, secondSamples } = difference
  const isBare =
    rule.tuning !== undefined && test.rule.tuning === undefined && rule.file === test.rule.file
  const name = isBare ? 'the rule without its overlay' : safeCut(shownPath(test.rule.file), 80)
  return [
    `both find ${count(both)}; only this version ${count(onlyFirst)}; only ${name} ${count(onlySecond)}\n`,
    ...(onlyFirst === 0 ? [] : [`only this version:\n${samplesText(writer, firstSamples, rule)}`]),
    ...(onlySecond === 0
      ? []
      : [`only ${name}:\n${samplesText(writer, secondSamples, test.rule)}`]),
  ].join('')
}

/** The report for a person. */
export function backtestText(writer: Writer, { test, against }: BacktestResult): string {
  const { rule, days, entities, samples, diagnostics, findings } = test
  const section = (title: string, text: string): string =>
    text === '' ? '' : `\n${paint(writer, 'bold', title)}\n${text}`
  const linesOf = (all: readonly string[]): string =>
    all.map((each) => `${safeText(each)}\n`).join('')
  const entityColumns: readonly Column[] = [
    { title: 'ENTITY', shrinksTo: 20 },
    { title: 'COUNT', align: 'right' },
  ]
  return [
    `${paint(writer, rule.level, levelText(rule.level))}  ${paint(writer, 'bold', safeCut(rule.title, 120))}\n`,
    linesOf(factsLines(test)),
    ...diagnostics.map((each) => `${each.severity} ${each.code}: ${safeCut(each.message, 400)}\n`),
    section('By day', findings === 0 ? '' : daysText(writer, days)),
    section('Most frequent values', fieldsText(writer, test)),
    section(
      'Entities',
      entities.length === 0
        ? ''
        : renderTable(
            writer,
            entityColumns,
            entities.map(({ value, count: found }) => [value, count(found)]),
          ),
    ),
    section('What would be held back', findings === 0 ? '' : linesOf(hiddenLines(test.hidden))),
    section('Samples', samplesText(writer, samples, rule)),
    against === undefined ? '' : section('Against', differenceText(writer, against, rule)),
  ].join('')
}

const rounded = (seconds: number): number => Math.round(seconds * 1_000) / 1_000

function testRecord(test: Backtest) {
  const { rule, cost, found: _, whole, diagnostics, ...rest } = test
  const { id, title, language, level, file } = rule
  return {
    rule: { id, title, language, level, file },
    ...rest,
    ...(whole === undefined ? {} : { whole }),
    cost: {
      seconds: rounded(cost.seconds),
      runs: cost.runs,
      p50: rounded(cost.p50),
      p95: rounded(cost.p95),
      longest: rounded(cost.longest),
    },
    diagnostics: diagnostics.map(diagnosticRecord),
  }
}

/** A backtest as JSON. */
export function backtestRecord({ test, against }: BacktestResult) {
  return {
    ...testRecord(test),
    ...(against === undefined
      ? {}
      : { against: { ...testRecord(against.test), difference: against.difference } }),
  }
}

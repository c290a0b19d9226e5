/** `harrier test`: the tests that stand beside rules, run and reported. */
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { PLACEHOLDERS_OPTION } from '../rulesets.ts'
import { ENGINE_OPTIONS, engineLimits, writeReport } from '../running.ts'
import { SETTINGS_OPTION } from '../settings.ts'
import { findTests, runFound } from '../testing.ts'
import {
  coverageOf,
  coverageText,
  junitText,
  reportRecord,
  reportText,
  testRecord,
  testTotals,
  totalsText,
} from '../testreport.ts'
import { line } from '../text.ts'
import { EXIT, UsageError } from '../usage.ts'

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  if (options.flag('json') && options.flag('jsonl')) {
    throw new UsageError('choose one of --json and --jsonl')
  }
  engineLimits(options)
  const { output } = context
  const found = await findTests(context, args, options)
  const report = await runFound(context, found, options)
  const totals = testTotals(report)
  const withCoverage = options.flag('coverage')
  if (options.flag('json')) output.out.write(`${jsonText(reportRecord(report, withCoverage))}\n`)
  else if (options.flag('jsonl')) {
    for (const each of report.results) {
      output.out.write(`${jsonText(testRecord(each))}\n`)
      await output.out.ready()
    }
  } else {
    output.out.write(reportText(output.out, report, options.flag('all')))
    if (withCoverage) output.out.write(coverageText(output.out, coverageOf(report)))
  }
  const junit = options.text('junit')
  if (junit !== undefined) writeReport(junit, [junitText(report)])
  if (!output.quiet) output.err.write(totalsText(output.err, totals))
  if (report.isInterrupted) return EXIT.interrupted
  if (totals.failed > 0) return EXIT.failOn
  if (totals.broken > 0) return EXIT.unusable
  if (totals.passed > 0) return EXIT.done
  const why =
    totals.skipped > 0
      ? 'nothing was tested: every test was skipped, for the reasons above'
      : options.text('filter') === undefined
        ? 'nothing was tested: no test was found there'
        : line`nothing was tested: no test fits "${options.text('filter') ?? ''}"`
  output.err.write(`${why}\n`)
  return EXIT.unusable
}

export const test: CommandRecord = {
  name: 'test',
  says: 'run the tests of rules: what must be found and what must not',
  args: '[paths...]',
  options: [
    {
      flags: '--attack-data <folder>',
      says: "where the logs of Splunk content's tests are: a folder laid out as the public attack_data repository; may be given several times",
      many: true,
    },
    {
      flags: '--download',
      says: 'fetch the logs of such tests that are not here from the public collection, and keep them',
    },
    {
      flags: '--lock <file>',
      says: 'where the SHA-256 sums of fetched logs are pinned (default: beside the logs, in the cache folder)',
    },
    {
      flags: '--regression-data <folder>',
      says: "where SigmaHQ's regression data is, when it is not below the paths; may be given several times",
      many: true,
    },
    { flags: '--filter <text>', says: 'only tests whose file, name or rule holds this text' },
    { flags: '--fail-fast', says: 'stop at the first test that fails' },
    { flags: '--coverage', says: 'also list the rules that have no test' },
    { flags: '--all', says: 'list passed tests one by one, however many there are' },
    { flags: '--json', says: 'one JSON document with tests and totals' },
    { flags: '--jsonl', says: 'one test as JSON on each line' },
    { flags: '--junit <file>', says: 'also write the results as JUnit XML' },
    PLACEHOLDERS_OPTION,
    SETTINGS_OPTION,
    ...ENGINE_OPTIONS,
  ],
  prints:
    'Tests are `NAME.test.yml` beside a rule `NAME.yml` or in a folder `tests` there, the `tests` of Splunk content, and the ' +
    'regression data of SigmaHQ. Each gets an empty store of its own for its logs. A test whose data is not here is skipped and ' +
    'counted; when nothing could be tested the exit code is 2. Without paths the tests of all packs and of the starter rules run.',
  examples: [
    'harrier test rules/',
    'harrier test rules/whoami.test.yml --json',
    'harrier test sigma/rules --regression-data sigma/regression_data --junit junit.xml',
    'harrier test security_content/detections --attack-data attack_data',
  ],
  act,
}

/** `harrier backtest`: rules over the past, by their own schedules. */
import { differenceOf, backtest as runBacktest } from '../../detect/testing/backtest.ts'
import type { Rule } from '../../rules/rule.ts'
import { type BacktestResult, backtestRecord, backtestText } from '../backtesting.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import {
  checkIntake,
  INTAKE_OPTIONS,
  isShort,
  LOGS_OPTION,
  progressFor,
  STORE_OPTION,
  storeFor,
} from '../intaking.ts'
import { jsonText } from '../json.ts'
import { RULE_OPTIONS, rulesFor, runnableRules, selectRules } from '../rulesets.ts'
import { ENGINE_OPTIONS, engineLimits } from '../running.ts'
import { SETTINGS_OPTION, settingsFor } from '../settings.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, UsageError } from '../usage.ts'

/** The rules of paths that can run and are wanted. */
async function rulesOf(
  context: Context,
  paths: readonly string[],
  options: OptionValues,
): Promise<readonly Rule[]> {
  const set = await rulesFor(context, options, paths)
  return selectRules(runnableRules(context, set, paths), options)
}

/** A rule as its publisher has it; undefined for one that no overlay has changed. */
function withoutOverlay(rule: Rule): Rule | undefined {
  if (rule.tuning === undefined) return undefined
  const { tuning: _, ...bare } = rule.tuning.unfiltered ?? rule
  return bare
}

/** The other version of a rule: the only one, or the one of its id or else its title. */
function versionOf(rule: Rule, rules: readonly Rule[], others: readonly Rule[]): Rule | undefined {
  if (rules.length === 1 && others.length === 1) return others[0]
  return (
    others.find(({ id }) => id !== '' && id === rule.id) ??
    others.find(({ title, language }) => title === rule.title && language === rule.language)
  )
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const time = boundsOf(options, context.now())
  checkIntake(context, options)
  const query = { signal: context.signal, ...engineLimits(options) }
  const { settings } = settingsFor(context, options)
  const rules = await rulesOf(context, args, options)
  const against = options.text('against')
  const isBare = options.text('againstOverlay') === 'off'
  if (isBare && against !== undefined) {
    throw new UsageError(
      '--against and --against-overlay name two other versions',
      'give one of them',
    )
  }
  const others = against === undefined ? [] : await rulesOf(context, [against], options)
  if (
    against !== undefined &&
    rules.every((each) => versionOf(each, rules, others) === undefined)
  ) {
    throw new UsageError(
      `none of the rules has another version in ${against}`,
      'versions are told by their id, else their title; a single rule is compared with a single one',
    )
  }
  const { opened, intake } = await storeFor(context, options.texts('logs'), options)
  const { output } = context
  const progress = progressFor(context, options)
  const results: BacktestResult[] = []
  let isInterrupted = intake?.interrupted === true
  try {
    if (intake !== undefined && intake.received === 0 && isShort(intake)) return EXIT.engine
    const one = async (rule: Rule) => {
      const test = await runBacktest(rule, {
        store: opened.store,
        schema: context.schema(),
        time,
        settings: settings.schedule,
        suppressions: settings.suppress,
        clock: () => performance.now(),
        query,
        onProgress: progress.scans,
      })
      isInterrupted ||= test.isInterrupted
      return test
    }
    for (const [place, rule] of rules.entries()) {
      if (isInterrupted || context.signal.aborted) break
      const test = await one(rule)
      const version = isBare ? withoutOverlay(rule) : versionOf(rule, rules, others)
      const second = version === undefined || isInterrupted ? undefined : await one(version)
      const result: BacktestResult = {
        test,
        ...(second === undefined
          ? {}
          : { against: { test: second, difference: differenceOf(test, second) } }),
      }
      progress.end()
      results.push(result)
      if (!options.flag('json')) {
        output.out.write(`${place > 0 ? '\n\n' : ''}${backtestText(output.out, result)}`)
        await output.out.ready()
      }
    }
  } finally {
    progress.end()
    await opened.close()
  }
  if (options.flag('json')) {
    output.out.write(`${jsonText({ backtests: results.map(backtestRecord) })}\n`)
  }
  if (isInterrupted || context.signal.aborted) return EXIT.interrupted
  const isStopped = results.some(({ test, against: other }) =>
    [test, ...(other === undefined ? [] : [other.test])].some(({ state }) => state === 'failed'),
  )
  return isStopped ? EXIT.engine : EXIT.done
}

export const backtest: CommandRecord = {
  name: 'backtest',
  says: 'what rules would have found in the past, run by run, and at what cost',
  args: '<rules...>',
  options: [
    LOGS_OPTION,
    STORE_OPTION,
    ...TIME_OPTIONS,
    {
      flags: '--against <path>',
      says: 'another version of the rule: tell what only one of the two finds',
    },
    {
      flags: '--against-overlay <off>',
      says: 'off: also run each rule that an overlay changes as its publisher has it, and tell what only one of the two finds',
      values: ['off'],
    },
    { flags: '--json', says: 'one JSON document' },
    SETTINGS_OPTION,
    ...RULE_OPTIONS.filter(({ flags }) => !flags.startsWith('--rules')),
    ...INTAKE_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  prints:
    'Each run that the schedule of the rule would have made over the events of the range, one by one: findings by day, the most ' +
    'frequent values, what suppression and the flood cap would hold back, and how long runs take. A rule that looks at one event at a ' +
    'time is run by the day. Nothing is kept. Without a store or logs the default store is read, without `--from` all of it.',
  examples: [
    'harrier backtest rule.yml --from -30d',
    'harrier backtest rules/ --logs logs/ --json',
    'harrier backtest new.yml --against old.yml --store case42',
  ],
  act,
}

/** `harrier run`: logs in, rules over them, findings out. */
import type { RuleSet } from '../../rules/load.ts'
import { LEVELS } from '../../rules/rule.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import { checkIntake, INTAKE_OPTIONS, isShort, STORE_OPTION, storeFor } from '../intaking.ts'
import { KEEP_OPTION } from '../keeping.ts'
import { knowTables, lacksTable } from '../kusto.ts'
import { OUTPUT_OPTIONS } from '../outputs.ts'
import { RULE_OPTIONS, readRules, rulesFor, runnableRules, selectRules } from '../rulesets.ts'
import { checkRun, ENGINE_OPTIONS, HTML_OPTION, runAndPrint, WRITE_OPTION } from '../running.ts'
import { SETTINGS_OPTION } from '../settings.ts'
import { AT_OPTION, TIME_OPTIONS } from '../times.ts'
import { EXIT, UsageError } from '../usage.ts'

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkRun(context, options)
  checkIntake(context, options)
  if (options.flag('keep') && args.length > 0 && options.text('store') === undefined) {
    throw new UsageError(
      'findings cannot be kept in a temporary store',
      'name the store that the logs and the findings go to with --store',
    )
  }
  const rulePaths = options.texts('rules')
  const set = await rulesFor(context, options, rulePaths)
  const choose = (from: RuleSet) => selectRules(runnableRules(context, from, rulePaths), options)
  // Only the store knows custom tables: what is refused for want of one is read again when the store is there.
  const waits = set.rules.some(lacksTable)
  const early = waits ? undefined : choose(set)
  const { opened, intake } = await storeFor(context, args, options)
  try {
    if (intake?.interrupted === true) return EXIT.interrupted
    if (intake !== undefined && intake.received === 0 && isShort(intake)) return EXIT.engine
    const isTold = waits && knowTables(context, await opened.store.catalogue())
    const known = isTold ? (await readRules(context, options, rulePaths)).set : set
    return await runAndPrint(context, {
      rules: early ?? choose(known),
      texts: set.texts,
      opened,
      intake,
      options,
      rulePaths,
    })
  } finally {
    await opened.close()
  }
}

export const run: CommandRecord = {
  name: 'run',
  says: 'run rules over logs, or over a store, and print the findings',
  args: '[logs...]',
  options: [
    ...RULE_OPTIONS,
    STORE_OPTION,
    ...TIME_OPTIONS,
    AT_OPTION,
    WRITE_OPTION,
    KEEP_OPTION,
    SETTINGS_OPTION,
    ...OUTPUT_OPTIONS,
    HTML_OPTION,
    {
      flags: '--fail-on <level>',
      says: 'exit with 1 when a finding has this level or above',
      values: LEVELS,
    },
    ...INTAKE_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  prints:
    'Logs without `--store` are read into a temporary store, which is removed at the end. With `--store` they are added to ' +
    'that store first. Without logs the rules run over the store that is named, or over the default one. A Kusto rule with a schedule ' +
    'runs at each step of it that sees events, a query without one once, as of the end of the logs; with `--at` each runs once, at that time.',
  examples: [
    'harrier run logs/ --rules sigma/rules --min-level high',
    'harrier run Security.evtx --rules rules/ --jsonl | jq .rule_title',
    'harrier run --store case42 --from -7d --html report.html',
  ],
  act,
}

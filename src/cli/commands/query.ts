/** `harrier query`: one rule as a query, or what would run for it (`--show ir`, `--show sql`). */
import { renderDiagnostic } from '../../core/diagnostic.ts'
import { eventColumns } from '../../detect/event.ts'
import { planRules } from '../../detect/plan.ts'
import { printRel } from '../../ir/print.ts'
import { groupedScan, rowConditions } from '../../plan/group.ts'
import type { RuleSet } from '../../rules/load.ts'
import type { Rule } from '../../rules/rule.ts'
import { printSql } from '../../sql/print.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context, OpenStore } from '../context.ts'
import { INTAKE_OPTIONS, printIntake, STORE_OPTION, storeFor } from '../intaking.ts'
import { OUTPUT_OPTIONS } from '../outputs.ts'
import { rulesFor } from '../rulesets.ts'
import { safeLines } from '../text.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, UsageError } from '../usage.ts'
import { runAndPrint } from './run.ts'

/** Prints why a rule file cannot be used; the exit code says so too. */
export function refuse(context: Context, set: RuleSet): number {
  for (const each of set.rules) {
    if (each.rule !== undefined) continue
    for (const diagnostic of each.diagnostics) {
      context.output.err.write(`${safeLines(renderDiagnostic(diagnostic, each.text, each.file))}\n`)
    }
  }
  for (const { file, diagnostic } of set.problems) {
    context.output.err.write(`${safeLines(renderDiagnostic(diagnostic, undefined, file))}\n`)
  }
  return EXIT.unusable
}

/** The plan of each rule as text: its IR bound to the store, or the SQL of its scans. */
export async function showPlans(
  context: Context,
  rules: readonly Rule[],
  opened: OpenStore,
  what: string,
  options: OptionValues,
): Promise<string> {
  const stored = await opened.store.catalogue()
  const time = boundsOf(options, context.now())
  return planRules(rules, context.schema(), stored)
    .map(({ plan }) => {
      if (what === 'ir') return printRel(plan)
      return (rowConditions(plan) ?? [])
        .map(({ source, where }) => {
          const columns = stored.get(source)
          if (columns === undefined) return ''
          return `${printSql(
            groupedScan({ source, conditions: [where], time, columns: eventColumns(columns) }),
          )};`
        })
        .join('\n\n')
    })
    .join('\n\n')
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [path] = args
  if (path === undefined) throw new UsageError('name a rule file')
  const set = await rulesFor(context, options, [path])
  const rules = set.rules.flatMap((each) => each.rule ?? [])
  if (rules.length === 0 || rules.length < set.rules.length) return refuse(context, set)
  const { opened, intake } = await storeFor(context, options.texts('logs'), options)
  try {
    if (intake !== undefined) printIntake(context, intake)
    const show = options.text('show')
    if (show !== undefined) {
      const text = await showPlans(context, rules, opened, show, options)
      context.output.out.write(`${safeLines(text)}\n`)
      return EXIT.done
    }
    await runAndPrint(context, {
      rules,
      texts: set.texts,
      opened,
      ...(intake === undefined ? {} : { intake }),
      options,
      summary: true,
    })
    return EXIT.done
  } finally {
    await opened.close()
  }
}

export const query: CommandRecord = {
  name: 'query',
  says: 'run one rule file as a query; SQL itself is never taken as input',
  args: '<rule>',
  options: [
    { flags: '--logs <path>', says: 'logs to read first; may be given several times', many: true },
    STORE_OPTION,
    ...TIME_OPTIONS,
    {
      flags: '--show <what>',
      says: 'print what would run, and run nothing',
      values: ['ir', 'sql'],
    },
    ...OUTPUT_OPTIONS,
    { flags: '--placeholders <file>', says: 'YAML file with values for %placeholders%' },
    ...INTAKE_OPTIONS,
  ],
  examples: [
    'harrier query rule.yml --logs Security.evtx',
    'harrier query rule.yml --store case42 --jsonl',
    'harrier query rule.yml --store case42 --show sql',
  ],
  act,
}

/**
 * `harrier query`: one rule file, or with `--dialect` the text of a query, over a store or logs; or what would run for it
 * (`--show ir`, `--show sql`).
 */
import { existsSync, statSync } from 'node:fs'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { correlationPlans } from '../../detect/correlate/run.ts'
import { eventColumns } from '../../detect/event.ts'
import { planRules } from '../../detect/plan.ts'
import { planQuery, sourcesOf } from '../../detect/runquery.ts'
import { printRel } from '../../ir/print.ts'
import { groupedScan, rowConditions } from '../../plan/group.ts'
import { atTime } from '../../plan/now.ts'
import type { Rule } from '../../rules/rule.ts'
import { printSql } from '../../sql/print.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, defaultStore, isStore, type OpenStore } from '../context.ts'
import {
  checkIntake,
  INTAKE_OPTIONS,
  isShort,
  LOGS_OPTION,
  STORE_OPTION,
  storeFor,
} from '../intaking.ts'
import { EXTERNAL_OPTION } from '../kusto.ts'
import { FUNCTIONS_OPTION } from '../library.ts'
import { OUTPUT_OPTIONS } from '../outputs.ts'
import { queryKusto } from '../querying.ts'
import { ROWS_OPTION } from '../results.ts'
import { PLACEHOLDERS_OPTION, refusals, rulesFor } from '../rulesets.ts'
import { checkRun, ENGINE_OPTIONS, HTML_OPTION, runAndPrint, WRITE_OPTION } from '../running.ts'
import { checkSplTimes, querySpl, SPL_TIME_OPTIONS } from '../splquery.ts'
import { line, safeLines } from '../text.ts'
import { AT_OPTION, atOf, boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, UnusableError, UsageError } from '../usage.ts'

export interface ShownPlan {
  readonly rule: Rule
  /** Empty when nothing would run. */
  readonly text: string
  /** Why nothing, or less than all, would run: codes with messages. */
  readonly notes: readonly string[]
}

/** The plan of each rule as text: its IR bound to the store, or the SQL of its scans. */
export async function showPlans(
  context: Context,
  rules: readonly Rule[],
  opened: OpenStore,
  what: 'ir' | 'sql',
  options: OptionValues,
): Promise<readonly ShownPlan[]> {
  const stored = await opened.store.catalogue()
  const schema = context.schema()
  const time = boundsOf(options, context.now())
  const at = atOf(options, context.now())
  const told = (diagnostics: readonly Diagnostic[]): readonly string[] =>
    diagnostics.map(({ code, message }) => `${code} ${message}`)
  return rules.flatMap((each): readonly ShownPlan[] => {
    if (each.kusto !== undefined || each.spl !== undefined) {
      const own = each.spl?.compiler({ stored }).compile(new Map()).rel ?? each.rel
      const rel = at === undefined ? own : atTime(own, at)
      const { value, diagnostics } = planQuery(rel, { schema, stored, time })
      const isEmpty = value === undefined || sourcesOf(value.rel).length === 0
      const text = isEmpty ? '' : what === 'ir' ? printRel(value.rel) : `${value.sql};`
      return [{ rule: each, text, notes: told(diagnostics) }]
    }
    if (each.correlation !== undefined) {
      const { plans, diagnostics } = correlationPlans(each.correlation, { schema, stored, time })
      const text = plans.map(({ rel, sql }) => (what === 'ir' ? printRel(rel) : `${sql};`))
      return [{ rule: each, text: text.join('\n\n'), notes: told(diagnostics) }]
    }
    const [planned] = planRules([each], schema, stored)
    if (planned === undefined) return []
    const { rule, plan, diagnostics } = planned
    const sql = (): string =>
      (rowConditions(plan) ?? [])
        .flatMap(({ source, where }) => {
          const columns = stored.get(source)
          if (columns === undefined) return []
          const scan = { source, conditions: [where], time, columns: eventColumns(columns) }
          return [`${printSql(groupedScan(scan))};`]
        })
        .join('\n\n')
    return [{ rule, text: what === 'ir' ? printRel(plan) : sql(), notes: told(diagnostics) }]
  })
}

/** `--show ir` and `--show sql`: what would run, on stdout; why nothing would, on stderr. */
async function show(
  context: Context,
  rules: readonly Rule[],
  what: 'ir' | 'sql',
  options: OptionValues,
): Promise<number> {
  const { out, err, quiet } = context.output
  const logs = options.texts('logs')
  const hasStore =
    logs.length > 0 || options.text('store') !== undefined || isStore(defaultStore(context))
  if (!hasStore) {
    if (what === 'sql') {
      throw new UsageError(
        'the SQL depends on which fields are stored',
        'name logs with --logs, or a store with --store; --show ir needs neither',
      )
    }
    if (!quiet) err.write('the plan before it is bound to stored fields (no --logs, no --store)\n')
    out.write(`${safeLines(rules.map((rule) => printRel(rule.rel)).join('\n\n'))}\n`)
    return EXIT.done
  }
  const { opened } = await storeFor(context, logs, options)
  try {
    const plans = await showPlans(context, rules, opened, what, options)
    const texts = plans.flatMap(({ text }) => (text === '' ? [] : [text]))
    if (texts.length > 0) out.write(`${safeLines(texts.join('\n\n'))}\n`)
    for (const { rule, text, notes } of quiet ? [] : plans) {
      if (text === '') err.write(line`nothing would run for "${rule.title}"\n`)
      for (const note of notes) err.write(line`note: ${note}\n`)
    }
    return EXIT.done
  } finally {
    await opened.close()
  }
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [path = ''] = args
  checkSplTimes(options)
  if (options.text('dialect') === 'kusto') return queryKusto(context, path, options)
  if (options.text('dialect') === 'spl') return querySpl(context, path, options)
  if (options.text('rows') !== undefined) {
    throw new UsageError(
      '--rows is for the rows of a query; the findings of a rule are all printed',
    )
  }
  checkRun(context, options)
  checkIntake(context, options)
  if (!existsSync(path) && /[|\n]/.test(path)) {
    throw new UsageError(
      'this looks like the text of a query, not like a rule file',
      "say its language: `harrier query --dialect kusto 'T | take 10'`, or spl",
    )
  }
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new UsageError(
      `${path} is a folder; a query is one rule file`,
      `\`harrier run --rules ${path}\` runs many rules`,
    )
  }
  const set = await rulesFor(context, options, [path])
  const refused = set.rules.filter((each) => each.rule === undefined)
  if (refused.length > 0) throw new UnusableError(refusals(refused))
  const rules = set.rules.flatMap((each) => each.rule ?? [])
  const what = options.text('show')
  if (what === 'ir' || what === 'sql') return show(context, rules, what, options)
  const { opened, intake } = await storeFor(context, options.texts('logs'), options)
  try {
    if (intake?.interrupted === true) return EXIT.interrupted
    if (intake !== undefined && intake.received === 0 && isShort(intake)) return EXIT.engine
    const rulePaths = [path]
    return await runAndPrint(context, {
      rules,
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

export const query: CommandRecord = {
  name: 'query',
  says: 'run one rule file, or the text of a query; SQL itself is never taken as input',
  args: '<query>',
  options: [
    {
      flags: '--dialect <name>',
      says: 'the argument is the text of a query in this language, a file with it, or - for stdin',
      values: ['kusto', 'spl'],
    },
    LOGS_OPTION,
    STORE_OPTION,
    ...TIME_OPTIONS,
    ...SPL_TIME_OPTIONS,
    WRITE_OPTION,
    AT_OPTION,
    {
      flags: '--show <what>',
      says: 'print what would run, and run nothing',
      values: ['ir', 'sql'],
    },
    ...OUTPUT_OPTIONS,
    ROWS_OPTION,
    FUNCTIONS_OPTION,
    EXTERNAL_OPTION,
    HTML_OPTION,
    PLACEHOLDERS_OPTION,
    ...INTAKE_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  prints:
    'The same as `run` for the rules of one file, all of which must be usable. With `--dialect`: the rows of each query of the ' +
    'text, as a table, or one below the other where a terminal is too narrow; `--json` gives `{"results":[{"columns","rows"}]}`, ' +
    '`--jsonl` one row a line, `--csv` a line of names and the rows. `--from` and `--to` bound every table that is read; `render` ' +
    'draws a chart in the report of `--html`. Events that a search gives are printed one below the other with the fields ' +
    'that they have, `_time` first; a field with several values is a list in JSON. `--show ir` prints the plan, `--show sql` the statements for the fields that are ' +
    'stored. Findings alone never change the exit code.',
  examples: [
    'harrier query rule.yml --logs Security.evtx',
    'harrier query rule.yml --store case42 --jsonl',
    'harrier query rule.yml --store case42 --show sql',
    "harrier query --dialect kusto 'DeviceProcessEvents | summarize count() by FileName' --logs logs/",
    "harrier query --dialect spl 'EventCode=22 QueryName=*paste* | stats count by Image' --logs logs/ --earliest -24h",
  ],
  act,
}

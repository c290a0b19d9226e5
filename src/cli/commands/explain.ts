/** `harrier explain`: what a rule looks for, where, what would run, and what data there is for it. */
import { existsSync } from 'node:fs'
import { planRules, viewResolver } from '../../detect/plan.ts'
import { printExpr, printRel } from '../../ir/print.ts'
import { loadRules, type RuleSet } from '../../rules/load.ts'
import type { Rule } from '../../rules/rule.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, defaultStore, type OpenStore } from '../context.ts'
import { count } from '../figures.ts'
import { INTAKE_OPTIONS, STORE_OPTION, storeFor } from '../intaking.ts'
import { defaultRulePaths, rulesFor } from '../rulesets.ts'
import { levelText, paint } from '../terminal.ts'
import { line, safeLines } from '../text.ts'
import { TIME_OPTIONS } from '../times.ts'
import { EXIT, UsageError } from '../usage.ts'
import { refuse, showPlans } from './query.ts'

const indented = (text: string): string => text.replace(/^/gm, '  ')

function viewNames(rule: Rule): readonly string[] {
  const names = new Set<string>()
  for (const match of printRel(rule.rel).matchAll(/scan view (\S.*)$/gm)) {
    if (match[1] !== undefined) names.add(match[1])
  }
  return [...names]
}

/** The sources that feed a rule, each with its condition and how many events are stored. */
async function sourcesText(
  context: Context,
  rule: Rule,
  opened: OpenStore | undefined,
): Promise<string> {
  const stored = await opened?.store.catalogue()
  const resolve = viewResolver(context.schema())
  const lines: string[] = []
  for (const name of viewNames(rule)) {
    for (const part of resolve(name)?.parts ?? []) {
      const rows = stored?.get(part.source)?.rows
      const data =
        stored === undefined
          ? ''
          : rows === undefined
            ? ' - no data here'
            : ` - ${count(rows)} events`
      const where = printExpr(part.where)
      lines.push(`${part.source}${data}`)
      if (where !== 'true') lines.push(`  where ${where}`)
    }
  }
  return lines.length === 0 ? 'no source is known for this log source' : lines.join('\n')
}

async function explainRule(
  context: Context,
  rule: Rule,
  opened: OpenStore | undefined,
  options: OptionValues,
): Promise<void> {
  const { out } = context.output
  const title = (text: string): string => `\n${paint(out, 'bold', text)}\n`
  out.write(
    `${paint(out, rule.level, levelText(rule.level))} ${paint(out, 'bold', line`${rule.title}`)}\n`,
  )
  out.write(line`${rule.id} · ${rule.language} · ${rule.status} · ${rule.file}\n`)
  if (rule.description !== '') out.write(`\n${safeLines(rule.description.trim())}\n`)
  if (rule.tags.length > 0) out.write(line`\ntags: ${rule.tags.join(', ')}\n`)
  out.write(title('Stages'))
  for (const stage of rule.stages)
    out.write(`${line`  ${stage.name}`}\n${indented(indented(safeLines(stage.text)))}\n`)
  out.write(title('Fields'))
  out.write(`  ${safeLines(rule.fields.join(', ') || 'none: it searches all values')}\n`)
  out.write(title('Sources'))
  out.write(
    `${line`  log source: ${rule.logsource}`}\n${indented(safeLines(await sourcesText(context, rule, opened)))}\n`,
  )
  out.write(title('IR'))
  out.write(`${indented(safeLines(printRel(rule.rel)))}\n`)
  if (opened === undefined) return
  const [planned] = planRules([rule], context.schema(), await opened.store.catalogue())
  for (const { code, message } of planned?.diagnostics ?? []) {
    out.write(line`  ${code}: ${message}\n`)
  }
  out.write(title('SQL'))
  const sql = await showPlans(context, [rule], opened, 'sql', options)
  const reason =
    planned?.state === 'no_data'
      ? 'nothing runs: no source of this rule has data here'
      : 'nothing runs: the fields that this rule needs do not occur in the data'
  out.write(`${indented(safeLines(sql === '' ? reason : sql))}\n`)
}

/** The rule that a path or an id names. */
async function findRule(context: Context, named: string, options: OptionValues): Promise<RuleSet> {
  if (existsSync(named)) return rulesFor(context, options, [named])
  const paths = options.texts('rules')
  const all = await loadRules(paths.length > 0 ? paths : defaultRulePaths(context), {
    placeholders: new Map(),
  })
  const rules = all.rules.filter((each) => each.id === named)
  if (rules.length === 0) {
    throw new UsageError(
      `there is no rule file or rule id "${named}"`,
      'name the rules with --rules PATH',
    )
  }
  return { ...all, rules, problems: [] }
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [named] = args
  if (named === undefined) throw new UsageError('name a rule file or a rule id')
  const set = await findRule(context, named, options)
  const rules = set.rules.flatMap((each) => each.rule ?? [])
  if (rules.length === 0) return refuse(context, set)
  const logs = options.texts('logs')
  const hasStore =
    logs.length > 0 || options.text('store') !== undefined || existsSync(defaultStore(context))
  const opened = hasStore ? (await storeFor(context, logs, options)).opened : undefined
  try {
    for (const rule of rules) await explainRule(context, rule, opened, options)
    return EXIT.done
  } finally {
    await opened?.close()
  }
}

export const explain: CommandRecord = {
  name: 'explain',
  says: 'what a rule looks for, its fields and sources, what would run, and what data there is',
  args: '<rule>',
  options: [
    { flags: '-r, --rules <path>', says: 'where to look for a rule id', many: true },
    { flags: '--logs <path>', says: 'logs to read first; may be given several times', many: true },
    STORE_OPTION,
    ...TIME_OPTIONS,
    { flags: '--placeholders <file>', says: 'YAML file with values for %placeholders%' },
    ...INTAKE_OPTIONS,
  ],
  examples: [
    'harrier explain rule.yml',
    'harrier explain 0b1c2d3e-0000-4000-8000-000000000000 --rules sigma/',
    'harrier explain rule.yml --logs logs/',
  ],
  act,
}

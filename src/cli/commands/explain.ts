/** `harrier explain`: what a rule looks for, where, what would run, and what data there is for it. */

import { existsSync } from 'node:fs'
import { lengthText } from '../../core/length.ts'
import { viewResolver } from '../../detect/plan.ts'
import { planQuery, planRows, sourcesOf } from '../../detect/runquery.ts'
import { printExpr, printRel } from '../../ir/print.ts'
import type { Rel } from '../../ir/rel.ts'
import { childrenOf, queriesOf } from '../../ir/walk.ts'
import type { KustoPart, LoadedRule, Rule, SplPart } from '../../rules/rule.ts'
import type { SchemaCatalogue } from '../../schema/catalogue.ts'
import { viewForDataset } from '../../schema/datamodels.ts'
import type { StoredCatalogue } from '../../schema/stored.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, defaultStore, isStore, type OpenStore } from '../context.ts'
import { splSections } from '../explainspl.ts'
import { count, counted } from '../figures.ts'
import { checkIntake, INTAKE_OPTIONS, LOGS_OPTION, STORE_OPTION, storeFor } from '../intaking.ts'
import { PLACEHOLDERS_OPTION, RULES_OPTION, refusals, rulesFor } from '../rulesets.ts'
import { SETTINGS_OPTION } from '../settings.ts'
import { levelText, paint } from '../terminal.ts'
import { line, safeLines, safeText } from '../text.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { tuningText } from '../tuning.ts'
import { EXIT, UnusableError, UsageError } from '../usage.ts'
import { showPlans } from './query.ts'

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ')

/** Names of the views that a plan reads. */
function viewsOf(rel: Rel): readonly string[] {
  const own = rel.op === 'scan' && rel.table.kind === 'view' ? [rel.table.name] : []
  const below = [...childrenOf(rel), ...queriesOf(rel)]
  return [...new Set([...own, ...below.flatMap(viewsOf)])]
}

/** The view of all events under the names that Splunk gives their fields. */
const EVENTS_VIEW = 'events:all'
/** Before the name of a dataset of a data model. */
const DATASETS = 'cim:'

/** A source that is read, with how much of it there is. */
function storedText(schema: SchemaCatalogue, stored: StoredCatalogue, name: string): string {
  const title = schema.sources.get(name)?.title
  const rows = counted(stored.get(name)?.rows ?? 0, 'event')
  return `${title === undefined ? name : `${name} (${title})`}: ${rows} stored`
}

/** The sources that feed a rule, each with its condition and, for an open store, how many events there are. */
async function sourcesText(
  context: Context,
  rule: Rule,
  opened: OpenStore | undefined,
): Promise<string> {
  const schema = context.schema()
  const stored = await opened?.store.catalogue()
  const resolve = (view: string) =>
    view.startsWith(DATASETS)
      ? viewForDataset(schema, view.slice(DATASETS.length))
      : viewResolver(schema)(view)
  const lines: string[] = []
  const views = viewsOf(rule.rel)
  if (stored !== undefined && rule.spl !== undefined) {
    const own = rule.spl.compiler({ stored }).compile(new Map()).rel ?? rule.rel
    const { value } = planQuery(own, { schema, stored, time: {} })
    const read = value === undefined ? [] : sourcesOf(value.rel)
    return read.length === 0
      ? 'no data here'
      : read.map((name) => storedText(schema, stored, name)).join('\n')
  }
  if (views.length === 1 && views[0] === EVENTS_VIEW) return 'the sources that its tests choose'
  const parts = views.flatMap((view) =>
    (resolve(view)?.parts ?? []).map((part) => ({ view, part })),
  )
  let last = views.length > 1 ? '' : views[0]
  for (const { view, part } of parts) {
    if (view !== last) lines.push(`${view.slice(view.indexOf(':') + 1)}:`)
    last = view
    const title = schema.sources.get(part.source)?.title
    const rows = stored?.get(part.source)?.rows ?? 0
    const data = rows === 0 ? 'no data here' : `${counted(rows, 'event')} stored`
    const name = title === undefined ? part.source : `${part.source} (${title})`
    const where = printExpr(part.where)
    lines.push(stored === undefined ? name : `${name}: ${data}`)
    if (where !== 'true') lines.push(`  where ${where}`)
  }
  return lines.length === 0 ? 'no source is known for this log source' : lines.join('\n')
}

/** How many rows a search leaves out for want of a key, over the events that are stored. */
async function droppedText(
  context: Context,
  { compiler }: SplPart,
  opened: OpenStore | undefined,
): Promise<string> {
  if (opened === undefined) return ''
  const stored = await opened.store.catalogue()
  const world = { schema: context.schema(), stored, time: {} }
  const lines: string[] = []
  for (const { text, count: rel } of compiler({ stored }).compile(new Map()).notes) {
    if (rel === undefined) continue
    for await (const [number] of planRows(opened.store, rel, world, { signal: context.signal })) {
      lines.push(`${text}: ${count(Number(number))}`)
    }
  }
  return lines.join('\n')
}

const TRIGGERS = { gt: 'more than', lt: 'fewer than', eq: 'exactly', ne: 'other than' } as const

/** When a Kusto rule runs and what sets it off. */
function scheduleText({ kind, queryFrequency, queryPeriod, ...part }: KustoPart): string {
  const { trigger, aggregationKind, form, suppression } = part
  const isLive = kind === 'NRT' || queryFrequency === 0
  const every = queryFrequency ?? queryPeriod
  if (!isLive && every === undefined) return 'none: it runs once, as of the end of the logs or --at'
  const back = queryPeriod ?? every ?? 0
  const rows = `${TRIGGERS[trigger.operator]} ${counted(trigger.threshold, 'row')}`
  return [
    isLive
      ? 'every minute, over what came in since'
      : `every ${lengthText(every ?? 0)} over the last ${lengthText(back)}`,
    `set off by ${rows}`,
    form === 'sentinel' && aggregationKind === 'SingleAlert'
      ? 'one finding for all rows of a run'
      : 'one finding for each row',
    ...(suppression?.enabled === true ? ['suppression is kept and not applied'] : []),
  ].join('\n')
}

/** Columns that name entities and details. */
function mappingText({ entityMappings, impactedAssets, customDetails }: KustoPart): string {
  return [
    ...entityMappings.map(({ entityType, fieldMappings }) => {
      const fields = fieldMappings.map((each) => `${each.identifier} from ${each.columnName}`)
      return `${entityType}: ${fields.join(', ')}`
    }),
    ...impactedAssets.map(({ name, column }) => `${name}: ${column}`),
    ...customDetails.map(({ name, column }) => `detail ${name}: ${column}`),
  ].join('\n')
}

/** What would run: SQL for what is stored, or what to name to see it. */
async function sqlText(
  context: Context,
  rule: Rule,
  opened: OpenStore | undefined,
  options: OptionValues,
): Promise<string> {
  if (opened === undefined) {
    return 'name logs with --logs, or a store with --store, to see the SQL and what data there is'
  }
  const [plan] = await showPlans(context, [rule], opened, 'sql', options)
  const { text = '', notes = [] } = plan ?? {}
  return [...notes, text === '' ? 'nothing would run' : text].join('\n')
}

async function explainRule(
  context: Context,
  rule: Rule,
  opened: OpenStore | undefined,
  options: OptionValues,
): Promise<void> {
  const { out } = context.output
  const section = (title: string, text: string): void => {
    if (text.trim() !== '') {
      out.write(`\n${paint(out, 'bold', title)}\n${indented(safeLines(text.trimEnd()))}\n`)
    }
  }
  const level = paint(out, rule.level, levelText(rule.level))
  out.write(`${level}  ${paint(out, 'bold', safeText(rule.title))}\n`)
  const facts = [rule.id, rule.language, rule.status, rule.author, rule.date, rule.file]
  out.write(`${safeText(facts.filter((each) => each !== '').join(' · '))}\n`)
  section('What it finds', rule.description)
  section('Overlay', tuningText(rule))
  section('Tags', rule.tags.join(', '))
  section('Stages', rule.stages.map(({ name, text }) => `${name}\n${indented(text)}`).join('\n'))
  const { kusto, spl } = rule
  if (spl !== undefined) {
    for (const { title, text } of splSections(spl)) section(title, text)
    section('Rows left out here', await droppedText(context, spl, opened))
  } else if (kusto === undefined) {
    section('Fields', rule.fields.join(', ') || 'none: it searches all values')
  } else {
    section('Schedule', scheduleText(kusto))
    section('Columns', rule.fields.join(', '))
    section('Entities', mappingText(kusto))
  }
  const what = spl !== undefined ? 'reads' : kusto === undefined ? 'log source' : 'tables'
  section('Sources', `${what}: ${rule.logsource}\n${await sourcesText(context, rule, opened)}`)
  section('False positives', rule.falsepositives.join('\n'))
  section('References', rule.references.join('\n'))
  section('IR', printRel(rule.rel))
  section('SQL', await sqlText(context, rule, opened, options))
}

/** Shortest beginning of an id that is taken for it. */
const LEAST_ID = 4

function notFound(named: string, rules: number, program: string): UnusableError {
  return new UnusableError(
    `error: none of ${counted(rules, 'rule')} has the id or the title "${named}"\n` +
      `hint: name a rule file, or where to look: \`${program} explain ID --rules PATH\``,
  )
}

/** The rules that a path, an id, the beginning of an id, or a title names. */
export async function findRules(
  context: Context,
  named: string,
  options: OptionValues,
): Promise<readonly LoadedRule[]> {
  if (named === '-' || existsSync(named) || /[/\\]|\.ya?ml$/i.test(named)) {
    return (await rulesFor(context, options, [named])).rules
  }
  const { rules } = await rulesFor(context, options)
  const wanted = named.toLowerCase()
  const exact = rules.filter(
    ({ id, title }) => id.toLowerCase() === wanted || title.toLowerCase() === wanted,
  )
  if (exact.length > 0) return exact
  const near =
    wanted.length < LEAST_ID ? [] : rules.filter(({ id }) => id.toLowerCase().startsWith(wanted))
  const ids = new Set(near.map((each) => each.id))
  if (ids.size === 0) throw notFound(named, rules.length, context.program)
  if (ids.size > 1) {
    throw new UsageError(
      `${count(ids.size)} rules have an id that begins with "${named}"`,
      [...ids].slice(0, 3).join(', '),
    )
  }
  return near
}

/** The store to look at: the one that is named or filled, else the default one if it is there and free. */
async function storeToExplain(
  context: Context,
  options: OptionValues,
): Promise<OpenStore | undefined> {
  const logs = options.texts('logs')
  if (logs.length > 0 || options.text('store') !== undefined) {
    return (await storeFor(context, logs, options)).opened
  }
  try {
    return isStore(defaultStore(context))
      ? (await storeFor(context, [], options)).opened
      : undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    context.output.err.write(line`note: the default store cannot be looked at: ${reason}\n`)
    return undefined
  }
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [named = ''] = args
  boundsOf(options, context.now())
  checkIntake(context, options)
  const found = await findRules(context, named, options)
  const refused = found.filter((each) => each.rule === undefined)
  if (found.length === 0) throw new UnusableError('error: there is no rule, only filters for rules')
  if (refused.length === found.length) throw new UnusableError(refusals(refused))
  const opened = await storeToExplain(context, options)
  try {
    for (const [index, rule] of found.flatMap((each) => each.rule ?? []).entries()) {
      if (index > 0) context.output.out.write('\n\n')
      await explainRule(context, rule, opened, options)
    }
    if (refused.length === 0) return EXIT.done
    context.output.err.write(`\n${refusals(refused)}\n`)
    return EXIT.unusable
  } finally {
    await opened?.close()
  }
}

export const explain: CommandRecord = {
  name: 'explain',
  says: 'what a rule looks for, its fields and sources, what would run, and what data there is',
  args: '<rule>',
  options: [
    RULES_OPTION,
    LOGS_OPTION,
    STORE_OPTION,
    ...TIME_OPTIONS,
    PLACEHOLDERS_OPTION,
    SETTINGS_OPTION,
    ...INTAKE_OPTIONS,
  ],
  prints:
    'The rule is a file, an id, the beginning of an id, or a title. A rule that cannot be used is shown with the place and the ' +
    'reason instead, and the exit code is 2.',
  examples: [
    'harrier explain rule.yml',
    'harrier explain 0b1c2d3e-0000-4000-8000-000000000000 --rules sigma/',
    'harrier explain rule.yml --logs logs/',
  ],
  act,
}

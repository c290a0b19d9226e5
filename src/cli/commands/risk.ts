/** `harrier risk`: what is at risk, from the findings that are kept, and why. */
import { suggest } from '../../core/suggest.ts'
import {
  type RiskEntry,
  type RiskQuery,
  type RiskTotal,
  riskEntries,
  riskTotals,
} from '../../detect/keeping/risklist.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, type OpenStore, openNamedStore } from '../context.ts'
import { count, counted, shortTime } from '../figures.ts'
import { STORE_OPTION } from '../intaking.ts'
import {
  checkListing,
  isForPeople,
  LIST_OPTIONS,
  type ListRow,
  listLimit,
  printListing,
} from '../listing.ts'
import { SETTINGS_OPTION, settingsFor, storeOf } from '../settings.ts'
import type { Cell } from '../table.ts'
import { line } from '../text.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, shellWord, UsageError } from '../usage.ts'

const TYPES = ['system', 'user', 'other'] as const
const USUAL = 50

/** Objects by what they add up to. */
async function listObjects(
  context: Context,
  { store }: OpenStore,
  query: RiskQuery,
  options: OptionValues,
): Promise<void> {
  const { out, err, quiet } = context.output
  const limit = listLimit(options, USUAL)
  const { totals, more } = await riskTotals(store, query)
  const rows = totals.slice(0, limit)
  await printListing(context, options, {
    head: { total: totals.length + more },
    name: 'objects',
    rows: rows.map((each): ListRow => ({ ...each })),
    columns: [
      { title: 'RISK', align: 'right' },
      { title: 'OBJECT', shrinksTo: 14 },
      { title: 'TYPE' },
      { title: 'EVENTS', align: 'right' },
      { title: 'RULES', align: 'right' },
      { title: 'TACTICS', shrinksTo: 12, dropOrder: 2 },
      { title: 'LAST (UTC)', dropOrder: 1 },
    ],
    cells: (at) => objectCells(rows[at], out.isTerminal),
  })
  if (quiet) return
  if (totals.length === 0) {
    err.write(
      line`nothing is at risk; \`${context.program} run --keep\` keeps what rules find, with its risk\n`,
    )
    return
  }
  const rest = totals.length + more - rows.length
  if (rest > 0) err.write(line`and ${count(rest)} more; --limit shows them\n`)
  const [top] = rows
  if (top !== undefined && isForPeople(options)) {
    const name = shellWord(top.object)
    err.write(line`\nnext: ${context.program} risk ${name}   what its risk comes from\n`)
  }
}

function objectCells(total: RiskTotal | undefined, isTerminal: boolean): readonly Cell[] {
  if (total === undefined) return []
  const { risk, object, type, events, rules, tactics, last } = total
  const shown = isTerminal ? count(events) : events
  return [risk, object, type, shown, rules.length, tactics.join(', '), shortTime(last)]
}

/** The risk events of one object, the latest first. */
async function listEvents(
  context: Context,
  { store }: OpenStore,
  query: RiskQuery & { readonly object: string },
  options: OptionValues,
): Promise<void> {
  const { err, quiet } = context.output
  const limit = listLimit(options, USUAL)
  let entries: RiskEntry[] = []
  let [risk, events] = [0, 0]
  const rules = new Set<string>()
  for await (const each of riskEntries(store, query)) {
    entries.push(each)
    if (entries.length >= 2 * limit) entries = entries.slice(-limit)
    risk += each.calculated
    events++
    rules.add(each.rule_title)
  }
  if (events === 0) {
    const known = await riskTotals(store, { time: query.time })
    const names = known.totals.slice(0, 10_000).map((each) => each.object)
    const low = query.object.toLowerCase()
    const longer = names.find((each) => each.toLowerCase().startsWith(`${low}.`))
    const near = longer ?? suggest(query.object, names)
    throw new UsageError(
      `there is no risk of "${query.object}"${(query.time.from ?? query.time.to) ? ' in that time' : ''}`,
      near === undefined
        ? `\`${context.program} risk\` lists the objects`
        : `did you mean ${near}?`,
    )
  }
  const rows = entries.slice(-limit).reverse()
  const total = Math.round(risk * 100) / 100
  const isChanged = rows.some((each) => changesOf(each) !== '')
  await printListing(context, options, {
    head: { object: rows[0]?.object, type: rows[0]?.type, risk: total, total: events },
    name: 'events',
    rows: rows.map((each): ListRow => ({ ...each })),
    columns: [
      { title: 'TIME (UTC)' },
      { title: 'RISK', align: 'right' },
      { title: 'RULE', shrinksTo: 20 },
      { title: 'MESSAGE', shrinksTo: 24, dropOrder: 1 },
      { title: 'FINDING', dropOrder: 3 },
      ...(isChanged ? [{ title: 'FACTORS', shrinksTo: 8, dropOrder: 2 }] : []),
    ],
    cells: (at) => eventCells(rows[at]),
  })
  if (quiet) return
  if (events > rows.length) err.write(line`and ${count(events - rows.length)} earlier\n`)
  if (isForPeople(options)) {
    const said = `${counted(events, 'event')} of ${counted(rules.size, 'rule')}`
    err.write(
      line`\n${rows[0]?.object ?? ''} (${rows[0]?.type ?? ''}): risk ${total} from ${said}\n`,
    )
  }
}

function eventCells(entry: RiskEntry | undefined): readonly Cell[] {
  if (entry === undefined) return []
  const { time, calculated, rule_title: rule, message, finding } = entry
  return [shortTime(time), calculated, rule, message, finding.slice(0, 12), changesOf(entry)]
}

/** What has changed a score: the factors, or that the rule has added enough for a day. */
function changesOf({ score, calculated, factors }: RiskEntry): string {
  if (factors.length > 0) return factors.join(', ')
  return calculated === score ? '' : `most of a day (was ${score})`
}

async function act(
  context: Context,
  [object]: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  listLimit(options, USUAL)
  const type = options.text('type')
  const query: RiskQuery = {
    time: boundsOf(options, context.now()),
    ...(type === undefined ? {} : { type }),
  }
  const opened = await openNamedStore(
    context,
    storeOf(settingsFor(context, options), options),
    true,
  )
  try {
    if (object === undefined) await listObjects(context, opened, query, options)
    else await listEvents(context, opened, { ...query, object }, options)
    return EXIT.done
  } finally {
    await opened.close()
  }
}

export const risk: CommandRecord = {
  name: 'risk',
  says: 'what is at risk: hosts and users (risk objects) by what findings add up to, or the events of one',
  args: '[object]',
  options: [
    STORE_OPTION,
    SETTINGS_OPTION,
    ...TIME_OPTIONS,
    { flags: '--type <type>', says: 'only objects of this type', values: TYPES },
    { flags: '--limit <number>', says: `the most objects or events to print (default ${USUAL})` },
    ...LIST_OPTIONS,
  ],
  prints:
    'Objects with the sum of their risk (calculated score) over the time range, how many events and rules it comes from, the tactics ' +
    'of ATT&CK that those name, and the time of the last; the greatest risk first. With an object, as it is written in a log or in any ' +
    'case, its risk events: what each counts, its rule and message, the factors that changed its score, and the finding it belongs to. ' +
    'Findings are kept by `serve` and by `run --keep`.',
  examples: ['harrier risk', 'harrier risk --from -24h --type user', 'harrier risk WS07 --json'],
  act,
}

/** `harrier schedule [list|windows|pause|resume]`: how rules stand on their schedules, and stopping some of them. */
import { suggest } from '../../core/suggest.ts'
import { isoOfMs } from '../../core/time.ts'
import {
  overviewOf,
  type RuleStanding,
  type ScheduledRule,
} from '../../detect/schedule/overview.ts'
import { ScheduleState, type WindowRow } from '../../detect/schedule/state.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openNamedStore } from '../context.ts'
import { count, counted, duration, shortTime } from '../figures.ts'
import { STORE_OPTION } from '../intaking.ts'
import {
  checkListing,
  isForPeople,
  LIST_OPTIONS,
  type ListRow,
  listLimit,
  printListing,
} from '../listing.ts'
import { RULE_OPTIONS } from '../rulesets.ts'
import { rulesOfStore, scheduledPaths } from '../scheduling.ts'
import { SETTINGS_OPTION, settingsFor, storeOf } from '../settings.ts'
import type { Cell, Column } from '../table.ts'
import type { Style } from '../terminal.ts'
import { line } from '../text.ts'
import { EXIT, UsageError } from '../usage.ts'

const STYLES: Readonly<Record<RuleStanding, Style>> = {
  new: 'dim',
  ok: 'good',
  failed: 'bad',
  paused: 'bad',
  off: 'dim',
  gone: 'dim',
}

const COLUMNS: readonly Column[] = [
  { title: 'RULE', shrinksTo: 16 },
  { title: 'LANGUAGE', dropOrder: 5 },
  { title: 'SCHEDULE', dropOrder: 3 },
  { title: 'STATE' },
  { title: 'LAST WINDOW', dropOrder: 2 },
  { title: 'NEXT RUN', dropOrder: 4 },
  { title: 'LAG', align: 'right', dropOrder: 6 },
  { title: 'LATE', align: 'right', dropOrder: 7 },
  { title: 'GAPS', align: 'right', dropOrder: 8 },
  { title: 'WHY', shrinksTo: 8, dropOrder: 1 },
]

const timeOf = (ms: number | undefined): string => (ms === undefined ? '' : isoOfMs(ms))

const plainRule = (each: ScheduledRule): ListRow => ({
  rule: each.rule,
  title: each.title,
  language: each.language,
  schedule: each.schedule,
  state: each.state,
  reason: each.reason,
  last_window: timeOf(each.last) || null,
  next_run: timeOf(each.next) || null,
  lag_seconds: Math.round(each.lag / 1_000),
  late_events: each.late,
  gaps: each.gaps,
})

/** What is worth a look first: what does not run, then what is behind. */
const RANKS: Readonly<Record<RuleStanding, number>> = {
  paused: 0,
  failed: 1,
  ok: 2,
  new: 3,
  off: 4,
  gone: 5,
}

function ruleCells(each: ScheduledRule | undefined): readonly Cell[] {
  if (each === undefined) return []
  return [
    each.title,
    each.language,
    each.schedule,
    { text: each.state, style: STYLES[each.state] },
    shortTime(timeOf(each.last)),
    shortTime(timeOf(each.next)),
    each.lag < 1_000 ? '' : duration(each.lag / 1_000),
    each.late === 0 ? '' : count(each.late),
    each.gaps === 0 ? '' : count(each.gaps),
    each.reason,
  ]
}

async function list(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  const found = settingsFor(context, options)
  const opened = await openNamedStore(context, storeOf(found, options), true)
  try {
    const paths = scheduledPaths(found, options)
    const rules = await rulesOfStore(context, options, paths, opened)
    const now = context.now().ms
    const { rules: all, holder } = await overviewOf(
      opened.store,
      rules,
      found.settings.schedule,
      now,
    )
    const sorted = all.toSorted((a, b) => RANKS[a.state] - RANKS[b.state] || b.lag - a.lag)
    const isOff = ({ state }: ScheduledRule): boolean => state === 'off' || state === 'gone'
    const isAll = !isForPeople(options) || options.flag('all')
    const shown = sorted.filter((each) => isAll || !isOff(each))
    await printListing(context, options, {
      head: { run_by: holder ?? null },
      name: 'rules',
      rows: shown.map(plainRule),
      columns: COLUMNS,
      cells: (at) => ruleCells(shown[at]),
    })
    if (!context.output.quiet && isForPeople(options)) {
      const hidden = sorted.length - shown.length
      const owner = holder === undefined ? 'nobody runs them now' : `run by ${holder}`
      const rest = hidden === 0 ? '' : `; ${count(hidden)} without a schedule are not shown (--all)`
      context.output.err.write(
        line`${counted(shown.length, 'rule')} on a schedule, ${owner}${rest}\n`,
      )
    }
    return EXIT.done
  } finally {
    await opened.close()
  }
}

/** The rule that a word means: its id or title, or the beginning of an id that no other has. */
async function meant(
  state: ScheduleState,
  word: string,
): Promise<{ readonly rule: string; readonly title: string }> {
  const rows = await state.rules()
  const lower = word.toLowerCase()
  const exact = rows.filter(({ rule, title }) => rule === word || title.toLowerCase() === lower)
  const found = exact.length > 0 ? exact : rows.filter(({ rule }) => rule.startsWith(word))
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (found.length > 1) {
    throw new UsageError(
      `"${word}" may be ${counted(found.length, 'rule')}`,
      `name one by its id: ${found
        .slice(0, 5)
        .map(({ rule }) => rule)
        .join(', ')}`,
    )
  }
  const near = suggest(word, new Set(rows.flatMap(({ rule, title }) => [rule, title])))
  throw new UsageError(
    `no rule on the schedule of this store is called "${word}"`,
    near === undefined ? '`harrier schedule` lists them' : `did you mean "${near}"?`,
  )
}

function ordering(want: 'pause' | 'resume') {
  return async (
    context: Context,
    [word = '']: readonly string[],
    options: OptionValues,
  ): Promise<number> => {
    const found = settingsFor(context, options)
    const opened = await openNamedStore(context, storeOf(found, options), true)
    try {
      const state = await ScheduleState.open(opened.store.records)
      const { rule, title } = await meant(state, word)
      const reason = (options.text('reason') ?? '').slice(0, 500)
      const skips = want === 'resume' && options.flag('skip')
      await state.order({ rule, want: skips ? 'skip' : want, at: context.now().ms, reason })
      const says =
        want === 'pause'
          ? 'is paused; its windows are caught up with when it is resumed'
          : skips
            ? 'goes on after the window that failed'
            : 'goes on where it stopped'
      if (!context.output.quiet) context.output.err.write(line`${title} ${says}\n`)
      return EXIT.done
    } finally {
      await opened.close()
    }
  }
}

const plainWindow = (each: WindowRow): ListRow => ({
  rule: each.rule,
  scheduled: timeOf(each.at),
  state: each.state,
  reason: each.reason,
  started: timeOf(each.started),
  seconds: each.took / 1_000,
  lag_seconds: each.lag / 1_000,
  findings: each.findings,
  kept: each.kept,
  suppressed: each.suppressed,
})

const USUAL = 50
const WINDOW_COLUMNS: readonly Column[] = [
  { title: 'SCHEDULED' },
  { title: 'RULE', shrinksTo: 16 },
  { title: 'STATE' },
  { title: 'FINDINGS', align: 'right' },
  { title: 'NEW', align: 'right', dropOrder: 1 },
  { title: 'TOOK', align: 'right', dropOrder: 3 },
  { title: 'LAG', align: 'right', dropOrder: 2 },
  { title: 'WHY', shrinksTo: 8, dropOrder: 4 },
]

function windowCells(
  each: WindowRow | undefined,
  titles: ReadonlyMap<string, string>,
): readonly Cell[] {
  if (each === undefined) return []
  return [
    shortTime(timeOf(each.at)),
    titles.get(each.rule) ?? each.rule,
    { text: each.state, style: each.state === 'ok' ? 'good' : 'bad' },
    each.findings === 0 ? '' : count(each.findings),
    each.kept === 0 ? '' : count(each.kept),
    duration(each.took / 1_000),
    each.lag < 1_000 ? '' : duration(each.lag / 1_000),
    each.reason,
  ]
}

async function windows(
  context: Context,
  [word]: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  const limit = listLimit(options, USUAL)
  const found = settingsFor(context, options)
  const opened = await openNamedStore(context, storeOf(found, options), true)
  try {
    const state = await ScheduleState.open(opened.store.records)
    const rule = word === undefined ? undefined : (await meant(state, word)).rule
    const titles = new Map((await state.rules()).map((each) => [each.rule, each.title]))
    const rows = await state.windows(rule, limit)
    await printListing(context, options, {
      head: {},
      name: 'windows',
      rows: rows.map(plainWindow),
      columns: WINDOW_COLUMNS,
      cells: (at) => windowCells(rows[at], titles),
    })
    const { err, quiet } = context.output
    if (rows.length === 0 && !quiet && isForPeople(options))
      err.write('no window has been run yet\n')
    return EXIT.done
  } finally {
    await opened.close()
  }
}

export const scheduleCommands: readonly CommandRecord[] = [
  {
    name: 'schedule list',
    isDefault: true,
    says: 'list rules with their schedules, last windows, next runs and states',
    options: [
      ...RULE_OPTIONS,
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--all', says: 'also rules that do not run on a schedule, and why' },
      ...LIST_OPTIONS,
    ],
    prints:
      'One line a rule: what does not run first. LATE counts events that came later than `schedule.lateness`, so that no window was run ' +
      'again for them; GAPS counts windows that were not run. `harrier schedule` does the same.',
    examples: ['harrier schedule --store /var/lib/harrier', 'harrier schedule list --all --json'],
    act: list,
  },
  {
    name: 'schedule windows',
    says: 'list the latest windows that were run, of one rule or of all',
    args: '[rule]',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--limit <count>', says: 'the most windows that are listed (default 50)' },
      ...LIST_OPTIONS,
    ],
    prints: 'One line a window: when it was due, how it ended and what it found; the latest first.',
    examples: ['harrier schedule windows', 'harrier schedule windows "Suspicious Service" --json'],
    act: windows,
  },
  {
    name: 'schedule pause',
    says: 'stop running a rule until it is resumed',
    args: '<rule>',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--reason <text>', says: 'why, for others to read' },
    ],
    prints: 'Nothing on stdout. A rule is named by its id, the beginning of it, or its title.',
    examples: ['harrier schedule pause 5f1abf38 --reason "tuning it"'],
    act: ordering('pause'),
  },
  {
    name: 'schedule resume',
    says: 'go on with a rule that is paused, from where it stopped',
    args: '<rule>',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--skip', says: 'leave out the window that failed; it is noted as skipped' },
    ],
    prints: 'Nothing on stdout. Windows that were missed meanwhile are run.',
    examples: ['harrier schedule resume 5f1abf38', 'harrier schedule resume 5f1abf38 --skip'],
    act: ordering('resume'),
  },
]

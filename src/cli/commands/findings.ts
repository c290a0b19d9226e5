/** `harrier findings`: the queue of findings that are kept, one of them in full, what people make of them, what is held back. */
import { userInfo } from 'node:os'
import { limits } from '../../core/limits.ts'
import { suppressedFindings } from '../../detect/keeping/suppressed.ts'
import {
  groupQueue,
  idsNamed,
  type Queue,
  type QueueEntry,
  type QueueGroup,
  type QueueQuery,
  readFindings,
  readQueue,
} from '../../detect/triage/queue.ts'
import {
  type ChangeResult,
  changeFindings,
  type Patch,
  readStates,
} from '../../detect/triage/states.ts'
import {
  DISPOSITIONS,
  dispositionNamed,
  STATUSES,
  type Status,
  statusNamed,
} from '../../detect/triage/words.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'
import type { CommandRecord, OptionRecord, OptionValues } from '../command.ts'
import { type Context, type OpenStore, openNamedStore } from '../context.ts'
import { count, counted, shortTime } from '../figures.ts'
import { printFinding } from '../findingpage.ts'
import { STORE_OPTION } from '../intaking.ts'
import { jsonText } from '../json.ts'
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
import { levelText } from '../terminal.ts'
import { line } from '../text.ts'
import { boundsOf, TIME_OPTIONS } from '../times.ts'
import { EXIT, TroubleError, UsageError } from '../usage.ts'

const USUAL = 50
const GROUPINGS = ['entity', 'rule', 'incident'] as const
/** Characters of an id that lists show; the beginning of an id is enough to name it. */
const SHOWN_ID = 12
/** Entities that a line names first, and how many. */
const FIRST = ['host', 'user', 'ip', 'mailbox']
const MOST_NAMED = 3
const NOBODY = new Set(['', 'none', 'nobody', 'unassigned'])

/** Options that choose findings. */
const CHOICE_OPTIONS: readonly OptionRecord[] = [
  { flags: '--rule <text>', says: 'of rules with this id, or with this in their title' },
  {
    flags: '--entity <name>',
    says: 'about this host, user, address or other entity: WS07, user:kim, ip:10.0.0.5',
  },
  {
    flags: '--incident <id>',
    says: 'of the incident with this number, or whose id begins so',
  },
]

async function withStore(
  context: Context,
  options: OptionValues,
  act: (opened: OpenStore) => Promise<number>,
): Promise<number> {
  const found = settingsFor(context, options)
  const opened = await openNamedStore(context, storeOf(found, options), true)
  try {
    return await act(opened)
  } finally {
    await opened.close()
  }
}

const ownerOf = (text: string): string => (NOBODY.has(text.toLowerCase()) ? '' : text)

function statusesOf(options: OptionValues): readonly Status[] | undefined {
  const words = options.texts('status')
  if (words.length === 0) return undefined
  return words.flatMap((word) => {
    if (word.toLowerCase() === 'all') return STATUSES
    if (word.toLowerCase() === 'open') return STATUSES.filter((each) => each !== 'closed')
    const status = statusNamed(word)
    if (status !== undefined) return [status]
    throw new UsageError(`"${word}" is no status`, `one of ${STATUSES.join(', ')}, open, all`)
  })
}

function queryOf(context: Context, options: OptionValues): QueueQuery {
  const [urgency, rule, entity, owner, incident] = [
    'urgency',
    'rule',
    'entity',
    'owner',
    'incident',
  ].map((each) => options.text(each))
  const statuses = statusesOf(options)
  const least = LEVELS.find((each) => each === urgency)
  return {
    time: boundsOf(options, context.now()),
    ...(statuses === undefined ? {} : { statuses }),
    ...(least === undefined ? {} : { urgency: least }),
    ...(rule === undefined ? {} : { rule }),
    ...(entity === undefined ? {} : { entity }),
    ...(owner === undefined ? {} : { owner: ownerOf(owner) }),
    ...(incident === undefined ? {} : { incident }),
  }
}

const urgencyCell = (urgency: Level, isTerminal: boolean): Cell => ({
  text: isTerminal ? levelText(urgency) : urgency,
  style: urgency,
})

function entryCells(entry: QueueEntry | undefined, isTerminal: boolean): readonly Cell[] {
  if (entry === undefined) return []
  const { urgency, risk, time, title, entities, host, status, owner, id, incident } = entry
  const standing = incident === '' ? `${status}, no incident` : status
  const told = entities.filter((each) => FIRST.some((word) => each.startsWith(`${word}:`)))
  const named = (told.length > 0 ? told : entities)
    .slice(0, MOST_NAMED)
    .map((each) => each.slice(each.indexOf(':') + 1))
  return [
    urgencyCell(urgency, isTerminal),
    risk === 0 ? '' : risk,
    shortTime(time),
    title,
    named.length > 0 ? named.join(', ') : host,
    status === 'closed' ? { text: standing, style: 'dim' } : standing,
    owner,
    id.slice(0, SHOWN_ID),
  ]
}

function tellMore(context: Context, options: OptionValues, queue: Queue, shown: number): void {
  const { err, quiet } = context.output
  const rest = queue.entries.length - shown
  if (queue.isCut) {
    err.write(
      `only the latest ${count(limits.queueFindings)} findings of that time are looked at; --from and --to narrow it\n`,
    )
  }
  if (quiet) return
  if (queue.entries.length === 0) {
    err.write(
      line`no finding is open here; \`${context.program} findings --status all\` shows closed ones too\n`,
    )
    return
  }
  if (rest > 0) err.write(line`and ${count(rest)} more; --limit shows them\n`)
  const [first] = queue.entries
  if (first !== undefined && isForPeople(options)) {
    const id = first.id.slice(0, SHOWN_ID)
    err.write(line`\nnext: ${context.program} findings show ${id}   why it fired\n`)
  }
}

async function list(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  const limit = listLimit(options, USUAL)
  const query = queryOf(context, options)
  const by = GROUPINGS.find((each) => each === options.text('by'))
  return withStore(context, options, async ({ store }) => {
    const queue = await readQueue(store, query)
    if (by !== undefined) return listGroups(context, options, groupQueue(queue.entries, by), limit)
    const entries = queue.entries.slice(0, limit)
    const { isTerminal } = context.output.out
    await printListing(context, options, {
      head: { total: queue.entries.length },
      name: 'findings',
      rows: entries.map((each): ListRow => ({ ...each })),
      columns: [
        { title: 'URGENCY' },
        { title: 'RISK', align: 'right', dropOrder: 3 },
        { title: 'TIME (UTC)', dropOrder: 2 },
        { title: 'FINDING', shrinksTo: 20 },
        { title: 'ABOUT', shrinksTo: 12, dropOrder: 5 },
        { title: 'STATUS', dropOrder: 4 },
        { title: 'OWNER', shrinksTo: 6, dropOrder: 6 },
        { title: 'ID' },
      ],
      cells: (at) => entryCells(entries[at], isTerminal),
    })
    tellMore(context, options, queue, entries.length)
    return EXIT.done
  })
}

async function listGroups(
  context: Context,
  options: OptionValues,
  groups: readonly QueueGroup[],
  limit: number,
): Promise<number> {
  const { out, err, quiet } = context.output
  const rows = groups.slice(0, limit)
  await printListing(context, options, {
    head: { total: groups.length },
    name: 'groups',
    rows: rows.map((each): ListRow => ({ ...each })),
    columns: [
      { title: 'URGENCY' },
      { title: (options.text('by') ?? '').toUpperCase(), shrinksTo: 16 },
      { title: 'FINDINGS', align: 'right' },
      { title: 'RISK', align: 'right', dropOrder: 2 },
      { title: 'LAST (UTC)', dropOrder: 1 },
      { title: 'ABOUT', shrinksTo: 16, dropOrder: 3 },
    ],
    cells: (at) => {
      const each = rows[at]
      if (each === undefined) return []
      const { urgency, of, findings, risk, last, about } = each
      const number = out.isTerminal ? count(findings) : findings
      return [
        urgencyCell(urgency, out.isTerminal),
        options.text('by') === 'incident' ? of.slice(0, SHOWN_ID) : of,
        number,
        risk,
        shortTime(last),
        about.slice(0, MOST_NAMED).join(', ') +
          (about.length > MOST_NAMED ? ` and ${count(about.length - MOST_NAMED)} more` : ''),
      ]
    },
  })
  if (!quiet && groups.length === 0) err.write('no finding is open here\n')
  else if (!quiet && groups.length > rows.length) {
    err.write(line`and ${count(groups.length - rows.length)} more; --limit shows them\n`)
  }
  return EXIT.done
}

/** The id that a person means, by its beginning or in the form of Enterprise Security. */
async function idOf(context: Context, { store }: OpenStore, given: string): Promise<string> {
  const [id, other] = await idsNamed(store, given)
  if (other !== undefined) {
    throw new UsageError(
      `several findings have an id that begins with "${given}"`,
      'write more of it',
    )
  }
  if (id !== undefined) return id
  throw new UsageError(
    `there is no finding "${given}"`,
    /^[0-9a-f]{1,3}$/i.test(given)
      ? 'write at least four characters of its id'
      : `\`${context.program} findings --status all\` lists them with their ids`,
  )
}

async function show(
  context: Context,
  [given = '']: readonly string[],
  options: OptionValues,
): Promise<number> {
  return withStore(context, options, async (opened) => {
    const { store } = opened
    const [finding] = await readFindings(store, [await idOf(context, opened, given)])
    if (finding === undefined)
      throw new TroubleError(`the record of the finding "${given}" is damaged`)
    await printFinding(context, store, finding, options)
    return EXIT.done
  })
}

function patchOf(options: OptionValues): Patch {
  const read = <T>(
    name: string,
    named: (text: string) => T | undefined,
    words: readonly string[],
  ): T | undefined => {
    const text = options.text(name)
    if (text === undefined) return undefined
    const value = named(text)
    if (value !== undefined) return value
    throw new UsageError(`"${text}" is no ${name}`, `one of ${words.join(', ')}`)
  }
  const status = read('status', statusNamed, STATUSES)
  const disposition = read('disposition', dispositionNamed, DISPOSITIONS)
  const urgency = read('urgency', (text) => LEVELS.find((each) => each === text), LEVELS)
  const [owner, note] = [options.text('owner'), options.text('note')]
  if (note !== undefined && note.length > limits.noteChars) {
    throw new UsageError(`a note has at most ${limits.noteChars} characters`)
  }
  if (owner !== undefined && owner.length > 256) {
    throw new UsageError('the name of an owner has at most 256 characters')
  }
  const patch = {
    ...(status === undefined ? {} : { status }),
    ...(disposition === undefined ? {} : { disposition }),
    ...(urgency === undefined ? {} : { urgency }),
    ...(owner === undefined ? {} : { owner: ownerOf(owner) }),
    ...(note === undefined || note === '' ? {} : { note }),
  }
  if (Object.keys(patch).length > 0) return patch
  throw new UsageError(
    'nothing is to be changed',
    'name what is: --status, --disposition, --owner, --urgency, --note',
  )
}

function authorOf(context: Context, options: OptionValues): string {
  const given = options.text('author') ?? context.env.HARRIER_USER
  if (given !== undefined && given !== '') return given.slice(0, 256)
  try {
    return userInfo().username
  } catch {
    // A machine may not know who runs the program.
    return 'unknown'
  }
}

/** The ids that are named, or those that the choice means. */
async function chosenIds(
  context: Context,
  opened: OpenStore,
  given: readonly string[],
  options: OptionValues,
): Promise<readonly string[]> {
  const isChoice = ['rule', 'entity', 'incident'].some((each) => options.text(each) !== undefined)
  if (given.length > 0 && isChoice) {
    throw new UsageError(
      'name findings by their ids, or by --rule, --entity and --incident, not by both',
    )
  }
  if (given.length > 0) {
    const ids: string[] = []
    for (const each of given) ids.push(await idOf(context, opened, each))
    return [...new Set(ids)]
  }
  if (!isChoice) {
    throw new UsageError(
      'no finding is named',
      'give ids, or choose open findings by --rule, --entity or --incident',
    )
  }
  const [rule, entity, incident] = ['rule', 'entity', 'incident'].map((each) => options.text(each))
  const { entries } = await readQueue(opened.store, {
    time: boundsOf(options, context.now()),
    ...(rule === undefined ? {} : { rule }),
    ...(entity === undefined ? {} : { entity }),
    ...(incident === undefined ? {} : { incident }),
  })
  if (entries.length > limits.changedAtOnce) {
    throw new UsageError(
      `${count(entries.length)} findings are chosen, and at most ${count(limits.changedAtOnce)} are changed at once`,
      '--from and --to narrow the choice',
    )
  }
  return entries.map(({ id }) => id)
}

/** The last change that its author saw. */
async function expectedChange(
  { store }: OpenStore,
  ids: readonly string[],
  options: OptionValues,
): Promise<string | undefined> {
  const given = options.text('ifChange')
  if (given === undefined) return undefined
  const [id, more] = ids
  if (id === undefined || more !== undefined) throw new UsageError('--if-change is for one finding')
  if (given.toLowerCase() === 'none') return ''
  const last = (await readStates(store.records, [id])).get(id)?.change ?? ''
  return given.length >= 4 && last.startsWith(given.toLowerCase()) ? last : given
}

function tellChanges(
  context: Context,
  options: OptionValues,
  results: readonly ChangeResult[],
): void {
  const { out, err, quiet } = context.output
  const many = (outcome: ChangeResult['outcome']): number =>
    results.filter((each) => each.outcome === outcome).length
  if (options.flag('json')) {
    const findings = results.map(({ finding, outcome, state }) => ({
      id: finding.id,
      outcome,
      ...state,
    }))
    out.write(`${jsonText({ findings })}\n`)
    return
  }
  if (quiet) return
  const [changed, unchanged] = [many('changed'), many('unchanged')]
  const rest =
    unchanged === 0 ? '' : `, ${count(unchanged)} ${unchanged === 1 ? 'was' : 'were'} so already`
  err.write(`${counted(changed, 'finding')} changed${rest}\n`)
}

async function set(
  context: Context,
  given: readonly string[],
  options: OptionValues,
): Promise<number> {
  const patch = patchOf(options)
  return withStore(context, options, async (opened) => {
    const ids = await chosenIds(context, opened, given, options)
    const expected = await expectedChange(opened, ids, options)
    const findings = await readFindings(opened.store, ids)
    const results = await changeFindings(opened.store, findings, patch, {
      author: authorOf(context, options),
      now: context.now(),
      ...(expected === undefined ? {} : { expected }),
    })
    const conflict = results.find((each) => each.outcome === 'conflict')
    if (conflict === undefined) {
      tellChanges(context, options, results)
      return EXIT.done
    }
    const { changed_by: by = 'nobody', changed_at: at = '', status, owner } = conflict.state
    throw new TroubleError(
      `the finding has changed since: ${by} set it at ${shortTime(at)} (${status}, ${owner || 'no owner'}); nothing is changed`,
      `look again: \`${context.program} findings show ${conflict.finding.id.slice(0, SHOWN_ID)}\``,
    )
  })
}

async function suppressed(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkListing(options)
  const limit = listLimit(options, USUAL)
  const { from, to } = boundsOf(options, context.now())
  const wanted = options.text('rule')?.toLowerCase()
  return withStore(context, options, async ({ store }) => {
    const all = await suppressedFindings(store.records, {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })
    const groups = all.filter(
      ({ rule, title }) =>
        wanted === undefined ||
        rule.toLowerCase() === wanted ||
        title.toLowerCase().includes(wanted),
    )
    const rows = groups.slice(0, limit)
    const { out, err, quiet } = context.output
    const total = groups.reduce((sum, each) => sum + each.count, 0)
    await printListing(context, options, {
      head: { total, groups: groups.length },
      name: 'suppressed',
      rows: rows.map((each): ListRow => ({ ...each })),
      columns: [
        { title: 'COUNT', align: 'right' },
        { title: 'RULE', shrinksTo: 20 },
        { title: 'WHY', shrinksTo: 16 },
        { title: 'FIRST (UTC)', dropOrder: 2 },
        { title: 'LAST (UTC)', dropOrder: 1 },
        { title: 'TOLD INSTEAD', dropOrder: 3 },
      ],
      cells: (at) => {
        const each = rows[at]
        if (each === undefined) return []
        const equal = each.fields.map((name, place) => {
          const value = each.values[place] ?? ''
          return `${name}=${typeof value === 'string' ? value : value.join(', ')}`
        })
        const why =
          each.reason !== '' ? `suppression ${each.reason}` : equal.join(', ') || 'same rule'
        const number = out.isTerminal ? count(each.count) : each.count
        return [
          number,
          each.title,
          why,
          shortTime(each.first),
          shortTime(each.last),
          each.instead.slice(0, SHOWN_ID),
        ]
      },
    })
    if (quiet) return EXIT.done
    if (groups.length === 0) err.write('nothing is held back here\n')
    else if (isForPeople(options)) {
      const rest = groups.length - rows.length
      const more = rest > 0 ? `, ${count(rest)} more groups with --limit` : ''
      err.write(`${counted(total, 'finding')} held back${more}\n`)
    }
    return EXIT.done
  })
}

export const findingsCommands: readonly CommandRecord[] = [
  {
    name: 'findings list',
    isDefault: true,
    says: 'the queue: findings (notables, incidents) that are open, the most urgent first',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      {
        flags: '--status <status>',
        says: `only these: ${STATUSES.join(', ')}, open, all (default: open)`,
        many: true,
      },
      { flags: '--urgency <level>', says: 'of this urgency or a greater one', values: LEVELS },
      ...CHOICE_OPTIONS,
      { flags: '--owner <name>', says: 'of this owner; none for those of nobody' },
      ...TIME_OPTIONS,
      { flags: '--by <what>', says: 'findings together by what they share', values: GROUPINGS },
      { flags: '--limit <number>', says: `the most findings to print (default ${USUAL})` },
      ...LIST_OPTIONS,
    ],
    prints:
      'Findings that are kept (by `serve`, or by `run --keep`), ordered by urgency, then by risk, then by age. Urgency is the severity of ' +
      'the rule, made greater or less by the priority of the assets and identities it is about, where the settings name lists of them. The ' +
      'beginning of an id is enough to name a finding. `harrier findings` does the same, and so does `harrier notables`.',
    examples: [
      'harrier findings',
      'harrier findings --urgency high --from -24h --by entity',
      'harrier findings --entity WS07 --status all --json',
    ],
    act: list,
  },
  {
    name: 'findings show',
    says: 'why a finding fired: rule, window, messages, entities, risk, event, history',
    args: '<id>',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--show <what>', says: 'what was run: statement or plan', values: ['sql', 'ir'] },
      { flags: '--json', says: 'one JSON document' },
    ],
    prints:
      'The finding with its state in the words of Splunk and Sentinel too, what it is about, what it adds to risk, the event or rows that ' +
      'it stands for, how many equal ones were held back, and every change with its author. With --show sql or ir only what was run.',
    examples: ['harrier findings show 5f1abf38', 'harrier findings show 5f1abf38 --show sql'],
    act: show,
  },
  {
    name: 'findings set',
    says: 'change status, disposition, owner or urgency of findings, or add a note',
    args: '[ids...]',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      {
        flags: '--status <status>',
        says: `${STATUSES.join(', ')}; also Splunk's and Sentinel's words, e.g. active, resolved`,
      },
      {
        flags: '--disposition <word>',
        says: `${DISPOSITIONS.join(', ')}; also Splunk's and Sentinel's words, e.g. TruePositive`,
      },
      { flags: '--owner <name>', says: 'who works on it; none for nobody' },
      { flags: '--urgency <level>', says: 'instead of the one that was computed', values: LEVELS },
      { flags: '--note <text>', says: 'a note for its history' },
      {
        flags: '--author <name>',
        says: 'who changes it (default: HARRIER_USER, or the user of the system)',
      },
      {
        flags: '--if-change <id>',
        says: 'only if this is its last change (none: if nobody has changed it), as `findings show` prints it',
      },
      ...CHOICE_OPTIONS.map((each) => ({ ...each, says: `all open findings ${each.says}` })),
      ...TIME_OPTIONS,
      { flags: '--json', says: 'one JSON document' },
    ],
    prints:
      'How many findings were changed. Findings are named by the beginnings of their ids, or chosen with --rule, --entity or --incident. Each change is ' +
      'kept with its author and time, and is an event that rules read (SecurityIncident, incident review). A change that meets another one ' +
      'changes nothing: exit code 4.',
    examples: [
      'harrier findings set 5f1abf38 --status "in progress" --owner kim',
      'harrier findings set --incident 5f1abf38 --status closed --disposition "true positive"',
      'harrier findings set --rule "Suspicious Service" --status closed --disposition "false positive" --note "backup agent"',
    ],
    act: set,
  },
  {
    name: 'findings suppressed',
    says: 'findings that throttling and suppressions hold back, counted by rule and values',
    options: [
      STORE_OPTION,
      SETTINGS_OPTION,
      { flags: '--rule <text>', says: 'of rules with this id, or with this in their title' },
      ...TIME_OPTIONS,
      { flags: '--limit <number>', says: `the most groups to print (default ${USUAL})` },
      ...LIST_OPTIONS,
    ],
    prints:
      'One line for each rule and the values that make its findings equal, or for each suppression of the settings: how many were held ' +
      'back, from when to when, and which finding was told in their place.',
    examples: ['harrier findings suppressed --from -7d', 'harrier findings suppressed --csv'],
    act: suppressed,
  },
]

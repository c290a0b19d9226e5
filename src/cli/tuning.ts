/** What the shell says of overlays: what one does to a rule, and the first text of one. */
import { lengthText } from '../core/length.ts'
import type { FilterTest, Rule, Tuning } from '../rules/rule.ts'
import { counted } from './figures.ts'

function scheduleText({ cron, every, lookback, delay }: NonNullable<Tuning['schedule']>): string {
  return [
    cron ?? (every === undefined ? '' : `every ${lengthText(every)}`),
    lookback === undefined ? '' : `over the last ${lengthText(lookback)}`,
    delay === undefined ? '' : `${lengthText(delay)} after its time`,
  ]
    .filter((each) => each !== '')
    .join(', ')
}

function testsText(tests: readonly FilterTest[]): string {
  const kept = tests.filter((each) => each.keeps).length
  return `${counted(tests.length - kept, 'event')} hidden, ${kept} kept`
}

/** What an overlay does to its rule, line by line; empty without one. */
export function tuningText({ tuning, level }: Rule): string {
  if (tuning === undefined) return ''
  const { enabled, schedule, suppress, riskScore, mostFindings, filter, tests, unfiltered } = tuning
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['from', tuning.file],
    ['enabled', enabled === undefined ? undefined : enabled ? 'yes' : 'no'],
    ['schedule', schedule === undefined ? undefined : scheduleText(schedule)],
    ['level', unfiltered !== undefined && unfiltered.level === level ? undefined : level],
    ['risk', riskScore === undefined ? undefined : `${riskScore}`],
    [
      'suppress',
      suppress === undefined
        ? undefined
        : `${suppress.fields.join(', ') || 'all findings'}, told once in ${lengthText(suppress.seconds * 1_000)}`,
    ],
    ['most findings', mostFindings === undefined ? undefined : `${mostFindings} in a run`],
    ['hides', filter],
    ['tests', tests === undefined ? undefined : testsText(tests)],
    ['reason', tuning.reason],
    ['by', [tuning.author, tuning.date].filter((each) => each !== undefined).join(', ')],
  ]
  return facts
    .flatMap(([name, text]) =>
      text === undefined || text === '' ? [] : [`${name}: ${text.trim().replace(/\n/g, '\n  ')}`],
    )
    .join('\n')
}

const FILTERS = {
  sigma: `# filter:
#   User|endswith: '\\svc_backup'
#   CommandLine|contains: nightly`,
  kusto: `# filter: Account endswith "svc_backup" and Computer == "BUILD01"`,
  spl: `# filter: user="svc_backup" dest="build*"`,
} as const

const FILTER_NOTES = {
  sigma: 'fields with values, as in a selection; or selections with a condition of their own',
  kusto: 'a condition over the columns of the query; or stages that begin with |',
  spl: 'search terms over the fields of the result; or a pipeline that begins with |',
} as const

const quoted = (text: string): string => JSON.stringify(text.replace(/\s+/g, ' '))

/** The first text of an overlay for a rule: its name, and all that may be said, as comments. */
export function firstOverlay(
  { id, title, level, language }: Pick<Rule, 'id' | 'title' | 'level' | 'language'>,
  today: string,
): string {
  return `# An overlay: it holds over what the rule says of itself, and pack updates leave it alone.
# ${title.replace(/\s+/g, ' ')}
rule: ${quoted(id === '' ? title : id)}
date: ${today}
reason: ""

# Whether it runs on a schedule.
# enabled: false

# When it runs (cron, or every), how far back it looks, and how long it waits for late events.
# schedule: {every: 15m, lookback: 15m, delay: 1m}

# informational, low, medium, high or critical; it is ${level}.
# level: ${level}

# Score of the risk that a finding adds.
# risk: 40

# Findings with equal values of the fields are told once in the period.
# suppress: {fields: [host, user], period: 24h}

# The most findings of one run; the rest are counted.
# most_findings: 100

# What is hidden: ${FILTER_NOTES[language]}.
${FILTERS[language]}

# Events that prove the filter; \`harrier test\` and \`harrier rules check\` run them.
# tests:
#   - hides: {User: 'CORP\\svc_backup', CommandLine: 'tool nightly'}
#   - keeps: other-user.json
`
}

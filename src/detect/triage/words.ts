/**
 * Words for what becomes of a finding. The product's own are those of analysts everywhere; what Splunk's incident review and
 * Sentinel call the same is taken too, and shown beside it
 * (https://docs.splunk.com/Documentation/ES/latest/Admin/Managedispositions,
 * https://learn.microsoft.com/azure/sentinel/investigate-incidents).
 */

export const STATUSES = ['new', 'in progress', 'closed'] as const
export type Status = (typeof STATUSES)[number]

export const DISPOSITIONS = [
  'undetermined',
  'true positive',
  'benign positive',
  'false positive',
] as const
export type Disposition = (typeof DISPOSITIONS)[number]

/** What others call it, as they write it. */
interface Words {
  readonly splunk: string
  readonly sentinel: string
}

export const STATUS_WORDS: Readonly<Record<Status, Words>> = {
  new: { splunk: 'New', sentinel: 'New' },
  'in progress': { splunk: 'In Progress', sentinel: 'Active' },
  closed: { splunk: 'Closed', sentinel: 'Closed' },
}

export const DISPOSITION_WORDS: Readonly<Record<Disposition, Words>> = {
  undetermined: { splunk: 'Undetermined', sentinel: 'Undetermined' },
  'true positive': {
    splunk: 'True Positive - Suspicious Activity',
    sentinel: 'TruePositive (SuspiciousActivity)',
  },
  'benign positive': {
    splunk: 'Benign Positive - Suspicious But Expected',
    sentinel: 'BenignPositive (SuspiciousButExpected)',
  },
  'false positive': {
    splunk: 'False Positive - Incorrect Analytic Logic',
    sentinel: 'FalsePositive (IncorrectAlertLogic)',
  },
}

/** Other words, without case, blanks and marks. */
const STATUS_ALIASES: ReadonlyMap<string, Status> = new Map([
  ['unassigned', 'new'],
  ['open', 'in progress'],
  ['active', 'in progress'],
  ['pending', 'in progress'],
  ['resolved', 'closed'],
  ['done', 'closed'],
])
const DISPOSITION_ALIASES: ReadonlyMap<string, Disposition> = new Map([
  ['tp', 'true positive'],
  ['bp', 'benign positive'],
  ['btp', 'benign positive'],
  ['benign', 'benign positive'],
  ['fp', 'false positive'],
  ['suspiciousactivity', 'true positive'],
  ['suspiciousbutexpected', 'benign positive'],
  ['incorrectalertlogic', 'false positive'],
  ['incorrectanalyticlogic', 'false positive'],
  ['inaccuratedata', 'false positive'],
  ['falsepositiveinaccuratedata', 'false positive'],
  ['other', 'undetermined'],
])

const bare = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '')

/** The status that a word of any of the three means. */
export function statusNamed(text: string): Status | undefined {
  const word = bare(text)
  return STATUSES.find((each) => bare(each) === word) ?? STATUS_ALIASES.get(word)
}

/** The disposition that a word of any of the three means. */
export function dispositionNamed(text: string): Disposition | undefined {
  const word = bare(text)
  const known = DISPOSITIONS.find((each) => {
    const { splunk, sentinel } = DISPOSITION_WORDS[each]
    return [each, splunk, sentinel].some((name) => bare(name) === word)
  })
  return known ?? DISPOSITION_ALIASES.get(word)
}

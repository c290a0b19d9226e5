/** Ids of ATT&CK that rules name: unknown, revoked or deprecated. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { Attack } from '../attack.ts'
import { found, type LintCheck, placeOfText, type Subject } from './subject.ts'

const TECHNIQUE = /^(?:attack\.)?(t\d{4}(?:\.\d{3})?)$/i
const TACTIC_ID = /^attack\.(ta\d{4})$/i
/** Other things of ATT&CK that a tag may name: groups, software, campaigns, mitigations, data sources, analytics. */
const OTHER = /^attack\.(?:[gscm]\d{4}|ds\d{4}|det\d{4}|an\d{4})$/i
const TACTIC = /^attack\.([a-z][a-z_-]+)$/i
/** Tactics of editions after the one that is known. */
const NEWER = new Set(['stealth', 'defense-impairment'])

const numberOf = (id: string): number => Number(id.slice(1, 5))

/** Numbers by which an edition may be ahead of the one that is known; one still higher is misspelt. */
const MOST_AHEAD = 200

/** Ids of the matrix of control systems, which is not known here, and its own tactics. */
const isOfControlSystems = (id: string): boolean => /^T(?:08|A01)\d\d$/.test(id)
const OF_CONTROL_SYSTEMS = new Set(['inhibit-response-function', 'impair-process-control'])

const newest = new WeakMap<Attack, number>()

/** The highest number of a technique that the table has. */
function newestOf(attack: Attack): number {
  const known = newest.get(attack)
  if (known !== undefined) return known
  const most = Math.max(0, ...[...attack.techniques.keys()].map(numberOf))
  newest.set(attack, most)
  return most
}

function techniqueProblem(subject: Subject, tag: string, written: string): Diagnostic | undefined {
  const { attack } = subject.world
  const id = written.toUpperCase()
  if (attack.techniques.has(id)) return undefined
  const span = placeOfText(subject, subject.loaded.text.includes(tag) ? tag : id)
  if (attack.gone.has(id)) {
    const instead = attack.gone.get(id)
    if (instead === undefined) return found('HR952', { id }, span)
    const name = attack.techniques.get(instead)?.name ?? 'a technique'
    return found('HR951', { id, instead, name }, span)
  }
  const what = id.includes('.') ? 'sub-technique' : 'technique'
  if (isOfControlSystems(id)) return undefined
  const ahead = numberOf(id) - newestOf(attack)
  return ahead > 0 && ahead <= MOST_AHEAD
    ? found('HR953', { what, id }, span)
    : found('HR950', { what, id }, span)
}

function tagProblem(subject: Subject, tag: string): Diagnostic | undefined {
  const { attack } = subject.world
  const technique = TECHNIQUE.exec(tag)?.[1]
  if (technique !== undefined) return techniqueProblem(subject, tag, technique)
  if (OTHER.test(tag)) return undefined
  const tacticId = TACTIC_ID.exec(tag)?.[1]?.toUpperCase()
  if (tacticId !== undefined) {
    const isKnown = [...attack.tactics.values()].some(({ id }) => id === tacticId)
    return isKnown || isOfControlSystems(tacticId)
      ? undefined
      : found('HR950', { what: 'tactic', id: tacticId }, placeOfText(subject, tag))
  }
  // Tactics of Sentinel's rules are checked when their files are read.
  if (subject.loaded.language !== 'sigma') return undefined
  const tactic = TACTIC.exec(tag)?.[1]?.toLowerCase().replaceAll('_', '-')
  if (tactic === undefined || attack.tactics.has(tactic) || OF_CONTROL_SYSTEMS.has(tactic))
    return undefined
  const code = NEWER.has(tactic) ? 'HR953' : 'HR950'
  return found(code, { what: 'tactic', id: tactic }, placeOfText(subject, tag))
}

/** Tags of a rule, also of one that cannot run. */
function tagsOf({ loaded, sigma }: Subject): readonly string[] {
  return [...new Set([...(loaded.rule?.tags ?? []), ...(sigma?.head?.tags ?? [])])]
}

export const attackCheck: LintCheck = {
  codes: ['HR950', 'HR951', 'HR952', 'HR953'],
  says: 'Tactics and techniques of ATT&CK are ones that there are: not misspelt, revoked or deprecated.',
  check: (subject) => tagsOf(subject).flatMap((tag) => tagProblem(subject, tag) ?? []),
}

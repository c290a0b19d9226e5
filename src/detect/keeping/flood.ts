/**
 * The most findings of one window of a rule that are kept: the most severe, of those the earliest. What lies beyond is
 * told by one finding more, with their number, so that whoever makes a rule fire without end hides nothing in it.
 */

import { limits } from '../../core/limits.ts'
import { LEVELS, type Level, type Rule } from '../../rules/rule.ts'
import { fixedId } from '../finding.ts'
import type { WindowRun } from './keeper.ts'
import { eventIdOf, type KeptFinding } from './kept.ts'

/** How severe a level is: 0 for informational. */
function rankOf(level: Level): number {
  return LEVELS.indexOf(level)
}

/** The most findings that are kept of one window of a rule. */
export function mostOf({ tuning }: Rule): number {
  return tuning?.mostFindings ?? limits.findingsPerWindow
}

function bySeverity(a: KeptFinding, b: KeptFinding): number {
  const ranks = rankOf(b.severity) - rankOf(a.severity)
  if (ranks !== 0) return ranks
  return a.time < b.time ? -1 : a.time > b.time ? 1 : a.id < b.id ? -1 : 1
}

/** The id of the finding that tells of a flood in a window: it is there once, whatever its number. */
export function overflowId(rule: string, run: string): string {
  return fixedId(rule, 'overflow', run)
}

/** The finding that stands for those beyond the most. */
function overflowOf(first: KeptFinding, run: string, count: number): KeptFinding {
  const id = overflowId(first.rule_key, run)
  const { title: _, description: __, threat_objects: ___, risk_message: ____, ...rest } = first
  return {
    ...rest,
    id,
    event_id: eventIdOf(id),
    host: '',
    file: '',
    record: 0,
    event: { more_hits: String(count) },
    title: `${count} more findings of ${first.rule_title}`,
    description:
      'The rule found more in this window than is kept. The most severe and earliest are kept; look at its filter, or run its query over the window.',
    entities: [],
    details: {},
    results: [],
    context: {},
    risk: [],
    risks: [],
    risk_score: 0,
    more: count,
  }
}

/** The findings of one window that are kept; `more` counts hits past those that are there. */
function capped(
  findings: readonly KeptFinding[],
  { most, more }: { readonly most: number; readonly more: number },
): readonly KeptFinding[] {
  const sorted = findings.toSorted(bySeverity)
  const kept = sorted.slice(0, most)
  const beyond = sorted[most] ?? sorted[0]
  const count = Math.max(0, findings.length - most) + more
  if (beyond === undefined || count === 0) return findings
  return [...kept, overflowOf(beyond, beyond.run_at, count)]
}

/**
 * What is kept of runs: of the findings of each those that are told, at most so many; and what is told beside them. A
 * finding of several runs is kept once.
 */
export function cappedRuns(
  runs: readonly WindowRun[],
  found: readonly (readonly KeptFinding[])[],
  told: readonly KeptFinding[],
): readonly KeptFinding[] {
  const open = new Map(told.map((each) => [each.id, each]))
  const ofRuns = new Set(found.flatMap((each) => each.map(({ id }) => id)))
  const kept = new Map<string, KeptFinding>()
  runs.forEach(({ rule, more }, at) => {
    const own = new Map<string, KeptFinding>()
    for (const { id } of found[at] ?? []) {
      const finding = open.get(id)
      if (finding !== undefined) own.set(id, finding)
    }
    for (const each of capped([...own.values()], { most: mostOf(rule), more })) {
      if (!kept.has(each.id)) kept.set(each.id, each)
    }
  })
  for (const each of told) if (!ofRuns.has(each.id)) kept.set(each.id, each)
  return [...kept.values()]
}

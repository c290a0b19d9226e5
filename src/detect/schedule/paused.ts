/** A rule that is paused tells so as a finding of its own: a detection that does not run is worth knowing. */
import { isoOfMs } from '../../core/time.ts'
import { keyOfRule, type Rule } from '../../rules/rule.ts'
import { fixedId } from '../finding.ts'
import type { WindowRun } from '../keeping/keeper.ts'

const ID = 'harrier-rule-paused'

/** What the keeper keeps when a rule has been paused. `checkpoint` is the last scheduled time that is done. */
export function pausedFinding(
  rule: Rule,
  reason: string,
  checkpoint: number,
  now: number,
): WindowRun {
  const key = keyOfRule(rule)
  const about: Rule = {
    file: rule.file,
    id: ID,
    title: 'A rule has been paused',
    language: 'sigma',
    level: 'high',
    status: 'stable',
    description:
      'Runs of a rule failed several times in a row. It does not run until someone resumes it.',
    author: '',
    date: '',
    tags: [],
    references: [],
    falsepositives: [],
    logsource: 'harrier',
    rel: { op: 'values', rows: [], out: [] },
    stages: [],
    fields: ['rule', 'reason'],
  }
  const id = fixedId(ID, key, checkpoint)
  const at = isoOfMs(now)
  return {
    rule: about,
    window: { at, time: { to: at } },
    findings: [
      {
        time: at,
        rule_id: ID,
        rule_title: about.title,
        language: 'sigma',
        level: 'high',
        host: '',
        tags: [],
        source: 'harrier',
        file: '',
        record: 0,
        id,
        event: { rule: rule.title, rule_id: rule.id, reason, done_until: isoOfMs(checkpoint) },
        title: `Rule paused: ${rule.title}`.slice(0, 500),
      },
    ],
    queries: [],
    more: 0,
    isBackfill: false,
  }
}

/**
 * The most that one rule adds to the risk of one object in a day: whoever makes a rule fire, or writes the name of
 * another into a log, moves that object so far and no further. The day is that of the finding, in UTC; what was added
 * before is read from the store, so that runs in any order come to the same sum.
 */
import { call, type Expr, texts } from '../../ir/expr.ts'
import type { Rel, TimeBounds } from '../../ir/rel.ts'
import { RISKS } from '../../schema/own.ts'
import { META } from '../../schema/source.ts'
import { printSql } from '../../sql/print.ts'
import { type OwnStore, storedTexts } from './events.ts'
import type { KeptFinding, KeptRisk } from './kept.ts'

const DAY = 24 * 3_600_000
const DAY_TICKS = 864_000_000_000

const plain = (name: string): Expr => ({ op: 'field', name, type: 'text', stored: 'plain' })

const dayOf = (time: string): number => Math.floor(Date.parse(time) / DAY)

const keyOf = (rule: string, type: string, object: string, day: number): string =>
  JSON.stringify([rule, type, object, day])

/** A factor below 1 of what may still be added, to two places. */
const rounded = (value: number): number => Math.round(value * 100) / 100

export class DayTotals {
  readonly #store: Pick<OwnStore, 'rows' | 'catalogue'>
  readonly #most: number

  constructor(store: Pick<OwnStore, 'rows' | 'catalogue'>, most: number) {
    this.#store = store
    this.#most = most
  }

  /** What rules have added to objects, day by day. */
  async #read(rules: readonly string[], time: TimeBounds): Promise<Map<string, number>> {
    const totals = new Map<string, number>()
    const columns = (await this.#store.catalogue()).get(RISKS)
    const names = [
      'rule_key',
      'risk_object_type',
      'normalized_risk_object',
      'calculated_risk_score',
    ]
    if (columns === undefined || names.some((name) => !columns.text.has(name))) return totals
    const scan: Rel = {
      op: 'scan',
      table: { kind: 'source', name: RISKS },
      time,
      out: names.map((name) => ({ name, type: 'text', stored: 'plain' })),
    }
    const rel: Rel = {
      op: 'aggregate',
      from: {
        op: 'filter',
        from: scan,
        where: call('match.in', [plain('rule_key'), texts(rules)]),
      },
      by: [
        ...names.map((name) => ({ name, value: plain(name) })),
        {
          name: '@@day',
          value: call(
            'time.slot',
            [
              { op: 'field', name: META.time, type: 'time', stored: 'plain' },
              { op: 'const', value: String(DAY_TICKS), type: 'span' },
            ],
            'int',
          ),
        },
      ],
      into: [{ name: '@@count', fn: 'agg.count', args: [], type: 'int' }],
    }
    for await (const row of this.#store.rows(printSql(rel))) {
      const [rule, type, object, score, day, count] = row.map(String)
      const key = keyOf(rule ?? '', type ?? '', object ?? '', Number(day))
      totals.set(key, (totals.get(key) ?? 0) + Number(score) * Number(count))
    }
    return totals
  }

  /** Findings whose risk keeps within the most of a day, with the sums of what it counts. */
  async within(findings: readonly KeptFinding[]): Promise<readonly KeptFinding[]> {
    const risky = findings.filter(({ risks }) => risks.length > 0)
    if (this.#most === 0 || risky.length === 0) return findings.map(summed)
    const days = risky.map(({ time }) => dayOf(time))
    const [first, last] = [Math.min(...days), Math.max(...days)]
    const totals = await this.#read([...new Set(risky.map((each) => each.rule_key))], {
      from: new Date(first * DAY).toISOString(),
      to: new Date((last + 1) * DAY).toISOString(),
    })
    const ids = risky.flatMap(({ risks }) => risks.map(({ id }) => id))
    const stored = await storedTexts(this.#store, RISKS, ids, ['calculated_risk_score'])
    return findings.map((finding) => {
      const { rule_key: rule, time, risks } = finding
      const bound = (risk: KeptRisk): KeptRisk => {
        const [kept] = stored.get(risk.id) ?? []
        if (kept !== undefined) return counting(risk, Number(kept))
        const key = keyOf(rule, risk.type, risk.normalized, dayOf(time))
        const before = totals.get(key) ?? 0
        const counted = rounded(Math.min(risk.calculated, Math.max(0, this.#most - before)))
        totals.set(key, before + counted)
        return counting(risk, counted)
      }
      return summed({ ...finding, risks: risks.map(bound) })
    })
  }
}

/** A risk that counts so much. */
function counting(risk: KeptRisk, counted: number): KeptRisk {
  return counted >= risk.calculated
    ? risk
    : { ...risk, calculated: counted, uncapped: risk.calculated }
}

function summed(finding: KeptFinding): KeptFinding {
  const sum = finding.risks.reduce((all, { calculated }) => all + calculated, 0)
  return { ...finding, risk_score: rounded(sum) }
}

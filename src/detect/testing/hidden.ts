/** What suppression and the flood cap would hold back of the findings of a backtest. Nothing is held back here; it is counted. */
import { limits } from '../../core/limits.ts'
import { parseIso } from '../../core/time.ts'
import type { Rule } from '../../rules/rule.ts'
import type { Finding } from '../finding.ts'

export interface Hidden {
  /** Fields whose equal values are told once in a period, and the period in seconds; 0: nothing is suppressed. */
  readonly fields: readonly string[]
  readonly period: number
  readonly suppressed: number
  /** The most findings of a run, how many are past it, and in how many runs. */
  readonly most: number
  readonly cut: number
  readonly flooded: number
}

interface Suppression {
  readonly fields: readonly string[]
  readonly seconds: number
}

/** The suppression that holds for a rule: the user's own, or else that of the rule. */
function suppressionOf({ tuning, spl, kusto }: Rule): Suppression | undefined {
  if (tuning?.suppress !== undefined) return tuning.suppress
  if (spl?.throttling !== undefined) return spl.throttling
  const own = kusto?.suppression
  return own?.enabled === true && own.duration !== undefined
    ? { fields: [], seconds: own.duration / 1_000 }
    : undefined
}

function keyOf({ event, details = {} }: Finding, fields: readonly string[]): string {
  const values = fields.map((name) =>
    Object.hasOwn(event, name) ? event[name] : Object.hasOwn(details, name) ? details[name] : null,
  )
  return JSON.stringify(values)
}

/** Counts findings as they come, in the order of their runs. */
export class HiddenCount {
  readonly #suppression: Suppression | undefined
  readonly #most: number
  /** When equal values were last told, seconds since 1970. */
  readonly #told = new Map<string, number>()
  readonly #runs = new Map<string, number>()
  #suppressed = 0

  constructor(rule: Rule) {
    this.#suppression = suppressionOf(rule)
    this.#most = rule.tuning?.mostFindings ?? limits.findingsPerRun
  }

  /** Takes the finding of a run. */
  add(finding: Finding, run: string): void {
    if (this.#isSuppressed(finding)) this.#suppressed++
    else this.#runs.set(run, (this.#runs.get(run) ?? 0) + 1)
  }

  #isSuppressed(finding: Finding): boolean {
    if (this.#suppression === undefined) return false
    const { fields, seconds } = this.#suppression
    const key = keyOf(finding, fields)
    const at = (parseIso(finding.time)?.ms ?? 0) / 1_000
    const last = this.#told.get(key)
    if (last !== undefined && Math.abs(at - last) < seconds) return true
    if (this.#told.size < limits.backtestFindings) this.#told.set(key, at)
    return false
  }

  result(): Hidden {
    const over = [...this.#runs.values()].filter((each) => each > this.#most)
    return {
      fields: this.#suppression?.fields ?? [],
      period: this.#suppression?.seconds ?? 0,
      suppressed: this.#suppressed,
      most: this.#most,
      cut: over.reduce((sum, each) => sum + each - this.#most, 0),
      flooded: over.length,
    }
  }
}

/** What throttling and the flood cap would hold back of the findings of a backtest. Nothing is held back here; it is counted. */
import { createHash } from 'node:crypto'
import { ticksIn } from '../../core/time.ts'
import type { Rule } from '../../rules/rule.ts'
import type { Finding } from '../finding.ts'
import { periodTicks, toldOf } from '../keeping/chain.ts'
import { mostOf } from '../keeping/flood.ts'
import {
  groupOf,
  type Suppression,
  suppressedBy,
  type Throttling,
  throttlingOf,
} from '../keeping/suppression.ts'

export interface Hidden {
  /** Fields whose equal values are told once in a period, and the period in seconds; 0: nothing is throttled. */
  readonly fields: readonly string[]
  readonly period: number
  readonly suppressed: number
  /** Findings that a suppression of the settings holds back. */
  readonly unwanted: number
  /** The most findings of a run, how many are past it, and in how many runs. */
  readonly most: number
  readonly cut: number
  readonly flooded: number
}

interface Noted {
  readonly id: string
  readonly at: bigint
  readonly run: string
}

/** Counts findings as they come. */
export class HiddenCount {
  readonly #throttling: Throttling | undefined
  readonly #most: number
  readonly #suppressions: readonly Suppression[]
  #unwanted = 0
  /** By the hash of the values that make them equal; all are together where nothing is throttled. */
  readonly #groups = new Map<string, Noted[]>()

  constructor(rule: Rule, suppressions: readonly Suppression[] = []) {
    this.#suppressions = suppressions
    this.#throttling = throttlingOf(rule)
    this.#most = mostOf(rule)
  }

  /** Takes the finding of a run; `run` is its time where it is known. */
  add(finding: Finding, run: string): void {
    if (suppressedBy(finding, this.#suppressions) !== undefined) {
      this.#unwanted++
      return
    }
    const isByRun = this.#throttling?.isByRun === true && run !== ''
    const values = this.#throttling === undefined ? '' : groupOf(finding, this.#throttling.fields)
    const key = createHash('sha256').update(values).digest('base64')
    const group = this.#groups.get(key) ?? []
    group.push({ id: finding.id, at: ticksIn(isByRun ? run : finding.time), run })
    this.#groups.set(key, group)
  }

  result(): Hidden {
    const runs = new Map<string, number>()
    let suppressed = 0
    for (const group of this.#groups.values()) {
      const told =
        this.#throttling === undefined
          ? group
          : toldOf(group, periodTicks(this.#throttling.seconds), {
              isTogether: this.#throttling.isByRun,
            })
      for (const { run } of told) runs.set(run, (runs.get(run) ?? 0) + 1)
      suppressed += group.length - ('size' in told ? told.size : told.length)
    }
    const over = [...runs.values()].filter((each) => each > this.#most)
    return {
      fields: this.#throttling?.fields ?? [],
      period: this.#throttling?.seconds ?? 0,
      suppressed,
      unwanted: this.#unwanted,
      most: this.#most,
      cut: over.reduce((sum, each) => sum + each - this.#most, 0),
      flooded: over.length,
    }
  }
}

/** Keeping what a run finds (`run --keep`): its findings, hour by hour, as runs of the past. */
import { readFileSync, statSync } from 'node:fs'
import { hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { type Instant, instantOfTicks, printInstant, ticksIn } from '../core/time.ts'
import type { Finding } from '../detect/finding.ts'
import { type AssetLists, type ListFile, readAssetLists } from '../detect/keeping/assets.ts'
import { type KeeperOptions, makeKeeper } from '../detect/keeping/keep.ts'
import type { Keeper, KeepReport, WindowRun } from '../detect/keeping/keeper.ts'
import type { RanQuery } from '../detect/report.ts'
import type { RunWindow } from '../detect/windows.ts'
import type { Rule } from '../rules/rule.ts'
import type { OptionRecord } from './command.ts'
import type { Context, OpenStore } from './context.ts'
import type { FoundSettings } from './settings.ts'
import { safeLines } from './text.ts'
import { SettingsError, UsageError } from './usage.ts'

export const KEEP_OPTION: OptionRecord = {
  flags: '--keep',
  says: 'keep the findings in the store, with their risk, as those of runs of the past; nobody is notified',
}

const HOUR = 36_000_000_000n
/** Findings that are held in memory before they are kept. */
const HELD = 20_000

/** The lists of assets and identities that the settings name; one that cannot be used is a usage error. */
function assetLists(context: Context, { settings, pathOf }: FoundSettings): AssetLists {
  const read = (named: string): ListFile => {
    const file = pathOf(named)
    try {
      if (statSync(file).size > limits.assetListBytes) {
        throw new UsageError(
          `the list ${file} is too large`,
          `at most ${limits.assetListBytes} bytes are read`,
        )
      }
      return { file: named, text: readFileSync(file, 'utf8') }
    } catch (error) {
      if (error instanceof UsageError) throw error
      throw new UsageError(`cannot read the list ${file}: ${systemReason(error)}`)
    }
  }
  const { lists, diagnostics } = readAssetLists(
    settings.assets.map(read),
    settings.identities.map(read),
  )
  const text = diagnostics.map((each) => renderDiagnostic(each)).join('\n')
  if (hasErrors(diagnostics)) throw new SettingsError(text)
  if (diagnostics.length > 0) context.output.err.write(`${safeLines(text)}\n`)
  return lists
}

/** The keeper of a store, as the settings say; `outbox` for runs of which somebody is to be told. */
export function keeperFor(
  context: Context,
  found: FoundSettings,
  { store }: OpenStore,
  outbox?: KeeperOptions['outbox'],
): Keeper {
  return makeKeeper({
    store,
    schema: context.schema(),
    attack: context.attack(),
    risk: found.settings.risk,
    lists: assetLists(context, found),
    suppressions: found.settings.suppress,
    now: (): Instant => context.now(),
    ...(outbox === undefined ? {} : { outbox }),
  })
}

/** The hour of a finding, as the window that it is kept with. */
function hourOf({ time }: Finding): RunWindow {
  const start = (ticksIn(time) / HOUR) * HOUR
  const [from, to] = [start, start + HOUR].map((each) => printInstant(instantOfTicks(each)))
  return { at: to ?? time, time: { from: from ?? time, to: to ?? time } }
}

/** Takes the findings of a run as they come and keeps them in groups. */
export class Keeping {
  readonly #keeper: Keeper
  readonly #held = new Map<Rule, Map<string, { window: RunWindow; findings: Finding[] }>>()
  #count = 0
  kept = 0
  known = 0
  suppressed = 0

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  async add(finding: Finding, rule: Rule): Promise<void> {
    const hours = this.#held.get(rule) ?? new Map()
    this.#held.set(rule, hours)
    const window = hourOf(finding)
    const hour = hours.get(window.at) ?? { window, findings: [] }
    hours.set(window.at, hour)
    hour.findings.push(finding)
    if (++this.#count >= HELD) await this.flush(() => [])
  }

  /** Keeps what is held. */
  async flush(queries: (rule: Rule) => readonly RanQuery[]): Promise<void> {
    const runs = [...this.#held].flatMap(([rule, hours]) =>
      [...hours.values()].map(
        ({ window, findings }): WindowRun => ({
          rule,
          window,
          findings,
          queries: queries(rule),
          more: 0,
          isBackfill: true,
        }),
      ),
    )
    this.#held.clear()
    this.#count = 0
    // What rules of risk see must be in the order in which it came about.
    runs.sort((a, b) => (a.window.at < b.window.at ? -1 : 1))
    if (runs.length === 0) return
    for (const each of await this.#keeper.keep(runs)) this.#add(each)
  }

  #add({ kept, known, suppressed }: KeepReport): void {
    this.kept += kept
    this.known += known
    this.suppressed += suppressed
  }
}

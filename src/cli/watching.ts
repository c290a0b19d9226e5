/** Following logs for a command: what is read goes to the store as it is written, and how that stands is told on stderr. */
import { availableParallelism } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import { diagnose, renderDiagnostic } from '../core/diagnostic.ts'
import { EngineError } from '../engine/engine.ts'
import { type FollowState, follow } from '../ingest/follow/follower.ts'
import { MARKS } from '../ingest/follow/mark.ts'
import type { OptionValues } from './command.ts'
import type { Context, OpenStore } from './context.ts'
import { bytes, count, counted, duration } from './figures.ts'
import { sourceGiven } from './intaking.ts'
import { packagePath, shownPath } from './paths.ts'
import { safeLines, safeText } from './text.ts'
import { UsageError } from './usage.ts'

const STATUS_MS = 250
/** How often things are told where there is no terminal. */
const TELL_MS = 60_000
/** What is this late is worth a word. */
const LATE_MS = 2_000
const RATE_MS = 5_000

/** Refuses folders that hold the store: what is stored would be read again. */
export function checkFollowed(paths: readonly string[], store: string): void {
  if (/^https?:\/\//i.test(store)) return
  for (const path of paths) {
    const way = relative(resolve(path), resolve(store))
    if (way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way)) {
      throw new UsageError(
        `the store ${store} lies in the folder that is watched (${path})`,
        'put the store elsewhere, or watch a folder that does not hold it',
      )
    }
  }
}

/** Events a second over the last seconds. */
class Rate {
  readonly #marks: (readonly [at: number, count: number])[] = []

  note(at: number, received: number): number {
    const marks = this.#marks
    const last = marks.at(-1)
    if (last === undefined || at - last[0] >= STATUS_MS) marks.push([at, received])
    while (marks.length > 2 && at - (marks[1]?.[0] ?? at) > RATE_MS) marks.shift()
    const [start, before] = marks[0] ?? [at, received]
    return at - start < STATUS_MS ? 0 : ((received - before) * 1_000) / (at - start)
  }
}

function stateText(state: FollowState, rate: number): string {
  const { files, stored, rejected, repeated, unreadBytes, lag, problems } = state
  return [
    counted(files, 'file'),
    `${counted(stored, 'event')} stored`,
    ...(rejected > 0 ? [`${count(rejected)} rejected`] : []),
    ...(repeated > 0 ? [`${count(repeated)} were there`] : []),
    ...(rate >= 1 ? [`${count(rate)} events/s`] : []),
    lag < LATE_MS ? 'up to date' : `${duration(lag / 1_000)} behind (${bytes(unreadBytes)})`,
    ...(problems > 0 ? [counted(problems, 'problem')] : []),
  ].join(' · ')
}

export interface FollowJob {
  readonly paths: readonly string[]
  readonly opened: OpenStore
  readonly options: OptionValues
  readonly once: boolean
  readonly signal: AbortSignal
  /** Shows how things stand at the foot of the terminal. */
  readonly status: (text: string) => void
}

/** Follows logs into a store until the signal aborts, or once; gives what it came to. */
export async function followLogs(context: Context, job: FollowJob): Promise<FollowState> {
  const { paths, opened, options, once, signal } = job
  const { err, quiet } = context.output
  const source = sourceGiven(context, options)
  const format = options.text('format')
  const rate = new Rate()
  let shownAt = Number.NEGATIVE_INFINITY
  let toldAt = performance.now()
  let told = ''
  let trouble = ''
  const show = (state: FollowState): void => {
    const at = performance.now()
    if (at - shownAt < STATUS_MS) return
    shownAt = at
    const text = stateText(state, rate.note(at, state.received))
    if (state.received > 0) trouble = ''
    job.status(text)
    if (quiet || once || err.isTerminal || at - toldAt < TELL_MS || text === told) return
    toldAt = at
    told = text
    const time = new Date(context.now().ms).toISOString().slice(0, 19).replace('T', ' ')
    err.write(`${time}  ${text}\n`)
  }
  const marks = await opened.store.records.table(MARKS)
  const last = await follow({
    paths,
    store: opened.store,
    marks,
    workerPath: packagePath('dist/ingest-worker.js'),
    schemaFiles: context.schemaFiles(),
    now: () => context.now(),
    elapsed: () => performance.now(),
    workers: Math.max(1, Math.min(4, availableParallelism())),
    once,
    signal,
    onState: show,
    onProblem(path, reason) {
      const warning = diagnose('HR770', {
        path: safeText(shownPath(path)),
        reason: safeText(reason),
      })
      err.write(`${safeLines(renderDiagnostic(warning))}\n`)
    },
    onTrouble(error) {
      const passes =
        error instanceof EngineError && (error.kind === 'crashed' || error.kind === 'unavailable')
      if (!passes || once) throw error
      if (trouble === error.message) return
      trouble = error.message
      err.write(`${safeLines(renderDiagnostic(diagnose('HR771', { reason: error.message })))}\n`)
    },
    ...(format === undefined ? {} : { format }),
    ...(source === undefined ? {} : { source }),
  })
  if (!quiet) err.write(`${stateText(last, 0)}\n`)
  return last
}

/**
 * Progress on stderr: one line at the foot of a terminal with rate and time left, or JSON lines for `--progress json`.
 * Takes counts as they grow and a clock, prints a few times a second at most.
 */
import type { IntakeProgress } from '../ingest/intake.ts'
import { bytes, count, duration } from './figures.ts'
import { jsonText } from './json.ts'
import type { Output } from './terminal.ts'

export type ProgressMode = 'auto' | 'json' | 'none'

export interface Progress {
  /** How far intake is; fits `onProgress` of intake. */
  intake(state: IntakeProgress): void
  /** How many scans are done; fits `onProgress` of a run. */
  scans(done: number, total: number, findings: number): void
  /** Removes the line; prints the last state in JSON mode. Safe to call more than once. */
  end(): void
}

/** Milliseconds between two prints. */
const TERMINAL_EVERY = 100
const JSON_EVERY = 1_000
/** Below this many seconds a guess of the time left is noise. */
const GUESS_AFTER = 2
const BAR = 20

interface State {
  readonly phase: 'intake' | 'scan'
  readonly done: number
  readonly total: number
  readonly words: readonly string[]
  readonly record: Readonly<Record<string, number>>
}

function bar(done: number, total: number): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
  const full = Math.floor(share * BAR)
  return `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(Math.floor(share * 100)).padStart(3)}%`
}

/** Seconds left when the rest goes as fast as what is done; undefined while that is a guess in the dark. */
function left({ done, total }: State, seconds: number): number | undefined {
  if (seconds < GUESS_AFTER || done <= 0 || done >= total) return undefined
  return (seconds / done) * (total - done)
}

function terminalLine(state: State, seconds: number): string {
  const words = [...state.words]
  const rest = left(state, seconds)
  if (rest !== undefined) words.push(`${duration(rest)} left`)
  const title = state.phase === 'intake' ? 'Reading' : 'Running'
  // How much standard input will give is not known: there is nothing to draw a share of.
  const share = state.total > 0 ? `${bar(state.done, state.total)}  ` : ''
  return `${title} ${share}${words.join(' · ')}`
}

function intakeState(state: IntakeProgress, seconds: number): State {
  const rate = seconds > 0.2 ? state.bytes / seconds : 0
  return {
    phase: 'intake',
    done: state.bytes,
    total: state.totalBytes,
    words: [
      state.totalBytes > 0
        ? `${bytes(state.bytes)} of ${bytes(state.totalBytes)}`
        : bytes(state.bytes),
      `${count(state.events)} events`,
      ...(rate > 0 ? [`${bytes(rate)}/s`] : []),
    ],
    record: { ...state },
  }
}

function scanState(done: number, total: number, findings: number): State {
  return {
    phase: 'scan',
    done,
    total,
    words: [`${count(done)} of ${count(total)} scans`, `${count(findings)} findings`],
    record: { scans: done, totalScans: total, findings },
  }
}

/** Makes the progress of a command. `clock` gives milliseconds that never step back. */
export function makeProgress(output: Output, mode: ProgressMode, clock: () => number): Progress {
  const isShown = mode === 'json' || (mode === 'auto' && output.err.isTerminal && !output.quiet)
  const every = mode === 'json' ? JSON_EVERY : TERMINAL_EVERY
  let phase: State['phase'] | undefined
  let phaseStart = 0
  let printed = Number.NEGATIVE_INFINITY
  let pending: State | undefined
  let later: NodeJS.Timeout | undefined

  const print = (state: State, now: number): void => {
    pending = undefined
    clearTimeout(later)
    later = undefined
    printed = now
    const seconds = (now - phaseStart) / 1000
    if (mode === 'json') {
      const { phase: name, record } = state
      const rounded = Math.round(seconds * 1000) / 1000
      output.err.write(`${jsonText({ progress: name, ...record, seconds: rounded })}\n`)
    } else output.status(terminalLine(state, seconds))
  }
  const flush = (now: number): void => {
    if (mode === 'json' && pending !== undefined) print(pending, now)
  }
  const take = (name: State['phase'], stateAt: (seconds: number) => State): void => {
    const now = clock()
    if (phase !== name) {
      flush(now)
      phase = name
      phaseStart = now
      printed = Number.NEGATIVE_INFINITY
    }
    const state = stateAt((now - phaseStart) / 1000)
    if (now - printed >= every) print(state, now)
    else {
      pending = state
      // The last state before a pause is shown too.
      later ??= setTimeout(() => pending && print(pending, clock()), every).unref()
    }
  }
  return {
    intake(state) {
      if (isShown) take('intake', (seconds) => intakeState(state, seconds))
    },
    scans(done, total, findings) {
      if (isShown) take('scan', () => scanState(done, total, findings))
    },
    end() {
      if (!isShown) return
      flush(clock())
      clearTimeout(later)
      later = undefined
      output.status(undefined)
    },
  }
}

/**
 * The two channels of a command: data to stdout, everything else to stderr. Takes the process streams and flags,
 * gives writers that know their width, whether colour is wanted, and how to keep a status line out of the way.
 */
import type { Level } from '../rules/rule.ts'
import { cut } from './text.ts'

/** What a writer needs of a stream; `process.stdout` and `process.stderr` fit. */
export interface Stream {
  write(text: string): boolean
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  readonly writableNeedDrain?: boolean
  once(event: 'drain' | 'close' | 'error', listener: () => void): unknown
  off(event: 'drain' | 'close' | 'error', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface Writer {
  /** Writes text as it is: whoever calls has made values safe (`safeText`, `line`, `renderTable`). */
  write(text: string): void
  /** Resolves when the reader has caught up or is gone; awaiting it keeps memory bounded. */
  ready(): Promise<void>
  /** True when the reader closed its end (`| head`); later writes go nowhere. */
  isClosed(): boolean
  readonly isTerminal: boolean
  readonly hasColor: boolean
  /** Columns of the terminal, now; Infinity when it is a file or a pipe. */
  columns(): number
}

export interface Output {
  readonly out: Writer
  readonly err: Writer
  readonly quiet: boolean
  /** Aborts when the reader of stdout has closed its end: no more data is wanted. */
  readonly gone: AbortSignal
  /**
   * Shows one line at the foot of the terminal that the next write removes; undefined removes it. Does nothing
   * when stderr is not a terminal. The text must be safe and is cut to the width.
   */
  status(text: string | undefined): void
}

export interface OutputOptions {
  readonly out: Stream
  readonly err: Stream
  /** The environment: `NO_COLOR`, `FORCE_COLOR` and `TERM` are read. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** False for `--no-color`. */
  readonly color?: boolean
  readonly quiet?: boolean
}

/** `--no-color` and a set `NO_COLOR` win over `FORCE_COLOR`; else a terminal that is not `dumb` has colour. */
function wantsColor(stream: Stream, options: OutputOptions): boolean {
  const { env } = options
  if (options.color === false || (env.NO_COLOR ?? '') !== '') return false
  const force = env.FORCE_COLOR
  if (force !== undefined) return force !== '0' && force !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

function writerOf(
  stream: Stream,
  hasColor: boolean,
  beforeWrite: () => void,
  onClosed: () => void = () => undefined,
): Writer {
  let isClosed = false
  stream.on('error', () => {
    isClosed = true
    onClosed()
  })
  return {
    isTerminal: stream.isTTY === true,
    hasColor,
    isClosed: () => isClosed,
    columns: () => (stream.isTTY === true ? Math.max(20, stream.columns ?? 80) : Infinity),
    write(text) {
      if (isClosed || text === '') return
      beforeWrite()
      stream.write(text)
    },
    ready() {
      if (isClosed || stream.writableNeedDrain !== true) return Promise.resolve()
      return new Promise((resolve) => {
        const done = (): void => {
          for (const event of ['drain', 'close', 'error'] as const) stream.off(event, done)
          resolve()
        }
        for (const event of ['drain', 'close', 'error'] as const) stream.once(event, done)
      })
    },
  }
}

/** Makes the output of a command from its streams. */
export function makeOutput(options: OutputOptions): Output {
  const { out, err } = options
  let isShown = false
  const clear = (): void => {
    if (!isShown) return
    isShown = false
    err.write('\r\x1b[K')
  }
  const errWriter = writerOf(err, wantsColor(err, options), clear)
  const gone = new AbortController()
  const beforeOut = out.isTTY === true ? clear : () => undefined
  return {
    out: writerOf(out, wantsColor(out, options), beforeOut, () => gone.abort()),
    err: errWriter,
    quiet: options.quiet === true,
    gone: gone.signal,
    status(text) {
      if (!errWriter.isTerminal || errWriter.isClosed()) return
      if (text === undefined) {
        clear()
        return
      }
      err.write(`\r${cut(text, errWriter.columns() - 1)}\x1b[K`)
      isShown = true
    },
  }
}

const STYLES = {
  bold: '1',
  dim: '2',
  good: '32',
  bad: '31',
  critical: '1;35',
  high: '1;31',
  medium: '33',
  low: '36',
  informational: '2',
} as const

export type Style = keyof typeof STYLES

/** Wraps a safe text in a style when the writer has colour. */
export function paint(writer: Writer, style: Style | undefined, text: string): string {
  return writer.hasColor && style !== undefined && text !== ''
    ? `\x1b[${STYLES[style]}m${text}\x1b[0m`
    : text
}

/** The shape of each level, so that no meaning rests on colour alone. */
export const shapes: Readonly<Record<Level, string>> = {
  critical: '◆',
  high: '▲',
  medium: '■',
  low: '●',
  informational: '–',
}

/** Shape and word of a level, without colour. */
export function levelText(level: Level): string {
  return `${shapes[level]} ${level}`
}

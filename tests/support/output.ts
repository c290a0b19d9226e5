/** An output whose streams keep what is written, for tests of what the command line prints. */
import { makeOutput, type Output, type Stream } from '../../src/cli/terminal.ts'

export interface FakeStream extends Stream {
  readonly text: () => string
  readonly fail: (error: Error) => void
  needDrain: (isNeeded: boolean) => void
}

export function fakeStream(isTTY = false, columns = 100): FakeStream {
  const pieces: string[] = []
  const once = new Map<string, Set<() => void>>()
  const onError: ((error: Error) => void)[] = []
  let isFull = false
  const emit = (event: string): void => {
    const listeners = [...(once.get(event) ?? [])]
    once.delete(event)
    for (const each of listeners) each()
  }
  return {
    isTTY,
    columns: isTTY ? columns : undefined,
    get writableNeedDrain() {
      return isFull
    },
    write(text) {
      pieces.push(text)
      return true
    },
    once(event, listener) {
      once.set(event, (once.get(event) ?? new Set()).add(listener))
    },
    off(event, listener) {
      once.get(event)?.delete(listener)
    },
    on(_event, listener) {
      onError.push(listener)
    },
    text: () => pieces.join(''),
    fail(error) {
      for (const each of onError) each(error)
      emit('error')
    },
    needDrain(isNeeded) {
      isFull = isNeeded
      if (!isNeeded) emit('drain')
    },
  }
}

export interface FakeOutput extends Output {
  readonly outText: () => string
  readonly errText: () => string
}

/** An output on two fake streams; a terminal when `columns` is given. */
export function fakeOutput(
  options: { columns?: number; color?: boolean; quiet?: boolean } = {},
): FakeOutput {
  const isTTY = options.columns !== undefined
  const out = fakeStream(isTTY, options.columns)
  const err = fakeStream(isTTY, options.columns)
  const output = makeOutput({
    out,
    err,
    env: {},
    color: options.color ?? false,
    quiet: options.quiet ?? false,
  })
  return { ...output, outText: out.text, errText: err.text }
}

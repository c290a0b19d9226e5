/** The engine's error texts as `EngineError`. */
import { EngineError, type EngineFailure } from './engine.ts'

/** Numbers of the engine's own table of errors that mean more to us than "the query is wrong". */
const KINDS: ReadonlyMap<number, EngineFailure> = new Map([
  [159, 'timeout'],
  [160, 'timeout'],
  [241, 'memory'],
  [236, 'cancelled'],
  [394, 'cancelled'],
  [735, 'cancelled'],
  [164, 'refused'],
  [497, 'refused'],
  [209, 'unavailable'],
  [210, 'unavailable'],
  [516, 'unavailable'],
])

/** Longest message kept: the engine repeats the whole query in some. */
const LONGEST = 2_000

/** An error from the text that the engine gave, such as `Code: 241. DB::Exception: ...`. */
export function failureOf(text: string, other: EngineFailure = 'query'): EngineError {
  const found = /Code: (\d{1,6})\. /.exec(text)
  const code = found === null ? undefined : Number(found[1])
  const kind = (code === undefined ? undefined : KINDS.get(code)) ?? other
  const plain = text.replace(/^Code: \d{1,6}\. DB::Exception: /, '').trim()
  const message = plain.length > LONGEST ? `${plain.slice(0, LONGEST)}...` : plain
  return new EngineError(kind, message === '' ? 'the engine gave no reason' : message, code)
}

/** Any thrown value as an `EngineError`. */
export function engineErrorOf(error: unknown, other: EngineFailure = 'query'): EngineError {
  if (error instanceof EngineError) return error
  if (!(error instanceof Error)) return failureOf(String(error), other)
  return failureOf(error.message || ('code' in error ? String(error.code) : error.name), other)
}

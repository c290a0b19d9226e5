/** Tells the sink about a record that cannot be stored or a damaged part of a file, by diagnostic code. */
import type { Code } from '../core/codes.ts'
import { diagnose, type Params } from '../core/diagnostic.ts'
import type { Sink } from './decoder.ts'

/** Where damage is told: a sink, or whoever opens a container. */
export type Report = Pick<Sink, 'damage'>

/** Rejects a record. */
export function refuse<C extends Code>(
  sink: Sink,
  code: C,
  params: Params<C>,
  at: { readonly place: string; readonly raw: string },
): void {
  sink.reject(code, diagnose(code, params).message, at.place, at.raw)
}

/** Tells a fact about the file that is no record. */
export function tell<C extends Code>(
  report: Report,
  code: C,
  params: Params<C>,
  place: string,
): void {
  report.damage(code, diagnose(code, params).message, place)
}

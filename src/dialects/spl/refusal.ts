/** The one way to give up on a search. */
import type { Code } from '../../core/codes.ts'
import { type Diagnostic, diagnose, type Params } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'

/** A search cannot run; thrown within the dialect only, and caught where compiling begins. */
export class Refusal extends Error {
  readonly diagnostic: Diagnostic

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message)
    this.diagnostic = diagnostic
  }
}

/** Gives up with a diagnostic at a place. */
export function refuse<C extends Code>(code: C, params: Params<C>, span?: Span): never {
  throw new Refusal(diagnose(code, params, span))
}

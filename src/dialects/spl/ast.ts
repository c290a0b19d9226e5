/** What the two expression grammars of the language are read into. Spans are offsets in the expanded text. */
import type { Span } from '../../core/span.ts'

/** A command with its arguments, which its record reads. Spans are offsets in the expanded text. */
export interface Command {
  /** In lower case. */
  readonly name: string
  readonly nameSpan: Span
  readonly args: Span
  readonly span: Span
}

/** A value of a search condition: after unescaping, with `*` as the only wildcard. */
export interface SearchValue {
  readonly text: string
  readonly isQuoted: boolean
  readonly span: Span
}

export type CompareOp = '=' | '!=' | '<' | '<=' | '>' | '>='

/** A condition of `search`, and of `where` in tstats. */
export type SearchExpr =
  | { readonly kind: 'and' | 'or'; readonly items: readonly SearchExpr[]; readonly span: Span }
  | { readonly kind: 'not'; readonly of: SearchExpr; readonly span: Span }
  | {
      readonly kind: 'compare'
      readonly field: string
      readonly fieldSpan: Span
      readonly op: CompareOp
      readonly value: SearchValue
      readonly span: Span
    }
  | {
      readonly kind: 'in'
      readonly field: string
      readonly fieldSpan: Span
      readonly values: readonly SearchValue[]
      readonly span: Span
    }
  | {
      readonly kind: 'term'
      readonly value: SearchValue
      /** How the term is looked for when it stands in TERM() or CASE(). */
      readonly as?: 'TERM' | 'CASE'
      readonly span: Span
    }
  | { readonly kind: 'subsearch'; readonly search: Subsearch; readonly span: Span }

/** A search in brackets: its commands, in order. */
export interface Subsearch {
  readonly commands: readonly Command[]
  readonly span: Span
}

export type BinaryOp = CompareOp | 'and' | 'or' | 'xor' | 'like' | '+' | '-' | '*' | '/' | '%' | '.'

/** An expression of `eval` and `where`. */
export type EvalExpr =
  | { readonly kind: 'number'; readonly value: number; readonly text: string; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'field'; readonly name: string; readonly span: Span }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly nameSpan: Span
      readonly args: readonly EvalExpr[]
      readonly span: Span
    }
  | { readonly kind: 'unary'; readonly op: '-' | 'not'; readonly of: EvalExpr; readonly span: Span }
  | {
      readonly kind: 'binary'
      readonly op: BinaryOp
      readonly left: EvalExpr
      readonly right: EvalExpr
      readonly span: Span
    }
  | {
      readonly kind: 'in'
      readonly of: EvalExpr
      readonly list: readonly EvalExpr[]
      readonly span: Span
    }

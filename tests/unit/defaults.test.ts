/** Values with a default: tests reach the column where the default cannot pass them. */
import { describe, expect, it } from 'vitest'
import { call, type Expr, FALSE, field, TRUE, text, texts } from '../../src/ir/expr.ts'
import { foldExpr } from '../../src/plan/fold.ts'

const image = field('Image')
const or = (...parts: readonly Expr[]): Expr => call('value.first', parts, 'text')
const unknown = or(image, text('unknown'))

describe('values with a default', () => {
  it('are cut behind what is always there', () => {
    expect(foldExpr(or(or(image, text('')), text('a'), field('b')))).toEqual(or(image, text('a')))
    expect(foldExpr(or(text(''), text('a'), image))).toEqual(text('a'))
  })
  it('are tested without it where it fails the test', () => {
    const test = (subject: Expr): Expr => call('match.in', [subject, texts(['cmd.exe'])])
    expect(foldExpr(test(unknown))).toEqual(test(image))
    expect(foldExpr(test(call('value.or_null', [unknown], 'text')))).toEqual(test(image))
  })
  it('are tested with it where it passes', () => {
    const test = call('match.contains', [unknown, text('know')])
    expect(foldExpr(test)).toEqual(test)
  })
  it('are not tested without it where nothing passes', () => {
    const test = call('match.like', [unknown, text('%')])
    expect(foldExpr(test)).toEqual(test)
  })
  it('are there', () => {
    expect(foldExpr(call('value.has_value', [unknown]))).toEqual(TRUE)
    expect(foldExpr(call('value.is_null', [unknown]))).toEqual(FALSE)
    expect(foldExpr(call('eval.coalesce', [unknown, text('x')], 'text'))).toEqual(unknown)
    const open = call('value.has_value', [or(image, field('b'))])
    expect(foldExpr(open)).toEqual(open)
  })
})

import { describe, expect, it } from 'vitest'
import { levelText, makeOutput, paint, shapes } from '../../src/cli/terminal.ts'
import { LEVELS } from '../../src/rules/rule.ts'
import { fakeStream } from '../support/output.ts'

function colorOf(
  env: Record<string, string>,
  options: { isTTY?: boolean; color?: boolean } = {},
): boolean {
  const output = makeOutput({
    out: fakeStream(options.isTTY ?? true),
    err: fakeStream(true),
    env,
    ...(options.color === undefined ? {} : { color: options.color }),
  })
  return output.out.hasColor
}

describe('colour', () => {
  it('is for terminals, unless the environment or a flag says otherwise', () => {
    expect(colorOf({})).toBe(true)
    expect(colorOf({}, { isTTY: false })).toBe(false)
    expect(colorOf({ TERM: 'dumb' })).toBe(false)
    expect(colorOf({ NO_COLOR: '1' })).toBe(false)
    expect(colorOf({ NO_COLOR: '' })).toBe(true)
    expect(colorOf({ FORCE_COLOR: '1' }, { isTTY: false })).toBe(true)
    expect(colorOf({ FORCE_COLOR: '0' })).toBe(false)
    expect(colorOf({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false)
    expect(colorOf({ FORCE_COLOR: '1' }, { color: false })).toBe(false)
  })

  it('is never the only sign of a level', () => {
    const words = LEVELS.map(levelText)
    expect(new Set(Object.values(shapes)).size).toBe(LEVELS.length)
    for (const [index, level] of LEVELS.entries()) expect(words[index]).toContain(level)
  })

  it('paints only when the writer has colour', () => {
    const streams = { out: fakeStream(true), err: fakeStream(false), env: {} }
    const output = makeOutput(streams)
    expect(paint(output.out, 'high', 'x')).toBe('\x1b[1;31mx\x1b[0m')
    expect(paint(output.err, 'high', 'x')).toBe('x')
    expect(paint(output.out, undefined, 'x')).toBe('x')
  })
})

describe('writers', () => {
  it('know their width', () => {
    const output = makeOutput({ out: fakeStream(true, 120), err: fakeStream(false), env: {} })
    expect(output.out.columns()).toBe(120)
    expect(output.err.columns()).toBe(Number.POSITIVE_INFINITY)
    expect(makeOutput({ out: fakeStream(true, 3), err: fakeStream(), env: {} }).out.columns()).toBe(
      20,
    )
  })

  it('wait for a slow reader and stop waiting when it is gone', async () => {
    const out = fakeStream()
    const output = makeOutput({ out, err: fakeStream(), env: {} })
    await output.out.ready()
    out.needDrain(true)
    let isReady = false
    const waiting = output.out.ready().then(() => {
      isReady = true
    })
    await Promise.resolve()
    expect(isReady).toBe(false)
    out.needDrain(false)
    await waiting
    out.needDrain(true)
    const gone = output.out.ready()
    out.fail(new Error('EPIPE'))
    await gone
    expect(output.out.isClosed()).toBe(true)
    output.out.write('nobody reads this')
    expect(out.text()).toBe('')
  })
})

describe('the status line', () => {
  it('is removed before anything else is written to the terminal', () => {
    const out = fakeStream(true)
    const err = fakeStream(true, 20)
    const output = makeOutput({ out, err, env: {} })
    output.status('half done and much too long for this')
    expect(err.text()).toBe('\rhalf done and much…\x1b[K')
    output.out.write('data\n')
    expect(err.text()).toBe('\rhalf done and much…\x1b[K\r\x1b[K')
    output.status('more')
    output.err.write('note\n')
    output.status(undefined)
    expect(err.text().endsWith('\rmore\x1b[K\r\x1b[Knote\n')).toBe(true)
  })

  it('does not exist in a file', () => {
    const err = fakeStream(false)
    const output = makeOutput({ out: fakeStream(false), err, env: { FORCE_COLOR: '1' } })
    output.status('half done')
    output.status(undefined)
    expect(err.text()).toBe('')
  })
})

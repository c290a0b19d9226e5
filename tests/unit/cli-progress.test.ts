import { describe, expect, it } from 'vitest'
import { makeProgress } from '../../src/cli/progress.ts'
import { fakeOutput } from '../support/output.ts'

const state = (bytes: number) => ({
  bytes,
  totalBytes: 1_000_000_000,
  events: bytes / 1_000,
  files: 1,
  totalFiles: 4,
})

describe('progress', () => {
  it('shows rate and time left on a terminal, and is gone at the end', () => {
    const output = fakeOutput({ columns: 120 })
    let now = 0
    const progress = makeProgress(output, 'auto', () => now)
    progress.intake(state(0))
    now = 4_000
    progress.intake(state(250_000_000))
    expect(output.errText()).toContain(
      'Reading █████░░░░░░░░░░░░░░░  25%  250 MB of 1.00 GB · 250,000 events · 62.5 MB/s · 12 s left',
    )
    now = 5_000
    progress.scans(1, 4, 12)
    expect(output.errText()).toContain(
      'Running █████░░░░░░░░░░░░░░░  25%  1 of 4 scans · 12 findings',
    )
    progress.end()
    progress.end()
    expect(output.errText().endsWith('\r\x1b[K')).toBe(true)
    expect(output.outText()).toBe('')
  })

  it('prints ten times a second at most', () => {
    const output = fakeOutput({ columns: 120 })
    let now = 0
    const progress = makeProgress(output, 'auto', () => now)
    for (; now < 1_000; now++) progress.intake(state(now))
    expect(output.errText().split('\r').length - 1).toBe(10)
  })

  it('is silent in a file, when quiet, and when told so', () => {
    for (const [output, mode] of [
      [fakeOutput(), 'auto'],
      [fakeOutput({ columns: 80, quiet: true }), 'auto'],
      [fakeOutput({ columns: 80 }), 'none'],
    ] as const) {
      const progress = makeProgress(output, mode, () => 0)
      progress.intake(state(5))
      progress.scans(1, 2, 0)
      progress.end()
      expect(output.errText()).toBe('')
    }
  })

  it('prints JSON lines for machines, the last state of each phase included', () => {
    const output = fakeOutput()
    let now = 0
    const progress = makeProgress(output, 'json', () => now)
    progress.intake(state(0))
    now = 500
    progress.intake(state(900_000_000))
    progress.scans(0, 3, 0)
    now = 600
    progress.scans(3, 3, 7)
    progress.end()
    const lines = output
      .errText()
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each))
    expect(lines).toMatchObject([
      { progress: 'intake', bytes: 0, totalBytes: 1_000_000_000, files: 1, totalFiles: 4 },
      { progress: 'intake', bytes: 900_000_000, seconds: 0.5 },
      { progress: 'scan', scans: 0, totalScans: 3, findings: 0 },
      { progress: 'scan', scans: 3, totalScans: 3, findings: 7, seconds: 0.1 },
    ])
  })
})

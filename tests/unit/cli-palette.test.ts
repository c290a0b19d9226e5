/** The colours of the report: contrast by WCAG 2, and distance under simulated colour-vision deficiencies. */
import { describe, expect, it } from 'vitest'
import { reportStyle } from '../../src/cli/style.ts'
import { LEVELS } from '../../src/rules/rule.ts'

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
}

function mixed(matrix: readonly (readonly number[])[], color: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, each, index) => sum + each * (color[index] ?? 0), 0))
}

function contrast(a: string, b: string): number {
  const light = [a, b].map((hex) => mixed([[0.2126, 0.7152, 0.0722]], channels(hex))[0] ?? 0)
  return (Math.max(...light) + 0.05) / (Math.min(...light) + 0.05)
}

/** Matrices for full dichromacy in linear RGB (Machado, Oliveira and Fernandes, 2009). */
const VISIONS = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
} as const

function oklab(rgb: readonly number[]): number[] {
  const cone = mixed(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb.map((each) => Math.min(1, Math.max(0, each))),
  ).map(Math.cbrt)
  return mixed(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cone,
  )
}

const [light = '', dark = ''] = reportStyle.split('@media (prefers-color-scheme: dark)')
const themes = { light, dark: dark.slice(0, dark.indexOf('* {')) }

function colorOf(theme: string, name: string): string {
  return new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)?.[1] ?? 'none'
}

describe.each(Object.entries(themes))('the %s colours', (_name, theme) => {
  it('keep 4.5:1 where they stand', () => {
    for (const ground of ['page', 'panel']) {
      for (const name of [...LEVELS, 'text', 'soft', 'accent']) {
        const ratio = contrast(colorOf(theme, name), colorOf(theme, ground))
        expect(ratio, `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5)
      }
    }
    for (const ground of ['well', 'mark']) {
      expect(contrast(colorOf(theme, 'text'), colorOf(theme, ground))).toBeGreaterThanOrEqual(4.5)
    }
  })

  it.each(Object.entries(VISIONS))('stay apart for %s vision', (_vision, matrix) => {
    const seen = LEVELS.map((level) => oklab(mixed(matrix, channels(colorOf(theme, level)))))
    for (const [index, a] of seen.entries()) {
      for (const b of seen.slice(index + 1)) {
        const far = Math.hypot(...a.map((each, axis) => each - (b[axis] ?? 0)))
        expect(far).toBeGreaterThan(0.08)
      }
    }
  })
})

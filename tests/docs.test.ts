/** The manual agrees with the tables it is made from, and every code in the source is in the table. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { codes } from '../src/core/codes.ts'
import { pages } from '../tools/docs.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

describe('the manual', () => {
  for (const [path, make] of pages) {
    it(`has a fresh ${path} (npm run docs)`, () => {
      expect(readFileSync(`${ROOT}${path}`, 'utf8')).toBe(make())
    })
  }

  it('uses every diagnostic code, and has each code in order', () => {
    const source = readdirSync(`${ROOT}src`, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('core/codes.ts'))
      .map((name) => readFileSync(`${ROOT}src/${name}`, 'utf8'))
      .join('\n')
    expect(Object.keys(codes).filter((code) => !source.includes(code))).toEqual([])
    expect(Object.keys(codes)).toEqual(Object.keys(codes).toSorted())
  })

  it('links to files that exist', () => {
    const missing = [
      'README.md',
      'docs/architecture.md',
      'docs/differences.md',
      'CONTRIBUTING.md',
    ].flatMap((page) => {
      const text = readFileSync(`${ROOT}${page}`, 'utf8')
      const base = page.includes('/') ? `${ROOT}docs/` : ROOT
      return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].flatMap(([, link = '']) => {
        try {
          readdirSync(new URL(`file://${base}${link}`.replace(/[^/]*$/, '')))
          readFileSync(`${base}${link}`.replace(/\/$/, '/README.md'))
          return []
        } catch {
          return [`${page}: ${link}`]
        }
      })
    })
    expect(missing).toEqual([])
  })
})

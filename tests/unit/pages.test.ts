/** The pages at the front of the repository: the licence is the plain one, and the security page names tests that exist. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** SHA-256 of the licence text with all white space as single blanks. */
const LICENCE = '0ffddef9e48f8a09aed5caf2d44f7ba1c1be2d9b8e0a6f693b1635b2d5566645'
const PAGES = ['SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/security.md'] as const

function read(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8')
}

function linksOf(page: string): readonly string[] {
  const folder = new URL(page, `file://${ROOT}`)
  return [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = '']) =>
    fileURLToPath(new URL(link, folder)),
  )
}

describe('front pages', () => {
  it('include the Apache License 2.0, word for word', () => {
    const words = read('LICENSE').replace(/\s+/g, ' ').trim()
    expect(createHash('sha256').update(words).digest('hex')).toBe(LICENCE)
  })

  it.each(PAGES)('%s links to files that exist', (page) => {
    expect(linksOf(page).filter((path) => !existsSync(path))).toEqual([])
  })

  it('name a test for each attempt that they say is held', () => {
    const held = read('docs/security.md').split('## The product itself')[0] ?? ''
    const rows = held
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| attempt'))
    expect(rows.length).toBeGreaterThan(15)
    expect(rows.filter((row) => !/\]\(\.\.\/tests\/[\w/-]+\.test\.ts\)/.test(row))).toEqual([])
  })
})

/**
 * The house rules: floors, cycles, purity, file sizes, unused exports, and a README for each folder.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SRC = join(ROOT, 'src')

const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  ir: 1,
  functions: 1,
  schema: 2,
  dialects: 3,
  plan: 4,
  sql: 5,
  ingest: 6,
  engine: 6,
  net: 6,
  rules: 7,
  detect: 8,
  brief: 9,
  server: 10,
  cli: 10,
  web: 10,
}
/** Folders of one floor do not import each other, but for these. */
const SAME_FLOOR = new Set(['functions>ir'])
const PURE = 5
const MOST_LINES = 800
const MOST_TABLE_LINES = 1_500
/** Files that are tables of data. */
const TABLES = new Set([
  'core/codes.ts',
  'core/limits.ts',
  'functions/match.ts',
  'functions/value.ts',
])
/** Bundled entry points: nothing imports them. */
const ENTRIES = new Set([
  'cli/main.ts',
  'engine/child.ts',
  'ingest/worker.ts',
  'rules/kustochild.ts',
  'index.ts',
])
const BANNED_NAMES = /^(?:utils?|helpers?|common|misc|manager|base)\.ts$/

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : []
  })
}

interface SourceFile {
  readonly name: string
  readonly text: string
  readonly imports: readonly { readonly from: string; readonly names: readonly string[] }[]
}

function importsOf(text: string): SourceFile['imports'] {
  const found = text.matchAll(
    /^(?:import|export)\s+(?:type\s+)?(?:([^'"]*?)\s+from\s+)?['"]([^'"]+)['"]/gms,
  )
  return [...found].map(([, clause = '', from = '']) => ({
    from,
    names: (/\{([^}]*)\}/s.exec(clause)?.[1] ?? '')
      .split(',')
      .map((each) =>
        each
          .trim()
          .replace(/^type\s+/, '')
          .replace(/\s+as\s+.*$/s, ''),
      )
      .filter((each) => each !== ''),
  }))
}

const files: readonly SourceFile[] = filesBelow(SRC).map((path) => {
  const text = readFileSync(path, 'utf8')
  return { name: relative(SRC, path), text, imports: importsOf(text) }
})

const target = (file: SourceFile, from: string): string => join(dirname(file.name), from)
/** `dialects/sigma` is a room of its own; other rooms are the first folder. */
const roomOf = (name: string): string =>
  name.startsWith('dialects/') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? '')
const floorOf = (name: string): number | undefined => FLOORS[name.split('/')[0] ?? '']

describe('architecture', () => {
  it('reads the source', () => {
    expect(files.length).toBeGreaterThan(30)
  })

  it('imports only from the same folder or a lower floor', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ from }) => from.startsWith('.'))
        .flatMap(({ from }) => {
          const to = target(file, from)
          const [mine, theirs] = [floorOf(file.name), floorOf(to)]
          if (file.name === 'index.ts') return []
          if (mine === undefined || theirs === undefined) return [`${file.name} -> ${to}: no floor`]
          if (roomOf(file.name) === roomOf(to) || theirs < mine) return []
          const pair = `${roomOf(file.name)}>${roomOf(to)}`
          return theirs === mine && SAME_FLOOR.has(pair) ? [] : [`${file.name} -> ${to}`]
        }),
    )
    expect(wrong).toEqual([])
  })

  it('keeps floors 0 to 5 pure', () => {
    const wrong = files
      .filter((file) => (floorOf(file.name) ?? 99) <= PURE)
      .flatMap((file) =>
        [
          ...file.imports.filter(({ from }) => from.startsWith('node:')).map(({ from }) => from),
          ...(/\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.|\bfetch\(|\bsetTimeout\(/.exec(
            file.text,
          ) ?? []),
        ].map((what) => `${file.name}: ${what}`),
      )
    expect(wrong).toEqual([])
  })

  it('has no import cycle between files', () => {
    const graph = new Map(
      files.map((file) => [
        file.name,
        file.imports
          .filter(({ from }) => from.startsWith('.'))
          .map(({ from }) => target(file, from)),
      ]),
    )
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (name: string, trail: readonly string[]): void => {
      if (trail.includes(name)) {
        cycles.push([...trail.slice(trail.indexOf(name)), name].join(' -> '))
        return
      }
      if (done.has(name)) return
      for (const next of graph.get(name) ?? []) visit(next, [...trail, name])
      done.add(name)
    }
    for (const name of graph.keys()) visit(name, [])
    expect(cycles).toEqual([])
  })

  it('keeps files small enough to read', () => {
    const wrong = files
      .map((file) => ({ name: file.name, lines: file.text.split('\n').length }))
      .filter(({ name, lines }) => lines > (TABLES.has(name) ? MOST_TABLE_LINES : MOST_LINES))
      .map(({ name, lines }) => `${name}: ${lines} lines`)
    expect(wrong).toEqual([])
  })

  it('opens each file with a comment and gives it a real name', () => {
    const wrong = files.filter(
      (file) =>
        !/^(?:#![^\n]*\n)?\/\*\*/.test(file.text) ||
        BANNED_NAMES.test(file.name.split('/').at(-1) ?? ''),
    )
    expect(wrong.map((each) => each.name)).toEqual([])
  })

  it('exports only what another file uses', () => {
    const tests = [join(ROOT, 'tests'), join(ROOT, 'tools'), join(ROOT, 'bench')].flatMap(
      filesBelow,
    )
    const used = new Map<string, Set<string>>()
    const note = (to: string, names: readonly string[]): void => {
      const known = used.get(to) ?? new Set()
      for (const each of names) known.add(each)
      used.set(to, known)
    }
    for (const file of files) {
      for (const { from, names } of file.imports) {
        if (from.startsWith('.')) note(target(file, from), names)
      }
    }
    for (const path of tests) {
      for (const { from, names } of importsOf(readFileSync(path, 'utf8'))) {
        if (from.startsWith('.')) note(relative(SRC, join(dirname(path), from)), names)
      }
    }
    const unused = files
      .filter((file) => !ENTRIES.has(file.name))
      .flatMap((file) => {
        const names = [
          ...file.text.matchAll(
            /^export (?:async )?(?:declare )?(?:const|let|function\*?|class|interface|type) (\w+)/gm,
          ),
        ].map(([, name = '']) => name)
        return names
          .filter((name) => !used.get(file.name)?.has(name))
          .map((name) => `${file.name}: ${name}`)
      })
    // A type that is part of an exported signature may be named nowhere else; values may not.
    const values = unused.filter((each) => {
      const [name = '', what = ''] = each.split(': ')
      const text = files.find((file) => file.name === name)?.text ?? ''
      return !new RegExp(`export (?:interface|type) ${what}\\b`).test(text)
    })
    expect(values).toEqual([])
  })

  it('has a README of at most 20 lines in each folder', () => {
    const rooms = [
      ...new Set(files.map((file) => dirname(file.name)).filter((each) => each !== '.')),
    ]
    const folders = [
      ...rooms.filter((each) => each !== 'dialects').map((each) => join('src', each)),
      ...['tests', 'tools', 'docs', 'docs/decisions', 'bench', 'content/schema', 'content/rules'],
    ]
    const wrong = folders.filter((folder) => {
      try {
        const lines = readFileSync(join(ROOT, folder, 'README.md'), 'utf8').split('\n').length
        return folder.startsWith('src') && lines > 21
      } catch {
        return true
      }
    })
    expect(wrong).toEqual([])
  })

  it('parses YAML in one place and sends SQL from one folder', () => {
    const yaml = files.filter((file) => file.imports.some(({ from }) => from === 'js-yaml'))
    expect(yaml.map((each) => each.name)).toEqual(['core/yaml.ts'])
    const chdb = files.filter((file) =>
      file.imports.some(({ from }) => /^(?:chdb|@clickhouse)/.test(from)),
    )
    expect(
      chdb.filter((each) => !each.name.startsWith('engine/')).map((each) => each.name),
    ).toEqual([])
  })

  it('turns values and names into SQL in one file', () => {
    const wrong = files.filter(
      (file) =>
        !file.name.startsWith('sql/quote') &&
        /sql`[^`]*['"]\$\{|sql`[^`]*\$\{[^}]*\}['"]/.test(file.text),
    )
    expect(wrong.map((each) => each.name)).toEqual([])
  })
})

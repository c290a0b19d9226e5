/**
 * Splunk's configuration files: stanzas of settings, values that a backslash at the end of a line carries on to the next,
 * and the stanza `[default]` whose settings hold for all others of the file.
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { type Placing, placingBy, type Segment } from '../../core/placing.ts'
import type { Span } from '../../core/span.ts'

export interface ConfSetting {
  readonly text: string
  /** From a span of the text to a span of the file. */
  readonly place: Placing
  readonly span: Span
}

export interface Stanza {
  readonly name: string
  readonly span: Span
  /** By key, in the order of the file. */
  readonly settings: ReadonlyMap<string, ConfSetting>
}

interface Draft {
  readonly name: string
  readonly span: Span
  readonly settings: Map<string, ConfSetting>
}

/** Messages of one file; a file that is no configuration has one on each line. */
const MOST_PROBLEMS = 20

interface Line {
  readonly start: number
  readonly text: string
}

function linesOf(text: string): readonly Line[] {
  const lines: Line[] = []
  for (let start = text.startsWith('\ufeff') ? 1 : 0; start < text.length; ) {
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    lines.push({ start, text: text.slice(start, end).replace(/\r$/, '') })
    start = end + 1
  }
  return lines
}

/** A setting that begins on a line: its value, and the number of lines that it takes. */
function readSetting(lines: readonly Line[], at: number, valueAt: number) {
  const parts: string[] = []
  const segments: Segment[] = []
  let length = 0
  let next = at
  for (;;) {
    const line = lines[next]
    if (line === undefined) break
    const from = next === at ? valueAt : 0
    const isCarried = line.text.endsWith('\\') && next + 1 < lines.length
    const part = line.text.slice(from, isCarried ? -1 : undefined)
    segments.push({ query: length, file: line.start + from })
    parts.push(part)
    length += part.length + 1
    next++
    if (!isCarried) break
  }
  const [first] = segments
  const last = lines[next - 1]
  const span = {
    start: first?.file ?? 0,
    end: last === undefined ? 0 : last.start + last.text.length,
  }
  return { setting: { text: parts.join('\n'), place: placingBy(() => segments), span }, next }
}

/** Reads a configuration file: its stanzas, each name once, with the settings of `[default]` in all of them. */
export function readConf(text: string): {
  readonly stanzas: readonly Stanza[]
  readonly diagnostics: readonly Diagnostic[]
} {
  const lines = linesOf(text)
  const stanzas = new Map<string, Draft>()
  const diagnostics: Diagnostic[] = []
  let open: Draft | undefined
  for (let at = 0; at < lines.length; ) {
    const { start, text: line } = lines[at] ?? { start: 0, text: '' }
    const plain = line.trim()
    if (plain === '' || plain.startsWith('#') || plain.startsWith(';')) {
      at++
      continue
    }
    const span = { start, end: start + line.length }
    if (plain.startsWith('[') && plain.endsWith(']')) {
      const name = plain.slice(1, -1).trim()
      open = stanzas.get(name) ?? { name, span, settings: new Map() }
      stanzas.set(name, open)
      at++
      continue
    }
    const equals = line.indexOf('=')
    const key = line.slice(0, Math.max(0, equals)).trim()
    if (key === '' || key.length > 256 || open === undefined) {
      if (diagnostics.length < MOST_PROBLEMS) diagnostics.push(diagnose('HR556', {}, span))
      at++
      continue
    }
    const margin = /^[ \t]{0,200}/.exec(line.slice(equals + 1))?.[0].length ?? 0
    const { setting, next } = readSetting(lines, at, equals + 1 + margin)
    open.settings.set(key, setting)
    at = next
  }
  const shared = stanzas.get('default')?.settings ?? new Map()
  stanzas.delete('default')
  return {
    stanzas: [...stanzas.values()].map((each) => ({
      ...each,
      settings: new Map([...shared, ...each.settings]),
    })),
    diagnostics,
  }
}

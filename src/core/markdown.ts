/**
 * Markdown with queries in fenced blocks (https://spec.commonmark.org/0.31.2/#fenced-code-blocks). Each block of a
 * language that is asked for has the heading before it as its title; blocks of others are left alone.
 */

import { type Diagnostic, diagnose } from './diagnostic.ts'
import { stemOf } from './filename.ts'
import { limits } from './limits.ts'
import { type Placing, placingBy, type Segment } from './placing.ts'
import { withoutEnd } from './trim.ts'

/** Indentation and marks of quotation before a fence, the fence, and what is written after it. */
const OPENING = /^((?:[ \t]|>){0,64})(`{3,}|~{3,})([^\r\n]*)\r?$/
const ATX = /^ {0,3}(#{1,6})(?:[ \t]+([^\r\n]*))?\r?$/
/** A heading of a level underlines the line before. */
const SETEXT = /^ {0,3}(?:=+|-+)[ \t]*\r?$/
const MOST_TITLE = 200
const MOST_PROSE = 2_000

/** A block of code. */
export interface Block {
  readonly title: string
  /** The text between its heading and it. */
  readonly prose: string
  readonly query: string
  readonly place: Placing
}

interface Line {
  readonly start: number
  readonly text: string
}

function* linesOf(text: string): Generator<Line> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    const stop = end === -1 ? text.length : end
    yield { start, text: text.slice(start, stop) }
    start = stop + 1
  }
}

interface Fence {
  readonly start: number
  readonly mark: string
  readonly margin: string
  readonly isOurs: boolean
}

function openingOf({ start, text }: Line, language: RegExp): Fence | undefined {
  const found = OPENING.exec(text.length > 4_000 ? text.slice(0, 4_000) : text)
  if (found === null) return undefined
  const [, margin = '', mark = '', info = ''] = found
  // A line of code between backticks is no fence.
  if (mark.startsWith('`') && info.includes('`')) return undefined
  return { start, mark, margin, isOurs: language.test(info.trim()) }
}

function isClosing(fence: Fence, { text }: Line): boolean {
  const plain = text.slice(marginEnd(fence, text)).trim()
  const char = fence.mark[0] ?? ''
  return plain.length >= fence.mark.length && plain.split(char).join('') === ''
}

/** Where the text of a line of the block begins: as much as stands before the fence is taken away. */
function marginEnd({ margin }: Fence, text: string): number {
  let at = 0
  const most = margin.length + (margin.includes('>') && margin.endsWith('>') ? 1 : 0)
  while (
    at < most &&
    (text[at] === ' ' || text[at] === '\t' || (text[at] === '>' && margin.includes('>')))
  )
    at++
  return at
}

/** A heading without the marks that may close it. */
function withoutClosing(text: string): string {
  const plain = text.trimEnd()
  const rest = withoutEnd(plain, /#/)
  return rest.length < plain.length && /[ \t]$/.test(rest) ? rest : text
}

/** Words of a heading or a paragraph without the marks of Markdown. */
function plainWords(text: string): string {
  return withoutClosing(text)
    .replace(/!?\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)/g, '$1')
    .replace(/[*`_]{1,3}/g, (mark) => (mark.includes('_') ? '_' : ''))
    .trim()
}

/** What stands before the block that is being read: its heading, and the text below that. */
interface Section {
  title: string
  prose: string
  blocks: number
}

class Blocks {
  readonly blocks: Block[] = []
  readonly diagnostics: Diagnostic[] = []
  readonly #file: string
  #section: Section

  constructor(file: string) {
    this.#file = file
    this.#section = { title: stemOf(file), prose: '', blocks: 0 }
  }

  heading(text: string): void {
    const title = plainWords(text).slice(0, MOST_TITLE)
    this.#section = { title: title === '' ? stemOf(this.#file) : title, prose: '', blocks: 0 }
  }

  prose(text: string): void {
    const section = this.#section
    const line = plainWords(text.slice(0, 500))
    // A line such as "Defender KQL:" only names the block below it.
    if (section.prose.length < MOST_PROSE && !line.endsWith(':')) section.prose += `${line}\n`
  }

  block(lines: readonly Line[], fence: Fence): void {
    const section = this.#section
    const parts = lines.map(({ start, text }) => {
      const margin = marginEnd(fence, text)
      return { file: start + margin, text: text.slice(margin).replace(/\r$/, '') }
    })
    const query = parts.map(({ text }) => text).join('\n')
    if (query.trim() === '') return
    section.blocks++
    const number = section.blocks > 1 ? ` (${section.blocks})` : ''
    const segments = (): readonly Segment[] => {
      let at = 0
      return parts.map(({ file, text }) => {
        const segment = { query: at, file }
        at += text.length + 1
        return segment
      })
    }
    const prose = section.prose.trim().replace(/\n{2,}/g, '\n')
    this.blocks.push({ title: section.title + number, prose, query, place: placingBy(segments) })
  }
}

/**
 * The blocks of a Markdown text whose language, as it stands after the fence, matches. The file's name is the title of
 * those before the first heading.
 */
export function readBlocks(
  text: string,
  file: string,
  language: RegExp,
): { readonly blocks: readonly Block[]; readonly diagnostics: readonly Diagnostic[] } {
  const blocks = new Blocks(file)
  let fence: Fence | undefined
  let inside: Line[] = []
  let before = ''
  for (const line of linesOf(text)) {
    if (blocks.blocks.length >= limits.queriesPerFile) break
    if (fence !== undefined) {
      if (isClosing(fence, line)) {
        if (fence.isOurs) blocks.block(inside, fence)
        fence = undefined
        inside = []
      } else if (fence.isOurs) inside.push(line)
      continue
    }
    fence = openingOf(line, language)
    const heading = fence === undefined ? ATX.exec(line.text.slice(0, 1_000)) : null
    if (heading !== null) blocks.heading(heading[2] ?? '')
    else if (
      fence === undefined &&
      before.trim() !== '' &&
      SETEXT.test(line.text.slice(0, 1_000))
    ) {
      blocks.heading(before)
    } else if (fence === undefined) blocks.prose(line.text)
    before = fence === undefined && heading === null ? line.text : ''
  }
  if (fence?.isOurs === true) {
    blocks.diagnostics.push(diagnose('HR462', {}, { start: fence.start, end: fence.start + 3 }))
    blocks.block(inside, fence)
  }
  return blocks
}

/**
 * Linting: what rules have when they are loaded, and what the checks find, in one list; what a comment in a file ignores
 * is left out. Takes loaded rules and what is known beside them, gives problems in the order of files and places.
 */
import { type Code, codes } from '../../core/codes.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { placesIn, type Span } from '../../core/span.ts'
import { parseSigma, type SigmaParse } from '../../dialects/sigma/rule.ts'
import type { RuleSet } from '../load.ts'
import type { LoadedRule, LocatedDiagnostic } from '../rule.ts'
import { packProblems, unusedMacros } from './packs.ts'
import type { LintWorld, Subject } from './subject.ts'
import { CHECKS } from './table.ts'

export interface LintProblem {
  readonly file: string
  /** Text of the file; empty when it could not be read. */
  readonly text: string
  /** Absent for what is wrong beside the rules of a file. */
  readonly rule?: LoadedRule
  readonly diagnostic: LocatedDiagnostic
}

/** Which problems are wanted. */
export interface LintOptions {
  readonly only: ReadonlySet<string>
  readonly ignore: ReadonlySet<string>
  /** True when notices are wanted too. */
  readonly notices: boolean
}

/** The documents of a file, as offsets. */
function documentsOf(text: string): readonly Span[] {
  const starts = [0, ...[...text.matchAll(/^---[ \t]*\r?$/gm)].map(({ index }) => index)]
  return starts.map((start, at) => ({ start, end: starts[at + 1] ?? text.length }))
}

/** The query or search of a rule in a file of many, as it is or as JSON writes it. */
function querySpan({ text, rule }: LoadedRule): Span | undefined {
  const query = rule?.stages[0]?.text ?? ''
  if (query === '') return undefined
  for (const written of [query, JSON.stringify(query).slice(1, -1)]) {
    const start = text.indexOf(written)
    if (start !== -1) return { start, end: start + written.length }
  }
  return undefined
}

/** The part of a file that is a rule: its query where there are many, the document that names it, or else all. */
function spanOf(loaded: LoadedRule, documents: readonly Span[], isOne: boolean): Span {
  const { text, id, title } = loaded
  const whole = { start: 0, end: text.length }
  if (isOne) return whole
  if (documents.length < 2) return querySpan(loaded) ?? whole
  const named = [id, title].filter((each) => each !== '')
  const own = documents.find(({ start, end }) => {
    const part = text.slice(start, end)
    return named.some((each) => part.includes(each))
  })
  return own ?? whole
}

function subjectsOf(rules: readonly LoadedRule[], world: LintWorld): readonly Subject[] {
  const [first] = rules
  if (first === undefined) return []
  const documents = documentsOf(first.text)
  const isSigma = rules.some(({ language }) => language === 'sigma')
  const parses = isSigma ? [...parseSigma(first.text).rules] : []
  const parseOf = ({ id, title }: LoadedRule): SigmaParse | undefined => {
    const at = parses.findIndex(({ head }) => (head?.id ?? '') === id && head?.title === title)
    return at === -1 ? undefined : parses.splice(at, 1)[0]
  }
  return rules.map((loaded): Subject => {
    const sigma = loaded.language === 'sigma' ? parseOf(loaded) : undefined
    const span = sigma?.span ?? spanOf(loaded, documents, rules.length === 1)
    return { loaded, span, world, ...(sigma === undefined ? {} : { sigma }) }
  })
}

const IGNORE = /harrier-ignore:[ \t]*(HR\d{3}(?:[ \t]*,[ \t]*HR\d{3})*)/

const indentOf = (line: string): number => line.length - line.trimStart().length

/** By line, counted from 1, the codes that a comment ignores there. */
export function ignoredLines(text: string): ReadonlyMap<number, ReadonlySet<string>> {
  const ignored = new Map<number, Set<string>>()
  if (!text.includes('harrier-ignore:')) return ignored
  const lines = text.split('\n')
  const indents = lines.map(indentOf)
  const add = (line: number, names: readonly string[]): void => {
    const known = ignored.get(line) ?? new Set()
    ignored.set(line, known)
    for (const each of names) known.add(each)
  }
  for (const [at, line] of lines.entries()) {
    const found = IGNORE.exec(line)
    if (found === null) continue
    const names = (found[1] ?? '').split(',').map((each) => each.trim())
    add(at + 1, names)
    const isAlone = /^(?:#|\/\/|```)/.test(line.trimStart())
    if (!isAlone) continue
    // A comment on a line of its own is for what comes next, with all that is indented below it.
    const next = at + 1
    add(next + 1, names)
    const indent = indents[next] ?? 0
    for (let below = next + 1; below < lines.length; below++) {
      const isBlank = indents[below] === lines[below]?.length
      if (!isBlank && (indents[below] ?? 0) <= indent) break
      add(below + 1, names)
    }
  }
  return ignored
}

/** What linting needs of loaded rules. */
export type LintedSet = Pick<RuleSet, 'rules' | 'texts' | 'library'> & {
  readonly problems: readonly { readonly file: string; readonly diagnostic: LocatedDiagnostic }[]
}

const RANKS = { error: 0, warning: 1, notice: 2 } as const

function isWanted({ code, severity }: Diagnostic, { only, ignore, notices }: LintOptions): boolean {
  if (ignore.has(code)) return false
  if (only.size > 0) return only.has(code)
  return notices || severity !== 'notice'
}

/** Runs all checks over loaded rules. */
export function lint(
  set: LintedSet,
  world: LintWorld,
  options: LintOptions,
): readonly LintProblem[] {
  const byFile = new Map<string, LoadedRule[]>()
  for (const each of set.rules) {
    const known = byFile.get(each.file) ?? []
    byFile.set(each.file, known)
    known.push(each)
  }
  const subjects = [...byFile.values()].flatMap((each) => subjectsOf(each, world))
  const together = new Map<Subject, Diagnostic[]>()
  for (const { subject, diagnostic } of packProblems(subjects)) {
    together.set(subject, [...(together.get(subject) ?? []), diagnostic])
  }
  const problems: LintProblem[] = []
  let last = { text: '', place: placesIn(''), ignored: ignoredLines('') }
  for (const subject of subjects) {
    const { loaded } = subject
    const { file, text } = loaded
    if (last.text !== text) last = { text, place: placesIn(text), ignored: ignoredLines(text) }
    const { place, ignored } = last
    const all = [
      ...loaded.diagnostics,
      ...CHECKS.flatMap(({ check }) => check(subject)),
      ...(together.get(subject) ?? []),
    ]
    for (const each of all) {
      if (!isWanted(each, options)) continue
      const diagnostic: LocatedDiagnostic =
        each.span === undefined ? each : { ...each, place: place(each.span.start) }
      const line = diagnostic.place?.line ?? 1
      if (ignored.get(line)?.has(each.code) === true) continue
      problems.push({ file, text, rule: loaded, diagnostic })
    }
  }
  return [...besideRules(set, options), ...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.diagnostic.span?.start ?? 0) - (b.diagnostic.span?.start ?? 0) ||
      RANKS[a.diagnostic.severity] - RANKS[b.diagnostic.severity],
  )
}

/** What is wrong with files beside their rules, and macros that nothing calls. */
function besideRules(set: LintedSet, options: LintOptions): readonly LintProblem[] {
  const searches = set.rules.flatMap(({ rule, text }) => (rule?.spl === undefined ? [] : [text]))
  // Macros that came with the program or other packs are not theirs to clear up.
  const own = set.library.macros.filter((each) => set.texts.has(each.file ?? ''))
  const unused = unusedMacros(own, searches).map(({ file, name }) => ({
    file,
    diagnostic: diagnose('HR981', { name }),
  }))
  return [...set.problems, ...unused].flatMap(({ file, diagnostic }) =>
    isWanted(diagnostic, options) ? [{ file, text: set.texts.get(file) ?? '', diagnostic }] : [],
  )
}

/** True for the name of a code that there is. */
export function isCode(name: string): name is Code {
  return Object.hasOwn(codes, name)
}

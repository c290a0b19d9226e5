/** Several rules together: ids and titles that two of them have, filter macros, macros that no search calls. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import { found, placeOfKey, placeOfText, type Subject, shown } from './subject.ts'

/** A problem of one of several rules. */
export interface PackProblem {
  readonly subject: Subject
  readonly diagnostic: Diagnostic
}

/** Rules of files that hold many: ids and titles there are made from what they say. */
const MANY = /\.(?:md|markdown|jsonl|ndjson|conf|kql|spl|csl)(?:\.(?:gz|zst))?$/i

function doubles(
  subjects: readonly Subject[],
  keyOf: (subject: Subject) => string,
  tell: (subject: Subject, other: Subject) => Diagnostic,
): readonly PackProblem[] {
  const first = new Map<string, Subject>()
  return subjects.flatMap((subject) => {
    const key = keyOf(subject)
    const known = first.get(key)
    if (key === '' || known === undefined) {
      if (key !== '') first.set(key, subject)
      return []
    }
    return [{ subject, diagnostic: tell(subject, known) }]
  })
}

/** What is wrong with rules because of each other. */
export function packProblems(subjects: readonly Subject[]): readonly PackProblem[] {
  const own = subjects.filter(({ loaded }) => !MANY.test(loaded.file))
  const ids = doubles(
    own,
    ({ loaded }) => loaded.id.toLowerCase(),
    (subject, { loaded }) =>
      found(
        'HR954',
        { id: shown(subject.loaded.id), other: loaded.file },
        placeOfKey(subject, 'id'),
      ),
  )
  const twice = new Set(ids.map(({ subject }) => subject))
  const titles = doubles(
    own.filter((each) => !twice.has(each)),
    ({ loaded }) => `${loaded.language} ${loaded.title.toLowerCase().trim()}`,
    (subject, { loaded }) =>
      found('HR955', { other: loaded.file }, placeOfKey(subject, 'title', 'name', 'displayName')),
  )
  return [...ids, ...titles, ...own.flatMap(filterMacro)]
}

/** A detection of Splunk content calls the filter macro of its own name. */
function filterMacro(subject: Subject): readonly PackProblem[] {
  const part = subject.loaded.rule?.spl
  if (part?.form !== 'detection' || part.type === 'Baseline' || part.type === 'Investigation') {
    return []
  }
  const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const name = `${part.name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')}_filter`
  const search = subject.loaded.rule?.stages[0]?.text ?? ''
  const calls = [...search.matchAll(/`(\w+_filter)`/g)].map(([, each = '']) => bare(each))
  if (calls.includes(bare(name))) return []
  const span = placeOfText(subject, 'search')
  return [{ subject, diagnostic: found('HR980', { name: shown(name, 120) }, span) }]
}

/** A macro with the file that defines it. */
export interface DefinedMacro {
  readonly name: string
  readonly definition: string
  readonly file?: string
}

/** Macros that neither a search nor another macro calls; none where there is no search. */
export function unusedMacros(
  macros: readonly DefinedMacro[],
  searches: readonly string[],
): readonly { readonly file: string; readonly name: string }[] {
  if (searches.length === 0) return []
  const called = new Set(
    [...searches, ...macros.map(({ definition }) => definition)].flatMap((text) =>
      [...text.matchAll(/`\s*([A-Za-z_]\w*)/g)].flatMap(([, name = '']) => name),
    ),
  )
  return macros.flatMap(({ name, file }) =>
    file === undefined || called.has(name) || name.endsWith('_filter') ? [] : [{ file, name }],
  )
}

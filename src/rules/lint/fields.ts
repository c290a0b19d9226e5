/** Names of fields: of another case than in the logs, close to a usual one, or in no event that is stored. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import { suggest } from '../../core/suggest.ts'
import { fieldsOf } from '../../ir/walk.ts'
import { logsourceName, viewForLogsource } from '../../schema/logsource.ts'
import type { ViewPart } from '../../schema/view.ts'
import { found, type LintCheck, placeOfText, type Subject, shown } from './subject.ts'

/** Reads the table of usual names: one log source a line, then its fields. */
export function readUsualFields(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(
    text.split('\n').flatMap((line): (readonly [string, readonly string[]])[] => {
      if (line === '' || line.startsWith('#')) return []
      const [source = '', names = ''] = line.split(': ')
      return [[source, names.split(' ')]]
    }),
  )
}

/** Names of a Sigma rule's fields, and its log source. */
function sigmaFields({ sigma, loaded }: Subject) {
  const logsource = sigma?.rule?.logsource
  const { rule } = loaded
  return logsource === undefined || rule === undefined
    ? undefined
    : { logsource, fields: rule.fields }
}

function unusual(subject: Subject): readonly Diagnostic[] {
  const given = sigmaFields(subject)
  if (given === undefined) return []
  const { world } = subject
  const usual = world.usual.get(logsourceName(given.logsource).slice('sigma:'.length)) ?? []
  if (usual.length === 0) return []
  const { view } = viewForLogsource(world.schema, given.logsource)
  const mapped = view.parts.flatMap((part) => [...part.fields.keys()])
  const known = new Set([...usual, ...mapped])
  const byCase = new Map([...known].map((name) => [name.toLowerCase(), name]))
  return given.fields.flatMap((name) => {
    if (known.has(name)) return []
    const right = byCase.get(name.toLowerCase())
    const span = placeOfText(subject, name, placeOfText(subject, 'detection').end)
    if (right !== undefined) return [found('HR971', { name: shown(name), right }, span)]
    // A short name is close to many.
    const near = name.length < 6 ? undefined : suggest(name, known)
    const isClose = near !== undefined && Math.abs(near.length - name.length) <= 1
    return isClose && isOneApart(name, near)
      ? [found('HR972', { name: shown(name), right: near }, span)]
      : []
  })
}

/** True when two names differ by one letter: another one, one more, one less, or two that changed places. */
function isOneApart(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()]
  let start = 0
  while (start < one.length && one[start] === other[start]) start++
  let end = 0
  while (
    end < Math.min(one.length, other.length) - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  ) {
    end++
  }
  const [left, right] = [one.slice(start, one.length - end), other.slice(start, other.length - end)]
  if (/^\d*$/.test(left + right)) return false
  const isSwapped = left.length === 2 && right === [...left].reverse().join('')
  return isSwapped || Math.max(left.length, right.length) <= 1
}

/** True when a part of a view can have a value for a name, by what is stored. */
function hasField(part: ViewPart, name: string, columns: ReadonlySet<string>): boolean {
  const mapped = part.fields.get(name)
  if (mapped !== undefined) {
    const names = [...fieldsOf(mapped)]
    return names.length === 0 || names.some((each) => columns.has(each))
  }
  return part.isClosed !== true && columns.has(name)
}

function absent(subject: Subject): readonly Diagnostic[] {
  const given = sigmaFields(subject)
  const { stored, schema } = subject.world
  if (given === undefined || stored === undefined) return []
  const { view } = viewForLogsource(schema, given.logsource)
  const parts = view.parts.flatMap((part) => {
    const held = stored.get(part.source)
    return held === undefined || held.rows === 0
      ? []
      : [{ part, columns: new Set([...held.text, ...held.lists]), isOpen: held.overflow }]
  })
  // Fields that are kept apart are not among the columns.
  if (parts.length === 0 || parts.some(({ isOpen }) => isOpen)) return []
  const names = new Set(parts.flatMap(({ columns }) => [...columns]))
  const sources = shown([...new Set(parts.map(({ part }) => part.source))].join(', '))
  return given.fields.flatMap((name) => {
    if (parts.some(({ part, columns }) => hasField(part, name, columns))) return []
    const near = suggest(name, names)
    const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
    const span = placeOfText(subject, name, placeOfText(subject, 'detection').end)
    return [found('HR973', { sources, name: shown(name), guess }, span)]
  })
}

export const fieldChecks: readonly LintCheck[] = [
  {
    codes: ['HR971', 'HR972'],
    says: 'Fields are written as the logs write them.',
    check: unusual,
  },
  {
    codes: ['HR973'],
    says: 'With a store, the fields of a rule are in events that are stored.',
    check: absent,
  },
]

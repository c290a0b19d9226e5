/** Commands on the fields of rows: `eval`, `fields`, `table`, `rename`. */

import type { Span } from '../../core/span.ts'
import { field } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, command } from './command.ts'
import { readEval } from './evaluation.ts'
import type { Reader } from './reader.ts'
import {
  chosen,
  derived,
  INTERNAL,
  nameParts,
  namesMeant,
  nameTest,
  type Rows,
  selected,
  storable,
} from './rows.ts'

export interface Assignment {
  readonly name: string
  readonly value: EvalExpr
  readonly span: Span
}

export function readAssignments(reader: Reader): readonly Assignment[] {
  const list: Assignment[] = []
  do {
    if (reader.isDone && list.length > 0) break
    const { name, span } = reader.name()
    reader.expect('=')
    list.push({ name, value: readEval(reader), span })
  } while (reader.take(','))
  return list
}

const evalCommand = command<readonly Assignment[]>({
  name: 'eval',
  says: 'Sets fields to the values of expressions, one after another.',
  kind: 'streaming',
  read: readAssignments,
  lower: (list, rows, context) =>
    list.reduce((each, { name, value }) => {
      const made = storable(context.evaluate(value, each), value.span)
      return derived(each, [{ name, value: made }])
    }, rows),
})

interface FieldsNode {
  readonly isRemoval: boolean
  readonly names: readonly string[]
}

function readFields(reader: Reader): FieldsNode {
  let isRemoval = false
  const first = reader.peek()
  if (first?.kind === 'word' && (first.text === '-' || first.text === '+')) {
    reader.next()
    isRemoval = first.text === '-'
  } else if (first?.kind === 'word' && /^[-+]./.test(first.text)) {
    isRemoval = first.text.startsWith('-')
    reader.at = first.span.start + 1
  }
  const names = reader.names().map(({ name }) => name)
  if (names.length === 0) reader.fail('fields needs the names of fields')
  return { isRemoval, names }
}

/** The fields that are left when those of a list are taken away. */
function without(rows: Rows, patterns: readonly string[]): readonly string[] {
  const tests = patterns.map(nameTest)
  const stars = patterns.map((each) => each.includes('*') && !each.startsWith('_'))
  return [...rows.fields.keys()].filter(
    (name) =>
      !tests.some((test, at) => test(name) && !(stars[at] === true && name.startsWith('_'))),
  )
}

const fields = command<FieldsNode>({
  name: 'fields',
  says: 'Keeps the named fields, or with - takes them away. The time and text of events stay unless they are named.',
  kind: 'streaming',
  read: readFields,
  lower: ({ isRemoval, names }, rows) => {
    if (isRemoval) return chosen(rows, without(rows, names))
    const internal = INTERNAL.filter((each) => rows.fields.has(each))
    return chosen(rows, [...new Set([...namesMeant(rows, names), ...internal])])
  },
})

const table = command<readonly string[]>({
  name: 'table',
  says: 'Makes a table of the named fields, in the order named.',
  kind: 'transforming',
  read: (reader) => {
    const names = reader.names().map(({ name }) => name)
    if (names.length === 0) reader.fail('table needs the names of fields')
    return names
  },
  lower: (names, rows) => {
    const keep = namesMeant(rows, names).map((name): Binding => {
      const type = rows.fields.get(name)
      return {
        name,
        value: type === undefined ? { op: 'const', value: null, type: 'text' } : field(name, type),
      }
    })
    return { ...selected(rows, keep), isEvents: false }
  },
})

interface Renaming {
  readonly from: string
  readonly to: string
  readonly span: Span
}

function readRenames(reader: Reader): readonly Renaming[] {
  const list: Renaming[] = []
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const { name: from, span } = reader.name()
    if (!reader.takeWord('as')) reader.fail(`expected "as" behind "${from}"`)
    const { name: to } = reader.newName('the new name')
    const stars = (text: string): number => text.split('*').length - 1
    if (stars(from) !== stars(to)) {
      reader.fail('the new name needs as many stars as the old one', span)
    }
    list.push({ from, to, span })
  }
  if (list.length === 0) reader.fail('rename needs a field and its new name')
  return list
}

/** What each field is called after a renaming; undefined for one that the renaming takes away. */
function renamed(rows: Rows, { from, to }: Renaming): Rows {
  const moves = new Map<string, string>()
  if (!from.includes('*')) moves.set(from, to)
  else {
    for (const name of rows.fields.keys()) {
      const parts =
        name.startsWith('_') && !from.startsWith('_') ? undefined : nameParts(from, name)
      if (parts === undefined) continue
      let at = 0
      moves.set(
        name,
        to.replace(/\*/g, () => parts[at++] ?? ''),
      )
    }
  }
  const targets = new Set([...moves].filter(([old, now]) => old !== now).map(([, now]) => now))
  const keep = [...rows.fields].flatMap(([name, type]): readonly Binding[] => {
    const now = moves.get(name)
    if (now !== undefined) return [{ name: now, value: field(name, type) }]
    return targets.has(name) ? [] : [{ name, value: field(name, type) }]
  })
  // A field that is not there leaves the one that takes its name without a value.
  const isMissing = !from.includes('*') && !rows.fields.has(from) && rows.fields.has(to)
  const emptied: readonly Binding[] = isMissing
    ? [{ name: to, value: { op: 'const', value: null, type: 'text' } }]
    : []
  return selected(rows, lastOfEach([...keep, ...emptied]))
}

/** Of several that are given one name the last stays. */
function lastOfEach(keep: readonly Binding[]): readonly Binding[] {
  return [...new Map(keep.map((each) => [each.name, each])).values()]
}

const rename = command<readonly Renaming[]>({
  name: 'rename',
  says: 'Gives fields new names; stars stand for parts that stay.',
  kind: 'streaming',
  read: readRenames,
  lower: (list, rows) => list.reduce(renamed, rows),
})

export const fieldCommands: readonly CommandRecord[] = [evalCommand, fields, table, rename]

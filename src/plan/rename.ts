/**
 * Renaming where values are made: a selection that only renames or drops columns goes into the parts of a union and
 * becomes one with a selection right below it, so that the engine does not carry columns twice.
 */
import type { Binding, Rel } from '../ir/rel.ts'
import { mapRel } from '../ir/walk.ts'

type Select = Extract<Rel, { op: 'select' }>

/** True when every column is one of those below. */
const onlyRenames = ({ keep }: Select): boolean =>
  keep.every(({ value }) => value.op === 'field' && value.stored === undefined)

function lowered(rel: Select): Rel {
  const { from, keep } = rel
  if (from.op === 'union') {
    return { op: 'union', all: from.all.map((each) => lowered({ op: 'select', from: each, keep })) }
  }
  if (from.op !== 'select') return rel
  const made = new Map(from.keep.map(({ name, value }) => [name, value]))
  const merged = keep.map(({ name, value }): Binding => {
    const known = value.op === 'field' ? made.get(value.name) : undefined
    return { name, value: known ?? value }
  })
  return { op: 'select', from: from.from, keep: merged }
}

/** Moves renaming down. */
export function rename(rel: Rel): Rel {
  return mapRel(rel, (each) => (each.op === 'select' && onlyRenames(each) ? lowered(each) : each))
}

/** Plans that can give no row, whatever the events are: a join with a table that has no data, and the like. */
import { absurd, type Rel } from '../ir/rel.ts'

const NONE: ReadonlySet<string> = new Set()

/** True when a bound plan gives no row. `empty` names the relations, defined above it, that give none. */
export function givesNothing(rel: Rel, empty = NONE): boolean {
  switch (rel.op) {
    case 'scan':
      return rel.table.kind === 'named' && empty.has(rel.table.name)
    case 'values':
      return rel.rows.length === 0
    case 'filter':
      return (
        (rel.where.op === 'const' && rel.where.value === false) || givesNothing(rel.from, empty)
      )
    case 'limit':
      return rel.rows === 0 || givesNothing(rel.from, empty)
    case 'derive':
    case 'select':
    case 'window':
    case 'expand':
    case 'sort':
      return givesNothing(rel.from, empty)
    case 'aggregate':
      return rel.by.length > 0 && givesNothing(rel.from, empty)
    case 'union':
      return rel.all.every((each) => givesNothing(each, empty))
    case 'join':
      return joinsNothing(rel, empty)
    case 'named': {
      const isEmpty = givesNothing(rel.value, empty)
      return givesNothing(rel.body, isEmpty ? new Set([...empty, rel.name]) : empty)
    }
    default:
      return absurd(rel)
  }
}

function joinsNothing(
  { how, left, right }: Extract<Rel, { op: 'join' }>,
  empty: ReadonlySet<string>,
): boolean {
  const noLeft = givesNothing(left, empty)
  switch (how) {
    case 'left':
    case 'anti':
      return noLeft
    case 'right':
      return givesNothing(right, empty)
    case 'full':
      return noLeft && givesNothing(right, empty)
    default:
      return noLeft || givesNothing(right, empty)
  }
}

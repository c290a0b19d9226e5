/** The ordered passes. Each takes and gives IR, and none changes the rows; tests turn them on and off. */
import type { Rel } from '../ir/rel.ts'
import { fold } from './fold.ts'
import { inline } from './inline.ts'
import { prune } from './prune.ts'
import { push } from './push.ts'
import { rename } from './rename.ts'

export interface Pass {
  readonly name: string
  readonly says: string
  readonly run: (rel: Rel) => Rel
}

/** Filters go down first, so that folding sees whole conditions; pruning then drops what folded away, and what is read elsewhere is read last. */
export const passes: readonly Pass[] = [
  { name: 'push', says: 'moves filters down to the scans', run: push },
  { name: 'fold', says: 'evaluates constants and missing fields', run: fold },
  { name: 'prune', says: 'drops columns and parts that cannot matter', run: prune },
  { name: 'rename', says: 'names columns where they are made', run: rename },
  { name: 'inline', says: 'reads values where they are made', run: inline },
]

/** Runs all passes in order. */
export function optimise(rel: Rel): Rel {
  return passes.reduce((each, pass) => pass.run(each), rel)
}

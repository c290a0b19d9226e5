/** What the aggregates of SPL have in common. */
import type { FunctionRecord, Parameter } from './record.ts'

export const VALUE: Parameter = { name: 'value', type: 'any' }

type Shape = Omit<FunctionRecord, 'id' | 'onNull' | 'spelled' | 'aggregate' | 'examples'>

/** A record of stats: its SQL leaves out missing values itself. */
export function stats(id: string, spl: readonly string[], shape: Shape): FunctionRecord {
  return {
    id: `stats.${id}`,
    onNull: 'own',
    aggregate: true,
    mayMiss: true,
    spelled: { spl },
    examples: [],
    ...shape,
  }
}

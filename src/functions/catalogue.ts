/** All function records, by id. */
import { aggregateFunctions } from './aggregate.ts'
import { derivedFunctions } from './derived.ts'
import { matchFunctions } from './match.ts'
import type { FunctionRecord } from './record.ts'
import { valueFunctions } from './value.ts'

export const functions: ReadonlyMap<string, FunctionRecord> = new Map(
  [...matchFunctions, ...valueFunctions, ...derivedFunctions, ...aggregateFunctions].map(
    (record) => [record.id, record],
  ),
)

/** The record of an id; an unknown id is a programming error, refused by the checker before it gets here. */
export function functionOf(id: string): FunctionRecord {
  const record = functions.get(id)
  if (record === undefined) throw new RangeError(`no function ${id}`)
  return record
}

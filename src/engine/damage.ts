/**
 * Whether a store has lost events. The engine puts parts that it cannot read aside and goes on without a word, so
 * this compares what is there with what the ledger says must be there. Takes the engine, gives a sentence or nothing.
 */
import { quoteName, quoteText } from '../sql/quote.ts'
import { type Engine, EngineError } from './engine.ts'
import { BATCHES } from './tables.ts'

/**
 * Parts put aside whose rows are nowhere else. A merge that a power cut broke is put aside too, but the parts it was
 * made from are then in use again: a part of the same range of blocks is there.
 */
const LOST_PARTS =
  'SELECT count(), uniqExact(lost.table) FROM system.detached_parts AS lost ' +
  `WHERE lost.database = currentDatabase() AND startsWith(lost.reason, ${quoteText('broken')}) AND NOT arrayExists(` +
  'part -> part.1 = lost.table AND part.2 = lost.partition_id AND part.3 <= lost.max_block_number ' +
  'AND part.4 >= lost.min_block_number, ' +
  '(SELECT groupArray((table, partition_id, min_block_number, max_block_number)) FROM system.parts ' +
  'WHERE active AND database = currentDatabase()))'

/** What is missing, or undefined when all is there. `rows` are the events that the tables hold. */
export async function findDamage(engine: Engine, rows: number): Promise<string | undefined> {
  let stored = 0
  const ledger = `SELECT sum(stored) FROM ${quoteName(BATCHES)}`
  for await (const [sum] of engine.rows(ledger)) stored = Number(sum)
  if (rows < stored) return `${stored - rows} of ${stored} stored events are missing`
  try {
    for await (const [parts, tables] of engine.rows(LOST_PARTS)) {
      if (Number(parts) > 0) return `${parts} parts of ${tables} tables cannot be read`
    }
  } catch (error) {
    // A server may keep its system tables from us; the ledger was compared all the same.
    if (!(error instanceof EngineError) || error.kind !== 'refused') throw error
  }
  return undefined
}

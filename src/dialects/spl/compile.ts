/**
 * The compiler: the text of a search to the relation of its rows, with every diagnostic at its place. Nothing is
 * thrown for what a search holds.
 */
import { type Diagnostic, hasErrors } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import { checkRel } from '../../functions/check.ts'
import type { SplAnswer } from './answer.ts'
import type { TimeRange } from './command.ts'
import { type ExpandedText, expand } from './expand.ts'
import { Lowering } from './lower.ts'
import { Refusal } from './refusal.ts'
import { schemaOfRows } from './rows.ts'
import { splitSearch } from './split.ts'
import type { World } from './world.ts'

export interface SplOptions extends TimeRange {
  readonly world: World
  /** Texts that were found in the data for the discoveries of an earlier answer, by key. */
  readonly found?: ReadonlyMap<string, readonly string[]>
}

function failed(diagnostics: readonly Diagnostic[], lowering?: Lowering): SplAnswer {
  return {
    columns: [],
    order: [],
    isEvents: false,
    discoveries: [],
    effects: [],
    notes: lowering?.notes ?? [],
    reads: [...(lowering?.reads ?? [])],
    diagnostics,
  }
}

/**
 * Compiles a search. `earliest` and `latest` bound the events that it reads where it sets no bounds itself; without
 * them all events are read. An answer with discoveries is complete, but made as if nothing had been found for them.
 */
export function compileSpl(text: string, options: SplOptions): SplAnswer {
  const { world, found = new Map(), earliest, latest } = options
  let expanded: ExpandedText
  try {
    expanded = expand(text, world)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return failed([error.diagnostic])
  }
  const range: TimeRange = {
    ...(earliest === undefined ? {} : { earliest }),
    ...(latest === undefined ? {} : { latest }),
  }
  const lowering = new Lowering(expanded, { world, range, found })
  for (const { call, text: body, span } of expanded.expansions) {
    lowering.notes.push({ kind: 'macro', text: `${call} = ${body}`, span })
  }
  try {
    const whole: Span = { start: 0, end: expanded.text.length }
    const commands = splitSearch(expanded.text, whole, world.rows !== undefined)
    const rows = lowering.run(commands, lowering.start())
    const rel = lowering.finish(rows)
    const faults = [...checkRel(rel), ...lowering.discoveries.flatMap((each) => checkRel(each.rel))]
    const diagnostics = [...lowering.diagnostics, ...faults]
    if (hasErrors(diagnostics)) return failed(diagnostics, lowering)
    return {
      rel,
      columns: schemaOfRows(rows),
      order: rows.order,
      isEvents: rows.isEvents,
      discoveries: lowering.discoveries,
      effects: lowering.effects,
      notes: lowering.notes,
      reads: [...lowering.reads],
      diagnostics,
    }
  } catch (error) {
    return failed([...lowering.diagnostics, lowering.placed(error)], lowering)
  }
}

/**
 * `harrier query --dialect spl`: the text of one search, compiled for `queryrun` with the macros and lookups of the
 * paths that are named. The fields of events, and columns that only the data can tell, are known when the store is there.
 */
import { hasErrors } from '../core/diagnostic.ts'
import { discoverSpl } from '../detect/spldiscover.ts'
import { runEffects } from '../detect/spleffects.ts'
import { readyLookups } from '../detect/spltables.ts'
import type { Effect, SplAnswer } from '../dialects/spl/answer.ts'
import { compileSpl } from '../dialects/spl/compile.ts'
import type { SplLibrary } from '../dialects/spl/library.ts'
import type { Lookups } from '../dialects/spl/lookups.ts'
import { splWorld } from '../rules/splworld.ts'
import type { StoredLookups } from '../schema/lookups.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { readLibrary } from './library.ts'
import { SPL_PRINTING } from './printing.ts'
import {
  type CompiledText,
  checkQuery,
  hasData,
  type ReadyQuery,
  runQueries,
  tellDiagnostics,
} from './queryrun.ts'
import { type QueryText, readQuery } from './querytext.ts'
import { UnusableError, UsageError } from './usage.ts'

export const SPL_TIME_OPTIONS: readonly OptionRecord[] = [
  {
    flags: '--earliest <time>',
    says: 'with --dialect spl: events from this time on, as Splunk writes it (-24h@h); relative to --at or the end of the logs',
  },
  {
    flags: '--latest <time>',
    says: 'with --dialect spl: events before this time, as Splunk writes it (now, @d)',
  },
]

type Found = ReadonlyMap<string, readonly string[]>

/** Refuses Splunk's time options for what is no search. */
export function checkSplTimes(options: OptionValues): void {
  for (const name of ['earliest', 'latest']) {
    if (options.text(name) === undefined || options.text('dialect') === 'spl') continue
    throw new UsageError(`--${name} is for searches (--dialect spl)`, 'write --from and --to')
  }
}

/** Compiles the search; it must be usable. */
function compile(
  context: Context,
  query: QueryText,
  options: OptionValues,
  library: SplLibrary,
): CompiledText {
  const [earliest, latest] = [options.text('earliest'), options.text('latest')]
  const range = {
    ...(earliest === undefined ? {} : { earliest }),
    ...(latest === undefined ? {} : { latest }),
  }
  let used: Lookups | undefined
  let effects: readonly Effect[] = []
  const compiler = (stored?: StoredCatalogue, written?: StoredLookups) => {
    const known = {
      ...(stored === undefined ? {} : { stored }),
      ...(written === undefined ? {} : { written }),
    }
    const { world, lookups } = splWorld({ schema: context.schema(), library, ...known })
    used = lookups
    return (found: Found): SplAnswer => compileSpl(query.text, { world, found, ...range })
  }
  const ready = ({ rel, diagnostics, isEvents }: SplAnswer): readonly ReadyQuery[] => {
    tellDiagnostics(context, query, diagnostics)
    if (rel === undefined) throw new UnusableError('the text holds no search')
    return [{ rel, text: query.text, diagnostics, printing: SPL_PRINTING, isEvents }]
  }
  const first = compiler()(new Map())
  // Only the store knows what searches have written.
  const usesLookups = first.notes.some(({ kind }) => kind === 'lookup')
  const waits = first.diagnostics.some(({ code }) => code === 'HR532' || code === 'HR534')
  const isThere = hasData(context, options)
  if (hasErrors(first.diagnostics) && !(waits && isThere)) ready(first)
  return {
    readsTables: first.reads.length > 0 || ((waits || usesLookups) && isThere),
    async finish(rows, stored, written) {
      if (rows === undefined) return ready(first)
      const answer = await discoverSpl({ compile: compiler(stored, written), rows })
      effects = answer.effects
      return ready(answer)
    },
    async ready(rel, tables) {
      if (used !== undefined) await readyLookups(rel, used, tables)
    },
    async after(run) {
      const mayWrite = options.flag('writeLookups')
      return used === undefined ? [] : runEffects(effects, { ...run, lookups: used, mayWrite })
    },
  }
}

/** Runs `query --dialect spl` and gives the exit code. */
export async function querySpl(
  context: Context,
  given: string,
  options: OptionValues,
): Promise<number> {
  checkQuery(context, options)
  const query = readQuery(given)
  if (query.text.trim() === '') throw new UsageError('the search is empty')
  const front = async (): Promise<CompiledText> => {
    const { library } = await readLibrary(context, options)
    return compile(context, query, options, library)
  }
  return runQueries(context, front, options)
}

/** Fetching attack data for `test --download`: what rules ask for and is not here, with progress and a report on stderr. */
import { join } from 'node:path'
import { renderDiagnostic } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import type { DataFinder } from '../detect/testing/attackdata.ts'
import { DataCache, fetchablePlace, readPins } from '../detect/testing/download.ts'
import { NOTHING_ALLOWED } from '../net/place.ts'
import { reach } from '../net/reach.ts'
import type { LoadedRule } from '../rules/rule.ts'
import type { OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { count, counted } from './figures.ts'
import { settingsFor } from './settings.ts'
import { safeText } from './text.ts'
import { UsageError } from './usage.ts'

/** Failures that are told one by one. */
const FEW = 5

/** Addresses of data that tests of rules ask for and that may be fetched, each once. */
function wanted(rules: readonly LoadedRule[], isHere: DataFinder): readonly string[] {
  const addresses = new Set(
    rules.flatMap(({ rule }) =>
      (rule?.spl?.tests ?? []).flatMap(({ data }) => data.map((each) => each.data)),
    ),
  )
  return [...addresses].filter((each) => {
    const found = isHere(each)
    return fetchablePlace(each) !== undefined && !('path' in found) && found.isAbsent
  })
}

/** Fetches what is not here yet, and gives the way to find it. A lock file that is wrong is a usage error. */
export async function fetchedData(
  context: Context,
  options: OptionValues,
  { rules, isHere }: { readonly rules: readonly LoadedRule[]; readonly isHere: DataFinder },
): Promise<DataFinder> {
  const folder = join(context.cacheFolder, 'attack-data')
  const lock = options.text('lock') ?? join(folder, 'attack-data.lock')
  const read = readPins(lock)
  if ('problem' in read) throw new UsageError(renderDiagnostic(read.problem))
  const cache = new DataCache(folder, lock, read.pins)
  const { output, signal } = context
  const addresses = wanted(rules, isHere)
  const { proxy } = settingsFor(context, options).settings.notify
  const failures: string[] = []
  for (const [place, address] of addresses.entries()) {
    if (signal.aborted) break
    output.status(`Fetching ${count(place + 1)} of ${counted(addresses.length, 'file')}`)
    const failure = await cache.fetch(address, (url) =>
      reach(
        { method: 'GET', url },
        {
          allowed: NOTHING_ALLOWED,
          ...(proxy === undefined ? {} : { proxy }),
          seconds: limits.testDownloadSeconds,
          bytes: limits.testDownloadBytes,
          signal,
        },
      ),
    )
    if (failure !== undefined) failures.push(`${address}: ${failure}`)
  }
  output.status(undefined)
  if (failures.length > 0) {
    const rest = failures.length - FEW
    const lines = [
      ...failures.slice(0, FEW).map((each) => `not fetched: ${safeText(each)}`),
      ...(rest > 0 ? [`and ${counted(rest, 'more file')}`] : []),
    ]
    output.err.write(`${lines.join('\n')}\n`)
  }
  return (address) => cache.find(address)
}

/** Reading the user's overlays for a command: the folder that the settings name, or `overrides` beside them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { readOverlayFile } from '../rules/overlay.ts'
import { NO_OVERLAYS, Overlays } from '../rules/overlaying.ts'
import type { OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { shownPath } from './paths.ts'
import { settingsFor } from './settings.ts'
import { UsageError } from './usage.ts'

const FOLDER = 'overrides'
const NAME = /\.ya?ml$/i
/** Tests beside overlays are read by those who run tests. */
const TEST = /\.test\.ya?ml$/i

function filesBelow(folder: string, depth = 0): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((each) => {
      const path = join(folder, each.name)
      if (each.isDirectory()) return depth < 4 ? filesBelow(path, depth + 1) : []
      return NAME.test(each.name) && !TEST.test(each.name) ? [path] : []
    })
}

/** The folder that new overlays are written to; it need not be there yet. */
export function overlayHome(context: Context, options: OptionValues): string {
  const { settings, file, pathOf } = settingsFor(context, options)
  if (file !== undefined) return pathOf(settings.overrides ?? FOLDER)
  throw new UsageError(
    'there is no settings file that overlays could lie beside',
    'make an empty harrier.yml in the folder of your work, or use --print',
  )
}

/** The folder of overlays; undefined when there is none. One that the settings name must be there. */
function overlayFolder(context: Context, options: OptionValues): string | undefined {
  const { settings, file, pathOf } = settingsFor(context, options)
  if (file === undefined) return undefined
  const folder = pathOf(settings.overrides ?? FOLDER)
  const isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isThere && settings.overrides !== undefined) {
    throw new UsageError(
      `the folder of overlays ${folder} is not there`,
      `\`overrides\` of ${file} names it`,
    )
  }
  return isThere ? folder : undefined
}

/**
 * All overlays that hold for a command. One with a mistake is a usage error: without it, rules would run unfiltered, or
 * with a level that the user has changed.
 */
export function overlaysFor(context: Context, options: OptionValues): Overlays {
  const folder = overlayFolder(context, options)
  if (folder === undefined) return NO_OVERLAYS
  try {
    const paths = filesBelow(folder)
    if (paths.length > limits.packFiles) {
      throw new UsageError(`there are more than ${limits.packFiles} overlays in ${folder}`)
    }
    const files = paths.map((path) => readOverlayFile(shownPath(path), readFileSync(path, 'utf8')))
    const wrong = files.flatMap(({ file, text, diagnostics }) =>
      hasErrors(diagnostics) ? diagnostics.map((each) => renderDiagnostic(each, text, file)) : [],
    )
    if (wrong.length > 0) throw new UsageError(wrong.slice(0, 10).join('\n'))
    return new Overlays(files)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read the overlays in ${folder}: ${systemReason(error)}`)
  }
}

/** Finding and reading the settings file: the one that is named, or `harrier.yml` in this folder or one above it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { renderDiagnostic } from '../core/diagnostic.ts'
import { systemReason } from '../core/systemerror.ts'
import { plainSettings, readSettings, type Settings } from '../detect/settings.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { SettingsError, UsageError } from './usage.ts'

const FILE = 'harrier.yml'

export const SETTINGS_OPTION: OptionRecord = {
  flags: '--settings <file>',
  says: 'settings file (default: HARRIER_SETTINGS, or harrier.yml in this folder or one above it)',
}

export interface FoundSettings {
  readonly settings: Settings
  /** The file they come from. */
  readonly file?: string
  /** A path of the file as one that can be opened: relative paths are meant from its folder. */
  readonly pathOf: (written: string) => string
}

function findAbove(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, FILE)
    if (existsSync(file)) return file
    if (dirname(at) === at) return undefined
  }
}

/** The settings that hold for a command. A file that is named and cannot be read, or is wrong, is a usage error. */
export function settingsFor(context: Context, options: OptionValues): FoundSettings {
  const named = options.text('settings') ?? context.env.HARRIER_SETTINGS
  const file = named ?? findAbove(process.cwd())
  if (file === undefined) return { settings: plainSettings(), pathOf: (written) => written }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read the settings ${file}: ${systemReason(error)}`)
  }
  const { value, diagnostics } = readSettings(text)
  if (value === undefined) {
    throw new SettingsError(
      diagnostics.map((each) => renderDiagnostic(each, text, file)).join('\n'),
    )
  }
  const folder = dirname(resolve(file))
  const isPlace = (written: string): boolean => isAbsolute(written) || /^[a-z]+:\/\//i.test(written)
  return {
    settings: value,
    file,
    pathOf: (written) => (isPlace(written) ? written : join(folder, written)),
  }
}

/** The store of a command: the one that is named, or that of the settings; undefined for the default one. */
export function storeOf(
  { settings, pathOf }: FoundSettings,
  options: OptionValues,
): string | undefined {
  return (
    options.text('store') ?? (settings.store === undefined ? undefined : pathOf(settings.store))
  )
}

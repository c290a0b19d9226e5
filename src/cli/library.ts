/** What queries may call besides what they say themselves: the files that `--functions` names. */
import { renderDiagnostic } from '../core/diagnostic.ts'
import { EMPTY_LIBRARY } from '../dialects/spl/library.ts'
import { loadRules } from '../rules/load.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { safeLines } from './text.ts'
import { UnusableError } from './usage.ts'

export const FUNCTIONS_OPTION: OptionRecord = {
  flags: '--functions <path>',
  says: 'with --dialect: file or folder of functions and watchlists, or macros and lookups, to call; may be given several times',
  many: true,
}

/** The functions, watchlists, macros and lookups of the paths; a path that cannot be read is an error. */
export async function readLibrary(context: Context, options: OptionValues) {
  const paths = options.texts('functions')
  if (paths.length === 0) return { functions: [], watchlists: [], library: EMPTY_LIBRARY }
  const schema = (): ReturnType<Context['schema']> => context.schema()
  const loaded = await loadRules(paths, { placeholders: new Map(), schema })
  for (const { file, root, diagnostic } of loaded.problems) {
    const text = safeLines(renderDiagnostic(diagnostic, undefined, file))
    if (file === root && diagnostic.code !== 'HR910') throw new UnusableError(text)
    if (diagnostic.severity === 'error') context.output.err.write(`${text}\n`)
  }
  return loaded
}

/**
 * The compiler of Kusto queries for one call of the program: the cache of compiled queries, and behind it the front end in
 * a process of its own, which is only started for what the cache does not have.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { TableText } from '../dialects/kusto/adapter.ts'
import type { KustoCompiler, KustoPin } from '../dialects/kusto/answer.ts'
import { cachedCompiler, cacheSize } from '../rules/kustocache.ts'
import { openFront } from '../rules/kustofront.ts'
import { readPin } from '../rules/kustopins.ts'
import { type FrontParts, findSnapshot, frontVersion, sizeOf } from '../rules/kustosnapshot.ts'
import type { LoadedRule } from '../rules/rule.ts'
import type { StoredCatalogue } from '../schema/stored.ts'
import { exportedTables } from '../schema/tableview.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { bytes, counted } from './figures.ts'
import { packagePath } from './paths.ts'
import { safeLines } from './text.ts'
import { UsageError } from './usage.ts'

const BUNDLES = ['bridge.min.js', 'Kusto.Language.Bridge.min.js']

/** Folder of the snapshot of the front end. */
function frontFolder(context: Context): string {
  return join(context.cacheFolder, 'front')
}

/** Folder of compiled queries. */
function compiledFolder(context: Context): string {
  return join(context.cacheFolder, 'kusto')
}

/** The files of this installation that the front end is made of. */
function frontParts(context: Context): FrontParts {
  const require = createRequire(import.meta.url)
  const tables = context.schemaFiles().map(({ path }) => path)
  return {
    script: packagePath('dist/kusto-front.cjs'),
    files: {
      library: BUNDLES.map((name) => require.resolve(`@kusto/language-service-next/${name}`)),
      tables: tables
        .filter((path) =>
          /^(?:tables[/\\].*\.txt|functions[/\\].*\.kql|kusto[/\\].*\.yml)$/.test(path),
        )
        .map((path) => packagePath(join('content/schema', path))),
    },
  }
}

export const EXTERNAL_OPTION: OptionRecord = {
  flags: '--external <address=file>',
  says: 'file that stands for an address of externaldata in Kusto queries; may be given several times',
  many: true,
}

/** The files of `--external`; one that cannot be read is an error of usage. */
export async function readPins(options: OptionValues): Promise<readonly KustoPin[]> {
  const pins: KustoPin[] = []
  for (const given of options.texts('external')) {
    const { pin, diagnostics } = await readPin(given)
    const [problem] = diagnostics
    if (problem !== undefined) {
      throw new UsageError(
        safeLines(problem.message),
        'write --external https://host/list.csv=list.csv',
      )
    }
    if (pin !== undefined) pins.push(pin)
  }
  return pins
}

function makeCompiler(context: Context, pins: readonly KustoPin[]): KustoCompiler {
  const parts = frontParts(context)
  const version = frontVersion(parts)
  const front = openFront({
    ...parts,
    version,
    pins,
    folder: frontFolder(context),
    onStart: () => context.output.status('Starting the Kusto compiler'),
  })
  return cachedCompiler(front, { folder: compiledFolder(context), version, pins })
}

/** How Kusto queries are compiled here: the snapshot is made if it can be, and what is on disk is counted. */
export async function kustoState(context: Context): Promise<string> {
  const parts = frontParts(context)
  const version = frontVersion(parts)
  const folder = frontFolder(context)
  context.output.status('Making the Kusto front end ready')
  const snapshot = await findSnapshot(parts, folder, version)
  context.output.status(undefined)
  const compiled = cacheSize(compiledFolder(context))
  const start =
    snapshot === undefined
      ? `starts slowly, without a snapshot: ${folder} cannot be used`
      : `starts from a snapshot of ${bytes(sizeOf(snapshot))}`
  return `${start}; ${counted(compiled.texts, 'compiled text')} kept, ${bytes(compiled.bytes)}`
}

const made = new WeakMap<Context, KustoCompiler>()
const custom = new WeakMap<Context, readonly TableText[]>()

/** What is said of queries that hang on which tables the store has: one is not known, a part of a union, or all are meant. */
export const LACKS_TABLE: ReadonlySet<string> = new Set(['HR401', 'HR418', 'HR476'])

/** True for a rule that hangs on which tables the store has: one is not known, or all are meant. */
export function lacksTable({ diagnostics }: LoadedRule): boolean {
  return diagnostics.some(({ code }) => LACKS_TABLE.has(code))
}

/** Makes the tables that a store has exports of known to later compilations, custom ones too; false when it has none. */
export function knowTables(context: Context, stored: StoredCatalogue): boolean {
  const tables = exportedTables(stored, context.schema().tables).map(({ name, columns }) => ({
    name,
    columns: columns.map(({ name: column, type }) => ({
      name: column,
      type: typeof type === 'string' ? type : ('dynamic' as const),
    })),
  }))
  custom.set(context, tables)
  return tables.length > 0
}

/** The compiler for one call of the program; made when it is first asked, since most calls have no Kusto query. */
export function lazyKusto(context: Context, pins: readonly KustoPin[] = []): KustoCompiler {
  return {
    async compile(requests, functions, watchlists) {
      const known = made.get(context) ?? makeCompiler(context, pins)
      made.set(context, known)
      try {
        return await known.compile(requests, functions, watchlists, custom.get(context) ?? [])
      } finally {
        context.output.status(undefined)
      }
    },
  }
}

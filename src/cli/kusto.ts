/**
 * The compiler of Kusto queries for one call of the program: the cache of compiled queries, and behind it the front end in
 * a process of its own, which is only started for what the cache does not have.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { KustoCompiler } from '../dialects/kusto/answer.ts'
import { cachedCompiler } from '../rules/kustocache.ts'
import { openFront } from '../rules/kustofront.ts'
import { type FrontParts, frontVersion } from '../rules/kustosnapshot.ts'
import type { Context } from './context.ts'
import { packagePath } from './paths.ts'

const BUNDLES = ['bridge.min.js', 'Kusto.Language.Bridge.min.js']

/** Folder of the snapshot of the front end. */
export function frontFolder(context: Context): string {
  return join(context.cacheFolder, 'front')
}

/** Folder of compiled queries. */
export function compiledFolder(context: Context): string {
  return join(context.cacheFolder, 'kusto')
}

/** The files of this installation that the front end is made of. */
export function frontParts(context: Context): FrontParts {
  const require = createRequire(import.meta.url)
  const tables = context.schemaFiles().map(({ path }) => path)
  return {
    script: packagePath('dist/kusto-front.cjs'),
    files: {
      library: BUNDLES.map((name) => require.resolve(`@kusto/language-service-next/${name}`)),
      tables: tables
        .filter((path) => /^tables[/\\].*\.txt$/.test(path))
        .map((path) => packagePath(join('content/schema', path))),
    },
  }
}

function makeCompiler(context: Context): KustoCompiler {
  const parts = frontParts(context)
  const version = frontVersion(parts)
  const front = openFront({
    ...parts,
    version,
    folder: frontFolder(context),
    onStart: () => context.output.status('Starting the Kusto compiler'),
  })
  return cachedCompiler(front, { folder: compiledFolder(context), version })
}

const made = new WeakMap<Context, KustoCompiler>()

/** The compiler for one call of the program; made when it is first asked, since most calls have no Kusto query. */
export function lazyKusto(context: Context): KustoCompiler {
  return {
    async compile(requests, functions, watchlists) {
      const known = made.get(context) ?? makeCompiler(context)
      made.set(context, known)
      try {
        return await known.compile(requests, functions, watchlists)
      } finally {
        context.output.status(undefined)
      }
    },
  }
}

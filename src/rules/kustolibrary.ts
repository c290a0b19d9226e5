/**
 * Microsoft's library for the language, loaded when the first query needs it: two bundles that leave their names in
 * the global scope, the runtime first.
 */
import { createRequire } from 'node:module'
import { Library, selfTest } from '../dialects/kusto/adapter.ts'
import type { KustoCompiler, KustoPin } from '../dialects/kusto/answer.ts'
import { Compiler } from '../dialects/kusto/compile.ts'
import type { TableCatalogue } from '../schema/tables.ts'

let loaded: Library | undefined

/** The library; loading it takes about two seconds of processor time, once a process. */
function kustoLibrary(): Library {
  if (loaded !== undefined) return loaded
  const require = createRequire(import.meta.url)
  require('@kusto/language-service-next/bridge.min.js')
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js')
  const library = new Library(globalThis as unknown as Readonly<Record<string, unknown>>)
  selfTest(library)
  loaded = library
  return library
}

/** A compiler that runs in this process. */
export function compilerHere(
  catalogue: TableCatalogue,
  pins: readonly KustoPin[] = [],
): KustoCompiler {
  return {
    async compile(requests, functions, watchlists, custom = []) {
      const compiler = new Compiler({
        library: kustoLibrary(),
        catalogue,
        functions,
        watchlists,
        pins,
        custom,
      })
      return requests.map(({ query }) => compiler.compile(query))
    },
  }
}

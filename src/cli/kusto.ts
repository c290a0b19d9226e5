/** The compiler of Kusto queries, made when the first query or rule in that language is there. */
import type { KustoCompiler } from '../dialects/kusto/answer.ts'
import { compilerHere } from '../rules/kustolibrary.ts'
import type { Context } from './context.ts'

/** The compiler for one call of the program. */
export async function kustoCompilerFor(context: Context): Promise<KustoCompiler> {
  return compilerHere(context.schema().tables)
}

/** A compiler that is made when it is first asked: most calls of the program have no Kusto query. */
export function lazyKusto(context: Context): KustoCompiler {
  let made: Promise<KustoCompiler> | undefined
  return {
    async compile(requests, functions, watchlists) {
      made ??= kustoCompilerFor(context)
      return (await made).compile(requests, functions, watchlists)
    },
  }
}

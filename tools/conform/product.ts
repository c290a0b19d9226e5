/** The product as the runner of Kusto cases: the compiler of the command line and an engine without any events. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderDiagnostic } from '../../src/core/diagnostic.ts'
import { compileDiscovering } from '../../src/detect/discover.ts'
import { planQuery, planRows, type QueryWorld, queryRows } from '../../src/detect/runquery.ts'
import type { KustoAnswer, KustoCompiler } from '../../src/dialects/kusto/answer.ts'
import { openChdb } from '../../src/engine/chdb.ts'
import { type Engine, EngineError } from '../../src/engine/engine.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readyMadeSchema } from '../product.ts'
import type { Given } from './compare.ts'
import { QueryFailure, type Runner } from './run.ts'

const CHILD = fileURLToPath(new URL('../../dist/engine-child.js', import.meta.url))
const SECONDS = 20

async function compileOne(
  { compiler, engine, world }: Product,
  given: string,
  signal: AbortSignal,
): Promise<KustoAnswer> {
  const { text: query, compiled } = await compileDiscovering(given, {
    compile: async (text) => {
      const [answer] = await compiler.compile([{ query: text, name: 'case' }], [], [])
      return answer ?? { queries: [] }
    },
    rows: (rel) => planRows(engine, rel, world, { seconds: SECONDS, signal }),
  })
  const answers = compiled.queries
  const [answer] = answers
  const error = answers
    .flatMap((each) => each.diagnostics)
    .find((each) => each.severity === 'error')
  if (error !== undefined) throw new QueryFailure(error.code, renderDiagnostic(error, query))
  if (answer?.rel === undefined || answers.length !== 1) {
    throw new QueryFailure('compiler', `${answers.length} queries, the first without a plan`)
  }
  return answer
}

/** The names of the sort keys that are columns, undefined for others. */
function keysOf({ order, columns }: KustoAnswer): Given['order'] {
  return order?.map(({ by }) =>
    by.op === 'field' && columns.some(({ name }) => name === by.name) ? by.name : undefined,
  )
}

interface Product {
  readonly engine: Engine
  readonly compiler: KustoCompiler
  readonly world: QueryWorld
}

async function runOne(product: Product, query: string, signal: AbortSignal): Promise<Given> {
  const { engine, world } = product
  const answer = await compileOne(product, query, signal)
  if (answer.rel === undefined) throw new QueryFailure('compiler', 'no plan')
  const { value: plan, diagnostics } = planQuery(answer.rel, world)
  const [problem] = diagnostics
  if (plan === undefined) throw new QueryFailure(problem?.code ?? 'plan', problem?.message ?? '')
  const rows: Given['rows'][number][] = []
  try {
    for await (const row of queryRows(engine, plan, { seconds: SECONDS, signal })) rows.push(row)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new QueryFailure(`engine: ${error.kind}`, `${error.message}\n${plan.sql}`)
  }
  const order = keysOf(answer)
  return { columns: answer.columns, rows, ...(order === undefined ? {} : { order }) }
}

/** Starts the product for the time of an action. The compiler is that of the sources, the engine's child that of the build. */
export async function withProduct(action: (runner: Runner) => Promise<void>): Promise<void> {
  if (!existsSync(CHILD)) throw new Error('the product is not built: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'harrier-conform-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const schema = readyMadeSchema()
  const compiler = compilerHere(schema.tables)
  const engine = await openChdb({ path: join(folder, 'db'), childPath: CHILD })
  const world: QueryWorld = { schema, stored: new Map(), time: {} }
  try {
    await action({ run: (query, signal) => runOne({ engine, compiler, world }, query, signal) })
  } finally {
    await engine.close()
  }
}

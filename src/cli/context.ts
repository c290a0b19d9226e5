/**
 * What every command is given: output, clock, interrupt signal, folders, and the openers of schema, store and
 * rules. The only place where the shell reads the environment.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import type { Instant } from '../core/time.ts'
import { openChdb } from '../engine/chdb.ts'
import { EngineError } from '../engine/engine.ts'
import { openHttp } from '../engine/http.ts'
import { openStore, type Store } from '../engine/store.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { readSchema } from '../schema/load.ts'
import { dataFolder, packagePath } from './paths.ts'
import type { Output } from './terminal.ts'
import { UsageError } from './usage.ts'

export interface SchemaText {
  readonly path: string
  readonly text: string
}

export interface Context {
  readonly output: Output
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly dataFolder: string
  now(): Instant
  schemaFiles(): readonly SchemaText[]
  schema(): SchemaCatalogue
}

/** An open store and how to let go of it. */
export interface OpenStore {
  readonly store: Store
  /** Where it is, for messages. */
  readonly where: string
  close(): Promise<void>
}

function readSchemaFiles(): readonly SchemaText[] {
  const folder = packagePath('content/schema')
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** The context of one call of the program. */
export function makeContext(output: Output, env: NodeJS.ProcessEnv, signal: AbortSignal): Context {
  let files: readonly SchemaText[] | undefined
  let schema: SchemaCatalogue | undefined
  const schemaFiles = (): readonly SchemaText[] => {
    files ??= readSchemaFiles()
    return files
  }
  return {
    output,
    env,
    signal,
    dataFolder: dataFolder(env),
    now: () => ({ ms: Date.now(), sub: 0 }),
    schemaFiles,
    schema() {
      if (schema !== undefined) return schema
      const { value, diagnostics } = readSchema(schemaFiles())
      if (value === undefined || hasErrors(diagnostics)) {
        const [first] = diagnostics
        throw new Error(
          `the schema of this installation is damaged: ${first && renderDiagnostic(first)}`,
        )
      }
      schema = value
      return value
    },
  }
}

/** Folder of the default store. */
export function defaultStore(context: Context): string {
  return join(context.dataFolder, 'store')
}

async function openEngine(context: Context, where: string) {
  if (!/^https?:\/\//.test(where)) {
    return openChdb({ path: join(where, 'db'), childPath: packagePath('dist/engine-child.js') })
  }
  const { HARRIER_CLICKHOUSE_USER: user, HARRIER_CLICKHOUSE_PASSWORD: password } = context.env
  return openHttp({
    url: where,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  })
}

async function open(context: Context, where: string): Promise<OpenStore> {
  const engine = await openEngine(context, where)
  try {
    const schema = context.schema()
    const store = await openStore({ engine, source: (name) => schema.sources.get(name) })
    return { store, where, close: () => engine.close() }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** Opens the store that the user named, or the default one; `mustExist` refuses to make an empty one. */
export async function openNamedStore(
  context: Context,
  named: string | undefined,
  mustExist: boolean,
): Promise<OpenStore> {
  const where = named ?? defaultStore(context)
  if (mustExist && !/^https?:\/\//.test(where) && !existsSync(join(where, 'db'))) {
    throw new UsageError(
      `there is no store at ${where}`,
      'name logs to read (`harrier run LOGS`), or ingest some first (`harrier ingest LOGS`)',
    )
  }
  return open(context, where)
}

/** Opens a store in a temporary folder that is removed when it is closed. */
export async function openTemporaryStore(context: Context): Promise<OpenStore> {
  const folder = mkdtempSync(join(tmpdir(), 'harrier-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const opened = await open(context, folder)
    return {
      ...opened,
      close: async () => {
        try {
          await opened.close()
        } finally {
          remove()
        }
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** The exit code family of an error from the engine or from intake. */
export function isEngineTrouble(error: unknown): error is EngineError {
  return error instanceof EngineError
}

/**
 * What every command is given: output, clock, interrupt signal, folders, and the openers of schema, store and
 * rules. The only place where the shell reads the environment.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { systemReason } from '../core/systemerror.ts'
import type { Instant } from '../core/time.ts'
import { openChdb } from '../engine/chdb.ts'
import { EngineError } from '../engine/engine.ts'
import { openHttp } from '../engine/http.ts'
import { openShared } from '../engine/sharing/client.ts'
import { type ShareOptions, type Sharing, shareStore } from '../engine/sharing/server.ts'
import { openStore, type Store } from '../engine/store.ts'
import { type Attack, readAttack } from '../rules/attack.ts'
import type { SchemaCatalogue } from '../schema/catalogue.ts'
import { readSchema } from '../schema/load.ts'
import { cacheFolder, dataFolder, packagePath } from './paths.ts'
import { makeTemporaryFolder } from './temporary.ts'
import type { Output } from './terminal.ts'
import { TroubleError, UsageError } from './usage.ts'

export interface SchemaText {
  readonly path: string
  readonly text: string
}

export interface Context {
  readonly output: Output
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly dataFolder: string
  /** For what can be made again. */
  readonly cacheFolder: string
  /** What to type for the program, so that a command that is shown can be copied. */
  readonly program: string
  now(): Instant
  schemaFiles(): readonly SchemaText[]
  schema(): SchemaCatalogue
  /** Tactics and techniques of ATT&CK. */
  attack(): Attack
}

/** An open store and how to let go of it. */
export interface OpenStore {
  readonly store: Store
  /** Where it is, for messages. */
  readonly where: string
  /** True when it is gone once closed. */
  readonly isTemporary: boolean
  /** The other process that has the store open, and does the work on it. */
  readonly owner?: number
  /** Lets other processes work with the store until it is closed; not there when that needs no help. */
  readonly share?: (enter?: ShareOptions['enter']) => Promise<void>
  close(): Promise<void>
}

function readSchemaFiles(): readonly SchemaText[] {
  const folder = packagePath('content/schema')
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => /\.(?:yml|txt|kql)$/.test(name))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** The context of one call of the program. */
export function makeContext(output: Output, env: NodeJS.ProcessEnv, signal: AbortSignal): Context {
  let files: readonly SchemaText[] | undefined
  let schema: SchemaCatalogue | undefined
  let attack: Attack | undefined
  const schemaFiles = (): readonly SchemaText[] => {
    files ??= readSchemaFiles()
    return files
  }
  return {
    output,
    env,
    signal,
    dataFolder: dataFolder(env),
    cacheFolder: cacheFolder(env),
    program: env.npm_lifecycle_event === undefined ? 'harrier' : 'npm run -s harrier --',
    now: () => ({ ms: Date.now(), sub: 0 }),
    schemaFiles,
    attack() {
      attack ??= readAttack(readFileSync(packagePath('content/attack/enterprise.txt'), 'utf8'))
      return attack
    },
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

/** True for the address of a server; an address of another kind, or one with a password in it, is refused. */
export function isAddress(where: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(where)) return false
  let url: URL
  try {
    url = new URL(where)
  } catch {
    throw new UsageError(`"${where}" is no address`, 'write e.g. http://127.0.0.1:8123')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UsageError(
      `a store cannot be at an address that begins with ${url.protocol}//`,
      'name a folder, or the http or https address of a ClickHouse server',
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'the address of a store must not hold a user or a password',
      'set HARRIER_CLICKHOUSE_USER and HARRIER_CLICKHOUSE_PASSWORD instead',
    )
  }
  return true
}

async function openEngine(context: Context, where: string) {
  if (!isAddress(where)) {
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
    const store = await openStore({
      engine,
      source: (name) => schema.sources.get(name),
      isOwned: !isAddress(where),
    })
    if (isAddress(where)) {
      return { store, where, isTemporary: false, close: () => engine.close() }
    }
    let sharing: Sharing | undefined
    return {
      store,
      where,
      isTemporary: false,
      async share(enter) {
        sharing ??= await shareStore({
          store,
          engine,
          folder: where,
          ...(enter === undefined ? {} : { enter }),
        })
      },
      async close() {
        await sharing?.close()
        await engine.close()
      },
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/** What stands at a path of a store, or undefined; a path that may not be looked at is an error. */
function lookAt(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw new TroubleError(`cannot open the store at ${path}: ${systemReason(error)}`)
  }
}

const isThere = (path: string): boolean => lookAt(path) !== undefined

/** True when there is a store in the folder, or something that was one. */
export function isStore(where: string): boolean {
  return isAddress(where) || isThere(join(where, 'db', 'harrier', 'engine.xml'))
}

/** Refuses a folder whose events are there but whose list of tables is gone: the engine would begin a new one. */
function checkFolder(where: string): void {
  const db = join(where, 'db')
  if (!isThere(join(db, 'store')) || isThere(join(db, 'metadata', 'default', 'batches.sql'))) return
  if (readdirSync(join(db, 'store')).length === 0) return
  throw new TroubleError(
    `the store at ${where} is damaged: the descriptions of its tables are missing`,
    'restore the folder from a copy, or ingest the logs into a new store',
  )
}

/** Tries to reach the process that has a store, and the wait between them: it may just be opening it. */
const OWNER_TRIES = 10
const OWNER_WAIT_MS = 200

/** The store of a folder by way of the process that has it open, if one does and shares it. */
async function openFromOwner(where: string): Promise<OpenStore | undefined> {
  const shared = await openShared(where)
  if (shared === undefined) return undefined
  const { store, owner, close } = shared
  return { store, where, isTemporary: false, owner, close: async () => close() }
}

/** Opens a folder, or reaches who has it open. */
async function openFolder(context: Context, where: string): Promise<OpenStore> {
  const shared = await openFromOwner(where)
  if (shared !== undefined) return shared
  try {
    return await open(context, where)
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'locked') throw error
    for (let tries = 0; tries < OWNER_TRIES; tries++) {
      const late = await openFromOwner(where)
      if (late !== undefined) return late
      await wait(OWNER_WAIT_MS)
    }
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
  if (!isAddress(where)) {
    const stat = lookAt(where)
    if (stat !== undefined && !stat.isDirectory()) {
      throw new UsageError(
        `${where} is a file, not a store`,
        'to read logs, give them without --store',
      )
    }
    if (mustExist && !isStore(where)) {
      throw new UsageError(
        named === undefined
          ? `there is no default store yet (${where})`
          : `there is no store at ${where}`,
        'name logs to read, or make a store first: `harrier ingest LOGS --store FOLDER`',
      )
    }
    checkFolder(where)
    return openFolder(context, where)
  }
  return open(context, where)
}

/** Opens a store in a temporary folder that is removed when it is closed, or when the program ends. */
export async function openTemporaryStore(context: Context): Promise<OpenStore> {
  const { folder, remove } = makeTemporaryFolder()
  try {
    const opened = await open(context, folder)
    return {
      ...opened,
      isTemporary: true,
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

/**
 * The embedded engine's configuration files: one user that may touch nothing but the store's own tables. Grants
 * are given when the folder is opened; read-only sessions are restricted further.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const GRANTS = 'SELECT, INSERT, CREATE TABLE, ALTER, DROP TABLE, TRUNCATE, OPTIMIZE ON default.*'

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function xml(text: string): string {
  return text.replace(/[&<>]/g, (found) => ESCAPES[found] ?? found)
}

/** Folders and files beside the engine's own data. */
export interface EngineFolders {
  /** The engine's data folder. */
  readonly path: string
  /** Blocks on their way to the engine. */
  readonly spool: string
  readonly config: string
}

/**
 * Makes a folder and those above it, one by one: Node's own recursive form never ends where making a folder always
 * fails as "not found" (below /proc).
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  const above = dirname(path)
  if (above !== path) makeFolder(above)
  mkdirSync(path, { mode: 0o700 })
}

/** Makes the folders and writes the configuration. Nothing of an open store is disturbed by it. */
export function prepareFolders(path: string): EngineFolders {
  const own = join(path, 'harrier')
  const spool = join(own, 'spool')
  const users = join(own, 'users.xml')
  const config = join(own, 'engine.xml')
  makeFolder(spool)
  writeFileSync(
    users,
    `<clickhouse>
  <profiles><default></default></profiles>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants><query>GRANT ${GRANTS}</query></grants>
  </default></users>
  <quotas><default></default></quotas>
</clickhouse>
`,
  )
  writeFileSync(
    config,
    `<clickhouse>
  <users_config>${xml(users)}</users_config>
  <user_directories><users_xml><path>${xml(users)}</path></users_xml></user_directories>
  <user_files_path>${xml(spool)}</user_files_path>
  <mark_cache_size>536870912</mark_cache_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
</clickhouse>
`,
  )
  return { path, spool, config }
}

/** `harrier doctor`: whether this machine has what the product needs, each check with what to do when it fails. */
import { execFileSync } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { loadRules } from '../../rules/load.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, defaultStore, openNamedStore, openTemporaryStore } from '../context.ts'
import { bytes, count } from '../figures.ts'
import { STORE_OPTION } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { defaultRulePaths } from '../rulesets.ts'
import { paint } from '../terminal.ts'
import { line } from '../text.ts'
import { EXIT } from '../usage.ts'

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly says: string
  readonly hint?: string
}

async function checked(
  name: string,
  hint: string,
  look: () => Promise<string> | string,
): Promise<Check> {
  try {
    return { name, ok: true, says: await look() }
  } catch (error) {
    return { name, ok: false, says: error instanceof Error ? error.message : String(error), hint }
  }
}

function fail(message: string): never {
  throw new Error(message)
}

function checks(context: Context, options: OptionValues): readonly Promise<Check>[] {
  const named = options.text('store')
  const where = named ?? defaultStore(context)
  return [
    checked('node', 'install Node 20 or later', () => {
      const major = Number(process.versions.node.split('.')[0])
      return major >= 20 ? process.versions.node : fail(`${process.versions.node} is too old`)
    }),
    checked('machine', 'more cores and memory make scans faster', () => {
      const memory = totalmem()
      if (memory < 2 * 1024 ** 3) fail(`only ${bytes(memory)} of memory`)
      return `${availableParallelism()} cores, ${bytes(memory)} of memory`
    }),
    checked('engine', 'the package chdb is missing or does not run on this system', async () => {
      const opened = await openTemporaryStore(context)
      try {
        const { version } = await opened.store.about()
        return `ClickHouse ${version}, embedded`
      } finally {
        await opened.close()
      }
    }),
    checked('store', 'close the other program, or name another store', async () => {
      if (named === undefined && !existsSync(where)) return `none yet at ${where}`
      const opened = await openNamedStore(context, named, false)
      try {
        const sources = await opened.store.sources()
        const rows = sources.reduce((sum, each) => sum + each.rows, 0)
        return `${where}: ${count(rows)} events in ${sources.length} sources`
      } finally {
        await opened.close()
      }
    }),
    checked('disk', 'free some space', () => {
      const { bavail, bsize } = statfsSync(
        existsSync(context.dataFolder) ? context.dataFolder : '/',
      )
      const free = bavail * bsize
      return free > 1024 ** 3 ? `${bytes(free)} free` : fail(`only ${bytes(free)} free`)
    }),
    checked('schema', 'install the package again', () => {
      const schema = context.schema()
      return `${schema.sources.size} sources, ${schema.logsources.length} Sigma log sources`
    }),
    checked('rules', '`harrier rules check` tells more', async () => {
      const { rules } = await loadRules(defaultRulePaths(context), { placeholders: new Map() })
      const runnable = rules.filter((each) => each.rule !== undefined).length
      return `${rules.length} rules, ${runnable} runnable`
    }),
    checked('git', 'install git to add rule packs; nothing else needs it', () =>
      execFileSync('git', ['--version'], { encoding: 'utf8' }).trim(),
    ),
  ]
}

async function act(context: Context, _: readonly string[], options: OptionValues): Promise<number> {
  const results: Check[] = []
  const { out } = context.output
  for (const each of checks(context, options)) {
    const check = await each
    results.push(check)
    if (options.flag('json')) continue
    const mark = paint(out, check.ok ? 'good' : 'bad', check.ok ? 'ok  ' : 'FAIL')
    out.write(`${mark} ${line`${check.name.padEnd(8)} ${check.says}`}\n`)
    if (check.hint !== undefined) out.write(`              ${check.hint}\n`)
  }
  if (options.flag('json')) out.write(`${jsonText({ checks: results })}\n`)
  return results.every((each) => each.ok) ? EXIT.done : EXIT.engine
}

export const doctor: CommandRecord = {
  name: 'doctor',
  says: 'check that this machine has what is needed',
  options: [STORE_OPTION, { flags: '--json', says: 'as one JSON document' }],
  examples: ['harrier doctor'],
  act,
}

/** `harrier doctor`: whether this machine has what the product needs, each check with what to do when it fails. */

import { execFileSync } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { loadRules } from '../../rules/load.ts'
import { FINDINGS, ingested } from '../../schema/own.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import {
  type Context,
  defaultStore,
  isStore,
  openNamedStore,
  openTemporaryStore,
} from '../context.ts'
import { bytes, count, counted } from '../figures.ts'
import { STORE_OPTION } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { kustoState, lazyKusto } from '../kusto.ts'
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

interface Look {
  readonly name: string
  readonly hint: string
  /** What was found; throws when it is not enough. */
  readonly look: () => Promise<string> | string
}

const LEAST_NODE = 20
const GB = 1000 ** 3
const LEAST_MEMORY = 2 * GB
const LEAST_DISK = GB

function fail(message: string): never {
  throw new Error(message)
}

/** Free bytes where a folder is, or will be. */
function freeAt(folder: string): number {
  let path = folder
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

function disk(folder: string): string {
  const free = freeAt(folder)
  return free > LEAST_DISK
    ? `${bytes(free)} free at ${folder}`
    : fail(`only ${bytes(free)} free at ${folder}`)
}

async function storeText(context: Context, named: string | undefined): Promise<string> {
  if (named === undefined && !isStore(defaultStore(context))) {
    return `none yet at ${defaultStore(context)}; \`${context.program} ingest LOGS\` makes it`
  }
  const opened = await openNamedStore(context, named, true)
  try {
    const stored = await opened.store.catalogue()
    const sources = [...ingested(stored).values()]
    const rows = sources.reduce((sum, each) => sum + each.rows, 0)
    const kept = stored.get(FINDINGS)?.rows ?? 0
    const own = kept === 0 ? '' : `, and ${counted(kept, 'finding')} that Harrier keeps beside them`
    return `${opened.where}: ${counted(rows, 'event')} in ${counted(sources.length, 'source')}${own}`
  } finally {
    await opened.close()
  }
}

async function rulesText(context: Context): Promise<string> {
  const { rules } = await loadRules(defaultRulePaths(context), {
    placeholders: new Map(),
    kusto: lazyKusto(context),
    schema: () => context.schema(),
  })
  const runnable = rules.filter((each) => each.rule !== undefined).length
  return runnable > 0
    ? `${counted(rules.length, 'rule')} in packs and starter rules, ${count(runnable)} can run`
    : fail('no rule can run')
}

function looks(context: Context, options: OptionValues): readonly Look[] {
  return [
    {
      name: 'node',
      hint: `install Node ${LEAST_NODE} or later`,
      look: () =>
        Number(process.versions.node.split('.')[0]) >= LEAST_NODE
          ? process.versions.node
          : fail(`${process.versions.node} is too old`),
    },
    {
      name: 'machine',
      hint: 'scans need about 2 GB of memory; more cores and memory make them faster',
      look: () =>
        totalmem() >= LEAST_MEMORY
          ? `${counted(availableParallelism(), 'core')}, ${bytes(totalmem())} of memory`
          : fail(`only ${bytes(totalmem())} of memory`),
    },
    {
      name: 'engine',
      hint: 'the package chdb is missing or does not run here: Linux x64 or arm64, or macOS; then `npm ci`',
      look: async () => {
        const opened = await openTemporaryStore(context)
        try {
          return `ClickHouse ${(await opened.store.about()).version}, embedded`
        } finally {
          await opened.close()
        }
      },
    },
    {
      name: 'store',
      hint: 'stores are folders, or addresses of ClickHouse servers; one program at a time may use a folder',
      look: () => storeText(context, options.text('store')),
    },
    {
      name: 'disk',
      hint: 'free some space: stored events take about a tenth of their logs',
      look: () => disk(context.dataFolder),
    },
    {
      name: 'temp',
      hint: 'free some space there, or set TMPDIR to a folder with more: stores of single runs go there',
      look: () => disk(tmpdir()),
    },
    {
      name: 'schema',
      hint: 'install the package again',
      look: () => {
        const { sources, logsources } = context.schema()
        return `${count(sources.size)} sources, ${count(logsources.length)} Sigma log sources`
      },
    },
    {
      name: 'rules',
      hint: `\`${context.program} rules check\` tells more`,
      look: () => rulesText(context),
    },
    {
      name: 'kusto',
      hint: 'install the package again; the folder of snapshots is XDG_CACHE_HOME, or .cache in your home',
      look: () => kustoState(context),
    },
    {
      name: 'git',
      hint: 'install git to add rule packs; nothing else needs it',
      look: () =>
        execFileSync('git', ['--version'], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        })
          .trim()
          .replace(/^git version /, ''),
    },
  ]
}

async function run({ name, hint, look }: Look): Promise<Check> {
  try {
    return { name, ok: true, says: await look() }
  } catch (error) {
    return { name, ok: false, says: error instanceof Error ? error.message : String(error), hint }
  }
}

async function act(context: Context, _: readonly string[], options: OptionValues): Promise<number> {
  const results: Check[] = []
  const { out } = context.output
  for (const each of looks(context, options)) {
    if (context.signal.aborted) break
    const check = await run(each)
    results.push(check)
    if (options.flag('json')) continue
    const mark = paint(out, check.ok ? 'good' : 'bad', check.ok ? 'ok  ' : 'FAIL')
    out.write(`${mark}  ${line`${check.name.padEnd(8)} ${check.says}`}\n`)
    if (check.hint !== undefined) out.write(line`               hint: ${check.hint}\n`)
  }
  if (options.flag('json')) out.write(`${jsonText({ checks: results })}\n`)
  return results.every((each) => each.ok) ? EXIT.done : EXIT.engine
}

export const doctor: CommandRecord = {
  name: 'doctor',
  says: 'check that this machine has what is needed',
  options: [STORE_OPTION, { flags: '--json', says: 'as one JSON document' }],
  prints: 'One line for each check, with what to do where one fails; the exit code is 4 then.',
  examples: ['harrier doctor', 'harrier doctor --store case42'],
  act,
}

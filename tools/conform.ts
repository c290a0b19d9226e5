/**
 * `npm run conform -- FILE...`: recorded cases against the product. Reads files of queries with the results that other
 * engines gave, runs each query on an empty store, and compares columns, types and rows; `conform/` has the parts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { type CaseFile, readCases } from './conform/formats.ts'
import { withProduct } from './conform/product.ts'
import type { CaseBase } from './conform/record.ts'
import { failureText, type Outcome, outcomeRecords, totalsText } from './conform/report.ts'
import { runCases } from './conform/run.ts'
import { runSearches } from './conform/splproduct.ts'

const USAGE = `usage: npm run conform -- FILE [FILE...]
  --family NAME       only cases of these families (may be given several times)
  --except NAME       leave families out
  --grep TEXT         only cases whose name or query holds the text
  --selfContained     only cases that need no data and whose whole result is recorded
  --failures N|all    failures to print (default 20)
  --json OUT          write all outcomes to a file
  --strict            exit with 1 when a case fails (a case of SPL of high confidence: always)
`

interface Options {
  readonly files: readonly string[]
  readonly families: readonly string[]
  readonly except: readonly string[]
  readonly grep: string | undefined
  readonly selfContained: boolean
  readonly failures: number
  readonly json: string | undefined
  readonly strict: boolean
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      family: { type: 'string', multiple: true },
      except: { type: 'string', multiple: true },
      grep: { type: 'string' },
      selfContained: { type: 'boolean' },
      failures: { type: 'string' },
      json: { type: 'string' },
      strict: { type: 'boolean' },
    },
  })
  const failures =
    values.failures === 'all' ? Number.POSITIVE_INFINITY : Number(values.failures ?? 20)
  if (positionals.length === 0 || Number.isNaN(failures)) throw new Error(USAGE)
  const names = (given: readonly string[] = []): readonly string[] =>
    given.flatMap((each) => each.split(','))
  return {
    files: positionals,
    families: names(values.family),
    except: names(values.except),
    grep: values.grep?.toLowerCase(),
    selfContained: values.selfContained === true,
    failures,
    json: values.json,
    strict: values.strict === true,
  }
}

function readFile(path: string): unknown {
  const bytes = readFileSync(path)
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  return JSON.parse((isPacked ? gunzipSync(bytes) : bytes).toString('utf8'))
}

function wanted(options: Options): (recorded: CaseBase) => boolean {
  const { families, except, grep, selfContained } = options
  return ({ name, family, query, ...recorded }) =>
    (families.length === 0 || families.includes(family)) &&
    !except.includes(family) &&
    (grep === undefined || `${name}\n${query}`.toLowerCase().includes(grep)) &&
    (!selfContained || recorded.selfContained)
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  const files = options.files.map((file) => ({ file, ...readCases(readFile(file)) }))
  const isRun = ({ format }: CaseFile): boolean =>
    format.read !== undefined || format.reader !== undefined
  const runnable = files.filter(isRun)
  for (const { file, format, total } of files.filter((each) => !isRun(each))) {
    console.log(
      `${file}: ${total} cases of the format ${format.name} (${format.says}): nothing runs them yet`,
    )
  }
  if (runnable.length === 0) return 1
  const outcomes: Outcome[] = []
  let isSure = true
  for (const { file, format, cases, searches, total } of runnable) {
    const chosen = cases.filter(wanted(options))
    const chosenSearches = searches.filter(wanted(options))
    const count = chosen.length + chosenSearches.length
    console.log(`${file}: ${count} of ${total} cases, ${format.says}`)
    if (chosen.length > 0) {
      await withProduct(async (runner) => {
        outcomes.push(...(await runCases(chosen, runner)))
      })
    }
    if (chosenSearches.length > 0) {
      const judged = await runSearches(chosenSearches)
      outcomes.push(...judged)
      isSure &&= judged.every(
        ({ state }, at) => state !== 'failed' || chosenSearches[at]?.confidence !== 'high',
      )
    }
  }
  const failed = outcomes.filter((each) => each.state === 'failed')
  for (const each of failed.slice(0, options.failures)) console.log(`\n${failureText(each)}`)
  if (failed.length > options.failures) {
    console.log(
      `and ${failed.length - options.failures} more failures; --failures all prints them\n`,
    )
  }
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify(outcomeRecords(outcomes), null, 1)}\n`)
  }
  console.log(totalsText(outcomes))
  const isWhole = runnable.length === files.length && outcomes.length > 0
  return !isWhole || !isSure || (options.strict && failed.length > 0) ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 3
}

/** `harrier ingest`: logs into a store; `--rejects` lists what could not be stored. */
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, type OpenStore, openNamedStore } from '../context.ts'
import { counted } from '../figures.ts'
import {
  checkIntake,
  INTAKE_OPTIONS,
  isShort,
  printIntake,
  readLogs,
  STORE_OPTION,
} from '../intaking.ts'
import { jsonText } from '../json.ts'
import { shownPath } from '../paths.ts'
import { renderTable } from '../table.ts'
import { line } from '../text.ts'
import { EXIT, shellWord, UsageError } from '../usage.ts'

/** Records that the table shows; JSON lines give all. */
const MOST_SHOWN = 1_000
const RECORD_CHARS = 200

async function listRejects(
  context: Context,
  opened: OpenStore,
  options: OptionValues,
): Promise<void> {
  const { out, err, quiet } = context.output
  const rejects = opened.store.rejects({ signal: context.signal })
  const isDocument = options.flag('json')
  if (isDocument || options.flag('jsonl')) {
    let before = isDocument ? '{"rejects":[\n' : ''
    for await (const each of rejects) {
      out.write(before + jsonText(each))
      before = isDocument ? ',\n' : '\n'
      await out.ready()
      if (out.isClosed()) return
    }
    if (isDocument) out.write(`${before.startsWith('{') ? before : '\n'}]}\n`)
    else if (before !== '') out.write('\n')
    return
  }
  const shown = []
  let isMore = false
  for await (const each of rejects) {
    isMore = shown.length === MOST_SHOWN
    if (isMore) break
    shown.push([
      shownPath(each.file),
      each.place,
      each.code,
      each.reason,
      each.raw.slice(0, RECORD_CHARS),
    ])
  }
  if (shown.length === 0) {
    if (!quiet) err.write(line`no rejected records in ${opened.where}\n`)
    return
  }
  const columns = [
    { title: 'FILE', shrinksTo: 16 },
    { title: 'PLACE' },
    { title: 'CODE' },
    { title: 'REASON', shrinksTo: 24 },
    { title: 'RECORD', shrinksTo: 16 },
  ]
  out.write(renderTable(out, columns, shown))
  if (isMore) err.write(`the first ${counted(MOST_SHOWN, 'record')}; --jsonl lists all\n`)
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const isListing = options.flag('rejects')
  if (args.length === 0 && !isListing) {
    throw new UsageError(
      'name the logs to read',
      '`harrier ingest logs/`, or `... | harrier ingest -` for standard input',
    )
  }
  checkIntake(context, options)
  const { output, program } = context
  const opened = await openNamedStore(context, options.text('store'), args.length === 0)
  try {
    let code: number = EXIT.done
    if (args.length > 0) {
      const report = await readLogs(context, opened, args, options)
      if (options.flag('json') && !isListing) output.out.write(`${jsonText(report)}\n`)
      else printIntake(context, report, opened)
      if (!output.quiet) {
        output.err.write(line`store ${opened.where}\n`)
        const store =
          options.text('store') === undefined ? '' : ` --store ${shellWord(opened.where)}`
        if (report.stored > 0) output.err.write(line`next: ${program} run${store}\n`)
      }
      if (isShort(report)) code = EXIT.engine
    }
    if (isListing && !context.signal.aborted) await listRejects(context, opened, options)
    return code
  } finally {
    await opened.close()
  }
}

export const ingest: CommandRecord = {
  name: 'ingest',
  says: 'read logs into a store, once each, however often they are named',
  args: '[logs...]',
  options: [
    STORE_OPTION,
    ...INTAKE_OPTIONS,
    { flags: '--rejects', says: 'list the records that could not be stored, with the reason' },
    { flags: '--json', says: 'the report, or the rejected records, as one JSON document' },
    { flags: '--jsonl', says: 'with --rejects: one JSON object a line' },
  ],
  prints:
    'A report on stderr; with `--json` the same on stdout. Files, folders, quoted globs, archives and `-` (standard input) ' +
    'may be named. A batch counts as stored when it is on disk; the same file again stores nothing twice.',
  examples: [
    'harrier ingest logs/ --store case42',
    'zcat auth.log.gz | harrier ingest - --format syslog',
    'harrier ingest --rejects --store case42',
  ],
  act,
}

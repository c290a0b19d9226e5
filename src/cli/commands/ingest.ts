/** `harrier ingest`: logs into a store; `--rejects` lists what could not be stored. */
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openNamedStore } from '../context.ts'
import { INTAKE_OPTIONS, printIntake, readLogs, STORE_OPTION } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { renderTable } from '../table.ts'
import { EXIT, UsageError } from '../usage.ts'

async function listRejects(context: Context, options: OptionValues): Promise<number> {
  const opened = await openNamedStore(context, options.text('store'), true)
  try {
    const rejects = opened.store.rejects()
    if (options.flag('jsonl') || options.flag('json')) {
      for await (const each of rejects) {
        context.output.out.write(`${jsonText(each)}\n`)
        await context.output.out.ready()
      }
    } else {
      const shown = []
      for await (const each of rejects) if (shown.push(each) >= 1000) break
      context.output.out.write(
        renderTable(
          context.output.out,
          [
            { title: 'file', shrinksTo: 16 },
            { title: 'place' },
            { title: 'code' },
            { title: 'reason', shrinksTo: 24 },
            { title: 'record', shrinksTo: 16 },
          ],
          shown.map((each) => [
            each.file,
            each.place,
            each.code,
            each.reason,
            each.raw.slice(0, 200),
          ]),
        ),
      )
    }
    return EXIT.done
  } finally {
    await opened.close()
  }
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  if (options.flag('rejects') && args.length === 0) return listRejects(context, options)
  if (args.length === 0) {
    throw new UsageError(
      'name the logs to read',
      '`harrier ingest logs/` or `... | harrier ingest -`',
    )
  }
  const { output } = context
  const opened = await openNamedStore(context, options.text('store'), false)
  try {
    const report = await readLogs(context, opened, args, options)
    if (options.flag('json')) output.out.write(`${jsonText(report)}\n`)
    else printIntake(context, report)
    if (!output.quiet) output.err.write(`store: ${opened.where}\n`)
    const failed = report.files.some((each) => each.error !== undefined)
    return failed && report.received === 0 ? EXIT.engine : EXIT.done
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
    { flags: '--json', says: 'the report as JSON' },
    { flags: '--jsonl', says: 'with --rejects: one JSON object a line' },
  ],
  examples: [
    'harrier ingest logs/ --store case42',
    'zcat auth.log.gz | harrier ingest - --format syslog',
    'harrier ingest --rejects --store case42',
  ],
  act,
}

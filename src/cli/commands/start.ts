/** `harrier start`: the first look. Reads the sample logs, runs the starter rules, shows what they find. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadRules } from '../../rules/load.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openTemporaryStore } from '../context.ts'
import { printIntake, readLogs } from '../intaking.ts'
import { lazyKusto } from '../kusto.ts'
import { packagePath } from '../paths.ts'
import { runnableRules } from '../rulesets.ts'
import { checkRun, HTML_OPTION, runAndPrint } from '../running.ts'
import { EXIT } from '../usage.ts'

/** The folders of samples; what lies beside them describes them. */
function sampleFolders(): readonly string[] {
  const root = packagePath('samples')
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
}

function nextText(program: string): string {
  return `
Your own logs    ${program} run LOGS
                 these rules on EVTX, event XML, JSON, CSV, syslog, auditd, Zeek, access logs, CloudTrail, ...
More rules       ${program} rules add https://github.com/SigmaHQ/sigma
                 ${program} run LOGS --min-level high --html report.html
All commands     ${program} --help
`
}

async function act(context: Context, _: readonly string[], options: OptionValues): Promise<number> {
  checkRun(context, options)
  const { output, program } = context
  const set = await loadRules([packagePath('content/rules')], {
    placeholders: new Map(),
    kusto: lazyKusto(context),
    schema: () => context.schema(),
  })
  const opened = await openTemporaryStore(context)
  try {
    const intake = await readLogs(context, opened, sampleFolders(), options)
    printIntake(context, intake, opened)
    if (intake.interrupted) return EXIT.interrupted
    const rules = runnableRules(context, set, [])
    const code = await runAndPrint(context, { rules, texts: set.texts, opened, intake, options })
    if (!output.quiet && !context.signal.aborted) output.err.write(nextText(program))
    return code
  } finally {
    await opened.close()
  }
}

export const start: CommandRecord = {
  name: 'start',
  says: 'read the sample logs, run the starter rules, show the findings',
  options: [
    { flags: '--once', says: 'exit when done (it always does, until there is a page to serve)' },
    HTML_OPTION,
  ],
  prints:
    'The first look: made-up logs of an intrusion that come with the program, and the rules that find it. Nothing is kept.',
  examples: ['harrier start', 'harrier start --once', 'harrier start --html report.html'],
  act,
}

/** `harrier start`: the first look. Reads the sample logs, runs the starter rules, shows what they find. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loadRules } from '../../rules/load.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openTemporaryStore } from '../context.ts'
import { printIntake, readLogs } from '../intaking.ts'
import { packagePath } from '../paths.ts'
import { EXIT } from '../usage.ts'
import { runAndPrint } from './run.ts'

/** The folders of samples; what lies beside them describes them. */
function sampleFolders(): readonly string[] {
  const root = packagePath('samples')
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
}

const NEXT = `
Your own logs: harrier run LOGS              these rules on EVTX, JSON, syslog, access logs, CloudTrail, ...
More rules:    harrier rules add https://github.com/SigmaHQ/sigma
               harrier run LOGS --rules PATH --min-level high --html report.html
From a checkout, write \`npm run -s harrier --\` for \`harrier\`.
`

async function act(context: Context, _: readonly string[], options: OptionValues): Promise<number> {
  const { output } = context
  const set = await loadRules([packagePath('content/rules')], { placeholders: new Map() })
  const opened = await openTemporaryStore(context)
  try {
    const intake = await readLogs(context, opened, sampleFolders(), options)
    printIntake(context, intake)
    await runAndPrint(context, {
      rules: set.rules.flatMap((each) => each.rule ?? []),
      texts: set.texts,
      opened,
      intake,
      options,
      summary: true,
    })
    if (!output.quiet) output.err.write(NEXT)
    return EXIT.done
  } finally {
    await opened.close()
  }
}

export const start: CommandRecord = {
  name: 'start',
  says: 'read the sample logs, run the starter rules, show the findings',
  options: [
    { flags: '--once', says: 'exit when done (it always does, until there is a page to serve)' },
  ],
  examples: ['harrier start', 'harrier start --once'],
  act,
}

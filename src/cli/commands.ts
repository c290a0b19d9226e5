/** The table of commands. Order is the order of the help page. */
import { type CommandRecord, EVERYWHERE } from './command.ts'
import { backtest } from './commands/backtest.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain.ts'
import { fields } from './commands/fields.ts'
import { findingsCommands } from './commands/findings.ts'
import { ingest } from './commands/ingest.ts'
import { lint } from './commands/lint.ts'
import { notifyCommands } from './commands/notify.ts'
import { query } from './commands/query.ts'
import { risk } from './commands/risk.ts'
import { rulesCommands } from './commands/rules.ts'
import { run } from './commands/run.ts'
import { scheduleCommands } from './commands/schedule.ts'
import { serve } from './commands/serve.ts'
import { start } from './commands/start.ts'
import { test } from './commands/test.ts'
import { watch } from './commands/watch.ts'
import { completionScript, SHELLS } from './completion.ts'
import { EXIT, UsageError } from './usage.ts'

const work: readonly CommandRecord[] = [
  start,
  run,
  ingest,
  query,
  ...rulesCommands,
  serve,
  watch,
  ...scheduleCommands,
  ...findingsCommands,
  risk,
  test,
  ...notifyCommands,
  backtest,
  lint,
  explain,
  fields,
  doctor,
]

const completion: CommandRecord = {
  name: 'completion',
  says: 'print the completion script of a shell',
  args: '<shell>',
  argValues: SHELLS,
  options: [],
  prints:
    'A script for bash, zsh, fish or powershell, to be saved or sourced; its first line says where.',
  examples: [
    'eval "$(harrier completion bash)"',
    'harrier completion zsh > ~/.zfunc/_harrier',
    'harrier completion fish > ~/.config/fish/completions/harrier.fish',
  ],
  act: async (context, [shell]) => {
    const known = SHELLS.find((each) => each === shell)
    if (known === undefined) {
      throw new UsageError(`"${shell}" is no shell that is known`, `use ${SHELLS.join(', ')}`)
    }
    const all = commands.map((each) => ({ ...each, options: [...each.options, ...EVERYWHERE] }))
    context.output.out.write(completionScript(known, all))
    return EXIT.done
  },
}

export const commands: readonly CommandRecord[] = [...work, completion]

/** Other names of groups, as other products call the same. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['finding', 'findings'],
  ['notables', 'findings'],
  ['notable', 'findings'],
])

/** Words that stand before several commands, with what those are about. */
export const GROUPS: ReadonlyMap<string, string> = new Map([
  ['rules', 'rule packs, and checks of rules'],
  ['schedule', 'rules on their schedules: how they stand, and stopping some of them'],
  ['findings', 'findings (notables) that are kept: the queue, and what becomes of them'],
  ['notify', 'messages about findings: their channels and their outbox'],
])

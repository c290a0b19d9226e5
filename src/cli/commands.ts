/** The table of commands. Order is the order of the help page. */
import type { CommandRecord } from './command.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain.ts'
import { fields } from './commands/fields.ts'
import { ingest } from './commands/ingest.ts'
import { query } from './commands/query.ts'
import { rulesCommands } from './commands/rules.ts'
import { run } from './commands/run.ts'
import { start } from './commands/start.ts'
import { completionScript, SHELLS } from './completion.ts'
import { EXIT, UsageError } from './usage.ts'

const work: readonly CommandRecord[] = [
  start,
  run,
  ingest,
  query,
  ...rulesCommands,
  explain,
  fields,
  doctor,
]

const completion: CommandRecord = {
  name: 'completion',
  says: 'print the completion script of a shell',
  args: '<shell>',
  options: [],
  examples: ['harrier completion bash > /etc/bash_completion.d/harrier'],
  act: async (context, [shell]) => {
    const known = SHELLS.find((each) => each === shell)
    if (known === undefined)
      throw new UsageError(`"${shell}" is no shell`, `use ${SHELLS.join(', ')}`)
    context.output.out.write(completionScript(known, commands))
    return EXIT.done
  },
}

export const commands: readonly CommandRecord[] = [...work, completion]

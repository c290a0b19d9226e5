/**
 * The program: commands from the table, usage errors with a hint, exit codes, and Ctrl-C (once: stop cleanly with
 * a summary; twice: stop at once).
 */
import { Command, CommanderError, Option } from 'commander'
import { type CommandRecord, type OptionRecord, OptionValues } from './command.ts'
import { commands } from './commands.ts'
import { isEngineTrouble, makeContext } from './context.ts'
import { makeOutput, type Output } from './terminal.ts'
import { safeText } from './text.ts'
import { EXIT, UsageError } from './usage.ts'
import { version } from './version.ts'

const collect = (value: string, before: unknown): readonly string[] => [
  ...(Array.isArray(before) ? before.map(String) : []),
  value,
]

function optionOf(record: OptionRecord): Option {
  const option = new Option(record.flags, record.says)
  if (record.values !== undefined) option.choices([...record.values])
  if (record.many === true) option.argParser(collect)
  return option
}

const EVERYWHERE: readonly OptionRecord[] = [
  { flags: '--no-color', says: 'no colours, as with NO_COLOR' },
  { flags: '-q, --quiet', says: 'only data and errors' },
]

interface Call {
  readonly record: CommandRecord
  readonly args: readonly string[]
  readonly options: OptionValues
}

function addCommand(
  parent: Command,
  record: CommandRecord,
  name: string,
  take: (call: Call) => void,
): void {
  const command = parent.command(`${name}${record.args === undefined ? '' : ` ${record.args}`}`)
  command.description(record.says)
  for (const option of [...record.options, ...EVERYWHERE]) command.addOption(optionOf(option))
  command.addHelpText(
    'before',
    `Examples:\n${record.examples.map((each) => `  ${each}`).join('\n')}\n`,
  )
  command.action((...given: unknown[]) => {
    const positional = given.slice(0, -2).flatMap((each) => (each === undefined ? [] : each))
    take({ record, args: positional.map(String), options: new OptionValues(command.opts()) })
  })
}

/** The program of the command table; `take` is called with what the user asked for. */
function program(take: (call: Call) => void): Command {
  const root = new Command('harrier')
  root
    .description('Runs published security detections unmodified on your own logs.')
    .version(version())
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text) })
    .addHelpText(
      'before',
      `Examples:
  harrier run logs/ --rules sigma/rules
  harrier rules check sigma/rules
  harrier run logs/ --rules rules/ --min-level high --html report.html
`,
    )
  const groups = new Map<string, Command>()
  for (const record of commands) {
    const [group, name] = record.name.split(' ')
    if (group === undefined) continue
    if (name === undefined) {
      addCommand(root, record, group, take)
      continue
    }
    const parent =
      groups.get(group) ?? root.command(group).description('rule packs and rule checks')
    groups.set(group, parent)
    addCommand(parent, record, name, take)
  }
  return root
}

function explain(output: Output, error: unknown): number {
  const say = (text: string): void => output.err.write(`${safeText(text)}\n`)
  if (error instanceof UsageError) {
    say(`error: ${error.message}`)
    if (error.hint !== undefined) say(`hint: ${error.hint}`)
    return EXIT.usage
  }
  if (isEngineTrouble(error)) {
    say(`error: ${error.message}`)
    return EXIT.engine
  }
  say(`error: ${error instanceof Error ? error.message : String(error)}`)
  if (process.env.HARRIER_DEBUG !== undefined && error instanceof Error) say(error.stack ?? '')
  return EXIT.engine
}

function parse(argv: readonly string[]): Call | number {
  let call: Call | undefined
  try {
    program((made) => {
      call = made
    }).parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
  return call ?? EXIT.usage
}

/** Runs one call of the program and gives its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const call = parse(argv)
  if (typeof call === 'number') return call
  const output = makeOutput({
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    color: call.options.values.color !== false,
    quiet: call.options.flag('quiet'),
  })
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const context = makeContext(output, process.env, interrupt.signal)
    const code = await call.record.act(context, call.args, call.options)
    return interrupt.signal.aborted ? EXIT.interrupted : code
  } catch (error) {
    return interrupt.signal.aborted ? EXIT.interrupted : explain(output, error)
  } finally {
    output.status(undefined)
    await output.out.ready()
  }
}

process.exitCode = await main(process.argv.slice(2))

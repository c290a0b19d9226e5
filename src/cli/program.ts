/**
 * Arguments to a call: the program made from the table of commands, its help, and usage errors with a hint. Takes the
 * words after the program's name, gives the command to run or an exit code.
 */
import { Command, CommanderError, Option } from 'commander'
import { type CommandRecord, EVERYWHERE, type OptionRecord, OptionValues } from './command.ts'
import { ALIASES, commands, GROUPS } from './commands.ts'
import { safeText } from './text.ts'
import { EXIT, EXIT_TEXTS } from './usage.ts'
import { version } from './version.ts'

export interface Call {
  readonly record: CommandRecord
  readonly args: readonly string[]
  readonly options: OptionValues
}

const ABOUT = 'Runs published security detections, unmodified, on your own logs.'
const EXAMPLES = [
  'harrier start',
  'harrier run logs/ --rules sigma/rules --min-level high',
  'harrier rules check sigma/rules',
]

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

/** What commander says of wrong usage, as an error and a hint like all others. */
function usageText(said: string, path: string): string {
  const [first = '', ...rest] = said.trimEnd().split('\n')
  const choice =
    /^error: option '.*?(--[\w-]+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(
      first,
    )
  const near = /^\(Did you mean (.*)\?\)$/.exec(rest.join(' '))
  const problem =
    choice === null
      ? first.replace(/'([^']*)'/g, '"$1"')
      : `error: "${choice[2]}" is no value of ${choice[1]}`
  const hint =
    choice !== null
      ? `one of ${choice[3]}`
      : near !== null
        ? `did you mean ${near[1]}?`
        : `\`${path} --help\` shows how it is used`
  return `${safeText(problem)}\nhint: ${safeText(hint)}\n`
}

const examplesText = (examples: readonly string[]): string =>
  `Examples:\n${examples.map((each) => `  ${each}`).join('\n')}\n`

const exitText = (): string =>
  `\nExit codes:\n${EXIT_TEXTS.map(([code, says]) => `  ${String(code).padEnd(5)}${says}`).join('\n')}\n`

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function setUp(command: Command): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .configureHelp({
      subcommandTerm: (each) =>
        [each.name(), ...each.registeredArguments.map(argumentTerm)].join(' '),
    })
    .configureOutput({ outputError: (text, write) => write(usageText(text, pathOf(command))) })
}

function argumentTerm(argument: Command['registeredArguments'][number]): string {
  const name = argument.name() + (argument.variadic ? '...' : '')
  return argument.required ? `<${name}>` : `[${name}]`
}

function addCommand(
  parent: Command,
  record: CommandRecord,
  name: string,
  take: (call: Call) => void,
): void {
  const command = parent.command(`${name}${record.args === undefined ? '' : ` ${record.args}`}`, {
    isDefault: record.isDefault === true,
  })
  setUp(command)
  command.description(sentence(record.says)).summary(record.says)
  for (const option of [...record.options, ...EVERYWHERE]) command.addOption(optionOf(option))
  command.addHelpText('before', examplesText(record.examples))
  command.action((...given: unknown[]) => {
    const positional = given.slice(0, -2).flatMap((each) => (each === undefined ? [] : each))
    take({ record, args: positional.map(String), options: new OptionValues(command.opts()) })
  })
}

/** The program of the command table; `take` is called with what the user asked for. */
function program(take: (call: Call) => void): Command {
  const root = new Command('harrier')
  setUp(root)
  root
    .description(ABOUT)
    .version(version(), '-V, --version', 'show the version')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('before', examplesText(EXAMPLES))
    .addHelpText('after', exitText)
  const groups = new Map<string, Command>()
  for (const record of commands) {
    const [group = '', name] = record.name.split(' ')
    if (name === undefined) {
      addCommand(root, record, group, take)
      continue
    }
    let parent = groups.get(group)
    if (parent === undefined) {
      parent = root.command(group)
      setUp(parent)
      parent
        .description(GROUPS.get(group) ?? '')
        .helpCommand(false)
        .usage('<command>')
      groups.set(group, parent)
    }
    addCommand(parent, record, name, take)
  }
  return root
}

const isDefaultOf = ({ name, isDefault }: CommandRecord, group: string): boolean =>
  isDefault === true && name.startsWith(`${group} `)

/** Without a command, or with only the name of a group, help is what is wanted; `help a b` is `a b --help`. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv.map((each, at) => (at === 0 ? (ALIASES.get(each) ?? each) : each))
  if (first === undefined) return ['--help']
  if (first === 'help') return [...wordsOf(rest).filter((each) => each !== '--help'), '--help']
  const isBare = GROUPS.has(first) && rest.length === 0
  return isBare && !commands.some((each) => isDefaultOf(each, first))
    ? [first, '--help']
    : [first, ...rest]
}

/** Reads the arguments; help and usage errors are printed here, and their exit code is given. */
export function readCall(argv: readonly string[]): Call | number {
  let call: Call | undefined
  try {
    program((made) => {
      call = made
    }).parse(wordsOf(argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
  return call ?? EXIT.usage
}

/** Pages of the manual that are made from tables: functions, diagnostics, limits. */
import { type CodeRecord, codes } from '../src/core/codes.ts'
import { limitTable } from '../src/core/limits.ts'
import { functions } from '../src/functions/catalogue.ts'
import type { FunctionRecord } from '../src/functions/record.ts'
import { printType } from '../src/ir/types.ts'
import { CHECKS } from '../src/rules/lint/table.ts'
import { cliPage } from './clipage.ts'
import { kustoPage } from './kustopage.ts'
import { splPage } from './splpage.ts'

const NOTE =
  '<!-- Made by `npm run docs` from the tables in src; a test fails when it is stale. -->'
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text: string): string => (text === '' ? '' : `\`${cell(text)}\``)

function signature(record: FunctionRecord): string {
  const parameters = record.takes.map(({ name, type, constant, many }) => {
    const shown = type === 'any' ? 'any' : printType(type)
    return `${name}: ${constant ? 'constant ' : ''}${shown}${many ? '...' : ''}`
  })
  return `${record.id}(${parameters.join(', ')}) -> ${printType(record.gives)}`
}

function functionsPage(): string {
  const rows = [...functions.values()].map((record) => {
    const sigma = record.spelled?.sigma?.join(', ') ?? ''
    const [example] = record.examples
    const shown =
      example === undefined
        ? ''
        : `${example.args.map((each) => JSON.stringify(each)).join(', ')} gives ${JSON.stringify(example.gives)}`
    return `| ${code(signature(record))} | ${cell(record.says)} | ${cell(sigma)} | ${code(shown)} |`
  })
  return [
    '# Functions',
    '',
    NOTE,
    '',
    'The functions of the intermediate representation: what every language is lowered to. Each example is run on',
    'the engine by the tests.',
    '',
    '| function | what it gives | in Sigma | example |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function diagnosticsPage(): string {
  const rows = Object.entries(codes).map(([name, record]) => {
    const hint = 'hint' in record ? record.hint : ''
    return `| ${name} | ${record.severity} | ${cell(record.message)} | ${cell(hint)} |`
  })
  return [
    '# Diagnostics',
    '',
    NOTE,
    '',
    'Every message with a code. A code keeps its meaning for ever. An error refuses the rule or the record; a',
    'warning or a notice does not.',
    '',
    '| code | severity | message | hint |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function limitsPage(): string {
  const rows = Object.entries(limitTable).map(
    ([name, { value, unit, why }]) =>
      `| ${name} | ${value.toLocaleString('en')} ${unit} | ${cell(why)} |`,
  )
  return [
    '# Limits',
    '',
    NOTE,
    '',
    'Every numeric limit, with its reason. What passes a limit is refused with a message that names it; nothing is',
    'cut in silence.',
    '',
    '| limit | value | why |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function lintPage(): string {
  const parts = CHECKS.flatMap(({ codes: own, says }) => [
    `**${says}**`,
    '',
    '| code | severity | message | hint |',
    '|---|---|---|---|',
    ...own.map((name) => {
      const record: CodeRecord = codes[name]
      return `| ${name} | ${record.severity} | ${cell(record.message)} | ${cell(record.hint ?? '')} |`
    }),
    '',
  ])
  return [
    '# Lint',
    '',
    NOTE,
    '',
    'What `harrier lint` looks for, beside what [diagnostics](diagnostics.md) every rule has when it is loaded. Notices are told',
    'with `--notices`.',
    '',
    'A comment leaves codes out: `# harrier-ignore: HR961, HR974` at the end of a line for that line, on a line of its own for the',
    'next line with all that is indented below it. In a query the comment begins with `//`, in a search with three backticks.',
    '',
    ...parts,
  ].join('\n')
}

/** The generated pages by path. */
export const pages: ReadonlyMap<string, () => string> = new Map([
  ['docs/functions.md', functionsPage],
  ['docs/diagnostics.md', diagnosticsPage],
  ['docs/limits.md', limitsPage],
  ['docs/lint.md', lintPage],
  ['docs/cli.md', () => cliPage(NOTE)],
  ['docs/kusto.md', () => kustoPage(NOTE)],
  ['docs/spl.md', () => splPage(NOTE)],
])

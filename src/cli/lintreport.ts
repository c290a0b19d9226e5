/** Problems that linting found, in the forms that they are printed in: lines for a person, JSON, and SARIF 2.1.0. */
import { createHash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Code, codes, type Severity } from '../core/codes.ts'
import { renderDiagnostic } from '../core/diagnostic.ts'
import { placeOf } from '../core/span.ts'
import { isCode, type LintProblem } from '../rules/lint/lint.ts'
import { purposeOf } from '../rules/lint/table.ts'
import { diagnosticRecord } from './check.ts'
import { count, counted } from './figures.ts'
import { type Output, paint, type Style, type Writer } from './terminal.ts'
import { safeLines, safeText } from './text.ts'

const STYLES: Readonly<Record<Severity, Style>> = { error: 'bad', warning: 'bold', notice: 'dim' }

/** How many problems of each severity there are. */
export function lintTotals(problems: readonly LintProblem[]) {
  const of = (severity: Severity): number =>
    problems.filter(({ diagnostic }) => diagnostic.severity === severity).length
  return { errors: of('error'), warnings: of('warning'), notices: of('notice') }
}

/** One problem as JSON. */
export function lintRecord({ file, rule, diagnostic }: LintProblem) {
  return {
    file,
    ...(rule === undefined
      ? {}
      : { rule: { id: rule.id, title: rule.title, language: rule.language } }),
    ...diagnosticRecord(diagnostic),
  }
}

/** A problem with its line and a caret below it. */
function problemText(writer: Writer, { file, text, diagnostic }: LintProblem): string {
  const { severity, code } = diagnostic
  const whole = safeLines(renderDiagnostic(diagnostic, text === '' ? undefined : text, file))
  const head = `${severity} ${code}`
  return `${whole.replace(head, paint(writer, STYLES[severity], head))}\n`
}

/** The problems for a person, below the title of their rule. */
export async function printLint(output: Output, problems: readonly LintProblem[]): Promise<void> {
  const { out } = output
  let last: unknown
  for (const [index, each] of problems.entries()) {
    const { rule, file } = each
    const group = rule ?? file
    if (group !== last) {
      const title = rule === undefined ? file : rule.title || rule.id || file
      out.write(`${index === 0 ? '' : '\n'}${paint(out, 'bold', safeText(title.slice(0, 200)))}\n`)
    }
    last = group
    out.write(problemText(out, each))
    if (index % 256 === 0) await out.ready()
  }
  await out.ready()
}

/** How much there is of each code. */
export function lintSummary(
  writer: Writer,
  problems: readonly LintProblem[],
  rules: number,
): string {
  const { errors, warnings, notices } = lintTotals(problems)
  const byCode = new Map<Code, number>()
  for (const { diagnostic } of problems) {
    byCode.set(diagnostic.code, (byCode.get(diagnostic.code) ?? 0) + 1)
  }
  const sorted = [...byCode].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const parts = [
    errors === 0 ? '0 errors' : paint(writer, 'bad', counted(errors, 'error')),
    counted(warnings, 'warning'),
    ...(notices === 0 ? [] : [counted(notices, 'notice')]),
  ]
  return [
    `${paint(writer, 'bold', counted(rules, 'rule'))}: ${parts.join(', ')}`,
    ...sorted.map(([code, number]) => `  ${code}: ${count(number)}`),
    '',
  ].join('\n')
}

/** A text as a message of SARIF, where single braces mean placeholders. */
const messageOf = (text: string) => ({ text: text.replace(/[{}]/g, '$&$&') })

const SARIF_LEVELS = { error: 'error', warning: 'warning', notice: 'note' } as const

/** A path as SARIF wants it: relative to where the program runs, or an address. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href
  return file
    .replace(/\\/g, '/')
    .split('/')
    .map((each) => encodeURIComponent(each))
    .join('/')
}

/** What a message says, without its values. */
const withoutValues = (text: string): string => text.replace(/"?\{[a-zA-Z]+\}"?/g, '...')

function ruleOf(code: Code) {
  const record: { severity: Severity; message: string; hint?: string } = codes[code]
  const message = withoutValues(record.message)
  const purpose = purposeOf(code) ?? message
  const help = record.hint === undefined ? purpose : `${purpose} ${withoutValues(record.hint)}`
  return {
    id: code,
    shortDescription: messageOf(message),
    fullDescription: messageOf(purpose),
    help: messageOf(help),
    defaultConfiguration: { level: SARIF_LEVELS[record.severity] },
  }
}

function regionOf({ text, diagnostic }: LintProblem) {
  const { span, place } = diagnostic
  if (span === undefined || text === '') {
    return place === undefined ? undefined : { startLine: place.line, startColumn: place.column }
  }
  const start = placeOf(text, span.start)
  const end = placeOf(text, Math.max(span.end, span.start + 1))
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    // An end on the same line lies behind the start, also at the end of a file.
    endColumn: end.line === start.line ? Math.max(end.column, start.column + 1) : end.column,
  }
}

/** The problems as one SARIF 2.1.0 document. */
export function sarifDocument(problems: readonly LintProblem[], version: string) {
  const used = [...new Set(problems.map(({ diagnostic }) => diagnostic.code))].filter(isCode).sort()
  const places = new Map(used.map((code, index) => [code, index]))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'harrier', version, rules: used.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        results: problems.map((problem) => {
          const { file, rule, diagnostic } = problem
          const { code, severity, message, hint } = diagnostic
          const region = regionOf(problem)
          const text = hint === undefined ? message : `${message}. ${hint}`
          const key = JSON.stringify([code, rule?.id ?? file, message])
          return {
            ruleId: code,
            ruleIndex: places.get(code) ?? -1,
            level: SARIF_LEVELS[severity],
            message: messageOf(text),
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: uriOf(file) },
                  ...(region === undefined ? {} : { region }),
                },
              },
            ],
            partialFingerprints: {
              'harrierLint/v1': createHash('sha256').update(key).digest('hex').slice(0, 32),
            },
          }
        }),
      },
    ],
  }
}

/** `harrier lint`: what is wrong or doubtful about rules, beyond whether they can run. */
import { readFileSync } from 'node:fs'
import { codes } from '../../core/codes.ts'
import { suggest } from '../../core/suggest.ts'
import { readUsualFields } from '../../rules/lint/fields.ts'
import { isCode, lint as lintRules } from '../../rules/lint/lint.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import { STORE_OPTION, storeFor } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { EXTERNAL_OPTION } from '../kusto.ts'
import { lintRecord, lintSummary, lintTotals, printLint, sarifDocument } from '../lintreport.ts'
import { packagePath } from '../paths.ts'
import { PLACEHOLDERS_OPTION, problemText, readRules } from '../rulesets.ts'
import { SETTINGS_OPTION } from '../settings.ts'
import { EXIT, UnusableError, UsageError } from '../usage.ts'
import { version } from '../version.ts'

/** Codes of an option, separated by commas or given several times. */
function codesOf(options: OptionValues, name: string): ReadonlySet<string> {
  const all = options
    .texts(name)
    .flatMap((each) => each.split(','))
    .map((each) => each.trim().toUpperCase())
    .filter((each) => each !== '')
  const wrong = all.find((each) => !isCode(each))
  if (wrong === undefined) return new Set(all)
  const near = suggest(wrong, Object.keys(codes))
  throw new UsageError(
    `there is no code ${wrong}`,
    near === undefined ? 'docs/lint.md lists them' : `did you mean ${near}?`,
  )
}

async function storedFor(context: Context, options: OptionValues) {
  if (options.text('store') === undefined) return undefined
  const { opened } = await storeFor(context, [], options)
  try {
    return await opened?.store.catalogue()
  } finally {
    await opened?.close()
  }
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const forms = ['json', 'jsonl', 'sarif'].filter((each) => options.flag(each))
  if (forms.length > 1)
    throw new UsageError(`choose one of ${forms.map((each) => `--${each}`).join(' and ')}`)
  const [only, ignore] = [codesOf(options, 'only'), codesOf(options, 'ignore')]
  const failOn = options.text('failOn')
  const { set, problems: unread } = await readRules(context, options, args)
  const named = unread.filter((each) => each.isNamed)
  if (named.length > 0) throw new UnusableError(problemText(named).trimEnd())
  const stored = await storedFor(context, options)
  const { output } = context
  output.status('Looking at rules')
  const problems = lintRules(
    // Overlays for rules that are not there are among what was not read.
    { ...set, problems: unread },
    {
      schema: context.schema(),
      attack: context.attack(),
      usual: readUsualFields(readFileSync(packagePath('content/lint/sigma-fields.txt'), 'utf8')),
      ...(stored === undefined ? {} : { stored }),
    },
    { only, ignore, notices: options.flag('notices') },
  )
  output.status(undefined)
  const totals = lintTotals(problems)
  if (options.flag('sarif')) output.out.write(`${jsonText(sarifDocument(problems, version()))}\n`)
  else if (options.flag('json')) {
    const counts = { rules: set.rules.length, ...totals }
    output.out.write(`${jsonText({ problems: problems.map(lintRecord), totals: counts })}\n`)
  } else if (options.flag('jsonl')) {
    for (const [index, each] of problems.entries()) {
      output.out.write(`${jsonText(lintRecord(each))}\n`)
      if (index % 256 === 0) await output.out.ready()
    }
  } else await printLint(output, problems)
  if (!output.quiet) output.err.write(lintSummary(output.err, problems, set.rules.length))
  const isFailed =
    (failOn !== undefined && totals.errors > 0) || (failOn === 'warning' && totals.warnings > 0)
  return isFailed ? EXIT.failOn : EXIT.done
}

export const lint: CommandRecord = {
  name: 'lint',
  says: 'what is wrong or doubtful about rules, beyond whether they can run',
  args: '[paths...]',
  options: [
    {
      flags: '--only <codes>',
      says: 'only these codes, e.g. HR961,HR974; may be given several times',
      many: true,
    },
    {
      flags: '--ignore <codes>',
      says: 'without these codes; may be given several times',
      many: true,
    },
    { flags: '--notices', says: 'also what is a matter of style or cost' },
    {
      flags: '--fail-on <severity>',
      says: 'exit with 1 when there is an error, or a warning',
      values: ['error', 'warning'],
    },
    { flags: '--json', says: 'one JSON document with problems and totals' },
    { flags: '--jsonl', says: 'one problem as JSON on each line' },
    { flags: '--sarif', says: 'one SARIF 2.1.0 document, for code scanning' },
    STORE_OPTION,
    PLACEHOLDERS_OPTION,
    EXTERNAL_OPTION,
    SETTINGS_OPTION,
  ],
  prints:
    'Each problem with its line and a caret, below the title of its rule; the counts by code on stderr. With `--store`, fields are ' +
    'also looked for in what is stored. A comment `# harrier-ignore: HR961` in a rule leaves that code out on its line; on a line ' +
    'of its own it is for what comes next, with all that is indented below. Codes are explained in docs/lint.md. Without paths: ' +
    'packs and starter rules.',
  examples: [
    'harrier lint rules/',
    'harrier lint rules/ --fail-on warning --ignore HR956',
    'harrier lint sigma/rules --sarif > lint.sarif',
    'harrier lint rules/ --store ./store --notices',
  ],
  act,
}

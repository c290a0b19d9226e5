/** `harrier rules check|list|add|update|remove`: what rules there are, and whether they can run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { diagnose, renderDiagnostic } from '../../core/diagnostic.ts'
import { systemReason } from '../../core/systemerror.ts'
import { printInstant } from '../../core/time.ts'
import { loadRules } from '../../rules/load.ts'
import { type Pack, type PackResult, Packs } from '../../rules/packs.ts'
import type { LoadedRule } from '../../rules/rule.ts'
import { printCheck, printCheckJson } from '../check.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import { count, counted } from '../figures.ts'
import { jsonText } from '../json.ts'
import { EXTERNAL_OPTION, lazyKusto } from '../kusto.ts'
import { overlayHome } from '../overlays.ts'
import {
  type PathProblem,
  PLACEHOLDERS_OPTION,
  problemText,
  RULES_OPTION,
  readRules,
  refusals,
} from '../rulesets.ts'
import { SETTINGS_OPTION } from '../settings.ts'
import { renderTable } from '../table.ts'
import { findFilterTests, runFound } from '../testing.ts'
import { line, safeLines } from '../text.ts'
import { firstOverlay } from '../tuning.ts'
import { EXIT, shellWord, UnusableError, UsageError } from '../usage.ts'
import { findRules } from './explain.ts'

const JSON_OPTION = { flags: '--json', says: 'as one JSON document' }

const packsOf = (context: Context): Packs => new Packs(context.dataFolder, context.signal)

/** The tests of filters that fail; none is run when no overlay has one. */
async function filterFailures(
  context: Context,
  rules: readonly LoadedRule[],
  options: OptionValues,
): Promise<readonly PathProblem[]> {
  const found = findFilterTests(context, rules)
  if (found.runnable.length + found.others.length === 0) return []
  const { results } = await runFound(context, found, options)
  return results.flatMap(({ file, line: number = 1, name, state, reasons }) => {
    if (state === 'passed') return []
    const params = { name: name.slice(0, 200), reason: reasons.join('; ').slice(0, 500) }
    const diagnostic = { ...diagnose('HR948', params), place: { line: number, column: 1 } }
    return [{ isNamed: false, file, diagnostic }]
  })
}

/** A file name made of the title of a rule. */
function fileNameOf(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? ['rule']
  return `${words.join('-').slice(0, 80)}.yml`
}

async function tune(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [named = ''] = args
  const [loaded, ...others] = await findRules(context, named, options)
  const rule = loaded?.rule
  if (loaded === undefined || rule === undefined) {
    throw new UnusableError(refusals(loaded === undefined ? [] : [loaded]))
  }
  const different = others.find((each) => each.title !== loaded.title)
  if (different !== undefined) {
    throw new UsageError(`"${named}" holds several rules`, 'name one by its id or its title')
  }
  const text = firstOverlay(rule, printInstant(context.now()).slice(0, 10))
  if (options.flag('print')) {
    context.output.out.write(safeLines(text))
    return EXIT.done
  }
  if (rule.tuning !== undefined) {
    throw new UsageError(`there is an overlay for this rule: ${rule.tuning.file}`)
  }
  const path = join(overlayHome(context, options), fileNameOf(rule.title))
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${systemReason(error)}`)
  }
  context.output.out.write(line`${path}\n`)
  say(
    context,
    'next: take out the comment signs of what is to hold, then run `harrier rules check`\n',
  )
  return EXIT.done
}

async function check(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const { set, problems: unread } = await readRules(context, options, args)
  const { rules } = set
  const failures = await filterFailures(context, rules, options)
  const problems = [...unread, ...failures]
  if (options.flag('json')) await printCheckJson(context.output, rules, problems)
  else if (rules.length > 0) await printCheck(context.output, rules, options.flag('verbose'))
  context.output.err.write(problemText(problems))
  const runnable = rules.filter((each) => each.rule !== undefined).length
  const isUnusable = options.flag('strict') ? runnable < rules.length : runnable === 0
  if (isUnusable || problems.some((each) => each.isNamed)) return EXIT.unusable
  return failures.length > 0 ? EXIT.failOn : EXIT.done
}

/** How many rules of a pack there are, and can run. */
async function countRules(
  context: Context,
  pack: Pack,
): Promise<{ readonly rules: number; readonly runnable: number }> {
  const { rules } = await loadRules([pack.folder], {
    placeholders: new Map(),
    kusto: lazyKusto(context),
    schema: () => context.schema(),
  })
  return {
    rules: rules.length,
    runnable: rules.filter((each) => each.rule !== undefined).length,
  }
}

async function list(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  const { out, err } = context.output
  const packs = []
  for (const pack of packsOf(context).list())
    packs.push({ ...pack, ...(await countRules(context, pack)) })
  if (options.flag('json')) {
    out.write(`${jsonText({ packs })}\n`)
    return EXIT.done
  }
  if (packs.length === 0) {
    err.write(
      `no packs yet; add one: ${context.program} rules add https://github.com/SigmaHQ/sigma\n`,
    )
    return EXIT.done
  }
  out.write(
    renderTable(
      out,
      [
        { title: 'PACK' },
        { title: 'RULES', align: 'right' },
        { title: 'CAN RUN', align: 'right' },
        { title: 'REF', shrinksTo: 8 },
        { title: 'COMMIT' },
        { title: 'FETCHED', dropOrder: 1 },
        { title: 'FROM', shrinksTo: 16, dropOrder: 2 },
      ],
      packs.map(({ name, rules, runnable, ref = 'default', commit, date, url }) => [
        name,
        rules,
        runnable,
        ref === commit ? ref.slice(0, 12) : ref,
        commit.slice(0, 12),
        date.slice(0, 10),
        url,
      ]),
    ),
  )
  return EXIT.done
}

/** Tells what came of fetching a pack. */
async function report(context: Context, result: PackResult): Promise<number> {
  const { err, quiet } = context.output
  if ('problem' in result) {
    const { code } = result.problem
    err.write(`${safeLines(renderDiagnostic(result.problem))}\n`)
    return code === 'HR904' || code === 'HR913' ? EXIT.engine : EXIT.usage
  }
  if (quiet) return EXIT.done
  const { pack, before } = result
  const { rules, runnable } = await countRules(context, pack)
  const change =
    before === undefined
      ? ''
      : before === pack.commit
        ? ' (no change)'
        : ` (was ${before.slice(0, 12)})`
  const refused = runnable < rules ? `, ${count(rules - runnable)} refused` : ''
  err.write(
    line`${pack.name}: ${counted(rules, 'rule')}, ${count(runnable)} can run${refused}; ` +
      line`commit ${pack.commit.slice(0, 12)}${change}\n`,
  )
  if (runnable < rules) {
    err.write(
      line`why rules are refused: ${context.program} rules check ${shellWord(pack.folder)}\n`,
    )
  }
  return EXIT.done
}

function say(context: Context, text: string): void {
  if (!context.output.quiet) context.output.err.write(text)
}

async function add(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [url = ''] = args
  const result = await packsOf(context).add(url, printInstant(context.now()), {
    name: options.text('name'),
    ref: options.text('ref'),
    onFetch: () => say(context, line`fetching ${url} with git\n`),
  })
  const code = await report(context, result)
  if (code === EXIT.done) say(context, `next: ${context.program} run LOGS\n`)
  return code
}

/** Refuses names of packs that are not there, before anything is done to the others. */
function checkNames(packs: Packs, names: readonly string[]): void {
  const known = new Set(packs.list().map((each) => each.name))
  const wrong = names.find((name) => !known.has(name))
  if (wrong === undefined) return
  throw new UsageError(
    `there is no pack "${wrong}"`,
    known.size === 0 ? 'no packs were added yet' : `there are ${[...known].join(', ')}`,
  )
}

async function update(context: Context, args: readonly string[]): Promise<number> {
  const packs = packsOf(context)
  checkNames(packs, args)
  const names = args.length > 0 ? args : packs.list().map((each) => each.name)
  if (names.length === 0) say(context, 'no packs yet; nothing to update\n')
  let code: number = EXIT.done
  for (const name of names) {
    if (context.signal.aborted) break
    const result = await packs.update(name, printInstant(context.now()))
    code = Math.max(code, await report(context, result))
  }
  return code
}

async function remove(context: Context, args: readonly string[]): Promise<number> {
  const packs = packsOf(context)
  checkNames(packs, args)
  for (const name of new Set(args)) {
    packs.remove(name)
    say(context, line`removed ${name}\n`)
  }
  return EXIT.done
}

export const rulesCommands: readonly CommandRecord[] = [
  {
    name: 'rules check',
    says: 'tell for each rule whether it can run, and why not',
    args: '[paths...]',
    options: [
      PLACEHOLDERS_OPTION,
      EXTERNAL_OPTION,
      JSON_OPTION,
      { flags: '--verbose', says: 'also warnings and notices of all rules' },
      { flags: '--strict', says: 'exit with 2 when any rule cannot run' },
      SETTINGS_OPTION,
    ],
    prints:
      'Each rule that cannot run as `file:line:column: error CODE: reason` on stdout, and the totals on stderr. Without paths: ' +
      'packs and starter rules. The exit code is 2 when no rule can run, with `--strict` when any cannot. ' +
      'Tests of filters in overlays are run too; when one fails the exit code is 1.',
    examples: [
      'harrier rules check sigma/rules',
      'harrier rules check rules.zip --json',
      'harrier rules check detections/ hunts.md queries.jsonl.gz',
      'harrier rules check rules/ --placeholders vars.yml --strict',
    ],
    act: check,
  },
  {
    name: 'rules tune',
    says: 'write a first overlay for a rule: schedule, level, risk, suppression, filter',
    args: '<rule>',
    options: [
      RULES_OPTION,
      SETTINGS_OPTION,
      { flags: '--print', says: 'print the overlay instead of writing a file' },
    ],
    prints:
      'Overlays lie in the folder `overrides` beside `harrier.yml`, or where its `overrides` says. Every command applies them to ' +
      'rules when it loads them, and pack updates leave them alone. A rule never runs without its filter: one that does not ' +
      'compile refuses the rule. The path of the new file is printed.',
    examples: [
      'harrier rules tune 0b1c2d3e-0000-4000-8000-000000000000',
      'harrier rules tune "Whoami Utility Execution" --print',
    ],
    act: tune,
  },
  {
    name: 'rules list',
    says: 'the rule packs that were added',
    options: [JSON_OPTION],
    prints: 'A table of packs with their commits.',
    examples: ['harrier rules list'],
    act: list,
  },
  {
    name: 'rules add',
    says: 'clone a git repository of rules and pin its commit',
    args: '<address>',
    options: [
      { flags: '--name <name>', says: 'name of the pack (default: from the address)' },
      { flags: '--ref <ref>', says: 'branch, tag or commit (default: the default branch)' },
    ],
    prints:
      'Uses your own git, with its credentials and proxies. Nothing of the repository is run, and links in it are not ' +
      'followed. Rules of packs are used by every command that is given no rules.',
    examples: [
      'harrier rules add https://github.com/SigmaHQ/sigma',
      'harrier rules add file:///srv/git/our-rules.git --name ours --ref v2',
    ],
    act: add,
  },
  {
    name: 'rules update',
    says: 'fetch packs again (all when none is named)',
    args: '[names...]',
    options: [],
    prints:
      'Each pack moves to the newest commit of its branch; when fetching fails, the pack stays as it was.',
    examples: ['harrier rules update', 'harrier rules update sigma'],
    act: update,
  },
  {
    name: 'rules remove',
    says: 'remove packs',
    args: '<names...>',
    options: [],
    prints: 'The clone is removed from the data folder.',
    examples: ['harrier rules remove sigma'],
    act: remove,
  },
]

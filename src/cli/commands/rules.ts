/** `harrier rules check|list|add|update|remove`: what rules there are, and whether they can run. */
import { renderDiagnostic } from '../../core/diagnostic.ts'
import { printInstant } from '../../core/time.ts'
import { loadRules } from '../../rules/load.ts'
import { type PackResult, Packs } from '../../rules/packs.ts'
import { printCheck, printCheckJson } from '../check.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { defaultRulePaths, RULE_OPTIONS, rulesFor } from '../rulesets.ts'
import { renderTable } from '../table.ts'
import { line, safeLines } from '../text.ts'
import { EXIT, UsageError } from '../usage.ts'

async function check(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const paths = args.length > 0 ? args : defaultRulePaths(context)
  const set = await rulesFor(context, options, paths)
  if (options.flag('json')) await printCheckJson(context.output, set.rules)
  else await printCheck(context.output, set.rules, options.flag('verbose'))
  for (const { file, diagnostic } of set.problems) {
    context.output.err.write(`${safeLines(renderDiagnostic(diagnostic, undefined, file))}\n`)
  }
  if (set.rules.length === 0) return EXIT.unusable
  const refused = set.rules.some((each) => each.rule === undefined)
  return options.flag('strict') && refused ? EXIT.unusable : EXIT.done
}

async function list(
  context: Context,
  _: readonly string[],
  options: OptionValues,
): Promise<number> {
  const packs = new Packs(context.dataFolder).list()
  const { out, err } = context.output
  if (options.flag('json')) {
    out.write(`${jsonText({ packs })}\n`)
    return EXIT.done
  }
  if (packs.length === 0) {
    err.write('no packs yet; `harrier rules add https://...` clones one with git\n')
    return EXIT.done
  }
  const rows = []
  for (const pack of packs) {
    const { rules } = await loadRules([pack.folder], { placeholders: new Map() })
    const runnable = rules.filter((each) => each.rule !== undefined).length
    rows.push([
      pack.name,
      rules.length,
      runnable,
      pack.commit.slice(0, 12),
      pack.date.slice(0, 10),
      pack.url,
    ])
  }
  const names = ['pack', 'rules', 'runnable', 'commit', 'date', 'from']
  out.write(
    renderTable(
      out,
      names.map((name, index) => ({
        title: name,
        ...(index === 1 || index === 2 ? { align: 'right' as const } : {}),
        ...(index === 5 ? { shrinksTo: 16 } : {}),
      })),
      rows,
    ),
  )
  return EXIT.done
}

async function report(context: Context, result: PackResult): Promise<number> {
  const { err } = context.output
  if ('problem' in result) {
    err.write(`${safeLines(renderDiagnostic(result.problem))}\n`)
    return EXIT.unusable
  }
  const { pack, before } = result
  const { rules } = await loadRules([pack.folder], { placeholders: new Map() })
  const runnable = rules.filter((each) => each.rule !== undefined).length
  const from =
    before === undefined
      ? ''
      : before === pack.commit
        ? ' (no change)'
        : line` (was ${before.slice(0, 12)})`
  err.write(
    line`${pack.name}: ${rules.length} rules, ${runnable} runnable, at commit ${pack.commit.slice(0, 12)}` +
      `${from}\n`,
  )
  return EXIT.done
}

async function add(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const [url] = args
  if (url === undefined) throw new UsageError('name the address of a git repository')
  const name = options.text('name')
  const ref = options.text('ref')
  const result = await new Packs(context.dataFolder).add(url, printInstant(context.now()), {
    ...(name === undefined ? {} : { name }),
    ...(ref === undefined ? {} : { ref }),
  })
  return report(context, result)
}

async function update(context: Context, args: readonly string[]): Promise<number> {
  const packs = new Packs(context.dataFolder)
  const names = args.length > 0 ? args : packs.list().map((each) => each.name)
  let code: number = EXIT.done
  for (const name of names) {
    const result = await packs.update(name, printInstant(context.now()))
    code = Math.max(code, await report(context, result))
  }
  return code
}

async function remove(context: Context, args: readonly string[]): Promise<number> {
  const packs = new Packs(context.dataFolder)
  for (const name of args) {
    if (!packs.remove(name)) throw new UsageError(`there is no pack "${name}"`)
    context.output.err.write(line`removed ${name}\n`)
  }
  return EXIT.done
}

const JSON_OPTION = { flags: '--json', says: 'as one JSON document' }

export const rulesCommands: readonly CommandRecord[] = [
  {
    name: 'rules check',
    says: 'tell for each rule whether it can run, and why not',
    args: '[paths...]',
    options: [
      ...RULE_OPTIONS.filter((each) => each.flags.startsWith('--placeholders')),
      JSON_OPTION,
      { flags: '--verbose', says: 'also warnings and notices of runnable rules' },
      { flags: '--strict', says: 'exit with 2 when any rule cannot run' },
    ],
    examples: [
      'harrier rules check sigma/rules',
      'harrier rules check rules.zip --json',
      'harrier rules check rules/ --placeholders vars.yml --strict',
    ],
    act: check,
  },
  {
    name: 'rules list',
    says: 'the rule packs that were added',
    options: [JSON_OPTION],
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
    examples: [
      'harrier rules add https://github.com/SigmaHQ/sigma',
      'harrier rules add file:///srv/git/our-rules.git --name ours',
    ],
    act: add,
  },
  {
    name: 'rules update',
    says: 'fetch packs again (all when none is named)',
    args: '[names...]',
    options: [],
    examples: ['harrier rules update', 'harrier rules update sigma'],
    act: update,
  },
  {
    name: 'rules remove',
    says: 'remove packs',
    args: '<names...>',
    options: [],
    examples: ['harrier rules remove sigma'],
    act: remove,
  },
]

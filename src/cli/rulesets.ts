/** Which rules a command works on: paths, packs or the starter rules, filtered by level, tags and id. */
import { readFileSync } from 'node:fs'
import { hasErrors } from '../core/diagnostic.ts'
import { childOf, readYaml, textOf, type YamlNode } from '../core/yaml.ts'
import { loadRules, type RuleSet } from '../rules/load.ts'
import { Packs } from '../rules/packs.ts'
import { LEVELS, type Level, type Rule, rankOf } from '../rules/rule.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { packagePath } from './paths.ts'
import { UsageError } from './usage.ts'

export const RULE_OPTIONS: readonly OptionRecord[] = [
  {
    flags: '-r, --rules <path>',
    says: 'rule file, folder or archive; may be given several times (default: packs and starter rules)',
    many: true,
  },
  { flags: '--placeholders <file>', says: 'YAML file with values for %placeholders%' },
  { flags: '--min-level <level>', says: 'only rules of this level or above', values: LEVELS },
  {
    flags: '--tags <tag>',
    says: 'only rules with this tag, e.g. attack.t1059; may be given several times',
    many: true,
  },
]

function levelOf(text: string): Level {
  const found = LEVELS.find((each) => each === text.toLowerCase())
  if (found === undefined) throw new UsageError(`"${text}" is no level`, `use ${LEVELS.join(', ')}`)
  return found
}

/** Level of an option that names one, or undefined. */
export function levelOption(options: OptionValues, name: string): Level | undefined {
  const text = options.text(name)
  return text === undefined ? undefined : levelOf(text)
}

function valuesOf(node: YamlNode): readonly string[] {
  if (node.kind === 'list') return node.items.flatMap((each) => textOf(each) ?? [])
  const text = textOf(node)
  return text === undefined ? [] : [text]
}

/** Values of placeholders: a map of name to value or list of values, at the top or under `vars`. */
function readPlaceholders(path: string | undefined): ReadonlyMap<string, readonly string[]> {
  if (path === undefined) return new Map()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`cannot read the placeholder file ${path}`)
  }
  const { documents, diagnostics } = readYaml(text)
  const [first] = documents
  if (hasErrors(diagnostics) || first?.kind !== 'map') {
    throw new UsageError(
      `${path} is no YAML map of placeholder names to values`,
      diagnostics[0]?.message ?? 'write e.g.  Administrators: [alice, bob]',
    )
  }
  const map = childOf(first, 'vars') ?? first
  return new Map(
    map.kind === 'map'
      ? map.entries.map(({ key, value }) => [key.replace(/^%(.*)%$/, '$1'), valuesOf(value)])
      : [],
  )
}

/** Paths of the rules that are used when none are named: all packs, then the starter rules. */
export function defaultRulePaths(context: Context): readonly string[] {
  const packs = new Packs(context.dataFolder).list().map((each) => each.folder)
  return [...packs, packagePath('content/rules')]
}

/** Loads the rules that the options name. */
export async function rulesFor(
  context: Context,
  options: OptionValues,
  paths: readonly string[] = options.texts('rules'),
): Promise<RuleSet> {
  return loadRules(paths.length > 0 ? paths : defaultRulePaths(context), {
    placeholders: readPlaceholders(options.text('placeholders')),
  })
}

/** The runnable rules that level and tags select. A tag also selects its sub-techniques. */
export function selectRules(set: RuleSet, options: OptionValues): readonly Rule[] {
  const least = levelOption(options, 'minLevel')
  const tags = options.texts('tags').flatMap((each) => each.toLowerCase().split(','))
  const wanted = (rule: Rule): boolean =>
    tags.length === 0 ||
    rule.tags.some((tag) => tags.some((each) => tag === each || tag.startsWith(`${each}.`)))
  return set.rules
    .flatMap((each) => each.rule ?? [])
    .filter((rule) => least === undefined || rankOf(rule.level) >= rankOf(least))
    .filter(wanted)
}

/** Which rules a command works on: paths, packs or the starter rules, filtered by level and tags. */
import { readFileSync } from 'node:fs'
import { hasErrors, renderDiagnostic } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import { systemReason } from '../core/systemerror.ts'
import { childOf, readYaml, textOf, type YamlNode } from '../core/yaml.ts'
import { loadRules, type RuleSet } from '../rules/load.ts'
import { Packs } from '../rules/packs.ts'
import {
  LEVELS,
  type Level,
  type LoadedRule,
  type LocatedDiagnostic,
  type Rule,
  rankOf,
} from '../rules/rule.ts'
import type { OptionRecord, OptionValues } from './command.ts'
import type { Context } from './context.ts'
import { count, counted } from './figures.ts'
import { EXTERNAL_OPTION, lazyKusto, readPins } from './kusto.ts'
import { overlaysFor } from './overlays.ts'
import { packagePath } from './paths.ts'
import { safeLines } from './text.ts'
import { shellWord, UnusableError, UsageError } from './usage.ts'

export const PLACEHOLDERS_OPTION: OptionRecord = {
  flags: '--placeholders <file>',
  says: 'YAML file with values for %placeholders%',
}

export const RULES_OPTION: OptionRecord = {
  flags: '-r, --rules <path>',
  says: 'rule file, folder or archive; may be given several times (default: packs and starter rules)',
  many: true,
}

export const RULE_OPTIONS: readonly OptionRecord[] = [
  RULES_OPTION,
  PLACEHOLDERS_OPTION,
  EXTERNAL_OPTION,
  { flags: '--min-level <level>', says: 'only rules of this level or above', values: LEVELS },
  {
    flags: '--tags <tag>',
    says: 'only rules with this tag, e.g. attack.t1059; may be given several times',
    many: true,
  },
]

/** Level of an option that names one, or undefined. */
export function levelOption(options: OptionValues, name: string): Level | undefined {
  const text = options.text(name)
  return LEVELS.find((each) => each === text)
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
  } catch (error) {
    throw new UsageError(`cannot read the placeholder file ${path}: ${systemReason(error)}`)
  }
  const { documents, diagnostics } = readYaml(text)
  const [first] = documents
  if (hasErrors(diagnostics) || first?.kind !== 'map') {
    throw new UsageError(
      `${path} is no YAML map of placeholder names to values`,
      diagnostics[0]?.message ?? 'write e.g.  Administrators: [alice, bob]',
    )
  }
  const vars = childOf(first, 'vars')
  const map = vars?.kind === 'map' ? vars : first
  return new Map(
    map.entries.map(({ key, value }) => [key.replace(/^%(.*)%$/, '$1'), valuesOf(value)]),
  )
}

/** Paths of the rules that are used when none are named: all packs, then the starter rules. */
export function defaultRulePaths(context: Context): readonly string[] {
  const packs = new Packs(context.dataFolder).list().map((each) => each.folder)
  return [...packs, packagePath('content/rules')]
}

/** Folders whose macros and lookups searches may use where nothing nearer defines them: all packs, then the starter rules. */
function libraryPaths(context: Context): readonly string[] {
  const packs = new Packs(context.dataFolder).list().map((each) => each.folder)
  return [...packs, packagePath('content/rules/spl')]
}

/** A path that cannot be read, or that holds no rule. */
export interface PathProblem {
  /** True when it is a path that the user named: nothing of what is meant is there. */
  readonly isNamed: boolean
  readonly file: string
  readonly diagnostic: LocatedDiagnostic
}

/** Loads the rules that the options name, with what is wrong about the paths. */
export async function readRules(
  context: Context,
  options: OptionValues,
  paths: readonly string[],
): Promise<{ readonly set: RuleSet; readonly problems: readonly PathProblem[] }> {
  const placeholders = readPlaceholders(options.text('placeholders'))
  const pins = await readPins(options)
  const named = new Set(paths)
  const overlays = overlaysFor(context, options)
  context.output.status('Reading rules')
  const set = await loadRules(paths.length > 0 ? paths : defaultRulePaths(context), {
    placeholders,
    kusto: lazyKusto(context, pins),
    schema: () => context.schema(),
    packs: libraryPaths(context),
    overlays,
  })
  context.output.status(undefined)
  // Among a part of all rules it is usual that an overlay finds none.
  const unmet = paths.length > 0 ? [] : overlays.unmet(set.rules)
  const problems = [...set.problems, ...unmet.map((each) => ({ ...each, root: '' }))].map(
    ({ file, root, diagnostic }) => ({
      isNamed: named.has(root) && file === root,
      file,
      diagnostic,
    }),
  )
  return { set, problems }
}

/** Problems of paths as text, one after the other. */
export function problemText(problems: readonly PathProblem[]): string {
  const texts = problems.map(({ file, diagnostic }) => {
    const { place } = diagnostic
    const where = place === undefined ? file : `${file}:${place.line}:${place.column}`
    return renderDiagnostic(
      diagnostic,
      undefined,
      diagnostic.message.includes(file) ? undefined : where,
    )
  })
  return texts.map((text) => `${safeLines(text)}\n`).join('')
}

/**
 * Loads the rules that the options name. A named path that cannot be read, or that holds no rule, is an error; what
 * cannot be read below it is told on stderr.
 */
export async function rulesFor(
  context: Context,
  options: OptionValues,
  paths: readonly string[] = options.texts('rules'),
): Promise<RuleSet> {
  const { set, problems } = await readRules(context, options, paths)
  const text = problemText(problems)
  if (problems.some((each) => each.isNamed)) throw new UnusableError(text.trimEnd())
  context.output.err.write(text)
  return set
}

/** Up to so many refused rules are shown with their lines. */
const SHOWN = 5

/** The diagnostics of refused rules, each with the line it speaks of. */
export function refusals(refused: readonly LoadedRule[]): string {
  const texts = refused
    .slice(0, SHOWN)
    .flatMap(({ file, text, diagnostics }) =>
      diagnostics
        .filter((each) => each.severity === 'error')
        .map((each) => safeLines(renderDiagnostic(each, text, file))),
    )
  const rest = refused.length - SHOWN
  return [...texts, ...(rest > 0 ? [`and ${counted(rest, 'more rule')}`] : [])].join('\n')
}

/**
 * The runnable rules of a set, without those that correlations count in their place; an error when there is none. Tells on
 * stderr how many others there are.
 */
export function runnableRules(
  context: Context,
  set: RuleSet,
  paths: readonly string[],
): readonly Rule[] {
  const rules = set.rules.flatMap((each) => each.rule ?? [])
  const refused = set.rules.filter((each) => each.rule === undefined)
  if (set.rules.length === 0) {
    throw new UnusableError('error: there is no rule, only filters for rules')
  }
  if (rules.length === 0) throw new UnusableError(refusals(refused))
  const own = rules.filter(({ countedBy }) => countedBy === undefined)
  if (refused.length > 0 && !context.output.quiet) {
    const check = [context.program, 'rules check', ...paths.map(shellWord)].join(' ')
    context.output.err.write(
      safeLines(
        `note: ${count(refused.length)} of ${counted(set.rules.length, 'rule')} cannot run; why: ${check}\n`,
      ),
    )
  }
  return own
}

/** `attack.t1059` for `t1059`; other tags as they are, in lower case. */
function tagOf(text: string): string {
  const tag = text.trim().toLowerCase()
  return /^t\d{4}(?:\.\d{3})?$/.test(tag) ? `attack.${tag}` : tag
}

/** The rules that level and tags select, each once. A tag also selects its sub-techniques. */
export function selectRules(rules: readonly Rule[], options: OptionValues): readonly Rule[] {
  const least = levelOption(options, 'minLevel')
  const tags = options.texts('tags').flatMap((each) => each.split(',').map(tagOf))
  const isWanted = (rule: Rule): boolean =>
    (least === undefined || rankOf(rule.level) >= rankOf(least)) &&
    (tags.length === 0 ||
      rule.tags.some((given) => {
        const tag = given.toLowerCase()
        return tags.some((each) => tag === each || tag.startsWith(`${each}.`))
      }))
  const wanted = rules.filter(isWanted)
  if (wanted.length === 0) {
    const [tag = ''] = tags
    const near = suggest(tag, new Set(rules.flatMap((each) => each.tags)))
    throw new UsageError(
      `none of the ${counted(rules.length, 'rule')} has ${[
        ...(least === undefined ? [] : [`the level ${least} or above`]),
        ...(tags.length === 0 ? [] : [`the tag ${tags.join(' or ')}`]),
      ].join(' and ')}`,
      near === undefined || near === tag ? undefined : `did you mean ${near}?`,
    )
  }
  // The same rule may lie in several packs; another version of it is another rule.
  const known = new Map<string, Rule[]>()
  const textOfRule = ({ title, level, rel }: Rule): string => JSON.stringify([title, level, rel])
  return wanted.filter((rule) => {
    const others = known.get(rule.id) ?? []
    if (rule.id !== '' && others.some((each) => textOfRule(each) === textOfRule(rule))) return false
    known.set(rule.id, [...others, rule])
    return true
  })
}

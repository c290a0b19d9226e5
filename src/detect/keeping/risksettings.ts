/** The section `risk` of the settings: what rules without risk of their own add, factors, and the most of a day. */
import type { Section } from '../../core/section.ts'
import type { YamlNode } from '../../core/yaml.ts'
import { LEVELS, type Level } from '../../rules/rule.ts'

/** A factor: where all of its conditions hold for a risk, its score changes. */
export interface RiskFactor {
  readonly name: string
  /** Fields, each with texts of which one must fit; `*` stands for any text, case does not count. */
  readonly when: readonly (readonly [field: string, patterns: readonly string[]])[]
  readonly add: number
  readonly multiply: number
}

export interface RiskSettings {
  /** Scores of rules that have none of their own, by level; 0 adds no risk. */
  readonly levels: Readonly<Record<Level, number>>
  readonly factors: readonly RiskFactor[]
  /** The most that one rule adds to one object in a day of UTC; 0 for no bound. */
  readonly mostPerDay: number
}

const MOST_SCORE = 10_000
const MOST_FACTORS = 200

/**
 * Scores of a level where nothing else is said: the middle of the scores that Splunk content has for a severity, so that
 * rules of all languages add up on one scale. What is informational tells what is usual, and adds nothing.
 */
const USUAL: Readonly<Record<Level, number>> = {
  informational: 0,
  low: 30,
  medium: 50,
  high: 70,
  critical: 90,
}

/**
 * One rule alone can bring an object over the usual threshold of 100, as in Enterprise Security; but a rule that fires
 * without end, or that someone makes fire, does not bury the objects that many rules speak of.
 */
const USUAL_PER_DAY = 200

function keysOf(node: YamlNode | undefined): readonly string[] {
  return node?.kind === 'map' ? node.entries.map(({ key }) => key) : []
}

function readFactor(section: Section): RiskFactor {
  const when = section.section('when')
  const conditions = keysOf(when.node).map((key) => [key, when.texts(key)] as const)
  if (conditions.length === 0) section.wrong('when', 'a map of fields and their values')
  const factor = {
    name: section.text('name') ?? '',
    when: conditions,
    add: section.number('add', -MOST_SCORE, MOST_SCORE) ?? 0,
    multiply: section.number('multiply', 0, 100) ?? 1,
  }
  if (factor.name === '') section.wrong('name', 'a text')
  section.end()
  return factor
}

/** Reads the section; each absent value is the one that holds without it. */
export function readRiskSettings(section: Section): RiskSettings {
  const levels = section.section('levels')
  const scores = LEVELS.map((level) => [level, levels.number(level, 0, MOST_SCORE) ?? USUAL[level]])
  levels.end()
  const factors = section.sections('factors')
  if (factors.length > MOST_FACTORS) {
    section.wrong('factors', `a list of at most ${MOST_FACTORS} factors`)
  }
  const settings: RiskSettings = {
    levels: { ...USUAL, ...Object.fromEntries(scores) },
    factors: factors.slice(0, MOST_FACTORS).map(readFactor),
    mostPerDay: section.number('most_per_day', 0) ?? USUAL_PER_DAY,
  }
  section.end()
  return settings
}

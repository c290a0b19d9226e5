/**
 * Applying overlays to rules when they are loaded, so that every command sees the same rule. What several overlays say of
 * one rule is put together; two that say the same thing are a mistake, and the rule does not run.
 */
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type { Overlay, OverlayFile, OverlayFilter } from './overlay.ts'
import type { Level, LoadedRule, LocatedDiagnostic, Rule, Tuning } from './rule.ts'

/** What is said of one rule. */
export interface Overlaid {
  readonly tuning: Tuning
  readonly level?: Level
  readonly filter?: OverlayFilter
  /** Why the rule cannot be used with what is said. */
  readonly diagnostics: readonly Diagnostic[]
}

type Named = Pick<LoadedRule, 'id' | 'title'>

/** Keys whose value is one thing; two overlays cannot both say it. */
const KEYS = [
  ['enabled', 'enabled'],
  ['schedule', 'schedule'],
  ['level', 'level'],
  ['riskScore', 'risk'],
  ['suppress', 'suppress'],
  ['mostFindings', 'most_findings'],
  ['filter', 'filter'],
] as const

/** The name of a file's rule when the file holds several queries: `id/2` is one of `id`. */
const fileIdOf = (id: string): string => id.replace(/\/\d+$/, '')

/** The overlays of an installation, found by the rule that they are for. */
export class Overlays {
  readonly files: readonly OverlayFile[]
  readonly #byName = new Map<string, Overlay[]>()

  constructor(files: readonly OverlayFile[]) {
    this.files = files
    for (const overlay of files.flatMap((each) => each.overlays)) {
      for (const name of new Set(overlay.rules)) {
        const key = name.toLowerCase()
        const known = this.#byName.get(key) ?? []
        this.#byName.set(key, known)
        known.push(overlay)
      }
    }
  }

  #all({ id, title }: Named): readonly Overlay[] {
    if (this.#byName.size === 0) return []
    const byId = [id, fileIdOf(id)].flatMap((each) => this.#byName.get(each.toLowerCase()) ?? [])
    const byTitle = (this.#byName.get(title.toLowerCase()) ?? []).filter((each) =>
      each.rules.includes(title),
    )
    return [...new Set([...byId, ...byTitle])]
  }

  /** What is said of a rule; undefined when nothing is. */
  of(rule: Named): Overlaid | undefined {
    const all = this.#all(rule)
    const [first] = all
    if (first === undefined) return undefined
    const diagnostics = KEYS.flatMap(([key, written]) => {
      const [one, two] = all.filter((each) => each[key] !== undefined)
      if (one === undefined || two === undefined) return []
      const [a, b] = [one, two].map(({ file, place }) => `${file}:${place?.line ?? 1}`)
      return [diagnose('HR942', { first: a ?? '', second: b ?? '', key: written })]
    })
    const merged: Partial<Overlay> = Object.assign({}, ...all)
    const tests = all.flatMap((each) => each.tests ?? [])
    const { enabled, schedule, suppress, riskScore, mostFindings, filter, level } = merged
    const said = all.find((each) => each.reason !== undefined) ?? first
    return {
      diagnostics,
      ...(level === undefined ? {} : { level }),
      ...(filter === undefined ? {} : { filter }),
      tuning: {
        file: [...new Set(all.map((each) => each.file))].join(', '),
        ...(enabled === undefined ? {} : { enabled }),
        ...(schedule === undefined ? {} : { schedule }),
        ...(suppress === undefined ? {} : { suppress }),
        ...(riskScore === undefined ? {} : { riskScore }),
        ...(mostFindings === undefined ? {} : { mostFindings }),
        ...(filter === undefined ? {} : { filter: filter.written }),
        ...(tests.length === 0 ? {} : { tests }),
        ...(said.reason === undefined ? {} : { reason: said.reason }),
        ...(said.author === undefined ? {} : { author: said.author }),
        ...(said.date === undefined ? {} : { date: said.date }),
      },
    }
  }

  /** Overlays for rules that are not among all that there are. */
  unmet(
    rules: readonly Named[],
  ): readonly { readonly file: string; readonly diagnostic: LocatedDiagnostic }[] {
    const known = new Set<string>()
    for (const { id, title } of rules)
      known.add(id.toLowerCase()).add(fileIdOf(id).toLowerCase()).add(title)
    return this.files.flatMap(({ file, overlays }) =>
      overlays.flatMap(({ rules: names, place }) =>
        names.flatMap((name) => {
          if (known.has(name) || known.has(name.toLowerCase())) return []
          const near = suggest(
            name,
            rules.flatMap(({ id, title }) => [id, title]),
          )
          const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
          const diagnostic = diagnose('HR943', { name: name.slice(0, 200), guess })
          return [
            { file, diagnostic: { ...diagnostic, ...(place === undefined ? {} : { place }) } },
          ]
        }),
      ),
    )
  }
}

/** No overlays at all. */
export const NO_OVERLAYS = new Overlays([])

/** The rule with what is said of it; its filter is part of its plan already. */
export function overlaid(rule: Rule, { tuning, level, filter }: Overlaid, unfiltered?: Rule): Rule {
  const own = rule.kusto?.alertDetailsOverride
  const { severityColumn: _, ...details } = own ?? { dynamicProperties: [] }
  return {
    ...rule,
    ...(level === undefined ? {} : { level }),
    // The level that the user sets holds over a column of the rows.
    ...(level === undefined || own === undefined || rule.kusto === undefined
      ? {}
      : { kusto: { ...rule.kusto, alertDetailsOverride: details } }),
    ...(level === undefined || rule.spl === undefined
      ? {}
      : { spl: { ...rule.spl, severity: level } }),
    stages:
      filter === undefined
        ? rule.stages
        : [...rule.stages, { name: `hidden by ${filter.where}`, text: filter.written }],
    tuning: { ...tuning, ...(unfiltered === undefined ? {} : { unfiltered }) },
  }
}

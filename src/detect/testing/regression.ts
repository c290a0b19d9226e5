/**
 * Regression data as SigmaHQ lays it out: a folder for each rule with `info.yml` and the samples that the rule must match
 * at least so many times. The files are those that lie beside the `info.yml`, whatever path it writes.
 */
import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { hasErrors } from '../../core/diagnostic.ts'
import { systemReason } from '../../core/systemerror.ts'
import { childOf, readYaml, textOf, type YamlNode } from '../../core/yaml.ts'
import { type LoadedRule, located } from '../../rules/rule.ts'
import { FIRES, type TestCase, type Unrunnable } from './cases.ts'
import { filesBelow, locate } from './datafiles.ts'

const KEY = 'regression_tests_info'
const RULE_KEY = 'regression_tests_path'

const itemsOf = (node: YamlNode | undefined): readonly YamlNode[] =>
  node?.kind === 'list' ? node.items : []

/** The tests of one `info.yml`; none of a file of that name that is about something else. */
function readInfo(
  file: string,
  rules: ReadonlyMap<string, LoadedRule>,
): readonly (TestCase | Unrunnable)[] {
  const base = { convention: 'sigma' as const, file }
  const broken = (name: string, reason: string): Unrunnable => ({
    ...base,
    name,
    state: 'broken',
    reasons: [reason],
    diagnostics: [],
  })
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return [broken(basename(file), systemReason(error))]
  }
  if (!text.includes(KEY)) return []
  const { documents, diagnostics } = readYaml(text)
  const [info] = documents
  if (hasErrors(diagnostics)) {
    const reasons = diagnostics.map((each) => each.message)
    return [{ ...broken(basename(file), ''), reasons, diagnostics: located(diagnostics, text) }]
  }
  const ids = itemsOf(childOf(info, 'rule_metadata')).flatMap(
    (each) => textOf(childOf(each, 'id')) ?? [],
  )
  return itemsOf(childOf(info, KEY)).flatMap((test): readonly (TestCase | Unrunnable)[] => {
    const name = textOf(childOf(test, 'name')) ?? 'regression'
    const written = basename(textOf(childOf(test, 'path')) ?? '')
    const least = Number(textOf(childOf(test, 'match_count')) ?? 1)
    const found = locate(dirname(file), written)
    return ids.map((id): TestCase | Unrunnable => {
      const loaded = rules.get(id.toLowerCase())
      const at: Pick<Unrunnable, 'rule'> = loaded === undefined ? {} : { rule: loaded }
      if (!Number.isSafeInteger(least) || least < 0) {
        return { ...broken(name, 'match_count is no number of matches'), ...at }
      }
      if (loaded === undefined) {
        return { ...broken(name, `its rule ${id.slice(0, 64)} is not here`), state: 'skipped' }
      }
      const { rule } = loaded
      if (rule === undefined) {
        const errors = loaded.diagnostics.filter((each) => each.severity === 'error')
        const reasons = errors.map((each) => each.message)
        return { ...broken(name, ''), ...at, reasons, diagnostics: errors }
      }
      if (!('path' in found)) {
        const reason = `${written}: ${found.reason}`
        const { isAbsent } = found
        return { ...broken(name, reason), ...at, ...(isAbsent ? { state: 'skipped' } : {}) }
      }
      const expected = { ...FIRES, fires: { least } }
      return {
        ...base,
        name,
        rule,
        logs: [{ files: [found.path] }],
        steps: [{ writes: false, expected }],
      }
    })
  })
}

/** Tests that regression data below paths holds for rules. A rule that says it has data, and has none here, is skipped. */
export function regressionTests(
  paths: readonly string[],
  rules: readonly LoadedRule[],
  texts: ReadonlyMap<string, string>,
): readonly (TestCase | Unrunnable)[] {
  const byId = new Map(
    rules
      .filter(({ language, id }) => language === 'sigma' && id !== '')
      .map((each) => [each.id.toLowerCase(), each] as const),
  )
  const files = new Set(paths.flatMap((each) => filesBelow(each, (name) => name === 'info.yml')))
  const found = [...files].flatMap((file) => readInfo(file, byId))
  const known = new Set(found.flatMap(({ rule }) => rule?.id.toLowerCase() ?? []))
  const without = rules.filter(({ language, id, file }) => {
    const isDeclared = language === 'sigma' && texts.get(file)?.includes(`\n${RULE_KEY}:`) === true
    return isDeclared && !known.has(id.toLowerCase())
  })
  return [
    ...found,
    ...without.map(
      (rule): Unrunnable => ({
        convention: 'sigma',
        name: 'regression',
        file: rule.file,
        rule,
        state: 'skipped',
        reasons: ['its regression data is not here (--regression-data FOLDER)'],
        diagnostics: [],
      }),
    ),
  ]
}

/**
 * The settings of an installation (`harrier.yml`): one section for each part of the product that can be told something,
 * each read by that part. Pure: the text comes in, paths are as they are written.
 */
import { type Diagnostic, hasErrors, type Outcome } from '../core/diagnostic.ts'
import { Section } from '../core/section.ts'
import { readYaml } from '../core/yaml.ts'
import { type RiskSettings, readRiskSettings } from './keeping/risksettings.ts'
import { readSuppressions, type Suppression } from './keeping/suppression.ts'
import { type NotifySettings, readNotifySettings } from './notify/settings.ts'
import { readScheduleSettings, type ScheduleSettings } from './schedule/settings.ts'

export interface Settings {
  /** Folder or address of the store. */
  readonly store?: string
  /** Paths of rules. */
  readonly rules: readonly string[]
  /** Folder of the user's overlays; where nothing is said, `overrides` beside the file if it is there. */
  readonly overrides?: string
  readonly schedule: ScheduleSettings
  /** CSV files of assets and of identities. */
  readonly assets: readonly string[]
  readonly identities: readonly string[]
  /** Findings that nobody is to be told of. */
  readonly suppress: readonly Suppression[]
  readonly risk: RiskSettings
  readonly notify: NotifySettings
}

/** Reads a settings file; an empty text gives what holds without one. No value when something in it is wrong. */
export function readSettings(text: string): Outcome<Settings> {
  const { documents, diagnostics: broken } = readYaml(text)
  const diagnostics: Diagnostic[] = [...broken]
  const [first] = documents
  const root = new Section(first, '', (each) => diagnostics.push(each))
  const store = root.text('store')
  const overrides = root.text('overrides')
  const settings: Settings = {
    ...(overrides === undefined ? {} : { overrides }),
    ...(store === undefined ? {} : { store }),
    rules: root.texts('rules'),
    schedule: readScheduleSettings(root.section('schedule')),
    assets: root.texts('assets'),
    identities: root.texts('identities'),
    suppress: readSuppressions(root),
    risk: readRiskSettings(root.section('risk')),
    notify: readNotifySettings(root.section('notify')),
  }
  root.end()
  return hasErrors(diagnostics) ? { diagnostics } : { value: settings, diagnostics }
}

/** What holds without a settings file. */
export function plainSettings(): Settings {
  const { value } = readSettings('')
  if (value === undefined) throw new Error('the settings that hold without a file are wrong')
  return value
}

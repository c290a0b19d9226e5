/**
 * Custom detections of Defender: the resource of the Graph interface, in JSON or YAML, and the flat YAML that people
 * keep their detections in (https://learn.microsoft.com/graph/api/resources/security-detectionrule).
 */
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { Fields } from '../../core/fields.ts'
import { plainOf, textOf, type YamlMap } from '../../core/yaml.ts'
import { readDuration } from './duration.ts'
import {
  type ColumnUse,
  type KustoDocument,
  type KustoRule,
  type NamedColumn,
  PLAIN_RULE,
} from './rule.ts'
import {
  documentOf,
  readCustom,
  readDescription,
  readSeverity,
  readTactics,
  readTechniques,
  tellDisabled,
} from './sentinel.ts'

const HOUR = 3_600_000

/** How far back the service looks, by how often a rule runs. */
const LOOKBACK: ReadonlyMap<number, number> = new Map([
  [1 * HOUR, 4 * HOUR],
  [3 * HOUR, 12 * HOUR],
  [12 * HOUR, 48 * HOUR],
  [24 * HOUR, 720 * HOUR],
])

const KNOWN: readonly string[] = (
  'id guid detectorId displayName ruleName detectionName name title description isEnabled enabled queryCondition ' +
  'queryText query schedule frequency period detectionAction alertTitle alertDescription alertSeverity ' +
  'alertCategory alertRecommendedAction recommendedActions severity category mitreTechniques techniques tactics ' +
  'impactedAssets impactedEntities actions responseActions automatedActions organizationalScope createdBy ' +
  'createdDateTime lastModifiedBy lastModifiedDateTime lastRunDetails tags version status author references ' +
  'customDetails @odata.type @odata.context'
).split(' ')

/** `deviceId` of the interface is the column `DeviceId`. */
const columnOf = (identifier: string): string =>
  identifier.slice(0, 1).toUpperCase() + identifier.slice(1)

/** `#microsoft.graph.security.impactedDeviceAsset` is a device. */
function assetOf(fields: Fields): string {
  const text = fields.text('@odata.type', 'impactedAssetType', 'entityType', 'type') ?? ''
  const kind = /impacted(\w+)Asset$/.exec(text)?.[1] ?? text
  return kind.toLowerCase()
}

function readAssets(fields: readonly Fields[], uses: ColumnUse[]): readonly NamedColumn[] {
  return fields.flatMap((each) => {
    const keys = ['identifier', 'entityIdentifier', 'column', 'columnName']
    const identifier = each.text(...keys)
    const node = each.get(...keys)
    if (identifier === undefined || identifier === '' || node === undefined) return []
    const column = columnOf(identifier)
    uses.push({ name: column, what: 'an impacted asset', span: node.span })
    return [{ name: assetOf(each), column }]
  })
}

/** Own names for columns: a map, or a list of maps with `name` and `columnName`. */
function readDetails(fields: Fields, uses: ColumnUse[]): readonly NamedColumn[] {
  const node = fields.get('customDetails')
  const pairs =
    node?.kind === 'map'
      ? node.entries.map(({ key, value }) => ({ name: key, value }))
      : fields.maps('customDetails').flatMap((each) => {
          const value = each.get('columnName', 'column', 'value')
          const name = each.text('name', 'key', 'alias')
          return name === undefined || value === undefined ? [] : [{ name, value }]
        })
  return pairs.flatMap(({ name, value }) => {
    const column = textOf(value)?.trim()
    if (column === undefined || column === '') return []
    uses.push({ name: column, what: `the custom detail ${name}`, span: value.span })
    return [{ name, column }]
  })
}

/** How often the rule runs: `1H` as the service writes it, 0 for all the time. */
function readFrequency(fields: Fields): number | undefined {
  const holder = fields.map('schedule') ?? fields
  const text = holder.text('period', 'frequency')
  if (text === undefined) return undefined
  if (/^(?:0|nrt|continuous)$/i.test(text)) return 0
  const value = readDuration(text)
  if (value === undefined) {
    const wanted = 'write 0, 1H, 3H, 12H or 24H'
    const params = { key: 'period', value: text.slice(0, 64), wanted }
    fields.diagnostics.push(diagnose('HR453', params, holder.get('period', 'frequency')?.span))
  }
  return value
}

function readRule(fields: Fields, uses: ColumnUse[]): KustoRule {
  const action = fields.map('detectionAction')
  const alert = action?.map('alertTemplate') ?? fields
  const queryFrequency = readFrequency(fields)
  const queryPeriod = queryFrequency === undefined ? undefined : LOOKBACK.get(queryFrequency)
  const severity = readSeverity(alert)
  const title = alert.text('alertTitle', 'title')
  const description = readDescription(alert, 'alertDescription', 'description')
  const category = alert.text('alertCategory', 'category')
  const holder = action ?? fields
  const actions = holder.get('responseActions', 'automatedActions', 'actions')
  const name = fields.text('displayName', 'ruleName', 'detectionName', 'name', 'title')
  return {
    ...PLAIN_RULE,
    form: 'defender',
    kind: queryFrequency === 0 ? 'NRT' : 'Scheduled',
    id: fields.text('id', 'guid', 'detectorId') ?? '',
    name: name ?? title ?? '',
    description: readDescription(fields, 'description') || description,
    ...(severity === undefined ? {} : { severity }),
    status: fields.text('status') ?? '',
    version: fields.text('version') ?? '',
    author: fields.text('author', 'createdBy') ?? '',
    enabled: fields.flag('isEnabled', 'enabled') ?? true,
    ...(queryFrequency === undefined ? {} : { queryFrequency }),
    ...(queryPeriod === undefined ? {} : { queryPeriod }),
    tactics: [
      ...readTactics(alert, 'tactics'),
      ...(category === undefined || isNoTactic(category) ? [] : readTactics(alert, 'category')),
    ],
    techniques: readTechniques(alert, 'mitreTechniques', 'techniques'),
    tags: fields.texts('tags'),
    references: fields.texts('references'),
    customDetails: readDetails(alert, uses),
    alertDetailsOverride: {
      ...(title === undefined ? {} : { displayNameFormat: title }),
      ...(description === '' ? {} : { descriptionFormat: description }),
      dynamicProperties: [],
    },
    aggregationKind: 'AlertPerResult',
    impactedAssets: readAssets(alert.maps('impactedAssets', 'impactedEntities'), uses),
    actions:
      actions === undefined
        ? []
        : actions.kind === 'list'
          ? actions.items.map(plainOf)
          : [plainOf(actions)],
    custom: readCustom(fields, KNOWN),
  }
}

/** Categories of the service that are no tactics. */
function isNoTactic(category: string): boolean {
  return /^(?:malware|ransomware|suspicious\s?activity|unwanted\s?software|exploit)$/i.test(
    category,
  )
}

/** True for a map that is a custom detection of Defender. */
export function isDefender(fields: Fields): boolean {
  return fields.get('queryCondition', 'queryText') !== undefined
}

/** A custom detection of Defender. */
export function readDefender(source: string, node: YamlMap): KustoDocument {
  const diagnostics: Diagnostic[] = []
  const fields = new Fields(node, diagnostics)
  const uses: ColumnUse[] = []
  const rule = readRule(fields, uses)
  tellDisabled(fields, rule, 'isEnabled')
  const holder = fields.map('queryCondition') ?? fields
  const query = holder.get('queryText', 'query')
  return documentOf(source, node, { rule, query, uses, diagnostics, lacks: 'detection' })
}

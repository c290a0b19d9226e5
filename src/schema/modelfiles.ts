/**
 * Reads the files of Splunk's data models: the datasets of each model with the fields they have and what stands for a
 * missing value, and the parts of stored sources that are declared for them.
 */
import { hasErrors, type Outcome, renderDiagnostic } from '../core/diagnostic.ts'
import type { YamlNode } from '../core/yaml.ts'
import { call, type Expr, field } from '../ir/expr.ts'
import { isList, type Type } from '../ir/types.ts'
import { mapExpr } from '../ir/walk.ts'
import { eachOf, readDocuments, type SchemaFile } from './documents.ts'
import { type Feeds, readMappings, readParts } from './feed.ts'
import { readFields, readWhere } from './mapping.ts'
import { itemsOf, knownMapOf, type Report, say, sayUnknown, textFrom, textsFrom } from './node.ts'
import type { ViewPart } from './view.ts'

/** A field as the model declares it. */
export interface Declared {
  readonly type: Type
  /** What stands for a missing value; none when it stays missing. */
  readonly filled?: string
}

/** A dataset as it is declared; parts are its own, not those of datasets below. */
export interface ModelDataset {
  readonly model: string
  readonly name: string
  readonly parent?: ModelDataset
  /** Over the fields of the dataset: which rows of the parent belong to it. None when it is fed by parts of its own. */
  readonly where?: Expr
  readonly own: ReadonlyMap<string, Declared>
  /** Values made from other fields of the dataset where a part has none. */
  readonly derived: ReadonlyMap<string, Expr>
  parts: readonly ViewPart[]
}

/** All datasets by model and name, both in the order of the files; the first of a model is its root. */
export type DataModels = ReadonlyMap<string, ReadonlyMap<string, ModelDataset>>

const LIST: Type = { list: 'text' }
/** Fields that asset and identity tables add for each host and user of a dataset. */
const ENRICHED = ['bunit', 'category', 'priority']
const ENTITIES = new Set(['dest', 'dvc', 'src', 'src_user', 'user', 'orig_host'])

const KEYS = ['name', 'parent', 'where', 'unknown', 'zero', 'plain', 'lists', 'derived']

function readDataset(
  node: YamlNode,
  model: string,
  known: ReadonlyMap<string, ModelDataset>,
  report: Report,
): ModelDataset | undefined {
  const entries = knownMapOf(node, 'a dataset', KEYS, report)
  const names = (key: string): readonly string[] => {
    const found = entries.get(key)
    return found === undefined ? [] : textsFrom(found, `"${key}"`, report)
  }
  const [name] = names('name')
  if (name === undefined) return say(report, 'HR203', { what: 'a dataset', key: 'name' }, node.span)
  if (known.has(name)) return say(report, 'HR204', { what: 'dataset', name }, node.span)
  const [above] = names('parent')
  const parent = above === undefined ? undefined : known.get(above)
  if (above !== undefined && parent === undefined) {
    return sayUnknown(report, 'dataset', above, known.keys(), node.span)
  }
  const lists = new Set(names('lists'))
  const own = new Map<string, Declared>()
  const add = (fields: readonly string[], filled?: string): void => {
    for (const each of fields) {
      if (own.has(each)) say(report, 'HR204', { what: 'field', name: each }, node.span)
      const type = lists.has(each) ? LIST : 'text'
      own.set(each, filled === undefined ? { type } : { type, filled })
      if (!ENTITIES.has(each)) continue
      for (const end of ENRICHED) own.set(`${each}_${end}`, { type: 'text' })
    }
  }
  add(names('unknown'), 'unknown')
  add(names('zero'), '0')
  add(names('plain'))
  for (const each of lists) {
    if (!own.has(each)) sayUnknown(report, 'field', each, own.keys(), node.span)
  }
  const [where, derived] = [entries.get('where'), entries.get('derived')]
  return {
    model,
    name,
    own,
    derived: derived === undefined ? new Map() : readFields(derived, report),
    parts: [],
    ...(parent === undefined ? {} : { parent }),
    ...(where === undefined ? {} : { where: readWhere(where, report) }),
  }
}

function readModel(
  node: YamlNode,
  models: Map<string, Map<string, ModelDataset>>,
  report: Report,
): void {
  const entries = knownMapOf(node, 'a data model', ['name', 'also', 'datasets'], report)
  const nameNode = entries.get('name')
  const name = nameNode && textFrom(nameNode, '"name"', report)
  const datasets = entries.get('datasets')
  if (name === undefined || datasets === undefined) {
    const key = name === undefined ? 'name' : 'datasets'
    say(report, 'HR203', { what: 'a data model', key }, node.span)
    return
  }
  if (models.has(name)) {
    say(report, 'HR204', { what: 'data model', name }, node.span)
    return
  }
  const all = new Map<string, ModelDataset>()
  models.set(name, all)
  const also = entries.get('also')
  for (const each of also === undefined ? [] : textsFrom(also, '"also"', report)) {
    models.set(each, all)
  }
  for (const item of itemsOf(datasets)) {
    const made = readDataset(item, name, all, report)
    if (made !== undefined) all.set(made.name, made)
  }
}

/** Reads what feeds a dataset. */
function readFeed(node: YamlNode, models: DataModels, feeds: Feeds, report: Report): void {
  const entries = knownMapOf(node, 'a dataset', ['name', 'source', 'parts'], report)
  const nameNode = entries.get('name')
  const name = (nameNode && textFrom(nameNode, '"name"', report)) ?? ''
  const [model = '', dataset = ''] = name.split('.')
  const found = models.get(model)?.get(dataset)
  if (found === undefined) {
    const known = [...models.values()].flatMap((each) => [...each.values()].map(fullName))
    sayUnknown(report, 'dataset', name, known, node.span)
    return
  }
  const parts = readParts(entries, feeds, report, 'table')
  // A shared mapping may hold more than one dataset has; what a part itself maps must be there.
  const fields = fieldsOf(found)
  const shared = new Set([...feeds.mappings.values()].flatMap((each) => [...each.keys()]))
  for (const each of new Set(parts.flatMap((part) => [...part.fields.keys()]))) {
    if (!fields.has(each) && !shared.has(each)) {
      sayUnknown(report, `field of ${name}`, each, fields.keys(), node.span)
    }
  }
  found.parts = [...found.parts, ...parts.map(opened)]
}

function readModels(files: readonly SchemaFile[], sources: Feeds['sources']): Outcome<DataModels> {
  const { documents, diagnostics } = readDocuments(files, ['models', 'mappings', 'datasets'])
  const models = new Map<string, Map<string, ModelDataset>>()
  const mappings = new Map<string, ReadonlyMap<string, Expr>>()
  eachOf(documents, 'models', (node, report) => {
    for (const item of itemsOf(node)) readModel(item, models, report)
  })
  const all = [...new Set(models.values())].flatMap((each) => [...each.values()])
  const fields = new Set(all.flatMap(({ own }) => [...own.keys()]))
  eachOf(documents, 'mappings', (node, report) => {
    readMappings(node, mappings, report)
    const unknown = [...mappings.values()].flatMap((each) => [...each.keys()])
    for (const each of unknown.filter((name) => !fields.has(name))) {
      sayUnknown(report, 'field', each, fields, node.span)
    }
  })
  eachOf(documents, 'datasets', (node, report) => {
    for (const item of itemsOf(node)) readFeed(item, models, { sources, mappings }, report)
  })
  return hasErrors(diagnostics) ? { diagnostics } : { value: models, diagnostics }
}

/** The data models, read at the first call; the files are ours, so an error in them is an error of ours. */
export function lateModels(
  files: readonly SchemaFile[],
  sources: Feeds['sources'],
): () => DataModels {
  let models: DataModels | undefined
  return () => {
    if (models === undefined) {
      const { value, diagnostics } = readModels(files, sources)
      const [first] = diagnostics
      if (value === undefined) {
        throw new Error(`the data models cannot be read: ${first && renderDiagnostic(first)}`)
      }
      models = value
    }
    return models
  }
}

/** True for a file of data models, read only when a search asks for a dataset. */
export function isModelFile(path: string): boolean {
  return /^spl[/\\](?:models|cim)[^/\\]*\.yml$/.test(path)
}

export const fullName = ({ model, name }: ModelDataset): string => `${model}.${name}`

export function lineageOf(node: ModelDataset): readonly ModelDataset[] {
  return node.parent === undefined ? [node] : [...lineageOf(node.parent), node]
}

/** Streams of Defender put the columns of a row under this key, beside facts of the stream. */
const ENVELOPE = 'properties'
const ENVELOPED = /^defender\./

/** A part that finds the fields of its source within the envelope of a stream too. */
function opened(part: ViewPart): ViewPart {
  if (!ENVELOPED.test(part.source)) return part
  const both = (expr: Expr): Expr =>
    mapExpr(expr, (each) =>
      each.op === 'field' && each.stored === undefined && !isList(each.type)
        ? call('value.first', [each, field(`${ENVELOPE}.${each.name}`)], 'text')
        : each,
    )
  const fields = new Map([...part.fields].map(([name, value]) => [name, both(value)]))
  return { ...part, where: both(part.where), fields }
}

/** The fields of a dataset with those it has from above; what a dataset says itself goes before. */
export function fieldsOf(node: ModelDataset): ReadonlyMap<string, Declared> {
  return new Map(lineageOf(node).flatMap(({ own }) => [...own]))
}

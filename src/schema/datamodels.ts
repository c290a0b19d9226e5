/**
 * Data models of Splunk's Common Information Model: their datasets with the fields they have, what stands for a missing
 * value, and which stored sources feed them. The facts stand in content/schema/spl/models*.yml and cim-*.yml and are read
 * when a search first asks for a dataset.
 */
import { hasErrors, type Outcome, renderDiagnostic } from '../core/diagnostic.ts'
import type { YamlNode } from '../core/yaml.ts'
import { and, call, type Expr, field, NULL, TRUE, text, texts } from '../ir/expr.ts'
import { isList, type Type } from '../ir/types.ts'
import { mapExpr } from '../ir/walk.ts'
import type { SchemaCatalogue } from './catalogue.ts'
import { eachOf, readDocuments, type SchemaFile } from './documents.ts'
import { type Feeds, readMappings, readParts } from './feed.ts'
import { readFields, readWhere } from './mapping.ts'
import { itemsOf, knownMapOf, type Report, say, sayUnknown, textFrom, textsFrom } from './node.ts'
import { orderedParts } from './parts.ts'
import { LIST_SUFFIX } from './source.ts'
import type { View, ViewPart } from './view.ts'

/** A dataset of a data model (`Endpoint.Processes`): its fields by their plain names. */
export interface Dataset {
  readonly model: string
  readonly name: string
  /** Names of the datasets from the root down to this one; a field is written after that of the dataset it comes from. */
  readonly lineage: readonly string[]
  /**
   * `_time`, `host`, `source`, `sourcetype` and `index` are not among them: every dataset has those. A field that a
   * dataset below adds is named with the path to it (`Instance_Changes.image_id`).
   */
  readonly fields: ReadonlyMap<string, Type>
}

/** A field as the model declares it. */
interface Declared {
  readonly type: Type
  /** What stands for a missing value; none when it stays missing. */
  readonly filled?: string
}

/** A dataset as it is read; parts are its own, not those of datasets below. */
interface Node {
  readonly model: string
  readonly name: string
  readonly parent?: Node
  /** Over the fields of the dataset: which rows of the parent belong to it. None when it is fed by parts of its own. */
  readonly where?: Expr
  readonly own: ReadonlyMap<string, Declared>
  /** Values made from other fields of the dataset where a part has none. */
  readonly derived: ReadonlyMap<string, Expr>
  parts: readonly ViewPart[]
}

/** All datasets by model and name, both in the order of the files; the first of a model is its root. */
export type DataModels = ReadonlyMap<string, ReadonlyMap<string, Node>>

const LIST: Type = { list: 'text' }
/** Fields that asset and identity tables add for each host and user of a dataset. */
const ENRICHED = ['bunit', 'category', 'priority']
const ENTITIES = new Set(['dest', 'dvc', 'src', 'src_user', 'user', 'orig_host'])

const KEYS = ['name', 'parent', 'where', 'unknown', 'zero', 'plain', 'lists', 'derived']

function readDataset(
  node: YamlNode,
  model: string,
  known: ReadonlyMap<string, Node>,
  report: Report,
): Node | undefined {
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

function readModel(node: YamlNode, models: Map<string, Map<string, Node>>, report: Report): void {
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
  const all = new Map<string, Node>()
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
  const models = new Map<string, Map<string, Node>>()
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

const fullName = ({ model, name }: Node): string => `${model}.${name}`

function lineageOf(node: Node): readonly Node[] {
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
function fieldsOf(node: Node): ReadonlyMap<string, Declared> {
  return new Map(lineageOf(node).flatMap(({ own }) => [...own]))
}

function nodeNamed(models: DataModels, model: string, name?: string): Node | undefined {
  const datasets = models.get(model)
  if (name === undefined) return datasets?.values().next().value
  const path = name.split('.')
  const found = datasets?.get(path.at(-1) ?? '')
  if (found === undefined) return undefined
  const lineage = lineageOf(found).map((each) => each.name)
  return path.length === 1 || path.join('.') === lineage.join('.') ? found : undefined
}

/** The datasets below one, each with the path from it. */
function below(node: Node, models: DataModels): readonly (readonly [string, Node])[] {
  return [...(models.get(node.model)?.values() ?? [])].flatMap((each) => {
    const lineage = lineageOf(each)
    const at = lineage.indexOf(node)
    if (at === -1 || each === node) return []
    return [
      [
        lineage
          .slice(at + 1)
          .map(({ name }) => name)
          .join('.'),
        each,
      ] as const,
    ]
  })
}

/**
 * A dataset by its model and its name, which may be written with the names above it; without one, the model's first.
 * Undefined when there is none.
 */
export function dataset(
  schema: SchemaCatalogue,
  model: string,
  name?: string,
): Dataset | undefined {
  const models = schema.models()
  const node = nodeNamed(models, model, name)
  if (node === undefined) return undefined
  const fields = new Map([...fieldsOf(node)].map(([each, { type }]) => [each, type]))
  for (const [path, child] of below(node, models)) {
    for (const [each, { type }] of child.own) fields.set(`${path}.${each}`, type)
  }
  const lineage = lineageOf(node).map((each) => each.name)
  return { model: node.model, name: node.name, lineage, fields }
}

/** The names of all datasets, with their model. */
export function datasetNames(schema: SchemaCatalogue): readonly string[] {
  const models = new Set(schema.models().values())
  return [...models].flatMap((each) => [...each.values()].map(fullName))
}

/** A value as a field of the type has it: one text, or a list of all there are. */
function asType(value: Expr, type: Type): Expr {
  if (!isList(type) || isList(value.type)) return value
  const all =
    value.op === 'field' ? [value, field(value.name + LIST_SUFFIX, { list: 'text' })] : [value]
  return call('list.of', all, LIST)
}

function filledValue(value: Expr, { type, filled }: Declared): Expr {
  const made = asType(value, type)
  if (filled === undefined) return made
  if (isList(type)) return call('list.or', [made, texts([filled])], LIST)
  return made.op === 'const' && made.value !== null && made.value !== ''
    ? made
    : call('value.first', [made, text(filled)], 'text')
}

/** Reads names of a dataset as what stands for them. */
function replaced(expr: Expr, values: (name: string) => Expr | undefined): Expr {
  return mapExpr(expr, (each) => {
    if (each.op !== 'field' || each.stored !== undefined) return each
    if (!isList(each.type)) return values(each.name) ?? NULL
    const value = values(each.name.slice(0, -LIST_SUFFIX.length))
    return value?.op === 'field' ? field(value.name + LIST_SUFFIX, LIST) : NULL
  })
}

/** All that one part gives a dataset, by the dataset's names: each field that some event of it may have a value for. */
function valuesOf(node: Node, part: ViewPart): ReadonlyMap<string, Expr> {
  const derived = new Map(lineageOf(node).flatMap((each) => [...each.derived]))
  const written = (name: string): Expr | undefined =>
    part.fields.get(name) ?? (part.isClosed === true ? undefined : field(name))
  const raw = (name: string): Expr | undefined => {
    const made = derived.get(name)
    return written(name) ?? (made === undefined ? undefined : replaced(made, written))
  }
  return new Map(
    [...fieldsOf(node)].flatMap(([name, declared]) => {
      const value = raw(name)
      if (value === undefined && declared.filled === undefined) return []
      return [[name, filledValue(value ?? NULL, declared)] as const]
    }),
  )
}

/** Conditions of a dataset and of those above it, over the values of a part, up to one that the part feeds itself. */
function conditionOf(node: Node, fed: Node, values: ReadonlyMap<string, Expr>): Expr {
  const tests = lineageOf(node)
    .filter((each) => !lineageOf(fed).includes(each))
    .map((each) => replaced(each.where ?? TRUE, (name) => values.get(name)))
  return and(tests)
}

/** The part as it feeds a dataset; undefined when it gives it no rows. `fed` is the dataset that declares the part. */
function partFor(node: Node, fed: Node, part: ViewPart, models: DataModels): ViewPart | undefined {
  const between = lineageOf(node).filter((each) => !lineageOf(fed).includes(each))
  // A dataset that says no condition takes only what is declared for it or below it.
  if (between.some((each) => each.where === undefined)) return undefined
  const values = valuesOf(node, part)
  const where = and([part.where, conditionOf(node, fed, values)].filter((each) => each !== TRUE))
  const fields = new Map(values)
  for (const [path, child] of below(node, models)) {
    const isFed = lineageOf(fed).includes(child)
    if (!isFed && child.where === undefined) continue
    const whole = valuesOf(child, part)
    const test = isFed ? TRUE : conditionOf(child, fed, whole)
    for (const name of child.own.keys()) {
      const value = whole.get(name)
      if (value === undefined) continue
      const otherwise = isList(value.type) ? texts([]) : NULL
      const only: Expr = { op: 'case', when: [[test, value]], otherwise, type: value.type }
      fields.set(`${path}.${name}`, isFed ? value : only)
    }
  }
  return { source: part.source, where, fields, isClosed: true }
}

/** Views that were made, by the models they are of. */
const made = new WeakMap<DataModels, Map<string, View>>()

/**
 * The view `cim:Model.Dataset` of a dataset, by its model and name. Its parts give all fields that their events may
 * have, with what stands for missing values; a field that a part does not give is missing. Undefined when there is no
 * such dataset.
 */
export function viewForDataset(schema: SchemaCatalogue, full: string): View | undefined {
  const [model = '', ...name] = full.split('.')
  const models = schema.models()
  const node = nodeNamed(models, model, name.length === 0 ? undefined : name.join('.'))
  if (node === undefined) return undefined
  const views = made.get(models) ?? new Map<string, View>()
  made.set(models, views)
  const view = views.get(full) ?? viewOf(full, node, models, schema)
  views.set(full, view)
  return view
}

function viewOf(full: string, node: Node, models: DataModels, schema: SchemaCatalogue): View {
  const deeper = below(node, models).map(([, each]) => each)
  // What is nearer to an event goes first: the most special dataset that it is declared for.
  const feeding = [...deeper].reverse().concat([...lineageOf(node)].reverse())
  const parts = feeding.flatMap((fed) =>
    fed.parts.flatMap((part) => partFor(node, fed, part, models) ?? []),
  )
  return {
    name: `cim:${full}`,
    title: `data model ${full}`,
    parts: orderedParts(parts, schema.sources),
  }
}

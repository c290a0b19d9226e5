/**
 * Data models of Splunk's Common Information Model as searches read them: their datasets with all fields, and a view of
 * each over the stored sources that feed it. The facts stand in content/schema/spl/models*.yml and cim-*.yml and are
 * read when a search first asks for a dataset.
 */
import { and, call, type Expr, field, NULL, TRUE, text, texts } from '../ir/expr.ts'
import { isList, type Type } from '../ir/types.ts'
import { mapExpr } from '../ir/walk.ts'
import type { SchemaCatalogue } from './catalogue.ts'
import {
  type DataModels,
  type Declared,
  fieldsOf,
  fullName,
  lineageOf,
  type ModelDataset,
} from './modelfiles.ts'
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

const LIST: Type = { list: 'text' }

function nodeNamed(models: DataModels, model: string, name?: string): ModelDataset | undefined {
  const datasets = models.get(model)
  if (name === undefined) return datasets?.values().next().value
  const path = name.split('.')
  const found = datasets?.get(path.at(-1) ?? '')
  if (found === undefined) return undefined
  const lineage = lineageOf(found).map((each) => each.name)
  return path.length === 1 || path.join('.') === lineage.join('.') ? found : undefined
}

/** The datasets below one, each with the path from it. */
function below(
  node: ModelDataset,
  models: DataModels,
): readonly (readonly [string, ModelDataset])[] {
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
function valuesOf(node: ModelDataset, part: ViewPart): ReadonlyMap<string, Expr> {
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
function conditionOf(
  node: ModelDataset,
  fed: ModelDataset,
  values: ReadonlyMap<string, Expr>,
): Expr {
  const tests = lineageOf(node)
    .filter((each) => !lineageOf(fed).includes(each))
    .map((each) => replaced(each.where ?? TRUE, (name) => values.get(name)))
  return and(tests)
}

/** The part as it feeds a dataset; undefined when it gives it no rows. `fed` is the dataset that declares the part. */
function partFor(
  node: ModelDataset,
  fed: ModelDataset,
  part: ViewPart,
  models: DataModels,
): ViewPart | undefined {
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

function viewOf(
  full: string,
  node: ModelDataset,
  models: DataModels,
  schema: SchemaCatalogue,
): View {
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

/** Reading data models: `from`, `datamodel`, and the names that fields of a dataset have in a search. */
import type { Span } from '../../core/span.ts'
import { field } from '../../ir/expr.ts'
import type { Dataset } from '../../schema/datamodels.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { fixed, idle, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import { OWN_COLUMNS, type Rows, STANDARD_FIELDS, selected } from './rows.ts'

export interface DatasetName {
  readonly model: string
  readonly dataset?: string
  readonly span: Span
}

/** A dataset as it is written: `Endpoint.Processes`, or a model alone. */
export function datasetName(text: string, span: Span): DatasetName {
  const [model = '', ...rest] = text.trim().split('.')
  const dataset = rest.at(-1)
  return { model, ...(dataset === undefined ? {} : { dataset }), span }
}

/** What may stand before the name of a field: the datasets from the root down to this one, one of them, or the model. */
function prefixesOf({ model, lineage }: Dataset): readonly string[] {
  const paths = lineage.map((_, at) => lineage.slice(0, at + 1).join('.'))
  return [...new Set([...paths, ...lineage, model])]
}

/** Rows of a dataset with the names of its fields as searches of it have them: behind the name of the dataset. */
export function prefixed(rows: Rows, dataset: Dataset): Rows {
  const prefixes = prefixesOf(dataset)
  const standard = [...rows.fields].filter(([name]) => STANDARD_FIELDS.has(name))
  const set = [...rows.fields]
    .filter(([name]) => !STANDARD_FIELDS.has(name))
    .flatMap(([name, type]) =>
      prefixes.map((each) => ({ name: `${each}.${name}`, value: field(name, type) })),
    )
  const kept = standard.map(([name, type]) => ({ name, value: field(name, type) }))
  return selected(rows, [...kept, ...set], OWN_COLUMNS)
}

interface FromNode {
  readonly kind: string
  readonly name: DatasetName
}

function readFrom(reader: Reader): FromNode {
  const first = reader.value()
  const colon = first.text.indexOf(':')
  const kind = (colon === -1 ? first.text : first.text.slice(0, colon)).toLowerCase()
  const glued = colon === -1 ? '' : first.text.slice(colon + 1)
  if (glued === '') {
    reader.take('=')
    const { text, span } = reader.value()
    return { kind, name: datasetName(text.replace(/^:/, ''), span) }
  }
  return { kind, name: datasetName(glued, first.span) }
}

const from = command<FromNode>({
  name: 'from',
  says: 'Reads the events of a dataset of a data model, or the rows of a lookup.',
  kind: 'generating',
  read: readFrom,
  lower: ({ kind, name }, _, context) => {
    if (kind === 'datamodel') return context.dataset(name, []).rows
    if (kind === 'inputlookup' || kind === 'lookup') {
      const whole = [name.model, name.dataset].filter((each) => each !== undefined).join('.')
      return context.inner(`| inputlookup "${whole}"`, undefined, name.span)
    }
    return refuse('HR507', { what: `a dataset of the kind "${kind}"` }, name.span)
  },
})

interface ModelNode {
  readonly name: DatasetName
  readonly isFlat: boolean
}

const MODEL_OPTIONS = {
  summariesonly: idle('flag', 'there are no summaries; all events are read'),
  allow_old_summaries: idle('flag', 'there are no summaries; all events are read'),
  strict_fields: fixed('flag', 'true'),
} as const

function readModel(reader: Reader): ModelNode {
  const model = reader.value()
  const object = reader.value()
  const options = new Options(MODEL_OPTIONS)
  options.takeAll(reader)
  const mode = reader.value()
  options.takeAll(reader)
  const how = mode.text.toLowerCase()
  if (how !== 'search' && how !== 'flat' && how !== 'acceleration_search') {
    reader.fail('datamodel needs a model, a dataset, and search or flat', mode.span)
  }
  const span = { start: model.span.start, end: object.span.end }
  return { name: { model: model.text, dataset: object.text, span }, isFlat: how === 'flat' }
}

const datamodel = command<ModelNode>({
  name: 'datamodel',
  says: 'Reads the events of a dataset: with search, fields stand behind the name of the dataset; with flat they do not.',
  kind: 'generating',
  options: MODEL_OPTIONS,
  read: readModel,
  lower: ({ name, isFlat }, _, context: Context) => {
    const { rows, dataset } = context.dataset(name, [])
    return isFlat ? rows : prefixed(rows, dataset)
  },
})

export const dataModelCommands: readonly CommandRecord[] = [from, datamodel]

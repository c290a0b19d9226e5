/**
 * Models of how values are distributed (`fit`, `apply`, `summary` of `DensityFunction`), made natively: a model is a
 * lookup of its own with one row for each group of values, and a value is an outlier where less than a threshold of
 * the distribution lies beyond it. https://docs.splunk.com/Documentation/MLApp/latest/User/Algorithms
 */
import { diagnose } from '../../core/diagnostic.ts'
import type { Span } from '../../core/span.ts'
import type { Type } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { fixed, idle, Options } from './options.ts'
import type { Reader } from './reader.ts'
import { refuse } from './refusal.ts'
import type { Rows } from './rows.ts'

/** Start of the names of the lookups that hold models. */
const MODELS = '__mlspl_'
/** Share of a distribution that is outlying where nothing else is said. */
const THRESHOLD = 0.01
/** Models that come trained, for a machine learning service; none of them can be had without it. */
const TRAINED = /pre_?trained|_dsdl$/i

const FIT_OPTIONS = {
  dist: ['auto', 'norm', 'expon'],
  threshold: 'number',
  lower_threshold: 'number',
  upper_threshold: 'number',
  show_density: 'flag',
  show_options: fixed('text', ''),
  sample: fixed('flag', 'false'),
  full_sample: fixed('flag', 'false'),
  metric: idle('text', 'the distribution is not chosen by it'),
} as const

/** The value below which a share of the normal distribution lies (P. J. Acklam's approximation, good to 1e-9). */
export function normalQuantile(share: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ]
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572,
  ]
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783,
  ]
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]
  const poly = (list: readonly number[], x: number): number =>
    list.reduce((sum, each) => sum * x + each, 0)
  if (share < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(share))
    return poly(c, q) / (poly(d, q) * q + 1)
  }
  if (share > 1 - 0.02425) return -normalQuantile(1 - share)
  const q = share - 0.5
  const r = q * q
  return (poly(a, r) * q) / (poly(b, r) * r + 1)
}

/** How far from the mean of a distribution its limits lie: in deviations, and in lengths of an exponential one. */
interface Limits {
  readonly low: number
  readonly high: number
  readonly tail: number
}

function limitsOf(options: Options, span: Span): Limits | undefined {
  const [whole, low, high] = ['threshold', 'lower_threshold', 'upper_threshold'].map((name) => {
    const given = options.number(name)
    if (given === undefined) return undefined
    if (given > 0 && given < 1) return given
    return refuse(
      'HR506',
      { option: name, wanted: 'a share between 0 and 1' },
      options.given(name)?.span ?? span,
    )
  })
  if (whole === undefined && low === undefined && high === undefined) return undefined
  const sides = { low: low ?? (whole ?? THRESHOLD) / 2, high: high ?? (whole ?? THRESHOLD) / 2 }
  return {
    low: -normalQuantile(sides.low),
    high: -normalQuantile(sides.high),
    tail: -Math.log(whole ?? high ?? THRESHOLD),
  }
}

const quoted = (name: string): string => `"${name.replace(/["\\]/g, '\\$&')}"`
/** A name in single quotes; one that holds such a quote cannot be written. */
function named(name: string, span: Span): string {
  return name.includes("'")
    ? refuse('HR507', { what: `a model of a field called ${name}` }, span)
    : `'${name}'`
}

interface FitNode {
  readonly feature: string
  readonly by: readonly string[]
  readonly model?: string
  readonly options: Options
}

function readBy(reader: Reader): readonly string[] {
  const names: string[] = []
  while (!reader.isDone && !reader.isWord('into') && reader.optionName() === undefined) {
    if (reader.take(',')) continue
    // Several are written as one text: "user,HourOfDay".
    names.push(
      ...reader
        .name()
        .name.split(',')
        .map((each) => each.trim()),
    )
  }
  return names.filter((each) => each !== '')
}

function modelName(reader: Reader): string {
  const { name, span } = reader.name('the name of a model')
  const plain = name.replace(/^app:/, '')
  return /^\w{1,100}$/.test(plain)
    ? plain
    : reader.fail('the name of a model has letters, digits and _ only', span)
}

function readFit(reader: Reader): FitNode {
  const algorithm = reader.name('an algorithm')
  if (algorithm.name.toLowerCase() !== 'densityfunction') {
    refuse(
      'HR504',
      { name: 'fit', reason: `there is no algorithm ${algorithm.name}; DensityFunction there is` },
      algorithm.span,
    )
  }
  const options = new Options(FIT_OPTIONS)
  options.takeAll(reader)
  const feature = reader.name().name
  let by: readonly string[] = []
  let model: string | undefined
  while (!reader.isDone) {
    if (reader.takeWord('by')) by = readBy(reader)
    else if (reader.takeWord('into')) model = modelName(reader)
    else if (!options.take(reader)) reader.fail('expected by, into or an option')
  }
  return { feature, by, ...(model === undefined ? {} : { model }), options }
}

const OWN = [
  'mlspl_mean',
  'mlspl_std',
  'mlspl_min',
  'mlspl_dist',
  'mlspl_low',
  'mlspl_high',
  'mlspl_tail',
]

/** How dense the distribution of a group is at the value of a row, as a step of a search. */
function density(feature: string, span: Span): string {
  const value = named(feature, span)
  const length = '(mlspl_mean - mlspl_min)'
  const normal = `if(mlspl_std > 0, exp(-pow((${value} - mlspl_mean) / mlspl_std, 2) / 2) / (mlspl_std * sqrt(2 * pi())), null())`
  const falling = `if(${length} > 0 AND ${value} >= mlspl_min, exp(-(${value} - mlspl_min) / ${length}) / ${length}, 0)`
  const name = `ProbabilityDensity(${feature.replace(/["\\]/g, '\\$&')})`
  return `eval "${name}"=if(mlspl_dist="expon", ${falling}, ${normal})`
}

/** The limits of each row and whether its value lies beyond them, as a search over rows with the facts of its group. */
function judged(feature: string, limits: Limits | undefined, options: Options, span: Span): string {
  const value = named(feature, span)
  const [low, high, tail] =
    limits === undefined
      ? ['mlspl_low', 'mlspl_high', 'mlspl_tail']
      : [limits.low, limits.high, limits.tail]
  return [
    `eval mlspl_below=if(mlspl_dist="expon", mlspl_min, mlspl_mean - mlspl_std * ${low})`,
    `eval mlspl_above=if(mlspl_dist="expon", mlspl_min + (mlspl_mean - mlspl_min) * ${tail}, mlspl_mean + mlspl_std * ${high})`,
    `eval "IsOutlier(${feature.replace(/["\\]/g, '\\$&')})"=if(${value} < mlspl_below OR ${value} > mlspl_above, 1, 0)`,
    'eval BoundaryRanges=if(isnull(mlspl_above), null(), mvappend("-Infinity:" . mlspl_below, mlspl_above . ":Infinity"))',
    ...(options.flag('show_density', false) ? [density(feature, span)] : []),
    `fields - mlspl_below mlspl_above ${OWN.join(' ')}`,
  ].join(' | ')
}

function statistics(feature: string): string {
  const x = quoted(feature)
  return `avg(${x}) as mlspl_mean stdev(${x}) as mlspl_std min(${x}) as mlspl_min`
}

/** The facts that `fit` keeps of its options with each row. */
function kept(options: Options, limits: Limits): string {
  const dist = options.word('dist') === 'expon' ? 'expon' : 'norm'
  const { low, high, tail } = limits
  return `eval mlspl_dist="${dist}", mlspl_low=${low}, mlspl_high=${high}, mlspl_tail=${tail}, mlspl_std=coalesce(mlspl_std, 0)`
}

const fit = command<FitNode>({
  name: 'fit',
  says: 'Fits a DensityFunction to the values of a field, of all rows or of each group, and keeps it as a model.',
  kind: 'streaming',
  options: FIT_OPTIONS,
  read: readFit,
  lower: ({ feature, by, model, options }, rows, context, span) => {
    const given = limitsOf(options, span)
    const usual = -normalQuantile(THRESHOLD / 2)
    const limits = given ?? { low: usual, high: usual, tail: -Math.log(THRESHOLD) }
    if ((options.word('dist') ?? 'auto') === 'auto') {
      context.note(
        'assumption',
        `fit: the values of ${feature} are taken to be distributed normally`,
        span,
      )
    }
    const keys = by.map(quoted).join(' ')
    const behind = by.length === 0 ? '' : ` by ${keys}`
    if (model !== undefined) {
      const columns = `rename mlspl_mean as ${quoted(`mean(${feature})`)}`
      const text = `| stats count as cardinality ${statistics(feature)}${behind} | ${kept(options, limits)} | eval mlspl_key="1" | ${columns} | outputlookup ${MODELS}${model}`
      context.inner(text, rows, span)
    }
    const facts = `| eventstats ${statistics(feature)}${behind} | ${kept(options, limits)}`
    return context.inner(`${facts} | ${judged(feature, undefined, options, span)}`, rows, span)
  },
})

interface Model {
  readonly lookup: string
  readonly feature: string
  readonly keys: readonly string[]
}

/** A model that was fitted; undefined, with a notice, for one that was not. */
function modelOf(name: string, context: Context, span: Span): Model | undefined {
  if (TRAINED.test(name)) {
    return refuse(
      'HR504',
      { name: 'apply', reason: `the model ${name} is a trained one of a machine learning service` },
      span,
    )
  }
  const lookup = `${MODELS}${name}`
  const columns = context.world.lookup(lookup)?.columns ?? []
  const feature = columns.flatMap((each) => /^mean\((.*)\)$/s.exec(each)?.[1] ?? [])[0]
  if (feature === undefined) {
    context.notice(diagnose('HR535', { name: `model ${name}` }, span))
    return undefined
  }
  const facts = new Set([...OWN, 'cardinality', 'mlspl_key', `mean(${feature})`])
  return { lookup, feature, keys: columns.filter((each) => !facts.has(each)) }
}

interface ApplyNode {
  readonly model: string
  readonly options: Options
}

const APPLY_OPTIONS = {
  threshold: 'number',
  lower_threshold: 'number',
  upper_threshold: 'number',
  show_density: 'flag',
  show_options: fixed('text', ''),
  sample: fixed('flag', 'false'),
} as const

const apply = command<ApplyNode>({
  name: 'apply',
  says: 'Tells with a model of DensityFunction which values are outliers: IsOutlier(field) and BoundaryRanges.',
  kind: 'streaming',
  options: APPLY_OPTIONS,
  read: (reader) => {
    const model = modelName(reader)
    const options = new Options(APPLY_OPTIONS)
    options.takeAll(reader)
    return { model, options }
  },
  lower: ({ model, options }, rows, context, span) => {
    const found = modelOf(model, context, span)
    const limits = limitsOf(options, span)
    if (found === undefined) return rows
    const { lookup, feature, keys } = found
    const outputs = OWN.map((each) => {
      const column = each === 'mlspl_mean' ? quoted(`mean(${feature})`) : each
      return `${column} as ${each}`
    })
    const text = [
      '| eval mlspl_key="1"',
      `lookup ${lookup} mlspl_key ${keys.map(quoted).join(' ')} OUTPUT ${outputs.join(' ')}`,
      `eval ${OWN.map((each) => `${each}=mvindex(${each}, 0)`).join(', ')}`,
      'fields - mlspl_key',
      judged(feature, limits, options, span),
    ].join(' | ')
    return context.inner(text, rows, span)
  },
})

const NOTHING: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['type', 'text'],
  ['mean', 'text'],
  ['std', 'text'],
  ['min', 'text'],
  ['cardinality', 'text'],
])

const summary = command<string>({
  name: 'summary',
  says: 'Gives the groups of a model of DensityFunction with the facts that it keeps of each.',
  kind: 'generating',
  read: (reader) => modelName(reader),
  lower: (name, _, context, span): Rows => {
    const found = modelOf(name, context, span)
    if (found === undefined) {
      const out = [...NOTHING].map(([each, type]) => ({ name: each, type }))
      return { rel: { op: 'values', rows: [], out }, fields: NOTHING, order: [], isEvents: false }
    }
    const renamed = `${quoted(`mean(${found.feature})`)} as mean mlspl_std as std mlspl_min as min mlspl_dist as type`
    const text = `| inputlookup ${found.lookup} | rename ${renamed} | fields - mlspl_*`
    return context.inner(text, undefined, span)
  },
})

export const modelCommands: readonly CommandRecord[] = [fit, apply, summary]

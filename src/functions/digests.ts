/**
 * States of counts and of percentiles, that queries keep and put together later. A state of a count holds the hashes
 * of the different values, a state of percentiles the sorted values with how many there are up to each. Both are exact
 * up to a size, and beyond it sketches of that size; they are Harrier's own form, and no other engine reads them.
 */
import { arrayJson, elementOf, solid } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a, b, c, g: key } = VARIABLES

/** Most hashes in a state: the least ones are kept, and how densely they lie tells how many there were. */
const MOST_HASHES = 16_384
/** Most values in a state of percentiles; more are put together by rank. */
const MOST_VALUES = 10_000

const STATE: Parameter = { name: 'state', type: 'dynamic' }
const AGGREGATE = { gives: 'dynamic', onNull: 'own', aggregate: true, examples: [] } as const

const hashesOf = (state: Sql): Sql => sql`JSONExtract(${state}, 'hll', 'Array(UInt64)')`

/** A state from hashes in any order; missing when there are none. */
function hashState(hashes: Sql): Sql {
  const least = sql`arraySlice(arraySort(${a}), 1, ${literal(MOST_HASHES)})`
  const text = sql`concat('{"hll":', ${arrayJson(sql`arrayMap(x -> toString(x), ${least})`)}, '}')`
  return named(hashes, a, (each) => sql`if(empty(${each}), NULL, ${text})`)
}

const hll: FunctionRecord = {
  ...AGGREGATE,
  id: 'agg.hll',
  says: 'A state that tells how many different values there are.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'accuracy', type: 'int', optional: true },
  ],
  spelled: { kusto: ['hll'] },
  conditional: { kusto: ['hll_if'], at: 1 },
  sql: (args) => {
    const { sql: value } = arg(args, 0)
    return sql`groupUniqArray(if(isNull(${value}), NULL, sipHash64(toString(${value}))))`
  },
  finish: hashState,
}

const hllMerge: FunctionRecord = {
  ...AGGREGATE,
  id: 'agg.hll_merge',
  says: 'Several states of counts as one.',
  takes: [STATE],
  spelled: { kusto: ['hll_merge'] },
  sql: (args) => sql`groupUniqArrayArray(${hashesOf(solid(arg(args, 0)))})`,
  finish: hashState,
}

const hllUnion: FunctionRecord = {
  id: 'sketch.hll_merge',
  says: 'Several states of counts as one.',
  takes: [{ ...STATE, many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['hll_merge'] },
  sql: (args) => {
    const all = args.map((each) => hashesOf(solid(each)))
    return hashState(sql`arrayDistinct(arrayConcat(${joined(all, ', ')}))`)
  },
  examples: [
    { args: ['{"hll":[5,9]}', '{"hll":[3,5]}'], gives: '{"hll":[3,5,9]}' },
    { args: [null, '[1]'], gives: null },
  ],
}

const dcountHll: FunctionRecord = {
  id: 'sketch.dcount_hll',
  says: 'Number of different values that a state of a count stands for.',
  takes: [STATE],
  gives: 'int',
  onNull: 'own',
  spelled: { kusto: ['dcount_hll'] },
  sql: (args) => {
    const state = solid(arg(args, 0))
    const most = literal(MOST_HASHES)
    const guess = sql`round((${most} - 1) / (toFloat64(arrayMax(${a})) / 18446744073709551616))`
    const count = named(
      hashesOf(state),
      a,
      (each) => sql`if(length(${each}) < ${most}, toInt64(length(${each})), toInt64(${guess}))`,
    )
    return sql`if(JSONHas(${state}, 'hll'), ${count}, NULL)`
  },
  examples: [
    { args: ['{"hll":[3,5,9]}'], gives: 3 },
    { args: [null], gives: null },
  ],
}

/** Hashes are told from one another up to the least of the ends to which the states are whole. */
const common: FunctionRecord = {
  id: 'sketch.hll_common',
  says: 'Number of values that all of several states of counts hold.',
  takes: [{ ...STATE, many: true }],
  gives: 'int',
  onNull: 'own',
  sql: (args) => {
    const most = literal(MOST_HASHES)
    const lists = joined(
      args.map((each) => hashesOf(solid(each))),
      ', ',
    )
    const full = sql`arrayFilter(l -> length(l) >= ${most}, ${a})`
    const end = sql`arrayMin(arrayMap(l -> arrayMax(l), ${full}))`
    const shared = sql`arrayReduce('groupArrayIntersect', ${a})`
    const guess = sql`toInt64(round(arrayCount(h -> h <= ${end}, ${b}) / (toFloat64(${end}) / 18446744073709551616)))`
    return named(sql`[${lists}]`, a, () =>
      named(shared, b, () => sql`if(empty(${full}), toInt64(length(${b})), ${guess})`),
    )
  },
  examples: [
    { args: ['{"hll":[1,2,3]}', '{"hll":[2,3,4]}'], gives: 2 },
    { args: ['{"hll":[1,2,3]}', null], gives: 0 },
  ],
}

function validity(name: string, member: string, says: string, good: string): FunctionRecord {
  return {
    id: `sketch.${name}_isvalid`,
    says,
    takes: [STATE, { name: 'value', type: 'any', optional: true }],
    gives: 'bool',
    onNull: 'own',
    spelled: { kusto: [`${name}_isvalid`] },
    sql: (args) => sql`JSONHas(${solid(arg(args, 0))}, ${literal(member)})`,
    examples: [
      { args: [good], gives: true },
      { args: ['[1]'], gives: false },
      { args: [null], gives: false },
    ],
  }
}

/** Values as the engine sorts and adds them up, none where it is missing or no number. */
function sortable({ sql: value, type }: SqlArg): Sql {
  switch (type) {
    case 'time':
      return sql`reinterpret(${value}, 'Int64')`
    case 'int':
    case 'int32':
    case 'span':
      return sql`toInt64(${value})`
    case 'text':
    case 'dynamic':
      return sql`toFloat64OrNull(toString(${value}))`
    default:
      return sql`toFloat64(${value})`
  }
}

/** A sorted value as an element of a state: instants and lengths of time are ticks behind a letter. */
function elementText({ type }: SqlArg, value: Sql): Sql {
  if (type === 'time') return sql`concat('"t', toString(${value}), '"')`
  return type === 'span' ? sql`concat('"s', toString(${value}), '"')` : sql`toString(${value})`
}

const numberText = (element: Sql): Sql => sql`trim(BOTH '"ts' FROM ${element})`

/** What an element of a state sorts by. */
const rankKey = (element: Sql): Sql => sql`toFloat64OrZero(${numberText(element)})`

/** An element of a state as a dynamic value. */
function elementValue(element: Sql): Sql {
  const ticks = sql`toInt64OrZero(${numberText(element)})`
  const moment = elementOf({
    sql: sql`reinterpret(${ticks}, 'DateTime64(7, \\'UTC\\')')`,
    type: 'time',
  })
  const span = elementOf({ sql: ticks, type: 'span' })
  return sql`multiIf(startsWith(${element}, '"t'), ${moment}, startsWith(${element}, '"s'), ${span}, ${element})`
}

/**
 * A state from the texts of sorted values and their weights; missing when there are none. Arrays go beside one another
 * into the lambdas: one that a lambda reads from outside is copied for each element.
 */
function valueState(texts: Sql, weights: Sql): Sql {
  const most = literal(MOST_VALUES)
  const next = sql`arrayPushBack(arrayPopFront(arrayMap(x -> toFloat64(x), ${b})), toFloat64(inf))`
  const isKept = sql`(${key}.1 OR floor(n / ${key}.2 * ${most}) != floor(m / ${key}.2 * ${most}))`
  const values = arrayJson(sql`arrayFilter((v, n, m) -> ${isKept}, ${a}, ${b}, ${c})`)
  const upTo = arrayJson(
    sql`arrayMap(n -> toString(n), arrayFilter((n, m) -> ${isKept}, ${b}, ${c}))`,
  )
  const text = named(next, c, () =>
    named(
      sql`(length(${b}) <= ${most}, ${b}[-1])`,
      key,
      () => sql`concat('{"tdigest":', ${values}, ',"upto":', ${upTo}, '}')`,
    ),
  )
  return named(texts, a, (each) =>
    named(
      sql`arrayCumSum(${weights})`,
      b,
      () => sql`if(empty(${each}), CAST(NULL AS Nullable(String)), ${text})`,
    ),
  )
}

const tdigest: FunctionRecord = {
  ...AGGREGATE,
  id: 'agg.tdigest',
  says: 'A state from which percentiles of the values can be told.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'weight', type: 'int', optional: true },
  ],
  spelled: { kusto: ['tdigest'] },
  sql: (args) => {
    const value = sortable(arg(args, 0))
    const weight =
      args[1] === undefined
        ? sql`toUInt64(1)`
        : sql`toUInt64(greatest(ifNull(${args[1].sql}, 0), 0))`
    const isThere = sql`ifNull(isFinite(${value}), false)`
    return sql`sumMap(if(${isThere}, [assumeNotNull(${value})], []), if(${isThere}, [${weight}], []))`
  },
  finish: (made, args) =>
    valueState(
      sql`arrayMap(${key} -> ${elementText(arg(args, 0), key)}, tupleElement(${made}, 1))`,
      sql`tupleElement(${made}, 2)`,
    ),
}

const upTo = (state: Sql): Sql => sql`JSONExtract(${state}, 'upto', 'Array(UInt64)')`
const values = (state: Sql): Sql => sql`JSONExtractArrayRaw(${state}, 'tdigest')`

/** How often each value of a state is there. */
const weightsOf = (state: Sql): Sql =>
  sql`arrayResize(arrayMap((n, p) -> if(n > p, n - p, 0), ${upTo(state)}, arraySlice(arrayPushFront(${upTo(state)}, 0), 1, length(${upTo(state)}))), length(${values(state)}), 0)`

const MERGES = ['tdigest_merge', 'merge_tdigest']

/** A state of values that are added up by their texts. */
const sortedState = (added: Sql): Sql => {
  const sorted = sql`arraySort(p -> p.1, arrayMap((${key}, w) -> (${rankKey(key)}, ${key}, w), tupleElement(${added}, 1), tupleElement(${added}, 2)))`
  return named(sorted, VARIABLES.t, (pairs) =>
    valueState(sql`arrayMap(p -> p.2, ${pairs})`, sql`arrayMap(p -> p.3, ${pairs})`),
  )
}

const tdigestMerge: FunctionRecord = {
  ...AGGREGATE,
  id: 'agg.tdigest_merge',
  says: 'Several states of percentiles as one.',
  takes: [STATE],
  spelled: { kusto: MERGES },
  sql: (args) => {
    const state = solid(arg(args, 0))
    return sql`sumMap(${values(state)}, ${weightsOf(state)})`
  },
  finish: sortedState,
}

const tdigestUnion: FunctionRecord = {
  id: 'sketch.tdigest_merge',
  says: 'Several states of percentiles as one.',
  takes: [{ ...STATE, many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: MERGES },
  sql: (args) => {
    const lists = (print: (state: Sql) => Sql): Sql =>
      sql`[${joined(
        args.map((each) => print(solid(each))),
        ', ',
      )}]`
    return sortedState(sql`arrayReduce('sumMap', ${lists(values)}, ${lists(weightsOf)})`)
  },
  examples: [
    {
      args: ['{"tdigest":[1,3],"upto":[1,2]}', '{"tdigest":[1,10],"upto":[2,3]}'],
      gives: '{"tdigest":[1,3,10],"upto":[3,4,5]}',
    },
    { args: [null, '[1]'], gives: null },
  ],
}

/** The value of a state that a percentage of all do not exceed; `a` must be the values and `b` the ranks. */
const ranked = (percent: Sql): Sql =>
  named(
    sql`least(greatest(ifNull(${percent}, 0), 0), 100) / 100 * (1 - 1e-12) * ${b}[-1]`,
    key,
    (rank) =>
      named(
        sql`${a}[greatest(arrayFirstIndex(n -> n >= ${rank}, ${b}), 1)]`,
        VARIABLES.t,
        elementValue,
      ),
  )

const withState = (state: Sql, body: Sql): Sql =>
  named(values(state), a, () => named(upTo(state), b, () => body))

/** Most percentiles that are told at once. */
const MOST_PERCENTS = 100

const percentile: FunctionRecord = {
  id: 'sketch.percentile_tdigest',
  says: 'A percentile of the values that a state stands for, by nearest rank.',
  takes: [STATE, { name: 'percent', type: 'float' }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['percentile_tdigest'] },
  sql: (args) => {
    const state = solid(arg(args, 0))
    return withState(state, sql`if(empty(${a}), NULL, ${ranked(arg(args, 1).sql)})`)
  },
  examples: [
    { args: ['{"tdigest":[1,3,10],"upto":[3,4,5]}', 60], gives: '1' },
    { args: ['{"tdigest":[1,3,10],"upto":[3,4,5]}', 100], gives: '10' },
    { args: [null, 50], gives: null },
  ],
}

const percentiles: FunctionRecord = {
  id: 'sketch.percentiles_array_tdigest',
  says: 'Several percentiles of the values that a state stands for.',
  takes: [STATE, { name: 'percents', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['percentiles_array_tdigest'] },
  sql: (args) => {
    const [first = arg(args, 0), ...rest] = args
    const wanted = rest.map(({ sql: value, type }) =>
      type === 'dynamic'
        ? sql`arrayMap(x -> toFloat64OrZero(x), JSONExtractArrayRaw(ifNull(${value}, '[]')))`
        : sql`[ifNull(toFloat64(${value}), 0)]`,
    )
    const list = sql`arrayMap(${c} -> ${ranked(c)}, arraySlice(arrayConcat(${joined(wanted, ', ')}), 1, ${literal(MOST_PERCENTS)}))`
    return withState(solid(first), sql`if(empty(${a}), NULL, ${arrayJson(list)})`)
  },
  examples: [
    {
      args: ['{"tdigest":[1,3,10],"upto":[3,4,5]}', '[20,80,100]'],
      as: ['dynamic', 'dynamic'],
      gives: '[1,3,10]',
    },
    {
      args: ['{"tdigest":[1,3,10],"upto":[3,4,5]}', 80, 100],
      as: ['dynamic', 'int', 'int'],
      gives: '[3,10]',
    },
  ],
}

function rank(name: string, says: string, share: boolean, gives: number): FunctionRecord {
  return {
    id: `sketch.${name}`,
    says,
    takes: [STATE, { name: 'value', type: 'any' }],
    gives: 'float',
    onNull: 'own',
    spelled: { kusto: [name] },
    sql: (args) => {
      const value = sql`toFloat64(${sortable(arg(args, 1))})`
      const below = sql`arrayMax(arrayMap((${key}, n) -> if(${rankKey(key)} <= assumeNotNull(${c}), n, 0), ${a}, arrayResize(${b}, length(${a}))))`
      const found = share ? sql`${below} / ${b}[-1] * 100` : sql`toFloat64(${below})`
      const known = sql`if(empty(${a}) OR empty(${b}) OR isNull(${c}), NULL, ${found})`
      return withState(
        solid(arg(args, 0)),
        named(value, c, () => known),
      )
    },
    examples: [
      {
        args: ['{"tdigest":[1,3,10],"upto":[3,4,5]}', 5],
        as: ['dynamic', 'int'],
        gives,
      },
      { args: [null, 1], as: ['dynamic', 'int'], gives: null },
    ],
  }
}

export const digestFunctions: readonly FunctionRecord[] = [
  hll,
  hllMerge,
  hllUnion,
  dcountHll,
  common,
  validity('hll', 'hll', 'True for a state of a count.', '{"hll":[1]}'),
  tdigest,
  tdigestMerge,
  tdigestUnion,
  percentile,
  percentiles,
  rank('rank_tdigest', 'How many values of a state do not exceed a value.', false, 4),
  rank('percentrank_tdigest', 'The percentage of a state that does not exceed a value.', true, 80),
  validity('tdigest', 'tdigest', 'True for a state of percentiles.', '{"tdigest":[1],"upto":[1]}'),
]

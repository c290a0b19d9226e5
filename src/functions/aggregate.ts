/** Aggregates: one value from the rows of a group. Missing values are not counted. */
import { bigInteger, doublesInOrder } from './ordinal.ts'
import { arg, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const whole = (made: Sql): Sql => sql`toInt64(${made})`

const count: FunctionRecord = {
  id: 'agg.count',
  says: 'Number of rows.',
  takes: [],
  gives: 'int',
  onNull: 'own',
  aggregate: true,
  spelled: { kusto: ['count'] },
  conditional: { kusto: ['countif'], at: 0 },
  sql: () => sql`count()`,
  finish: whole,
  examples: [],
}

function ofValue(
  record: Pick<FunctionRecord, 'id' | 'says' | 'gives'> &
    Partial<Pick<FunctionRecord, 'spelled' | 'conditional' | 'finish' | 'takes'>>,
  print: (value: SqlArg) => Sql,
): FunctionRecord {
  return {
    takes: [{ name: 'value', type: 'any' }],
    onNull: 'null',
    aggregate: true,
    ...record,
    sql: (args) => print(arg(args, 0)),
    examples: [],
  }
}

const values = ofValue(
  { id: 'agg.values', says: 'Number of values that are there.', gives: 'int', finish: whole },
  (value) => sql`count(${value.sql})`,
)

const DISTINCT = {
  says: 'Number of different values, exact.',
  gives: 'int',
  finish: whole,
} as const

const distinct = ofValue(
  { ...DISTINCT, id: 'agg.distinct' },
  (value) => sql`uniqExact(${value.sql})`,
)

const dcount = ofValue(
  {
    ...DISTINCT,
    id: 'agg.dcount',
    says: 'Number of different values, exact whatever the accuracy.',
    takes: [
      { name: 'value', type: 'any' },
      { name: 'accuracy', type: 'int', optional: true },
    ],
    spelled: { kusto: ['dcount'] },
    conditional: { kusto: ['dcountif'], at: 1 },
  },
  (value) => sql`uniqExact(${value.sql})`,
)

const countDistinct = ofValue(
  {
    ...DISTINCT,
    id: 'agg.count_distinct',
    spelled: { kusto: ['count_distinct'] },
    conditional: { kusto: ['count_distinctif'], at: 1 },
  },
  (value) => sql`uniqExact(${value.sql})`,
)

/** The least or the greatest value. What is no number counts as less and as greater than every number. */
function extreme(which: 'min' | 'max', says: string): FunctionRecord {
  const plain = which === 'min' ? sql`min` : sql`max`
  const placed = which === 'min' ? sql`argMin` : sql`argMax`
  return ofValue(
    {
      id: `agg.${which}`,
      says,
      gives: 'dynamic',
      spelled: { kusto: [which] },
      conditional: { kusto: [`${which}if`], at: 1 },
    },
    (value) =>
      value.type === 'float'
        ? sql`${placed}(${value.sql}, ${doublesInOrder(value.sql, which)})`
        : sql`${plain}(${value.sql})`,
  )
}

const sample = ofValue(
  { id: 'agg.sample', says: 'One of the values.', gives: 'text' },
  (value) => sql`any(${value.sql})`,
)

const sum = ofValue(
  {
    id: 'agg.sum',
    says: 'Sum of the values; 0 of none.',
    gives: 'dynamic',
    spelled: { kusto: ['sum'] },
    conditional: { kusto: ['sumif'], at: 1 },
    finish: (made, args) => {
      const { type } = arg(args, 0)
      if (type === 'time') return sql`reinterpret(ifNull(${made}, 0), 'DateTime64(7, \\'UTC\\')')`
      if (type === 'decimal') return sql`ifNull(${made}, toDecimal256(0, 20))`
      return type === 'float' || type === 'dynamic'
        ? sql`ifNull(${made}, toFloat64(0))`
        : sql`ifNull(${made}, toInt64(0))`
    },
  },
  ({ sql: value, type }) => {
    if (type === 'time') return sql`sum(reinterpret(${value}, 'Int64'))`
    return type === 'dynamic' ? sql`sum(toFloat64OrNull(${value}))` : sql`sum(${value})`
  },
)

/** Types whose mean is no real number: it is made of an exact sum and the number of values. */
const EXACT_MEAN: readonly unknown[] = ['span', 'time', 'decimal']

const avg = ofValue(
  {
    id: 'agg.avg',
    says: 'Mean of the values; of none it is no number.',
    gives: 'dynamic',
    spelled: { kusto: ['avg'] },
    conditional: { kusto: ['avgif'], at: 1 },
    finish: (made, args) => {
      const { type } = arg(args, 0)
      if (!EXACT_MEAN.includes(type)) return sql`ifNull(${made}, nan)`
      if (type === 'decimal') {
        return sql`CAST(if(${made}.2 = 0, NULL, ${made}.1 / ${made}.2) AS Nullable(Decimal(76, 20)))`
      }
      const ticks = sql`toInt64(intDivOrZero(${made}.1, ${made}.2))`
      const mean = type === 'time' ? sql`reinterpret(${ticks}, 'DateTime64(7, \\'UTC\\')')` : ticks
      return sql`if(${made}.2 = 0, NULL, ${mean})`
    },
  },
  ({ sql: value, type }) => {
    switch (type) {
      case 'decimal':
        return sql`sumCount(${value})`
      case 'span':
        return sql`sumCount(toInt128(${value}))`
      case 'time':
        return sql`sumCount(toInt128(reinterpret(${value}, 'Int64')))`
      case 'dynamic':
        return sql`avg(toFloat64OrNull(${value}))`
      default:
        return sql`avg(${value})`
    }
  },
)

const tuple = (args: readonly SqlArg[]): Sql =>
  sql`tuple(${joined(
    args.map((each) => each.sql),
    ', ',
  )})`

const takeAny: FunctionRecord = {
  id: 'agg.take_any',
  says: 'One of the values; several values come from one row, as a tuple.',
  takes: [{ name: 'value', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  aggregate: true,
  spelled: { kusto: ['take_any', 'any'] },
  conditional: { kusto: ['take_anyif', 'anyif'], at: 1 },
  sql: (args) => (args.length === 1 ? sql`any(${arg(args, 0).sql})` : sql`any(${tuple(args)})`),
  examples: [],
}

const takeFirst: FunctionRecord = {
  id: 'agg.take_first',
  says: 'The value of the row that comes first by a number; several values come as a tuple.',
  takes: [
    { name: 'order', type: 'int' },
    { name: 'value', type: 'any', many: true },
  ],
  gives: 'dynamic',
  onNull: 'own',
  aggregate: true,
  sql: ([order = arg([], 0), ...rest]) =>
    rest.length === 1
      ? sql`argMin(${arg(rest, 0).sql}, ${order.sql})`
      : sql`argMin(${tuple(rest)}, ${order.sql})`,
  examples: [],
}

/** What puts rows in order by a value, so that a missing one comes last. */
function keyOf({ sql: value, type }: SqlArg, which: 'min' | 'max'): Sql {
  const last = which === 'max' ? bigInteger('-') : bigInteger('+')
  switch (type) {
    case 'float':
      return sql`ifNull(${doublesInOrder(value, which)}, ${last})`
    case 'bool':
    case 'int32':
    case 'int':
    case 'span':
      return sql`ifNull(toInt64(${value}), ${last})`
    case 'time':
      return sql`ifNull(reinterpret(${value}, 'Int64'), ${last})`
    case 'decimal':
      return sql`(${which === 'max' ? sql`isNotNull` : sql`isNull`}(${value}), ifNull(${value}, toDecimal256(0, 20)))`
    case 'text':
      return value
    default:
      return sql`(${which === 'max' ? sql`isNotNull` : sql`isNull`}(${value}), ifNull(toString(${value}), ''))`
  }
}

function extremeRow(which: 'min' | 'max'): readonly FunctionRecord[] {
  const placed = which === 'min' ? sql`argMin` : sql`argMax`
  const words = which === 'min' ? 'least' : 'greatest'
  const says = `The value by which the row with the ${words} one is chosen, and other values of that row, as a tuple.`
  const by = { name: 'by', type: 'any' } as const
  const value = { name: 'value', type: 'any', many: true } as const
  const shared = { gives: 'dynamic', onNull: 'own', aggregate: true, examples: [] } as const
  return [
    {
      ...shared,
      id: `agg.arg_${which}`,
      says,
      takes: [by, value],
      spelled: { kusto: [`arg_${which}`, `arg${which}`] },
      sql: (args) => sql`${placed}(${tuple(args)}, ${keyOf(arg(args, 0), which)})`,
    },
    {
      ...shared,
      id: `agg.arg_${which}_text`,
      says: `A text of the row with the ${words} value.`,
      takes: [by, { name: 'text', type: 'text' }],
      gives: 'text',
      sql: (args) => sql`${placed}(${arg(args, 1).sql}, ${keyOf(arg(args, 0), which)})`,
    },
    {
      ...shared,
      id: `agg.arg_${which}_first`,
      says: `${says} Of rows alike, the one that comes first by a number.`,
      takes: [{ name: 'order', type: 'int' }, by, value],
      sql: ([order = arg([], 0), ...rest]) => {
        const rank = which === 'min' ? order.sql : sql`-toInt64(${order.sql})`
        return sql`${placed}(${tuple(rest)}, (${keyOf(arg(rest, 0), which)}, ${rank}))`
      },
    },
  ]
}

const tupleAt: FunctionRecord = {
  id: 'tuple.at',
  says: 'The value at a position of a tuple; the first has position 0.',
  takes: [
    { name: 'tuple', type: 'any' },
    { name: 'position', type: 'int', constant: true },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const position = Number(arg(args, 1).value)
    return sql`tupleElement(${arg(args, 0).sql}, ${literal(position + 1)})`
  },
  examples: [],
}

/** Types that are whole numbers in the engine. */
const WHOLE: readonly unknown[] = ['int', 'int32', 'span']

function bits(name: 'and' | 'or' | 'xor', print: Sql): FunctionRecord {
  return ofValue(
    {
      id: `agg.binary_all_${name}`,
      says: `The values taken together bit by bit with ${name}.`,
      gives: 'dynamic',
      spelled: { kusto: [`binary_all_${name}`] },
      finish: (made, args) => (arg(args, 0).type === 'float' ? sql`toFloat64(${made})` : made),
    },
    ({ sql: value, type }) =>
      WHOLE.includes(type)
        ? sql`${print}(${value})`
        : sql`${print}(accurateCastOrNull(${value}, 'Int64'))`,
  )
}

export const aggregateFunctions: readonly FunctionRecord[] = [
  count,
  values,
  distinct,
  dcount,
  countDistinct,
  extreme('min', 'The least value.'),
  extreme('max', 'The greatest value.'),
  sample,
  sum,
  avg,
  takeAny,
  takeFirst,
  ...extremeRow('min'),
  ...extremeRow('max'),
  tupleAt,
  bits('and', sql`groupBitAnd`),
  bits('or', sql`groupBitOr`),
  bits('xor', sql`groupBitXor`),
]

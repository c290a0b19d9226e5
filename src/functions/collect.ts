/**
 * Aggregates that collect the values of a group in one dynamic value. With an order (a whole number, mostly the
 * number of the row) the values come by it; without one, lists come as the engine reads them, and sets sorted.
 */
import { arrayJson, bagJson, elementOf, solid } from './json.ts'
import { VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'

/** What Kusto keeps of a group when no number is said. */
const MOST = 1_048_576

const { a: item } = VARIABLES

function most(args: readonly SqlArg[]): number {
  const value = Number(args[1]?.value ?? MOST)
  return Number.isInteger(value) && value > 0 && value < MOST ? value : MOST
}

const bare = (type: SqlArg['type'], value: Sql): SqlArg => ({ sql: value, type })

/** The values of a dynamic argument: an array gives its elements, anything else is one value. */
function flattened(value: SqlArg): Sql {
  return sql`if(startsWith(${solid(value)}, '['), JSONExtractArrayRaw(${solid(value)}), [ifNull(${value.sql}, 'null')])`
}

const isDynamic = (value: SqlArg): boolean => value.type === 'dynamic'

/** Values of an ordered collection: what stands second in the pairs, the pairs sorted by what stands first. */
const inOrder = (pairs: Sql): Sql => sql`arrayMap(p -> p.2, arraySort(p -> p.1, ${pairs}))`

const TAKES: readonly Parameter[] = [
  { name: 'value', type: 'any' },
  { name: 'most', type: 'int', constant: true, optional: true },
  { name: 'order', type: 'int', optional: true },
]

const SHARED = {
  takes: TAKES,
  gives: 'dynamic',
  onNull: 'own',
  aggregate: true,
  ordered: true,
  examples: [],
} as const

function slice(list: Sql, args: readonly SqlArg[]): Sql {
  return most(args) === MOST ? list : sql`arraySlice(${list}, 1, ${literal(most(args))})`
}

const makeList: FunctionRecord = {
  ...SHARED,
  id: 'agg.make_list',
  says: 'An array of the values that are there; arrays are put together.',
  spelled: { kusto: ['make_list', 'makelist'] },
  conditional: { kusto: ['make_list_if'], at: 1 },
  sql: (args) => {
    const value = arg(args, 0)
    const order = args[2]
    if (order === undefined) {
      return isDynamic(value)
        ? sql`groupArrayArray(${literal(most(args))})(${flattened(value)})`
        : sql`groupArray(${literal(most(args))})(${value.sql})`
    }
    const listed = isDynamic(value) ? flattened(value) : sql`ifNull(${elementText(value)}, '')`
    return sql`groupArray(${literal(MOST)})((${order.sql}, ${listed}))`
  },
  finish: (made, args) => {
    const value = arg(args, 0)
    if (args[2] === undefined) {
      return isDynamic(value)
        ? arrayJson(made)
        : arrayJson(sql`arrayMap(${item} -> ${elementOf(bare(value.type, item))}, ${made})`)
    }
    const list = isDynamic(value)
      ? sql`arrayFlatten(${inOrder(made)})`
      : sql`arrayFilter(e -> e != '', ${inOrder(made)})`
    return arrayJson(slice(list, args))
  },
}

/** A value as JSON text, NULL where it is missing. */
function elementText(value: SqlArg): Sql {
  return value.type === 'text'
    ? elementOf(value)
    : sql`if(isNull(${value.sql}), NULL, ${elementOf(value)})`
}

const makeListWithNulls: FunctionRecord = {
  ...SHARED,
  id: 'agg.make_list_with_nulls',
  says: 'An array of the values, a null for each that is missing.',
  spelled: { kusto: ['make_list_with_nulls'] },
  sql: (args) => {
    const value = elementOf(arg(args, 0))
    const order = args[2]
    return order === undefined
      ? sql`groupArray(${literal(most(args))})(${value})`
      : sql`groupArray(${literal(MOST)})((${order.sql}, ${value}))`
  },
  finish: (made, args) => arrayJson(args[2] === undefined ? made : slice(inOrder(made), args)),
}

/** Types whose values are told apart in the engine as they are; others are told apart as JSON text. */
const AS_THEY_ARE: readonly unknown[] = ['text', 'int', 'int32', 'bool', 'time', 'span', 'guid']

const makeSet: FunctionRecord = {
  ...SHARED,
  id: 'agg.make_set',
  says: 'An array of the different values that are there; arrays are put together.',
  spelled: { kusto: ['make_set', 'makeset'] },
  conditional: { kusto: ['make_set_if'], at: 1 },
  sql: (args) => {
    const value = arg(args, 0)
    const order = args[2]
    const items = sql`arrayFilter(e -> e != 'null', ${flattened(value)})`
    if (order === undefined) {
      if (isDynamic(value)) return sql`groupUniqArrayArray(${literal(most(args))})(${items})`
      return AS_THEY_ARE.includes(value.type)
        ? sql`groupUniqArray(${literal(most(args))})(${value.sql})`
        : sql`groupUniqArray(${literal(most(args))})(${elementText(value)})`
    }
    // Of each value, its first place: what is kept grows with the different values, not with the rows.
    const keys = isDynamic(value)
      ? sql`arrayDistinct(${items})`
      : value.type === 'text'
        ? sql`[${value.sql}]`
        : sql`if(isNull(${value.sql}), [], [${elementOf(value)}])`
    return sql`minMap(${keys}, arrayMap(e -> ${order.sql}, ${keys}))`
  },
  finish: (made, args) => {
    const value = arg(args, 0)
    if (args[2] === undefined) {
      const sorted = sql`arraySort(${made})`
      return isDynamic(value) || !AS_THEY_ARE.includes(value.type)
        ? arrayJson(sorted)
        : arrayJson(sql`arrayMap(${item} -> ${elementOf(bare(value.type, item))}, ${sorted})`)
    }
    const list = sql`arrayMap(p -> p.1, arraySort(p -> p.2, arrayZip(${made}.1, ${made}.2)))`
    const texts = value.type === 'text' ? sql`arrayMap(e -> toJSONString(e), ${list})` : list
    return arrayJson(slice(texts, args))
  },
}

const makeBag: FunctionRecord = {
  ...SHARED,
  id: 'agg.make_bag',
  says: 'A bag of the properties of all bags; of properties with one name the first one stays.',
  takes: [{ name: 'bag', type: 'dynamic' }, ...TAKES.slice(1)],
  spelled: { kusto: ['make_bag', 'make_dictionary'] },
  conditional: { kusto: ['make_bag_if'], at: 1 },
  sql: (args) => {
    const properties = sql`JSONExtractKeysAndValuesRaw(${solid(arg(args, 0))})`
    const order = args[2]
    return order === undefined
      ? sql`groupArrayArray(${literal(MOST)})(${properties})`
      : sql`groupArray(${literal(MOST)})((${order.sql}, ${properties}))`
  },
  finish: (made, args) => {
    const all = args[2] === undefined ? made : sql`arrayFlatten(${inOrder(made)})`
    const first = sql`arrayFilter((p, n) -> n = 1, ${all}, arrayEnumerateUniq(arrayMap(p -> p.1, ${all})))`
    return bagJson(slice(first, args))
  },
}

export const collectFunctions: readonly FunctionRecord[] = [
  makeList,
  makeListWithNulls,
  makeSet,
  makeBag,
]

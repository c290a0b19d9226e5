/**
 * Sets: arrays whose elements differ. Each is worked out in one pass over the elements, so that long arrays cost no
 * more than their length.
 */
import { arrayJson, elements, onlyIf, rawOf } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { joined, type Sql, type SqlArg, sql } from './sql.ts'

const { a: first, b: second } = VARIABLES

const SETS: readonly Parameter[] = [{ name: 'set', type: 'dynamic', many: true }]

function together(args: readonly SqlArg[]): Sql {
  return sql`arrayDistinct(arrayConcat(${joined(
    args.map((each) => elements(each)),
    ', ',
  )}))`
}

/** Different elements of a named list that are, or are not, in another one. */
function kept(from: Sql, against: Sql, time: Sql): Sql {
  // Both lists after each other: an element's first place there tells whether the list before it had it.
  const raw = sql`arrayFilter((x, n, m) -> n > length(${second}) AND m = ${time}, arrayConcat(${second}, ${first}), arrayEnumerate(arrayConcat(${second}, ${first})), arrayEnumerateUniq(arrayConcat(${second}, ${first})))`
  return named(from, first, () => named(against, second, () => raw))
}

const distinct = (raw: Sql): Sql => sql`arrayDistinct(${raw})`

function common([set, ...rest]: readonly SqlArg[]): Sql {
  const start = set === undefined ? sql`emptyArrayString()` : distinct(elements(set))
  return rest.reduce((all, each) => kept(all, distinct(elements(each)), sql`2`), start)
}

const union: FunctionRecord = {
  id: 'set.union',
  says: 'The different elements of all arrays.',
  takes: SETS,
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['set_union'] },
  sql: (args) => arrayJson(together(args)),
  examples: [{ args: ['[1,2,2]', '[2,"3"]', null], gives: '[1,2,"3"]' }],
}

const intersect: FunctionRecord = {
  id: 'set.intersect',
  says: 'The different elements that are in every array.',
  takes: SETS,
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['set_intersect'] },
  sql: (args) => arrayJson(common(args)),
  examples: [
    { args: ['[3,1,2,3]', '[1,3,4]', '[3,1]'], gives: '[3,1]' },
    { args: ['[1]', '["1"]'], gives: '[]' },
  ],
}

const difference: FunctionRecord = {
  id: 'set.difference',
  says: 'The different elements of the first array that are in none of the others.',
  takes: SETS,
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['set_difference'] },
  sql: ([set = arg([], 0), ...rest]) =>
    arrayJson(
      rest.length === 0 ? distinct(elements(set)) : kept(elements(set), together(rest), sql`1`),
    ),
  examples: [
    { args: ['[1,2,3,1]', '[2]', '[3]'], gives: '[1]' },
    { args: ['[1,2]', '[1,2]'], gives: '[]' },
    { args: ['[1,2]', null], gives: '[1,2]' },
  ],
}

const hasElement: FunctionRecord = {
  id: 'set.has_element',
  says: 'True when an array has a value as an element, of the same type and case.',
  takes: [
    { name: 'set', type: 'dynamic' },
    { name: 'value', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['set_has_element'] },
  sql: (args) => {
    const set = arg(args, 0)
    return onlyIf(
      set,
      '[',
      sql`toBool(has(${elements(set)}, ifNull(${rawOf(arg(args, 1))}, 'null')))`,
    )
  },
  examples: [
    { args: ['["a"]', 'a'], gives: true },
    { args: ['["a"]', 'A'], gives: false },
    { args: [null, 'a'], gives: null },
  ],
}

const equals: FunctionRecord = {
  id: 'set.equals',
  says: 'True when two arrays have the same different elements.',
  takes: [
    { name: 'one', type: 'dynamic' },
    { name: 'other', type: 'dynamic' },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['set_equals'] },
  sql: (args) => {
    const [one, other] = [arg(args, 0), arg(args, 1)].map(
      (each) => sql`arraySort(${distinct(elements(each))})`,
    )
    return sql`toBool(${one ?? sql`[]`} = ${other ?? sql`[]`})`
  },
  examples: [
    { args: ['[1,2,1]', '[2,1]'], gives: true },
    { args: ['[1]', '[2]'], gives: false },
  ],
}

const jaccard: FunctionRecord = {
  id: 'set.jaccard',
  says: 'How many elements sets share, as a part of all their elements.',
  takes: SETS,
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['jaccard_index'] },
  sql: (args) => {
    const share = sql`length(${common(args)}) / length(${together(args)})`
    return named(share, second, (part) => sql`if(isNaN(${part}), '"NaN"', toString(${part}))`)
  },
  examples: [{ args: ['[1,2,3,4]', '[3,4,5,6]'], gives: '0.3333333333333333' }],
}

export const setFunctions: readonly FunctionRecord[] = [
  union,
  intersect,
  difference,
  hasElement,
  equals,
  jaccard,
]

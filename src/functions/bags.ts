/**
 * Property bags: JSON objects. Of properties with one name the first one counts. Nested properties are reached by
 * constant paths like `$.a.b`; their depth is that of the path, so a template is as deep as what the rule wrote.
 */
import { namesOfPath } from './dynamic.ts'
import { arrayJson, bagJson, elementOf, elements, onlyIf, solid } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: list, b: other, c: third } = VARIABLES

/** Deeper paths than this are not followed. */
const DEEPEST = 8

const pairs = (bag: Sql): Sql => sql`JSONExtractKeysAndValuesRaw(${bag})`

/** The first of the pairs of each name. */
function firsts(all: Sql): Sql {
  return named(
    all,
    list,
    (each) =>
      sql`arrayFilter((p, n) -> n = 1, ${each}, arrayEnumerateUniq(arrayMap(p -> p.1, ${each})))`,
  )
}

const keys: FunctionRecord = {
  id: 'bag.keys',
  says: 'The names of the properties of a bag.',
  takes: [{ name: 'bag', type: 'dynamic' }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_keys'] },
  sql: (args) => {
    const bag = arg(args, 0)
    const names = sql`arrayMap(x -> toJSONString(x), arrayDistinct(JSONExtractKeys(${solid(bag)})))`
    return onlyIf(bag, '{', arrayJson(names))
  },
  examples: [
    { args: ['{"a":1,"b":{"c":2}}'], gives: '["a","b"]' },
    { args: ['{}'], gives: '[]' },
    { args: ['[1]'], gives: null },
    { args: [null], gives: null },
  ],
}

const merge: FunctionRecord = {
  id: 'bag.merge',
  says: 'One bag of the properties of several; of properties with one name the first one stays.',
  takes: [{ name: 'bag', type: 'dynamic', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_merge'] },
  sql: (args) => {
    const all = args.map((each) => pairs(solid(each)))
    const isBag = args.map((each) => sql`startsWith(${solid(each)}, '{')`)
    const made = bagJson(firsts(sql`arrayConcat(${joined(all, ', ')})`))
    return sql`if(${joined(isBag, ' OR ')}, ${made}, NULL)`
  },
  examples: [
    { args: ['{"a":1}', '{"a":2,"b":3}'], gives: '{"a":1,"b":3}' },
    { args: [null, '{"a":1}'], gives: '{"a":1}' },
    { args: [null, null], gives: null },
  ],
}

/** A bag without what stands at a path. */
function without(bag: Sql, path: readonly string[]): Sql {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    return bagJson(sql`arrayFilter(p -> p.1 != ${literal(name)}, ${pairs(bag)})`)
  }
  const inner = without(sql`p.2`, rest)
  return bagJson(
    sql`arrayMap(p -> if(p.1 = ${literal(name)} AND startsWith(p.2, '{'), (p.1, ${inner}), p), ${pairs(bag)})`,
  )
}

/** Texts of a constant array. */
function constantTexts(argument: SqlArg): readonly string[] | undefined {
  if (typeof argument.value !== 'string' || argument.type !== 'dynamic') return undefined
  const parsed: unknown = JSON.parse(argument.value)
  return Array.isArray(parsed)
    ? parsed.filter((each): each is string => typeof each === 'string')
    : []
}

const removeKeys: FunctionRecord = {
  id: 'bag.remove_keys',
  says: 'A bag without the properties of the names; constant names may be paths like `$.a.b`.',
  takes: [
    { name: 'bag', type: 'dynamic' },
    { name: 'names', type: 'dynamic' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_remove_keys'] },
  sql: (args) => {
    const bag = arg(args, 0)
    const names = arg(args, 1)
    const paths = (constantTexts(names) ?? []).flatMap((each) => {
      const path = namesOfPath(each)
      return path === undefined || path.length > DEEPEST ? [] : [path]
    })
    const top = sql`arrayFilter(p -> NOT has(${other}, toJSONString(p.1)), ${pairs(solid(bag))})`
    const rest = named(elements(names), other, () => bagJson(top))
    return onlyIf(
      bag,
      '{',
      paths.reduce((made, path) => without(made, path), rest),
    )
  },
  examples: [
    { args: ['{"a":1,"b":2,"c":3}', '["b","d","c"]'], gives: '{"a":1}' },
    { args: [null, '["b"]'], gives: null },
  ],
}

/** A bag with a value at a path: in place of what is there, or after the rest. */
function withValue(bag: Sql, path: readonly Sql[], value: Sql): Sql {
  const [name = sql`''`, ...rest] = path
  const inside =
    rest.length === 0
      ? value
      : withValue(
          sql`if(startsWith(JSONExtractRaw(${bag}, ${name}), '{'), JSONExtractRaw(${bag}, ${name}), '{}')`,
          rest,
          value,
        )
  const has = sql`JSONHas(${bag}, ${name})`
  const replaced = sql`arrayMap(p -> if(p.1 = ${other}, (p.1, ${third}), p), ${pairs(bag)})`
  const added = sql`arrayConcat(${pairs(bag)}, [(${other}, ${third})])`
  const made = bagJson(sql`if(${has}, ${replaced}, ${added})`)
  return sql`arrayMap((${other}, ${third}) -> ${made}, [${name}], [${inside}])[1]`
}

const setKey: FunctionRecord = {
  id: 'bag.set_key',
  says: 'A bag with a value for a name; a constant name may be a path like `$.a.b`.',
  takes: [
    { name: 'bag', type: 'dynamic' },
    { name: 'name', type: 'text' },
    { name: 'value', type: 'any' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_set_key'] },
  sql: (args) => {
    const bag = arg(args, 0)
    const name = arg(args, 1)
    const path = typeof name.value === 'string' ? namesOfPath(name.value) : undefined
    const steps =
      path === undefined || path.length > DEEPEST
        ? [name.sql]
        : path.map((each) => sql`${literal(each)}`)
    const made = named(solid(bag), list, (known) =>
      withValue(known, steps, elementOf(arg(args, 2))),
    )
    return onlyIf(bag, '{', made)
  },
  examples: [
    { args: ['{"a":1}', 'b', 'x'], gives: '{"a":1,"b":"x"}' },
    { args: ['{"a":1,"c":2}', 'a', 3], gives: '{"a":3,"c":2}' },
    { args: [null, 'a', 3], gives: null },
  ],
}

const zip: FunctionRecord = {
  id: 'bag.zip',
  says: 'A bag of names from one array and values from another; a name without a value has a null.',
  takes: [
    { name: 'names', type: 'dynamic' },
    { name: 'values', type: 'dynamic' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_zip'] },
  sql: (args) => {
    const names = arg(args, 0)
    const values = arg(args, 1)
    const couples = named(elements(names), list, (all) => {
      const padded = sql`arrayResize(${elements(values)}, length(${all}), 'null')`
      const texts = sql`arrayFilter(p -> startsWith(p.1, '"'), arrayZip(${all}, ${padded}))`
      return sql`arrayMap(p -> (JSONExtractString(p.1), p.2), ${texts})`
    })
    const isThere = sql`startsWith(${solid(names)}, '[') AND startsWith(${solid(values)}, '[')`
    return sql`if(${isThere}, ${bagJson(firsts(couples))}, NULL)`
  },
  examples: [
    { args: ['["a","b",1]', '[1]'], gives: '{"a":1,"b":null}' },
    { args: ['["a"]', null], gives: null },
  ],
}

/** Objects within objects are sorted this deep. */
const SORTED_DEPTH = 3

/** JSON text with the names of its objects in order. */
function inOrder(text: Sql, depth: number): Sql {
  if (depth === 0) return text
  const property = sql`(p.1, ${inOrder(sql`p.2`, depth - 1)})`
  const bag = bagJson(sql`arrayMap(p -> ${property}, arraySort(p -> p.1, ${pairs(text)}))`)
  const array = arrayJson(
    sql`arrayMap(e -> ${inOrder(sql`e`, depth - 1)}, JSONExtractArrayRaw(${text}))`,
  )
  return sql`multiIf(startsWith(${text}, '{'), ${bag}, startsWith(${text}, '['), ${array}, ${text})`
}

const printed: FunctionRecord = {
  id: 'bag.json',
  says: 'A dynamic value as JSON text, the names of its objects in order.',
  takes: [{ name: 'value', type: 'dynamic' }],
  gives: 'text',
  onNull: 'own',
  spelled: { kusto: ['dynamic_to_json'] },
  sql: (args) => inOrder(sql`ifNull(${arg(args, 0).sql}, 'null')`, SORTED_DEPTH),
  examples: [
    { args: ['{"b":{"y":1,"x":[2]},"a":1}'], gives: '{"a":1,"b":{"x":[2],"y":1}}' },
    { args: [null], gives: 'null' },
  ],
}

export const bagFunctions: readonly FunctionRecord[] = [
  keys,
  merge,
  removeKeys,
  setKey,
  zip,
  printed,
]

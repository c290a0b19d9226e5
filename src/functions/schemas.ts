/** The shape of dynamic values: the one that all of a column fit, and the paths of a single one. */
import { arrayJson, solid } from './json.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

/** Deeper properties are not looked at: nothing that deep is read from logs. */
const LEVELS = 32
/** Most properties of one shape; a shape of more is missing. */
const MOST = 500

const { a: pairs } = VARIABLES

// A path is the names of its properties as JSON texts, a line each: a JSON text has no line end of its own.
const below = (path: Sql, key: Sql): Sql => sql`concat(${path}, '\\n', toJSONString(${key}))`
const depth = (path: Sql): Sql => sql`countSubstrings(${path}, '\\n')`
const parent = (path: Sql): Sql =>
  sql`arrayStringConcat(arrayPopBack(splitByChar('\\n', ${path})), '\\n')`
const own = (path: Sql): Sql => sql`splitByChar('\\n', ${path})[-1]`

/** Pairs of a path and the type there, for every property of a value. */
function shapeOf(value: Sql): Sql {
  const members = sql`arrayMap(m -> (${below(sql`p.1`, sql`m.1`)}, m.2), JSONExtractKeysAndValuesRaw(p.2))`
  const items = sql`arrayMap(m -> (${below(sql`p.1`, sql`'\`indexer\`'`)}, m), JSONExtractArrayRaw(p.2))`
  const next = sql`arrayFlatten(arrayMap(p -> if(startsWith(p.2, '['), ${items}, if(startsWith(p.2, '{'), ${members}, [])), acc.1))`
  const number = sql`if(isNotNull(toInt64OrNull(p.2)), '"long"', '"double"')`
  const type = sql`multiIf(p.2 IN ('null', ''), '', startsWith(p.2, '{') OR startsWith(p.2, '['), '{}', startsWith(p.2, '"'), '"string"', p.2 IN ('true', 'false'), '"bool"', ${number})`
  const types = sql`arrayFilter(t -> t.2 != '', arrayMap(p -> (p.1, ${type}), acc.1))`
  const start = sql`([('', ${value})], CAST([] AS Array(Tuple(String, String))))`
  return sql`arrayFold((acc, i) -> (${next}, arrayDistinct(arrayConcat(acc.2, ${types}))), range(${literal(LEVELS)}), ${start}).2`
}

/** The types at a path, one or a list of several. */
const rendered = (types: Sql): Sql =>
  sql`if(length(${types}) = 1, ${types}[1], concat('[', arrayStringConcat(${types}, ','), ']'))`

const at = (path: Sql, among: Sql): Sql =>
  sql`arrayMap(e -> e.2, arrayFilter(e -> e.1 = ${path}, ${among}))`

/** The pairs put together from the deepest ones up, until only those of the root are left. */
function assembled(): Sql {
  const here = sql`arrayFilter(e -> ${depth(sql`e.1`)} = d, acc)`
  const members = sql`arrayMap(k -> concat(${own(sql`k`)}, ':', ${rendered(at(sql`k`, sql`here`))}), arrayFilter(k -> ${parent(sql`k`)} = p, arrayDistinct(arrayMap(e -> e.1, here))))`
  const containers = sql`arrayMap(p -> (p, concat('{', arrayStringConcat(${members}, ','), '}')), parents)`
  const rest = sql`arrayFilter(e -> ${depth(sql`e.1`)} < d AND NOT (e.2 = '{}' AND has(parents, e.1)), acc)`
  const parents = sql`arrayDistinct(arrayMap(e -> ${parent(sql`e.1`)}, here))`
  const step = sql`arrayMap(here -> arrayMap(parents -> arrayConcat(${rest}, ${containers}), [${parents}])[1], [${here}])[1]`
  const levels = sql`arrayReverse(range(1, ${literal(LEVELS + 1)}))`
  return sql`arrayFold((acc, d) -> ${step}, ${levels}, ${pairs})`
}

const buildSchema: FunctionRecord = {
  id: 'agg.schema',
  says: 'The shape that all values fit: the types of their properties.',
  takes: [{ name: 'value', type: 'dynamic' }],
  gives: 'dynamic',
  onNull: 'own',
  aggregate: true,
  spelled: { kusto: ['buildschema'] },
  sql: (args) => sql`groupUniqArrayArray(${literal(MOST + 1)})(${shapeOf(solid(arg(args, 0)))})`,
  finish: (made) =>
    named(sql`arraySort(${made})`, pairs, (each) => {
      const root = named(assembled(), VARIABLES.b, (all) =>
        rendered(sql`arrayMap(e -> e.2, ${all})`),
      )
      return sql`if(empty(${each}) OR length(${each}) > ${literal(MOST)}, CAST(NULL AS Nullable(String)), ${root})`
    }),
  examples: [],
}

const treePath: FunctionRecord = {
  id: 'dyn.tree_path',
  says: 'The paths of all properties of a value; the elements of an array share one.',
  takes: [{ name: 'object', type: 'dynamic' }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['treepath'] },
  sql: (args) => {
    const value = solid(arg(args, 0))
    // The third part of a path puts it behind the one it lies under and before the next beside that.
    const name = sql`concat(p.1, '[\\'', m.1, '\\']')`
    const place = sql`concat(p.3, leftPad(toString(i), 8, '0'))`
    const members = sql`arrayMap((m, i) -> (${name}, m.2, ${place}), JSONExtractKeysAndValuesRaw(p.2), arrayEnumerate(JSONExtractKeysAndValuesRaw(p.2)))`
    const items = sql`arrayMap(m -> (concat(p.1, '[0]'), m, concat(p.3, '00000000')), JSONExtractArrayRaw(p.2))`
    const next = sql`arrayFlatten(arrayMap(p -> if(startsWith(p.2, '['), ${items}, if(startsWith(p.2, '{'), ${members}, [])), acc.1))`
    const start = sql`([('', ${value}, '')], CAST([] AS Array(Tuple(String, String))))`
    const all = sql`arrayFold((acc, i) -> (${next}, arrayConcat(acc.2, arrayMap(p -> (p.3, p.1), acc.1))), range(${literal(LEVELS)}), ${start}).2`
    const paths = sql`arrayFilter(p -> p != '', arrayDistinct(arrayMap(p -> p.2, arraySort(p -> p.1, ${all}))))`
    const isTree = sql`(startsWith(${value}, '{') OR startsWith(${value}, '['))`
    return sql`if(${isTree}, ${arrayJson(sql`arrayMap(p -> toJSONString(p), ${paths})`)}, NULL)`
  },
  examples: [
    {
      args: ['{"b":{"x":1},"a":[5,{"y":2}]}'],
      gives: `["['b']","['b']['x']","['a']","['a'][0]","['a'][0]['y']"]`,
    },
    { args: ['5'], gives: null },
    { args: [null], gives: null },
  ],
}

export const schemaFunctions: readonly FunctionRecord[] = [buildSchema, treePath]

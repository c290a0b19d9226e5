/** Dynamic values: made of JSON text and of other values, read by path, and taken to pieces. */
import { arrayJson, elementOf, elements, jsonOf, onlyIf, rawOf, solid, TYPE_NAMES } from './json.ts'
import { arg, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, type SqlHole, sql } from './sql.ts'

/** Positions beyond this are in no array. */
const LAST_POSITION = 2_147_483_647

const orNull = (raw: Sql): Sql => sql`nullIf(nullIf(${raw}, ''), 'null')`

/** Fixed text that is the same whatever the arguments are, around and between pieces. */
function strung(pieces: readonly SqlHole[]): Sql {
  return { kind: 'sql', parts: ['', ...pieces.map(() => '')], holes: pieces }
}

function separated(pieces: readonly Sql[], between: string): readonly SqlHole[] {
  return pieces.flatMap((piece, index): readonly SqlHole[] =>
    index === 0 ? [piece] : [sql`, ${literal(between)}, `, piece],
  )
}

const parse: FunctionRecord = {
  id: 'dyn.parse',
  says: 'A text read as JSON; a text that is no JSON is a dynamic text, an empty one is null.',
  takes: [{ name: 'text', type: 'any' }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['parse_json', 'todynamic', 'toobject', 'parsejson'] },
  sql: (args) => {
    const subject = arg(args, 0)
    if (subject.type !== 'text') return jsonOf(subject)
    const text = subject.sql
    // What is no JSON has no raw form; the engine works the two equal calls out once.
    const raw = sql`JSONExtractRaw(${text})`
    return sql`multiIf(${raw} != '', nullIf(${raw}, 'null'), trim(${text}) = '', NULL, toJSONString(${text}))`
  },
  examples: [
    { args: ['{"a": [1, "x/y"]}'], gives: '{"a":[1,"x/y"]}' },
    { args: ['12'], gives: '12' },
    { args: ['no "json"'], gives: '"no \\"json\\""' },
    { args: [''], gives: null },
    { args: ['null'], gives: null },
  ],
}

const of: FunctionRecord = {
  id: 'dyn.of',
  says: 'A value of any type as a dynamic value.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => jsonOf(arg(args, 0)),
  examples: [
    { args: ['a"b'], gives: '"a\\"b"' },
    { args: [12], gives: '12' },
    { args: [true], gives: 'true' },
  ],
}

/** A place in a value: what it is read from, the steps to it, and what must hold for the steps to mean anything. */
interface Place {
  readonly from: Sql
  /** True while `from` may be NULL. */
  readonly isOpen: boolean
  readonly steps: readonly Sql[]
  readonly guards: readonly Sql[]
}

const after = (steps: readonly Sql[]): Sql => strung(steps.map((each) => sql`, ${each}`))

function rawAt({ from, steps, guards }: Place): Sql {
  const raw = steps.length === 0 ? from : sql`JSONExtractRaw(${from}${after(steps)})`
  return guards.length === 0 ? raw : sql`if(${joined(guards, ' AND ')}, ${raw}, '')`
}

/** A constant position: the engine would take it for a place among the properties of a bag, so an array is asked for. */
function atPosition(place: Place, position: number): Place {
  const from = place.isOpen ? sql`ifNull(${place.from}, '')` : place.from
  const isArray =
    place.steps.length === 0
      ? sql`startsWith(trimLeft(${from}), '[')`
      : sql`JSONType(${from}${after(place.steps)}) = 'Array'`
  // A position that no array has would not fit the engine's literals.
  const known = Math.min(Math.max(position, -LAST_POSITION), LAST_POSITION)
  const step = sql`${literal(known >= 0 ? known + 1 : known)}`
  return { from, isOpen: false, steps: [...place.steps, step], guards: [...place.guards, isArray] }
}

/** A step that is made at run time. */
function atComputed(place: Place, step: SqlArg): Place {
  const found = rawAt(place)
  const from = place.isOpen ? sql`ifNull(${found}, '')` : found
  const list = sql`JSONExtractArrayRaw(${from})`
  const position = (value: Sql): Sql => sql`${list}[if(${value} >= 0, ${value} + 1, ${value})]`
  if (step.type === 'dynamic') {
    const key = sql`ifNull(${step.sql}, '')`
    const named = sql`JSONExtractRaw(${from}, JSONExtractString(${key}))`
    const chosen = sql`if(startsWith(${key}, '"'), ${named}, ${position(sql`toInt64OrNull(${key})`)})`
    return { from: chosen, isOpen: true, steps: [], guards: [] }
  }
  const isWhole = step.type === 'int' || step.type === 'int32'
  const at = isWhole ? step.sql : sql`accurateCastOrNull(${step.sql}, 'Int64')`
  return { from: position(at), isOpen: true, steps: [], guards: [] }
}

function stepped(place: Place, step: SqlArg): Place {
  if (step.type === 'text') return { ...place, steps: [...place.steps, step.sql] }
  return typeof step.value === 'number'
    ? atPosition(place, Math.trunc(step.value))
    : atComputed(place, step)
}

const path: FunctionRecord = {
  id: 'dyn.path',
  says: 'The value at a path of names and positions; a position below zero counts from the end. Text is read as JSON first.',
  takes: [
    { name: 'value', type: 'any' },
    { name: 'step', type: 'any', many: true },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: ([subject, ...steps]) => {
    if (subject === undefined) return sql`NULL`
    const isOpen = subject.value === undefined
    const from = subject.type === 'text' ? subject.sql : jsonOf(subject)
    const root: Place = { from, isOpen, steps: [], guards: [] }
    return orNull(rawAt(steps.reduce(stepped, root)))
  },
  examples: [
    { args: ['{"a":{"b":[1,{"c":"x"}]}}', 'a', 'b'], gives: '[1,{"c":"x"}]' },
    { args: ['{"a":null}', 'a'], gives: null },
    { args: ['{"a":1}', 'b'], gives: null },
    { args: ['[10,20,30]', 0], gives: '10' },
    { args: ['[10,20,30]', -1], gives: '30' },
    { args: ['[10,20,30]', 3], gives: null },
    { args: ['{"a":1}', 0], gives: null },
    { args: ['{"a":{"b":1}}', 'a', 0], gives: null },
    { args: ['[[1,[2]]]', 0, -1, 0], gives: '2' },
    { args: [' [7]', 0], gives: '7' },
    { args: ['{"a":[{"b":"c"}]}', 'a', 0, 'b'], gives: '"c"' },
    { args: ['none', 'a'], gives: null },
  ],
}

/** The elements of an array, what a bag gives instead, and anything else itself. */
function elementsOr(subject: SqlArg, ofBag: Sql): Sql {
  const text = solid(subject)
  return sql`multiIf(startsWith(${text}, '['), arrayMap(x -> nullIf(x, 'null'), ${elements(subject)}), startsWith(${text}, '{'), CAST(${ofBag} AS Array(Nullable(String))), [CAST(${subject.sql} AS Nullable(String))])`
}

const parts: FunctionRecord = {
  id: 'dyn.elements',
  says: 'The elements of an array; a bag gives a bag for each property, anything else itself.',
  takes: [{ name: 'value', type: 'dynamic' }],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const bags = sql`arrayMap(p -> concat('{', toJSONString(p.1), ':', p.2, '}'), JSONExtractKeysAndValuesRaw(${solid(arg(args, 0))}))`
    return elementsOr(arg(args, 0), bags)
  },
  examples: [
    { args: ['[1,null,"a"]'], gives: ['1', null, '"a"'] },
    { args: ['{"a":1,"b":[2]}'], gives: ['{"a":1}', '{"b":[2]}'] },
    { args: ['[]'], gives: [] },
    { args: [null], gives: [null] },
    { args: ['7'], gives: ['7'] },
  ],
}

const firstParts: FunctionRecord = {
  id: 'dyn.first_elements',
  says: 'An array or a bag cut off behind so many elements; anything else itself.',
  takes: [
    { name: 'value', type: 'dynamic' },
    { name: 'count', type: 'int' },
  ],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const subject = arg(args, 0)
    // A length below 0 would count from the end.
    const count = sql`greatest(ifNull(${arg(args, 1).sql}, 0), 0)`
    const text = solid(subject)
    const array = sql`arrayStringConcat(arraySlice(${elements(subject)}, 1, ${count}), ',')`
    const couples = sql`arraySlice(JSONExtractKeysAndValuesRaw(${text}), 1, ${count})`
    const bag = sql`arrayStringConcat(arrayMap(p -> concat(toJSONString(p.1), ':', p.2), ${couples}), ',')`
    return sql`multiIf(startsWith(${text}, '['), concat('[', ${array}, ']'), startsWith(${text}, '{'), concat('{', ${bag}, '}'), ${subject.sql})`
  },
  examples: [
    { args: ['[1,null,"a"]', 2], gives: '[1,null]' },
    { args: ['{"a":1,"b":2}', 1], gives: '{"a":1}' },
    { args: ['[]', 2], gives: '[]' },
    { args: ['7', 1], gives: '7' },
    { args: [null, 1], gives: null },
  ],
}

const pairs: FunctionRecord = {
  id: 'dyn.pairs',
  says: 'The properties of a bag, each as an array of its name and its value; an array gives its elements.',
  takes: [{ name: 'value', type: 'dynamic' }],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const couples = sql`arrayMap(p -> concat('[', toJSONString(p.1), ',', p.2, ']'), JSONExtractKeysAndValuesRaw(${solid(arg(args, 0))}))`
    return elementsOr(arg(args, 0), couples)
  },
  examples: [
    { args: ['{"a":1,"b":null}'], gives: ['["a",1]', '["b",null]'] },
    { args: ['[1]'], gives: ['1'] },
    { args: [null], gives: [null] },
  ],
}

const list: FunctionRecord = {
  id: 'dyn.list',
  says: 'An array of the values.',
  takes: [{ name: 'value', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['pack_array'] },
  sql: (args) =>
    args.length === 0
      ? sql`'[]'`
      : sql`concat('[', ${strung(separated(args.map(elementOf), ','))}, ']')`,
  examples: [
    { args: [1, 'a', true], gives: '[1,"a",true]' },
    { args: [], gives: '[]' },
  ],
}

/** A name as the start of a property. */
function propertyName({ sql: name, type, value }: SqlArg): Sql {
  if (typeof value === 'string') return sql`${literal(`${JSON.stringify(value)}:`)}`
  const text =
    type === 'text' ? sql`toJSONString(${name})` : sql`toJSONString(ifNull(toString(${name}), ''))`
  return sql`concat(${text}, ':')`
}

function properties(args: readonly SqlArg[]): readonly (readonly [SqlArg, SqlArg])[] {
  return args.flatMap((name, index) => {
    const value = args[index + 1]
    return index % 2 === 0 && value !== undefined ? [[name, value] as const] : []
  })
}

const bag: FunctionRecord = {
  id: 'dyn.bag',
  says: 'A bag of names and values; a missing value is a null in it.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  spelled: { kusto: ['bag_pack', 'pack', 'pack_dictionary'] },
  sql: (args) => {
    const members = properties(args).map(
      ([name, value]) => sql`${propertyName(name)}, ${elementOf(value)}`,
    )
    return members.length === 0
      ? sql`'{}'`
      : sql`concat('{', ${strung(separated(members, ','))}, '}')`
  },
  examples: [
    { args: ['a', 1, 'b"', 'x'], gives: '{"a":1,"b\\"":"x"}' },
    { args: [], gives: '{}' },
  ],
}

const bagOfValues: FunctionRecord = {
  id: 'dyn.bag_of_values',
  says: 'A bag of names and values, without those that are missing or empty.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => {
    const members = properties(args).map(([name, value]) => {
      const member = sql`concat(${propertyName(name)}, ${elementOf(value)})`
      const isThere = value.type === 'text' ? sql`${value.sql} != ''` : sql`isNotNull(${value.sql})`
      return sql`if(${isThere}, ${member}, '')`
    })
    if (members.length === 0) return sql`'{}'`
    const all = strung(
      members.flatMap((each, index): readonly SqlHole[] =>
        index === 0 ? [each] : [sql`, `, each],
      ),
    )
    return sql`concat('{', arrayStringConcat(arrayFilter(m -> m != '', [${all}]), ','), '}')`
  },
  examples: [{ args: ['a', '', 'b', 'x'], gives: '{"b":"x"}' }],
}

/** The names of a path like `$.a['b']`; undefined for what is none. Positions are no part of it. */
export function namesOfPath(text: string): readonly string[] | undefined {
  if (!/^\$[.[]/.test(text)) return undefined
  const step = /\.([^.[\]]+)|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]/gy
  step.lastIndex = 1
  const names: string[] = []
  while (step.lastIndex < text.length) {
    const found = step.exec(text)
    if (found === null) return undefined
    names.push(found[1] ?? found[2] ?? found[3] ?? '')
  }
  return names
}

const hasKey: FunctionRecord = {
  id: 'dyn.has_key',
  says: 'True when a bag has a property of the name, or at the path that starts with `$.`.',
  takes: [
    { name: 'bag', type: 'dynamic' },
    { name: 'key', type: 'text' },
  ],
  gives: 'bool',
  onNull: 'own',
  spelled: { kusto: ['bag_has_key'] },
  sql: (args) => {
    const subject = arg(args, 0)
    const key = arg(args, 1)
    const names = typeof key.value === 'string' ? namesOfPath(key.value) : undefined
    const at =
      names === undefined ? sql`, ${key.sql}` : strung(names.map((each) => sql`, ${literal(each)}`))
    return onlyIf(subject, '{', sql`toBool(JSONHas(${solid(subject)}${at}))`)
  },
  examples: [
    { args: ['{"a":{"b":null}}', 'a'], gives: true },
    { args: ['{"a":1}', 'A'], gives: false },
    { args: ['[1]', 'a'], gives: null },
  ],
}

const fromList: FunctionRecord = {
  id: 'dyn.from_list',
  says: 'An array of the values of a list.',
  takes: [{ name: 'list', type: { list: 'dynamic' } }],
  gives: 'dynamic',
  onNull: 'own',
  sql: (args) => arrayJson(sql`arrayMap(x -> ifNull(x, 'null'), ${arg(args, 0).sql})`),
  examples: [{ args: [['1', '"a"']], gives: '[1,"a"]' }],
}

const containsValue: FunctionRecord = {
  id: 'dyn.contains_value',
  says: 'True when an array has the value as an element, of the same type and case.',
  takes: [
    { name: 'array', type: 'dynamic' },
    { name: 'value', type: 'any' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => {
    const value = arg(args, 1)
    return sql`toBool(has(${elements(arg(args, 0))}, ifNull(${rawOf(value)}, 'null')))`
  },
  examples: [
    { args: ['["a","b"]', 'b'], gives: true },
    { args: ['["a","b"]', 'B'], gives: false },
    { args: ['[1,2]', 2], gives: true },
    { args: ['[1,2]', '2'], gives: false },
    { args: [null, 'b'], gives: false },
  ],
}

const containsText: FunctionRecord = {
  id: 'dyn.contains_text',
  says: 'True when an array has the text as an element, in any case.',
  takes: [
    { name: 'array', type: 'dynamic' },
    { name: 'text', type: 'text' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) =>
    sql`toBool(has(arrayMap(x -> lowerUTF8(x), ${elements(arg(args, 0))}), lowerUTF8(toJSONString(${arg(args, 1).sql}))))`,
  examples: [
    { args: ['["MÜLLER"]', 'müller'], gives: true },
    { args: ['["a"]', 'b'], gives: false },
  ],
}

const typeName: FunctionRecord = {
  id: 'dyn.type',
  says: 'The name of the type of a value.',
  takes: [{ name: 'value', type: 'any' }],
  gives: 'text',
  onNull: 'own',
  spelled: { kusto: ['gettype'] },
  sql: (args) => {
    const { type, sql: value } = arg(args, 0)
    if (typeof type === 'object') return sql`'array'`
    if (type !== 'dynamic') return sql`${literal(TYPE_NAMES[type])}`
    const first = sql`substring(${value}, 1, 1)`
    return sql`multiIf(isNull(${value}), 'null', ${first} = '{', 'dictionary', ${first} = '[', 'array', ${first} = '"', 'string', ${first} IN ('t', 'f'), 'bool', match(assumeNotNull(${value}), '[.eE]'), 'double', 'long')`
  },
  examples: [
    { args: ['x'], gives: 'string' },
    { args: [1], gives: 'long' },
    { args: [true], gives: 'bool' },
  ],
}

export const dynamicFunctions: readonly FunctionRecord[] = [
  parse,
  of,
  path,
  parts,
  firstParts,
  pairs,
  list,
  bag,
  bagOfValues,
  hasKey,
  fromList,
  containsValue,
  containsText,
  typeName,
]

/**
 * JSON functions of SPL's eval. A JSON value is its compact text; paths are constants such as `a.b{0}.c{}`, with places
 * from 0 and `{}` for all elements. A text that is a JSON object or array stands in other JSON as what it is.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/evaluation-functions/json-functions
 */
import { isList } from '../ir/types.ts'
import {
  any,
  ELEMENT,
  evalFunction,
  isMissing,
  isNumber,
  LIST,
  list,
  listOf,
  numberIn,
  text,
  textOf,
  type Value,
} from './evalvalue.ts'
import { named, once, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'all' }

const MOST_STEPS = 32

/** The steps of a path; undefined for a text that is none. */
function stepsOf(path: string): readonly Step[] | undefined {
  const steps: Step[] = []
  let at = 0
  const token = /\.?([^.{}]+)|\{(-?\d{0,6})\}/y
  while (at < path.length) {
    token.lastIndex = at
    const found = token.exec(path)
    if (found === null || steps.length >= MOST_STEPS) return undefined
    const [all, key, place = ''] = found
    if (key !== undefined) {
      if (all.startsWith('.') === (at === 0)) return undefined
      steps.push({ kind: 'key', key })
    } else steps.push(place === '' ? { kind: 'all' } : { kind: 'place', place: Number(place) })
    at += all.length
  }
  return steps
}

const PATH: Partial<Parameter> = {
  constant: true,
  wrong: (value) =>
    typeof value !== 'string' || stepsOf(value) === undefined
      ? 'it must be a path such as a.b{0}.c'
      : undefined,
}

/** A text as JSON: an object or an array as it is, a number without quotes. */
function jsonOfText(value: Sql): Sql {
  return once(value, VARIABLES.t, (v) => {
    const isNested = sql`match(${v}, '^\\s*[{\\[]') AND isValidJSON(${v})`
    return sql`multiIf(isNull(${v}), 'null', ${isNested}, JSONExtractRaw(ifNull(${v}, '')), isNotNull(${numberIn(v)}), toString(${numberIn(v)}), toJSONString(${v}))`
  })
}

function isJsonContainer(written: string): boolean {
  if (!/^\s*[{[]/.test(written)) return false
  try {
    JSON.parse(written)
    return true
  } catch {
    return false
  }
}

/** A value of any type as JSON text, which is never NULL. */
function jsonOf(value: Value): Sql {
  if (isMissing(value)) return sql`'null'`
  if (isNumber(value)) return sql`ifNull(toString(${value.sql}), 'null')`
  if (value.type === 'bool') {
    return sql`multiIf(isNull(${value.sql}), 'null', ${value.sql}, 'true', 'false')`
  }
  if (isList(value.type)) {
    return named(value.sql, VARIABLES.c, (v) => {
      const several = sql`concat('[', arrayStringConcat(arrayMap(${ELEMENT} -> ${jsonOfText(ELEMENT)}, ${v}), ','), ']')`
      const single = jsonOfText(sql`${v}[1]`)
      return sql`multiIf(empty(${v}), 'null', length(${v}) = 1, ${single}, ${several})`
    })
  }
  if (typeof value.value === 'string') {
    return isJsonContainer(value.value)
      ? sql`JSONExtractRaw(${value.sql})`
      : sql`${literal(JSON.stringify(value.value))}`
  }
  return jsonOfText(value.sql)
}

/** A JSON value as eval sees it: a text without its quotes, anything else as it is written; NULL for `null`. */
function nativeOf(raw: Sql): Sql {
  return once(
    raw,
    VARIABLES.t,
    (v) =>
      sql`multiIf(ifNull(${v}, '') IN ('', 'null'), NULL, startsWith(${v}, '"'), JSONExtractString(${v}), ${v})`,
  )
}

const solid = (value: Sql): Sql => sql`ifNull(${value}, '')`

/** The raw JSON at plain steps; an empty text where there is none. */
function rawAt(json: Sql, steps: readonly Step[]): Sql {
  const places = steps.map(
    (step): Sql =>
      step.kind === 'key'
        ? sql`${literal(step.key)}`
        : sql`toInt64(${literal(step.kind === 'place' ? (step.place < 0 ? step.place : step.place + 1) : 1)})`,
  )
  return places.length === 0
    ? sql`JSONExtractRaw(${json})`
    : sql`JSONExtractRaw(${json}, ${joined(places, ', ')})`
}

/** The raw values at steps with `{}` among them, as a list. */
function rawsAt(json: Sql, steps: readonly Step[]): Sql {
  const all = steps.findIndex((step) => step.kind === 'all')
  if (all === -1) return sql`[${rawAt(json, steps)}]`
  const elements = sql`JSONExtractArrayRaw(${rawAt(json, steps.slice(0, all))})`
  const rest = steps.slice(all + 1)
  if (rest.length === 0) return elements
  return sql`arrayFilter(${ELEMENT} -> ${ELEMENT} != '', arrayFlatten(arrayMap(${ELEMENT} -> ${rawsAt(ELEMENT, rest)}, ${elements})))`
}

const inBrackets = (raws: Sql): Sql => sql`concat('[', arrayStringConcat(${raws}, ','), ']')`

/** What a path finds, as JSON text; an empty text where it finds nothing. */
function foundAt(json: Sql, path: string): Sql {
  const steps = stepsOf(path) ?? []
  return steps.some((step) => step.kind === 'all')
    ? inBrackets(rawsAt(json, steps))
    : rawAt(json, steps)
}

/** What several keys or paths find: a JSON array with a place for each. */
function inArray(raws: readonly Sql[]): Sql {
  return inBrackets(
    sql`[${joined(
      raws.map((each) => sql`if(${each} = '', 'null', ${each})`),
      ', ',
    )}]`,
  )
}

function extracted(args: readonly SqlArg[], find: (json: Sql, path: string) => Sql): Sql {
  return named(textOf(arg(args, 0)), VARIABLES.a, (json) => {
    const raws = args.slice(1).map((_, index) => find(solid(json), constText(args, index + 1)))
    const [only] = raws
    const value =
      only === undefined
        ? nativeOf(sql`JSONExtractRaw(${solid(json)})`)
        : raws.length === 1
          ? nativeOf(only)
          : inArray(raws)
    return sql`if(isValidJSON(${solid(json)}), ${value}, NULL)`
  })
}

type Change = (raw: Sql) => Sql

/** The object with its members, and with the one of a key changed or added. */
function withMember(json: Sql, key: string, change: Change): Sql {
  const members = sql`JSONExtractKeysAndValuesRaw(${json})`
  const name = literal(key)
  const isThere = sql`JSONHas(${json}, ${name})`
  const changed = change(sql`JSONExtractRaw(${json}, ${name})`)
  const kept = sql`arrayMap(${ELEMENT} -> concat(toJSONString(${ELEMENT}.1), ':', if(${ELEMENT}.1 = ${name}, ${changed}, ${ELEMENT}.2)), ${members})`
  const added = sql`if(${isThere}, [], [concat(${literal(`${JSON.stringify(key)}:`)}, ${changed})])`
  return sql`concat('{', arrayStringConcat(arrayConcat(${kept}, ${added}), ','), '}')`
}

/** The JSON text with what stands at the steps changed; what has no such place stays as it is. */
function changedAt(json: Sql, steps: readonly Step[], change: Change): Sql {
  const [step, ...rest] = steps
  if (step === undefined) return change(json)
  const inner: Change = (raw) => changedAt(raw, rest, change)
  return named(json, VARIABLES.a, (v) => {
    if (step.kind === 'key') {
      return sql`if(${v} IN ('', 'null') OR startsWith(${v}, '{'), ${withMember(v, step.key, inner)}, ${v})`
    }
    const elements = sql`JSONExtractArrayRaw(${v})`
    const places = sql`arrayMap((${ELEMENT}, ${VARIABLES.b}) -> ${
      step.kind === 'all'
        ? inner(ELEMENT)
        : sql`if(${VARIABLES.b} = ${literal(step.place + 1)}, ${inner(ELEMENT)}, ${ELEMENT})`
    }, ${elements}, arrayEnumerate(${elements}))`
    return sql`if(startsWith(${v}, '['), ${inBrackets(places)}, ${v})`
  })
}

/** Most pairs of a path and a value in one call. */
const MOST_PAIRS = 20

/** Pairs of a path and a value; all but the first may be left out. */
function pairs(isExact: boolean): readonly Parameter[] {
  return Array.from({ length: MOST_PAIRS }, (_, index) => {
    const more = index === 0 ? {} : { optional: true }
    return [text('path', { ...(isExact ? { constant: true } : PATH), ...more }), any('value', more)]
  }).flat()
}

/** A function that changes a JSON value by pairs of a path and a value. */
function changing(
  name: string,
  says: string,
  isExact: boolean,
  change: (raw: Sql, value: Value) => Sql,
  examples: FunctionRecord['examples'],
): FunctionRecord {
  return evalFunction(`eval.${name}`, [name], {
    says,
    takes: [text('json'), ...pairs(isExact)],
    gives: 'text',
    sql: (args) =>
      named(textOf(arg(args, 0)), VARIABLES.g, (json) => {
        let made = sql`JSONExtractRaw(${solid(json)})`
        for (let at = 1; at + 1 < args.length; at += 2) {
          const path = constText(args, at)
          const value = arg(args, at + 1)
          const steps: readonly Step[] = isExact
            ? [{ kind: 'key', key: path }]
            : (stepsOf(path) ?? [])
          made = changedAt(made, steps, (raw) => change(raw, value))
        }
        const isWhole = literal(args.length % 2 === 1)
        return sql`if(${isWhole} AND isValidJSON(${solid(json)}), ${made}, NULL)`
      }),
    examples,
  })
}

/** An array with more elements; a value that is no array becomes the first of one. */
function extended(raw: Sql, more: Sql): Sql {
  return named(raw, VARIABLES.c, (v) => {
    const before = sql`multiIf(startsWith(${v}, '['), JSONExtractArrayRaw(${v}), ${v} IN ('', 'null'), [], [${v}])`
    return inBrackets(sql`arrayConcat(${before}, ${more})`)
  })
}

function withoutKeys(args: readonly SqlArg[]): Sql {
  return named(textOf(arg(args, 0)), VARIABLES.g, (json) => {
    const made = args.slice(1).reduce(
      (inner, _, index) => {
        const steps = stepsOf(constText(args, index + 1)) ?? []
        const last = steps.at(-1)
        if (last?.kind !== 'key') return inner
        return deletedAt(inner, steps.slice(0, -1), last.key)
      },
      sql`JSONExtractRaw(${solid(json)})`,
    )
    return sql`if(isValidJSON(${solid(json)}), ${made}, NULL)`
  })
}

function deletedAt(json: Sql, steps: readonly Step[], key: string): Sql {
  const without: Change = (raw) =>
    named(raw, VARIABLES.c, (v) => {
      const kept = sql`arrayFilter(${ELEMENT} -> ${ELEMENT}.1 != ${literal(key)}, JSONExtractKeysAndValuesRaw(${v}))`
      const members = sql`arrayMap(${ELEMENT} -> concat(toJSONString(${ELEMENT}.1), ':', ${ELEMENT}.2), ${kept})`
      return sql`if(startsWith(${v}, '{'), concat('{', arrayStringConcat(${members}, ','), '}'), ${v})`
    })
  if (steps.length === 0) return without(json)
  // A parent that is not there is not made.
  return named(json, VARIABLES.b, (v) => {
    const isThere = sql`${rawAt(v, steps)} != ''`
    return sql`if(${isThere}, ${changedAt(v, steps, without)}, ${v})`
  })
}

const entries = evalFunction('eval.json_entries', ['json_entries'], {
  says: 'A JSON array with an object of `key` and `value` for each member of an object or element of an array.',
  takes: [text('json')],
  gives: 'text',
  sql: (args) =>
    named(textOf(arg(args, 0)), VARIABLES.a, (json) => {
      const entry = (key: Sql, value: Sql): Sql =>
        sql`concat('{"key":', ${key}, ',"value":', ${value}, '}')`
      const members = sql`arrayMap(${ELEMENT} -> ${entry(sql`toJSONString(${ELEMENT}.1)`, sql`${ELEMENT}.2`)}, JSONExtractKeysAndValuesRaw(${solid(json)}))`
      const raws = sql`JSONExtractArrayRaw(${solid(json)})`
      const elements = sql`arrayMap((${ELEMENT}, ${VARIABLES.b}) -> ${entry(sql`toString(${VARIABLES.b} - 1)`, ELEMENT)}, ${raws}, arrayEnumerate(${raws}))`
      const type = sql`JSONType(${solid(json)})`
      return sql`multiIf(NOT isValidJSON(${solid(json)}), NULL, ${type} = 'Object', ${inBrackets(members)}, ${type} = 'Array', ${inBrackets(elements)}, NULL)`
    }),
  examples: [
    { args: ['{"a":1,"b":[2]}'], gives: '[{"key":"a","value":1},{"key":"b","value":[2]}]' },
    { args: ['["x"]'], gives: '[{"key":0,"value":"x"}]' },
    { args: ['x'], gives: null },
    { args: [null], gives: null },
  ],
})

export const evalJsonFunctions: readonly FunctionRecord[] = [
  evalFunction('eval.json', ['json'], {
    says: 'The value when it is JSON, else missing.',
    takes: [text('json')],
    gives: 'text',
    sql: (args) =>
      once(textOf(arg(args, 0)), VARIABLES.a, (v) => sql`if(isValidJSON(${solid(v)}), ${v}, NULL)`),
    examples: [
      { args: ['{"a": 1}'], gives: '{"a": 1}' },
      { args: ['{a}'], gives: null },
      { args: [null], gives: null },
    ],
  }),
  evalFunction('eval.json_valid', ['json_valid'], {
    says: 'True for a text that is JSON.',
    takes: [text('json')],
    gives: 'bool',
    sql: (args) => sql`isValidJSON(${solid(textOf(arg(args, 0)))})`,
    examples: [
      { args: ['[1]'], gives: true },
      { args: ['{a:1}'], gives: false },
      { args: [''], gives: false },
      { args: [null], gives: false },
    ],
  }),
  evalFunction('eval.json_object', ['json_object'], {
    says: 'A JSON object of keys and values by turns.',
    takes: [any('member', { many: true })],
    gives: 'text',
    sql: (args) => {
      const members: Sql[] = []
      for (let at = 0; at < args.length; at += 2) {
        const value = args[at + 1]
        const key = textOf(arg(args, at))
        members.push(
          sql`concat(toJSONString(${solid(key)}), ':', ${value === undefined ? sql`'null'` : jsonOf(value)})`,
        )
      }
      if (members.length === 0) return sql`'{}'`
      return sql`concat('{', arrayStringConcat([${joined(members, ', ')}], ','), '}')`
    },
    examples: [
      { args: [], gives: '{}' },
      {
        args: ['a', 'x"y', 'b', 2],
        as: ['text', 'text', 'text', 'int'],
        gives: '{"a":"x\\"y","b":2}',
      },
      {
        args: ['a', true, 'b', null],
        as: ['text', 'bool', 'text', 'text'],
        gives: '{"a":true,"b":null}',
      },
      { args: ['a', '[1]'], gives: '{"a":[1]}' },
      { args: ['a', ['x', 'y']], gives: '{"a":["x","y"]}' },
    ],
  }),
  evalFunction('eval.json_array', ['json_array'], {
    says: 'A JSON array of the values.',
    takes: [any('value', { many: true })],
    gives: 'text',
    sql: (args) =>
      args.length === 0 ? sql`'[]'` : inBrackets(sql`[${joined(args.map(jsonOf), ', ')}]`),
    examples: [
      { args: [], gives: '[]' },
      { args: ['a', 1.5, '{"b": 2}'], as: ['text', 'float', 'text'], gives: '["a",1.5,{"b":2}]' },
    ],
  }),
  evalFunction('eval.json_array_to_mv', ['json_array_to_mv'], {
    says: 'The elements of a JSON array as values; with their quotes where that is asked for.',
    takes: [text('json'), { name: 'quoted', type: 'bool', constant: true, optional: true }],
    gives: LIST,
    sql: (args) => {
      const raws = sql`JSONExtractArrayRaw(${solid(textOf(arg(args, 0)))})`
      if (args[1]?.value === true) return raws
      return sql`arrayMap(${ELEMENT} -> if(startsWith(${ELEMENT}, '"'), JSONExtractString(${ELEMENT}), ${ELEMENT}), ${raws})`
    },
    examples: [
      { args: ['["a",1,{"b":2}]'], gives: ['a', '1', '{"b":2}'] },
      { args: ['["a"]', true], gives: ['"a"'] },
      { args: ['x'], gives: [] },
      { args: [null], gives: [] },
    ],
  }),
  evalFunction('eval.mv_to_json_array', ['mv_to_json_array'], {
    says: 'The values as a JSON array of texts; of numbers and JSON too where that is asked for.',
    takes: [list('values'), { name: 'typed', type: 'bool', constant: true, optional: true }],
    gives: 'text',
    sql: (args) => {
      const isTyped = args[1]?.value === true
      const typed = sql`if(isValidJSON(${ELEMENT}), JSONExtractRaw(${ELEMENT}), toJSONString(${ELEMENT}))`
      return named(listOf(arg(args, 0)), VARIABLES.a, (v) => {
        const raws = sql`arrayMap(${ELEMENT} -> ${isTyped ? typed : sql`toJSONString(${ELEMENT})`}, ${v})`
        return sql`if(empty(${v}), NULL, ${inBrackets(raws)})`
      })
    },
    examples: [
      { args: [['a', '1']], gives: '["a","1"]' },
      { args: [['a', '1', 'true'], true], gives: '["a",1,true]' },
      { args: [[]], as: [LIST], gives: null },
    ],
  }),
  evalFunction('eval.json_extract', ['json_extract'], {
    says: 'What a path finds in JSON: a text or a number as such, else JSON; a JSON array for several paths.',
    takes: [text('json'), text('path', { ...PATH, many: true })],
    gives: 'text',
    sql: (args) => extracted(args, foundAt),
    examples: [
      { args: ['{"a":{"b":[1,{"c":"x"}]}}', 'a.b{1}.c'], gives: 'x' },
      { args: ['{"a":[{"b":1},{"b":"y"},{}]}', 'a{}.b'], gives: '[1,"y"]' },
      { args: ['{"a":1,"b":"x"}', 'a', 'b', 'c'], gives: '[1,"x",null]' },
      { args: ['{"a":null}', 'a'], gives: null },
      { args: ['{"a":{"b": 1}}', 'a'], gives: '{"b":1}' },
      { args: ['{"a":1}'], gives: '{"a":1}' },
      { args: ['[5,6]', '{-1}'], gives: '6' },
      { args: ['x', 'a'], gives: null },
      { args: [null, 'a'], gives: null },
    ],
  }),
  evalFunction('eval.json_extract_exact', ['json_extract_exact'], {
    says: 'The value of a key of a JSON object, which is taken as it is written; a JSON array for several keys.',
    takes: [text('json'), text('key', { constant: true, many: true })],
    gives: 'text',
    sql: (args) => extracted(args, (json, key) => sql`JSONExtractRaw(${json}, ${literal(key)})`),
    examples: [
      { args: ['{"a.b":"x"}', 'a.b'], gives: 'x' },
      { args: ['{"a":{"b":1}}', 'a.b'], gives: null },
    ],
  }),
  evalFunction('eval.json_has_key_exact', ['json_has_key_exact'], {
    says: 'True when a JSON object has the key.',
    takes: [text('json'), text('key')],
    gives: 'bool',
    sql: (args) => {
      const key = solid(textOf(arg(args, 1)))
      return sql`has(JSONExtractKeys(${solid(textOf(arg(args, 0)))}), ${key})`
    },
    examples: [
      { args: ['{"a.b":1}', 'a.b'], gives: true },
      { args: ['{"a":1}', 'b'], gives: false },
      { args: ['x', 'b'], gives: false },
    ],
  }),
  evalFunction('eval.json_keys', ['json_keys'], {
    says: 'The keys of a JSON object, as a JSON array.',
    takes: [text('json')],
    gives: 'text',
    sql: (args) =>
      once(
        solid(textOf(arg(args, 0))),
        VARIABLES.a,
        (v) =>
          sql`if(isValidJSON(${v}) AND JSONType(${v}) = 'Object', toJSONString(JSONExtractKeys(${v})), NULL)`,
      ),
    examples: [
      { args: ['{"a":1,"b":{}}'], gives: '["a","b"]' },
      { args: ['[1]'], gives: null },
      { args: [null], gives: null },
    ],
  }),
  changing(
    'json_set',
    'JSON with the values at paths put in.',
    false,
    (_, value) => jsonOf(value),
    [
      { args: ['{"a":1}', 'b', 'x'], gives: '{"a":1,"b":"x"}' },
      {
        args: ['{"a":{"b":1,"c":2}}', 'a.b', 5],
        as: ['text', 'text', 'int'],
        gives: '{"a":{"b":5,"c":2}}',
      },
      { args: ['{"a":[1,2]}', 'a{0}', 'x', 'd.e', 'y'], gives: '{"a":["x",2],"d":{"e":"y"}}' },
      { args: ['x', 'a', 'b'], gives: null },
    ],
  ),
  changing(
    'json_set_exact',
    'A JSON object with the values of keys put in.',
    true,
    (_, value) => jsonOf(value),
    [
      { args: ['{"a":1}', 'b.c', 'x'], gives: '{"a":1,"b.c":"x"}' },
      { args: ['{"a":1}', 'a', 2], as: ['text', 'text', 'int'], gives: '{"a":2}' },
    ],
  ),
  changing(
    'json_append',
    'JSON with a value behind the others of the array at each path.',
    false,
    (raw, value) => extended(raw, sql`[${jsonOf(value)}]`),
    [
      { args: ['{"a":[1]}', 'a', '[2]'], gives: '{"a":[1,[2]]}' },
      { args: ['{"a":1}', 'a', 'x', 'b', 'y'], gives: '{"a":[1,"x"],"b":["y"]}' },
    ],
  ),
  changing(
    'json_extend',
    'JSON with the elements of an array behind the others of the array at each path.',
    false,
    (raw, value) =>
      extended(
        raw,
        named(
          solid(jsonOf(value)),
          VARIABLES.b,
          (v) => sql`if(startsWith(${v}, '['), JSONExtractArrayRaw(${v}), [${v}])`,
        ),
      ),
    [{ args: ['{"a":[1]}', 'a', '[2,3]'], gives: '{"a":[1,2,3]}' }],
  ),
  evalFunction('eval.json_delete', ['json_delete'], {
    says: 'JSON without the members at paths.',
    takes: [text('json'), text('path', { ...PATH, many: true })],
    gives: 'text',
    sql: withoutKeys,
    examples: [
      { args: ['{"a":1,"b":2}', 'a'], gives: '{"b":2}' },
      { args: ['{"a":{"b":1,"c":2}}', 'a.b', 'x.y'], gives: '{"a":{"c":2}}' },
      { args: ['x', 'a'], gives: null },
    ],
  }),
  entries,
]

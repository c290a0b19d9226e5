/**
 * Texts that hold fields - JSON, XML, pairs - as a list of the fields: each a name and a value with SIGN between. SPL's
 * `spath`, `fromjson`, `xmlkv` and `extract` read them.
 */
import { evalFunction, LIST, list, NO_LIST, text, textOf } from './evalvalue.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

/** Stands between a name and its value; a byte that stands in no text. */
const SIGN = sql`'\\xFE'`

const [ALL, STEP, PIECE, ELEMENT] = [sql`\`^a\``, sql`\`^s\``, sql`\`^p\``, sql`\`^e\``]

/** How deep JSON is looked into; what lies deeper stays JSON. */
const DEPTH = 12

const kept = sql`[${PIECE}]`
const members = sql`arrayMap(${ELEMENT} -> (if(${PIECE}.1 = '', ${ELEMENT}.1, concat(${PIECE}.1, '.', ${ELEMENT}.1)), ${ELEMENT}.2), JSONExtractKeysAndValuesRaw(${PIECE}.2))`
const elements = sql`arrayMap(${ELEMENT} -> (concat(${PIECE}.1, '{}'), ${ELEMENT}), JSONExtractArrayRaw(${PIECE}.2))`

const pairsOf = (value: Sql): Sql =>
  sql`arrayMap(${PIECE} -> concat(${PIECE}.1, ${SIGN}, if(startsWith(${PIECE}.2, '"'), JSONExtractString(${PIECE}.2), ${PIECE}.2)), ${value})`

const pairsAsTexts = (value: Sql): Sql =>
  sql`arrayMap(${PIECE} -> concat(${PIECE}.1, ${SIGN}, ${PIECE}.2), ${value})`

/** Leaves of JSON by their paths: one level of objects and lists is opened at each step. */
function leaves(value: Sql): Sql {
  const opened = sql`multiIf(startsWith(${PIECE}.2, '{'), ${members}, startsWith(${PIECE}.2, '['), ${elements}, ${kept})`
  const start = sql`[('', trimBoth(ifNull(${value}, '')))]`
  const fold = sql`arrayFold((${ALL}, ${STEP}) -> arrayFlatten(arrayMap(${PIECE} -> ${opened}, ${ALL})), range(${literal(DEPTH)}), ${start})`
  return sql`if(match(ifNull(${value}, ''), '^\\\\s*[{\\\\[]'), ${pairsOf(sql`arrayFilter(${PIECE} -> ${PIECE}.1 != '', ${fold})`)}, ${NO_LIST})`
}

/** Members of an object as they are, the elements of lists one by one. */
function top(value: Sql): Sql {
  const start = sql`('', trimBoth(ifNull(${value}, '')))`
  const object = sql`arrayFlatten(arrayMap(${PIECE} -> ${members}, [${start}]))`
  const listed = sql`arrayFlatten(arrayMap(${PIECE} -> if(startsWith(${PIECE}.2, '['), arrayMap(${ELEMENT} -> (${PIECE}.1, ${ELEMENT}), JSONExtractArrayRaw(${PIECE}.2)), ${kept}), ${object}))`
  return pairsOf(listed)
}

/** Fields as examples show them: the byte between name and value is no character. */
const shown = (...fields: readonly string[]): readonly string[] =>
  fields.map((each) => each.replace('=', '\uFFFD'))

const PAIRS = '([\\w.]+)=(?:"([^"]*)"|(\\S*))'

export const spreadFunctions: readonly FunctionRecord[] = [
  evalFunction('spread.json', [], {
    says: 'The values in JSON by their paths, as `spath` names them: `a.b`, and `l{}` for each element of a list.',
    takes: [text('json')],
    gives: LIST,
    sql: (args) => leaves(textOf(arg(args, 0))),
    examples: [
      {
        args: ['{"a":{"b":1},"l":[{"x":"p"},{"x":2}]}'],
        gives: shown('a.b=1', 'l{}.x=p', 'l{}.x=2'),
      },
      { args: ['no json'], gives: [] },
      { args: [null], as: ['text'], gives: [] },
    ],
  }),
  evalFunction('spread.members', [], {
    says: 'The members of a JSON object; a list gives each of its elements.',
    takes: [text('json')],
    gives: LIST,
    sql: (args) => top(textOf(arg(args, 0))),
    examples: [
      { args: ['{"a":{"b":1},"l":["p",2]}'], gives: shown('a={"b":1}', 'l=p', 'l=2') },
      { args: ['no json'], gives: [] },
    ],
  }),
  evalFunction('spread.xml', [], {
    says: 'The values in an XML document that was read into JSON: `a.b`, and `a{@x}` for an attribute.',
    takes: [{ name: 'document', type: 'any' }],
    gives: LIST,
    sql: (args) => {
      const name = sql`splitByString(${SIGN}, ${ELEMENT})`
      const plain = sql`replaceRegexpAll(replaceAll(replaceAll(${name}[1], '{}', ''), '.#text', ''), '\\\\.@([^.]+)$', '{@\\\\1}')`
      return sql`arrayMap(${ELEMENT} -> concat(${plain}, ${SIGN}, ${name}[2]), ${leaves(arg(args, 0).sql)})`
    },
    examples: [{ args: ['no json'], gives: [] }],
  }),
  evalFunction('spread.tags', [], {
    says: 'The elements of XML that hold text only, by the names of their tags.',
    takes: [text('xml')],
    gives: LIST,
    sql: (args) => {
      const found = sql`extractAllGroupsVertical(ifNull(${textOf(arg(args, 0))}, ''), '<([A-Za-z_][\\\\w:.-]*)(?:\\\\s[^<>]*)?>([^<>]*)</([\\\\w:.-]+)\\\\s*>')`
      return sql`arrayMap(${ELEMENT} -> concat(${ELEMENT}[1], ${SIGN}, decodeXMLComponent(${ELEMENT}[2])), arrayFilter(${ELEMENT} -> ${ELEMENT}[1] = ${ELEMENT}[3], ${found}))`
    },
    examples: [
      { args: ['<e><u n="1">a &amp; b</u><p><q>5</q></p></e>'], gives: shown('u=a & b', 'q=5') },
      { args: ['none'], gives: [] },
    ],
  }),
  evalFunction('spread.pairs', [], {
    says: 'The first so many pairs that a pattern (RE2, already checked) finds: its groups are a name, a value in quotes, a bare value. Of one name the first value or all, names as they are or in letters, digits and _ only.',
    takes: [
      text('text'),
      text('pattern', { constant: true }),
      { name: 'most', type: 'int', constant: true },
      { name: 'all', type: 'bool', constant: true },
      { name: 'clean', type: 'bool', constant: true },
    ],
    gives: LIST,
    sql: (args) => {
      const [most, isAll, isClean] = [2, 3, 4].map((at) => arg(args, at).value)
      const found = sql`arraySlice(extractAllGroupsVertical(ifNull(${textOf(arg(args, 0))}, ''), ${literal(constText(args, 1))}), 1, ${literal(typeof most === 'number' ? most : 0)})`
      const name =
        isClean === true
          ? sql`replaceRegexpAll(${ELEMENT}[1], '[^A-Za-z0-9_]', '_')`
          : sql`${ELEMENT}[1]`
      const pairs = sql`arrayMap(${ELEMENT} -> (${name}, concat(${ELEMENT}[2], ${ELEMENT}[3])), ${found})`
      if (isAll === true) return pairsAsTexts(pairs)
      const first = sql`arrayFilter((${ELEMENT}, ${PIECE}) -> ${PIECE} = indexOf(arrayMap(${STEP} -> ${STEP}.1, ${ALL}), ${ELEMENT}.1), ${ALL}, arrayEnumerate(${ALL}))`
      return pairsAsTexts(sql`arrayMap(${ALL} -> ${first}, [${pairs}])[1]`)
    },
    examples: [
      { args: ['none', '(a)=(b)|(c)', 5, true, true], gives: [] },
      { args: ['a.b=1 a.b=2 c=3 d=4', PAIRS, 3, false, true], gives: shown('a_b=1', 'c=3') },
      { args: ['a.b=1 a.b=2', PAIRS, 3, true, false], gives: shown('a.b=1', 'a.b=2') },
    ],
  }),
  evalFunction('spread.names', [], {
    says: 'The names of fields, and with a star behind them those of which there are several values.',
    takes: [list('fields')],
    gives: LIST,
    sql: (args) => {
      const names = sql`arrayMap(${PIECE} -> splitByString(${SIGN}, ${PIECE})[1], ${arg(args, 0).sql})`
      const several = sql`arrayMap(${PIECE} -> concat(${PIECE}, '*'), arrayFilter(${PIECE} -> arrayCount(${ELEMENT} -> ${ELEMENT} = ${PIECE}, ${ALL}) > 1, arrayDistinct(${ALL})))`
      return sql`arrayMap(${ALL} -> arrayConcat(arrayDistinct(${ALL}), ${several}), [${names}])[1]`
    },
    examples: [{ args: [[]], as: [LIST], gives: [] }],
  }),
  evalFunction('spread.values', [], {
    says: 'The values of the field of a name.',
    takes: [list('fields'), text('name', { constant: true })],
    gives: LIST,
    sql: (args) => {
      const start = sql`concat(${literal(constText(args, 1))}, ${SIGN})`
      return sql`arrayMap(${PIECE} -> substring(${PIECE}, length(${start}) + 1), arrayFilter(${PIECE} -> startsWith(${PIECE}, ${start}), ${arg(args, 0).sql}))`
    },
    examples: [{ args: [[], 'a'], as: [LIST, 'text'], gives: [] }],
  }),
  evalFunction('spread.path', [], {
    says: 'The values at a path in JSON: names, `{}` for all elements of a list, `{2}` for the second.',
    takes: [text('json'), list('steps', { constant: true })],
    gives: LIST,
    sql: (args) => {
      const steps = arg(args, 1).value
      const path: readonly unknown[] = Array.isArray(steps) ? steps : []
      const start: Sql = sql`[trimBoth(ifNull(${textOf(arg(args, 0))}, ''))]`
      const raw = path.reduce<Sql>((found, step) => {
        const inside =
          step === '{}'
            ? sql`JSONExtractArrayRaw(${PIECE})`
            : /^\{\d+\}$/.test(String(step))
              ? sql`arraySlice(JSONExtractArrayRaw(${PIECE}), ${literal(Math.max(1, Number(String(step).slice(1, -1))))}, 1)`
              : sql`if(startsWith(${PIECE}, '{'), arrayFilter(${ELEMENT} -> ${ELEMENT} != '', [JSONExtractRaw(${PIECE}, ${literal(String(step))})]), [])`
        return sql`arrayFlatten(arrayMap(${PIECE} -> ${inside}, ${found}))`
      }, start)
      return sql`arrayMap(${PIECE} -> if(startsWith(${PIECE}, '"'), JSONExtractString(${PIECE}), ${PIECE}), ${raw})`
    },
    examples: [
      { args: ['{"l":[{"x":1},{"x":"b"}]}', ['l', '{}', 'x']], gives: ['1', 'b'] },
      { args: ['{"l":[{"x":1},{"x":2}]}', ['l', '{2}', 'x']], gives: ['2'] },
      { args: ['{"a":{"b":{"c":1}}}', ['a', 'b']], gives: ['{"c":1}'] },
      { args: ['text', ['a']], gives: [] },
    ],
  }),
]

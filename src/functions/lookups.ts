/**
 * Matching of values with the rows of a lookup. A cell with stars or a network is known by one token, made from the
 * longest text that every match must hold; a value is looked up by the tokens that it may have. So a join on equal
 * tokens finds the candidates, however many patterns there are, and each candidate is then tested whole.
 */
import { named, VARIABLES } from './once.ts'
import { arg, constTexts, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: value, b: cell, c: piece, t: token } = VARIABLES
/** A place in a value, and a length. */
const [p, m] = [sql`\`^p\``, sql`\`^m\``]

/** A text that is there: arrays cannot be missing, so nor can what they are made from. */
const solid = ({ sql: text }: SqlArg): Sql => sql`ifNull(${text}, '')`

const key: FunctionRecord = {
  id: 'lookup.key',
  says: 'A text as keys of a lookup are compared: in lower case where case does not matter; an empty one is missing.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'isCaseSensitive', type: 'bool', constant: true },
  ],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const text = arg(args, 0).sql
    return arg(args, 1).value === true
      ? sql`nullIf(${text}, '')`
      : sql`nullIf(lowerUTF8(${text}), '')`
  },
  examples: [
    { args: ['Ab', false], gives: 'ab' },
    { args: ['Ab', true], gives: 'Ab' },
    { args: ['', true], gives: null },
    { args: [null, false], gives: null },
  ],
}

const keys: FunctionRecord = {
  id: 'lookup.keys',
  says: 'The different texts of a list as keys of a lookup are compared, without empty ones.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'isCaseSensitive', type: 'bool', constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const list = arg(args, 0).sql
    return arg(args, 1).value === true
      ? sql`arrayDistinct(arrayFilter(${value} -> ${value} != '', ${list}))`
      : sql`arrayDistinct(arrayMap(${value} -> lowerUTF8(${value}), arrayFilter(${value} -> ${value} != '', ${list})))`
  },
  examples: [{ args: [['Ab', '', 'c', 'AB'], false], gives: ['ab', 'c'] }],
}

/**
 * Of a text between stars so many bytes are taken: places of values are many, so that few lengths are tried at each.
 * Texts at the start and the end are taken whole: names of domains differ far from their ends.
 */
const HELD = [48, 32, 24, 16, 12, 8, 4, 3, 2, 1]
/** The most bytes of a text at the start or the end. */
const MOST_BYTES = 128

const bucket = (text: Sql): Sql =>
  sql`arrayFirst(${m} -> ${m} <= length(${text}), ${literal(HELD)})`

const wildToken: FunctionRecord = {
  id: 'lookup.wild_token',
  says: 'The token of a cell with stars: = and the text, ^ and what it begins with, $ and what it ends in, ~ and what it holds, or * alone.',
  takes: [{ name: 'cell', type: 'text' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => {
    const [first, last] = [sql`${value}[1]`, sql`${value}[-1]`]
    const longest = sql`arraySort(${piece} -> -length(${piece}), ${value})[1]`
    // What the token is made from, behind its sign.
    const chosen = sql`multiIf(length(${value}) = 1, concat('=', ${first}), ${longest} = '', '*', length(${first}) = length(${longest}), concat('^', ${first}), length(${last}) = length(${longest}), concat('$', ${last}), concat('~', ${longest}))`
    const cut = named(
      chosen,
      token,
      () =>
        sql`multiIf(startsWith(${token}, '^'), substring(${token}, 1, ${literal(MOST_BYTES + 1)}), startsWith(${token}, '$'), concat('$', right(substring(${token}, 2), ${literal(MOST_BYTES)})), startsWith(${token}, '~'), substring(${token}, 1, 1 + ${bucket(sql`substring(${token}, 2)`)}), ${token})`,
    )
    return named(sql`splitByString('*', ${solid(arg(args, 0))})`, value, () => cut)
  },
  examples: [
    { args: ['abc'], gives: '=abc' },
    { args: ['abcdef*'], gives: '^abcdef' },
    { args: ['a*abcdef'], gives: '$abcdef' },
    { args: ['*ab*abcdefghi*'], gives: '~abcdefgh' },
    { args: ['**'], gives: '*' },
  ],
}

const networkToken: FunctionRecord = {
  id: 'lookup.network_token',
  says: 'The token of a cell that holds a network or an address: its length and its first address. Empty for any other text.',
  takes: [{ name: 'cell', type: 'text' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) =>
    named(solid(arg(args, 0)), cell, () => {
      const parts = sql`splitByChar('/', ${cell})`
      const address = sql`toIPv6OrNull(${parts}[1])`
      const isFour = sql`isIPv4String(${parts}[1])`
      // A length of addresses of four bytes is counted within those of sixteen.
      const written = sql`if(length(${parts}) = 1, if(${isFour}, 32, 128), toInt32OrNull(${parts}[2]))`
      const bits = sql`ifNull(${written}, -1)`
      const isGood = sql`length(${parts}) <= 2 AND isNotNull(${address}) AND ${bits} >= 0 AND ${bits} <= if(${isFour}, 32, 128)`
      const length = sql`toUInt8(greatest(least(${bits} + if(${isFour}, 96, 0), 128), 0))`
      return sql`if(${isGood}, concat(toString(${length}), '|', ${startOf(sql`ifNull(${address}, toIPv6('::'))`, length)}), '')`
    }),
  examples: [
    { args: ['10.1.2.3/8'], gives: '104|::ffff:10.0.0.0' },
    { args: ['10.1.2.3'], gives: '128|::ffff:10.1.2.3' },
    { args: ['2001:db8::1/32'], gives: '32|2001:db8::' },
    { args: ['10.0.0.0/33'], gives: '' },
    { args: ['host'], gives: '' },
  ],
}

/** The first address of a network as text. */
function startOf(address: Sql, length: Sql): Sql {
  return sql`toString(tupleElement(IPv6CIDRToRange(${address}, ${length}), 1))`
}

const stubs: FunctionRecord = {
  id: 'lookup.stubs',
  says: 'A token, and the start by which places in a value are chosen where the token may begin.',
  takes: [{ name: 'token', type: 'text' }],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) =>
    named(
      solid(arg(args, 0)),
      token,
      () =>
        sql`if(startsWith(${token}, '~') AND length(${token}) > 5, [${token}, substring(${token}, 1, 5)], [${token}])`,
    ),
  examples: [
    { args: ['~abcdefgh'], gives: ['~abcdefgh', '~abcd'] },
    { args: ['^abcd'], gives: ['^abcd'] },
  ],
}

const wholeNumbers = (values: readonly number[]): Sql =>
  sql`[${joined(
    values.map((each) => sql`toUInt64(${literal(each)})`),
    ', ',
  )}]`

/** The lengths of tokens of one kind, as shapes tell them (`^8`). */
function lengths(shapes: readonly string[], kind: string): readonly number[] {
  return shapes.filter((each) => each.startsWith(kind)).map((each) => Number(each.slice(1)))
}

const wildProbes: FunctionRecord = {
  id: 'lookup.wild_probes',
  says: 'The tokens, of those in a set, by which a value can be found. The kinds and lengths of tokens that there are are told.',
  takes: [
    { name: 'value', type: 'text' },
    { name: 'tokens', type: 'any' },
    { name: 'shapes', type: { list: 'text' }, constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const shapes = constTexts(args, 2)
    const tokens = setOf(arg(args, 1))
    if (tokens === undefined) return sql`emptyArrayString()`
    const [start, end, held] = ['^', '$', '~'].map((kind) => lengths(shapes, kind)) as [
      readonly number[],
      readonly number[],
      readonly number[],
    ]
    const fitting = (list: readonly number[]): Sql =>
      sql`arrayFilter(${m} -> ${m} <= length(${value}), ${wholeNumbers(list)})`
    const short = held.filter((each) => each < 4)
    const long = held.filter((each) => each >= 4)
    // Places are chosen by four bytes first, so that longer tokens are made at few of them.
    const places = sql`arrayFilter(${p} -> concat('~', substring(${value}, ${p}, 4)) IN ${tokens}, range(1, if(length(${value}) < 4, 1, length(${value}) - 2)))`
    const ends = sql`arrayFilter(${m} -> ${p} + ${m} <= length(${value}) + 1, ${wholeNumbers(long)})`
    const parts = [
      ...(shapes.includes('=') ? [sql`[concat('=', ${value})]`] : []),
      ...(shapes.includes('*') ? [sql`['*']`] : []),
      ...(start.length > 0
        ? [sql`arrayMap(${m} -> concat('^', substring(${value}, 1, ${m})), ${fitting(start)})`]
        : []),
      ...(end.length > 0
        ? [sql`arrayMap(${m} -> concat('$', right(${value}, ${m})), ${fitting(end)})`]
        : []),
      ...(short.length > 0
        ? [
            sql`arrayFlatten(arrayMap(${m} -> arrayMap(${p} -> concat('~', substring(${value}, ${p}, ${m})), range(1, length(${value}) + 1)), ${wholeNumbers(short)}))`,
          ]
        : []),
      ...(long.length > 0
        ? [
            sql`arrayFlatten(arrayMap(${p} -> arrayMap(${m} -> concat('~', substring(${value}, ${p}, ${m})), ${ends}), ${places}))`,
          ]
        : []),
    ]
    if (parts.length === 0) return sql`emptyArrayString()`
    const all = sql`arrayConcat(${joined(parts, ', ')})`
    return named(
      solid(arg(args, 0)),
      value,
      () => sql`arrayDistinct(arrayFilter(${token} -> ${token} IN ${tokens}, ${all}))`,
    )
  },
  examples: [
    {
      args: [
        'abcdef',
        ['=abcdef', '^abcd', '$def', '~cde', '~bcde', '~xyz'],
        ['=', '^4', '$3', '~3', '~4'],
      ],
      gives: ['=abcdef', '^abcd', '$def', '~cde', '~bcde'],
    },
    { args: ['ab', ['*', '~abcd'], ['*', '~4']], gives: ['*'] },
    { args: ['ab', ['*'], []], gives: [] },
  ],
}

/** What a value may be in: the rows of a query, or texts; undefined where there are none. */
function setOf({ sql: query, value: listed }: SqlArg): Sql | undefined {
  if (!Array.isArray(listed)) return query
  return listed.length === 0
    ? undefined
    : sql`(${joined(
        listed.map((each) => literal(each)),
        ', ',
      )})`
}

const networkProbes: FunctionRecord = {
  id: 'lookup.network_probes',
  says: 'The tokens of the networks, of the lengths that there are, in which an address lies.',
  takes: [
    { name: 'address', type: 'text' },
    { name: 'lengths', type: { list: 'text' }, constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) => {
    const list = constTexts(args, 1).map(Number)
    if (list.length === 0) return sql`emptyArrayString()`
    return named(solid(arg(args, 0)), value, () => {
      const address = sql`ifNull(toIPv6OrNull(${value}), toIPv6('::'))`
      const start = startOf(address, sql`toUInt8(${m})`)
      return sql`if(isNull(toIPv6OrNull(${value})), emptyArrayString(), arrayMap(${m} -> concat(toString(${m}), '|', ${start}), ${wholeNumbers(list)}))`
    })
  },
  examples: [
    { args: ['10.1.2.3', ['104', '128']], gives: ['104|::ffff:10.0.0.0', '128|::ffff:10.1.2.3'] },
    { args: ['host', ['104']], gives: [] },
  ],
}

const fits: FunctionRecord = {
  id: 'lookup.fits',
  says: 'True when a value is a text in which each star stands for any text. Case matters.',
  takes: [
    { name: 'value', type: 'text' },
    { name: 'pattern', type: 'text' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) => {
    const first = sql`${cell}[1]`
    const last = sql`${cell}[-1]`
    const acc = sql`\`^s\``
    const next = sql`position(${value}, ${piece}, ${acc})`
    // Each piece is looked for behind the one before it, at its first place: no other choice can do better.
    const end = sql`arrayFold((${acc}, ${piece}) -> if(${acc} = 0 OR ${piece} = '', ${acc}, if(${next} = 0, toUInt64(0), toUInt64(${next} + length(${piece})))), arraySlice(${cell}, 2, greatest(length(${cell}) - 2, 0)), toUInt64(length(${first}) + 1))`
    const wild = named(
      end,
      sql`\`^e\``,
      () => sql`(\`^e\` > 0 AND \`^e\` + length(${last}) <= length(${value}) + 1)`,
    )
    const test = sql`if(length(${cell}) = 1, ${value} = ${first}, startsWith(${value}, ${first}) AND endsWith(${value}, ${last}) AND length(${value}) >= length(${first}) + length(${last}) AND (length(${cell}) = 2 OR ${wild}))`
    return sql`(isNotNull(${arg(args, 0).sql}) AND ${named(solid(arg(args, 0)), value, () =>
      named(sql`splitByString('*', ${solid(arg(args, 1))})`, cell, () => test),
    )})`
  },
  examples: [
    { args: ['abc', 'abc'], gives: true },
    { args: ['abc', 'ABC'], gives: false },
    { args: ['abcabd', 'a*c*d'], gives: true },
    { args: ['abcd', '*b*c*b*'], gives: false },
    { args: ['aba', 'ab*ba'], gives: false },
    { args: ['x.y%z', '*.y%*'], gives: true },
    { args: ['anything', '*'], gives: true },
    { args: [null, '*'], gives: false },
  ],
}

const inNetwork: FunctionRecord = {
  id: 'lookup.in_network',
  says: 'True when an address lies in the network of a token.',
  takes: [
    { name: 'address', type: 'text' },
    { name: 'token', type: 'text' },
  ],
  gives: 'bool',
  onNull: 'own',
  sql: (args) =>
    named(solid(arg(args, 0)), value, () =>
      named(solid(arg(args, 1)), token, () => {
        const address = sql`ifNull(toIPv6OrNull(${value}), toIPv6('::'))`
        const length = sql`splitByChar('|', ${token})[1]`
        return sql`(isNotNull(toIPv6OrNull(${value})) AND ${token} != '' AND concat(${length}, '|', ${startOf(address, sql`toUInt8OrZero(${length})`)}) = ${token})`
      }),
    ),
  examples: [
    { args: ['10.1.2.3', '104|::ffff:10.0.0.0'], gives: true },
    { args: ['11.1.2.3', '104|::ffff:10.0.0.0'], gives: false },
    { args: ['host', '104|::ffff:10.0.0.0'], gives: false },
    { args: ['10.1.2.3', ''], gives: false },
  ],
}

const breadth: FunctionRecord = {
  id: 'lookup.breadth',
  says: 'How wide the network of a token is: less for one that says more.',
  takes: [{ name: 'token', type: 'text' }],
  gives: 'int',
  onNull: 'own',
  sql: (args) => sql`toInt64(128 - toInt64OrZero(splitByChar('|', ${solid(arg(args, 0))})[1]))`,
  examples: [{ args: ['104|::ffff:10.0.0.0'], gives: 24 }],
}

const list: FunctionRecord = {
  id: 'lookup.list',
  says: 'The texts of the first rows by the widths of their networks and their lines; only those of the least width, without empty ones.',
  takes: [
    { name: 'text', type: 'text' },
    { name: 'most', type: 'int', constant: true },
    { name: 'breadth', type: 'int' },
    { name: 'line', type: 'int' },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  aggregate: true,
  sql: (args) =>
    sql`groupArraySorted(${countOf(arg(args, 1))})((${number(arg(args, 2))}, ${number(arg(args, 3))}, ${solid(arg(args, 0))}))`,
  finish: (made) =>
    named(
      made,
      value,
      () =>
        sql`arrayMap(${piece} -> ${piece}.3, arrayFilter(${piece} -> ${piece}.1 = ${value}[1].1 AND ${piece}.3 != '', ${value}))`,
    ),
  examples: [],
}

/** A parameter of an aggregate has no type of its own. */
const countOf = ({ value: count }: SqlArg): Sql => sql`${literal(count ?? 1)}`
const number = ({ sql: of }: SqlArg): Sql => sql`toInt64(ifNull(${of}, 0))`

const found: FunctionRecord = {
  id: 'lookup.found',
  says: 'The only or first text of a list; missing where there is none.',
  takes: [{ name: 'list', type: { list: 'text' } }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`nullIf(CAST(${arg(args, 0).sql} AS Array(String))[1], '')`,
  examples: [
    { args: [['a', 'b']], gives: 'a' },
    { args: [[]], gives: null },
  ],
}

const shown: FunctionRecord = {
  id: 'lookup.cell',
  says: 'A cell of a lookup as the value of a field: an empty one is missing.',
  takes: [{ name: 'cell', type: 'text' }],
  gives: 'text',
  onNull: 'own',
  sql: (args) => sql`nullIf(${arg(args, 0).sql}, '')`,
  examples: [
    { args: ['a'], gives: 'a' },
    { args: [''], gives: null },
  ],
}

const padded: FunctionRecord = {
  id: 'lookup.padded',
  says: 'A list with a text added as often as matches are missing to the least number.',
  takes: [
    { name: 'list', type: { list: 'text' } },
    { name: 'matches', type: 'int' },
    { name: 'least', type: 'int', constant: true },
    { name: 'text', type: 'text', constant: true },
  ],
  gives: { list: 'text' },
  onNull: 'own',
  sql: (args) =>
    sql`arrayConcat(${arg(args, 0).sql}, arrayWithConstant(greatest(toInt64(${arg(args, 2).sql}) - ${number(arg(args, 1))}, 0), ${arg(args, 3).sql}))`,
  examples: [
    { args: [[], 0, 2, 'no'], gives: ['no', 'no'] },
    { args: [['a'], 1, 1, 'no'], gives: ['a'] },
    { args: [[], 0, 1, 'no'], gives: ['no'] },
  ],
}

const entropy: FunctionRecord = {
  id: 'lookup.entropy',
  says: 'How many bits each character of a text tells (Shannon), from how often each occurs in it.',
  takes: [{ name: 'text', type: 'text' }],
  gives: 'float',
  onNull: 'own',
  sql: (args) => {
    const text = arg(args, 0).sql
    return sql`if(isNull(${text}), NULL, arrayReduce('entropy', splitByString('', ${solid(arg(args, 0))})))`
  },
  examples: [
    { args: ['aabb'], gives: 1 },
    { args: ['aaaa'], gives: 0 },
    { args: [null], gives: null },
  ],
}

export const lookupFunctions: readonly FunctionRecord[] = [
  key,
  keys,
  wildToken,
  networkToken,
  stubs,
  wildProbes,
  networkProbes,
  fits,
  inNetwork,
  breadth,
  list,
  found,
  shown,
  padded,
  entropy,
]

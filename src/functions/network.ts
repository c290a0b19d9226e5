/**
 * Addresses as Kusto has them: an IPv4 or IPv6 address in a text, with `/n` where only its first bits count. What is
 * no address gives null. An address and its prefix travel through a template as one number, so that each is read once.
 */
import type { BaseType } from '../ir/types.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, type SqlHole, sql } from './sql.ts'

const { a: A, b: B, c: C } = VARIABLES
const IP: Parameter = { name: 'address', type: 'text' }
const OTHER: Parameter = { name: 'other', type: 'text' }
const PREFIX: Parameter = { name: 'prefix', type: 'int', optional: true }

/** What differs between the families. */
export interface Family {
  readonly bits: 32 | 128
  /** Address and prefix as one number, address above; null for what is no address. */
  readonly packed: (text: Sql) => Sql
  readonly address: (packed: Sql) => Sql
  readonly prefix: (packed: Sql) => Sql
}

const pieces = (text: Sql): Sql => sql`splitByChar('/', ${text})`

/** The number after the slash, as it is written; null when it is no number of at most three digits. */
const writtenPrefix = (text: Sql): Sql =>
  sql`if(match(${text}, '/[0-9]{1,3}$') AND length(${pieces(text)}) = 2, toInt64OrNull(${pieces(text)}[2]), NULL)`

export const FOUR: Family = {
  bits: 32,
  packed: (text) => {
    const prefix = sql`if(position(${text}, '/') = 0, 32, ${writtenPrefix(text)})`
    return sql`(toInt64(IPv4StringToNumOrNull(${pieces(text)}[1])) * 64 + if(${prefix} <= 32, ${prefix}, NULL))`
  },
  address: (packed) => sql`intDiv(assumeNotNull(${packed}), 64)`,
  prefix: (packed) => sql`toInt64(assumeNotNull(${packed}) % 64)`,
}

/** IPv4 in an IPv6 function stands for `::ffff:a.b.c.d`, and so does `::a.b.c.d`; its prefix counts from there. */
export const SIX: Family = {
  bits: 128,
  packed: (text) => {
    const isFour = sql`match(${text}, '^(::)?[0-9]+[.]')`
    const plain = sql`replaceRegexpOne(${pieces(text)}[1], '^::([0-9]+[.])', '\\\\1')`
    const prefix = sql`if(position(${text}, '/') = 0, 128, ${writtenPrefix(text)} + if(${isFour}, 96, 0))`
    return sql`(toUInt256(toUInt128(toIPv6OrNull(${plain}))) * 256 + if(${prefix} <= 128, ${prefix}, NULL))`
  },
  address: (packed) => sql`bitShiftRight(assumeNotNull(${packed}), 8)`,
  prefix: (packed) => sql`toInt64(bitAnd(assumeNotNull(${packed}), 255))`,
}

/** The address without the bits that a prefix leaves out. */
const shifted = (family: Family, packed: Sql, prefix: Sql): Sql =>
  sql`bitShiftRight(${family.address(packed)}, ${literal(family.bits)} - ${prefix})`

const NULL_INT = sql`CAST(NULL AS Nullable(Int64))`
const NULL_BOOL = sql`CAST(NULL AS Nullable(Bool))`

/** The prefix argument when it is there, and whether it is one. */
function prefixOf(
  family: Family,
  given: SqlArg | undefined,
): { readonly part: readonly Sql[]; readonly bad: readonly Sql[] } {
  if (given === undefined) return { part: [], bad: [] }
  const part = sql`toInt64(ifNull(${given.sql}, -1))`
  return { part: [part], bad: [sql`${part} NOT BETWEEN 0 AND ${literal(family.bits)}`] }
}

/** Both addresses with the bits that count for both, for a body that compares them. */
function compared(
  family: Family,
  args: readonly SqlArg[],
  none: Sql,
  body: (a: Sql, b: Sql) => Sql,
): Sql {
  const { part, bad } = prefixOf(family, args[2])
  return named(family.packed(arg(args, 0).sql), A, (a) =>
    named(family.packed(arg(args, 1).sql), B, (b) => {
      const least = sql`least(${joined([family.prefix(a), family.prefix(b), ...part], ', ')})`
      const not = joined([sql`isNull(${a})`, sql`isNull(${b})`, ...bad], ' OR ')
      const made = body(shifted(family, a, least), shifted(family, b, least))
      return sql`if(${not}, ${none}, ${made})`
    }),
  )
}

/** True when the address is in the network; the address's own prefix blanks its last bits. */
function inside(family: Family, ip: Sql, network: Sql): Sql {
  const [own, wanted] = [family.prefix(ip), family.prefix(network)]
  const least = sql`least(${own}, ${wanted})`
  const blanked = sql`bitShiftLeft(${shifted(family, ip, least)}, ${wanted} - ${least})`
  return sql`(${blanked} = ${shifted(family, network, wanted)})`
}

interface Network {
  readonly prefix: number
  /** The bits that count, as a number. */
  readonly bits: bigint
}

/** A constant IPv4 network; undefined when it is none. */
function constantNetwork(text: string): Network | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text)
  if (found === null) return undefined
  const octets = found.slice(1, 5).map(Number)
  const prefix = Number(found[5] ?? 32)
  if (octets.some((each) => each > 255) || prefix > 32) return undefined
  const value = octets.reduce((all, each) => all * 256n + BigInt(each), 0n)
  return { prefix, bits: value >> BigInt(32 - prefix) }
}

/** The constant texts of a list of arguments that are texts and arrays of texts; undefined when one is no constant. */
export function constantTexts(args: readonly SqlArg[]): readonly string[] | undefined {
  const texts: string[] = []
  for (const { type, value } of args) {
    if (typeof value !== 'string') return undefined
    if (type !== 'dynamic') texts.push(value)
    else {
      const parsed: unknown = JSON.parse(value)
      for (const each of Array.isArray(parsed) ? parsed : [parsed]) {
        if (typeof each === 'string') texts.push(each)
      }
    }
  }
  return texts
}

/** The texts of arguments that are texts and arrays of texts, as an array of the engine. */
export function listed(args: readonly SqlArg[]): Sql {
  const arrays = args.map((each) =>
    each.type === 'dynamic'
      ? sql`if(startsWith(ifNull(${each.sql}, ''), '['), JSONExtract(ifNull(${each.sql}, ''), 'Array(String)'), [JSONExtractString(ifNull(${each.sql}, ''))])`
      : sql`[${each.sql}]`,
  )
  return sql`arrayConcat(${joined(arrays, ', ')})`
}

/** IPv4 in any of many constant networks: one set of numbers for each length of prefix. */
function insideConstants(ip: Sql, texts: readonly string[]): Sql {
  const byPrefix = new Map<number, SqlHole[]>()
  for (const text of texts) {
    const network = constantNetwork(text)
    if (network === undefined) continue
    const set = byPrefix.get(network.prefix) ?? []
    set.push(literal(Number(network.bits)))
    byPrefix.set(network.prefix, set)
  }
  const tests = [...byPrefix].map(([prefix, set]) => {
    const wanted = literal(prefix)
    return sql`(${FOUR.prefix(ip)} >= ${wanted} AND ${shifted(FOUR, ip, sql`${wanted}`)} IN (${joined(set, ', ')}))`
  })
  return tests.length === 0 ? sql`false` : sql`(${joined(tests, ' OR ')})`
}

function inAny(family: Family, args: readonly SqlArg[]): Sql {
  const networks = args.slice(1)
  const constant = family === FOUR ? constantTexts(networks) : undefined
  return named(family.packed(arg(args, 0).sql), A, (ip) => {
    const test =
      constant !== undefined
        ? insideConstants(ip, constant)
        : sql`arrayExists(${B} -> isNotNull(${B}) AND ${inside(family, ip, B)}, arrayMap(${C} -> ${family.packed(C)}, ${listed(networks)}))`
    return sql`if(isNull(${ip}), ${NULL_BOOL}, ${test} = 1)`
  })
}

/** An address given as text or as a number, packed. */
function packedFour(given: SqlArg): Sql {
  if (given.type === 'text') return FOUR.packed(given.sql)
  if (given.type === 'dynamic') {
    return FOUR.packed(
      sql`if(startsWith(ifNull(${given.sql}, ''), '"'), JSONExtractString(${given.sql}), IPv4NumToString(toUInt32OrZero(ifNull(${given.sql}, ''))))`,
    )
  }
  const number = sql`toInt64(${given.sql})`
  return sql`if(${number} BETWEEN 0 AND 4294967295, ${number} * 64 + 32, NULL)`
}

function formatted(args: readonly SqlArg[], withPrefix: boolean): Sql {
  const { part, bad } = prefixOf(FOUR, args[1])
  return named(packedFour(arg(args, 0)), A, (ip) => {
    const least =
      part.length === 0 ? FOUR.prefix(ip) : sql`least(${joined([FOUR.prefix(ip), ...part], ', ')})`
    const value = sql`bitShiftLeft(${shifted(FOUR, ip, least)}, 32 - ${least})`
    const text = sql`IPv4NumToString(toUInt32(${value}))`
    const made = withPrefix ? sql`concat(${text}, '/', toString(${least}))` : text
    return sql`if(${joined([sql`isNull(${ip})`, ...bad], ' OR ')}, '', ${made})`
  })
}

/** The address as a number, without the bits that its prefix leaves out. */
function numbered(args: readonly SqlArg[]): Sql {
  const { part, bad } = prefixOf(FOUR, args[1])
  return named(FOUR.packed(arg(args, 0).sql), A, (ip) => {
    const least =
      part.length === 0 ? FOUR.prefix(ip) : sql`least(${joined([FOUR.prefix(ip), ...part], ', ')})`
    const value = sql`toInt64(bitShiftLeft(${shifted(FOUR, ip, least)}, 32 - ${least}))`
    return sql`if(${joined([sql`isNull(${ip})`, ...bad], ' OR ')}, ${NULL_INT}, ${value})`
  })
}

const GROUPS = Array.from({ length: 8 }, () => '(....)').join('')
const COLONS = Array.from({ length: 8 }, (_, index) => `\\${index + 1}`).join(':')

/** The whole IPv6 address in eight groups; empty for what is none. */
function expanded(args: readonly SqlArg[]): Sql {
  const { part, bad } = prefixOf(SIX, args[1])
  return named(SIX.packed(arg(args, 0).sql), A, (ip) => {
    const least =
      part.length === 0 ? SIX.prefix(ip) : sql`least(${joined([SIX.prefix(ip), ...part], ', ')})`
    const value = sql`toUInt128(bitShiftLeft(${shifted(SIX, ip, least)}, 128 - ${least}))`
    const digits = sql`leftPad(lower(hex(${value})), 32, '0')`
    const text = sql`replaceRegexpOne(${digits}, ${literal(GROUPS)}, ${literal(COLONS)})`
    return sql`if(${joined([sql`isNull(${ip})`, ...bad], ' OR ')}, '', ${text})`
  })
}

/** The networks that make up a range of addresses: each step takes the widest that begins at the next address. */
function networksOf(args: readonly SqlArg[]): Sql {
  const first = sql`toInt64(IPv4StringToNumOrNull(${arg(args, 0).sql}))`
  const last = sql`toInt64(IPv4StringToNumOrNull(${arg(args, 1).sql}))`
  return named(first, A, (from) =>
    named(last, B, (to) => {
      const at = sql`acc.1`
      const room = sql`${at} = 0 OR bitAnd(${at}, bitShiftLeft(toInt64(1), p) - 1) = 0`
      const wide = sql`toInt64(arrayLast(p -> (${room}) AND ${at} + bitShiftLeft(toInt64(1), p) - 1 <= assumeNotNull(${to}), range(33)))`
      const text = sql`concat(IPv4NumToString(toUInt32(${at})), '/', toString(32 - ${wide}))`
      const step = sql`if(${at} > assumeNotNull(${to}), acc, tuple(${at} + bitShiftLeft(toInt64(1), ${wide}), arrayPushBack(acc.2, ${text})))`
      const all = sql`arrayFold((acc, n) -> ${step}, range(64), tuple(assumeNotNull(${from}), emptyArrayString())).2`
      return sql`if(isNull(${from}) OR isNull(${to}) OR ${from} > ${to}, NULL, toJSONString(${all}))`
    }),
  )
}

/** The private networks. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']

interface Shape {
  readonly says: string
  readonly takes: readonly Parameter[]
  readonly gives: BaseType
  readonly sql: (args: readonly SqlArg[]) => Sql
  readonly examples: readonly Example[]
}

const record = (id: string, kusto: readonly string[], shape: Shape): FunctionRecord => ({
  id,
  says: shape.says,
  takes: shape.takes,
  gives: shape.gives,
  onNull: 'own',
  spelled: { kusto },
  sql: shape.sql,
  examples: shape.examples,
})

const order = (a: Sql, b: Sql): Sql => sql`toInt64(if(${a} < ${b}, -1, if(${a} = ${b}, 0, 1)))`
const equal = (a: Sql, b: Sql): Sql => sql`(${a} = ${b})`

const NETWORKS: Parameter = { name: 'networks', type: 'any', many: true }

/** The comparisons of a family. */
function comparisons(
  family: Family,
  name: 'ipv4' | 'ipv6',
  extra: Readonly<Record<'compare' | 'match' | 'range' | 'any', readonly Example[]>>,
): readonly FunctionRecord[] {
  return [
    record(`${name}.compare`, [`${name}_compare`], {
      says: '-1, 0 or 1 as the first address is below, the same as or above the second, by the bits that all prefixes keep.',
      takes: [IP, OTHER, PREFIX],
      gives: 'int',
      sql: (args) => compared(family, args, NULL_INT, order),
      examples: extra.compare,
    }),
    record(`${name}.matches`, [`${name}_is_match`], {
      says: 'True when both addresses are the same in the bits that all prefixes keep.',
      takes: [IP, OTHER, PREFIX],
      gives: 'bool',
      sql: (args) => compared(family, args, NULL_BOOL, equal),
      examples: extra.match,
    }),
    record(`${name}.in_range`, [`${name}_is_in_range`], {
      says: 'True when the address is in the network.',
      takes: [IP, { name: 'network', type: 'text' }],
      gives: 'bool',
      sql: (args) =>
        named(family.packed(arg(args, 0).sql), A, (ip) =>
          named(
            family.packed(arg(args, 1).sql),
            B,
            (network) =>
              sql`if(isNull(${ip}) OR isNull(${network}), ${NULL_BOOL}, ${inside(family, ip, network)})`,
          ),
        ),
      examples: extra.range,
    }),
    record(`${name}.in_any_range`, [`${name}_is_in_any_range`], {
      says: 'True when the address is in one of the networks; what is no network holds no address.',
      takes: [IP, NETWORKS],
      gives: 'bool',
      sql: (args) => inAny(family, args),
      examples: extra.any,
    }),
  ]
}

export const networkFunctions: readonly FunctionRecord[] = [
  record('ipv4.parse', ['parse_ipv4'], {
    says: 'The IPv4 address as a number.',
    takes: [IP],
    gives: 'int',
    sql: numbered,
    examples: [
      { args: ['192.168.1.1'], gives: 3_232_235_777 },
      { args: ['192.168.1.1/24'], gives: 3_232_235_776 },
      { args: ['0.0.0.0/0'], gives: 0 },
      { args: ['1.2.3'], gives: null },
      { args: ['1.2.3.4/33'], gives: null },
      { args: ['1.2.3.256'], gives: null },
      { args: [''], gives: null },
    ],
  }),
  record('ipv4.parse_mask', ['parse_ipv4_mask'], {
    says: 'The first bits of the IPv4 address as a number.',
    takes: [IP, { name: 'prefix', type: 'int' }],
    gives: 'int',
    sql: numbered,
    examples: [
      { args: ['127.0.0.1', 24], gives: 2_130_706_432 },
      { args: ['127.0.0.1', 33], gives: null },
    ],
  }),
  record('ipv4.format', ['format_ipv4'], {
    says: 'The text of an IPv4 address that is given as text or as a number; empty for what is none.',
    takes: [{ name: 'address', type: 'any' }, PREFIX],
    gives: 'text',
    sql: (args) => formatted(args, false),
    examples: [
      { args: ['192.168.1.1', 24], gives: '192.168.1.0' },
      { args: [3_232_235_777], gives: '192.168.1.1' },
      { args: ['192.168.1.1/24', 32], gives: '192.168.1.0' },
      { args: ['192.168.1.1', -1], gives: '' },
      { args: ['x'], gives: '' },
    ],
  }),
  record('ipv4.format_mask', ['format_ipv4_mask'], {
    says: 'The text of an IPv4 network.',
    takes: [{ name: 'address', type: 'any' }, PREFIX],
    gives: 'text',
    sql: (args) => formatted(args, true),
    examples: [
      { args: ['192.168.1.1', 24], gives: '192.168.1.0/24' },
      { args: ['192.168.1.1/24', 32], gives: '192.168.1.0/24' },
    ],
  }),
  record('ipv4.is_private', ['ipv4_is_private'], {
    says: 'True when the IPv4 address is in a private network.',
    takes: [IP],
    gives: 'bool',
    sql: (args) =>
      named(
        FOUR.packed(arg(args, 0).sql),
        A,
        (ip) => sql`if(isNull(${ip}), ${NULL_BOOL}, ${insideConstants(ip, PRIVATE)} = 1)`,
      ),
    examples: [
      { args: ['10.1.2.3'], gives: true },
      { args: ['192.168.1.1/24'], gives: true },
      { args: ['172.32.0.1'], gives: false },
      { args: ['127.0.0.1'], gives: false },
      { args: ['::1'], gives: null },
    ],
  }),
  record('ipv4.prefix', ['ipv4_netmask_suffix'], {
    says: 'The number of bits that count in the IPv4 address.',
    takes: [IP],
    gives: 'int',
    sql: (args) =>
      named(
        FOUR.packed(arg(args, 0).sql),
        A,
        (ip) => sql`if(isNull(${ip}), ${NULL_INT}, ${FOUR.prefix(ip)})`,
      ),
    examples: [
      { args: ['10.1.2.3'], gives: 32 },
      { args: ['192.168.1.1/24'], gives: 24 },
      { args: ['x/24'], gives: null },
    ],
  }),
  record('ipv4.range_networks', ['ipv4_range_to_cidr_list'], {
    says: 'The networks that hold the addresses from the first to the last and no others.',
    takes: [IP, { name: 'last', type: 'text' }],
    gives: 'dynamic',
    sql: networksOf,
    examples: [
      {
        args: ['1.1.128.0', '1.1.140.255'],
        gives: '["1.1.128.0/21","1.1.136.0/22","1.1.140.0/24"]',
      },
      { args: ['0.0.0.0', '255.255.255.255'], gives: '["0.0.0.0/0"]' },
      { args: ['1.1.1.1', '1.1.1.0'], gives: null },
    ],
  }),
  ...comparisons(FOUR, 'ipv4', {
    compare: [
      { args: ['192.168.1.1/24', '192.168.1.255'], gives: 0 },
      { args: ['192.168.1.1', '192.168.1.0', 31], gives: 0 },
      { args: ['10.0.0.1', '10.0.0.2'], gives: -1 },
      { args: ['200.0.0.1', '10.0.0.2/0'], gives: 0 },
      { args: ['x', '10.0.0.2'], gives: null },
    ],
    match: [
      { args: ['192.168.1.1/24', '192.168.1.255'], gives: true },
      { args: ['192.168.1.1', '192.168.2.1', 24], gives: false },
    ],
    range: [
      { args: ['192.168.1.6', '192.168.1.1/24'], gives: true },
      { args: ['192.168.2.6', '192.168.1.1/24'], gives: false },
      { args: ['x', '192.168.1.1/24'], gives: null },
    ],
    any: [
      {
        args: ['10.1.2.3', '["192.168.1.1/16","10.0.0.1/8"]'],
        as: ['text', 'dynamic'],
        gives: true,
      },
      { args: ['1.1.1.1', '10.0.0.0/8', '1.1.1.1'], gives: true },
      { args: ['1.1.1.2', '10.0.0.0/8', 'x'], gives: false },
      { args: ['x', '10.0.0.0/8'], gives: null },
    ],
  }),
  record('ipv6.parse', ['parse_ipv6'], {
    says: 'The IPv6 address in full; empty for what is none.',
    takes: [IP],
    gives: 'text',
    sql: expanded,
    examples: [
      { args: ['127.0.0.1'], gives: '0000:0000:0000:0000:0000:ffff:7f00:0001' },
      { args: ['fe80::85d:e82c:9446:7994/120'], gives: 'fe80:0000:0000:0000:085d:e82c:9446:7900' },
      { args: ['::192.168.255.255/24'], gives: '0000:0000:0000:0000:0000:ffff:c0a8:ff00' },
      { args: ['x'], gives: '' },
      { args: [''], gives: '' },
    ],
  }),
  record('ipv6.parse_mask', ['parse_ipv6_mask'], {
    says: 'The first bits of the IPv6 address in full; empty for what is none.',
    takes: [IP, { name: 'prefix', type: 'int' }],
    gives: 'text',
    sql: expanded,
    examples: [
      { args: ['192.168.255.255', 120], gives: '0000:0000:0000:0000:0000:ffff:c0a8:ff00' },
    ],
  }),
  ...comparisons(SIX, 'ipv6', {
    compare: [
      { args: ['192.168.1.1/24', '::ffff:c0a8:01ff'], gives: 0 },
      { args: ['fe80::1', 'fe80::2'], gives: -1 },
      { args: ['::192.168.1.1/30', '192.168.1.255/24', 127], gives: 0 },
    ],
    match: [
      { args: ['fe80::85d:e82c:9446:7994/120', 'fe80::85d:e82c:9446:7998'], gives: true },
      { args: ['x', '::1'], gives: null },
    ],
    range: [
      {
        args: [
          'a5e:f127:8a9d:146d:e102:b5d3:c755:abcd',
          'a5e:f127:8a9d:146d:e102:b5d3:c755:0000/112',
        ],
        gives: true,
      },
      {
        args: ['a5e:f127:8a9d:146d:e102:b5d3:c755:abcd', '0:0:0:0:0:ffff:c0a8:ac/60'],
        gives: false,
      },
      { args: ['10.1.2.3', '10.0.0.0/8'], gives: true },
    ],
    any: [
      { args: ['::1', '["10.0.0.0/8","::/16"]'], as: ['text', 'dynamic'], gives: true },
      { args: ['fe80::1', '10.0.0.0/8'], gives: false },
    ],
  }),
]

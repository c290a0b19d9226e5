/** What `evaluate` needs to find columns in data and to look addresses up: names and types of bags, keys of networks. */
import { type Family, FOUR, SIX } from './network.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

const members: FunctionRecord = {
  id: 'dyn.members',
  says: 'The properties of a bag, each with the name of its type; those that are null are left out.',
  takes: [{ name: 'bag', type: 'dynamic' }],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const bag = arg(args, 0).sql
    const first = sql`substring(p.2, 1, 1)`
    const type = sql`multiIf(${first} = '"', 'string', ${first} IN ('{', '['), 'dynamic', ${first} IN ('t', 'f'), 'bool', match(p.2, '[.eE]'), 'real', 'long')`
    return sql`arrayMap(p -> (p.1, ${type}), arrayFilter(p -> p.2 != 'null', JSONExtractKeysAndValuesRaw(ifNull(${bag}, ''))))`
  },
  examples: [],
}

function record(
  id: string,
  says: string,
  family: Family,
  print: (packed: Sql) => Sql,
  shape: Pick<FunctionRecord, 'gives' | 'examples'>,
): FunctionRecord {
  return {
    id,
    says,
    takes: [{ name: 'address', type: 'text' }],
    ...shape,
    onNull: 'own',
    sql: (args) => named(family.packed(arg(args, 0).sql), VARIABLES.a, print),
  }
}

/** The first bits of an address with their number, as a text. */
const key = (family: Family, packed: Sql, bits: Sql): Sql =>
  sql`concat(toString(${bits}), ':', toString(bitShiftRight(${family.address(packed)}, ${literal(family.bits)} - ${bits})))`

/** Names the networks of every size that an address is in, and a network by its size and bits. */
function lookups(
  name: 'ipv4' | 'ipv6',
  family: Family,
  samples: readonly FunctionRecord['examples'][],
): readonly FunctionRecord[] {
  const bits = sql`toUInt16(i)`
  return [
    record(
      `${name}.networks`,
      'Keys of all networks that hold an address; none for what is no address.',
      family,
      (packed) =>
        sql`if(isNull(${packed}), [], arrayMap(i -> ${key(family, packed, bits)}, range(0, assumeNotNull(toUInt16(ifNull(${family.prefix(packed)}, 0))) + 1)))`,
      { gives: { list: 'text' }, examples: samples[0] ?? [] },
    ),
    record(
      `${name}.network`,
      'Key of a network, an address without a prefix being one of a single address; empty for what is none.',
      family,
      (packed) =>
        sql`if(isNull(${packed}), '', ${key(family, packed, sql`toUInt16(ifNull(${family.prefix(packed)}, 0))`)})`,
      { gives: 'text', examples: samples[1] ?? [] },
    ),
  ]
}

export const unpackFunctions: readonly FunctionRecord[] = [
  members,
  ...lookups('ipv4', FOUR, [
    [{ args: ['128.0.0.0/1'], gives: ['0:0', '1:1'] }],
    [
      { args: ['10.1.2.3/8'], gives: '8:10' },
      { args: ['10.1.2.3'], gives: '32:167838211' },
      { args: ['none'], gives: '' },
    ],
  ]),
  ...lookups('ipv6', SIX, [[], [{ args: ['fe80::1/16'], gives: '16:65152' }]]),
]

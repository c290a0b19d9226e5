/** IPv4 addresses inside texts: whole ones and those that begin in a given way. No letter or digit stands beside one. */
import { constantTexts, listed } from './network.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { hasAny, hasAnyOf, MARK, marked, WHOLE } from './terms.ts'

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const WHOLE_ADDRESS = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`)
/** The start of an address ends with a dot. */
const START = new RegExp(`^(?:${OCTET}\\.){1,3}$`)

/** Any of the addresses; what is no address is in no text. */
function hasAddress(text: Sql, wanted: readonly SqlArg[]): Sql {
  const constant = constantTexts(wanted)
  if (constant !== undefined) {
    const addresses = constant.filter((each) => WHOLE_ADDRESS.test(each))
    return addresses.length === 0 ? sql`false` : hasAny(text, addresses)
  }
  return hasAnyOf(text, sql`arrayFilter(p -> isIPv4String(p), ${listed(wanted)})`)
}

/** The pattern of an address that is the given one or begins as it says; undefined for what is neither. */
function startPattern(wanted: string): string | undefined {
  const octets = wanted.split('.')
  const known = WHOLE_ADDRESS.test(wanted)
    ? octets
    : START.test(wanted)
      ? octets.slice(0, -1)
      : undefined
  if (known === undefined) return undefined
  return Array.from({ length: 4 }, (_, index) => `${MARK}${known[index] ?? OCTET}${MARK}`).join(
    '\\.',
  )
}

/** Any address of the text that is one of those wanted or begins as one of the wanted starts says. */
function hasStart(text: Sql, wanted: readonly SqlArg[]): Sql {
  const starts = (constantTexts(wanted) ?? []).filter((each) => startPattern(each) !== undefined)
  if (starts.length === 0) return sql`false`
  const pattern = starts.map(startPattern).join('|')
  const plain = starts.map((each) => each.replaceAll('.', '\\.'))
  return sql`(multiMatchAny(${text}, ${literal(plain)}) AND match(${marked(text, WHOLE)}, ${literal(pattern)}))`
}

function record(
  name: string,
  says: string,
  many: boolean,
  print: (text: Sql, wanted: readonly SqlArg[]) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  const constant = print === hasStart ? { constant: true } : {}
  return {
    id: `text.${name}`,
    says,
    takes: [
      { name: 'text', type: 'text' },
      many
        ? { name: 'addresses', type: 'any', many: true, ...constant }
        : { name: 'address', type: 'text', ...constant },
    ],
    gives: 'bool',
    onNull: 'own',
    spelled: { kusto: [name] },
    sql: (args) => print(arg(args, 0).sql, args.slice(1)),
    examples,
  }
}

const LINE = '05:04:54 127.0.0.1 GET /favicon.ico 404'

export const addressFunctions: readonly FunctionRecord[] = [
  record('has_ipv4', 'True when the IPv4 address stands in the text.', false, hasAddress, [
    { args: [LINE, '127.0.0.1'], gives: true },
    { args: ['05:04:54 127.0.0.256 GET', '127.0.0.256'], gives: false },
    { args: ['05:04:54127.0.0.1 GET', '127.0.0.1'], gives: false },
    { args: ['127.0.0.10', '127.0.0.1'], gives: false },
  ]),
  record(
    'has_any_ipv4',
    'True when one of the IPv4 addresses stands in the text.',
    true,
    hasAddress,
    [
      { args: [LINE, '10.0.0.1', '127.0.0.1'], gives: true },
      { args: [LINE, '["10.0.0.1","127.0.0.1"]'], as: ['text', 'dynamic'], gives: true },
      { args: [LINE, '["127.0.0"]'], as: ['text', 'dynamic'], gives: false },
    ],
  ),
  record(
    'has_ipv4_prefix',
    'True when an IPv4 address in the text is the given one or begins with it; a beginning ends with a dot.',
    false,
    hasStart,
    [
      { args: [LINE, '127.0.'], gives: true },
      { args: [LINE, '127.0'], gives: false },
      { args: ['05:04:54 127.0.0.256 GET', '127.0.'], gives: false },
      { args: ['1.1.1.1 2.2.2.2', '2.'], gives: true },
      { args: ['12.1.1.1', '2.'], gives: false },
    ],
  ),
  record(
    'has_any_ipv4_prefix',
    'True when an IPv4 address in the text is one of the given or begins with one.',
    true,
    hasStart,
    [
      { args: [LINE, '10.', '127.0.'], gives: true },
      { args: [LINE, '["10.","127.0.0.1"]'], as: ['text', 'dynamic'], gives: true },
    ],
  ),
]

/** IPv4 addresses inside texts: whole ones and those that begin in a given way. No letter or digit stands beside one. */
import { constantTexts, listed } from './network.ts'
import { arg, type Example, type FunctionRecord } from './record.ts'
import { literal, type Sql, type SqlArg, sql } from './sql.ts'
import { hasAny, MARK, marked, WHOLE } from './terms.ts'

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const ADDRESS = Array.from({ length: 4 }, () => `${MARK}${OCTET}${MARK}`).join('\\.')
const WHOLE_ADDRESS = new RegExp(`^(?:${OCTET}\\.){3}${OCTET}$`)
/** The start of an address ends with a dot. */
const START = `^(?:${OCTET}\\.){1,3}$`

/** Any of the addresses; what is no address is in no text. */
function hasAddress(text: Sql, wanted: readonly SqlArg[]): Sql {
  const constant = constantTexts(wanted)
  if (constant !== undefined) {
    const addresses = constant.filter((each) => WHOLE_ADDRESS.test(each))
    return addresses.length === 0 ? sql`false` : hasAny(text, addresses)
  }
  const found = sql`position(${marked(text, WHOLE)}, ${marked(sql`needle`, WHOLE)}) > 0`
  return sql`arrayExists(needle -> isIPv4String(needle) AND ${found}, ${listed(wanted)})`
}

/** Any address of the text that is one of those wanted or begins as one of the wanted starts says. */
function hasStart(text: Sql, wanted: readonly SqlArg[]): Sql {
  const constant = constantTexts(wanted)
  const starts = constant === undefined ? listed(wanted) : sql`${literal(constant)}`
  const found = sql`arrayMap(m -> replaceAll(m, ${literal(MARK)}, ''), extractAll(${marked(text, WHOLE)}, ${literal(ADDRESS)}))`
  const begins = sql`(match(p, ${literal(START)}) AND arrayExists(m -> startsWith(m, p), ${found}))`
  const test = sql`arrayExists(p -> position(${text}, p) > 0 AND (${begins} OR (isIPv4String(p) AND has(${found}, p))), ${starts})`
  return constant?.length === 0 ? sql`false` : test
}

function record(
  name: string,
  says: string,
  many: boolean,
  print: (text: Sql, wanted: readonly SqlArg[]) => Sql,
  examples: readonly Example[],
): FunctionRecord {
  return {
    id: `text.${name}`,
    says,
    takes: [
      { name: 'text', type: 'text' },
      many ? { name: 'addresses', type: 'any', many: true } : { name: 'address', type: 'text' },
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

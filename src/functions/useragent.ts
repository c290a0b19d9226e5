/**
 * What a user agent text says of browser, system and device, for the programs that logs are full of. Kusto reads these
 * texts with thousands of patterns; here is a short table, and what it does not know is `Other`.
 */
import { arg, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const VERSION = '(\\d+)(?:[._](\\d+))?(?:[._](\\d+))?'

/** A pattern and the family that it tells; the groups of the pattern are the parts of the version. */
type Row = readonly [pattern: string, family: string, version?: readonly string[]]

/** The first row that matches counts: browsers name those that they imitate. */
const BROWSERS: readonly Row[] = [
  [`(?:Edg|Edge)/${VERSION}`, 'Edge'],
  [`(?:EdgA|EdgiOS)/${VERSION}`, 'Edge Mobile'],
  [`OPR/${VERSION}`, 'Opera'],
  [`SamsungBrowser/${VERSION}`, 'Samsung Internet'],
  [`FxiOS/${VERSION}`, 'Firefox iOS'],
  [`Firefox/${VERSION}`, 'Firefox'],
  [`AdobeAIR/${VERSION}`, 'AdobeAIR'],
  [`CriOS/${VERSION}`, 'Chrome Mobile iOS'],
  [`HeadlessChrome/${VERSION}`, 'HeadlessChrome'],
  [`Chrome/${VERSION}.* Mobile`, 'Chrome Mobile'],
  [`Chrome/${VERSION}`, 'Chrome'],
  [`Version/${VERSION}.*Mobile.*Safari/`, 'Mobile Safari'],
  [`Version/${VERSION}.*Safari/`, 'Safari'],
  [`MSIE ${VERSION}`, 'IE'],
  [`Trident/.*rv:${VERSION}`, 'IE'],
  [`(?i)curl/${VERSION}`, 'curl'],
  [`Wget/${VERSION}`, 'Wget'],
  [`python-requests/${VERSION}`, 'Python Requests'],
  [`okhttp/${VERSION}`, 'okhttp'],
  [`Go-http-client/${VERSION}`, 'Go-http-client'],
]

const SYSTEMS: readonly Row[] = [
  ['Windows NT 10\\.0', 'Windows', ['10']],
  ['Windows NT 6\\.3', 'Windows', ['8', '1']],
  ['Windows NT 6\\.2', 'Windows', ['8']],
  ['Windows NT 6\\.1', 'Windows', ['7']],
  ['Windows NT 6\\.0', 'Windows', ['Vista']],
  ['Windows NT 5\\.[12]', 'Windows', ['XP']],
  ['Windows', 'Windows', []],
  [`Android ${VERSION}`, 'Android'],
  ['Android', 'Android', []],
  [`(?:iPhone|iPad|iPod).* OS ${VERSION}`, 'iOS'],
  [`Mac OS X ${VERSION}`, 'Mac OS X'],
  [`CrOS \\S+ ${VERSION}`, 'Chrome OS'],
  ['Ubuntu', 'Ubuntu', []],
  ['Linux', 'Linux', []],
]

const DEVICES: readonly (readonly [pattern: string, family: string, brand: string])[] = [
  ['iPhone', 'iPhone', 'Apple'],
  ['iPad', 'iPad', 'Apple'],
  ['iPod', 'iPod', 'Apple'],
  ['Macintosh', 'Mac', 'Apple'],
]

/** The values of the first row that matches. */
function firstOf(agent: Sql, rows: readonly (readonly [string, Sql])[], otherwise: Sql): Sql {
  const arms = rows.map(([pattern, values]) => sql`match(${agent}, ${literal(pattern)}), ${values}`)
  return sql`multiIf(${joined([...arms, otherwise], ', ')})`
}

const resized = (values: Sql, size: number): Sql => sql`arrayResize(${values}, ${literal(size)})`

function versions(agent: Sql, rows: readonly Row[], size: number): Sql {
  const known = rows.map(([pattern, family, version]): readonly [string, Sql] => {
    const parts =
      version === undefined
        ? sql`extractGroups(${agent}, ${literal(pattern)})`
        : sql`CAST(${literal(version)} AS Array(String))`
    return [pattern, resized(sql`arrayConcat([${literal(family)}], ${parts})`, size)]
  })
  return firstOf(agent, known, resized(sql`['Other']`, size))
}

/** A part of the answer: the names and the values as an object. */
function object(names: readonly string[], values: Sql): Sql {
  const keys = literal(names.map((each) => `${JSON.stringify(each)}:`))
  return sql`concat('{', arrayStringConcat(arrayMap((k, v) -> concat(k, toJSONString(v)), ${keys}, ${values}), ','), '}')`
}

const NAMES = ['Family', 'MajorVersion', 'MinorVersion', 'Patch']
const PARTS: readonly (readonly [asked: string, name: string, make: (agent: Sql) => Sql])[] = [
  ['browser', 'Browser', (agent) => object(NAMES, versions(agent, BROWSERS, 4))],
  [
    'os',
    'OperatingSystem',
    (agent) => object([...NAMES, 'PatchMinor'], versions(agent, SYSTEMS, 5)),
  ],
  [
    'device',
    'Device',
    (agent) => {
      const known = DEVICES.map(([pattern, family, brand]): readonly [string, Sql] => [
        pattern,
        sql`${literal([family, brand, family])}`,
      ])
      return object(['Family', 'Brand', 'Model'], firstOf(agent, known, sql`['Other', '', '']`))
    },
  ],
]

/** What is asked for: a text or an array of texts; everything when nothing is. */
function askedOf(given: SqlArg | undefined): readonly string[] {
  if (typeof given?.value !== 'string') return PARTS.map(([asked]) => asked)
  if (given.type !== 'dynamic') return [given.value.toLowerCase()]
  const parsed: unknown = JSON.parse(given.value)
  return (Array.isArray(parsed) ? parsed : [parsed]).map((each: unknown) =>
    String(each).toLowerCase(),
  )
}

export const userAgentFunctions: readonly FunctionRecord[] = [
  {
    id: 'parse.user_agent',
    says: 'Browser, system and device of a user agent text, of a short table of common ones; `Other` for the rest.',
    takes: [
      { name: 'agent', type: 'text' },
      { name: 'parts', type: 'any', constant: true, optional: true },
    ],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['parse_user_agent'] },
    sql: (args) => {
      const asked = askedOf(args[1])
      const parts = PARTS.filter(([name]) => asked.includes(name)).map(
        ([, name, make], index) =>
          sql`${literal(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`)}, ${make(arg(args, 0).sql)}`,
      )
      return parts.length === 0 ? sql`'{}'` : sql`concat('{', ${joined(parts, ', ')}, '}')`
    },
    examples: [
      {
        args: [
          'Mozilla/5.0 (Windows; U; en-US) AppleWebKit/531.9 (KHTML, like Gecko) AdobeAIR/2.5.1',
          'browser',
        ],
        gives:
          '{"Browser":{"Family":"AdobeAIR","MajorVersion":"2","MinorVersion":"5","Patch":"1"}}',
      },
      {
        args: [
          'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91',
          '["browser","os"]',
        ],
        as: ['text', 'dynamic'],
        gives:
          '{"Browser":{"Family":"Edge","MajorVersion":"120","MinorVersion":"0","Patch":"2210"},"OperatingSystem":{"Family":"Windows","MajorVersion":"10","MinorVersion":"","Patch":"","PatchMinor":""}}',
      },
      {
        args: ['sqlmap', 'device'],
        gives: '{"Device":{"Family":"Other","Brand":"","Model":""}}',
      },
    ],
  },
]

/**
 * Texts of a known form taken apart as Kusto does: URLs, paths, command lines, versions, lines of CSV. Every one is
 * linear in the text, since attackers write what is taken apart: above all, no lambda over many elements names the
 * whole text or list, which the engine would copy for each element.
 */
import { limits } from '../core/limits.ts'
import type { BaseType } from '../ir/types.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type Example, type FunctionRecord, type Parameter } from './record.ts'
import { joined, literal, type Sql, type SqlArg, sql } from './sql.ts'

const { a: A, b: B, c: C } = VARIABLES

function record(
  id: string,
  kusto: readonly string[],
  shape: {
    readonly says: string
    readonly takes: readonly Parameter[]
    readonly gives?: BaseType
    readonly sql: (value: Sql, args: readonly SqlArg[]) => Sql
    readonly examples: readonly Example[]
  },
): FunctionRecord {
  return {
    id,
    says: shape.says,
    takes: shape.takes,
    gives: shape.gives ?? 'dynamic',
    onNull: 'own',
    spelled: { kusto },
    sql: (args) => shape.sql(arg(args, 0).sql, args),
    examples: shape.examples,
  }
}

const text = (name: string): Parameter => ({ name, type: 'text' })

/** An object of named parts; a part is a text, or JSON text when it says so. */
function object(parts: readonly (readonly [name: string, value: Sql, json?: 'json'])[]): Sql {
  const members = parts.map(([name, value, json], index) => {
    const start = literal(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`)
    return sql`${start}, ${json === undefined ? sql`toJSONString(${value})` : value}`
  })
  return sql`concat(${joined(members, ', ')}, '}')`
}

/** `a=1&b=2` as an object; of parameters of one name the first one stays. */
function queryObject(query: Sql): Sql {
  const pairs = sql`arraySlice(arrayFilter(p -> p != '', splitByChar('&', ${query})), 1, ${literal(limits.urlParameters)})`
  return named(pairs, B, (list) => {
    const names = sql`arrayMap(p -> splitByChar('=', p)[1], ${list})`
    const value = sql`if(position(p, '=') = 0, '', substring(p, position(p, '=') + 1))`
    const member = sql`if(times = 1, concat(toJSONString(k), ':', toJSONString(${value})), '')`
    const members = sql`arrayFilter(p -> p != '', arrayMap((p, k, times) -> ${member}, ${list}, ${names}, arrayEnumerateUniq(${names})))`
    return sql`concat('{', arrayStringConcat(${members}, ','), '}')`
  })
}

/** Scheme, user, password, host, port, path, query and fragment; a text without a scheme is a path. */
const URL_PARTS =
  '^(?:([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#@:]*)(?::([^/?#@]*))?@)?(\\[[^\\]/?#]*\\]|[^/?#:]*)(?::([0-9]*))?)?([^?#]*)(?:\\?([^#]*))?(?:#((?s).*))?$'

function urlObject(url: Sql): Sql {
  return named(sql`extractGroups(${url}, ${literal(URL_PARTS)})`, A, (parts) =>
    object([
      ['Scheme', sql`${parts}[1]`],
      ['Host', sql`${parts}[4]`],
      ['Port', sql`${parts}[5]`],
      ['Path', sql`${parts}[6]`],
      ['Username', sql`${parts}[2]`],
      ['Password', sql`${parts}[3]`],
      ['Query Parameters', queryObject(sql`${parts}[7]`), 'json'],
      ['Fragment', sql`${parts}[8]`],
    ]),
  )
}

/** Scheme, the path without it, its directory, the file's name and its stream. */
const PATH_PARTS =
  '^(?:([A-Za-z][A-Za-z0-9+.-]+)://)?((?s)(.*[/\\\\])?([^/\\\\:]*|[A-Za-z]:)(?::([^/\\\\]*))?)$'

function pathObject(path: Sql): Sql {
  return named(sql`extractGroups(${path}, ${literal(PATH_PARTS)})`, A, (parts) => {
    const directory = sql`if(length(${parts}[3]) > 1, substring(${parts}[3], 1, length(${parts}[3]) - 1), '')`
    const file = sql`${parts}[4]`
    return object([
      ['Scheme', sql`${parts}[1]`],
      ['RootPath', sql`extract(${parts}[2], ${literal('^(?:[/\\\\]+[?.][/\\\\]|/)?([A-Za-z]:)')})`],
      ['DirectoryPath', directory],
      ['DirectoryName', sql`extract(${directory}, ${literal('([^/\\\\]*)$')})`],
      ['Filename', file],
      ['Extension', sql`extract(${file}, ${literal('\\.([^.]*)$')})`],
      ['AlternateDataStreamName', sql`${parts}[5]`],
    ])
  })
}

/** Bytes that stand in no text: between arguments, and where a quotation begins or ends. */
const GAP = sql`'\\xFE'`
const QUOTED = sql`'\\xFD'`

/**
 * The arguments of a command line as Windows tells them apart. Between two quotes stands a segment; the backslashes
 * at its end say whether the next quote is a sign of its own (an odd number) or opens or closes a quotation, in
 * which blanks do not part arguments. Two quotes in a quotation are one sign.
 */
function argumentsOf(line: Sql): Sql {
  const segments = sql`splitByChar('"', ${line})`
  return named(segments, B, (list) => {
    const slashes = sql`arrayMap(s -> toUInt32(length(s) - length(trim(TRAILING '\\\\' FROM s))), ${list})`
    return named(slashes, C, (counts) => {
      const opened = sql`arrayMap((k, sum) -> (sum - if(k % 2 = 0, 1, 0)) % 2, ${counts}, arrayCumSum(k -> if(k % 2 = 0, 1, 0), ${counts}))`
      const body = sql`if(n = length(${list}), s, concat(substring(s, 1, length(s) - k), repeat('\\\\', intDiv(k, 2))))`
      const plain = sql`replaceRegexpAll(${body}, '[ \\t]+', ${GAP})`
      const quote = sql`if(n = length(${list}), '', if(k % 2 = 1, '"', ${QUOTED}))`
      const doubled = sql`(s = '' AND n > 1 AND n < length(${list}) AND before % 2 = 0)`
      const segment = sql`if(q = 1, ${body}, if(${doubled}, '"', ${plain}))`
      const parts = sql`arrayMap((s, k, before, q, n) -> concat(${segment}, ${quote}), ${list}, ${counts}, arrayPushFront(arrayPopBack(${counts}), 0), ${opened}, arrayEnumerate(${list}))`
      return sql`arrayMap(s -> replaceAll(s, ${QUOTED}, ''), arrayFilter(s -> s != '', splitByChar(${GAP}, arrayStringConcat(${parts}))))`
    })
  })
}

/** The program's name has rules of its own: a quotation ends at the next quote, whatever stands before it. */
function commandLine(line: Sql): Sql {
  return named(
    sql`extractGroups(${line}, '(?s)^[ \\t]*(?:"([^"]*)"?|([^ \\t]+))(.*)$')`,
    A,
    (parts) => {
      const program = sql`concat(${parts}[1], ${parts}[2])`
      return sql`if(empty(${parts}), '[]', toJSONString(arrayConcat([${program}], ${argumentsOf(sql`${parts}[3]`)})))`
    },
  )
}

/** The fields of the first line of CSV; quotation marks stand around fields that hold commas, quotes or line ends. */
function csvFields(value: Sql): Sql {
  const line = sql`extract(${value}, '^((?:"(?:[^"]|"")*"|[^"\\r\\n])*)')`
  const field = sql`if(startsWith(f, '"'), replaceAll(extract(f, '(?s)^"(.*?)"?$'), '""', '"'), f)`
  const fields = sql`arrayMap(f -> substring(f, 2), extractAll(concat(',', ${line}), ',(?:"(?:[^"]|"")*"[^,]*|[^,]*)'))`
  return sql`toJSONString(arrayMap(f -> ${field}, ${fields}))`
}

export const parsingFunctions: readonly FunctionRecord[] = [
  record('parse.url', ['parse_url', 'parseurl'], {
    says: 'The parts of a URL.',
    takes: [text('url')],
    sql: urlObject,
    examples: [
      {
        args: ['scheme://user:pw@host:1234/this/is?k1=v1&k2=v2#frag'],
        gives:
          '{"Scheme":"scheme","Host":"host","Port":"1234","Path":"/this/is","Username":"user","Password":"pw","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"frag"}',
      },
      {
        args: ['https://a.example'],
        gives:
          '{"Scheme":"https","Host":"a.example","Port":"","Path":"","Username":"","Password":"","Query Parameters":{},"Fragment":""}',
      },
      {
        args: ['http://[::1]:8080/?q=a=b&q=c&r'],
        gives:
          '{"Scheme":"http","Host":"[::1]","Port":"8080","Path":"/","Username":"","Password":"","Query Parameters":{"q":"a=b","r":""},"Fragment":""}',
      },
      {
        args: [''],
        gives:
          '{"Scheme":"","Host":"","Port":"","Path":"","Username":"","Password":"","Query Parameters":{},"Fragment":""}',
      },
    ],
  }),
  record('parse.url_query', ['parse_urlquery', 'parseurlquery'], {
    says: 'The parameters of the query of a URL.',
    takes: [text('query')],
    sql: (value) => object([['Query Parameters', queryObject(value), 'json']]),
    examples: [
      { args: ['k1=v1&k2=v2'], gives: '{"Query Parameters":{"k1":"v1","k2":"v2"}}' },
      { args: [''], gives: '{"Query Parameters":{}}' },
    ],
  }),
  record('parse.path', ['parse_path'], {
    says: 'The parts of a path of Windows or Unix.',
    takes: [text('path')],
    sql: pathObject,
    examples: [
      {
        args: ['C:\\temp\\file.txt'],
        gives:
          '{"Scheme":"","RootPath":"C:","DirectoryPath":"C:\\\\temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":""}',
      },
      {
        args: ['file://C:/temp/file.txt:some.exe'],
        gives:
          '{"Scheme":"file","RootPath":"C:","DirectoryPath":"C:/temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":"some.exe"}',
      },
      {
        args: ['\\\\shared\\users\\temp\\file.txt.gz'],
        gives:
          '{"Scheme":"","RootPath":"","DirectoryPath":"\\\\\\\\shared\\\\users\\\\temp","DirectoryName":"temp","Filename":"file.txt.gz","Extension":"gz","AlternateDataStreamName":""}',
      },
      {
        args: ['cmd'],
        gives:
          '{"Scheme":"","RootPath":"","DirectoryPath":"","DirectoryName":"","Filename":"cmd","Extension":"","AlternateDataStreamName":""}',
      },
    ],
  }),
  record('parse.command_line', ['parse_command_line'], {
    says: 'The arguments of a command line as Windows tells them apart.',
    takes: [text('line'), { name: 'rules', type: 'text', constant: true }],
    sql: commandLine,
    examples: [
      { args: ['echo "hello world!"', 'windows'], gives: '["echo","hello world!"]' },
      {
        args: ['"C:\\a b\\" x\\\\"y z" \\"q "" w\\', 'windows'],
        gives: '["C:\\\\a b\\\\","x\\\\y z","\\"q","","w\\\\"]',
      },
      { args: ['a "b""c" d\\\\e', 'windows'], gives: '["a","b\\"c","d\\\\\\\\e"]' },
      { args: ['  ', 'windows'], gives: '[]' },
    ],
  }),
  record('parse.version', ['parse_version'], {
    says: 'A version of one to four numbers as one number; null for other texts.',
    takes: [text('version')],
    gives: 'decimal',
    sql: (value) => {
      const digits = sql`arrayStringConcat(arrayMap(n -> leftPad(splitByChar('.', ${value})[n], 8, '0'), [1, 2, 3, 4]))`
      return sql`if(match(${value}, '^[0-9]{1,8}([.][0-9]{1,8}){0,3}$'), toDecimal256OrNull(${digits}, 20), NULL)`
    },
    examples: [
      { args: ['0.0.7'], gives: '700000000' },
      { args: ['1.2.3.4'], gives: '1000000020000000300000004' },
      { args: ['1.2.3.4.5'], gives: null },
      { args: ['1.a'], gives: null },
      { args: [''], gives: null },
    ],
  }),
  record('parse.csv', ['parse_csv'], {
    says: 'The fields of the first line of CSV.',
    takes: [text('line')],
    sql: csvFields,
    examples: [
      { args: ['aa,b,cc'], gives: '["aa","b","cc"]' },
      { args: ['aa,"b,b",,"a ""T""","1\n2"\nnext'], gives: '["aa","b,b","","a \\"T\\"","1\\n2"]' },
      { args: [''], gives: '[""]' },
    ],
  }),
]

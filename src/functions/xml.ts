/**
 * XML as a dynamic value, as Kusto makes one: attributes begin with `@`, text beside them is `#text`, elements of one
 * name in one parent are an array. Comments, instructions and declarations are left out, and no entity is expanded
 * but the five of XML and numbers of characters.
 *
 * The document is read once from left to right. What is open is kept in two lists: the names, and for each the
 * members found so far, each as MEMBER name VALUE json. Both signs are bytes that stand in no text.
 */
import { limits } from '../core/limits.ts'
import { named, VARIABLES } from './once.ts'
import { arg, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

const ATTRIBUTE = '([^\\s=<>/"\']+)\\s*=\\s*(?:"([^"<]*)"|\'([^\'<]*)\')'
const TOKEN = [
  '<!\\[CDATA\\[(.*?)\\]\\]>',
  '<!--.*?-->',
  '<\\?.*?\\?>',
  '<![A-Za-z][^<>\\[]*>',
  '</([^\\s<>/]+)\\s*>',
  `<([^\\s<>/!?]+)((?:\\s+${ATTRIBUTE.replaceAll('([^', '(?:[^')})*)\\s*(/?)>`,
  '([^<]+)',
].join('|')

/** Groups of a token, by number. */
const PLACE = { whole: 1, data: 2, close: 3, open: 4, attributes: 5, empty: 6, text: 7 } as const
const part = (place: keyof typeof PLACE): Sql => sql`t[${literal(PLACE[place])}]`

const MEMBER = sql`'\\xFE'`
const VALUE = sql`'\\xFD'`

const member = (name: Sql, json: Sql): Sql => sql`concat(${MEMBER}, ${name}, ${VALUE}, ${json})`

const attributes = sql`arrayStringConcat(arrayMap(g -> ${member(sql`'@', g[1]`, sql`toJSONString(decodeXMLComponent(concat(g[2], g[3])))`)}, extractAllGroupsVertical(${part('attributes')}, ${literal(ATTRIBUTE)})))`

/** The members of an element as JSON: nothing is null, text alone is a text, else an object. */
function finished(members: Sql): Sql {
  const all = sql`arraySlice(splitByChar(${MEMBER}, ${members}), 2)`
  const names = sql`arrayMap(e -> splitByChar(${VALUE}, e)[1], ms)`
  const values = sql`arrayMap(e -> splitByChar(${VALUE}, e)[2], ms)`
  // Members of one name are brought together by sorting, which keeps their order and the order of the names.
  const order = sql`arrayEnumerateDense(${names})`
  const sorted = sql`arraySort((v, d, n) -> (d, n), ${values}, ${order}, arrayEnumerate(ms))`
  const lists = sql`arraySplit((v, d) -> d > 0, ${sorted}, arrayDifference(arraySort(${order})))`
  const value = sql`if(length(vs) = 1, vs[1], concat('[', arrayStringConcat(vs, ','), ']'))`
  const grouped = sql`arrayMap((k, vs) -> concat(toJSONString(k), ':', ${value}), arrayDistinct(${names}), ${lists})`
  const single = sql`arrayMap(e -> concat(toJSONString(splitByChar(${VALUE}, e)[1]), ':', splitByChar(${VALUE}, e)[2]), ms)`
  const isSingle = sql`length(arrayDistinct(${names})) = length(ms)`
  const object = sql`concat('{', arrayStringConcat(if(${isSingle}, ${single}, ${grouped}), ','), '}')`
  const only = sql`splitByChar(${VALUE}, ms[1])`
  return sql`arrayMap(ms -> multiIf(empty(ms), 'null', length(ms) = 1 AND ${only}[1] = '#text', ${only}[2], ${object}), [${all}])[1]`
}

/** What is open after a token: names, members, and whether the text is no XML. */
function step(): Sql {
  const [names, members, bad] = [sql`acc.1`, sql`acc.2`, sql`acc.3`]
  const withMember = (list: Sql, added: Sql): Sql =>
    sql`arrayPushBack(arrayPopBack(${list}), concat(${list}[-1], ${added}))`
  const opened = sql`tuple(arrayPushBack(${names}, ${part('open')}), arrayPushBack(${members}, ${attributes}), ${bad})`
  const isOpen = sql`${part('open')} != ''`
  const element = member(
    sql`if(${isOpen}, ${part('open')}, ${part('close')})`,
    finished(sql`if(${isOpen}, ${attributes}, ${members}[-1])`),
  )
  const around = sql`if(${isOpen}, ${members}, arrayPopBack(${members}))`
  const ended = sql`tuple(if(${isOpen}, ${names}, arrayPopBack(${names})), ${withMember(around, element)}, ${bad})`
  const isEnd = sql`(${part('empty')} = '/' OR (${part('close')} != '' AND length(${names}) > 1 AND ${names}[-1] = ${part('close')}))`
  const wrong = sql`tuple(${names}, ${members}, toUInt8(1))`
  const trimmed = sql`replaceRegexpAll(${part('text')}, '^\\\\s+|\\\\s+$', '')`
  const text = (json: Sql): Sql =>
    sql`tuple(${names}, ${withMember(members, member(sql`'#text'`, json))}, ${bad})`
  return sql`multiIf(
    ${isEnd}, ${ended},
    ${isOpen}, ${opened},
    ${part('close')} != '', ${wrong},
    ${part('data')} != '', ${text(sql`toJSONString(${part('data')})`)},
    ${trimmed} != '', ${text(sql`toJSONString(decodeXMLComponent(${trimmed}))`)},
    acc)`
}

/** XML as JSON text; NULL for what is none, or is too large. */
export function parseXml(value: Sql): Sql {
  const { a, b } = VARIABLES
  const bounded = sql`if(length(${value}) > ${literal(limits.xmlValueBytes)}, '', ${value})`
  return named(bounded, a, (text) =>
    named(
      sql`arraySlice(extractAllGroupsVertical(${text}, ${literal(`(?s)(${TOKEN})`)}), 1, ${literal(limits.xmlValueParts + 1)})`,
      b,
      (tokens) => {
        const isRead = sql`arraySum(t -> length(${part('whole')}), ${tokens}) = length(${text}) AND length(${tokens}) <= ${literal(limits.xmlValueParts)}`
        const start = sql`tuple([''], [''], toUInt8(0))`
        const end = sql`arrayFold((acc, t) -> ${step()}, if(${isRead}, ${tokens}, []), ${start})`
        const roots = sql`length(splitByChar(${MEMBER}, z.2[1]))`
        const isWhole = sql`z.3 = 0 AND length(z.1) = 1 AND ${roots} = 2 AND NOT startsWith(z.2[1], concat(${MEMBER}, '#text', ${VALUE}))`
        return sql`arrayMap(z -> if(${isWhole}, ${finished(sql`z.2[1]`)}, NULL), [${end}])[1]`
      },
    ),
  )
}

export const xmlFunctions: readonly FunctionRecord[] = [
  {
    id: 'parse.xml',
    says: `The elements, attributes and texts of XML; null for what is none, or longer than ${limits.xmlValueBytes} bytes or ${limits.xmlValueParts} parts.`,
    takes: [{ name: 'xml', type: 'text' }],
    gives: 'dynamic',
    onNull: 'own',
    spelled: { kusto: ['parse_xml'] },
    sql: (args) => parseXml(arg(args, 0).sql),
    examples: [
      { args: ['<e/>'], gives: '{"e":null}' },
      { args: ['<e>text</e>'], gives: '{"e":"text"}' },
      { args: ['<e name="value" />'], gives: '{"e":{"@name":"value"}}' },
      { args: ['<e name="value">text</e>'], gives: '{"e":{"@name":"value","#text":"text"}}' },
      { args: ['<e> <a>x</a> <a>y</a> <b/> </e>'], gives: '{"e":{"a":["x","y"],"b":null}}' },
      { args: ['<e> text <a>x</a></e>'], gives: '{"e":{"#text":"text","a":"x"}}' },
      {
        args: [
          '<?xml version="1.0"?><!-- c --><EventData xmlns=\'u\'><Data Name="A">1 &lt; 2</Data><Data Name="B"><![CDATA[<x>]]></Data><Data Name="C"></Data></EventData>',
        ],
        gives:
          '{"EventData":{"@xmlns":"u","Data":[{"@Name":"A","#text":"1 < 2"},{"@Name":"B","#text":"<x>"},{"@Name":"C"}]}}',
      },
      { args: ['<a><b></a></b>'], gives: null },
      { args: ['<a>'], gives: null },
      { args: ['plain'], gives: null },
      { args: ['<a/><b/>'], gives: null },
      { args: [''], gives: null },
    ],
  },
]

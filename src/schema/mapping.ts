/**
 * The two small languages of the schema files: conditions (`where`) and field values (`fields`). Takes YAML nodes,
 * gives expressions over the field names of the stored source. Both are described in content/schema/README.md.
 */
import type { YamlEntry, YamlNode } from '../core/yaml.ts'
import {
  and,
  call,
  type Expr,
  type FieldRef,
  field,
  NULL,
  not,
  number,
  or,
  TRUE,
  text,
  texts,
} from '../ir/expr.ts'
import { itemsOf, knownMapOf, mapOf, type Report, say, textFrom, textsFrom } from './node.ts'
import { LIST_SUFFIX, META } from './source.ts'

/** Equality with one value or with any of several, ignoring case. */
function equalsAny(subject: Expr, values: readonly string[]): Expr {
  const [only] = values
  return values.length === 1 && only !== undefined
    ? call('match.equals', [subject, text(only)])
    : call('match.in', [subject, texts(values)])
}

const TESTS: ReadonlyMap<string, { readonly one: string; readonly any: string }> = new Map([
  ['equals', { one: 'match.equals', any: 'match.in' }],
  ['contains', { one: 'match.contains', any: 'match.contains_any' }],
  ['startswith', { one: 'match.starts', any: 'match.starts_any' }],
  ['endswith', { one: 'match.ends', any: 'match.ends_any' }],
])
const OPERATORS = [...TESTS.keys(), 'matches', 'exists']

function readTest(name: string, { key, keySpan, value }: YamlEntry, report: Report): Expr {
  const subject = field(name)
  const test = TESTS.get(key)
  if (test !== undefined) {
    const values = textsFrom(value, `"${key}"`, report)
    const [only] = values
    return values.length === 1 && only !== undefined
      ? call(test.one, [subject, text(only)])
      : call(test.any, [subject, texts(values)])
  }
  if (key === 'matches') {
    const patterns = textsFrom(value, '"matches"', report)
    return or(patterns.map((each) => call('match.regex', [subject, text(each)])))
  }
  if (key === 'exists' && value.kind === 'scalar' && typeof value.value === 'boolean') {
    const present = call('value.has_value', [subject])
    return value.value ? present : not(present)
  }
  if (key === 'exists')
    say(report, 'HR202', { what: '"exists"', expected: 'true or false' }, value.span)
  else say(report, 'HR201', { key, known: OPERATORS.join(', ') }, keySpan)
  return TRUE
}

function readClause(entry: YamlEntry, report: Report): Expr {
  const { key, value } = entry
  switch (key) {
    case 'any':
      return or(itemsOf(value).map((item) => readWhere(item, report)))
    case 'all':
      return and(itemsOf(value).map((item) => readWhere(item, report)))
    case 'not':
      return not(readWhere(value, report))
    default:
      return value.kind === 'map'
        ? and(value.entries.map((test) => readTest(key, test, report)))
        : equalsAny(field(key), textsFrom(value, `"${key}"`, report))
  }
}

/**
 * Reads a condition. Keys are field names and hold together; a value or a list of values means "equals any",
 * a map holds tests; `any`, `all` and `not` combine conditions.
 */
export function readWhere(node: YamlNode, report: Report): Expr {
  return and(mapOf(node, 'a condition', report).map((entry) => readClause(entry, report)))
}

function listField(name: string): FieldRef {
  return field(name + LIST_SUFFIX, { list: 'text' })
}

type Arguments = ReadonlyMap<string, YamlNode>

function words(args: Arguments, key: string, report: Report): string {
  const node = args.get(key)
  return node === undefined ? '' : (textFrom(node, `"${key}"`, report) ?? '')
}

function parts(node: YamlNode, report: Report): readonly Expr[] {
  return itemsOf(node).map((item) => readValue(item, report))
}

function mapped(node: YamlNode, args: Arguments, report: Report): Expr {
  const table = args.get('values')
  const pairs = table === undefined ? [] : mapOf(table, '"values"', report)
  const to = pairs.map((pair) => textFrom(pair.value, `"${pair.key}"`, report) ?? '')
  const from = pairs.map(({ key }) => key)
  return call('value.map', [readValue(node, report), texts(from), texts(to)], 'text')
}

function prefixed(node: YamlNode, args: Arguments, report: Report): Expr {
  const table = args.get('replace')
  const pairs = table === undefined ? [] : mapOf(table, '"replace"', report)
  return pairs.reduce<Expr>(
    (inner, pair) =>
      call(
        'text.replace_prefix',
        [inner, text(pair.key), text(textFrom(pair.value, `"${pair.key}"`, report) ?? '')],
        'text',
      ),
    readValue(node, report),
  )
}

function chosen(node: YamlNode, args: Arguments, report: Report): Expr {
  const when = itemsOf(node).map((item): readonly [Expr, Expr] => {
    const arm = knownMapOf(item, 'a case', ['where', 'gives'], report)
    const where = arm.get('where')
    const gives = arm.get('gives')
    if (where === undefined) say(report, 'HR203', { what: 'a case', key: 'where' }, item.span)
    if (gives === undefined) say(report, 'HR203', { what: 'a case', key: 'gives' }, item.span)
    return [
      where === undefined ? TRUE : readWhere(where, report),
      gives === undefined ? NULL : readValue(gives, report),
    ]
  })
  const otherwise = args.get('otherwise')
  return {
    op: 'case',
    when,
    otherwise: otherwise === undefined ? NULL : readValue(otherwise, report),
    type: 'text',
  }
}

interface Form {
  /** Keys beside the form's own. */
  readonly also?: readonly string[]
  readonly read: (node: YamlNode, args: Arguments, report: Report) => Expr
}

const simple =
  (fn: string): Form['read'] =>
  (node, _, report) =>
    call(fn, [readValue(node, report)], 'text')

const several =
  (fn: string): Form['read'] =>
  (node, _, report) =>
    call(fn, parts(node, report), 'text')

/** Columns of our own that a mapping may read, by the word for them. */
const OWN: ReadonlyMap<string, Expr> = new Map<string, Expr>([
  ['time', { op: 'field', name: META.time, type: 'time', stored: 'plain' }],
  ['ingest', { op: 'field', name: META.ingest, type: 'time', stored: 'plain' }],
  ['host', { op: 'field', name: META.host, type: 'text', stored: 'plain' }],
  ['file', { op: 'field', name: META.file, type: 'text', stored: 'plain' }],
  ['raw', { op: 'field', name: META.raw, type: 'text', stored: 'plain' }],
  [
    'record',
    call('row.place', [{ op: 'field', name: META.record, type: 'int', stored: 'plain' }], 'int'),
  ],
])

/** Calls that stand for the data of a Windows event, all of it or the fields that are named. */
export const ROW_DATA = {
  object: 'row.data_object',
  xml: 'row.data_xml',
  params: 'row.data_params',
} as const

/** Call that stands for what another name is mapped to, in the names of events. */
export const SAME_FIELD = 'row.same'

/** Call that stands for a field with all that is nested in it. */
export const ROW_COLUMN = 'row.column'

function ownColumn(node: YamlNode, report: Report): Expr {
  const word = textFrom(node, '"meta"', report) ?? ''
  const found = OWN.get(word)
  if (found !== undefined) return found
  const expected = [...OWN.keys()].join(', ')
  say(report, 'HR202', { what: '"meta"', expected: `one of ${expected}` }, node.span)
  return NULL
}

function objectOf(node: YamlNode, report: Report): Expr {
  const entries = mapOf(node, '"object"', report)
  const values = entries.map(({ value }) => readValue(value, report))
  return call('dynamic.object', [texts(entries.map(({ key }) => key)), ...values], 'dynamic')
}

/** The data of a Windows event: of the fields that are listed, or of all when the list is empty. */
const eventData =
  (shape: keyof typeof ROW_DATA): Form['read'] =>
  (node, _, report) => {
    const names = textsFrom(node, `"data_${shape}"`, report)
    return call(ROW_DATA[shape], [texts(names)], shape === 'object' ? 'dynamic' : 'text')
  }

/** A form with a text beside it: `{ hash: Hashes, name: SHA1 }`. */
const withText =
  (fn: string, key: string): Form['read'] =>
  (node, args, report) =>
    call(fn, [readValue(node, report), text(words(args, key, report))], 'text')

/** Every way to write a value, by its first key. */
const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['const', { read: (node, _, report) => text(textFrom(node, '"const"', report) ?? '') }],
  ['field', { read: (node, _, report) => field(textFrom(node, '"field"', report) ?? '') }],
  [
    'same',
    {
      read: (node, _, report) =>
        call(SAME_FIELD, [text(textFrom(node, '"same"', report) ?? '')], 'text'),
    },
  ],
  ['join', { read: several('text.join') }],
  ['first', { read: several('value.first') }],
  ['lines', { read: several('text.lines') }],
  [
    'any',
    {
      read: (node, _, report) => {
        const all = parts(node, report).flatMap((each): readonly Expr[] =>
          each.op === 'field' ? [each, listField(each.name)] : [each],
        )
        return call('list.of', all, { list: 'text' })
      },
    },
  ],
  ['hex', { read: simple('text.hex_to_decimal') }],
  ['basename', { read: simple('text.basename') }],
  ['dirname', { read: simple('text.dirname') }],
  ['account', { read: simple('text.account') }],
  ['domain', { read: simple('text.domain') }],
  ['ip_kind', { read: simple('text.ip_kind') }],
  ['registry_data', { read: simple('text.registry_data') }],
  ['before_last', { also: ['mark'], read: withText('text.before_last', 'mark') }],
  ['after_last', { also: ['mark'], read: withText('text.after_last', 'mark') }],
  ['lower', { read: simple('text.lower_case') }],
  ['upper', { read: simple('text.upper_case') }],
  ['size', { read: simple('text.size') }],
  ['sum', { read: several('text.sum') }],
  [
    'split',
    {
      also: ['by', 'drop'],
      read: (node, args, report) =>
        call(
          'list.pieces',
          [
            readValue(node, report),
            text(words(args, 'by', report)),
            text(words(args, 'drop', report)),
          ],
          { list: 'text' },
        ),
    },
  ],
  [
    'list_group',
    {
      also: ['pattern'],
      read: (node, args, report) => {
        const name = node.kind === 'scalar' ? textFrom(node, '"list_group"', report) : undefined
        const all =
          name === undefined
            ? readValue(node, report)
            : call('list.of', [field(name), listField(name)], { list: 'text' })
        return call('list.group', [all, text(words(args, 'pattern', report))], { list: 'text' })
      },
    },
  ],
  ['hash', { also: ['name'], read: withText('text.hash', 'name') }],
  ['group', { also: ['pattern'], read: withText('text.group', 'pattern') }],
  ['meta', { read: (node, _, report) => ownColumn(node, report) }],
  ['object', { read: (node, _, report) => objectOf(node, report) }],
  ['data_object', { read: eventData('object') }],
  ['data_xml', { read: eventData('xml') }],
  ['data_params', { read: eventData('params') }],
  [
    'whole',
    {
      read: (node, _, report) =>
        call(ROW_COLUMN, [text(textFrom(node, '"whole"', report) ?? '')], 'dynamic'),
    },
  ],
  [
    'raw',
    {
      read: (node, _, report) =>
        call(
          'dynamic.raw',
          [OWN.get('raw') ?? NULL, texts(textsFrom(node, '"raw"', report))],
          'dynamic',
        ),
    },
  ],
  ['dword', { read: simple('text.dword') }],
  ['map', { also: ['values'], read: mapped }],
  ['prefix', { also: ['replace'], read: prefixed }],
  ['case', { also: ['otherwise'], read: chosen }],
  [
    'between',
    {
      also: ['after', 'before'],
      read: (node, args, report) =>
        call(
          'text.between',
          [
            readValue(node, report),
            text(words(args, 'after', report)),
            text(words(args, 'before', report)),
          ],
          'text',
        ),
    },
  ],
  [
    'drop_end',
    {
      also: ['end'],
      read: (node, args, report) =>
        call('text.drop_end', [readValue(node, report), text(words(args, 'end', report))], 'text'),
    },
  ],
  [
    'words',
    {
      read: (node, _, report) => {
        const name = textFrom(node, '"words"', report) ?? ''
        const listed = call('list.join', [listField(name), text(' ')], 'text')
        return call('value.first', [listed, field(name)], 'text')
      },
    },
  ],
  [
    'item',
    {
      also: ['at'],
      read: (node, args, report) => {
        const at = Number(words(args, 'at', report))
        const name = textFrom(node, '"item"', report) ?? ''
        if (!Number.isInteger(at) || at < 1) {
          say(report, 'HR202', { what: '"at"', expected: 'a position, from 1' }, node.span)
        }
        return call('list.at', [listField(name), number(at)], 'text')
      },
    },
  ],
])

/** Keys of forms that may be left out. */
const OPTIONAL = new Set(['otherwise', 'before', 'drop'])

/** Reads a value: a text is the name of a field of the source, a map is one of the forms above. */
function readValue(node: YamlNode, report: Report): Expr {
  if (node.kind === 'scalar') return field(textFrom(node, 'a field name', report) ?? '')
  const entries = mapOf(node, 'a value', report)
  const [head] = entries
  const form = head && FORMS.get(head.key)
  if (head === undefined || form === undefined) {
    const known = [...FORMS.keys()].join(', ')
    say(report, 'HR201', { key: head?.key ?? '', known }, head?.keySpan ?? node.span)
    return NULL
  }
  const also = form.also ?? []
  const args = knownMapOf(node, `"${head.key}"`, [head.key, ...also], report)
  for (const key of also) {
    if (!args.has(key) && !OPTIONAL.has(key)) {
      say(report, 'HR203', { what: `"${head.key}"`, key }, head.keySpan)
    }
  }
  return form.read(head.value, args, report)
}

/** Reads a field map: view name to value. */
export function readFields(node: YamlNode, report: Report): ReadonlyMap<string, Expr> {
  return new Map(
    mapOf(node, 'a field map', report).map(({ key, value }) => [key, readValue(value, report)]),
  )
}

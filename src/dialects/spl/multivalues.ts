/** Commands on fields with several values: `makemv`, `mvexpand`, `mvcombine`, `nomv`. */
import type { Span } from '../../core/span.ts'
import { call, type Expr, field, number, text } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import { isList } from '../../ir/types.ts'
import { type CommandRecord, type Context, command } from './command.ts'
import { enginePattern } from './evaluating.ts'
import { Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import {
  asList,
  asText,
  derived,
  fieldValue,
  filtered,
  namesMeant,
  orderKey,
  type Rows,
} from './rows.ts'
import { rowNumber, windowed } from './windows.ts'

const LIST = { list: 'text' } as const

const MAKEMV_OPTIONS = {
  delim: 'text',
  tokenizer: 'text',
  allowempty: 'flag',
  setsv: 'flag',
} as const

interface FieldNode {
  readonly field: string
  readonly span: Span
  readonly options: Options
}

/** Reads one field with options around it. */
function readField(reader: Reader, options: Options): FieldNode {
  options.takeAll(reader)
  if (reader.isDone) reader.fail(`${reader.command} needs the name of a field`)
  const { name, span } = reader.name()
  options.takeAll(reader)
  return { field: name, span, options }
}

/** The values that a text holds between delimiters. */
function pieces(value: Expr, options: Options): Expr {
  const tokenizer = options.given('tokenizer')
  if (tokenizer !== undefined) {
    const pattern = enginePattern(tokenizer.text, tokenizer.span)
    return call('mv.tokens', [value, text(pattern)], LIST)
  }
  const split = call('mv.split', [value, text(options.text('delim') ?? ' ')], LIST)
  return options.flag('allowempty', false) ? split : call('mv.filled', [split], LIST)
}

const makemv = command<FieldNode>({
  name: 'makemv',
  says: 'Makes the text of a field several values, taken apart at a delimiter or by a pattern.',
  kind: 'streaming',
  options: MAKEMV_OPTIONS,
  read: (reader) => {
    const node = readField(reader, new Options(MAKEMV_OPTIONS))
    const tokenizer = node.options.given('tokenizer')
    if (tokenizer !== undefined && !/\((?!\?)|\(\?P?</.test(tokenizer.text)) {
      reader.fail('tokenizer needs a pattern with a group', tokenizer.span)
    }
    return node
  },
  lower: ({ field: name, options }, rows) => {
    const old = fieldValue(rows, name)
    if (old.type === 'null') return rows
    // What has several values already stays as it is, except for the values of each of them.
    const made = isList(old.type)
      ? call('mv.flat_map', [old, text(ELEMENT.name), pieces(ELEMENT, options)], LIST)
      : pieces(asText(old), options)
    // A single value: the pieces as one text again.
    const value = options.flag('setsv', false) ? call('mv.join', [made, text(' ')], 'text') : made
    return derived(rows, [{ name, value }])
  },
})

const ELEMENT = field('@@element', 'text')

/** A row for each value of a field; a row without one stays. */
function spread(rows: Rows, name: string, most: number, context: Context): Rows {
  const old = fieldValue(rows, name)
  if (!isList(old.type)) return rows
  const place = context.hidden('x')
  const places = call('mv.places', [old, number(most)], { list: 'int' })
  const expanded: Rows = {
    ...rows,
    rel: { op: 'expand', from: rows.rel, list: places, as: place },
    order: [...rows.order, orderKey(place, 'int')],
  }
  return derived(expanded, [
    { name, value: call('mv.at_place', [old, field(place, 'int')], 'text') },
  ])
}

const MVEXPAND_OPTIONS = { limit: 'count' } as const

const mvexpand = command<FieldNode>({
  name: 'mvexpand',
  says: 'Makes a row of each value of a field. A row without the field stays.',
  kind: 'streaming',
  options: MVEXPAND_OPTIONS,
  read: (reader) => readField(reader, new Options(MVEXPAND_OPTIONS)),
  lower: ({ field: name, options }, rows, context) =>
    spread(rows, name, options.number('limit', 0), context),
})

const MVCOMBINE_OPTIONS = { delim: 'text' } as const

/** One row for rows that differ in one field only, which gets the values of all. */
function combined(rows: Rows, name: string, context: Context): Rows {
  const own = fieldValue(rows, name)
  const counted = numbered(rows, context)
  const others = [...rows.fields].filter(([each]) => each !== name)
  const keys = others.map(([each, type], at): Binding => {
    const value = field(each, type)
    return {
      name: `${context.hidden('k')}${at}`,
      value: isList(type) ? call('list.key', [asList(value)], 'text') : asText(value),
    }
  })
  const whole = context.hidden('r')
  const values = context.hidden('v')
  const keyed = derived(counted.rows, keys)
  // Lists are compared by their keys; the row's own number tells rows apart that have not the field.
  const lone = call(
    'eval.case',
    [call('list.not_empty', [asList(own)]), text(''), asText(counted.number)],
    'text',
  )
  const key = call('row.key', [...keys.map(({ name: each }) => field(each, 'text')), lone], 'text')
  const marked = derived(keyed, [{ name: whole, value: key }])
  const by = field(whole, 'text')
  const { number: at } = counted
  const gathered = rowNumber(marked, context, { by: [by] })
  const list = [{ name: values, fn: 'stats.gathered', args: [asList(own), at], type: LIST }]
  const all = windowed(gathered.rows, list, { by: [by], frame: 'all' })
  const single = filtered(all, call('compare.equals', [gathered.value, number(1)]))
  return derived(single, [{ name, value: field(values, LIST) }])
}

const mvcombine = command<FieldNode>({
  name: 'mvcombine',
  says: 'Makes one row of rows that differ in one field only; that field gets the values of all of them.',
  kind: 'transforming',
  options: MVCOMBINE_OPTIONS,
  read: (reader) => readField(reader, new Options(MVCOMBINE_OPTIONS)),
  lower: ({ field: name, options }, rows, context) => {
    if (options.has('delim')) context.note('assumption', 'delim changes only how lists are shown')
    return rows.fields.has(name) ? combined(rows, name, context) : rows
  },
})

const nomv = command<FieldNode>({
  name: 'nomv',
  says: 'Makes the values of a field one text, a line each.',
  kind: 'streaming',
  read: (reader) => readField(reader, new Options({})),
  lower: ({ field: name }, rows) => {
    const set = namesMeant(rows, [name]).flatMap((each): readonly Binding[] => {
      const value = fieldValue(rows, each)
      return isList(value.type)
        ? [{ name: each, value: call('mv.join', [value, text('\n')], 'text') }]
        : []
    })
    return derived(rows, set)
  },
})

export const multivalueCommands: readonly CommandRecord[] = [makemv, mvexpand, mvcombine, nomv]

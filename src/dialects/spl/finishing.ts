/** Commands at the end of searches: `format`, `return`, `addinfo`, `collect`, and those that only change how rows look. */
import { call, type Expr, text, texts } from '../../ir/expr.ts'
import type { Binding } from '../../ir/rel.ts'
import type { EvalExpr } from './ast.ts'
import { type CommandRecord, command } from './command.ts'
import { NOW } from './evaluating.ts'
import { readEval } from './evaluation.ts'
import { fixed, idle as idleOption, Options } from './options.ts'
import { numbered } from './ordering.ts'
import type { Reader } from './reader.ts'
import { asText, derived, fieldValue, limited, type Rows, selected } from './rows.ts'
import { rowCondition, writtenName } from './subsearches.ts'
import { instantOf } from './timerange.ts'

interface FormatNode {
  readonly most?: number
  readonly between: string
  readonly empty: string
  /** What stands before all rows, before a row, between its fields, behind it, between rows, and behind all. */
  readonly pieces: readonly string[]
}

const FORMAT_OPTIONS = { mvsep: 'text', maxresults: 'count', emptystr: 'text' } as const
const PIECES = ['(', '(', 'AND', ')', 'OR', ')']

function readFormat(reader: Reader): FormatNode {
  const options = new Options(FORMAT_OPTIONS)
  options.takeAll(reader)
  const given: string[] = []
  while (!reader.isDone && reader.optionName() === undefined) given.push(reader.value().text)
  options.takeAll(reader)
  if (given.length !== 0 && given.length !== PIECES.length) {
    reader.fail(
      'format takes six texts: before all, before a row, between fields, behind a row, between rows, behind all',
    )
  }
  const most = options.number('maxresults')
  return {
    ...(most === undefined || most === 0 ? {} : { most }),
    between: options.text('mvsep') ?? 'OR',
    empty: options.text('emptystr') ?? 'NOT ( )',
    pieces: given.length === 0 ? PIECES : given,
  }
}

const format = command<FormatNode>({
  name: 'format',
  says: 'Writes all rows as one condition, in the field search.',
  kind: 'transforming',
  options: FORMAT_OPTIONS,
  read: readFormat,
  lower: ({ most, empty, pieces }, rows, context) => {
    const [start = '', rowStart = '', between = '', rowEnd = '', or = '', end = ''] = pieces
    const given = most === undefined ? rows : limited(rows, most)
    const { rows: placed, number } = numbered(given, context)
    const one = context.hidden('c')
    const condition = rowCondition(given, ` ${between} `)
    const framed = call(
      'eval.concat',
      [text(`${rowStart} `), condition, text(` ${rowEnd}`)],
      'text',
    )
    const made = derived(placed, [{ name: one, value: framed }])
    const all = context.hidden('a')
    const joined: Rows = {
      rel: {
        op: 'aggregate',
        from: made.rel,
        by: [],
        into: [
          {
            name: all,
            fn: 'search.joined',
            args: [{ op: 'field', name: one, type: 'text' }, number, text(` ${or} `)],
            type: 'text',
          },
        ],
      },
      fields: new Map([[all, 'text']]),
      order: [],
      isEvents: false,
    }
    const whole = call(
      'eval.concat',
      [text(`${start} `), fieldValue(joined, all), text(` ${end}`)],
      'text',
    )
    const value = call('eval.coalesce', [whole, text(empty)], 'text')
    return selected(joined, [{ name: 'search', value }])
  },
})

interface Returned {
  readonly field: string
  /** What the value is called; absent for a value alone. */
  readonly as?: string
}

interface ReturnNode {
  readonly count: number
  readonly list: readonly Returned[]
}

function readReturn(reader: Reader): ReturnNode {
  const first = reader.peek()
  const count = first?.kind === 'word' && /^\d+$/.test(first.text) ? Number(reader.next().text) : 1
  const list: Returned[] = []
  while (!reader.isDone) {
    if (reader.take(',')) continue
    const { name } = reader.name()
    if (reader.take('=')) {
      const field = reader.name().name
      list.push({ field, as: name })
    } else if (name.startsWith('$')) list.push({ field: name.slice(1) })
    else list.push({ field: name, as: name })
  }
  if (list.length === 0) reader.fail('return needs the names of fields')
  return { count: Math.max(1, count), list }
}

const returnCommand = command<ReturnNode>({
  name: 'return',
  says: 'Gives the first rows of a subsearch as conditions: a field, a field by another name, or with $ its value alone.',
  kind: 'transforming',
  read: readReturn,
  lower: ({ count, list }, rows) => {
    const parts = list.map(({ field, as }): Expr => {
      const value = fieldValue(rows, field)
      if (as === undefined) return asText(value)
      const given = typeof value.type === 'object' ? value : asText(value)
      return call('search.row_condition', [texts([writtenName(as)]), text(' OR '), given], 'text')
    })
    const filled = parts.map((each) => call('eval.coalesce', [each, text('')], 'text'))
    const spaced = filled.flatMap((each, at) => (at === 0 ? [each] : [text(' '), each]))
    const value = call('eval.concat', [text(''), ...spaced], 'text')
    return { ...selected(limited(rows, count), [{ name: 'search', value }]), isEvents: false }
  },
})

const addinfo = command<null>({
  name: 'addinfo',
  says: 'Adds the range of time that the search was asked for, and the time of its run.',
  kind: 'streaming',
  read: () => null,
  lower: (_, rows, context) => {
    const { earliest = '', latest = '' } = context.range
    const [from, to] = [instantOf(earliest), instantOf(latest)]
    const seconds = (instant: Expr): Expr => call('event.epoch', [instant], 'float')
    const zero: Expr = { op: 'const', value: 0, type: 'float' }
    const end = to !== undefined ? seconds(to) : latest === '' ? text('+Infinity') : NOW
    const set: readonly Binding[] = [
      { name: 'info_min_time', value: from === undefined ? zero : seconds(from) },
      { name: 'info_max_time', value: end },
      { name: 'info_search_time', value: NOW },
      { name: 'info_sid', value: text('harrier') },
    ]
    return derived(rows, set)
  },
})

const COLLECT_OPTIONS = {
  index: 'text',
  source: 'text',
  sourcetype: 'text',
  host: 'text',
  marker: fixed('text', ''),
  testmode: 'flag',
  addtime: fixed('flag', 'true'),
  addinfo: fixed('flag', 'false'),
  output_format: idleOption(['raw', 'hec'], 'rows are kept with their fields'),
  run_in_preview: idleOption('flag', 'there are no previews'),
  spool: fixed('flag', 'true'),
  file: idleOption('text', 'rows are kept in the store, not in a file'),
  uselb: idleOption('flag', 'there is one server'),
} as const

const collect = command<Options>({
  name: 'collect',
  says: 'Adds the rows to a table of their own when the search has run, which index= reads by the name.',
  kind: 'streaming',
  options: COLLECT_OPTIONS,
  read: (reader) => {
    const options = new Options(COLLECT_OPTIONS)
    options.takeAll(reader)
    const name = options.text('index')
    if (name === undefined || !/^[a-z0-9_][a-z0-9_-]{0,79}$/i.test(name)) {
      reader.fail('collect needs index= and a name of letters, digits, - and _')
    }
    return options
  },
  lower: (options, rows, context, span) => {
    if (options.flag('testmode', false)) return rows
    const names = ['source', 'sourcetype', 'host'] as const
    const set = names.flatMap((name): readonly Binding[] => {
      const value = options.text(name)
      return value === undefined ? [] : [{ name, value: text(value) }]
    })
    context.inner(
      `| outputlookup append=true index.${options.text('index')}`,
      derived(rows, set),
      span,
    )
    return rows
  },
})

/** A command that is accepted and changes no rows. */
const idle = (name: string, says: string, options: readonly string[]): CommandRecord =>
  command<null>({
    name,
    says,
    kind: 'streaming',
    read: (reader) => {
      const kinds = Object.fromEntries(options.map((each) => [each, 'text' as const]))
      const given = new Options(kinds)
      while (!reader.isDone) if (!reader.take(',') && !given.take(reader)) reader.name()
      return null
    },
    lower: (_, rows) => rows,
  })

const fieldformat = command<EvalExpr>({
  name: 'fieldformat',
  says: 'Says how a field is shown; the rows stay as they are.',
  kind: 'streaming',
  read: (reader) => {
    reader.name()
    reader.expect('=')
    return readEval(reader)
  },
  lower: (expr, rows, context) => {
    context.evaluate(expr, rows)
    return rows
  },
})

export const finishingCommands: readonly CommandRecord[] = [
  format,
  returnCommand,
  addinfo,
  collect,
  fieldformat,
  idle('tags', 'Accepted: events have their tags already.', [
    'outputfield',
    'inclname',
    'inclvalue',
    'allowed_tags',
  ]),
  idle('typer', 'Accepted: events have their event types already.', ['eventtypes', 'maxlen']),
  idle('highlight', 'Accepted: it changes only how rows are shown.', []),
]

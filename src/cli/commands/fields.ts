/** `harrier fields`: the sources that have data, or the fields of one source with how often each has a value. */

import { suggest } from '../../core/suggest.ts'
import type { Expr } from '../../ir/expr.ts'
import { call } from '../../ir/expr.ts'
import type { AggBinding, Rel } from '../../ir/rel.ts'
import { isOwnSource } from '../../schema/own.ts'
import { LIST_SUFFIX } from '../../schema/source.ts'
import type { StoredColumns } from '../../schema/stored.ts'
import { printSql } from '../../sql/print.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context, OpenStore } from '../context.ts'
import { count, shortTime } from '../figures.ts'
import {
  checkIntake,
  INTAKE_OPTIONS,
  isShort,
  LOGS_OPTION,
  STORE_OPTION,
  storeFor,
} from '../intaking.ts'
import { jsonText } from '../json.ts'
import { renderTable } from '../table.ts'
import { line } from '../text.ts'
import { EXIT, UsageError } from '../usage.ts'

interface FieldCount {
  readonly field: string
  readonly events: number
  readonly distinct: number
  readonly example: string
}

/** Three figures for each column, in one scan. */
function countsOf(source: string, columns: StoredColumns): { names: readonly string[]; rel: Rel } {
  const texts = [...columns.text].sort()
  const lists = [...columns.lists].sort().map((name) => name + LIST_SUFFIX)
  const into = [...texts, ...lists].flatMap((name, index): readonly AggBinding[] => {
    const isListed = index >= texts.length
    const value: Expr = isListed
      ? { op: 'field', name, type: { list: 'text' }, stored: 'plain' }
      : { op: 'field', name, type: 'text', stored: 'plain' }
    const where = isListed
      ? call('list.not_empty', [value])
      : call('logic.not', [call('match.equals', [value, { op: 'const', value: '', type: 'text' }])])
    return [
      { name: `n${index}`, fn: 'agg.count', args: [], where, type: 'int' },
      { name: `d${index}`, fn: 'agg.distinct', args: [value], where, type: 'int' },
      { name: `x${index}`, fn: 'agg.sample', args: [value], where, type: 'text' },
    ]
  })
  const from: Rel = { op: 'scan', table: { kind: 'source', name: source }, time: {}, out: [] }
  return { names: [...texts, ...lists], rel: { op: 'aggregate', from, by: [], into } }
}

async function fieldCounts(
  context: Context,
  opened: OpenStore,
  source: string,
  columns: StoredColumns,
): Promise<FieldCount[]> {
  const { names, rel } = countsOf(source, columns)
  const counts: FieldCount[] = []
  for await (const row of opened.store.rows(printSql(rel), { signal: context.signal })) {
    for (const [index, name] of names.entries()) {
      const example = row[index * 3 + 2]
      counts.push({
        field: name,
        events: Number(row[index * 3]),
        distinct: Number(row[index * 3 + 1]),
        example: Array.isArray(example) ? example.join(', ') : String(example ?? ''),
      })
    }
  }
  return counts
    .filter((each) => each.events > 0)
    .sort((a, b) => b.events - a.events || (a.field < b.field ? -1 : 1))
}

async function listSources(
  context: Context,
  opened: OpenStore,
  options: OptionValues,
): Promise<void> {
  const { out, err, quiet } = context.output
  const { sources: known } = context.schema()
  const all = await opened.store.sources()
  const sources = all.filter(({ name }) => !isOwnSource(name))
  const own = all.filter(({ name }) => isOwnSource(name)).map(({ name }) => name)
  const titleOf = (name: string): string => known.get(name)?.title ?? ''
  if (options.flag('json')) {
    const records = sources.map(({ name, rows, columns, ...times }) => ({
      source: name,
      title: titleOf(name),
      events: rows,
      ...times,
      fields: columns,
    }))
    out.write(`${jsonText({ sources: records })}\n`)
    return
  }
  if (sources.length === 0) return
  out.write(
    renderTable(
      out,
      [
        { title: 'SOURCE' },
        { title: 'EVENTS', align: 'right' },
        { title: 'FIELDS', align: 'right' },
        { title: 'FIRST (UTC)', dropOrder: 1 },
        { title: 'LAST (UTC)', dropOrder: 2 },
        { title: 'WHAT', shrinksTo: 12, dropOrder: 3 },
      ],
      sources.map(({ name, rows, columns, first = '', last = '' }) => [
        name,
        out.isTerminal ? count(rows) : rows,
        columns.length,
        shortTime(first),
        shortTime(last),
        titleOf(name),
      ]),
    ),
  )
  if (quiet) return
  if (own.length > 0) {
    err.write(line`\nHarrier's own, read only by queries that name them: ${own.join(', ')}\n`)
  }
  err.write(line`\nnext: ${context.program} fields SOURCE   the fields of one source\n`)
}

/** Columns of a source that has data; undefined, with a word on stderr, for a known one that has none. */
async function columnsOf(
  context: Context,
  opened: OpenStore,
  source: string,
): Promise<StoredColumns | undefined> {
  const stored = await opened.store.catalogue()
  const columns = stored.get(source)
  if (columns !== undefined) return columns
  const known = context.schema().sources.get(source)
  if (known !== undefined) {
    context.output.err.write(line`no data here for ${source} (${known.title})\n`)
    return undefined
  }
  const near = suggest(source, [...stored.keys(), ...context.schema().sources.keys()])
  throw new UsageError(
    `there is no source "${source}"`,
    near === undefined
      ? `\`${context.program} fields\` lists the sources that have data`
      : `did you mean ${near}?`,
  )
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  checkIntake(context, options)
  const { opened, intake } = await storeFor(context, options.texts('logs'), options)
  const { out } = context.output
  try {
    const [source] = args
    const code = intake !== undefined && isShort(intake) ? EXIT.engine : EXIT.done
    if (source === undefined) {
      await listSources(context, opened, options)
      return code
    }
    const columns = await columnsOf(context, opened, source)
    const counts = columns === undefined ? [] : await fieldCounts(context, opened, source, columns)
    if (options.flag('json')) {
      out.write(`${jsonText({ source, events: columns?.rows ?? 0, fields: counts })}\n`)
    } else if (counts.length > 0) {
      const number = (value: number): string | number => (out.isTerminal ? count(value) : value)
      out.write(
        renderTable(
          out,
          [
            { title: 'FIELD' },
            { title: 'EVENTS', align: 'right' },
            { title: 'DISTINCT', align: 'right' },
            { title: 'EXAMPLE', shrinksTo: 12 },
          ],
          counts.map((each) => [
            each.field,
            number(each.events),
            number(each.distinct),
            each.example,
          ]),
        ),
      )
    }
    return code
  } finally {
    await opened.close()
  }
}

export const fields: CommandRecord = {
  name: 'fields',
  says: 'the sources that have data, or the fields of one source',
  args: '[source]',
  options: [
    LOGS_OPTION,
    STORE_OPTION,
    { flags: '--json', says: 'as one JSON document' },
    ...INTAKE_OPTIONS,
  ],
  prints:
    'For each source its events, fields and times; for one source each field with the events that have it, how many different ' +
    'values, and an example.',
  examples: ['harrier fields --logs logs/', 'harrier fields windows.sysmon --store case42'],
  act,
}

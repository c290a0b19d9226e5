/** `harrier fields`: the sources that have data, or the fields of one source with how often each has a value. */

import { suggest } from '../../core/suggest.ts'
import type { Expr } from '../../ir/expr.ts'
import { call } from '../../ir/expr.ts'
import type { AggBinding, Rel } from '../../ir/rel.ts'
import { LIST_SUFFIX } from '../../schema/source.ts'
import type { StoredColumns } from '../../schema/stored.ts'
import { printSql } from '../../sql/print.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import type { Context, OpenStore } from '../context.ts'
import { INTAKE_OPTIONS, STORE_OPTION, storeFor } from '../intaking.ts'
import { jsonText } from '../json.ts'
import { renderTable } from '../table.ts'
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
  opened: OpenStore,
  source: string,
  columns: StoredColumns,
): Promise<FieldCount[]> {
  const { names, rel } = countsOf(source, columns)
  const counts: FieldCount[] = []
  for await (const row of opened.store.rows(printSql(rel))) {
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
): Promise<number> {
  const { out, err } = context.output
  const sources = await opened.store.sources()
  if (options.flag('json')) {
    out.write(`${jsonText({ sources })}\n`)
    return EXIT.done
  }
  if (sources.length === 0) {
    err.write('the store is empty\n')
    return EXIT.done
  }
  out.write(
    renderTable(
      out,
      [
        { title: 'source' },
        { title: 'events', align: 'right' },
        { title: 'fields', align: 'right' },
        { title: 'first' },
        { title: 'last' },
        { title: 'what', shrinksTo: 12 },
      ],
      sources.map((each) => [
        each.name,
        each.rows,
        each.columns.length,
        each.first ?? '',
        each.last ?? '',
        context.schema().sources.get(each.name)?.title ?? '',
      ]),
    ),
  )
  if (!context.output.quiet) err.write('`harrier fields SOURCE` lists the fields of one source\n')
  return EXIT.done
}

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  const { opened } = await storeFor(context, options.texts('logs'), options)
  const { out } = context.output
  try {
    const [source] = args
    if (source === undefined) return await listSources(context, opened, options)
    const stored = await opened.store.catalogue()
    const columns = stored.get(source)
    if (columns === undefined) {
      const near = suggest(source, stored.keys())
      throw new UsageError(
        `no data here for the source "${source}"`,
        near === undefined
          ? '`harrier fields` lists the sources that have data'
          : `did you mean ${near}?`,
      )
    }
    const counts = await fieldCounts(opened, source, columns)
    if (options.flag('json')) {
      out.write(`${jsonText({ source, events: columns.rows, fields: counts })}\n`)
      return EXIT.done
    }
    out.write(
      renderTable(
        out,
        [
          { title: 'field' },
          { title: 'events', align: 'right' },
          { title: 'distinct', align: 'right' },
          { title: 'example', shrinksTo: 12 },
        ],
        counts.map((each) => [each.field, each.events, each.distinct, each.example]),
      ),
    )
    return EXIT.done
  } finally {
    await opened.close()
  }
}

export const fields: CommandRecord = {
  name: 'fields',
  says: 'the sources that have data, or the fields of one source',
  args: '[source]',
  options: [
    { flags: '--logs <path>', says: 'logs to read first; may be given several times', many: true },
    STORE_OPTION,
    { flags: '--json', says: 'as one JSON document' },
    ...INTAKE_OPTIONS,
  ],
  examples: ['harrier fields --logs logs/', 'harrier fields windows.sysmon --store case42'],
  act,
}

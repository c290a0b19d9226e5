/**
 * Relations to SQL text. Each relation adds to the SELECT block of the one below while that keeps its meaning,
 * and starts a new block around it otherwise.
 */
import { joined, literal, name, type Sql, sql } from '../functions/sql.ts'
import type { Call, Expr } from '../ir/expr.ts'
import {
  type AggBinding,
  absurd,
  type Binding,
  type JoinKey,
  type JoinKind,
  type Order,
  type Rel,
  schemaOf,
} from '../ir/rel.ts'
import { isList, type Schema } from '../ir/types.ts'
import { META, QUERY_PREFIX } from '../schema/source.ts'
import { columnType, constSql } from './constant.ts'
import { exprSql as anyExprSql, finishedSql, printTemplate } from './expr.ts'

interface Block {
  readonly from: Sql
  readonly where: readonly Sql[]
  /** undefined: all columns of `from`. */
  readonly columns?: readonly Sql[]
  readonly order?: Sql
  readonly limit?: Sql
}

/** Prefix of the tables that hold events; the rest of the name is the source's. */
export const EVENTS_PREFIX = 'events_'
/** Prefix of the tables that hold the rows of lookups. */
export const LOOKUPS_PREFIX = 'lookup_'

const EMPTY = sql``

const rows = (rel: Rel): Sql => blockSql(block(rel))
const exprSql = (expr: Expr): Sql => anyExprSql(expr, rows)

function blockSql(block: Block): Sql {
  const columns =
    block.columns === undefined
      ? sql`*`
      : block.columns.length === 0
        ? // Rows that only count: the engine wants a column all the same.
          sql`1 AS ${name(`${QUERY_PREFIX}row`)}`
        : joined(block.columns, ', ')
  const where = block.where.length === 0 ? EMPTY : sql`\nWHERE ${joined(block.where, ' AND ')}`
  const order = block.order === undefined ? EMPTY : sql`\nORDER BY ${block.order}`
  const limit = block.limit === undefined ? EMPTY : sql`\n${block.limit}`
  return sql`SELECT ${columns}\nFROM ${block.from}${where}${order}${limit}`
}

function nested(block: Block): Block {
  return { from: sql`(${blockSql(block)})`, where: [] }
}

function plain(block: Block): boolean {
  return block.columns === undefined && block.order === undefined && block.limit === undefined
}

const bound = (each: Binding): Sql =>
  each.value.op === 'field' && each.value.name === each.name && each.value.kept === undefined
    ? sql`${name(each.name)}`
    : sql`${exprSql(each.value)} AS ${name(each.name)}`

/** An aggregate over the rows that pass its condition, in a window or in a group. */
function aggregateSql(each: AggBinding, window = EMPTY): Sql {
  const call: Call = { op: 'call', fn: each.fn, args: each.args, type: each.type }
  const filter = each.where === undefined ? EMPTY : sql` FILTER (WHERE ${exprSql(each.where)})`
  return finishedSql(call, sql`${exprSql(call)}${filter}${window}`, rows)
}

const aggregate = (each: AggBinding): Sql => sql`${aggregateSql(each)} AS ${name(each.name)}`

const JOINS: Readonly<Record<JoinKind, Sql>> = {
  inner: sql`INNER JOIN`,
  left: sql`LEFT JOIN`,
  right: sql`RIGHT JOIN`,
  full: sql`FULL JOIN`,
  semi: sql`LEFT SEMI JOIN`,
  anti: sql`LEFT ANTI JOIN`,
  cross: sql`CROSS JOIN`,
}

/**
 * The column of a side that a key is, if it is one. Of columns that are the same the first is taken: a join that carries
 * its key twice takes three times as long (measured over 13,000 and 30,000 rows).
 */
function keyColumn(side: Rel, key: Expr): string | undefined {
  if (key.op !== 'field' || key.kept !== undefined) return undefined
  if (side.op !== 'select') return key.name
  const made = side.keep.find((each) => each.name === key.name)?.value
  const twin = side.keep.find(
    ({ value }) =>
      value.op === 'field' &&
      made?.op === 'field' &&
      value.name === made.name &&
      value.kept === made.kept,
  )
  return twin?.name ?? key.name
}

/** Columns of a join: the left side's own, then those of the right that the left has not. */
function joinBlock(rel: Extract<Rel, { op: 'join' }>): Block {
  const left = schemaOf(rel.left)
  const names = new Set(left.map((each) => each.name))
  const right = schemaOf(rel.right).filter((each) => !names.has(each.name))
  const sides = [
    ...left.map((each) => sql`l.${name(each.name)} AS ${name(each.name)}`),
    ...(rel.how === 'semi' || rel.how === 'anti'
      ? []
      : right.map((each) => sql`r.${name(each.name)} AS ${name(each.name)}`)),
  ]
  // Computed keys are given names of their own, so that a field of both sides never stands for the wrong one.
  const own = (index: number): string => `${QUERY_PREFIX}key${index + 1}`
  const keyed = (side: Rel, pick: (key: JoinKey) => Expr): Sql => {
    const keys = rel.on.flatMap((key, index) =>
      keyColumn(side, pick(key)) === undefined
        ? [sql`${exprSql(pick(key))} AS ${name(own(index))}`]
        : [],
    )
    const below = blockSql(block(side))
    return keys.length === 0
      ? sql`(${below})`
      : sql`(SELECT ${joined([sql`*`, ...keys], ', ')} FROM (${below}))`
  }
  const on = rel.on.map((each, index) => {
    const left = name(keyColumn(rel.left, each.left) ?? own(index))
    const right = name(keyColumn(rel.right, each.right) ?? own(index))
    return each.nullsMatch ? sql`l.${left} <=> r.${right}` : sql`l.${left} = r.${right}`
  })
  const condition = rel.how === 'cross' ? EMPTY : sql` ON ${joined(on, ' AND ')}`
  return nested({
    from: sql`${keyed(rel.left, (key) => key.left)} AS l ${JOINS[rel.how]} ${keyed(rel.right, (key) => key.right)} AS r${condition}`,
    where: [],
    columns: sides,
  })
}

/** All columns but those that are about to be made again. */
function allBut(schema: Schema, made: readonly string[]): Sql {
  const shadowed = schema.filter((each) => made.includes(each.name))
  const names = shadowed.map((each) => sql`${name(each.name)}`)
  return shadowed.length === 0 ? sql`*` : sql`* EXCEPT (${joined(names, ', ')})`
}

function frameSql(frame: NonNullable<Extract<Rel, { op: 'window' }>['frame']>): Sql {
  if (frame === 'all') return sql` ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING`
  if (frame === 'running') return sql` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`
  const unit = frame.by === 'rows' ? sql`ROWS` : sql`RANGE`
  const before = frame.before === undefined ? sql`UNBOUNDED` : sql`${literal(frame.before)}`
  const last = frame.isCurrent ? sql`CURRENT ROW` : sql`1 PRECEDING`
  return sql` ${unit} BETWEEN ${before} PRECEDING AND ${last}`
}

function windowBlock(rel: Extract<Rel, { op: 'window' }>): Block {
  const below = block(rel.from)
  const base = plain(below) ? below : nested(below)
  const by = rel.by.length === 0 ? EMPTY : sql`PARTITION BY ${joined(rel.by.map(exprSql), ', ')}`
  const order = rel.order.length === 0 ? EMPTY : sql` ORDER BY ${orderSql(rel.order)}`
  const frame = rel.frame === undefined ? EMPTY : frameSql(rel.frame)
  return {
    ...base,
    columns: [
      allBut(
        schemaOf(rel.from),
        rel.into.map((each) => each.name),
      ),
      ...rel.into.map(
        (each) =>
          sql`${aggregateSql(each, sql` OVER (${by}${order}${frame})`)} AS ${name(each.name)}`,
      ),
    ],
  }
}

function orderSql(order: Order): Sql {
  return joined(
    order.map((key) => {
      const direction = key.down ? sql` DESC` : EMPTY
      const nulls = key.nulls === 'first' ? sql` NULLS FIRST` : sql` NULLS LAST`
      return sql`${exprSql(key.by)}${direction}${nulls}`
    }),
    ', ',
  )
}

/** The engine's date reader wants a blank for the T and no zone; bounds are UTC always. */
function timeSql(iso: string): Sql {
  return sql`toDateTime64(${literal(iso.replace('T', ' ').replace(/Z$/, ''))}, 7, 'UTC')`
}

function scanBlock(rel: Extract<Rel, { op: 'scan' }>): Block {
  const { from, to } = rel.time
  if (rel.table.kind === 'named') return { from: sql`${name(rel.table.name)}`, where: [] }
  if (rel.table.kind === 'lookup') {
    return { from: sql`${name(LOOKUPS_PREFIX + rel.table.name)}`, where: [] }
  }
  const time = sql`${name(META.time)}`
  return {
    from: sql`${name(EVENTS_PREFIX + rel.table.name)}`,
    where: [
      ...(from === undefined ? [] : [sql`${time} >= ${timeSql(from)}`]),
      ...(to === undefined ? [] : [sql`${time} < ${timeSql(to)}`]),
    ],
  }
}

/** Rows without columns: the engine wants one at least, so a column without a name that matters stands in. */
function noColumns(rows: number): Block {
  return { from: sql`(SELECT number FROM numbers(${literal(rows)}))`, where: [] }
}

function valuesBlock(rel: Extract<Rel, { op: 'values' }>): Block {
  if (rel.out.length === 0) return noColumns(rel.rows.length)
  // The structure is a text that the engine parses by rules of its own, so names of events and queries stay out of it.
  const plainName = (index: number): Sql => sql`${name(`c${index + 1}`)}`
  const structure = rel.out.map(({ type }, index) => {
    // A text is never missing in languages that have no missing texts; where it is, the column says so.
    const isWhole = type === 'text' && rel.rows.every((row) => (row[index] ?? null) !== null)
    const kept = isWhole ? sql`String` : columnType(isList(type) ? 'text' : type)
    return sql`${plainName(index)} ${isList(type) ? sql`Array(${kept})` : kept}`
  })
  if (rel.rows.length === 0) {
    const missing = rel.out.map(({ name: column, type }) => {
      const none = isList(type)
        ? constSql({ op: 'const', value: [], type })
        : type === 'text'
          ? sql`''`
          : constSql({ op: 'const', value: null, type })
      return sql`${none} AS ${name(column)}`
    })
    return { from: sql`(SELECT ${joined(missing, ', ')})`, where: [sql`false`] }
  }
  const rows = rel.rows.map((row) => {
    const cells = rel.out.map(({ type }, index) =>
      constSql({ op: 'const', value: row[index] ?? null, type }),
    )
    return sql`(${joined(cells, ', ')})`
  })
  const named = rel.out.map(
    ({ name: column }, index) => sql`${plainName(index)} AS ${name(column)}`,
  )
  const listed = sql`values(${literal(printTemplate(joined(structure, ', ')))}, ${joined(rows, ', ')})`
  return { from: sql`(SELECT ${joined(named, ', ')} FROM ${listed})`, where: [] }
}

function block(rel: Rel): Block {
  switch (rel.op) {
    case 'scan':
      return scanBlock(rel)
    case 'values':
      return valuesBlock(rel)
    case 'filter': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      return { ...base, where: [...base.where, exprSql(rel.where)] }
    }
    case 'derive': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      const rest = allBut(
        schemaOf(rel.from),
        rel.set.map((each) => each.name),
      )
      return { ...base, columns: [rest, ...rel.set.map(bound)] }
    }
    case 'select': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      return { ...base, columns: rel.keep.map(bound) }
    }
    case 'union': {
      const parts = rel.all.map((each) => blockSql(block(each)))
      const [first = EMPTY, ...rest] = parts
      return {
        from: sql`(${rest.reduce((before, part) => sql`${before}\nUNION ALL\n${part}`, first)})`,
        where: [],
      }
    }
    case 'sort': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      return { ...base, order: orderSql(rel.order) }
    }
    case 'limit': {
      const below = block(rel.from)
      const isOpen =
        below.limit === undefined && (rel.per === undefined || below.columns === undefined)
      const base = isOpen ? below : nested(below)
      const rows = literal(rel.rows)
      const limit =
        rel.per === undefined
          ? sql`LIMIT ${rows}`
          : sql`LIMIT ${rows} BY ${joined(rel.per.map(exprSql), ', ')}`
      return { ...base, limit }
    }
    case 'aggregate': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      const keys = rel.by.filter(({ follows }) => !follows)
      const by = joined(
        keys.map((each) => exprSql(each.value)),
        ', ',
      )
      const group = keys.length === 0 ? EMPTY : sql`\nGROUP BY ${by}`
      const key = (each: Binding): Sql =>
        each.follows ? sql`any(${exprSql(each.value)}) AS ${name(each.name)}` : bound(each)
      const whole = { ...base, columns: [...rel.by.map(key), ...rel.into.map(aggregate)] }
      return { from: sql`(${blockSql(whole)}${group})`, where: [] }
    }
    case 'window':
      return windowBlock(rel)
    case 'join':
      return joinBlock(rel)
    case 'expand': {
      const below = block(rel.from)
      const base = plain(below) ? below : nested(below)
      const rest = allBut(schemaOf(rel.from), [rel.as])
      return { ...base, columns: [rest, sql`arrayJoin(${exprSql(rel.list)}) AS ${name(rel.as)}`] }
    }
    case 'named':
      return {
        from: sql`(WITH ${name(rel.name)} AS ${rel.once ? sql`MATERIALIZED ` : EMPTY}(${blockSql(block(rel.value))}) ${blockSql(block(rel.body))})`,
        where: [],
      }
    default:
      return absurd(rel)
  }
}

/** SQL text of a checked, bound relation. */
export function printSql(rel: Rel): string {
  return printTemplate(blockSql(block(rel)))
}

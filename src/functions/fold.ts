/**
 * Rows walked in their order with a state per step, as `scan` does. The rows of a group are one array; the walk goes
 * over pieces of it, since adding to a long list row by row would copy the list each time.
 */
import type { BaseType } from '../ir/types.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { joined, literal, name, type Sql, type SqlArg, sql } from './sql.ts'

/** A value of a step's record: a column of the row, or a declared column. */
export interface StepValue {
  readonly from: 'row' | 'declared'
  /** Counted from 0. */
  readonly at: number
}

export interface FoldStep {
  readonly output: 'all' | 'last' | 'none'
  /** What later conditions read of the step's record. */
  readonly kept: readonly StepValue[]
}

/** The shape of a walk, as a constant text in the call. */
export interface FoldShape {
  /** The variables that stand for the row and for the state in the expressions. */
  readonly row: string
  readonly state: string
  readonly columns: readonly BaseType[]
  readonly declared: readonly BaseType[]
  readonly steps: readonly FoldStep[]
}

const MATCH = sql`\`^m\``
const OUT = sql`\`^o\``
const RESULT = sql`\`^r\``
const ALL = sql`\`^l\``
const PIECE = sql`\`^p\``
const PIECE_ROWS = sql`512`

/** A value with exactly the type that the state keeps. */
function typed(value: Sql, type: BaseType): Sql {
  switch (type) {
    case 'bool':
      return sql`CAST(${value} AS Nullable(Bool))`
    case 'int32':
      return sql`CAST(${value} AS Nullable(Int32))`
    case 'int':
    case 'span':
      return sql`CAST(${value} AS Nullable(Int64))`
    case 'float':
      return sql`CAST(${value} AS Nullable(Float64))`
    case 'decimal':
      return sql`CAST(${value} AS Nullable(Decimal(76, 20)))`
    case 'time':
      return sql`CAST(${value} AS Nullable(DateTime64(7, 'UTC')))`
    case 'text':
      return sql`CAST(ifNull(${value}, '') AS String)`
    default:
      return sql`CAST(${value} AS Nullable(String))`
  }
}

const none = (type: BaseType): Sql =>
  type === 'text' ? sql`CAST('' AS String)` : typed(sql`NULL`, type)

const item = (tuple: Sql, at: number): Sql => sql`tupleElement(${tuple}, ${literal(at + 1)})`
const tuple = (items: readonly Sql[]): Sql => sql`tuple(${joined(items, ', ')})`

/** Where a step's state keeps the first value of a record: whether it is active and the number of its match are before. */
const HEAD = 2

/** The place of a value of a step's record in the state of the same or a later step. */
export function placeInState(steps: readonly FoldStep[], step: number, value: number): number {
  return HEAD + steps.slice(0, step).reduce((sum, each) => sum + each.kept.length, 0) + value
}

/** The expressions of a walk, as their call has them behind its shape. */
class Expressions {
  readonly #args: readonly SqlArg[]
  readonly #shape: FoldShape

  constructor(args: readonly SqlArg[], shape: FoldShape) {
    this.#args = args
    this.#shape = shape
  }

  /** The default of a declared column. */
  standard(at: number): Sql {
    return typed(arg(this.#args, at).sql, this.#shape.declared[at] ?? 'dynamic')
  }

  /** The condition of a step over the state of the step before, or over its own. */
  condition(step: number, over: 'before' | 'own'): Sql {
    return arg(this.#args, this.#start(step) + (over === 'before' ? 0 : 1)).sql
  }

  /** The value that a step gives a declared column. */
  value(step: number, at: number, over: 'before' | 'own'): Sql {
    const index = this.#start(step) + 2 + at * 2 + (over === 'before' ? 0 : 1)
    return typed(arg(this.#args, index).sql, this.#shape.declared[at] ?? 'dynamic')
  }

  #start(step: number): number {
    const { declared } = this.#shape
    return declared.length + step * (2 + declared.length * 2)
  }
}

class Walk {
  readonly #shape: FoldShape
  readonly #exprs: Expressions
  readonly #state: Sql
  readonly #row: Sql

  constructor(shape: FoldShape, exprs: Expressions) {
    this.#shape = shape
    this.#exprs = exprs
    this.#state = sql`${name(shape.state)}`
    this.#row = sql`${name(shape.row)}`
  }

  get #steps(): readonly FoldStep[] {
    return this.#shape.steps
  }

  #output(row: Sql, declared: readonly Sql[], id: Sql): Sql {
    return tuple([row, ...declared, id])
  }

  #blank(row: Sql): Sql {
    const declared = this.#shape.declared.map((_, at) => this.#exprs.standard(at))
    return this.#output(row, declared, sql`toInt64(0)`)
  }

  /** The state of a step that has no sequence. */
  #empty(step: number, row: Sql): Sql {
    const values = this.#steps
      .slice(0, step + 1)
      .flatMap(({ kept }) =>
        kept.map(({ from, at }) =>
          from === 'row' ? none(this.#shape.columns[at] ?? 'dynamic') : this.#exprs.standard(at),
        ),
      )
    const pending = this.#steps[step]?.output === 'last' ? [this.#blank(row)] : []
    return tuple([sql`toUInt8(0)`, sql`toInt64(0)`, ...values, ...pending])
  }

  #pending(state: Sql, step: number): Sql {
    return item(state, placeInState(this.#steps, step + 1, 0))
  }

  /** States, the number of the next match, and what is put out, before the first row. */
  start(row: Sql): Sql {
    const states = this.#steps.map((_, step) => this.#empty(step, row))
    return tuple([...states, sql`toInt64(0)`, sql`arraySlice([${this.#blank(row)}], 1, 0)`])
  }

  /** Everything after one step has seen the row. */
  #seen(step: number): Sql {
    const state = this.#state
    const count = this.#steps.length
    const own = item(state, step)
    const before = item(state, step - 1)
    const next = item(state, count)
    const isActive = sql`${item(own, 0)} = 1`
    const repeats = step === 0 ? sql`true` : isActive
    const first =
      step === 0
        ? sql`false`
        : sql`${item(before, 0)} = 1 AND ${this.#exprs.condition(step, 'before')}`
    const match = sql`multiIf(${first}, 1, ${repeats} AND ${this.#exprs.condition(step, 'own')}, 2, 0)`
    const ownId = step === 0 ? sql`if(${isActive}, ${item(own, 1)}, ${next})` : item(own, 1)
    const values = (over: 'before' | 'own'): readonly Sql[] =>
      this.#shape.declared.map((_, at) => this.#exprs.value(step, at, over))
    const ofOwn = this.#output(this.#row, values('own'), ownId)
    const out =
      step === 0
        ? ofOwn
        : sql`if(${MATCH} = 1, ${this.#output(this.#row, values('before'), item(before, 1))}, ${ofOwn})`
    const made = tuple([
      ...this.#steps.map((_, each) => this.#stateAfter(each, step)),
      step === 0 ? sql`${next} + toInt64(${MATCH} = 2 AND NOT ${isActive})` : next,
      this.#outputsAfter(step),
    ])
    return sql`arrayMap(${MATCH} -> arrayMap(${OUT} -> ${made}, [${out}])[1], [${match}])[1]`
  }

  #stateAfter(each: number, step: number): Sql {
    const state = item(this.#state, each)
    if (each === step - 1) return sql`if(${MATCH} = 1, ${this.#empty(each, this.#row)}, ${state})`
    if (each !== step) return state
    const columns = this.#shape.columns.length
    const record = (this.#steps[step]?.kept ?? []).map(({ from, at }) =>
      from === 'row' && at < columns ? item(item(OUT, 0), at + 1) : item(OUT, at + 1),
    )
    const earlier = placeInState(this.#steps, step, 0) - HEAD
    const carried = Array.from({ length: earlier }, (_, at) => {
      const own = item(state, HEAD + at)
      return step === 0
        ? own
        : sql`if(${MATCH} = 1, ${item(item(this.#state, step - 1), HEAD + at)}, ${own})`
    })
    const pending = this.#steps[step]?.output === 'last' ? [OUT] : []
    const id = item(OUT, this.#shape.declared.length + 1)
    const changed = tuple([sql`toUInt8(1)`, id, ...carried, ...record, ...pending])
    return sql`if(${MATCH} > 0, ${changed}, ${state})`
  }

  #outputsAfter(step: number): Sql {
    const outs = item(this.#state, this.#steps.length + 1)
    const emitted: Sql[] = []
    const flushed = (which: number): void => {
      if (this.#steps[which]?.output !== 'last') return
      const state = item(this.#state, which)
      emitted.push(
        sql`if(${MATCH} = 1 AND ${item(state, 0)} = 1, [${this.#pending(state, which)}], arraySlice([${OUT}], 1, 0))`,
      )
    }
    // A sequence of repeats ends where its step begins anew, and where the next step takes it over.
    flushed(step)
    if (step > 0) flushed(step - 1)
    if (this.#steps[step]?.output === 'all') {
      emitted.push(sql`if(${MATCH} > 0, [${OUT}], arraySlice([${OUT}], 1, 0))`)
    }
    return emitted.length === 0 ? outs : sql`arrayConcat(${joined([outs, ...emitted], ', ')})`
  }

  /** Everything after all steps, the last one first, have seen the row. */
  get row(): Sql {
    let made = this.#state
    for (let step = this.#steps.length - 1; step >= 0; step--) {
      made =
        step === this.#steps.length - 1
          ? this.#seen(step)
          : sql`arrayMap(${this.#state} -> ${this.#seen(step)}, [${made}])[1]`
    }
    return made
  }

  /** All that is put out for an array of rows. */
  over(rows: Sql): Sql {
    const count = this.#steps.length
    const states = (from: Sql): readonly Sql[] =>
      Array.from({ length: count + 1 }, (_, at) => item(from, at))
    const outs = (from: Sql): Sql => item(from, count + 1)
    const begin = tuple([...states(ALL), sql`arraySlice(${outs(ALL)}, 1, 0)`])
    const piece = sql`arrayFold((${this.#state}, ${this.#row}) -> ${this.row}, ${PIECE}, ${begin})`
    const more = tuple([...states(RESULT), sql`arrayConcat(${outs(ALL)}, ${outs(RESULT)})`])
    const pieces = sql`arraySplit((x, i) -> i % ${PIECE_ROWS} = 1, ${rows}, arrayEnumerate(${rows}))`
    const whole = sql`arrayFold((${ALL}, ${PIECE}) -> arrayMap(${RESULT} -> ${more}, [${piece}])[1], ${pieces}, ${this.start(sql`${rows}[1]`)})`
    return sql`arrayMap(${RESULT} -> ${this.#end(RESULT)}, [${whole}])[1]`
  }

  /** What is put out, with what was held back for a repeat that did not come. */
  #end(result: Sql): Sql {
    const outs = item(result, this.#steps.length + 1)
    const held = this.#steps.flatMap(({ output }, step) => {
      if (output !== 'last') return []
      const state = item(result, step)
      return [
        sql`if(${item(state, 0)} = 1, [${this.#pending(state, step)}], arraySlice([${this.#pending(state, step)}], 1, 0))`,
      ]
    })
    return held.length === 0 ? outs : sql`arrayConcat(${joined([outs, ...held], ', ')})`
  }
}

const walk: FunctionRecord = {
  id: 'scan.walk',
  says: 'What the steps of a scan put out for the rows of a list: each a tuple of row, declared columns, and match.',
  takes: [
    { name: 'rows', type: { list: 'dynamic' } },
    { name: 'shape', type: 'text', constant: true },
    { name: 'expression', type: 'any', many: true },
  ],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const shape: FoldShape = JSON.parse(constText(args, 1))
    return new Walk(shape, new Expressions(args.slice(2), shape)).over(arg(args, 0).sql)
  },
  examples: [],
}

const collect: FunctionRecord = {
  id: 'scan.collect',
  says: 'The rows of a group as a list of tuples in the order of their ranks, which come first in them.',
  takes: [
    { name: 'rank', type: 'int' },
    { name: 'column', type: 'any', many: true },
  ],
  gives: { list: 'dynamic' },
  onNull: 'own',
  aggregate: true,
  sql: ([rank = never(), ...columns]) => {
    const cells = columns.map(({ sql: value, type }) =>
      typed(value, typeof type === 'string' ? type : 'dynamic'),
    )
    return sql`groupArray(${tuple([rank.sql, ...cells])})`
  },
  finish: (made) => sql`arraySort(t -> t.1, ${made})`,
  examples: [],
}

function never(): SqlArg {
  throw new RangeError('scan.collect needs the rank of a row')
}

const sessionRows: FunctionRecord = {
  id: 'session.rows',
  says: 'The rows of a run as a list of ranks and instants, in the order of the ranks.',
  takes: [
    { name: 'rank', type: 'int' },
    { name: 'time', type: 'time' },
  ],
  gives: { list: 'dynamic' },
  onNull: 'own',
  aggregate: true,
  sql: (args) =>
    sql`groupArray(tuple(toInt64(${arg(args, 0).sql}), CAST(reinterpret(${arg(args, 1).sql}, 'Int64') AS Nullable(Int64))))`,
  finish: (made) => sql`arraySort(t -> t.1, ${made})`,
  examples: [],
}

const sessionStarts: FunctionRecord = {
  id: 'session.starts',
  says: 'The rank of each row of a run with the instant at which its session began, none being longer than a span.',
  takes: [
    { name: 'rows', type: { list: 'dynamic' } },
    { name: 'longest', type: 'span' },
  ],
  gives: { list: 'dynamic' },
  onNull: 'own',
  sql: (args) => {
    const rows = arg(args, 0).sql
    const start = sql`if(isNull(${ALL}.1) OR ifNull(${PIECE}.2 >= ${ALL}.1 + ${arg(args, 1).sql}, false), ${PIECE}.2, ${ALL}.1)`
    const piece = sql`arrayFold((${ALL}, ${PIECE}) -> arrayMap(${RESULT} -> (${RESULT}, arrayPushBack(${ALL}.2, (${PIECE}.1, ${RESULT}))), [${start}])[1], ${OUT}, (${MATCH}.1, arraySlice(${MATCH}.2, 1, 0)))`
    const pieces = sql`arraySplit((x, i) -> i % ${PIECE_ROWS} = 1, ${rows}, arrayEnumerate(${rows}))`
    const begin = sql`(CAST(NULL AS Nullable(Int64)), CAST([] AS Array(Tuple(Int64, Nullable(Int64)))))`
    const all = sql`arrayFold((${MATCH}, ${OUT}) -> arrayMap(${RESULT} -> (${RESULT}.1, arrayConcat(${MATCH}.2, ${RESULT}.2)), [${piece}])[1], ${pieces}, ${begin}).2`
    return sql`arrayMap(x -> (x.1, reinterpret(x.2, 'DateTime64(7, \\'UTC\\')')), ${all})`
  },
  examples: [],
}

export const foldFunctions: readonly FunctionRecord[] = [walk, collect, sessionRows, sessionStarts]

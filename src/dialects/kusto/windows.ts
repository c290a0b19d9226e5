/**
 * Functions of neighbouring rows: `prev`, `next`, `row_number`, `row_cumsum`, the ranks and sessions. Each becomes a hidden
 * column of a window over the rows in the order they have.
 */
import { call, type Expr, field, or } from '../../ir/expr.ts'
import { type AggBinding, type Rel, schemaOf } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Node } from './adapter.ts'
import { argumentsOf, functionName } from './calls.ts'
import { type Context, cast, constant, missing, partitionOf, type Rowset, same } from './scope.ts'
import { typeOf } from './values.ts'

interface Stage {
  readonly into: AggBinding
  readonly by: readonly Expr[]
  readonly frame?: 'running' | 'all'
}

/** Collects the windows that the expressions of one operator need. */
export class Windows {
  readonly #rows: Rowset
  #rel: Rel

  constructor(rows: Rowset) {
    this.#rows = rows
    this.#rel = rows.rel
  }

  /** The rows with the hidden columns that the expressions read. */
  get rows(): Rowset {
    return { ...this.#rows, rel: this.#rel }
  }

  /** True when some expression needs a window. */
  get isUsed(): boolean {
    return this.#rel !== this.#rows.rel
  }

  /** Takes calls of window functions; for `Context.special`. */
  readonly special = (node: Node, context: Context): Expr | undefined => {
    if (node.kind !== 'FunctionCallExpression') return undefined
    const name = functionName(node)
    const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined
    if (make === undefined || node.calledBody !== undefined) return undefined
    const args = argumentsOf(node).map((each) => context.lowering.expr(each, context))
    return make(this, args, node, context)
  }

  add(
    context: Context,
    fn: string,
    args: readonly Expr[],
    type: BaseType,
    stage: Omit<Stage, 'into'>,
  ): Expr {
    const name = context.lowering.hidden('w')
    const { order } = this.#rows
    this.#rel = {
      op: 'window',
      from: this.#rel,
      by: [...partitionOf(this.#rows), ...stage.by],
      order,
      into: [{ name, fn, args, type }],
      ...(stage.frame === undefined ? {} : { frame: stage.frame }),
    }
    return field(name, type)
  }

  /**
   * Where the session of each row began. Gaps and restarts part the rows into runs first; the sessions within a run
   * hang on one another, so each run is walked as one list, and its rows get their starts back by their ranks.
   */
  sessions(context: Context, value: Expr, longest: Expr, breaks: Expr): Expr {
    const { lowering } = context
    const { by } = this.#rows
    const run = this.runs(context, breaks)[0] ?? constant(0, 'int')
    const rank = this.add(context, 'win.row_number', [], 'int', { by: [], frame: 'running' })
    const [name, list, element, key, start] = ['n', 'l', 'e', 'k', 's'].map((each) =>
      lowering.hidden(each),
    )
    if (!name || !list || !element || !key || !start) throw new TypeError('no hidden names')
    const ranked = this.#rel
    const read: Rel = {
      op: 'scan',
      table: { kind: 'named', name },
      time: {},
      out: schemaOf(ranked),
    }
    const runs: Rel = {
      op: 'aggregate',
      from: read,
      by: [...same(by), { name: key, value: run }],
      into: [{ name: list, fn: 'session.rows', args: [rank, value], type: { list: 'dynamic' } }],
    }
    const starts = call('session.starts', [field(list, { list: 'dynamic' }), longest], {
      list: 'dynamic',
    })
    const part = (place: number, type: BaseType): Expr =>
      call('tuple.at', [field(element, 'dynamic'), constant(place, 'int')], type)
    const partners = by.map((each) => ({ ...each, hidden: lowering.hidden('j') }))
    const right: Rel = {
      op: 'select',
      from: { op: 'expand', from: runs, list: starts, as: element },
      keep: [
        ...partners.map(({ name: own, type, hidden }) => ({
          name: hidden,
          value: field(own, type),
        })),
        { name: key, value: part(0, 'int') },
        { name: start, value: part(1, 'time') },
      ],
    }
    const on = [
      { left: rank, right: field(key, 'int') },
      ...partners.map(({ name: own, type, hidden }) => ({
        left: field(own, type),
        right: field(hidden, type),
        ...(type === 'text' ? {} : { nullsMatch: true }),
      })),
    ]
    const body: Rel = { op: 'join', how: 'inner', left: read, right, on }
    this.#rel = { op: 'named', name, value: ranked, body, once: true }
    return field(start, 'time')
  }

  /** Number of the run of rows that a restart condition begins; nothing when there is none. */
  runs(context: Context, restart: Expr | undefined): readonly Expr[] {
    if (restart === undefined || (restart.op === 'const' && restart.value === false)) return []
    const flag: Expr = {
      op: 'case',
      when: [[call('logic.holds', [cast(restart, 'bool')]), constant(1, 'int')]],
      otherwise: constant(0, 'int'),
      type: 'int',
    }
    return [this.add(context, 'win.sum', [flag], 'int', { by: [], frame: 'running' })]
  }
}

type Maker = (windows: Windows, args: readonly Expr[], node: Node, context: Context) => Expr

const neighbour =
  (fn: string): Maker =>
  (
    windows,
    [value = constant(null, 'null'), offset = constant(1, 'int'), standard],
    node,
    context,
  ) => {
    const type = typeOf(node, value.type)
    const other = standard === undefined ? missing(type) : cast(standard, type)
    return windows.add(context, fn, [cast(value, type), cast(offset, 'int'), other], type, {
      by: [],
      frame: 'all',
    })
  }

const rank =
  (fn: string): Maker =>
  (windows, [value = constant(null, 'null'), restart], _, context) => {
    const by = windows.runs(context, restart)
    const before = windows.add(
      context,
      'win.lag',
      [value, constant(1, 'int'), missing(typeof value.type === 'string' ? value.type : 'dynamic')],
      typeof value.type === 'string' ? value.type : 'dynamic',
      { by, frame: 'all' },
    )
    const number = windows.add(context, 'win.row_number', [], 'int', { by, frame: 'running' })
    const isNew: Expr = call('logic.not', [call('compare.is', [value, before])])
    const first = call('compare.equals', [number, constant(1, 'int')])
    const starts: Expr = {
      op: 'case',
      when: [
        [first, constant(1, 'int')],
        [isNew, fn === 'dense' ? constant(1, 'int') : number],
      ],
      otherwise: constant(fn === 'dense' ? 0 : 1, 'int'),
      type: 'int',
    }
    return windows.add(context, fn === 'dense' ? 'win.sum' : 'win.max', [starts], 'int', {
      by,
      frame: 'running',
    })
  }

const MAKERS: Readonly<Record<string, Maker>> = {
  prev: neighbour('win.lag'),
  next: neighbour('win.lead'),
  row_number: (windows, [start = constant(1, 'int'), restart], _, context) => {
    const number = windows.add(context, 'win.row_number', [], 'int', {
      by: windows.runs(context, restart),
      frame: 'running',
    })
    return call(
      'arith.add',
      [call('arith.subtract', [number, constant(1, 'int')], 'int'), cast(start, 'int')],
      'int',
    )
  },
  row_cumsum: (windows, [value = constant(null, 'null'), restart], node, context) =>
    windows.add(context, 'win.sum', [value], typeOf(node, value.type), {
      by: windows.runs(context, restart),
      frame: 'running',
    }),
  row_window_session: (windows, args, _, context) => {
    const [first = constant(null, 'time'), second = constant(0, 'span'), third = second] = args
    const value = cast(first, 'time')
    const restart = args[3]
    const before = windows.add(
      context,
      'win.lag',
      [value, constant(1, 'int'), missing('time')],
      'time',
      { by: [], frame: 'all' },
    )
    const end = call('arith.add', [before, cast(third, 'span')], 'time')
    const breaks = or([
      call('value.is_missing', [before]),
      call('logic.holds', [call('compare.greater_or_equal', [value, end])]),
      ...(restart === undefined ? [] : [call('logic.holds', [cast(restart, 'bool')])]),
    ])
    return windows.sessions(context, value, cast(second, 'span'), breaks)
  },
  row_rank_dense: rank('dense'),
  row_rank_min: rank('min'),
}

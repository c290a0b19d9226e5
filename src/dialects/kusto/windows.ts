/**
 * Functions of neighbouring rows: `prev`, `next`, `row_number`, `row_cumsum` and the ranks. Each becomes a hidden
 * column of a window over the rows in the order they have.
 */
import { call, type Expr, field } from '../../ir/expr.ts'
import type { AggBinding, Rel } from '../../ir/rel.ts'
import type { BaseType } from '../../ir/types.ts'
import type { Node } from './adapter.ts'
import { argumentsOf, functionName } from './calls.ts'
import { type Context, cast, constant, missing, type Rowset } from './scope.ts'
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
    const { order, by } = this.#rows
    this.#rel = {
      op: 'window',
      from: this.#rel,
      by: [...by.map((each) => field(each.name, each.type)), ...stage.by],
      order,
      into: [{ name, fn, args, type }],
      ...(stage.frame === undefined ? {} : { frame: stage.frame }),
    }
    return field(name, type)
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
  row_rank_dense: rank('dense'),
  row_rank_min: rank('min'),
}

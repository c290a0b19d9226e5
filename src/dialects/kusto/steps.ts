/**
 * `scan`: rows walked in their order, with conditions that read what earlier steps have matched. Each expression is
 * made twice, once over the state of the step before and once over the step's own.
 */
import {
  type FoldShape,
  type FoldStep,
  placeInState,
  type StepValue,
} from '../../functions/fold.ts'
import { call, type Expr, field, text } from '../../ir/expr.ts'
import type { Rel } from '../../ir/rel.ts'
import type { Column, Node } from './adapter.ts'
import { parameterOf } from './joins.ts'
import {
  type Context,
  cast,
  constant,
  missing,
  type Operator,
  partitionOf,
  type Rowset,
  refuse,
  same,
  selected,
} from './scope.ts'

interface Declared extends Column {
  readonly standard: Expr
}

interface Step {
  readonly name: string
  readonly output: FoldStep['output']
  readonly condition: Node
  readonly assigned: ReadonlyMap<string, Node>
}

function declaredOf(node: Node, context: Context): readonly Declared[] {
  const list = node.maybe('DeclareClause')?.items('Declarations') ?? []
  return list.map((each): Declared => {
    const name = each.child('NameAndType').child('Name')
    const type = name.type ?? 'dynamic'
    const given = each.maybe('DefaultValue')?.child('Value')
    const standard =
      given === undefined ? missing(type) : cast(context.lowering.expr(given, context), type)
    return { name: name.name || name.text, type, standard }
  })
}

const OUTPUTS: readonly string[] = ['all', 'last', 'none']

function stepsOf(node: Node, context: Context): readonly Step[] {
  return node.items('Steps').map((each): Step => {
    const written = each.maybe('ScanStepOutput')?.token('OutputKind').toLowerCase() ?? 'all'
    const output = OUTPUTS.find((one) => one === written)
    if (output === undefined) {
      return refuse('HR407', { what: `output=${written}` }, context.lowering.place(each))
    }
    const name = each.child('Name')
    const assigned = new Map(
      (each.maybe('ComputationClause')?.items('Assignments') ?? []).map((one) => [
        one.child('Name').name,
        one.child('Expression'),
      ]),
    )
    return {
      name: name.name || name.text,
      output: output as FoldStep['output'],
      condition: each.child('Condition'),
      assigned,
    }
  })
}

/** The step and the column of `step.column`; undefined for other expressions. */
function readOf(
  node: Node,
  steps: readonly Step[],
): { readonly step: number; readonly column: string } | undefined {
  if (node.kind !== 'PathExpression') return undefined
  const base = node.child('Expression')
  const selector = node.child('Selector')
  if (base.kind !== 'NameReference' || selector.kind !== 'NameReference') return undefined
  const step = steps.findIndex(({ name }) => name === base.name)
  return step === -1 || base.symbol?.kind === 'column' ? undefined : { step, column: selector.name }
}

/** For each step, what of its record is read anywhere. */
function keptOf(
  steps: readonly Step[],
  columns: readonly Column[],
  declared: readonly Declared[],
): readonly (readonly StepValue[])[] {
  const names = steps.map(() => new Set<string>())
  for (const { condition, assigned } of steps) {
    for (const root of [condition, ...assigned.values()]) {
      for (const each of root.walk()) {
        const read = readOf(each, steps)
        if (read !== undefined) names[read.step]?.add(read.column)
      }
    }
  }
  return names.map((each) =>
    [...each].flatMap((name): readonly StepValue[] => {
      const at = declared.findIndex((one) => one.name === name)
      if (at !== -1) return [{ from: 'declared', at }]
      const column = columns.findIndex((one) => one.name === name)
      return column === -1 ? [] : [{ from: 'row', at: column }]
    }),
  )
}

/** What the expressions of the steps see. */
interface View {
  readonly rows: Rowset
  readonly declared: readonly Declared[]
  readonly steps: readonly Step[]
  readonly kept: readonly (readonly StepValue[])[]
  readonly row: string
  readonly state: string
  readonly fold: readonly FoldStep[]
}

/** The context of an expression that reads the state of a step, where the later steps have none. */
function contextOver(view: View, over: number, context: Context): Context {
  const { rows, declared, steps, kept, row, state, fold } = view
  const source = rows.columns.map(
    ({ name, type }, at) =>
      [name, call('tuple.at', [field(row, 'dynamic'), constant(at + 1, 'int')], type)] as const,
  )
  const standards = declared.map(({ name, standard }) => [name, standard] as const)
  return {
    ...context,
    row: new Map<string, Expr>([...source, ...standards]),
    special: (node) => {
      const read = readOf(node, steps)
      if (read === undefined) return undefined
      const list = kept[read.step] ?? []
      const value = list.findIndex(
        ({ from, at }) => (from === 'row' ? rows.columns : declared)[at]?.name === read.column,
      )
      const found = list[value]
      if (found === undefined) return undefined
      const column = found.from === 'row' ? rows.columns[found.at] : declared[found.at]
      const type = column?.type ?? 'dynamic'
      if (read.step > over) {
        return found.from === 'row' ? missing(type) : declared[found.at]?.standard
      }
      const own = call('tuple.at', [field(state, 'dynamic'), constant(over, 'int')], 'dynamic')
      const place = placeInState(fold, read.step, value)
      return call('tuple.at', [own, constant(place, 'int')], type)
    },
  }
}

/** The expressions of all steps in the order in which the walk takes them. */
function expressionsOf(view: View, context: Context): readonly Expr[] {
  const { lowering } = context
  return [
    ...view.declared.map(({ standard }) => standard),
    ...view.steps.flatMap(({ condition, assigned }, step) => {
      const over = [contextOver(view, step - 1, context), contextOver(view, step, context)]
      const test = (inner: Context): Expr =>
        call('logic.holds', [cast(lowering.expr(condition, inner), 'bool')])
      const values = view.declared.flatMap(({ name, type, standard }) => {
        const value = assigned.get(name)
        return over.map((inner) =>
          value === undefined ? standard : cast(lowering.expr(value, inner), type),
        )
      })
      return [...over.map(test), ...values]
    }),
  ]
}

function viewOf(rows: Rowset, node: Node, context: Context): View {
  const { lowering } = context
  const declared = declaredOf(node, context)
  const steps = stepsOf(node, context)
  const kept = keptOf(steps, rows.columns, declared)
  const fold = steps.map(({ output }, at): FoldStep => ({ output, kept: kept[at] ?? [] }))
  const [row, state] = [lowering.hidden('x'), lowering.hidden('y')]
  return { rows, declared, steps, kept, row, state, fold }
}

/** The rows of each small table as one list. */
function collected(rows: Rowset, list: string, view: View, context: Context): Rel {
  const rank = context.lowering.hidden('r')
  const ranked: Rel = {
    op: 'window',
    from: rows.rel,
    by: partitionOf(rows),
    order: rows.order,
    into: [{ name: rank, fn: 'win.row_number', args: [], type: 'int' }],
  }
  const args = [field(rank, 'int'), ...rows.columns.map(({ name, type }) => field(name, type))]
  const grouped: Rel = {
    op: 'aggregate',
    from: ranked,
    by: same(rows.by),
    into: [{ name: list, fn: 'scan.collect', args, type: { list: 'dynamic' } }],
  }
  // The variables of the walk are names to the checker, which wants each to be there.
  const zero = constant(0, 'int')
  const set = [view.row, view.state].map((name) => ({ name, value: zero }))
  return { op: 'derive', from: grouped, set }
}

export const scan: Operator = (rows, node, context) => {
  const { lowering } = context
  const view = viewOf(rows, node, context)
  const { declared, row, state, fold } = view
  const matchNode = parameterOf(node, 'with_match_id')
  const match = matchNode === undefined ? undefined : matchNode.name || matchNode.text
  // The binder gives a number of the match without being asked.
  if (match === undefined) lowering.phantoms.add('match_id')
  const [list, element] = [lowering.hidden('l'), lowering.hidden('e')]
  const shape: FoldShape = {
    row,
    state,
    columns: rows.columns.map(({ type }) => type),
    declared: declared.map(({ type }) => type),
    steps: fold,
  }
  const walked = call(
    'scan.walk',
    [
      field(list, { list: 'dynamic' }),
      text(JSON.stringify(shape)),
      ...expressionsOf(view, context),
    ],
    { list: 'dynamic' },
  )
  const rel: Rel = {
    op: 'expand',
    from: collected(rows, list, view, context),
    list: call('list.zip', [walked], { list: 'dynamic' }),
    as: element,
  }
  const part = (from: Expr, at: number, type: Column['type']): Expr =>
    call('tuple.at', [from, constant(at, 'int')], type)
  const out = part(field(element, 'dynamic'), 0, 'dynamic')
  const source = rows.columns.filter(({ name }) => !declared.some((each) => each.name === name))
  const columns: readonly Column[] = [
    ...source,
    ...declared.map(({ name, type }) => ({ name, type })),
    ...(match === undefined ? [] : [{ name: match, type: 'int' as const }]),
  ]
  const values = [
    ...source.map(({ name, type }) =>
      part(part(out, 0, 'dynamic'), rows.columns.findIndex((each) => each.name === name) + 1, type),
    ),
    ...declared.map(({ type }, at) => part(out, at + 1, type)),
    ...(match === undefined ? [] : [part(out, declared.length + 1, 'int')]),
  ]
  const at = lowering.hidden('i')
  const made = selected({ ...rows, rel, order: [] }, columns, values, [
    { name: at, value: part(field(element, 'dynamic'), 1, 'int') },
  ])
  return { ...made, order: [{ by: field(at, 'int'), down: false, nulls: 'first' }] }
}

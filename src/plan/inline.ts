/**
 * Reading values where they are made: a path into JSON reads the text it was parsed from, and of the row that has the
 * greatest value only those columns are kept that something reads, each on its own where it can never be missing.
 */
import { call, type Expr, field } from '../ir/expr.ts'
import type { AggBinding, Binding, Rel } from '../ir/rel.ts'
import { mapExpr, mapOwnExprs, mapRel, ownExprs, visitExpr } from '../ir/walk.ts'
import { QUERY_PREFIX } from '../schema/source.ts'
import { prune } from './prune.ts'

type Aggregate = Extract<Rel, { op: 'aggregate' }>
type Made = Extract<Rel, { op: 'select' | 'derive' }>

const bindingsOf = (rel: Made): readonly Binding[] => (rel.op === 'select' ? rel.keep : rel.set)

function withMore(rel: Made, more: readonly Binding[]): Made {
  if (more.length === 0) return rel
  return rel.op === 'select'
    ? { ...rel, keep: [...rel.keep, ...more] }
    : { ...rel, set: [...rel.set, ...more] }
}

/** Paths into values that the relation below has parsed read the text instead, which stands beside them. */
function inlinePaths(rel: Rel): Rel {
  // A derivation passes all columns on, and would show the text among its own.
  if (rel.op !== 'select' && rel.op !== 'aggregate') return rel
  const below = rel.from
  if (below.op !== 'select' && below.op !== 'derive') return rel
  const parsed = new Map<string, Expr>()
  for (const { name, value } of bindingsOf(below)) {
    const [source] = value.op === 'call' && value.fn === 'dyn.parse' ? value.args : []
    if (source?.op === 'field' && source.type === 'text') parsed.set(name, source)
  }
  if (parsed.size === 0) return rel
  const texts = new Map<string, Binding>()
  const changed = mapOwnExprs(rel, (own) =>
    mapExpr(own, (each) => {
      if (each.op !== 'call' || each.fn !== 'dyn.path') return each
      const [subject, ...steps] = each.args
      const value = subject?.op === 'field' ? parsed.get(subject.name) : undefined
      if (subject?.op !== 'field' || value === undefined) return each
      const name = `${QUERY_PREFIX}text_${subject.name}`
      texts.set(name, { name, value })
      return { ...each, args: [field(name), ...steps] }
    }),
  )
  if (texts.size === 0) return rel
  const from = withMore(below, [...texts.values()])
  return changed.op === 'select' || changed.op === 'aggregate' ? { ...changed, from } : rel
}

/** Aggregates that give a tuple of values of one row, with what gives one text of that row, and the value it is chosen by. */
const ROWS: ReadonlyMap<string, { readonly text: string; readonly by: string }> = new Map([
  ['agg.arg_max', { text: 'agg.arg_max_text', by: 'agg.max' }],
  ['agg.arg_min', { text: 'agg.arg_min_text', by: 'agg.min' }],
])

/** Types of which the greatest value alone is the value of the row that has it. */
const PLAIN: ReadonlySet<unknown> = new Set(['time', 'int', 'int32', 'span', 'text'])

/** The place in the tuple that an expression reads. */
function placeIn(expr: Expr): readonly [name: string, place: number] | undefined {
  if (expr.op !== 'call' || expr.fn !== 'tuple.at') return undefined
  const [tuple, place] = expr.args
  if (tuple?.op !== 'field' || place?.op !== 'const') return undefined
  return [tuple.name, Number(place.value)]
}

/** The places of each tuple that expressions read; a tuple that is read whole is left out. */
function placesRead(exprs: readonly Expr[]): ReadonlyMap<string, ReadonlySet<number>> {
  const places = new Map<string, Set<number>>()
  const whole = new Set<string>()
  const seen = new Set<Expr>()
  for (const expr of exprs) {
    visitExpr(expr, (each) => {
      const found = placeIn(each)
      if (found !== undefined && each.op === 'call') {
        const [name, place] = found
        places.set(name, (places.get(name) ?? new Set()).add(place))
        for (const part of each.args) seen.add(part)
      } else if (each.op === 'field' && !seen.has(each)) whole.add(each.name)
    })
  }
  for (const name of whole) places.delete(name)
  return places
}

/** What stands for each place of a tuple, and the aggregates that give it. */
interface Split {
  readonly into: readonly AggBinding[]
  readonly values: ReadonlyMap<number, Expr>
}

function split(each: AggBinding, places: ReadonlySet<number>, constants: Constants): Split {
  const [by] = each.args
  const kind = ROWS.get(each.fn)
  const values = new Map<number, Expr>()
  if (kind === undefined || by === undefined || each.where !== undefined) {
    return { into: [each], values }
  }
  const into: AggBinding[] = []
  const rest: number[] = []
  const alone = (place: number, fn: string, args: readonly Expr[], type: Expr['type']): void => {
    const name = `${each.name}_${place}`
    into.push({ name, fn, args, type })
    values.set(place, { op: 'field', name, type })
  }
  for (const place of [...places].sort((a, b) => a - b)) {
    const value = each.args[place]
    if (value === undefined) return { into: [each], values: new Map() }
    const known = value.op === 'const' ? value : constants(value)
    if (known !== undefined) values.set(place, known)
    else if (place === 0 && PLAIN.has(value.type)) alone(0, kind.by, [value], value.type)
    else if (value.type === 'text') alone(place, kind.text, [by, value], 'text')
    else rest.push(place)
  }
  if (rest.length > 0) {
    const kept = [0, ...rest.filter((place) => place > 0)]
    into.push({ ...each, args: kept.flatMap((place) => each.args[place] ?? []) })
    kept.forEach((place, at) => {
      if (values.has(place)) return
      const position: Expr = { op: 'const', value: at, type: 'int' }
      values.set(place, call('tuple.at', [field(each.name, 'dynamic'), position], 'dynamic'))
    })
  }
  return { into, values }
}

type Constants = (expr: Expr) => Expr | undefined

/** The constants among the columns below; a group has a row at least, so what all rows have, the group has. */
function constantsBelow({ from, by }: Aggregate): Constants {
  if (by.length === 0 || (from.op !== 'select' && from.op !== 'derive')) return () => undefined
  const known = new Map(bindingsOf(from).map(({ name, value }) => [name, value]))
  return (expr) => {
    const value = expr.op === 'field' ? known.get(expr.name) : undefined
    return value?.op === 'const' ? value : undefined
  }
}

/** The aggregate below a selection, with the filters between. */
function aggregateBelow(rel: Rel): Aggregate | undefined {
  if (rel.op === 'filter') return aggregateBelow(rel.from)
  return rel.op === 'aggregate' ? rel : undefined
}

function conditionsAbove(rel: Rel): readonly Expr[] {
  return rel.op === 'filter' ? [rel.where, ...conditionsAbove(rel.from)] : []
}

function replaceBelow(rel: Rel, made: Aggregate, change: (expr: Expr) => Expr): Rel {
  return rel.op === 'filter'
    ? { ...rel, where: change(rel.where), from: replaceBelow(rel.from, made, change) }
    : made
}

/** Aggregates of one row keep what the selection above reads. */
function splitRows(rel: Rel): Rel {
  if (rel.op !== 'select') return rel
  const below = aggregateBelow(rel.from)
  if (below === undefined || !below.into.some(({ fn }) => ROWS.has(fn))) return rel
  const places = placesRead([...ownExprs(rel), ...conditionsAbove(rel.from)])
  const constants = constantsBelow(below)
  const splits = new Map<string, Split>()
  for (const each of below.into) {
    const read = places.get(each.name)
    if (ROWS.has(each.fn) && read !== undefined) splits.set(each.name, split(each, read, constants))
  }
  const change = (own: Expr): Expr =>
    mapExpr(own, (each) => {
      const found = placeIn(each)
      const value = found && splits.get(found[0])?.values.get(found[1])
      return value === undefined
        ? each
        : value.op === 'call'
          ? { ...value, type: each.type }
          : value
    })
  const into = below.into.flatMap((each) => splits.get(each.name)?.into ?? [each])
  const from = replaceBelow(rel.from, { ...below, into }, change)
  return { ...rel, from, keep: rel.keep.map(({ name, value }) => ({ name, value: change(value) })) }
}

/** Reads values where they are made, and drops what nothing reads any more. */
export function inline(rel: Rel): Rel {
  const made = mapRel(rel, (each) => inlinePaths(splitRows(each)))
  return made === rel ? rel : prune(made)
}

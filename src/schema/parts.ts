/**
 * Parts of views as sets of events: union without counting an event twice, and intersection. Takes and gives view
 * parts; conditions are compared as written, so what cannot be told apart is kept apart by a negation.
 */
import { and, type Expr, not, or, TRUE } from '../ir/expr.ts'
import type { Source } from './source.ts'
import type { ViewPart } from './view.ts'

const isTrue = (expr: Expr): boolean => expr.op === 'const' && expr.value === true
const sameText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const sameFields = (a: ViewPart, b: ViewPart): boolean =>
  a.isClosed === b.isClosed && sameText([...a.fields], [...b.fields])

/** Conjunction without what is always true and without repetition. */
function allOf(parts: readonly Expr[]): Expr {
  const whole = and(parts.filter((each) => !isTrue(each)))
  if (whole.op !== 'call' || whole.fn !== 'logic.and') return whole
  return and([...new Map(whole.args.map((each) => [JSON.stringify(each), each])).values()])
}

/** The values that a condition leaves for a field by itself, or undefined when it leaves any. */
function valuesLeft(where: Expr, name: string): readonly unknown[] | undefined {
  if (where.op !== 'call') return undefined
  if (where.fn === 'logic.and') {
    for (const part of where.args) {
      const left = valuesLeft(part, name)
      if (left !== undefined) return left
    }
    return undefined
  }
  const [subject, value] = where.args
  if (subject?.op !== 'field' || subject.name !== name || value?.op !== 'const') return undefined
  if (where.fn === 'match.equals') return [value.value]
  return where.fn === 'match.in' && Array.isArray(value.value) ? value.value : undefined
}

/** True when no event can meet both conditions, told by the field that leads the source's order. */
function disjoint(a: Expr, b: Expr, order: string | undefined): boolean {
  if (order === undefined) return false
  const left = valuesLeft(a, order)
  const right = valuesLeft(b, order)
  return left !== undefined && right !== undefined && !left.some((each) => right.includes(each))
}

/** A part as it is taken up so far, with the conditions that brought it here, before any negation. */
interface Taken {
  part: ViewPart
  given: Expr
}

function addPart(taken: Taken[], part: ViewPart, order: string | undefined): void {
  const before = taken.filter((each) => each.part.source === part.source)
  if (before.some((each) => isTrue(each.given))) return
  const same = before.find((each) => sameFields(each.part, part))
  const others = before.filter((each) => each !== same && !disjoint(each.given, part.where, order))
  const where = allOf([part.where, ...others.map((each) => not(each.given))])
  if (same === undefined) taken.push({ part: { ...part, where }, given: part.where })
  else if (!sameText(same.given, part.where)) {
    const either = isTrue(where) ? TRUE : or([same.part.where, where])
    same.part = { ...same.part, where: either }
    same.given = isTrue(part.where) ? TRUE : or([same.given, part.where])
  }
}

/** The parts in the order given; of parts that overlap, the first decides how the fields of an event are read. */
export function orderedParts(
  parts: readonly ViewPart[],
  sources: ReadonlyMap<string, Source>,
): readonly ViewPart[] {
  const taken: Taken[] = []
  for (const part of parts) addPart(taken, part, sources.get(part.source)?.order)
  return taken.map((each) => each.part)
}

/**
 * The union of views in which no event counts twice: a part that takes a whole source as it is stands for all parts
 * of that source, wherever it comes.
 */
export function unionParts(
  parts: readonly ViewPart[],
  sources: ReadonlyMap<string, Source>,
): readonly ViewPart[] {
  const isWhole = (part: ViewPart): boolean => isTrue(part.where) && part.fields.size === 0
  const whole = parts.filter(isWhole)
  const merged = orderedParts([...whole, ...parts.filter((each) => !isWhole(each))], sources)
  const places = new Map(parts.map((part, index) => [part.source, index] as const).reverse())
  return [...merged].sort((a, b) => (places.get(a.source) ?? 0) - (places.get(b.source) ?? 0))
}

/**
 * The events that are in both unions. Where both map a field, the first union's mapping is kept.
 */
export function commonParts(
  first: readonly ViewPart[],
  second: readonly ViewPart[],
  sources: ReadonlyMap<string, Source>,
): readonly ViewPart[] {
  const pairs = first.flatMap((a) =>
    second
      .filter((b) => b.source === a.source)
      .filter((b) => !disjoint(a.where, b.where, sources.get(a.source)?.order))
      .map(
        (b): ViewPart => ({
          source: a.source,
          where: sameText(a.where, b.where) ? a.where : allOf([a.where, b.where]),
          fields: new Map([...b.fields, ...a.fields]),
        }),
      ),
  )
  return unionParts(pairs, sources)
}

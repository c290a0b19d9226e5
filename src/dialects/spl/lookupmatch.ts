/**
 * Rows joined with those of a lookup. Where all keys are matched exactly, the lookup is grouped by them and joined.
 * Otherwise each different key of the rows is matched once: candidates by tokens (see `functions/lookups.ts`), then
 * each of them whole; what is found is joined by the key.
 */
import { and, call, type Expr, field, number, text, texts } from '../../ir/expr.ts'
import type { AggBinding, Binding, JoinKey, Rel } from '../../ir/rel.ts'
import { isList, type Type } from '../../ir/types.ts'
import { LOOKUP_LINE } from '../../schema/lookups.ts'
import type { Context } from './command.ts'
import { ALL_LENGTHS, ALL_SHAPES } from './lookuptokens.ts'
import { asText, commonType, derived, fieldValue, type Rows } from './rows.ts'
import { present } from './searching.ts'
import type { Lookup, MatchType } from './world.ts'

const TEXTS: Type = { list: 'text' }

/** What rows are to be joined with. */
export interface LookupUse {
  readonly lookup: Lookup
  readonly keys: readonly { readonly column: string; readonly field: string }[]
  readonly outputs: readonly { readonly column: string; readonly name: string }[]
  /** True when fields that have a value keep it. */
  readonly isNew: boolean
}

/** One key: its column of the lookup, how it is matched, and the columns of the plan that carry it. */
interface Key {
  readonly column: string
  readonly match: MatchType
  readonly value: Expr
  /** In the rows: the value as it is compared. */
  readonly own: string
  /** Where keys are matched one by one: the value, or one of a list. */
  readonly single: string
  /** In the lookup: the cell as it is compared, and its token. */
  readonly cell: string
  readonly token: string
  /** In what was found: the key again. */
  readonly back: string
}

interface Output {
  readonly column: string
  readonly name: string
  /** In what was found: the texts of its column. */
  readonly list: string
}

interface Plan {
  readonly lookup: Lookup
  readonly keys: readonly Key[]
  readonly outputs: readonly Output[]
  readonly matches: string
  readonly context: Context
}

/** True for rows that take work to make, so that they are made once even if that keeps them in memory. */
function isCostly(rel: Rel): boolean {
  switch (rel.op) {
    case 'scan':
    case 'values':
      return false
    case 'filter':
    case 'derive':
    case 'select':
    case 'sort':
      return isCostly(rel.from)
    case 'union':
      return rel.all.some(isCostly)
    default:
      return true
  }
}

function compared(value: Expr, { options }: Lookup): Expr {
  const isCased: Expr = { op: 'const', value: options.isCaseSensitive, type: 'bool' }
  return isList(value.type)
    ? call('lookup.keys', [value, isCased], TEXTS)
    : call('lookup.key', [asText(value), isCased], 'text')
}

const bind = (name: string, value: Expr): Binding => ({ name, value })
const ownField = ({ own, value }: Key): Expr => field(own, isList(value.type) ? TEXTS : 'text')

/** The rows of the lookup whose cells of all keys hold something, with these cells as they are compared. */
function cellRows({ lookup, keys }: Plan): Rel {
  const cells = keys.map(({ column, cell }) => bind(cell, compared(field(column), lookup)))
  const from: Rel = { op: 'derive', from: lookup.rel, set: cells }
  const isFilled = and(keys.map(({ cell }) => present(field(cell))))
  const filled: Rel = { op: 'filter', from, where: isFilled }
  const tokens = keys.flatMap(({ match, column, cell, token }): readonly Binding[] => {
    if (match === 'exact') return []
    const made = match === 'cidr' ? 'lookup.network_token' : 'lookup.wild_token'
    const known = lookup.patterns?.get(column)?.column
    return [bind(token, known === undefined ? call(made, [field(cell)], 'text') : field(known))]
  })
  return tokens.length === 0 ? filled : { op: 'derive', from: filled, set: tokens }
}

/** What is collected of the rows that one key found. */
function collected({ lookup, keys, outputs, matches }: Plan): readonly AggBinding[] {
  const most = number(lookup.options.maxMatches)
  const networks = keys.filter(({ match }) => match === 'cidr')
  const [network] = networks
  const breadth =
    network === undefined ? number(0) : call('lookup.breadth', [field(network.token)], 'int')
  const line = field(LOOKUP_LINE, 'int')
  const lists = outputs.map(
    ({ column, list }): AggBinding => ({
      name: list,
      fn: 'lookup.list',
      args: [field(column), most, breadth, line],
      type: TEXTS,
    }),
  )
  return [...lists, { name: matches, fn: 'agg.count', args: [], type: 'int' }]
}

/** Exact keys: the lookup grouped by them. */
function exactRows(plan: Plan): Rel {
  const by = plan.keys.map(({ cell, back }) => bind(back, field(cell)))
  return { op: 'aggregate', from: cellRows(plan), by, into: collected(plan) }
}

/** Keys with patterns, networks or several values: the different keys of the rows, each with what it found. */
function matchedRows(plan: Plan, rows: Rows): Rel {
  const { keys, context } = plan
  const from: Rel = {
    op: 'filter',
    from: rows.rel,
    where: and(keys.map((key) => present(ownField(key)))),
  }
  const distinct: Rel = {
    op: 'aggregate',
    from,
    by: keys.map((key) => bind(key.back, ownField(key))),
    into: [],
  }
  const singles = keys.reduce<Rel>((below, { value, back, single }) => {
    if (!isList(value.type)) {
      return { op: 'derive', from: below, set: [bind(single, field(back, 'text'))] }
    }
    return {
      op: 'expand',
      from: below,
      list: field(back, TEXTS),
      as: single,
    }
  }, distinct)
  const cells = cellRows(plan)
  const driver = keys.find(({ match }) => match !== 'exact')
  const on: JoinKey[] = keys
    .filter(({ match }) => match === 'exact')
    .map(({ single, cell }) => ({ left: field(single), right: field(cell) }))
  let left = singles
  if (driver !== undefined) {
    const probe = context.hidden('p')
    left = { op: 'expand', from: singles, list: probesOf(driver, cells, plan), as: probe }
    on.unshift({ left: field(probe), right: field(driver.token) })
  }
  const candidates: Rel = { op: 'join', how: 'inner', left, right: cells, on }
  const tests = keys.flatMap(({ match, single, cell, token }): readonly Expr[] => {
    if (match === 'wildcard') return [call('lookup.fits', [field(single), field(cell)])]
    return match === 'cidr' ? [call('lookup.in_network', [field(single), field(token)])] : []
  })
  return {
    op: 'aggregate',
    from: { op: 'filter', from: candidates, where: and(tests) },
    by: keys.map((key) => bind(key.back, field(key.back, isList(key.value.type) ? TEXTS : 'text'))),
    into: collected(plan),
  }
}

/** The tokens by which a value can be found among those of the cells. */
function probesOf({ match, column, single, token }: Key, cells: Rel, plan: Plan): Expr {
  const { lookup, context } = plan
  const value = field(single)
  const known = lookup.patterns?.get(column)
  if (match === 'cidr') {
    return call('lookup.network_probes', [value, texts(known?.shapes ?? ALL_LENGTHS)], TEXTS)
  }
  const shapes = texts(known?.shapes ?? ALL_SHAPES)
  if (known?.stubs !== undefined) {
    return call('lookup.wild_probes', [value, texts(known.stubs), shapes], TEXTS)
  }
  const stub = context.hidden('t')
  const stubs: Rel = {
    op: 'expand',
    from: { op: 'select', from: cells, keep: [bind(token, field(token))] },
    list: call('lookup.stubs', [field(token)], TEXTS),
    as: stub,
  }
  const tokens: Expr = {
    op: 'query',
    rel: { op: 'select', from: stubs, keep: [bind(stub, field(stub))] },
    gives: 'set',
    type: 'text',
  }
  return call('lookup.wild_probes', [value, tokens, shapes], TEXTS)
}

/** A field after the lookup: what was found, or what stands for too few matches. */
function outputOf({ list, name }: Output, plan: Plan, rows: Rows, isNew: boolean): Expr {
  const { lookup, keys, matches } = plan
  const { defaultMatch, minMatches, maxMatches } = lookup.options
  const found = field(list, TEXTS)
  const least = Math.min(minMatches, maxMatches)
  const whole: Expr =
    least === 0 || defaultMatch === ''
      ? found
      : {
          op: 'case',
          // A row without a key is not looked up, so that nothing stands for its matches either.
          when: [
            [
              and(keys.map((key) => present(ownField(key)))),
              call(
                'lookup.padded',
                [found, field(matches, 'int'), number(least), text(defaultMatch)],
                TEXTS,
              ),
            ],
          ],
          otherwise: found,
          type: TEXTS,
        }
  const made = maxMatches === 1 ? call('lookup.found', [whole], 'text') : whole
  return isNew ? kept(fieldValue(rows, name), made) : made
}

/** What a field has, or else what was found for it. */
function kept(before: Expr, made: Expr): Expr {
  if (before.type === 'null') return made
  const type = commonType([before.type, made.type])
  const both = [before, made].map((each) =>
    isList(type) && !isList(each.type)
      ? call('mv.of', [asText(each)], TEXTS)
      : isList(type)
        ? each
        : asText(each),
  )
  const [old = before, now = made] = both
  return {
    op: 'case',
    when: [[present(old), old]],
    otherwise: now,
    type: isList(type) ? type : 'text',
  }
}

/** Rows with nothing found: outputs are emptied, or left as they are. */
function missed(use: LookupUse, rows: Rows): Rows {
  const type: Type = use.lookup.options.maxMatches === 1 ? 'text' : TEXTS
  const none: Expr = { op: 'const', value: isList(type) ? [] : null, type }
  const set = use.outputs
    .filter(({ name }) => !use.isNew || !rows.fields.has(name))
    .map(({ name }) => bind(name, none))
  return derived(rows, set)
}

/**
 * What rows were before the lookup that made them, and the fields that it has set: a further lookup by other fields
 * takes its keys from there, so that a chain of lookups reads its rows once for each, not twice as often with each.
 */
const origins = new WeakMap<Rel, { readonly rows: Rows; readonly set: ReadonlySet<string> }>()

/** The earliest rows that have the same values of these fields. */
function originOf(rows: Rows, names: readonly string[]): Rows {
  const origin = origins.get(rows.rel)
  if (origin === undefined || names.some((each) => origin.set.has(each))) return rows
  return originOf(origin.rows, names)
}

/** Rows with the outputs of a lookup. */
export function lookedUp(use: LookupUse, before: Rows, context: Context): Rows {
  const { lookup, isNew } = use
  if (use.keys.some(({ field: name }) => !before.fields.has(name))) return missed(use, before)
  const keys = use.keys.map(({ column, field: name }): Key => {
    const value = fieldValue(before, name)
    const [own, single, cell, token, back] = ['k', 'e', 'c', 't', 'b'].map((label) =>
      context.hidden(label),
    ) as [string, string, string, string, string]
    const match = lookup.options.match.get(column) ?? 'exact'
    return { column, match, value, own, single, cell, token, back }
  })
  const outputs = use.outputs.map((each) => ({ ...each, list: context.hidden('l') }))
  const plan: Plan = { lookup, keys, outputs, matches: context.hidden('m'), context }
  const isDirect = keys.every(({ match, value }) => match === 'exact' && !isList(value.type))
  const names = use.keys.map((each) => each.field)
  const origin = originOf(before, names)
  const own = keys.map(({ own: name, value }) => bind(name, compared(value, lookup)))
  const isShared = !isDirect && origin === before && isCostly(before.rel)
  const start = isShared ? context.shared(before) : before
  const rows = derived(start, own)
  const right = isDirect
    ? exactRows(plan)
    : matchedRows(plan, origin === before ? rows : derived(origin, own))
  const joined: Rel = {
    op: 'join',
    how: 'left',
    left: rows.rel,
    right,
    on: keys.map((key) => ({
      left: ownField(key),
      right: field(key.back, isList(key.value.type) ? TEXTS : 'text'),
    })),
  }
  const set = outputs.map((each) => bind(each.name, outputOf(each, plan, rows, isNew)))
  const made = derived({ ...rows, rel: joined }, set)
  origins.set(made.rel, { rows: start, set: new Set(use.outputs.map((each) => each.name)) })
  return made
}

/** Rows with what is computed from the key of a lookup. */
export function computedBy(use: LookupUse, rows: Rows): Rows {
  const [key] = use.keys
  const value: Expr = key === undefined ? text('') : fieldValue(rows, key.field)
  const set = use.outputs.flatMap(({ column, name }): readonly Binding[] => {
    const fn = use.lookup.computed?.get(column)
    if (fn === undefined) return []
    const made = call(fn, [asText(value)], 'float')
    const old = fieldValue(rows, name)
    if (!use.isNew || old.type === 'null') return [bind(name, made)]
    return [
      bind(name, {
        op: 'case',
        when: [[present(old), asText(old)]],
        otherwise: call('eval.text', [made], 'text'),
        type: 'text',
      }),
    ]
  })
  return derived(rows, set)
}

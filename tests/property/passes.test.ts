/** Random plans: with all passes, with each pass alone, and with none, the rows are the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  and,
  type ConstValue,
  call,
  type Expr,
  field,
  not,
  or,
  text,
  texts,
} from '../../src/ir/expr.ts'
import { printRel } from '../../src/ir/print.ts'
import { type Rel, schemaOf } from '../../src/ir/rel.ts'
import type { Field, Schema } from '../../src/ir/types.ts'
import { mapExpr } from '../../src/ir/walk.ts'
import { foldExpr } from '../../src/plan/fold.ts'
import { optimise, passes } from '../../src/plan/passes.ts'
import { printSql } from '../../src/sql/print.ts'
import { type Random, randomFrom } from '../../tools/random.ts'
import { allRows, type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

const PLANS = 250
const WORDS = ['', 'a', 'B', 'ab', 'AB', 'abc', 'é', 'x_y', '50%', 'c:\\x', null] as const
const TESTS = [
  'match.equals',
  'match.contains',
  'match.starts',
  'match.ends',
  'match.equals_cased',
] as const

function randomScan(random: Random): Rel {
  const out: readonly Field[] = ['f', 'g', 'h'].map((name) => ({ name, type: 'text' }))
  const rows = Array.from({ length: random.below(7) }, () => out.map(() => random.pick(WORDS)))
  return { op: 'values', rows, out }
}

function randomText(random: Random, schema: Schema): Expr {
  if (random.next() < 0.1) return { op: 'const', value: null, type: 'null' }
  const name = random.pick(schema).name
  return random.next() < 0.15
    ? call('value.map', [field(name), texts(['a', 'B']), texts(['B', 'c'])], 'text')
    : field(name)
}

function randomTest(random: Random, schema: Schema, depth: number): Expr {
  const again = (): Expr => randomTest(random, schema, depth - 1)
  const roll = depth > 0 ? random.below(8) : 7
  if (roll === 0) return and([again(), again()])
  if (roll === 1) return or([again(), again(), again()])
  if (roll === 2) return not(again())
  if (roll === 3) return { op: 'const', value: random.next() < 0.5, type: 'bool' }
  if (roll === 4) return call('value.is_null', [randomText(random, schema)])
  if (roll === 5) return call('match.in', [randomText(random, schema), texts(['a', 'AB', ''])])
  return call(random.pick(TESTS), [
    randomText(random, schema),
    text(random.pick(WORDS.filter((each) => each !== null))),
  ])
}

function randomRel(random: Random, depth: number): Rel {
  if (depth === 0) return randomScan(random)
  const from = randomRel(random, depth - 1)
  const schema = schemaOf(from)
  switch (random.below(6)) {
    case 0:
      return {
        op: 'derive',
        from,
        set: [{ name: random.pick(['f', 'd']), value: randomText(random, schema) }],
      }
    case 1:
      return {
        op: 'select',
        from,
        keep: schema
          .filter((_, index) => index === 0 || random.next() < 0.8)
          .map(({ name }) => ({ name, value: field(name) })),
      }
    case 2: {
      const names = schema.map((each) => each.name)
      const other: Rel = {
        op: 'values',
        rows: [names.map(() => random.pick(WORDS))],
        out: names.map((name) => ({ name, type: 'text' })),
      }
      return { op: 'union', all: [from, other] }
    }
    default:
      return { op: 'filter', from, where: randomTest(random, schema, 2) }
  }
}

let opened: TemporaryEngine
beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

/** The rows in a fixed order; plans without a sort promise none. */
async function rowsOf(rel: Rel): Promise<readonly string[]> {
  const named: Rel = {
    op: 'select',
    from: rel,
    keep: schemaOf(rel).map(({ name, type }) => ({ name, value: field(name, type) })),
  }
  const rows = await allRows(opened.engine, printSql(named))
  return rows.map((row) => JSON.stringify(row)).sort()
}

type Row = ReadonlyMap<string, ConstValue>

/** What an expression gives for a row, by the constant folder alone. */
function valueIn(expr: Expr, row: Row): ConstValue {
  const bound = mapExpr(expr, (each): Expr => {
    if (each.op !== 'field') return each
    const value = row.get(each.name) ?? null
    return { op: 'const', value, type: value === null ? 'null' : 'text' }
  })
  const mapped = mapExpr(bound, (each): Expr => {
    if (each.op !== 'call' || each.fn !== 'value.map') return foldExpr(each)
    const [text, from, to] = each.args.map((arg) => (arg.op === 'const' ? arg.value : null))
    const place = Array.isArray(from) ? from.indexOf(text) : -1
    const value = place < 0 || !Array.isArray(to) ? (text ?? null) : (to[place] ?? null)
    return { op: 'const', value, type: value === null ? 'null' : 'text' }
  })
  const folded = foldExpr(mapped)
  if (folded.op !== 'const') throw new Error(`not folded: ${JSON.stringify(folded)}`)
  return folded.value
}

/** The rows of a plan without the engine, straight from the meaning of each relation. */
function evaluate(rel: Rel): readonly Row[] {
  switch (rel.op) {
    case 'values':
      return rel.rows.map((row) => new Map(rel.out.map(({ name }, at) => [name, row[at] ?? null])))
    case 'filter':
      return evaluate(rel.from).filter((row) => valueIn(rel.where, row) === true)
    case 'derive':
      return evaluate(rel.from).map(
        (row) =>
          new Map([
            ...row,
            ...rel.set.map(({ name, value }) => [name, valueIn(value, row)] as const),
          ]),
      )
    case 'select':
      return evaluate(rel.from).map(
        (row) => new Map(rel.keep.map(({ name, value }) => [name, valueIn(value, row)] as const)),
      )
    case 'union':
      return rel.all.flatMap(evaluate)
    default:
      throw new Error(`no meaning here for ${rel.op}`)
  }
}

describe('passes', () => {
  it('print plans whose rows are what the relations mean', async () => {
    const random = randomFrom(99)
    for (let index = 0; index < PLANS; index++) {
      const rel = randomRel(random, 1 + random.below(4))
      const names = schemaOf(rel).map((each) => each.name)
      const wanted = evaluate(rel)
        .map((row) => JSON.stringify(names.map((name) => row.get(name) ?? null)))
        .sort()
      expect(await rowsOf(rel), printRel(rel)).toEqual(wanted)
    }
  })

  it(`keep the rows of ${PLANS} random plans`, async () => {
    const random = randomFrom(20_261_121)
    let withRows = 0
    for (let index = 0; index < PLANS; index++) {
      const rel = randomRel(random, 1 + random.below(4))
      const wanted = await rowsOf(rel)
      if (wanted.length > 0) withRows++
      const plans: readonly (readonly [string, Rel])[] = [
        ['all', optimise(rel)],
        ...passes.map((pass) => [pass.name, pass.run(rel)] as const),
      ]
      for (const [name, plan] of plans) {
        expect(await rowsOf(plan), `${name}\n${printRel(rel)}\n=>\n${printRel(plan)}`).toEqual(
          wanted,
        )
      }
    }
    expect(withRows).toBeGreaterThan(PLANS / 4)
  })

  it('tells the rows where a test holds from those where it does not', async () => {
    const random = randomFrom(3)
    for (let index = 0; index < 80; index++) {
      const from = randomScan(random)
      const where = randomTest(random, schemaOf(from), 3)
      const [all, yes, no] = await Promise.all([
        rowsOf(from),
        rowsOf({ op: 'filter', from, where }),
        rowsOf({ op: 'filter', from, where: not(where) }),
      ])
      expect([...yes, ...no].sort(), printRel({ op: 'filter', from, where })).toEqual(all)
    }
  })
})

/** One compiled query on the engine: every type from the plan to a typed value. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planQuery, type QueryWorld, queryRows } from '../../src/detect/runquery.ts'
import type { Value } from '../../src/detect/values.ts'
import type { Rel, Scalar } from '../../src/ir/rel.ts'
import type { BaseType } from '../../src/ir/types.ts'
import { readyMadeSchema } from '../../tools/product.ts'
import { type TemporaryEngine, temporaryEngine } from '../support/temporary.ts'

let opened: TemporaryEngine
beforeAll(async () => {
  opened = await temporaryEngine()
})
afterAll(() => opened.close())

const world: QueryWorld = { schema: readyMadeSchema(), stored: new Map(), time: {} }

async function valuesOf(rel: Rel): Promise<readonly (readonly Value[])[]> {
  const { value: plan } = planQuery(rel, world)
  if (plan === undefined) throw new Error('no plan')
  const rows: (readonly Value[])[] = []
  for await (const row of queryRows(opened.engine, plan)) rows.push(row)
  return rows
}

describe('one compiled query', () => {
  it.each<readonly [BaseType, readonly Scalar[], readonly Value[]]>([
    ['bool', [true, false, null], [true, false, null]],
    ['int32', [2_147_483_647, null], [2_147_483_647n, null]],
    ['int', ['9223372036854775807', 1, null], [9_223_372_036_854_775_807n, 1n, null]],
    ['float', [0.1, Number.POSITIVE_INFINITY, null], [0.1, Number.POSITIVE_INFINITY, null]],
    ['decimal', ['12345678901234567890.5', null], ['12345678901234567890.5', null]],
    ['text', ['', "it's \\ \n"], ['', "it's \\ \n"]],
    [
      'time',
      ['0001-01-01T00:00:00.0000001Z', '9999-12-31T23:59:59.9999999Z', null],
      ['0001-01-01T00:00:00.0000001Z', '9999-12-31T23:59:59.9999999Z', null],
    ],
    ['time', ['1600-02-29T12:00:00.0000000Z'], ['1600-02-29T12:00:00.0000000Z']],
    ['span', [-1, null], [-1n, null]],
    [
      'guid',
      ['74be27de-1e4e-49d9-b579-fe0b331d3642', null],
      ['74be27de-1e4e-49d9-b579-fe0b331d3642', null],
    ],
    ['dynamic', ['{"a":1}', null], ['{"a":1}', null]],
  ])('gives values of type %s', async (type, given, wanted) => {
    const rows = given.map((each) => [each])
    const rel: Rel = { op: 'values', rows, out: [{ name: 'x', type }] }
    expect((await valuesOf(rel)).map(([value]) => value)).toEqual(wanted)
  })

  it('reads every table within the bounds it is given, and within its own', () => {
    const time = { from: '2026-01-02T00:00:00.0000000Z', to: '2026-01-09T00:00:00.0000000Z' }
    const rel: Rel = {
      op: 'scan',
      table: { kind: 'source', name: 'some' },
      time,
      out: [{ name: 'x', type: 'text' }],
    }
    const bounds = { from: '2026-01-01T00:00:00.0000000Z', to: '2026-01-08T00:00:00.0000000Z' }
    const plan = planQuery(rel, { ...world, time: bounds }).value
    expect(plan?.rel).toMatchObject({ time: { from: time.from, to: bounds.to } })
  })
})

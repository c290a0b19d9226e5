/** What SPL's commands on fields with several values need: texts taken apart into lists, and lists made one text. */
import { ELEMENT, evalFunction, LIST, list, listOf, text, textOf } from './evalvalue.ts'
import { once, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { literal, sql } from './sql.ts'
import { stats } from './statsshape.ts'

export const changeFunctions: readonly FunctionRecord[] = [
  evalFunction('mv.tokens', [], {
    says: 'What a pattern (RE2, already checked) with a group finds in a text, all over: the first group of each find.',
    takes: [text('text'), text('pattern', { constant: true })],
    gives: LIST,
    sql: (args) =>
      sql`extractAll(ifNull(${textOf(arg(args, 0))}, ''), ${literal(constText(args, 1))})`,
    examples: [
      { args: ['a,b,c', '([^,]+),?'], gives: ['a', 'b', 'c'] },
      { args: [null, '(.)'], as: ['text', 'text'], gives: [] },
    ],
  }),
  evalFunction('mv.filled', [], {
    says: 'The values that are not empty.',
    takes: [list('values')],
    gives: LIST,
    sql: (args) => sql`arrayFilter(${ELEMENT} -> ${ELEMENT} != '', ${listOf(arg(args, 0))})`,
    examples: [{ args: [['a', '', 'b']], gives: ['a', 'b'] }],
  }),
  evalFunction('mv.places', [], {
    says: 'The places of values, from 1, as numbers: of at most so many (0: all), and the place 0 for none.',
    takes: [list('values'), { name: 'most', type: 'int', constant: true }],
    gives: { list: 'int' },
    sql: (args) => {
      const most = arg(args, 1).value
      return once(listOf(arg(args, 0)), VARIABLES.a, (v) => {
        const size = most === 0 ? sql`length(${v})` : sql`least(length(${v}), ${arg(args, 1).sql})`
        return sql`if(empty(${v}), [toInt64(0)], arrayMap(${ELEMENT} -> toInt64(${ELEMENT}), range(1, toUInt32(${size}) + 1)))`
      })
    },
    examples: [
      { args: [['a', 'b', 'c'], 2], gives: [1, 2] },
      { args: [[], 0], as: [LIST, 'int'], gives: [0] },
    ],
  }),
  evalFunction('mv.at_place', [], {
    says: 'The value at a place, counted from 1; missing at 0.',
    takes: [list('values'), { name: 'place', type: 'int' }],
    gives: 'text',
    sql: (args) =>
      once(
        arg(args, 1).sql,
        VARIABLES.a,
        (p) => sql`if(ifNull(${p}, 0) < 1, NULL, ${listOf(arg(args, 0))}[ifNull(${p}, 1)])`,
      ),
    examples: [
      { args: [['a', 'b'], 2], gives: 'b' },
      { args: [['a', 'b'], 0], gives: null },
    ],
  }),
  stats('gathered', [], {
    says: 'All values of the rows of a group, in the order of the rows.',
    takes: [list('values'), { name: 'order', type: 'int' }],
    ordered: true,
    gives: LIST,
    sql: (args) => sql`groupArray((${arg(args, 1).sql}, ${listOf(arg(args, 0))}))`,
    finish: (made) =>
      sql`arrayFlatten(arrayMap(${ELEMENT} -> ${ELEMENT}.2, arraySort(${ELEMENT} -> ${ELEMENT}.1, ${made})))`,
  }),
]

/** What Splunk's `transaction` needs beside windows: pieces of a size, and the cuts that a greatest span makes. */
import { arg, type FunctionRecord } from './record.ts'
import { sql } from './sql.ts'

export const transactionFunctions: readonly FunctionRecord[] = [
  {
    id: 'number.chunk',
    says: 'The number, from 0, of the piece that a place (from 1) is in, when pieces have a size.',
    takes: [
      { name: 'place', type: 'int' },
      { name: 'size', type: 'int', constant: true },
    ],
    gives: 'int',
    onNull: 'null',
    sql: (args) => sql`intDiv(${arg(args, 0).sql} - 1, ${arg(args, 1).sql})`,
    examples: [
      { args: [1, 3], gives: 0 },
      { args: [4, 3], gives: 1 },
    ],
  },
  {
    id: 'transaction.cuts',
    says: 'The numbers of the events, from the newest back, at which a transaction begins: the first, those that are cut, and those that are further from the newest event of theirs than a span, or more than fit.',
    takes: [
      { name: 'time', type: 'float' },
      { name: 'number', type: 'int' },
      { name: 'cut', type: 'int' },
      { name: 'span', type: 'float', constant: true },
      { name: 'events', type: 'int', constant: true },
    ],
    gives: { list: 'int' },
    onNull: 'own',
    aggregate: true,
    sql: (args) => {
      const [time, number, cut] = [arg(args, 0).sql, arg(args, 1).sql, arg(args, 2).sql]
      return sql`groupArray(tuple(assumeNotNull(${number}), assumeNotNull(${time}), assumeNotNull(${cut})))`
    },
    finish: (made, args) => {
      const [span, events] = [arg(args, 3).sql, arg(args, 4).sql]
      const isCut = sql`(e.3 = 1 OR a.2 - e.2 > ${span} OR a.3 >= ${events} OR empty(a.1))`
      const step = sql`if(${isCut}, tuple(arrayPushBack(a.1, e.1), e.2, toInt64(1)), tuple(a.1, a.2, a.3 + 1))`
      return sql`arrayFold((a, e) -> ${step}, arraySort(${made}), tuple(CAST([] AS Array(Int64)), toFloat64(0), toInt64(0))).1`
    },
    examples: [],
  },
]

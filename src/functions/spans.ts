/** Instants and lengths of time written in a given form, and lengths of time made of parts. */

import { converted, wholeReal } from './casts.ts'
import { ticksOfDay } from './moments.ts'
import { once, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, sql } from './sql.ts'

/** Runs of one letter, and all else character by character. */
const PIECE = /d+|f+|F+|h+|H+|m+|M+|s+|y+|t+|./gsu
const LETTER = /^[A-Za-z]/

type Writer = (value: Sql) => Sql

const padded = (value: Sql, width: number): Sql =>
  width === 1 ? sql`toString(${value})` : sql`leftPad(toString(${value}), ${literal(width)}, '0')`

/** The first digits of a fraction of seven. */
function fraction(ticks: Sql, width: number): Sql {
  return sql`substring(leftPad(toString(${ticks} % 10000000), 7, '0'), 1, ${literal(width)})`
}

function shortFraction(ticks: Sql, width: number): Sql {
  return sql`trimRight(${fraction(ticks, width)}, '0')`
}

/** The parts of a clock; `ticks` counts from midnight. */
function clockPart(piece: string): Writer | undefined {
  const size = piece.length
  switch (piece[0]) {
    case 'H':
      return size > 2 ? undefined : (ticks) => padded(sql`intDiv(${ticks}, 36000000000)`, size)
    case 'm':
      return size > 2 ? undefined : (ticks) => padded(sql`intDiv(${ticks}, 600000000) % 60`, size)
    case 's':
      return size > 2 ? undefined : (ticks) => padded(sql`intDiv(${ticks}, 10000000) % 60`, size)
    case 'f':
      return size > 7 ? undefined : (ticks) => fraction(ticks, size)
    case 'F':
      return size > 7 ? undefined : (ticks) => shortFraction(ticks, size)
    default:
      return undefined
  }
}

function momentPart(piece: string): Writer | undefined {
  switch (piece) {
    case 'd':
    case 'dd':
      return (time) => padded(sql`toDayOfMonth(${time})`, piece.length)
    case 'M':
    case 'MM':
      return (time) => padded(sql`toMonth(${time})`, piece.length)
    case 'y':
    case 'yy':
      return (time) => padded(sql`toYear(${time}) % 100`, piece.length)
    case 'yyyy':
      return (time) => padded(sql`toYear(${time})`, 4)
    case 'h':
    case 'hh':
      return (time) =>
        padded(sql`(intDiv(${ticksOfDay(time)}, 36000000000) + 11) % 12 + 1`, piece.length)
    case 'tt':
      return (time) => sql`if(${ticksOfDay(time)} < 432000000000, 'AM', 'PM')`
    default: {
      const clock = clockPart(piece)
      return clock === undefined ? undefined : (time) => clock(ticksOfDay(time))
    }
  }
}

/** `ticks` of a length of time without its sign. */
function spanPart(piece: string): Writer | undefined {
  const letter = piece[0]
  if (letter === 'd') {
    return piece.length > 8
      ? undefined
      : (ticks) => wide(sql`intDiv(${ticks}, 864000000000)`, piece.length)
  }
  const clock = clockPart(letter === 'h' ? piece.toUpperCase() : piece)
  return clock === undefined ? undefined : (ticks) => clock(sql`(${ticks} % 864000000000)`)
}

/** A number of at least so many digits; more where it needs them. */
function wide(value: Sql, width: number): Sql {
  const text = sql`toString(${value})`
  return width === 1
    ? text
    : sql`leftPad(${text}, greatest(length(${text}), ${literal(width)}), '0')`
}

function piecesOf(format: string): readonly string[] {
  return format.match(PIECE) ?? []
}

/** Says which letters of a form are none; forms of attackers are bounded like every text of a rule. */
function wrongPiece(part: (piece: string) => Writer | undefined) {
  return (value: unknown): string | undefined => {
    if (typeof value !== 'string') return 'it must be a text'
    const found = piecesOf(value).find(
      (piece) => LETTER.test(piece) && !LITERAL.has(piece) && part(piece) === undefined,
    )
    return found === undefined ? undefined : `"${found}" is no part that can be written`
  }
}

/** Letters that stand for themselves, as in ISO 8601. */
const LITERAL = new Set(['T', 'Z'])

function written(format: string, part: (piece: string) => Writer | undefined, value: Sql): Sql {
  const pieces: Sql[] = []
  let plain = ''
  for (const piece of piecesOf(format)) {
    const writer = part(piece)
    if (writer === undefined) {
      plain += piece
      continue
    }
    if (plain !== '') pieces.push(sql`${literal(plain)}`)
    plain = ''
    pieces.push(writer(value))
  }
  if (plain !== '') pieces.push(sql`${literal(plain)}`)
  return pieces.length === 0 ? sql`''` : sql`concat(${joined(pieces, ', ')}, '')`
}

const formatMoment: FunctionRecord = {
  id: 'time.format',
  says: 'An instant written in a form of d, f, F, h, H, m, M, s, t and y; empty for a missing one.',
  takes: [
    { name: 'time', type: 'time' },
    { name: 'format', type: 'text', constant: true, wrong: wrongPiece(momentPart) },
  ],
  gives: 'text',
  onNull: 'own',
  spelled: { kusto: ['format_datetime'] },
  sql: (args) =>
    once(
      arg(args, 0).sql,
      VARIABLES.t,
      (time) =>
        sql`if(isNull(${time}), '', assumeNotNull(${written(constText(args, 1), momentPart, time)}))`,
    ),
  examples: [
    { args: ['2017-01-29T09:00:05.0000000Z', 'yy-MM-dd [HH:mm:ss]'], gives: '17-01-29 [09:00:05]' },
    {
      args: ['2020-06-15T13:45:09.0000000Z', 'M/d/yyyy h:mm:ss tt'],
      gives: '6/15/2020 1:45:09 PM',
    },
    { args: ['2020-06-15T00:00:00.0000000Z', 'hh tt'], gives: '12 AM' },
    { args: ['2020-06-15T13:45:09.1234567Z', 'ffffff'], gives: '123456' },
    { args: ['2020-06-15T13:45:09.1200000Z', 'ss.FFF'], gives: '09.12' },
    { args: ['2020-06-15T13:45:09.0000000Z', 'FFFFFFF'], gives: '' },
    {
      args: ['0099-06-05T13:45:09.0000000Z', 'yyyy-MM-ddTHH:mm:ssZ'],
      gives: '0099-06-05T13:45:09Z',
    },
    { args: [null, 'yyyy'], gives: '' },
  ],
}

const formatSpan: FunctionRecord = {
  id: 'span.format',
  says: 'A length of time written in a form of d, f, F, h, H, m and s, with its sign; empty for a missing one.',
  takes: [
    { name: 'span', type: 'span' },
    { name: 'format', type: 'text', constant: true, wrong: wrongPiece(spanPart) },
  ],
  gives: 'text',
  onNull: 'own',
  spelled: { kusto: ['format_timespan'] },
  sql: (args) =>
    once(arg(args, 0).sql, VARIABLES.t, (span) => {
      const size = sql`abs(${span})`
      const whole = written(constText(args, 1), spanPart, size)
      return sql`if(isNull(${span}), '', assumeNotNull(concat(if(${span} < 0, '-', ''), ${whole})))`
    }),
  examples: [
    { args: [25450051234500, 'dd.hh:mm:ss:FF'], gives: '29.10:56:45:12' },
    { args: [25380051234500, 'ddd.h:mm:ss [fffffff]'], gives: '029.9:00:05 [1234500]' },
    { args: [-90000000000, 'hh:mm'], gives: '-02:30' },
    { args: [936600000000, 'h:m'], gives: '2:1' },
    { args: [1728000000000, 'd'], gives: '2' },
    { args: [null, 'd'], gives: '' },
  ],
}

const makeSpan: FunctionRecord = {
  id: 'span.make',
  says: 'The length of time of days, hours, minutes and seconds (days first only when there are four); missing where a part is too large.',
  takes: [{ name: 'part', type: 'any', many: true }],
  gives: 'span',
  onNull: 'own',
  spelled: { kusto: ['make_timespan'] },
  sql: (args) => {
    if (args.length === 1) return converted(arg(args, 0), 'span')
    const [days, hours, minutes, seconds] = args.length > 3 ? args : [undefined, ...args]
    const within = (given: (typeof args)[number] | undefined, below: number): Sql =>
      given === undefined
        ? sql`0`
        : once(
            converted(given, 'int'),
            VARIABLES.c,
            (n) => sql`if(${n} >= 0 AND ${n} < ${literal(below)}, ${n}, NULL)`,
          )
    const ticks =
      seconds === undefined
        ? sql`0`
        : once(
            converted(seconds, 'float'),
            VARIABLES.c,
            (s) =>
              sql`if(${s} >= 0 AND ${s} < 60, ${wholeReal(sql`round(${s} * 10000000)`)}, NULL)`,
          )
    return sql`toInt64(((${within(days, 10_675_199)} * 24 + ${within(hours, 24)}) * 60 + ${within(minutes, 60)}) * 600000000 + ${ticks})`
  },
  examples: [
    { args: [1, 2, 3], gives: 37230000000 },
    { args: [1, 30], gives: 54000000000 },
    { args: [1, 2, 3, 4.5], as: ['int', 'int', 'int', 'float'], gives: 937845000000 },
    { args: [0, 25, 1, 1], gives: null },
    { args: [-1, 2], gives: null },
    { args: [1, null], as: ['int', 'int'], gives: null },
  ],
}

export const spanFunctions: readonly FunctionRecord[] = [formatMoment, formatSpan, makeSpan]

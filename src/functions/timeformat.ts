/**
 * Times as texts in formats of the C kind, as Splunk has them (`%Y-%m-%dT%H:%M:%S.%3N`): printed by `strftime` and read
 * by `strptime`. A format is a constant, taken apart before the query; times are seconds since 1970, in UTC.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/time-format-variables-and-modifiers/date-and-time-format-variables
 */
import { daysOf, evalFunction, number, numberOf, text, textOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { joined, literal, type Sql, sql } from './sql.ts'

type Token = { readonly plain: string } | { readonly variable: string }

/** Variables that stand for several others. */
const SHORT: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  F: '%Y-%m-%d',
  D: '%m/%d/%y',
  R: '%H:%M',
  c: '%a %b %e %H:%M:%S %Y',
  '+': '%a %b %e %H:%M:%S %Z %Y',
  x: '%m/%d/%Y',
  X: '%H:%M:%S',
  r: '%I:%M:%S %p',
  h: '%b',
}

/** The parts of a format; a `%` at its end is itself. */
function tokensOf(format: string): readonly Token[] {
  const tokens: Token[] = []
  let plain = ''
  for (const [part = '', variable] of format.matchAll(/%([369]?[NQ]|E?z|:{0,3}z|.)|[^%]+|%/gsu)) {
    if (variable === undefined || variable === '%') {
      plain += variable === '%' ? '%' : part
      continue
    }
    if (plain !== '') tokens.push({ plain })
    plain = ''
    const short = Object.hasOwn(SHORT, variable) ? SHORT[variable] : undefined
    if (short === undefined) tokens.push({ variable })
    else tokens.push(...tokensOf(short))
  }
  return plain === '' ? tokens : [...tokens, { plain }]
}

const { t: TIME, g: GROUPS } = VARIABLES

/** What the engine's own formatter prints for variables; it has other letters. */
const NATIVE: Readonly<Record<string, string>> = {
  Y: '%Y',
  y: '%y',
  m: '%m',
  d: '%d',
  H: '%H',
  I: '%I',
  M: '%i',
  S: '%S',
  p: '%p',
  a: '%a',
  A: '%W',
  b: '%b',
  B: '%M',
  j: '%j',
  w: '%w',
  u: '%u',
  V: '%V',
  G: '%G',
  f: '%f',
  n: '\n',
  t: '\t',
  z: '+0000',
  ':z': '+00:00',
  '::z': '+00:00:00',
  ':::z': '+00',
  Ez: '+0',
  Z: 'UTC',
}

const padded = (value: Sql): Sql => sql`leftPad(toString(${value}), 2, ' ')`
const week = (weekday: Sql): Sql =>
  sql`leftPad(toString(intDiv(toDayOfYear(${TIME}) + 6 - ${weekday}, 7)), 2, '0')`
const fraction = (digits: number): Sql =>
  sql`substring(concat(formatDateTime(${TIME}, '%f', 'UTC'), '000'), 1, ${literal(digits)})`

/** What the engine's formatter has no letter for. */
const COMPUTED: Readonly<Record<string, Sql>> = {
  e: padded(sql`toDayOfMonth(${TIME})`),
  k: padded(sql`toHour(${TIME})`),
  l: padded(sql`(toHour(${TIME}) + 11) % 12 + 1`),
  s: sql`toString(toUnixTimestamp64Second(${TIME}))`,
  U: week(sql`toDayOfWeek(${TIME}) % 7`),
  W: week(sql`(toDayOfWeek(${TIME}) + 6) % 7`),
  N: fraction(9),
  '9N': fraction(9),
  '6N': fraction(6),
  '3N': fraction(3),
  Q: fraction(3),
  '9Q': fraction(9),
  '6Q': fraction(6),
  '3Q': fraction(3),
}

/** First and last second of the times that the engine can print: 1900 to 2299. */
const [EARLIEST, LATEST] = [sql`-2208988800`, sql`10413792000`]

/** An instant of the engine; NULL outside of what it holds. */
export function instantOf(seconds: Sql): Sql {
  return named(
    seconds,
    VARIABLES.c,
    (v) =>
      sql`if(${v} >= ${EARLIEST} AND ${v} < ${LATEST}, fromUnixTimestamp64Micro(toInt64(round(if(${v} >= ${EARLIEST} AND ${v} < ${LATEST}, ${v}, 0) * 1000000)), 'UTC'), NULL)`,
  )
}

function printed(format: string): Sql {
  const parts: Sql[] = []
  let native = ''
  const flush = (): void => {
    if (native !== '') parts.push(sql`formatDateTime(${TIME}, ${literal(native)}, 'UTC')`)
    native = ''
  }
  for (const token of tokensOf(format)) {
    if ('plain' in token) native += token.plain.replaceAll('%', '%%')
    else if (Object.hasOwn(NATIVE, token.variable)) native += NATIVE[token.variable] ?? ''
    else {
      flush()
      parts.push(COMPUTED[token.variable] ?? sql`''`)
    }
  }
  flush()
  const [only = sql`''`] = parts
  return parts.length < 2 ? only : sql`concat(${joined(parts, ', ')})`
}

function wrongToPrint(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'it must be a text'
  const unknown = tokensOf(value).find(
    (each) =>
      'variable' in each &&
      !Object.hasOwn(NATIVE, each.variable) &&
      !Object.hasOwn(COMPUTED, each.variable),
  )
  return unknown !== undefined && 'variable' in unknown
    ? `%${unknown.variable} is not known`
    : undefined
}

const strftime = evalFunction('eval.strftime', ['strftime'], {
  says: 'A time, in seconds since 1970, as a text in a format.',
  takes: [number('time'), text('format', { constant: true, wrong: wrongToPrint })],
  gives: 'text',
  sql: (args) => {
    const time = instantOf(numberOf(arg(args, 0)))
    const whole = printed(constText(args, 1))
    return named(time, TIME, (t) => sql`if(isNull(${t}), NULL, ${whole})`)
  },
  examples: [
    { args: [1704164645, '%Y-%m-%dT%H:%M:%S'], gives: '2024-01-02T03:04:05' },
    {
      args: [1704164645.125, '%H:%M:%S.%3N|%6N|%Q|%f|%N'],
      gives: '03:04:05.125|125000|125|125000|125000000',
    },
    {
      args: [1704164645, '%e %k %I %p %a %A %b %B %y %j %w %s'],
      gives: ' 2  3 03 AM Tue Tuesday Jan January 24 002 2 1704164645',
    },
    {
      args: [1704164645, '%F %T %D %R 100%% %z %:z %Z'],
      gives: '2024-01-02 03:04:05 01/02/24 03:04 100% +0000 +00:00 UTC',
    },
    { args: [1704164645, '%c'], gives: 'Tue Jan  2 03:04:05 2024' },
    { args: [1704164645, '%U %V %u'], gives: '00 01 2' },
    { args: [1704164645, ''], gives: '' },
    { args: [null, '%Y'], gives: null },
    { args: [1e15, '%Y'], gives: null },
  ],
})

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LONG_MONTHS =
  'January|February|March|April|May|June|July|August|September|October|November|December'
const WEEKDAYS =
  'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Mon|Tue|Wed|Thu|Fri|Sat|Sun'

/** Hours of the names of zones that say one offset. */
const ZONES: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  JST: 9,
}

const OFFSET = '(Z|[+-]\\d{2}:?(?:\\d{2})?)'
const FRACTION = '(\\d{1,9})'

/** How variables are read: the pattern with one group, and the part of a time that it is. */
const READ: Readonly<Record<string, readonly [pattern: string, part: string]>> = {
  Y: ['(\\d{4})', 'year'],
  y: ['(\\d{2})', 'short year'],
  G: ['(\\d{4})', ''],
  m: ['(1[0-2]|0?[1-9])', 'month'],
  b: [`(${LONG_MONTHS}|${MONTHS.join('|')})`, 'month name'],
  B: [`(${LONG_MONTHS}|${MONTHS.join('|')})`, 'month name'],
  d: ['\\s?(3[01]|[12]\\d|0?[1-9])', 'day'],
  e: ['\\s?(3[01]|[12]\\d|0?[1-9])', 'day'],
  j: ['(36[0-6]|3[0-5]\\d|[12]\\d{2}|0?[1-9]\\d|0{0,2}[1-9])', 'day of year'],
  H: ['(2[0-3]|[01]?\\d)', 'hour'],
  k: ['\\s?(2[0-3]|[01]?\\d)', 'hour'],
  I: ['(1[0-2]|0?[1-9])', 'half hour'],
  l: ['\\s?(1[0-2]|0?[1-9])', 'half hour'],
  M: ['([0-5]?\\d)', 'minute'],
  S: ['(6[01]|[0-5]?\\d)', 'second'],
  p: ['([AP]M)', 'half'],
  a: [`(${WEEKDAYS})`, ''],
  A: [`(${WEEKDAYS})`, ''],
  u: ['([1-7])', ''],
  w: ['([0-6])', ''],
  U: ['(\\d{1,2})', ''],
  V: ['(\\d{1,2})', ''],
  W: ['(\\d{1,2})', ''],
  s: ['(\\d{1,11})', 'epoch'],
  f: [FRACTION, 'fraction'],
  z: [OFFSET, 'offset'],
  ':z': [OFFSET, 'offset'],
  Z: [`(${Object.keys(ZONES).join('|')})`, 'zone'],
  n: ['(\\s)', ''],
  t: ['(\\s)', ''],
  ...Object.fromEntries(
    ['N', '3N', '6N', '9N', 'Q', '3Q', '6Q', '9Q'].map((each) => [each, [FRACTION, 'fraction']]),
  ),
}

interface Reading {
  readonly pattern: string
  /** Number of the group that holds a part; the last one where a part stands twice. */
  readonly parts: ReadonlyMap<string, number>
}

function readingOf(format: string): Reading | string {
  const parts = new Map<string, number>()
  let pattern = ''
  let groups = 0
  for (const token of tokensOf(format)) {
    if ('plain' in token) {
      pattern += token.plain.replace(/[\\^$.|?*+()[\]{}-]/g, '\\$&').replace(/\s+/g, '\\s*')
      continue
    }
    const read = Object.hasOwn(READ, token.variable) ? READ[token.variable] : undefined
    if (read === undefined) return `%${token.variable} is not known`
    pattern += read[0]
    groups++
    if (read[1] !== '') parts.set(read[1], groups)
  }
  const has = (...names: readonly string[]): boolean => names.some((each) => parts.has(each))
  const hasDay = has('day of year') || (has('month', 'month name') && has('day'))
  if (!has('epoch') && !(has('year', 'short year') && hasDay)) {
    return 'it must name a year, a month and a day'
  }
  return { pattern: `(?i)\\A\\s*${pattern}`, parts }
}

/** Seconds since 1970 from the groups of a reading. */
function secondsFrom({ parts }: Reading): Sql {
  const groupOf = (part: string): Sql | undefined => {
    const at = parts.get(part)
    return at === undefined ? undefined : sql`${GROUPS}[${literal(at)}]`
  }
  const numberIn = (part: string): Sql | undefined => {
    const group = groupOf(part)
    return group && sql`toInt64OrZero(${group})`
  }
  const rest = groupOf('fraction')
  const fractionOf = rest === undefined ? sql`0` : sql`toFloat64OrZero(concat('0.', ${rest}))`
  const epoch = numberIn('epoch')
  if (epoch !== undefined) return sql`(${epoch} + ${fractionOf})`
  const short = numberIn('short year')
  const year =
    numberIn('year') ??
    (short === undefined ? sql`1970` : sql`(${short} + if(${short} < 69, 2000, 1900))`)
  const name = groupOf('month name')
  const month =
    numberIn('month') ??
    (name === undefined
      ? sql`1`
      : sql`toInt64(indexOf(${literal(MONTHS)}, lower(substring(${name}, 1, 3))))`)
  const ofYear = numberIn('day of year')
  const days =
    ofYear === undefined
      ? daysOf(year, month, numberIn('day') ?? sql`1`)
      : sql`(${daysOf(year, sql`1`, sql`1`)} + ${ofYear} - 1)`
  const half = numberIn('half hour')
  const half12 = groupOf('half')
  const afternoon = half12 === undefined ? sql`0` : sql`if(lower(${half12}) = 'pm', 12, 0)`
  const hour =
    half === undefined ? (numberIn('hour') ?? sql`0`) : sql`(${half} % 12 + ${afternoon})`
  return sql`(${days} * 86400 + ${hour} * 3600 + ${numberIn('minute') ?? sql`0`} * 60 + ${numberIn('second') ?? sql`0`} - ${offsetFrom(groupOf('offset'), groupOf('zone'))} + ${fractionOf})`
}

function offsetFrom(offset: Sql | undefined, zone: Sql | undefined): Sql {
  if (offset !== undefined) {
    const digits = sql`replaceAll(${offset}, ':', '')`
    const size = sql`(toInt64OrZero(substring(${digits}, 2, 2)) * 3600 + toInt64OrZero(substring(${digits}, 4, 2)) * 60)`
    return sql`if(startsWith(${offset}, '-'), -${size}, ${size})`
  }
  if (zone === undefined) return sql`0`
  const names = Object.keys(ZONES)
  const hours = names.map((each) => ZONES[each] ?? 0)
  return sql`(transform(upper(${zone}), ${literal(names)}, [${joined(
    hours.map((each) => sql`toInt64(${literal(each)})`),
    ', ',
  )}], toInt64(0)) * 3600)`
}

const strptime = evalFunction('eval.strptime', ['strptime'], {
  says: 'The seconds since 1970 of a time that a text begins with, in a format; missing for another text.',
  takes: [
    text('text'),
    text('format', {
      constant: true,
      wrong: (value) => {
        const reading = typeof value === 'string' ? readingOf(value) : 'it must be a text'
        return typeof reading === 'string' ? reading : undefined
      },
    }),
  ],
  gives: 'float',
  sql: (args) => {
    const reading = readingOf(constText(args, 1))
    if (typeof reading === 'string') throw new TypeError(reading)
    const groups = sql`extractGroups(ifNull(${textOf(arg(args, 0))}, ''), ${literal(reading.pattern)})`
    return named(
      groups,
      GROUPS,
      (g) => sql`if(empty(${g}), NULL, toFloat64(${secondsFrom(reading)}))`,
    )
  },
  examples: [
    { args: ['2024-01-02 03:04:05', '%Y-%m-%d %H:%M:%S'], gives: 1704164645 },
    { args: ['2024-01-02T03:04:05.250+01:00', '%Y-%m-%dT%H:%M:%S.%3N%:z'], gives: 1704161045.25 },
    { args: ['2024-01-02T03:04:05Z', '%FT%T%z'], gives: 1704164645 },
    { args: ['Jan  2 2024 3:04 PM', '%b %d %Y %I:%M %p'], gives: 1704207840 },
    { args: ['12/31/99', '%m/%d/%y'], gives: 946598400 },
    { args: ['20240102', '%Y%m%d'], gives: 1704153600 },
    { args: ['2024 002', '%Y %j'], gives: 1704153600 },
    { args: ['1704164645', '%s'], gives: 1704164645 },
    { args: ['2024-01-02 12:00 EST', '%Y-%m-%d %H:%M %Z'], gives: 1704214800 },
    { args: ['1960-02-29', '%Y-%m-%d'], gives: -310521600 },
    { args: ['2024-01-02 and more', '%Y-%m-%d'], gives: 1704153600 },
    { args: ['nope', '%Y-%m-%d'], gives: null },
    { args: ['2024-13-02', '%Y-%m-%d'], gives: null },
    { args: [null, '%Y-%m-%d'], gives: null },
  ],
})

export const timeFormatFunctions: readonly FunctionRecord[] = [strftime, strptime]

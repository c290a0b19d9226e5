/** The beta distribution, and the test of means that rests on it. */
import { once, VARIABLES } from './once.ts'
import { arg, type FunctionRecord, type Parameter } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'

const { a, b, c, g, t } = VARIABLES

/** Steps of the continued fraction: enough for shapes up to some ten thousands. */
const STEPS = 300
/** Halvings that find a quantile to the last digits of a real number. */
const HALVINGS = 60

/** Natural logarithm of the beta function. */
const logBeta = (p: Sql, q: Sql): Sql => sql`(lgamma(${p}) + lgamma(${q}) - lgamma(${p} + ${q}))`

/**
 * The regularised incomplete beta function by its continued fraction (Lentz's method); `a` is the point, `b` and `c`
 * are the shapes, all good numbers.
 */
function incomplete(): Sql {
  // Right of the mean the fraction of the mirrored function is the one that closes in fast.
  const isLeft = sql`(${a} < (${b} + 1) / (${b} + ${c} + 2))`
  const sides = sql`if(${isLeft}, (${b}, ${c}, ${a}), (${c}, ${b}, 1 - ${a}))`
  const [p, q, x] = [sql`${g}.1`, sql`${g}.2`, sql`${g}.3`]
  const safe = (value: Sql): Sql => sql`if(abs(${value}) < 1e-300, 1e-300, ${value})`
  const even = sql`(m * (${q} - m) * ${x} / ((${p} - 1 + 2 * m) * (${p} + 2 * m)))`
  const odd = sql`(-(${p} + m) * (${p} + ${q} + m) * ${x} / ((${p} + 2 * m) * (${p} + 1 + 2 * m)))`
  const after = (state: Sql, by: Sql): Sql => {
    const d = sql`1 / ${safe(sql`(1 + ${by} * ${state}.1)`)}`
    const e = safe(sql`(1 + ${by} / ${state}.2)`)
    return sql`arrayMap((d, e) -> (d, e, ${state}.3 * d * e), [${d}], [${e}])[1]`
  }
  const start = sql`arrayMap(d -> (d, toFloat64(1), d), [1 / ${safe(sql`(1 - (${p} + ${q}) * ${x} / (${p} + 1))`)}])[1]`
  const twice = sql`arrayMap(s -> ${after(sql`s`, odd)}, [${after(sql`acc`, even)}])[1]`
  const fraction = sql`arrayFold((acc, m) -> ${twice}, arrayMap(i -> toFloat64(i), range(1, ${literal(STEPS)})), ${start}).3`
  const front = sql`exp(${p} * log(${x}) + ${q} * log(1 - ${x}) - ${logBeta(p, q)}) / ${p}`
  const share = sql`if(${isLeft}, ${front} * ${fraction}, 1 - ${front} * ${fraction})`
  const inside = sql`arrayMap(${g} -> ${share}, [${sides}])[1]`
  return sql`multiIf(${a} <= 0, toFloat64(0), ${a} >= 1, toFloat64(1), ${inside})`
}

const REAL = (name: string): Parameter => ({ name, type: 'float' })

/** A function of three numbers; missing where one of them is. */
function ofThree(
  made: Pick<FunctionRecord, 'id' | 'says' | 'spelled' | 'examples'>,
  first: string,
  body: Sql,
): FunctionRecord {
  return {
    ...made,
    takes: [REAL(first), REAL('alpha'), REAL('beta')],
    gives: 'float',
    onNull: 'own',
    sql: (args) => {
      const [x, p, q] = [0, 1, 2].map((index) => arg(args, index).sql) as [Sql, Sql, Sql]
      const whole = sql`arrayMap((${a}, ${b}, ${c}) -> ${body}, [ifNull(${x}, nan)], [ifNull(${p}, nan)], [ifNull(${q}, nan)])[1]`
      return sql`if(isNull(${x}) OR isNull(${p}) OR isNull(${q}), NULL, ${whole})`
    },
  }
}

/** True for shapes that no distribution has. */
const isOdd = sql`NOT (${b} > 0 AND ${c} > 0 AND isFinite(${b}) AND isFinite(${c}))`

const cdf = ofThree(
  {
    id: 'number.beta_cdf',
    says: 'How likely a value of the beta distribution is at most x.',
    spelled: { kusto: ['beta_cdf'] },
    examples: [
      { args: [0, 2, 5], gives: 0 },
      { args: [1, 2, 5], gives: 1 },
      { args: [1.5, 2, 5], gives: Number.NaN },
      { args: [null, 2, 5], gives: null },
    ],
  },
  'x',
  sql`if(${isOdd} OR NOT (${a} >= 0 AND ${a} <= 1), nan, ${incomplete()})`,
)

const pdf = ofThree(
  {
    id: 'number.beta_pdf',
    says: 'Density of the beta distribution at x.',
    spelled: { kusto: ['beta_pdf'] },
    examples: [
      { args: [0.25, 1, 1], gives: 1 },
      { args: [0, 2, 5], gives: Number.NaN },
    ],
  },
  'x',
  sql`if(${isOdd} OR NOT (${a} > 0 AND ${a} < 1), nan, exp((${b} - 1) * log(${a}) + (${c} - 1) * log(1 - ${a}) - ${logBeta(b, c)}))`,
)

/** The point where the distribution reaches a share, between two that close in on it. */
const quantile = (() => {
  const middle = sql`(acc.1 + acc.2) / 2`
  const at = sql`arrayMap(${a} -> ${incomplete()}, [${middle}])[1]`
  const step = sql`if(${at} < ${t}, (${middle}, acc.2), (acc.1, ${middle}))`
  return sql`arrayMap(${t} -> arrayFold((acc, i) -> ${step}, range(${literal(HALVINGS)}), (toFloat64(0), toFloat64(1))).1, [${a}])[1]`
})()

const inv = ofThree(
  {
    id: 'number.beta_inv',
    says: 'The value that the beta distribution does not exceed with a likelihood.',
    spelled: { kusto: ['beta_inv'] },
    examples: [
      { args: [1, 1, 1], gives: 1 },
      { args: [1.5, 1, 1], gives: null },
      { args: [0.5, -1, 1], gives: Number.NaN },
    ],
  },
  'probability',
  sql`multiIf(${isOdd}, nan, NOT (${a} >= 0 AND ${a} <= 1), NULL, ${a} = 0, 0, ${a} = 1, 1, ${quantile})`,
)

const welch: FunctionRecord = {
  id: 'number.welch_test',
  says: 'How likely the means of two samples differ so by chance (Welch, two-sided).',
  takes: ['mean1', 'variance1', 'count1', 'mean2', 'variance2', 'count2'].map(REAL),
  gives: 'float',
  onNull: 'own',
  spelled: { kusto: ['welch_test'] },
  sql: (args) => {
    const [m1, v1, n1, m2, v2, n2] = args.map((each) => each.sql) as [Sql, Sql, Sql, Sql, Sql, Sql]
    const [s1, s2] = [sql`(${v1} / ${n1})`, sql`(${v2} / ${n2})`]
    const freedom = sql`ifNull(pow(${s1} + ${s2}, 2) / (pow(${s1}, 2) / (${n1} - 1) + pow(${s2}, 2) / (${n2} - 1)), nan)`
    const square = sql`ifNull(pow(${m1} - ${m2}, 2) / (${s1} + ${s2}), nan)`
    const body = sql`arrayMap((f, s) -> arrayMap((${a}, ${b}, ${c}) -> ${incomplete()}, [f / (f + s)], [f / 2], [toFloat64(0.5)])[1], [${freedom}], [${square}])[1]`
    return once(
      sql`(${freedom} > 0 AND isFinite(${square}))`,
      t,
      (good) => sql`if(${good}, ${body}, nan)`,
    )
  },
  examples: [
    { args: [10, 4, 5, 10, 9, 8], gives: 1 },
    { args: [1, 0, 0, 2, 0, 0], gives: Number.NaN },
  ],
}

export const betaFunctions: readonly FunctionRecord[] = [cdf, pdf, inv, welch]

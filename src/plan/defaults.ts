/**
 * Values with a default (`value.first(x, 'unknown')`): what can be said of them without reading x. A test that neither
 * the default nor a missing value can pass is made on x itself, so that it reaches the column.
 */
import { functions } from '../functions/catalogue.ts'
import { type Call, type Const, type Expr, FALSE, NULL, TRUE } from '../ir/expr.ts'

type Text = Const & { readonly value: string }

function isText(expr: Expr | undefined): expr is Text {
  return expr?.op === 'const' && typeof expr.value === 'string' && expr.type === 'text'
}

const isFilled = (expr: Expr | undefined): expr is Text => isText(expr) && expr.value !== ''
const isNothing = (expr: Expr): boolean =>
  expr.op === 'const' && (expr.value === null || (isText(expr) && expr.value === ''))

/** True for a value that every row has, and that is no empty text. */
function isAlways(expr: Expr): boolean {
  if (expr.op === 'const') return isFilled(expr)
  if (expr.op !== 'call') return false
  if (expr.fn === 'value.first') return isFilled(expr.args.at(-1))
  return expr.fn === 'eval.coalesce' && expr.args.some(isAlways)
}

/** The first of several values: without those that are nothing, and without those behind one that is always there. */
function firstOf(expr: Call): Expr {
  const flat = expr.args.flatMap((each) =>
    each.op === 'call' && each.fn === 'value.first' ? each.args : [each],
  )
  const given = flat.filter((each) => !isNothing(each))
  const end = given.findIndex(isAlways)
  const args = end === -1 ? given : given.slice(0, end + 1)
  const [first] = args
  if (first === undefined) return NULL
  return isFilled(first) ? first : { ...expr, args }
}

function coalesced(expr: Call): Expr {
  const given = expr.args.filter((each) => !(each.op === 'const' && each.value === null))
  const end = given.findIndex(
    (each) => isAlways(each) || (each.op === 'const' && each.value !== null),
  )
  const args = end === -1 ? given : given.slice(0, end + 1)
  const [first = NULL] = args
  return args.length === 1 && first.type === expr.type ? first : { ...expr, args }
}

/** A test of a value with a default, as a test of the value alone; undefined where the default may pass it. */
function testOfDefault(expr: Call): Expr | undefined {
  const record = functions.get(expr.fn)
  const [subject, ...rest] = expr.args
  if (record?.onNull !== 'false' || record.fold === undefined) return undefined
  if (subject?.op !== 'call' || subject.fn !== 'value.first') return undefined
  const last = subject.args.at(-1)
  if (!isFilled(last) || subject.args.length < 2) return undefined
  const values = rest.flatMap((each) => (each.op === 'const' ? [each.value] : []))
  if (values.length !== rest.length) return undefined
  const fails = (value: string): boolean => record.fold?.([value, ...values]) === false
  if (!fails(last.value) || !fails('')) return undefined
  const own = subject.args.slice(0, -1)
  const [only] = own
  const bare = own.length === 1 && only !== undefined ? only : { ...subject, args: own }
  return { ...expr, args: [bare, ...rest] }
}

/** A simpler call that gives the same; undefined where there is nothing to say. */
export function foldDefault(expr: Call): Expr | undefined {
  const [subject] = expr.args
  switch (expr.fn) {
    case 'value.first':
      return firstOf(expr)
    case 'eval.coalesce':
      return coalesced(expr)
    case 'value.or_null':
      return subject !== undefined && isAlways(subject) ? subject : undefined
    case 'value.has_value':
    case 'value.exists':
      return subject !== undefined && isAlways(subject) ? TRUE : undefined
    case 'value.is_null':
      return subject !== undefined && isAlways(subject) ? FALSE : undefined
    default:
      return testOfDefault(expr)
  }
}

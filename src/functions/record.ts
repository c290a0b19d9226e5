/**
 * What a function record is: one function, declared once. The checker, the SQL printer, the constant folder,
 * the manual and the tests all read it. See notes in the architecture page, "a function is one record".
 */
import type { ConstValue, Scalar } from '../ir/expr.ts'
import type { Type } from '../ir/types.ts'
import type { Sql, SqlArg } from './sql.ts'

export interface Parameter {
  readonly name: string
  readonly type: Type | 'any'
  /** True when the argument must be a constant. */
  readonly constant?: boolean
  /** What is wrong with a constant of this parameter, in words; undefined for a good one. */
  readonly wrong?: (value: ConstValue) => string | undefined
  /** True for the last parameter when it may be given any number of times. */
  readonly many?: boolean
  /** True when the argument, and all after it, may be left out. */
  readonly optional?: boolean
}

export interface Example {
  readonly args: readonly ConstValue[]
  /** The types of the arguments, where parameters of any type do not tell them. */
  readonly as?: readonly Type[]
  /** The type of the result, where it hangs on the arguments. */
  readonly givesType?: Type
  readonly gives: ConstValue
}

export interface FunctionRecord {
  /** `family.name`, the id used in the IR. */
  readonly id: string
  readonly says: string
  readonly takes: readonly Parameter[]
  readonly gives: Type
  /** The type of the result where it hangs on those of the arguments; `gives` is the usual one. */
  readonly givesFor?: (types: readonly Type[]) => Type
  /**
   * What a missing argument gives: `false` (two-valued), `null`, `skip` when missing arguments are left out, or
   * `own` when the SQL and the fold treat missing values themselves.
   */
  readonly onNull: 'false' | 'null' | 'skip' | 'own'
  /** True when the result may be missing for arguments that are all there. */
  readonly mayMiss?: true
  /** True for a function of the rows of a group; it may stand only in an aggregate or a window. */
  readonly aggregate?: boolean
  /** True for an aggregate whose last, optional argument is the rank of the row, for results that keep the rows' order. */
  readonly ordered?: boolean
  /** True when a multivalued first argument means "any of its values". */
  readonly anyOf?: boolean
  /** True when a stored blank gives the same answer as a missing value for these arguments. */
  readonly blankIsNull?: (args: readonly SqlArg[]) => boolean
  /** The record that gives all values in one array, where the language makes several columns of a call. */
  readonly several?: string
  /** The index of the constant argument that names the variable which the arguments behind it may read as a field. */
  readonly binds?: number
  /** How each language spells it, for the manual. */
  readonly spelled?: Readonly<Partial<Record<'sigma' | 'kusto' | 'spl', readonly string[]>>>
  /** Spellings of an aggregate over the rows that meet a condition, which stands at this place of the arguments. */
  readonly conditional?: { readonly kusto: readonly string[]; readonly at: number }
  readonly sql: (args: readonly SqlArg[]) => Sql
  /** What is made of an aggregate's result, outside of its filter and its window. */
  readonly finish?: (made: Sql, args: readonly SqlArg[]) => Sql
  /** Exact evaluation of constants; undefined when it cannot be told here. */
  readonly fold?: (args: readonly ConstValue[]) => Scalar | undefined
  readonly examples: readonly Example[]
}

/** For a parameter that must be one of some words, in any case. */
export function among(words: readonly string[]): (value: ConstValue) => string | undefined {
  return (value) =>
    typeof value === 'string' && words.includes(value.toLowerCase())
      ? undefined
      : `it must be one of ${words.join(', ')}`
}

/** The argument at an index; a call is checked before it is printed, so a missing one is our own error. */
export function arg(args: readonly SqlArg[], index: number): SqlArg {
  const found = args[index]
  if (found === undefined) throw new RangeError(`argument ${index} is missing`)
  return found
}

/** The constant text at an index. */
export function constText(args: readonly SqlArg[], index: number): string {
  const { value } = arg(args, index)
  if (typeof value !== 'string') throw new TypeError(`argument ${index} must be a constant text`)
  return value
}

/** The constant list of texts at an index. */
export function constTexts(args: readonly SqlArg[], index: number): readonly string[] {
  const { value } = arg(args, index)
  if (!Array.isArray(value)) throw new TypeError(`argument ${index} must be a constant list`)
  return value.filter((each): each is string => typeof each === 'string')
}

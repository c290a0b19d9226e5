/** `declare pattern`: a table that is chosen by constant texts, one body for each list of them. */
import type { Node } from './adapter.ts'
import { argumentsOf, functionName } from './calls.ts'
import { type Context, constant, Env, type Rowset, refuse } from './scope.ts'
import { constantText } from './values.ts'

/** A pattern as it was declared, and the names that its bodies see. */
export interface Pattern {
  readonly statement: Node
  readonly env: Env
}

/** The rows of the body whose texts are those of the call; `path` is what follows it behind a dot. */
export function patternRows(
  { statement, env }: Pattern,
  call: Node,
  path: string | undefined,
  context: Context,
): Rowset {
  const { lowering } = context
  const declared = statement.maybe('Pattern')
  const given = argumentsOf(call).map((each) => constantText(each, context))
  const wanted = path === undefined ? given : [...given, path]
  const own: Context = { lowering, env }
  for (const match of declared?.items('Patterns') ?? []) {
    const values = match.child('ParameterValues').items('Expressions')
    const behind = match.maybe('PathValue')?.child('Value')
    const texts = [...values, ...(behind === undefined ? [] : [behind])].map((each) =>
      constantText(each, own),
    )
    if (texts.length !== wanted.length || texts.some((each, at) => each !== wanted[at])) continue
    const inner = new Env(env)
    const parameters = declared?.items('Parameters') ?? []
    parameters.forEach((each, at) => {
      const value = constant(texts[at] ?? '', 'text')
      inner.set(each.child('Name').name, { kind: 'scalar', value: () => value })
    })
    return lowering.body(match.child('Body'), inner, call)
  }
  return refuse(
    'HR407',
    { what: `the pattern ${functionName(call)} has no body for ${wanted.join(', ').slice(0, 60)}` },
    lowering.place(call),
  )
}

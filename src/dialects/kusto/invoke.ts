/** `T | invoke f(args)`: the body of a function, with the rows as its first argument. */
import { functionName, scopeOfCall } from './calls.ts'
import { type Operator, refuse } from './scope.ts'
import { refuseTenant } from './tenant.ts'

const invoke: Operator = (rows, node, context) => {
  const { lowering } = context
  const call = node.child('Function')
  const body = call.calledBody
  if (body === undefined) {
    const name = functionName(call)
    refuseTenant(name, context, call)
    return refuse('HR406', { name }, lowering.place(call))
  }
  return lowering.inside(call, () => {
    // A body may read its table more than once: the rows are then the same ones.
    const isRepeated = usesOf(body.text, call.parameters[0]?.name ?? '') > 1
    const given = isRepeated ? lowering.shared(rows) : rows
    const env = scopeOfCall(call, context, { kind: 'table', rows: () => given })
    return lowering.body(body, env, call)
  })
}

/** How often a text names something. */
function usesOf(text: string, name: string): number {
  return (text.match(/\w+/g) ?? []).filter((word) => word === name).length
}

export const invokeOperators: Readonly<Record<string, Operator>> = { InvokeOperator: invoke }

/** `scan`. */
import { type Operator, refuse } from './scope.ts'

export const scan: Operator = (_, node, context) =>
  refuse('HR405', { name: 'scan' }, context.lowering.place(node))

/** A call of a plugin as `evaluate` hands it on. */
import type { Column, Node } from './adapter.ts'
import { type Context, type Rowset, refuse } from './scope.ts'

/** A call of a plugin, with its arguments by place and by name. */
export interface Plugin {
  readonly name: string
  readonly call: Node
  readonly placed: readonly Node[]
  readonly named: ReadonlyMap<string, Node>
  /** The columns that the query lists for it, or the binder tells. */
  readonly out: readonly Column[]
  /** True when the query lists no columns, and only the data tells them. */
  readonly isOpen: boolean
}

export type Evaluate = (rows: Rowset, plugin: Plugin, context: Context) => Rowset

/** The argument at a place; a call without it is refused. */
export function need(plugin: Plugin, index: number, context: Context): Node {
  return (
    plugin.placed[index] ??
    refuse('HR407', { what: plugin.call.text.slice(0, 80) }, context.lowering.place(plugin.call))
  )
}

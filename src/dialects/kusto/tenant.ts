/** What queries may name and files of logs do not have: services of a tenant. Each is refused by name. */
import type { Column, Node } from './adapter.ts'
import { type Context, refuse } from './scope.ts'

interface TenantPart {
  /** What would be needed. */
  readonly what: string
  /**
   * What a call gives, for names that the language itself does not have: rows, or a database of tables. Without it the
   * binder knows the name already.
   */
  readonly gives?: 'rows' | 'database'
  /** Columns that would be taken for something else if the binder did not know them. */
  readonly adds?: readonly Column[]
}

/** By the name that queries call. */
export const TENANT: ReadonlyMap<string, TenantPart> = new Map<string, TenantPart>([
  ['FileProfile', { what: 'the reputation of files that Defender keeps', gives: 'rows' }],
  ['DeviceProfile', { what: 'the profiles of devices', gives: 'rows' }],
  [
    'SeenBy',
    {
      what: 'the sensors that saw a device',
      gives: 'rows',
      adds: [{ name: 'SeenBy', type: 'dynamic' }],
    },
  ],
  ['AssignedIPAddresses', { what: 'the history of addresses that Defender keeps', gives: 'rows' }],
  ['DeviceFromIP', { what: 'the history of addresses that Defender keeps', gives: 'rows' }],
  ['DisruptedEntities', { what: 'the service that interrupts attacks', gives: 'rows' }],
  ['adx', { what: 'a cluster of Azure Data Explorer', gives: 'database' }],
  ['geo_info_from_ip_address', { what: 'the table of places that the service keeps' }],
  ['estimate_data_size', { what: 'the sizes of dynamic values in the service' }],
  ['cursor_after', { what: 'a database cursor' }],
  ['cursor_before_or_at', { what: 'a database cursor' }],
  ['current_principal', { what: 'a signed-in user' }],
  ['current_principal_details', { what: 'a signed-in user' }],
  ['cluster', { what: 'another cluster' }],
])

/** Gives up on a call of what only a tenant has. */
export function refuseTenant(name: string, context: Context, node: Node): void {
  const part = TENANT.get(name)
  if (part !== undefined) refuse('HR408', { name, what: part.what }, context.lowering.place(node))
}

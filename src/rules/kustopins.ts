/** Files that the user gives for addresses of `externaldata`, as `ADDRESS=FILE`. */
import { statSync } from 'node:fs'
import { type Diagnostic, diagnose } from '../core/diagnostic.ts'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import type { KustoPin } from '../dialects/kusto/answer.ts'
import { plainAddress } from '../dialects/kusto/external.ts'
import { openPath } from '../ingest/containers.ts'

export interface PinResult {
  readonly pin?: KustoPin
  readonly diagnostics: readonly Diagnostic[]
}

const isThere = (path: string): boolean =>
  path !== '' && statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** The address and the file; an address may hold `=` itself, so that the part behind it must be a file. */
function split(given: string): readonly [string, string] | undefined {
  for (let at = given.lastIndexOf('='); at > 0; at = given.lastIndexOf('=', at - 1)) {
    if (isThere(given.slice(at + 1))) return [given.slice(0, at), given.slice(at + 1)]
  }
  return undefined
}

/** The bytes of a file, or of the one file in it when it is packed. Throws with the reason when they cannot be had. */
async function bytesOf(path: string): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  let members = 0
  let damage: string | undefined
  const onDamage = (_: string, __: string, reason: string): void => {
    damage ??= reason
  }
  for await (const member of openPath(path, { onDamage })) {
    if (++members > 1) throw new Error('it holds several files; unpack it and give one of them')
    for await (const each of member.bytes) {
      size += each.length
      if (size > limits.externalBytes) {
        throw new Error(`it has more than ${limits.externalBytes} bytes`)
      }
      parts.push(each)
    }
  }
  if (damage !== undefined) throw new Error(damage)
  return Buffer.concat(parts)
}

/** Reads one pin. Nothing but the file that is named is opened. */
export async function readPin(given: string): Promise<PinResult> {
  const fail = (reason: string): PinResult => ({ diagnostics: [diagnose('HR483', { reason })] })
  const found = split(given)
  if (found === undefined) {
    const file = given.slice(given.lastIndexOf('=') + 1)
    return fail(
      given.lastIndexOf('=') > 0 ? `there is no file ${file}` : `"${given}" is not ADDRESS=FILE`,
    )
  }
  const [address, file] = found
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await bytesOf(file))
    return { pin: { address: plainAddress(address), file, text }, diagnostics: [] }
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is no text in UTF-8' : systemReason(error)
    return fail(`${file}: ${reason}`)
  }
}

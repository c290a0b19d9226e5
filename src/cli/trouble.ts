/** Errors in words: what went wrong, what to do about it, and the exit code. Takes what was thrown. */
import { EngineError } from '../engine/engine.ts'
import type { Writer } from './terminal.ts'
import { safeLines, safeText } from './text.ts'
import { EXIT, SettingsError, TroubleError, UnusableError, UsageError } from './usage.ts'

const KEPT = 'what was acknowledged as stored is kept, and nothing is stored twice'

const DAMAGED = 'restore the folder from a copy, or ingest the logs into a new store'
const SERVER =
  'is the server running, and is this its HTTP port? user and password come from HARRIER_CLICKHOUSE_USER and HARRIER_CLICKHOUSE_PASSWORD'

/** Number of the engine's own error for a full disk. */
const NO_SPACE = 243

function isFull({ code, message }: EngineError): boolean {
  return code === NO_SPACE || /No space left|ENOSPC|the disk is full/.test(message)
}

/** The engine's text without its numbers and version. */
function plain(message: string): string {
  return message
    .replace(/(?:Code: \d{1,6}\. )?DB::Exception: /g, '')
    .replace(/(?:\. )?\(version [\d.]+[^)]*\)/g, '')
    .replace(/\.? \([A-Z_]{4,}\)\.?/g, '')
    .trim()
}

function hintOf(error: EngineError): string | undefined {
  if (isFull(error)) return `free some space and run the same command again: ${KEPT}`
  switch (error.kind) {
    case 'locked':
      return 'wait until it has ended, or name another store with --store'
    case 'damaged':
      return DAMAGED
    case 'crashed':
      return `run the same command again: ${KEPT}; if it happens again, \`harrier doctor\` looks for a cause`
    case 'unavailable':
      if (/which had the store open|that had the store open/.test(error.message)) {
        return `run the same command again: ${KEPT}`
      }
      if (/\bat https?:\/\//.test(error.message)) return SERVER
      return /Cannot parse|metadata file|Checksum|corrupt/i.test(error.message)
        ? DAMAGED
        : undefined
    default:
      return undefined
  }
}

/** Prints an error and gives the exit code of its kind. `program` is what to type for the program in hints. */
export function tellTrouble(writer: Writer, error: unknown, program: string): number {
  const say = (problem: string, hint: string | undefined): void => {
    writer.write(`error: ${safeText(problem)}\n`)
    if (hint !== undefined) {
      writer.write(`hint: ${safeText(hint.replaceAll('`harrier ', `\`${program} `))}\n`)
    }
  }
  if (error instanceof UnusableError) {
    writer.write(`${safeLines(error.message)}\n`)
    return EXIT.unusable
  }
  if (error instanceof SettingsError) {
    writer.write(`${safeLines(error.message)}\n`)
    return EXIT.usage
  }
  if (error instanceof UsageError) {
    say(error.message, error.hint)
    return EXIT.usage
  }
  if (error instanceof EngineError) {
    const reason = plain(error.message).replace(/^the disk is full: /, '')
    say(isFull(error) ? `the disk of the store is full: ${reason}` : reason, hintOf(error))
    return EXIT.engine
  }
  const hint = error instanceof TroubleError ? error.hint : undefined
  say(error instanceof Error ? error.message : String(error), hint)
  return EXIT.engine
}

/** The text of a query as it is given: on the command line, in a file, or on stdin. */
import { readFileSync, statSync } from 'node:fs'
import { limits } from '../core/limits.ts'
import { systemReason } from '../core/systemerror.ts'
import { UsageError } from './usage.ts'

export interface QueryText {
  readonly text: string
  /** The file it comes from, for messages. */
  readonly file?: string
}

const isFile = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
  } catch {
    return false
  }
}

/** The text that an argument stands for: `-` is stdin, the name of a file its content, anything else itself. */
export function readQuery(given: string): QueryText {
  if (given !== '-' && (given.includes('\n') || given.length > 1_000 || !isFile(given))) {
    return { text: given }
  }
  try {
    const bytes = readFileSync(given === '-' ? 0 : given)
    if (bytes.length > limits.ruleFileBytes) {
      throw new UsageError(`${given} is larger than ${limits.ruleFileBytes} bytes`)
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return given === '-' ? { text } : { text, file: given }
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (error instanceof TypeError) throw new UsageError(`${given} is not UTF-8 text`)
    throw new UsageError(`cannot read the query ${given}: ${systemReason(error)}`)
  }
}

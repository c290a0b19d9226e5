/**
 * The functions that belong to the schema: content/schema/functions. A header `// function: A, B(parameters)` gives one
 * body several names; else the text is as the user's own function files are.
 */
import { renderDiagnostic } from '../../core/diagnostic.ts'
import type { FunctionFile } from '../../schema/tables.ts'
import type { KustoFunction } from './answer.ts'
import { readFunctionText } from './function.ts'

const HEADER = /^\/\/ function: ([\w, ]+)(\(.*\))$/gm

const known = new WeakMap<readonly FunctionFile[], readonly KustoFunction[]>()

function read({ path, text }: FunctionFile): readonly KustoFunction[] {
  const heads = [...text.matchAll(HEADER)]
  return heads.flatMap(({ 0: whole, 1: names = '', 2: parameters = '', index }, at) => {
    const body = text.slice(index + whole.length, heads[at + 1]?.index)
    const written = names
      .split(',')
      .map((name) => `// function: ${name.trim()}${parameters}${body}`)
    const { functions, diagnostics } = readFunctionText(path, written.join('\n'))
    const [first] = diagnostics
    if (first !== undefined) {
      throw new Error(`the functions of ${path} cannot be read: ${renderDiagnostic(first)}`)
    }
    return functions
  })
}

/** The functions of these files, read once; the files are ours, so an error in them is an error of ours. */
export function builtInFunctions(files: readonly FunctionFile[]): readonly KustoFunction[] {
  const functions = known.get(files) ?? files.flatMap(read)
  known.set(files, functions)
  return functions
}

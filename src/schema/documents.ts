/** The YAML files of the schema as documents whose keys are known, with the report of the file each stands in. */
import type { Diagnostic } from '../core/diagnostic.ts'
import { readYaml, type YamlNode } from '../core/yaml.ts'
import { knownMapOf, type Report, say } from './node.ts'

/** A file below content/schema; the path is relative to that folder. */
export interface SchemaFile {
  readonly path: string
  readonly text: string
}

interface Document {
  readonly entries: ReadonlyMap<string, YamlNode>
  readonly report: Report
}

/** Reads files; `known` are the keys that a document may have. */
export function readDocuments(
  files: readonly SchemaFile[],
  known: readonly string[],
): { readonly documents: readonly Document[]; readonly diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const documents = files.flatMap(({ path, text }): readonly Document[] => {
    const report: Report = { file: path, diagnostics }
    const yaml = readYaml(text)
    for (const each of yaml.diagnostics) {
      say(report, 'HR200', { reason: each.message }, each.span)
    }
    return yaml.documents.map((node) => ({
      entries: knownMapOf(node, 'a schema file', known, report),
      report,
    }))
  })
  return { documents, diagnostics }
}

/** Reads what stands under a key, in each document that has it. */
export function eachOf(
  documents: readonly Document[],
  key: string,
  read: (node: YamlNode, report: Report) => void,
): void {
  for (const { entries, report } of documents) {
    const node = entries.get(key)
    if (node !== undefined) read(node, report)
  }
}

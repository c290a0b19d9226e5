/** Kusto in Markdown: each block of it is a rule titled by the heading before it. */
import type { Diagnostic } from '../../core/diagnostic.ts'
import { readBlocks } from '../../core/markdown.ts'
import type { KustoDocument } from './rule.ts'
import { plainDocument } from './text.ts'

const KUSTO = /^\{?\.?(?:kql|kusto|kustoquery|kusto-query|kql-query)(?![\w-])/i
const TECHNIQUE = /\bT\d{4}(?:\.\d{3})?\b/g

/** True when a Markdown text has a block of Kusto. */
export function hasKustoBlock(text: string): boolean {
  return /^(?:[ \t]|>){0,64}(?:`{3,}|~{3,})[ \t]{0,8}\{?\.?(?:kql|kusto)/im.test(text)
}

/** Reads the Kusto blocks of a Markdown text. */
export function readMarkdown(
  text: string,
  file: string,
): { readonly documents: readonly KustoDocument[]; readonly diagnostics: readonly Diagnostic[] } {
  const { blocks, diagnostics } = readBlocks(text, file, KUSTO)
  const documents = blocks.map(({ title, prose, query, place }) =>
    plainDocument(query, file, place, {
      name: title,
      techniques: [...new Set(prose.match(TECHNIQUE) ?? [])],
      ...(prose === '' ? {} : { description: prose }),
    }),
  )
  return { documents, diagnostics }
}

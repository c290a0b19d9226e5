/** Where a piece of a YAML scalar stands in the file, although quotes, escapes and folded lines lie between. */
import type { Span } from '../../core/span.ts'
import type { YamlScalar } from '../../core/yaml.ts'

export type Placer = (start: number, end: number) => Span

/** A function from a range of the scalar's text to a span of the file. */
export function placer(source: string, { span, text }: YamlScalar): Placer {
  if (isExact(source, span, text)) {
    return (start, end) => ({ start: span.start + start, end: span.start + end })
  }
  let offsets: readonly number[] | undefined
  return (start, end) => {
    offsets ??= alignment(source, span, text)
    const from = offsets[start] ?? span.start
    return { start: from, end: Math.max(from, (offsets[end - 1] ?? span.end - 1) + 1) }
  }
}

/** True when the file holds the text at the span as it is. */
export function isExact(source: string, span: Span, text: string): boolean {
  return span.end - span.start === text.length && source.startsWith(text, span.start)
}

/**
 * For each character of the text its offset in the file. The file has the same characters in the same order, with
 * others between them; white space may have been folded.
 */
function alignment(source: string, span: Span, text: string): readonly number[] {
  const offsets: number[] = []
  let at = span.start
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? ''
    if (/\s/.test(char)) {
      offsets.push(Math.min(at, span.end))
      if (!/\s/.test(text[index + 1] ?? '')) while (/\s/.test(source[at] ?? '')) at++
    } else {
      while (at < span.end && source[at] !== char) at++
      offsets.push(Math.min(at, span.end))
      at++
    }
  }
  return offsets
}

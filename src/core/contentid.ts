/** Ids of texts that have none of their own. */

/** The id of a text by its title and content, after a prefix: the same two give the same id. */
export function contentId(prefix: string, title: string, content: string): string {
  // FNV-1a in two halves: no security hangs on it, an id must only be stable and rarely the same by chance.
  let high = 0x811c9dc5
  let low = 0x1000193
  const text = `${title}\0${content}`
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code ^ (high >>> 15), 0x01000193)
  }
  const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0')
  return `${prefix}-${hex(high)}${hex(low)}`
}

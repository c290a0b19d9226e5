/**
 * IP networks as rules write them: IPv4 or IPv6, with a prefix length or as one address. Gives a canonical text
 * that the engine reads, or nothing when the text is no network.
 */

function readDecimal(text: string, most: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return undefined
  const value = Number(text)
  return value <= most ? value : undefined
}

function readFour(text: string): readonly number[] | undefined {
  const parts = text.split('.').map((part) => readDecimal(part, 255))
  const bytes = parts.filter((part) => part !== undefined)
  return parts.length === 4 && bytes.length === 4 ? bytes : undefined
}

/** The groups on one side of `::`; a dotted IPv4 address may stand for the last two. */
function readGroups(text: string): readonly number[] | undefined {
  if (text === '') return []
  const out: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16))
    else {
      const four = index === parts.length - 1 ? readFour(part) : undefined
      if (four === undefined) return undefined
      const [a = 0, b = 0, c = 0, d = 0] = four
      out.push(a * 256 + b, c * 256 + d)
    }
  }
  return out
}

function readSix(text: string): readonly number[] | undefined {
  if (text.length > 64) return undefined
  const [head = '', tail, ...more] = text.split('::')
  const left = readGroups(head)
  const right = tail === undefined ? [] : readGroups(tail)
  if (left === undefined || right === undefined || more.length > 0) return undefined
  if (tail !== undefined && head.includes('.')) return undefined
  const missing = 8 - left.length - right.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

/** The network in canonical form (`10.0.0.0/8`, eight hex groups for IPv6), or undefined. */
export function readNetwork(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const four = address.includes(':') ? undefined : readFour(address)
  const six = four === undefined ? readSix(address) : undefined
  const width = four === undefined ? 128 : 32
  const bits = prefix === undefined ? width : readDecimal(prefix, width)
  if (bits === undefined || more.length > 0) return undefined
  if (four !== undefined) return `${four.join('.')}/${bits}`
  if (six === undefined) return undefined
  return `${six.map((group) => group.toString(16)).join(':')}/${bits}`
}

/** The recorded cases of address safety against `src/net`: which may be reached, alone, by name, and after redirects. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { NOTHING_ALLOWED, type PlaceRules, RefusedError, readPlace } from '../src/net/place.ts'
import { reach } from '../src/net/reach.ts'
import { checkedAddresses } from '../src/net/resolve.ts'

interface UrlCase {
  readonly id: string
  readonly url: string
  readonly verdict: string
  readonly category: string
  readonly dns?: readonly (readonly string[])[]
  readonly redirects?: readonly string[]
}

const RULES: PlaceRules = { allowed: NOTHING_ALLOWED, ports: [80, 443] }
/** What is done with an answer, or with a link that is only shown, is not asked here. */
const SKIPPED = new Set(['response', 'link'])

function readCases(path: string): readonly UrlCase[] {
  const parsed: unknown = JSON.parse(gunzipSync(readFileSync(path)).toString())
  const cases: unknown =
    parsed !== null && typeof parsed === 'object' ? Reflect.get(parsed, 'cases') : []
  return Array.isArray(cases) ? cases.filter((each) => !SKIPPED.has(each.category)) : []
}

/** Plays the hosts of a case on a local port: each request gets the next redirect. */
async function followed({ url, redirects = [] }: UrlCase): Promise<void> {
  const left = [...redirects]
  const server = createServer((_, reply) => {
    const to = left.shift()
    if (to === undefined) reply.end('end')
    else reply.writeHead(302, { location: local(to) }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const local = (text: string): string =>
    text.replace(/^https?:\/\/example\.com\//, `http://example.com:${port}/`)
  try {
    // The upgrade from http to https is the same place once both are played by one port.
    if (redirects.length === 1 && local(redirects[0] ?? '') === local(url)) left.length = 0
    await reach(
      { method: 'GET', url: local(url) },
      {
        allowed: { hosts: new Set(['example.com']), networks: [] },
        resolver: async () => ['127.0.0.1'],
      },
    )
  } finally {
    server.close()
  }
}

async function isAllowed(given: UrlCase): Promise<boolean> {
  try {
    const url = readPlace(given.url, RULES)
    if (given.dns !== undefined) {
      const answers = [...given.dns]
      await checkedAddresses(url.hostname, RULES.allowed, async () => answers.shift() ?? [])
    }
    if (given.redirects !== undefined) await followed(given)
    return true
  } catch (error) {
    if (error instanceof RefusedError) return false
    throw error
  }
}

/** Runs all cases that ask whether a place may be reached. */
export async function urlCases(path: string) {
  const cases = readCases(path)
  const notes: string[] = []
  for (const each of cases) {
    if ((await isAllowed(each)) !== (each.verdict === 'allow')) {
      notes.push(`${each.id} ${each.url.slice(0, 80)} should be: ${each.verdict}`)
    }
  }
  return {
    board: { 'url cases judged': cases.length, 'url cases right': cases.length - notes.length },
    notes,
  }
}

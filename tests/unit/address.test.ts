/** Addresses: which are private in whatever form, networks, and how an address of the web may be written. */
import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, isWithin, judge, networkOf } from '../../src/net/address.ts'
import {
  checkAddress,
  NOTHING_ALLOWED,
  RefusedError,
  readAllowed,
  readPlace,
} from '../../src/net/place.ts'
import { checkedAddresses } from '../../src/net/resolve.ts'

const reachOf = (text: string): string | undefined => {
  const bytes = bytesOf(text)
  return bytes === undefined ? undefined : judge(bytes).reach
}

/** Why an address of the web is refused; undefined when it may be reached. */
function refusal(text: string, allow: readonly string[] = []): string | undefined {
  try {
    readPlace(text, { allowed: readAllowed(allow) })
    return undefined
  } catch (error) {
    if (error instanceof RefusedError) return error.message
    throw error
  }
}

describe('an address', () => {
  it('is public, private, or one that no name may lead to', () => {
    const table = {
      '8.8.8.8': 'public',
      '198.20.0.1': 'public',
      '10.255.0.1': 'private',
      '172.16.0.1': 'private',
      '172.32.0.1': 'public',
      '127.9.9.9': 'private',
      '100.64.0.1': 'private',
      '169.254.169.254': 'special',
      '168.63.129.16': 'special',
      '100.100.100.200': 'special',
      '0.0.0.0': 'special',
      '255.255.255.255': 'special',
      '224.0.0.1': 'special',
      '::1': 'private',
      '::': 'special',
      'fd12::1': 'private',
      'fd00:ec2::254': 'special',
      'fe80::1%eth0': 'special',
      'ff02::1': 'special',
      '2606:4700::1111': 'public',
      '2001:db8::1': 'special',
      '2002:7f00:1::': 'special',
      '::ffff:127.0.0.1': 'private',
      '::ffff:a9fe:a9fe': 'special',
      '::ffff:8.8.8.8': 'public',
      '64:ff9b::7f00:1': 'private',
      '64:ff9b::808:808': 'public',
      '64:ff9b:1::808:808': 'special',
      '::127.0.0.1': 'special',
      '5f00::1': 'special',
    }
    const found = Object.keys(table).map((text) => [text, reachOf(text)])
    expect(Object.fromEntries(found)).toEqual(table)
  })

  it('is read as the system reads it, in every form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const bytes = bytesOf(text)
        expect(bytes?.length).toBe(isIP(text) === 4 ? 4 : 16)
        expect(bytes?.every((each) => each >= 0 && each <= 255)).toBe(true)
        const network = networkOf(text)
        expect(network !== undefined && isWithin(bytes ?? [], network)).toBe(true)
      }),
    )
    expect(bytesOf('1.2.3')).toBeUndefined()
    expect(bytesOf('2130706433')).toBeUndefined()
  })

  it('lies in a network of its own kind only', () => {
    const inside = (text: string, network: string): boolean => {
      const read = networkOf(network)
      return read !== undefined && isWithin(bytesOf(text) ?? [], read)
    }
    expect(inside('10.1.255.255', '10.1.0.0/16')).toBe(true)
    expect(inside('10.2.0.0', '10.1.0.0/16')).toBe(false)
    expect(inside('10.1.2.131', '10.1.2.128/25')).toBe(true)
    expect(inside('10.1.2.127', '10.1.2.128/25')).toBe(false)
    expect(inside('::1', '0.0.0.0/0')).toBe(false)
    expect(
      ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0/8', 'fe80::1%e/64', '1.1.1.1/8/8'].map(networkOf),
    ).toEqual(new Array(5).fill(undefined))
  })
})

describe('a place of the web', () => {
  it('is refused where it is private in any spelling, and where readers would disagree', () => {
    for (const text of [
      'http://127.0.0.1/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://017700000001/',
      'http://①②⑦.⓪.⓪.①/',
      'http://[::ffff:7f00:1]/',
      'http://localhost/',
      'http://a.localhost./',
      'http://intranet/',
      'http://metadata.google.internal/',
      'https://user@example.com/',
      'https://example.com\\@evil.example/',
      'https:example.com',
      'https:///example.com/',
      'https://example.com#@127.0.0.1/',
      'ftp://example.com/',
      'file:///etc/passwd',
      'https://example.com:0/',
      `https://example.com/${'a'.repeat(9_000)}`,
      'https://exa\nmple.com/',
    ]) {
      expect([text, refusal(text)]).not.toEqual([text, undefined])
    }
    expect(refusal('https://hooks.example.com:8443/a?b=c#d')).toBeUndefined()
  })

  it('may be private where its host or its network is allowed, and never a metadata service by name', async () => {
    expect(refusal('http://127.0.0.1:9/', ['127.0.0.0/8'])).toBeUndefined()
    expect(refusal('http://127.0.0.1:9/', ['10.0.0.0/8'])).toMatch(/this machine/)
    const allowed = readAllowed(['hooks', 'HOOKS.corp', '192.168.1.0/24'])
    const at = (host: string, ...found: string[]) =>
      checkedAddresses(host, allowed, async () => found)
    expect(await at('hooks', '10.0.0.1')).toEqual(['10.0.0.1'])
    expect(await at('hooks.corp', '::1')).toEqual(['::1'])
    await expect(at('hooks.corp', '169.254.169.254')).rejects.toThrow(/link-local/)
    await expect(at('other.corp', '10.0.0.1')).rejects.toThrow(RefusedError)
    await expect(at('other.corp', '93.184.215.14')).rejects.toThrow(/not a public name/)
    expect(await at('other.corp', '192.168.1.7')).toEqual(['192.168.1.7'])
    await expect(at('a.example', '93.184.215.14', '10.0.0.1')).rejects.toThrow(/private/)
    await expect(at('a.example')).rejects.toThrow(/no address/)
    expect(() => checkAddress('fe80::1%1', 'a.example', NOTHING_ALLOWED)).toThrow(/one link/)
    expect(readAllowed(['10.0.0.0/40', 'a b', 'x'.repeat(300)]).wrong).toHaveLength(3)
  })
})

/**
 * Fetching logs of the public collection of attack data, once, into a folder: only from the collection's own addresses,
 * and each file pinned by its SHA-256 in a lock file, so that a file that has changed is not taken.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { systemReason } from '../../core/systemerror.ts'
import { placeOfData } from './attackdata.ts'
import { type Located, locate } from './datafiles.ts'

/** Gets what is at an address; rejects when it cannot be had. */
export type Fetch = (
  address: string,
) => Promise<{ readonly status: number; readonly body: Uint8Array }>

/** SHA-256 of files in lower-case hexadecimal digits, by their place in the collection. */
type Pins = Map<string, string>

/** Where the collection is published: host, and the beginning of the path. */
const HOMES: ReadonlyMap<string, string> = new Map([
  ['media.githubusercontent.com', '/media/splunk/attack_data/'],
  ['raw.githubusercontent.com', '/splunk/attack_data/'],
])
const PLACE = /^datasets\/[A-Za-z0-9._@ +()-]+(?:\/[A-Za-z0-9._@ +()-]+){0,16}$/
const POINTER = 'version https://git-lfs.'

/** The place of data that may be fetched; undefined for an address elsewhere, or one that is written oddly. */
export function fetchablePlace(address: string): string | undefined {
  let url: URL
  try {
    url = new URL(address.trim())
  } catch {
    return undefined
  }
  const home = HOMES.get(url.hostname)
  const isPlain = url.protocol === 'https:' && url.port === '' && url.username === ''
  if (!isPlain || home === undefined || !url.pathname.startsWith(home)) return undefined
  const place = placeOfData(address)
  const parts = place.split('/')
  return PLACE.test(place) && !parts.includes('..') && !parts.includes('.') ? place : undefined
}

/** Reads a lock file; one that is not there has no pins. */
export function readPins(path: string): { readonly pins: Pins } | { readonly problem: Diagnostic } {
  const problem = (reason: string) => ({ problem: diagnose('HR767', { path, reason }) })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return isAbsent ? { pins: new Map() } : problem(systemReason(error))
  }
  const pins: Pins = new Map()
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const found = /^([0-9a-f]{64}) {2}(.+)$/.exec(line)
    const [, sum = '', place = ''] = found ?? []
    if (!PLACE.test(place)) return problem(`line ${at + 1} is no SHA-256 with a place`)
    pins.set(place, sum)
  }
  return { pins }
}

function writePins(path: string, pins: Pins): void {
  const lines = [...pins].sort().map(([place, sum]) => `${sum}  ${place}\n`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, lines.join(''))
  renameSync(`${path}.new`, path)
}

const sumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Files of the collection in a folder, each of which must be what its pin says. */
export class DataCache {
  readonly folder: string
  readonly #lock: string
  readonly #pins: Pins
  readonly #checked = new Map<string, Located>()

  constructor(folder: string, lock: string, pins: Pins) {
    this.folder = folder
    this.#lock = lock
    this.#pins = pins
  }

  /** Finds data that was fetched. */
  find(address: string): Located {
    const place = fetchablePlace(address)
    if (place === undefined) {
      return { reason: 'it is not of the public collection', isAbsent: true }
    }
    const known = this.#checked.get(place)
    if (known !== undefined) return known
    const located = this.#check(place)
    this.#checked.set(place, located)
    return located
  }

  #check(place: string): Located {
    const found = locate(this.folder, place)
    if (!('path' in found)) return found
    try {
      const pin = this.#pins.get(place)
      if (pin === sumOf(readFileSync(found.path))) return found
      const { message } = diagnose('HR766', { place })
      return { reason: message, isAbsent: false }
    } catch (error) {
      return { reason: systemReason(error), isAbsent: false }
    }
  }

  /** Fetches data that is not here. Gives why not, when it cannot be had or is not what was pinned. */
  async fetch(address: string, get: Fetch): Promise<string | undefined> {
    const place = fetchablePlace(address)
    if (place === undefined) return 'it is not of the public collection'
    const found = this.find(address)
    if ('path' in found || !found.isAbsent) return undefined
    try {
      const { status, body } = await get(address.trim())
      if (status !== 200) return `the server answers ${status}`
      if (Buffer.from(body.subarray(0, POINTER.length)).toString('latin1') === POINTER) {
        return 'the server gives only a pointer of Git LFS'
      }
      const sum = sumOf(body)
      const pin = this.#pins.get(place)
      if (pin !== undefined && pin !== sum) return diagnose('HR766', { place }).message
      this.#keep(place, body)
      this.#pins.set(place, sum)
      if (pin === undefined) writePins(this.#lock, this.#pins)
      this.#checked.delete(place)
      return undefined
    } catch (error) {
      return systemReason(error)
    }
  }

  #keep(place: string, body: Uint8Array): void {
    const path = join(this.folder, place)
    mkdirSync(dirname(path), { recursive: true })
    try {
      writeFileSync(`${path}.new`, body)
      renameSync(`${path}.new`, path)
    } finally {
      rmSync(`${path}.new`, { force: true })
    }
  }
}

/**
 * Lists of assets and identities from CSV files with the columns of Enterprise Security
 * (https://docs.splunk.com/Documentation/ES/latest/Admin/Formatassetoridentitylist): read once, asked for each finding.
 * Several values of a cell stand apart by `|`. An address may be single, a network (`10.1.0.0/16`) or a range
 * (`10.1.0.5-10.1.0.9`); of networks the narrowest counts.
 */
import { CsvError, csvRows } from '../../core/csv.ts'
import { type Diagnostic, diagnose } from '../../core/diagnostic.ts'
import { limits } from '../../core/limits.ts'
import { bytesOf, carriedBytes, networkOf } from '../../net/address.ts'

/** In order: what matters least first. */
export const PRIORITIES = ['unknown', 'low', 'medium', 'high', 'critical'] as const
export type Priority = (typeof PRIORITIES)[number]

/** One asset or identity. */
export interface Listed {
  readonly priority: Priority
  readonly category: readonly string[]
  readonly bunit: string
  readonly owner: string
  readonly watchlist: boolean
}

/** A list as it was read; rows that cannot be used are left out, and told. */
export interface ListFile {
  readonly file: string
  readonly text: string
}

/** Problems of one list that are told one by one. */
const MOST_TOLD = 20
/** Addresses whose asset is remembered. */
const REMEMBERED = 100_000

interface Range {
  readonly from: bigint
  readonly to: bigint
  readonly listed: Listed
}

const numberOf = (bytes: readonly number[]): bigint =>
  bytes.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n)

/** An address as a number; those of IPv4 lie apart from those of IPv6. */
function addressOf(text: string): bigint | undefined {
  const bytes = bytesOf(text)
  if (bytes === undefined) return undefined
  const own = carriedBytes(bytes)
  return own.length === 4 ? numberOf(own) : numberOf(own) + (1n << 40n)
}

/** The first and the last address that a text means; undefined for other texts. */
function rangeOf(text: string): readonly [bigint, bigint] | undefined {
  const [first = '', last, more] = text.split('-').map((each) => each.trim())
  if (more !== undefined) return undefined
  if (last !== undefined) {
    const [from, to] = [addressOf(first), addressOf(last)]
    return from === undefined || to === undefined || to < from ? undefined : [from, to]
  }
  const network = networkOf(text)
  if (network === undefined) return undefined
  const own = carriedBytes(network.bytes)
  const width = own.length * 8
  const bits = Math.max(0, network.bits - (network.bytes.length - own.length) * 8)
  const size = 1n << BigInt(width - bits)
  const base = (numberOf(own) / size) * size + (own.length === 4 ? 0n : 1n << 40n)
  return [base, base + size - 1n]
}

const parts = (cell: string): readonly string[] =>
  cell
    .split('|')
    .map((each) => each.trim())
    .filter((each) => each !== '')

const userName = (text: string): string => {
  const low = text.trim().toLowerCase()
  return low.slice(low.lastIndexOf('\\') + 1)
}

const isTrue = (text: string): boolean => /^(?:true|1|t|y|yes)$/i.test(text)

/** Assets and identities of all lists. Of two entries for one value the later counts. */
export class AssetLists {
  readonly #names = new Map<string, Listed>()
  readonly #addresses = new Map<bigint, Listed>()
  readonly #ranges: Range[] = []
  readonly #identities = new Map<string, Listed>()
  readonly #found = new Map<string, Listed | undefined>()

  get isEmpty(): boolean {
    const assets = this.#names.size + this.#addresses.size + this.#ranges.length
    return assets + this.#identities.size === 0
  }

  /** Adds an asset; gives what is wrong with it. */
  addAsset(cells: ReadonlyMap<string, string>, listed: Listed): string | undefined {
    const names = ['nt_host', 'dns', 'mac'].flatMap((key) => parts(cells.get(key) ?? ''))
    const ranges: Range[] = []
    for (const ip of parts(cells.get('ip') ?? '')) {
      const range = rangeOf(ip)
      if (range === undefined) return `"${ip.slice(0, 64)}" is no address, network or range`
      ranges.push({ from: range[0], to: range[1], listed })
    }
    if (names.length + ranges.length === 0) return 'it has none of ip, nt_host, dns and mac'
    for (const name of names) this.#names.set(name.toLowerCase(), listed)
    for (const each of ranges) {
      if (each.from === each.to) this.#addresses.set(each.from, listed)
      else this.#ranges.push(each)
    }
    this.#found.clear()
    return undefined
  }

  /** Adds an identity; gives what is wrong with it. */
  addIdentity(cells: ReadonlyMap<string, string>, listed: Listed): string | undefined {
    const names = ['identity', 'email'].flatMap((key) => parts(cells.get(key) ?? ''))
    if (names.length === 0) return 'it has neither identity nor email'
    for (const name of names) this.#identities.set(userName(name), listed)
    return undefined
  }

  /** The asset that a name or an address means. */
  asset(value: string): Listed | undefined {
    const name = value.trim().toLowerCase().replace(/\.$/, '')
    if (this.#found.has(name)) return this.#found.get(name)
    const address = addressOf(name)
    const found =
      address === undefined
        ? (this.#names.get(name) ?? this.#names.get(name.split('.')[0] ?? name))
        : (this.#addresses.get(address) ?? this.#inRange(address))
    if (this.#found.size >= REMEMBERED) this.#found.clear()
    this.#found.set(name, found)
    return found
  }

  #inRange(address: bigint): Listed | undefined {
    let best: Range | undefined
    for (const each of this.#ranges) {
      if (address < each.from || address > each.to) continue
      if (best === undefined || each.to - each.from <= best.to - best.from) best = each
    }
    return best?.listed
  }

  /** The identity that a user or an address of mail means, with or without its domain. */
  identity(value: string): Listed | undefined {
    const name = userName(value)
    const plain = name.includes('@') ? name.slice(0, name.indexOf('@')) : name
    return this.#identities.get(name) ?? this.#identities.get(plain)
  }
}

/** The cells of a row by the names of their columns, in lower case. */
function cellsOf(columns: readonly string[], row: readonly string[]): ReadonlyMap<string, string> {
  return new Map(columns.map((name, at) => [name, row[at]?.trim() ?? '']))
}

function listedOf(cells: ReadonlyMap<string, string>): Listed | string {
  const said = cells.get('priority')?.toLowerCase() || 'unknown'
  const priority = PRIORITIES.find((each) => each === said)
  if (priority === undefined) {
    return `"${said.slice(0, 64)}" is no priority: it is one of ${PRIORITIES.join(', ')}`
  }
  return {
    priority,
    category: parts(cells.get('category') ?? ''),
    bunit: cells.get('bunit') ?? '',
    owner: cells.get('owner') ?? cells.get('managedby') ?? '',
    watchlist: isTrue(cells.get('watchlist') ?? ''),
  }
}

/** Rows with the lines that they begin in. */
function* placedRows(text: string): Generator<readonly [number, readonly string[]]> {
  const lines = text.split(/\r\n|\r|\n/)
  let at = 0
  for (const row of csvRows(text, ',', true)) {
    while (at < lines.length && lines[at]?.trim() === '') at++
    yield [at + 1, row]
    at += 1 + row.reduce((sum, cell) => sum + cell.split(/\r\n|\r|\n/).length - 1, 0)
  }
}

function readList(
  { file, text }: ListFile,
  wanted: readonly string[],
  add: (cells: ReadonlyMap<string, string>, listed: Listed) => string | undefined,
): readonly Diagnostic[] {
  const told: Diagnostic[] = []
  const unusable = (reason: string): readonly Diagnostic[] => [
    ...told,
    diagnose('HR740', { file, reason }),
  ]
  if (text.length > limits.assetListBytes) {
    return unusable(`it has more than ${limits.assetListBytes} bytes`)
  }
  let columns: readonly string[] | undefined
  let [rows, wrong] = [0, 0]
  try {
    for (const [line, row] of placedRows(text)) {
      if (columns === undefined) {
        columns = row.map((each) => each.trim().toLowerCase())
        if (wanted.some((each) => columns?.includes(each))) continue
        return unusable(`its first line names none of the columns ${wanted.join(', ')}`)
      }
      if (++rows > limits.assetRows) return unusable(`it has more than ${limits.assetRows} rows`)
      const cells = cellsOf(columns, row)
      const listed = listedOf(cells)
      const reason = typeof listed === 'string' ? listed : add(cells, listed)
      if (reason === undefined) continue
      if (wrong++ < MOST_TOLD) told.push(diagnose('HR741', { file, line, reason }))
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return unusable(error.message)
  }
  if (columns === undefined) return unusable('it is empty')
  if (wrong > MOST_TOLD) {
    told.push(diagnose('HR742', { file, count: wrong - MOST_TOLD }))
  }
  return told
}

/** Reads lists; an error means that one of them cannot be used at all. */
export function readAssetLists(
  assets: readonly ListFile[],
  identities: readonly ListFile[],
): { readonly lists: AssetLists; readonly diagnostics: readonly Diagnostic[] } {
  const lists = new AssetLists()
  const diagnostics = [
    ...assets.flatMap((each) =>
      readList(each, ['ip', 'nt_host', 'dns', 'mac'], (cells, listed) =>
        lists.addAsset(cells, listed),
      ),
    ),
    ...identities.flatMap((each) =>
      readList(each, ['identity', 'email'], (cells, listed) => lists.addIdentity(cells, listed)),
    ),
  ]
  return { lists, diagnostics }
}

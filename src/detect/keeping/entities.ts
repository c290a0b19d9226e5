/**
 * The entities of a finding, typed: those that its rule maps, or else those that the fields of its event name. Each has
 * a key, so that one that is met in three languages is one: `WS07.corp.example`, `ws07` and `HostName: WS07` are the same.
 * Keys join what belongs together for people; they prove nothing, since whoever writes logs chooses the names in them.
 */
import { withoutEnd } from '../../core/trim.ts'
import { bytesOf, carriedBytes } from '../../net/address.ts'
import type { EventFields, Finding, FoundEntity } from '../finding.ts'
import { ENTITY_FIELDS, ENTITY_KINDS, type EntityField } from './entityfields.ts'

/** Entities that one finding has at most, and the longest value of one. */
const MOST = 100
const LONGEST = 1_024
const LONGEST_KEY = 256
/** Values of one field that are looked at. */
const MOST_VALUES = 50

/** Values that stand for nothing. */
const NOTHING = new Set(['', '-', 'n/a', 'none', 'null', 'unknown', '(null)', 'not available', '?'])
/** Accounts that every machine has: what they do tells nothing of a person. */
const EVERYWHERE =
  /^(?:system|localsystem|local system|local service|network service|anonymous logon|iusr|window manager|font driver host|dwm-\d+|umfd-\d+)$/
const SIDS_EVERYWHERE = /^s-1-(?:0-0|5-7|5-18|5-19|5-20|5-90-.*|5-96-.*)$/
const HASH = /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$/i
const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [32, 'MD5'],
  [40, 'SHA1'],
  [64, 'SHA256'],
  [128, 'SHA512'],
])
const DOMAIN_NAME = /^(?=.{4,253}\.?$)(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}\.?$/i

/** An address in its one spelling: IPv6 in full groups, an IPv4 address that IPv6 carries as such. */
export function addressText(text: string): string | undefined {
  const bytes = bytesOf(text.replace(/^\[|\]$/g, ''))
  if (bytes === undefined) return undefined
  const own = carriedBytes(bytes)
  if (own.length === 4) return own.join('.')
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((own[2 * at] ?? 0) << 8) | (own[2 * at + 1] ?? 0)).toString(16),
  )
  return groups.join(':')
}

const lastPart = (text: string, mark: string): string => text.slice(text.lastIndexOf(mark) + 1)

/** True for an address that every machine has, or that is none. */
const isOwnAddress = (address: string): boolean =>
  address.startsWith('127.') || address === '0.0.0.0' || /^0(?::0){6}:[01]$/.test(address)

/** `SHA1=..,MD5=..`, or one hash. */
function hashesOf(text: string): readonly FoundEntity[] {
  return text.split(/[,;\s]+/).flatMap((part): readonly FoundEntity[] => {
    const [name, value] = part.includes('=') ? part.split('=', 2) : [undefined, part]
    if (value === undefined || !HASH.test(value)) return []
    // An import hash has the length of MD5 and is no hash of the file.
    if (name !== undefined && /^imp/i.test(name)) return []
    const algorithm = name?.toUpperCase() ?? ALGORITHMS.get(value.length) ?? ''
    return [{ type: 'FileHash', Algorithm: algorithm, Value: value }]
  })
}

function accountOf(identifier: string, value: string, domain: string): readonly FoundEntity[] {
  const low = value.toLowerCase()
  if (identifier === 'Sid' || /^s-1-\d/.test(low)) {
    return SIDS_EVERYWHERE.test(low) ? [] : [{ type: 'Account', Sid: value }]
  }
  const [before, name] = value.includes('\\')
    ? [value.slice(0, value.indexOf('\\')), lastPart(value, '\\')]
    : [domain, value]
  if (name === '' || EVERYWHERE.test(name.toLowerCase())) return []
  if (name.includes('@')) return [{ type: 'Account', UPN: name }]
  const isDomain = !NOTHING.has(before.toLowerCase())
  return [{ type: 'Account', Name: name, ...(isDomain ? { NTDomain: before } : {}) }]
}

function fileOf(value: string): readonly FoundEntity[] {
  const at = Math.max(value.lastIndexOf('\\'), value.lastIndexOf('/'))
  const name = value.slice(at + 1)
  if (name === '') return []
  return [{ type: 'File', Name: name, ...(at > 0 ? { Directory: value.slice(0, at) } : {}) }]
}

/** The entities that one value of a field names. */
function entitiesOf(
  { type, identifier }: EntityField,
  value: string,
  domain: string,
): readonly FoundEntity[] {
  const address = type === 'IP' || type === 'Host' ? addressText(value) : undefined
  if (address !== undefined) return isOwnAddress(address) ? [] : [{ type: 'IP', Address: address }]
  switch (type) {
    case 'IP':
      return []
    case 'Host': {
      const name = value.replace(/^\\\\/, '')
      return name.toLowerCase() === 'localhost' ? [] : [{ type, HostName: name }]
    }
    case 'Account':
      return accountOf(identifier, value, domain)
    case 'File':
      return fileOf(value)
    case 'FileHash':
      return hashesOf(value)
    case 'DNS':
      return DOMAIN_NAME.test(value) ? [{ type, DomainName: value }] : []
    case 'Mailbox':
      return value.includes('@') ? [{ type, [identifier]: value }] : []
    case 'AzureResource':
      return value.startsWith('/') ? [{ type, [identifier]: value }] : []
    default:
      return [{ type, [identifier]: value }]
  }
}

/** Values of an event by names in lower case. */
function loweredOf(event: EventFields): ReadonlyMap<string, readonly string[]> {
  const lowered = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(event)) {
    if (value === null) continue
    const values = typeof value === 'string' ? [value] : value.slice(0, MOST_VALUES)
    const said = values
      .map((each) => each.slice(0, LONGEST).trim())
      .filter((each) => !NOTHING.has(each.toLowerCase()))
    if (said.length > 0) lowered.set(name.toLowerCase(), said)
  }
  return lowered
}

/** The entities that the fields of an event name, in the order of the table. */
function namedEntities({ event, host }: Finding): readonly FoundEntity[] {
  const fields = loweredOf(event)
  const own = loweredOf({ host }).get('host') ?? []
  const found = own.flatMap((each) =>
    entitiesOf({ type: 'Host', identifier: 'HostName' }, each, ''),
  )
  for (const [name, field] of ENTITY_FIELDS) {
    const values = fields.get(name)
    if (values === undefined) continue
    const domain = field.domain === undefined ? undefined : fields.get(field.domain)?.[0]
    for (const value of values) found.push(...entitiesOf(field, value, domain ?? ''))
  }
  return found.filter((each) => !isSaidOtherwise(each, found))
}

/** True for a user that another entity of the event stands for: one by its SID alone, and the account of the host itself. */
function isSaidOtherwise(entity: FoundEntity, all: readonly FoundEntity[]): boolean {
  if (entity.type !== 'Account') return false
  const name = entityName(entity)
  if (name.endsWith('$')) {
    const host = entityKey({ type: 'Host', HostName: name.slice(0, -1) })
    return all.some((each) => each.type === 'Host' && entityKey(each) === host)
  }
  const isSid = Object.keys(entity).length === 2 && entity.Sid !== undefined
  return isSid && all.some((each) => each.type === 'Account' && each.Sid === undefined)
}

const kindOf = (type: string) =>
  Object.hasOwn(ENTITY_KINDS, type) ? ENTITY_KINDS[type] : undefined

/** The type as people call it: `host`, `user`, `ip`. */
export function entityWord({ type }: FoundEntity): string {
  return kindOf(type)?.word ?? type.toLowerCase()
}

/** What an entity is known by, as it is written; empty for one without a name. */
export function entityName(entity: FoundEntity): string {
  const names = kindOf(entity.type)?.names ?? Object.keys(entity).filter((each) => each !== 'type')
  const known = names.map((each) => (Object.hasOwn(entity, each) ? entity[each] : undefined))
  return known.find((each) => each !== undefined && each !== '') ?? ''
}

/** The name of a machine without its domain, or an address as it is compared. */
function machine(low: string): string {
  const [first = low] = low.replace(/^(?:\\\\\s*)+/, '').split('.')
  return addressText(first.trim()) ?? first
}

/** A name as it is compared, by the word of its type; what it gives stays as it is when it is given again. */
function comparable(word: string, name: string): string {
  const low = name.trim().toLowerCase()
  switch (word) {
    case 'host':
      return addressText(low) ?? machine(low)
    case 'user': {
      const plain = lastPart(low, '\\').trim()
      if (plain.startsWith('arn:')) return plain
      return plain.includes('@') ? plain.slice(0, plain.indexOf('@')) : plain
    }
    case 'ip':
      return addressText(low) ?? low
    case 'file':
      return lastPart(lastPart(low, '\\'), '/')
    case 'domain':
      return withoutEnd(low, /[.\s]/)
    case 'process':
      return low.replace(/\s+/g, ' ')
    case 'registry':
      return low
        .replace(/^\\registry\\machine\\|^hkey_local_machine\\/, 'hklm\\')
        .replace(/^\\registry\\user\\|^hkey_users\\/, 'hku\\')
        .replace(/^hkey_current_user\\/, 'hkcu\\')
    default:
      return low
  }
}

function keyOf(word: string, name: string): string {
  return `${word}:${comparable(word, name).trim()}`.slice(0, LONGEST_KEY).trimEnd()
}

/** What tells an entity from others, whatever rule names it: `host:ws07`. Empty for one without a name. */
export function entityKey(entity: FoundEntity): string {
  const word = entityWord(entity)
  const key = keyOf(word, entityName(entity))
  return key === `${word}:` ? '' : key
}

/** The keys that a person may mean by a text: `host:ws07` is one, `WS07` is one of each type. */
export function keysNamed(text: string): readonly string[] {
  const words = [...new Set(Object.values(ENTITY_KINDS).map(({ word }) => word))]
  const at = text.indexOf(':')
  const word = at < 0 ? undefined : words.find((each) => each === text.slice(0, at).toLowerCase())
  const all = word === undefined ? words : [word]
  const name = word === undefined ? text : text.slice(at + 1)
  return all.map((each) => keyOf(each, name))
}

/**
 * The entities of a finding, each once, typed as Sentinel types them. A rule that maps its own is taken at its word; for
 * others the fields of the event tell them.
 */
export function typedEntities(finding: Finding): readonly FoundEntity[] {
  const own = (finding.entities ?? []).filter((each) => entityName(each) !== '')
  const all = own.length > 0 ? own : namedEntities(finding)
  const known = new Map<string, FoundEntity>()
  for (const each of all) {
    const key = entityKey(each)
    const before = known.get(key)
    // What is met twice is known by all that is said of it.
    if (before === undefined && known.size < MOST) known.set(key, each)
    else if (before !== undefined) known.set(key, { ...each, ...before })
  }
  return [...known.values()]
}

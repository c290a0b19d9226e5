/**
 * From the rows of a search to findings: one a row, with what is at risk, what is evidence, and the texts of the alert.
 */
import type { Rule, SplPart } from '../rules/rule.ts'
import {
  type Finding,
  type FoundEntity,
  type FoundRisk,
  type FoundThreat,
  fixedId,
} from './finding.ts'
import type { SplRows } from './splvalues.ts'
import type { Value } from './values.ts'

const MOST_TEXT = 5_000
/** Fields that a rule names as objects; published ones name up to eight. */
const MOST_FIELDS = 100
/** Objects of one kind that a finding carries at most: a field may have any number of values. */
const MOST_OBJECTS = 500
/** Fields that name the host of a row where no system is at risk, the surest first. */
const HOSTS = ['dest', 'host', 'dvc', 'Computer', 'ComputerName', 'src']

const IP = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})$/i

/** Entities that kinds of threat objects stand for. */
const THREAT_ENTITIES: ReadonlyMap<string, readonly [type: string, identifier: string]> = new Map([
  ['ip_address', ['IP', 'Address']],
  ['domain', ['DNS', 'DomainName']],
  ['url', ['URL', 'Url']],
  ['file_name', ['File', 'Name']],
  ['file_hash', ['FileHash', 'Value']],
  ['process_hash', ['FileHash', 'Value']],
  ['process', ['Process', 'CommandLine']],
  ['registry_path', ['RegistryKey', 'Key']],
  ['registry_value_name', ['RegistryValue', 'Name']],
  ['email_address', ['Mailbox', 'MailboxPrimaryAddress']],
])

function riskEntity({ type, value }: FoundRisk): readonly FoundEntity[] {
  if (type === 'user') return [{ type: 'Account', Name: value }]
  if (type !== 'system') return []
  return [IP.test(value) ? { type: 'IP', Address: value } : { type: 'Host', HostName: value }]
}

function threatEntity({ type, value }: FoundThreat): readonly FoundEntity[] {
  const known = THREAT_ENTITIES.get(type)
  return known === undefined ? [] : [{ type: known[0], [known[1]]: value }]
}

function unique<T>(all: readonly T[]): readonly T[] {
  const known = new Map(all.map((each) => [JSON.stringify(each), each]))
  return [...known.values()].slice(0, MOST_OBJECTS)
}

/** What is said of a finding beside its row. */
export interface SplMade {
  /** Tells it from other findings of the rule. */
  readonly key: string
  /** When it happened. */
  readonly time: string
}

export class SplFindings {
  readonly #rule: Rule
  readonly #part: SplPart
  readonly #rows: SplRows

  constructor(rule: Rule, part: SplPart, rows: SplRows) {
    this.#rule = rule
    this.#part = part
    this.#rows = rows
  }

  #filled(format: string, row: readonly Value[]): string {
    return this.#rows.filled(format, row, MOST_TEXT)
  }

  /** What a notable is called: `%name%` stands for a part of the rule. Empty when it says no more than the rule. */
  #said(format: string | undefined, own: string, row: readonly Value[]): string {
    if (format === undefined) return ''
    const parts = new Map([
      ['name', this.#rule.title],
      ['description', this.#rule.description],
    ])
    // The parts of the rule may hold tokens of the row; values of the row are put in last.
    const text = format.replace(/%(name|description)%/g, (_, part: string) => parts.get(part) ?? '')
    const filled = this.#filled(text, row)
    return filled === own ? '' : filled
  }

  /** The values of a field that say something. */
  #values(row: readonly Value[], field: string): readonly string[] {
    const said = this.#rows.values(row, field).filter((value) => value !== '')
    return said.slice(0, MOST_OBJECTS)
  }

  #risk(row: readonly Value[]): readonly FoundRisk[] {
    const { riskMessage, riskObjects } = this.#part
    return unique(
      riskObjects.slice(0, MOST_FIELDS).flatMap(({ field, type, score, message: own }) => {
        const values = this.#values(row, field)
        if (values.length === 0) return []
        const message = this.#filled(own ?? riskMessage, row)
        return values.map((value) => ({ field, value, type, score, message }))
      }),
    )
  }

  #threats(row: readonly Value[]): readonly FoundThreat[] {
    return unique(
      this.#part.threatObjects
        .slice(0, MOST_FIELDS)
        .flatMap(({ field, type }) =>
          this.#values(row, field).map((value) => ({ field, value, type })),
        ),
    )
  }

  #host(row: readonly Value[], risk: readonly FoundRisk[]): string {
    const isName = (each: string | undefined): each is string =>
      each !== undefined && each !== '' && each !== 'unknown'
    const system = risk.find(({ type }) => type === 'system')?.value
    const named = [system, ...HOSTS.map((name) => this.#rows.values(row, name)[0])]
    return named.find(isName) ?? ''
  }

  /** The finding of a row. */
  finding(row: readonly Value[], { key, time }: SplMade): Finding {
    const part = this.#part
    const rule = this.#rule
    const risk = this.#risk(row)
    const threats = this.#threats(row)
    const entities = unique([...risk.flatMap(riskEntity), ...threats.flatMap(threatEntity)])
    const title = this.#said(part.notable?.title, rule.title, row)
    const description = this.#said(part.notable?.description, rule.description, row)
    const message = part.riskMessage === '' ? '' : this.#filled(part.riskMessage, row)
    const details = (part.notable?.fields ?? []).flatMap((name) => {
      const values = this.#rows.values(row, name)
      return values.length === 0 ? [] : [[name, values.slice(0, 50)] as const]
    })
    return {
      time,
      rule_id: rule.id,
      rule_title: rule.title,
      language: rule.language,
      level: rule.level,
      host: this.#host(row, risk),
      tags: rule.tags,
      source: part.reads.join(', '),
      file: '',
      record: 0,
      id: this.#id(key),
      event: this.#rows.event(row),
      ...(title === '' ? {} : { title }),
      ...(description === '' ? {} : { description }),
      ...(entities.length === 0 ? {} : { entities }),
      ...(details.length === 0 ? {} : { details: Object.fromEntries(details) }),
      ...(message === '' ? {} : { risk_message: message }),
      ...(risk.length === 0 ? {} : { risk }),
      ...(threats.length === 0 ? {} : { threat_objects: threats }),
      ...(part.securityDomain === '' ? {} : { security_domain: part.securityDomain }),
    }
  }

  /** The fixed id: the same rule on the same key gives the same. */
  #id(key: string): string {
    return fixedId(this.#rule.id, this.#rule.title, key)
  }
}

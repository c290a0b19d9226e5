/**
 * Throttling and suppression with their memory: every finding of a rule that is throttled is remembered with its values
 * and its time, and what is told follows from all that is known (chain.ts). So a window that is run again gives the same,
 * and windows in any order end in the same. An earlier finding that comes up late takes the place of the one that was
 * told: that one stays stored, and is said to be withdrawn. One that was held back is told once nothing hides it.
 */
import { createHash } from 'node:crypto'
import { limits } from '../../core/limits.ts'
import { instantOfTicks, printInstant, ticksIn } from '../../core/time.ts'
import type { RecordOf, RecordSpec, Records } from '../../engine/records.ts'
import { byTime, periodTicks, toldOf } from './chain.ts'
import { type KeptFinding, keptFindingOf } from './kept.ts'
import { groupOf, type Suppression, type Throttling } from './suppression.ts'

const COLUMNS = {
  rule: 'text',
  id: 'text',
  /** Hash of the values. */
  equal: 'text',
  /** The fields that make findings equal and their values, each as JSON, on two lines. */
  values: 'text',
  /** What throttling counts from: of the finding, or of its run. */
  time: 'text',
  /** Of the finding. */
  finding_time: 'text',
  /** 0 held back, 1 told, 2 told once, then withdrawn. */
  state: 'number',
  /** The suppression of the settings that holds it back; empty for throttling. */
  reason: 'text',
  title: 'text',
  /** Id of the finding that is told in its place. */
  instead: 'text',
} as const
export const SUPPRESSED = {
  name: 'suppressed',
  columns: COLUMNS,
  key: ['rule', 'id'],
} as const satisfies RecordSpec<typeof COLUMNS>
const TEXT_COLUMNS = { rule: 'text', id: 'text', finding: 'text' } as const
/** Findings that are held back, whole, so that they can be told later. */
const TEXTS = {
  name: 'suppressed_findings',
  columns: TEXT_COLUMNS,
  key: ['rule', 'id'],
} as const satisfies RecordSpec<typeof TEXT_COLUMNS>

type Row = RecordOf<typeof COLUMNS>

export const STATE = { held: 0, told: 1, withdrawn: 2 } as const

/** Values that one query names. */
const ASKED = 1_000

/** A finding to be decided on. */
export interface Candidate {
  readonly finding: KeptFinding
  readonly throttling?: Throttling
  readonly suppression?: Suppression
}

const isFree = ({ throttling, suppression }: Candidate): boolean =>
  throttling === undefined && suppression === undefined

/** What is decided; it holds from when it is noted. */
export interface Decision {
  /** What is to be kept: candidates, and such as were held back before. */
  readonly told: readonly KeptFinding[]
  /** Ids of candidates that are held back. */
  readonly held: ReadonlySet<string>
  readonly rows: readonly Row[]
  readonly texts: readonly RecordOf<typeof TEXT_COLUMNS>[]
}

interface Making {
  readonly told: KeptFinding[]
  readonly held: Set<string>
  readonly rows: Row[]
  readonly texts: RecordOf<typeof TEXT_COLUMNS>[]
}

/** A finding in the chain of those that are equal. */
interface Link {
  readonly id: string
  readonly at: bigint
  readonly row: Row
  readonly before: Row | undefined
  /** Absent for one that was decided on before. */
  readonly finding: KeptFinding | undefined
}

function pieces<T>(all: readonly T[]): readonly (readonly T[])[] {
  const found: (readonly T[])[] = []
  for (let from = 0; from < all.length; from += ASKED) found.push(all.slice(from, from + ASKED))
  return found
}

function rowOf({ finding, throttling, suppression }: Candidate): Row {
  const fields = throttling?.fields ?? []
  const group = groupOf(finding, fields)
  return {
    rule: finding.rule_key,
    id: finding.id,
    equal: createHash('sha256').update(group).digest('hex').slice(0, 32),
    values: `${JSON.stringify(fields)}\n${group}`.slice(0, limits.throttleKeyChars),
    time: throttling?.isByRun === true ? finding.run_at : finding.time,
    finding_time: finding.time,
    state: STATE.held,
    reason: suppression?.name ?? '',
    title: (finding.title ?? finding.rule_title).slice(0, 500),
    instead: '',
  }
}

/** The state of each link from the first new one on; what lies before stays as it is. */
function chained(
  links: readonly Link[],
  { seconds, isByRun }: Throttling,
): readonly { readonly link: Link; readonly state: number; readonly instead: string }[] {
  const fresh = links.filter(({ finding }) => finding !== undefined)
  const first = fresh.map(({ at }) => at).sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n
  const past = links.filter(({ at, row }) => at < first && row.state === STATE.told)
  const last = past.reduce<Link | undefined>(
    (most, each) => (most === undefined || each.at >= most.at ? each : most),
    undefined,
  )
  const open = links.filter(({ at }) => at >= first).toSorted(byTime)
  const told = toldOf(open, periodTicks(seconds), {
    ...(last === undefined ? {} : { last: last.at }),
    isTogether: isByRun,
  })
  let instead = last?.id ?? ''
  return open.map((link) => {
    if (told.has(link)) {
      instead = link.id
      return { link, state: STATE.told, instead: '' }
    }
    const was = link.before?.state ?? STATE.held
    return { link, state: was === STATE.held ? STATE.held : STATE.withdrawn, instead }
  })
}

const isSameRow = (a: Row, b: Row | undefined): boolean =>
  b !== undefined &&
  (['time', 'equal', 'state', 'reason', 'instead'] as const).every((key) => a[key] === b[key])

export class Throttle {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** What becomes of findings; nothing is written. */
  async decide(candidates: readonly Candidate[]): Promise<Decision> {
    const told = candidates.filter(isFree).map(({ finding }) => finding)
    const bound = new Map<string, Map<string, Candidate>>()
    for (const each of candidates) {
      if (isFree(each)) continue
      const { rule_key: rule, id, run_at: at } = each.finding
      const ids = bound.get(rule) ?? new Map<string, Candidate>()
      bound.set(rule, ids)
      const before = ids.get(id)
      // The same finding of several runs counts from the first.
      if (before === undefined || at < before.finding.run_at) ids.set(id, each)
    }
    const made = { told, held: new Set<string>(), rows: [], texts: [] }
    for (const [rule, own] of bound) await this.#decideRule(rule, [...own.values()], made)
    return made
  }

  async #decideRule(rule: string, candidates: readonly Candidate[], made: Making): Promise<void> {
    const known = await this.#known(
      rule,
      candidates.map(({ finding }) => finding.id),
    )
    const hold = (finding: KeptFinding): void => {
      made.held.add(finding.id)
      if (known.get(finding.id)?.state === STATE.held) return
      const text = JSON.stringify(finding)
      if (text.length > limits.heldFindingChars) return
      made.texts.push({ rule, id: finding.id, finding: text })
    }
    const links: Link[] = []
    for (const each of candidates) {
      const { finding } = each
      const row = rowOf(each)
      const before = known.get(row.id)
      if (each.suppression !== undefined) {
        const was = before?.state ?? STATE.held
        const state = was === STATE.held ? STATE.held : STATE.withdrawn
        hold(finding)
        if (!isSameRow({ ...row, state }, before)) made.rows.push({ ...row, state })
        continue
      }
      const time = before !== undefined && before.time < row.time ? before.time : row.time
      links.push({ id: row.id, at: ticksIn(time), row: { ...row, time }, before, finding })
    }
    const throttling = candidates.find((each) => each.throttling !== undefined)?.throttling
    if (throttling === undefined || links.length === 0) return
    for (const group of (await this.#groups(rule, links, throttling)).values()) {
      for (const { link, state, instead } of chained(group, throttling)) {
        const { before, finding, row } = link
        const isReleased =
          state === STATE.told && finding === undefined && before?.state === STATE.held
        const text = isReleased ? await this.#text(rule, link.id) : finding
        // Without its text it cannot be told, and stays held back.
        if (isReleased && text === undefined) continue
        if (state === STATE.told && text !== undefined) made.told.push(text)
        if (state !== STATE.told && finding !== undefined) hold(finding)
        const next = { ...row, state, instead }
        if (!isSameRow(next, before)) made.rows.push(next)
      }
    }
  }

  /** Rows of findings by their ids. */
  async #known(rule: string, ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const table = await this.#records.table(SUPPRESSED)
    const known = new Map<string, Row>()
    for (const value of pieces(ids)) {
      const where = [
        { column: 'rule', is: '=' as const, value: rule },
        { column: 'id', is: 'in' as const, value },
      ]
      for (const each of await table.read({ where })) known.set(each.id, each)
    }
    return known
  }

  /** Links with those that are stored around them, by what makes them equal. */
  async #groups(
    rule: string,
    links: readonly Link[],
    { seconds }: Throttling,
  ): Promise<ReadonlyMap<string, readonly Link[]>> {
    const table = await this.#records.table(SUPPRESSED)
    const groups = new Map<string, Link[]>()
    for (const link of links) {
      const group = groups.get(link.row.equal)
      if (group === undefined) groups.set(link.row.equal, [link])
      else group.push(link)
    }
    const ids = new Set(links.map(({ id }) => id))
    const times = links.map(({ at }) => at).sort((a, b) => (a < b ? -1 : 1))
    const from = printInstant(instantOfTicks((times[0] ?? 0n) - periodTicks(seconds)))
    for (const value of pieces([...groups.keys()])) {
      const where = [
        { column: 'rule', is: '=' as const, value: rule },
        { column: 'equal', is: 'in' as const, value },
        { column: 'reason', is: '=' as const, value: '' },
        { column: 'time', is: '>=' as const, value: from },
      ]
      const limit = limits.throttledFindings
      for (const row of await table.read({ where, order: ['time', 'id'], limit })) {
        if (ids.has(row.id)) continue
        const { id, equal, time } = row
        groups.get(equal)?.push({ id, at: ticksIn(time), row, before: row, finding: undefined })
      }
    }
    return groups
  }

  async #text(rule: string, id: string): Promise<KeptFinding | undefined> {
    const where = [
      { column: 'rule', is: '=' as const, value: rule },
      { column: 'id', is: '=' as const, value: id },
    ]
    const [row] = await (await this.#records.table(TEXTS)).read({ where, limit: 1 })
    return row === undefined ? undefined : keptFindingOf(row.finding)
  }

  /** Remembers what was decided; to be called when what is told is on disk. */
  async note({ rows, texts }: Decision): Promise<void> {
    if (texts.length > 0) await (await this.#records.table(TEXTS)).append(texts)
    if (rows.length > 0) await (await this.#records.table(SUPPRESSED)).append(rows)
  }
}

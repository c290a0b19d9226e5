/**
 * What the scheduler remembers: of each rule how far it has come, of each window its one result, up to which batch late
 * events are accounted for, and what people have asked for. Rows of an owner whose time is over count for nothing: the
 * number of the owner leads the version of each row.
 */
import type { RecordOf, RecordSpec, Records, RecordTable } from '../../engine/records.ts'
import type { ShownRows } from '../shown.ts'

const RULE = {
  rule: 'text',
  title: 'text',
  language: 'text',
  schedule: 'text',
  /** Changes when the rule does. */
  version: 'text',
  /** Windows after this time are the rule's, milliseconds. */
  since: 'number',
  /** When the rule was first met; what lies before is its past. */
  begun: 'number',
  /** The last scheduled time that is done. */
  checkpoint: 'number',
  strikes: 'number',
  /** Why it is paused; empty when it is not. */
  paused: 'text',
  paused_at: 'number',
  /** Events that came too late for their windows to be run again. */
  late: 'number',
  /** Windows that were not run. */
  gaps: 'number',
  /** State, start and lag of the last run. */
  state: 'text',
  started: 'number',
  lag: 'number',
  /** Of a rule that is paused: windows that are to be run again. */
  dirty: 'list',
  fence: 'number',
} as const

const WINDOW = {
  rule: 'text',
  /** The scheduled time, milliseconds. */
  at: 'number',
  /** `ok`, `failed` or `skipped`. */
  state: 'text',
  reason: 'text',
  started: 'number',
  /** Milliseconds that the run took, shared with the rules that were run with it. */
  took: 'number',
  /** How long after it was due it began. */
  lag: 'number',
  findings: 'number',
  /** Findings that were new, and those that are held back. */
  kept: 'number',
  suppressed: 'number',
  tries: 'number',
  /** Rows that the next run knows again: key and first time, one after the other. */
  shown: 'list',
  fence: 'number',
} as const

const MARK = { name: 'text', seq: 'number', fence: 'number' } as const

const ORDER = {
  rule: 'text',
  /** `pause`, `resume`, or `skip`: resume after the window that fails. */
  want: 'text',
  at: 'number',
  reason: 'text',
} as const

export type RuleRow = RecordOf<typeof RULE>
export type WindowRow = RecordOf<typeof WINDOW>
export type OrderRow = RecordOf<typeof ORDER>

const RULES: RecordSpec<typeof RULE> = { name: 'schedule_rules', columns: RULE, key: ['rule'] }
const WINDOWS: RecordSpec<typeof WINDOW> = {
  name: 'schedule_windows',
  columns: WINDOW,
  key: ['rule', 'at'],
}
const MARKS: RecordSpec<typeof MARK> = { name: 'schedule_marks', columns: MARK, key: ['name'] }
const ORDERS: RecordSpec<typeof ORDER> = { name: 'schedule_orders', columns: ORDER, key: ['rule'] }

const MARK_NAME = 'touched'
/** Room for the rows of one owner below the next one's. */
const ROWS_OF_AN_OWNER = 10_000_000_000

/** Rows of windows that one look reads at most. */
const MOST_WINDOWS = 100_000

export class ScheduleState {
  readonly #rules: RecordTable<typeof RULE>
  readonly #windows: RecordTable<typeof WINDOW>
  readonly #marks: RecordTable<typeof MARK>
  readonly #orders: RecordTable<typeof ORDER>
  #rows = 0

  private constructor(
    rules: RecordTable<typeof RULE>,
    windows: RecordTable<typeof WINDOW>,
    marks: RecordTable<typeof MARK>,
    orders: RecordTable<typeof ORDER>,
  ) {
    this.#rules = rules
    this.#windows = windows
    this.#marks = marks
    this.#orders = orders
  }

  static async open(records: Records): Promise<ScheduleState> {
    return new ScheduleState(
      await records.table(RULES),
      await records.table(WINDOWS),
      await records.table(MARKS),
      await records.table(ORDERS),
    )
  }

  #version(fence: number): number {
    this.#rows++
    return fence * ROWS_OF_AN_OWNER + this.#rows
  }

  rules(): Promise<readonly RuleRow[]> {
    return this.#rules.read({ order: ['title', 'rule'] })
  }

  async keepRules(rows: readonly RuleRow[], fence: number): Promise<void> {
    await this.#rules.append(rows, this.#version(fence))
  }

  async keepWindows(rows: readonly WindowRow[], fence: number): Promise<void> {
    await this.#windows.append(rows, this.#version(fence))
  }

  /** The result of one window. */
  async window(rule: string, at: number): Promise<WindowRow | undefined> {
    const [found] = await this.#windows.read({
      where: [
        { column: 'rule', is: '=', value: rule },
        { column: 'at', is: '=', value: at },
      ],
    })
    return found
  }

  /** Results of windows, the latest first; of one rule where it is named. */
  windows(rule?: string, limit = MOST_WINDOWS): Promise<readonly WindowRow[]> {
    return this.#windows.read({
      where: rule === undefined ? [] : [{ column: 'rule', is: '=', value: rule }],
      order: ['-at', 'rule'],
      limit,
    })
  }

  /** The number of the last batch whose late events are accounted for; undefined in a new store. */
  async mark(): Promise<number | undefined> {
    const [found] = await this.#marks.read()
    return found?.seq
  }

  async keepMark(seq: number, fence: number): Promise<void> {
    await this.#marks.append([{ name: MARK_NAME, seq, fence }], this.#version(fence))
  }

  orders(): Promise<readonly OrderRow[]> {
    return this.#orders.read()
  }

  /** Asks whoever runs the schedule to pause a rule or to go on with it. */
  async order(row: OrderRow): Promise<void> {
    await this.#orders.append([row])
  }
}

/** Rows that a run has shown, as a list. */
export const shownList = (shown: ShownRows): readonly string[] => [...shown].flat()

/** The same back. */
export function shownOf(list: readonly string[]): ShownRows {
  const shown = new Map<string, string>()
  for (let at = 0; at + 1 < list.length; at += 2) shown.set(list[at] ?? '', list[at + 1] ?? '')
  return shown
}

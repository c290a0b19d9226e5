/**
 * Builds the fields of one record after another. The names of a record are a path in a tree of shapes, so a
 * sequence of names that was seen before costs no work and its `names` array is the same object every time.
 */
import type { Instant } from '../core/time.ts'
import type { DecodedEvent, FieldValue } from './decoder.ts'
import { timeIn } from './times.ts'

/** One field name in use. `mark` and `slot` belong to the record that is being built. */
export interface Field {
  readonly name: string
  mark: number
  slot: number
}

export interface Arranged {
  readonly names: readonly string[]
  readonly values: readonly FieldValue[]
}

/** What is known about every record that has the same names in the same order. */
export interface Plan {
  readonly kind: string
  readonly names: readonly string[]
  /** Places among the built values that may hold the event time, best first. */
  readonly times: readonly number[]
  /** Places of a date and a time of day that belong together; tried before `times`. */
  readonly pair?: readonly [number, number] | undefined
  /** Places among the built values that may hold the host name, best first. */
  readonly hosts: readonly number[]
  /** Makes the final names and values of a record whose values do not simply stand beside `names`. */
  readonly arrange?: (values: readonly FieldValue[], raw: string) => Arranged
}

/** Makes the plan of a shape from its field names as they stand in the log. */
export type Planner = (names: readonly string[]) => Plan

/** Shapes kept before the tree is built anew; bounds the memory that ever-changing names can take. */
const MOST_SHAPES = 50_000

class Shape {
  readonly parent: Shape | undefined
  readonly field: Field | undefined
  plan: Plan | undefined
  lastField: Field | undefined
  lastNext: Shape | undefined
  private rest: Map<Field, Shape> | undefined

  constructor(parent: Shape | undefined, field: Field | undefined) {
    this.parent = parent
    this.field = field
  }

  known(field: Field): Shape | undefined {
    return this.rest?.get(field)
  }

  add(field: Field, next: Shape): void {
    this.rest ??= new Map()
    this.rest.set(field, next)
  }

  names(): string[] {
    const names: string[] = []
    for (let at: Shape | undefined = this; at?.field !== undefined; at = at.parent) {
      names.push(at.field.name)
    }
    return names.reverse()
  }
}

/** Copies a text so that it does not keep alive the larger text it was cut from. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

function firstText(value: FieldValue | undefined): string | undefined {
  const text = typeof value === 'string' || value == null ? value : value[0]
  return text == null || text === '' || text === '-' ? undefined : text
}

/** The builder of records of one file. Use: `begin`, `put` or `append` for each field, then `finish`. */
export class Records {
  private readonly planner: Planner
  private readonly fields = new Map<string, Field>()
  private mark = 1
  private root = new Shape(undefined, undefined)
  private shape = this.root
  private shapes = 0
  private values: (string | string[] | null)[] = []
  /** Characters of all names; the owner starts a new builder when there are too many. */
  nameChars = 0

  constructor(planner: Planner) {
    this.planner = planner
  }

  /** The field of a name; the same name always gives the same field. */
  field(name: string): Field {
    const known = this.fields.get(name)
    if (known !== undefined) return known
    const field = { name: detached(name), mark: 0, slot: 0 }
    this.fields.set(field.name, field)
    this.nameChars += name.length
    return field
  }

  get fieldCount(): number {
    return this.values.length
  }

  begin(): void {
    if (this.shapes > MOST_SHAPES) {
      this.root = new Shape(undefined, undefined)
      this.shapes = 0
    }
    this.mark++
    this.shape = this.root
    this.values = []
  }

  has(field: Field): boolean {
    return field.mark === this.mark
  }

  /** The value that the record being built has for the field. */
  value(field: Field): FieldValue | undefined {
    return field.mark === this.mark ? this.values[field.slot] : undefined
  }

  private claim(field: Field): void {
    field.mark = this.mark
    field.slot = this.values.length
    const shape = this.shape
    if (shape.lastField === field && shape.lastNext !== undefined) {
      this.shape = shape.lastNext
      return
    }
    let next = shape.known(field)
    if (next === undefined) {
      next = new Shape(shape, field)
      shape.add(field, next)
      this.shapes++
    }
    shape.lastField = field
    shape.lastNext = next
    this.shape = next
  }

  /** Sets a field; a second value for the same field makes a list of both. */
  put(field: Field, value: string | null): void {
    if (field.mark === this.mark) {
      this.append(field, value)
      return
    }
    this.claim(field)
    this.values.push(value)
  }

  /** Adds to a list field; a null within a list is kept as an empty text, so that lists stay in step. */
  append(field: Field, value: string | null): void {
    const text = value ?? ''
    if (field.mark !== this.mark) {
      this.claim(field)
      this.values.push([text])
      return
    }
    const before = this.values[field.slot]
    if (Array.isArray(before)) before.push(text)
    else this.values[field.slot] = [before ?? '', text]
  }

  /** Sets a field to a whole list. */
  list(field: Field, values: readonly string[]): void {
    if (field.mark === this.mark) {
      for (const each of values) this.append(field, each)
      return
    }
    this.claim(field)
    this.values.push([...values])
  }

  /** The plan of the record as built so far. */
  plan(): Plan {
    const { shape } = this
    shape.plan ??= this.planner(shape.names())
    return shape.plan
  }

  /** The finished event. `time` and `host`, when given, stand before what the fields say. */
  finish(raw: string, record: number, time?: Instant, host?: string): DecodedEvent {
    const plan = this.plan()
    const { values } = this
    let at = time
    if (at === undefined && plan.pair !== undefined) {
      const date = firstText(values[plan.pair[0]])
      const clock = firstText(values[plan.pair[1]])
      if (date?.length === 10 && clock !== undefined) at = timeIn(`${date} ${clock}`)
    }
    for (let i = 0; at === undefined && i < plan.times.length; i++) {
      const text = firstText(values[plan.times[i] ?? -1])
      if (text !== undefined) at = timeIn(text)
    }
    let from = host
    for (let i = 0; from === undefined && i < plan.hosts.length; i++) {
      from = firstText(values[plan.hosts[i] ?? -1])
    }
    const arranged = plan.arrange?.(values, raw)
    return {
      kind: plan.kind,
      names: arranged === undefined ? plan.names : arranged.names,
      values: arranged === undefined ? values : arranged.values,
      raw,
      time: at,
      host: from,
      record,
    }
  }
}

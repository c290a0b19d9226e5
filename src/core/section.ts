/**
 * Reading a section of a settings file: values by key with their types checked, lengths of time as `5m` or `24h`, and
 * keys that nobody asked for told with the nearest known one. Nothing is thrown; what is wrong is told.
 */
import { type Diagnostic, diagnose } from './diagnostic.ts'
import { millisecondsOf } from './length.ts'
import type { Span } from './span.ts'
import { suggest } from './suggest.ts'
import { childOf, entryOf, textOf, type YamlNode } from './yaml.ts'

/** What is said of a value that is not what it must be, and of a key that is not known. */
interface SectionCodes {
  readonly wrong: 'HR930' | 'HR760' | 'HR940'
  readonly unknown: 'HR931' | 'HR761' | 'HR941'
}

/** For settings files, for files of tests, and for overlays. */
const OF_SETTINGS: SectionCodes = { wrong: 'HR930', unknown: 'HR931' }
export const OF_TESTS: SectionCodes = { wrong: 'HR760', unknown: 'HR761' }
export const OF_OVERLAYS: SectionCodes = { wrong: 'HR940', unknown: 'HR941' }

/** One map of a settings file, or of another file of our own. */
export class Section {
  readonly node: YamlNode | undefined
  readonly #name: string
  readonly #tell: (diagnostic: Diagnostic) => void
  readonly #codes: SectionCodes
  readonly #asked = new Set<string>()

  /** `name` is the path of the section, as messages print it: `schedule.sigma`; empty for the whole file. */
  constructor(
    node: YamlNode | undefined,
    name: string,
    tell: (diagnostic: Diagnostic) => void,
    codes: SectionCodes = OF_SETTINGS,
  ) {
    this.node = node
    this.#name = name
    this.#tell = tell
    this.#codes = codes
    const isMap = node?.kind === 'map'
    const isAbsent = node === undefined || (node.kind === 'scalar' && node.value === null)
    if (!isMap && !isAbsent) this.wrong('', 'a map', node.span)
  }

  #path(key: string): string {
    return [this.#name, key].filter((each) => each !== '').join('.')
  }

  /** Tells that a value is not what it must be. */
  wrong(key: string, wanted: string, span?: Span): void {
    const place = span ?? childOf(this.node, key)?.span
    this.#tell(diagnose(this.#codes.wrong, { key: this.#path(key) || 'the file', wanted }, place))
  }

  /** The node of a key, undefined when it is absent or null. */
  child(key: string): YamlNode | undefined {
    this.#asked.add(key)
    const node = childOf(this.node, key)
    return node?.kind === 'scalar' && node.value === null ? undefined : node
  }

  section(key: string): Section {
    return new Section(this.child(key), this.#path(key), this.#tell, this.#codes)
  }

  /** The maps of a list, each a section of its own. */
  sections(key: string): readonly Section[] {
    const node = this.child(key)
    if (node === undefined) return []
    if (node.kind === 'list') {
      return node.items.map(
        (each, at) => new Section(each, `${this.#path(key)}[${at}]`, this.#tell, this.#codes),
      )
    }
    this.wrong(key, 'a list of maps')
    return []
  }

  text(key: string): string | undefined {
    const node = this.child(key)
    if (node === undefined) return undefined
    const text = textOf(node)
    if (text === undefined) this.wrong(key, 'a text')
    return text
  }

  /** A text or a list of texts. */
  texts(key: string): readonly string[] {
    const node = this.child(key)
    if (node === undefined) return []
    const items = node.kind === 'list' ? node.items : [node]
    const found = items.flatMap((each) => textOf(each) ?? [])
    if (found.length < items.length) this.wrong(key, 'a list of texts')
    return found
  }

  /** One of some words. */
  word<W extends string>(key: string, words: readonly W[]): W | undefined {
    const text = this.text(key)
    const found = words.find((each) => each === text)
    if (text !== undefined && found === undefined) this.wrong(key, `one of ${words.join(', ')}`)
    return found
  }

  number(key: string, least = 0, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const node = this.child(key)
    if (node === undefined) return undefined
    const value = node.kind === 'scalar' ? node.value : undefined
    if (typeof value === 'number' && value >= least && value <= most) return value
    this.wrong(key, `a number from ${least} to ${most}`)
    return undefined
  }

  flag(key: string): boolean | undefined {
    const node = this.child(key)
    if (node === undefined) return undefined
    const value = node.kind === 'scalar' ? node.value : undefined
    if (typeof value === 'boolean') return value
    this.wrong(key, 'true or false')
    return undefined
  }

  /** A length of time in milliseconds. */
  duration(key: string): number | undefined {
    const text = this.text(key)
    if (text === undefined) return undefined
    const value = millisecondsOf(text)
    if (value === undefined) this.wrong(key, 'a length of time such as 90s, 5m, 24h or 7d')
    return value
  }

  /** Tells the keys that nobody has asked for; to be called when all that is known has been read. */
  end(): void {
    if (this.node?.kind !== 'map') return
    for (const { key, keySpan } of this.node.entries) {
      if (this.#asked.has(key)) continue
      const near = suggest(key, this.#asked)
      const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
      this.#tell(
        diagnose(this.#codes.unknown, { key: this.#path(key).slice(0, 128), guess }, keySpan),
      )
    }
  }

  /** Place of a key, for messages of its reader. */
  spanOf(key: string): Span | undefined {
    return entryOf(this.node, key)?.keySpan
  }
}

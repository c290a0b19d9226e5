/**
 * Cuts a stream of JSON into its records without holding more than one of them: elements of lists, objects one after
 * another with or without breaks between them, and the record list inside the documents that cloud exports wrap around it.
 */
import { limits } from '../core/limits.ts'
import { ByteQueue } from './bytes.ts'

/** What the cutter finds, in order. The bytes are valid only during the call. */
export interface JsonParts {
  /** A whole object. */
  object(bytes: Buffer): void
  /** Something else where a record should stand: a number, a text, half an object. */
  other(bytes: Buffer, why: 'scalar' | 'broken' | 'unfinished' | 'long'): void
  /** Keys of a wrapping document that are neither its records nor known to belong to the wrapper. */
  keys(names: readonly string[]): void
  /** The file ends although a list or a wrapping document is still open. */
  unclosed(): void
}

/** Keys under which exports put their list of records. */
const LIST_KEYS = new Set([
  'Records',
  'records',
  'value',
  'results',
  'result',
  'items',
  'events',
  'Events',
  'entries',
  'entities',
])

/** Keys that stand beside the list of records and say nothing about events. */
const WRAPPER_KEYS = new Set([
  'took',
  'timed_out',
  '_shards',
  '_scroll_id',
  'pit_id',
  'num_reduce_phases',
  'max_score',
  'total',
  'count',
  'nextLink',
  'preview',
  'init_offset',
  'offset',
  'lastrow',
  'messages',
  'fields',
  'highlighted',
  // Kubernetes lists, Google APIs, pages of other services.
  'kind',
  'apiVersion',
  'metadata',
  'etag',
  'nextPageToken',
  'pagingInfo',
  'pagination',
  'status',
])

/** How far the start of a wrapping document is looked at before its list of records. */
const LOOK_AHEAD = 64 * 1024

const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN = 123
const CLOSE = 125

function isWrapperKey(key: string): boolean {
  return WRAPPER_KEYS.has(key) || key.startsWith('@odata.')
}

/** True when a record whose first key is this one may be a document around a list of records. */
export function mayWrap(key: string): boolean {
  return LIST_KEYS.has(key) || key === 'hits' || isWrapperKey(key)
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

/** A walk over bytes that may end too early: places past the end give -1 for good. */
class Walk {
  private readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** The byte at the next place that is not blank, or -1 at the end. */
  skip(): number {
    while (this.at < this.bytes.length && isBlank(this.bytes[this.at] ?? 0)) this.at++
    return this.bytes[this.at] ?? -1
  }

  /** The text of the string that starts here, or undefined when it does not end. */
  string(): string | undefined {
    const from = this.at + 1
    for (let at = from; at < this.bytes.length; at++) {
      const byte = this.bytes[at]
      if (byte === 92) at++
      else if (byte === QUOTE) {
        this.at = at + 1
        return this.bytes.toString('utf8', from, Math.min(at, from + 128))
      }
    }
    this.at = this.bytes.length
    return undefined
  }

  /** Passes over one value of any kind. */
  value(): void {
    let depth = 0
    for (;;) {
      const byte = this.skip()
      if (byte === -1) return
      if (byte === QUOTE) {
        this.string()
        if (depth === 0) return
      } else if (byte === OPEN || byte === OPEN_LIST) {
        depth++
        this.at++
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        if (depth === 0) return
        this.at++
        if (--depth === 0) return
      } else if (byte === COMMA) {
        if (depth === 0) return
        this.at++
      } else this.at++
    }
  }
}

/**
 * Looks whether the object at `at` is a document around a list of records. Gives where the first record (or the end of
 * the empty list) is and how many containers stay open around the list; `more` when the bytes do not suffice to say.
 */
export function openWrapper(
  bytes: Buffer,
  at: number,
): { readonly at: number; readonly nest: number } | 'more' | undefined {
  const walk = new Walk(bytes, at + 1)
  for (let nest = 1, isPaged = false; ; ) {
    if (walk.skip() !== QUOTE) return walk.skip() === -1 ? 'more' : undefined
    const key = walk.string()
    if (key === undefined) return 'more'
    if (walk.skip() !== 58) return walk.skip() === -1 ? 'more' : undefined
    walk.at++
    const first = walk.skip()
    const isKnown = LIST_KEYS.has(key) || (isPaged && key === 'data')
    const isList = nest === 1 ? isKnown : key === 'hits'
    if (key === 'pagination') isPaged = true
    if (isList && first === OPEN_LIST) {
      walk.at++
      const element = walk.skip()
      if (element === OPEN || element === CLOSE_LIST) return { at: walk.at, nest }
      return element === -1 ? 'more' : undefined
    }
    if (nest === 1 && key === 'hits' && first === OPEN) {
      nest = 2
      walk.at++
      continue
    }
    if (!isWrapperKey(key)) return first === -1 ? 'more' : undefined
    walk.value()
    const next = walk.skip()
    if (next !== COMMA) return next === -1 ? 'more' : undefined
    walk.at++
  }
}

type Mode = 'between' | 'object' | 'scalar' | 'tail' | 'lost'

/** The cutter. Use: `push` for each chunk, then `end`. */
export class JsonSplitter {
  private readonly parts: JsonParts
  private readonly queue = new ByteQueue()
  private mode: Mode = 'between'
  /** For each list that was entered: how many containers of a wrapping document stay open around it. */
  private readonly lists: number[] = []
  /** Where the record, and where the search, stand in the queue. */
  private from = 0
  private at = 0
  private depth = 0
  private inString = false
  private isLong = false
  /** How many bytes there must be before a wrapper that could not be told yet is looked at again. */
  private enough = 0
  /** The last text seen in the tail of a wrapper (a key when a colon follows) and the least depth reached. */
  private text = ''
  private low = 0
  private keys: string[] = []

  constructor(parts: JsonParts) {
    this.parts = parts
  }

  push(bytes: Uint8Array): void {
    this.queue.append(bytes)
    this.scan(false)
    const used = this.mode === 'between' || this.isLong ? this.at : this.from
    const dropped = Math.min(used, this.queue.length)
    this.queue.drop(dropped)
    this.at -= dropped
    this.from = Math.max(0, this.from - dropped)
  }

  end(): void {
    this.scan(true)
    const { mode } = this
    if (mode !== 'between' && mode !== 'tail' && !this.isLong) {
      const rest = this.queue.view().subarray(this.from)
      const why = mode === 'scalar' ? 'scalar' : mode === 'lost' ? 'broken' : 'unfinished'
      this.parts.other(rest, why)
    }
    if (mode === 'tail' || this.lists.length > 0) this.parts.unclosed()
  }

  private scan(isAll: boolean): void {
    const bytes = this.queue.view()
    while (this.at < bytes.length) {
      const before = this.at
      const mode = this.mode
      if (mode === 'between') this.between(bytes, isAll)
      else if (mode === 'object') this.inObject(bytes)
      else if (mode === 'scalar') this.inScalar(bytes)
      else if (mode === 'tail') this.inTail(bytes)
      else this.whileLost(bytes)
      if (this.at === before && this.mode === mode) return
    }
  }

  private between(bytes: Buffer, isAll: boolean): void {
    const byte = bytes[this.at] ?? 0
    this.from = this.at
    if (isBlank(byte) || byte === COMMA || byte === 0x1e) this.at++
    else if (byte === OPEN_LIST) {
      this.lists.push(0)
      this.at++
    } else if (byte === CLOSE_LIST && this.lists.length > 0) {
      const nest = this.lists.pop() ?? 0
      this.at++
      if (nest > 0) {
        this.mode = 'tail'
        this.depth = nest
        this.low = nest
        this.keys = []
      }
    } else if (byte === OPEN) this.openObject(bytes, isAll)
    else {
      this.mode = 'scalar'
      this.inString = byte === QUOTE
      this.isLong = false
      this.at++
    }
    if (this.lists.length > limits.jsonDepth) {
      this.lists.length = 1
      this.loseWay(this.at)
    }
  }

  private openObject(bytes: Buffer, isAll: boolean): void {
    const held = bytes.length - this.at
    if (held < this.enough && !isAll) return
    const wrapper = this.lists.length === 0 ? openWrapper(bytes, this.at) : undefined
    if (wrapper === 'more' && !isAll && held < LOOK_AHEAD) {
      this.enough = Math.min(LOOK_AHEAD, held * 2)
      return
    }
    this.enough = 0
    if (wrapper !== undefined && wrapper !== 'more') {
      this.at = wrapper.at
      this.lists.push(wrapper.nest)
      return
    }
    this.mode = 'object'
    this.depth = 1
    this.inString = false
    this.isLong = false
    this.at++
  }

  /** Goes on at the next line that starts an object; what is between belongs to the broken record. */
  private loseWay(at: number): void {
    this.mode = 'lost'
    this.at = at
  }

  private inObject(bytes: Buffer): void {
    const { length } = bytes
    let { at, depth, inString } = this
    for (; at < length; at++) {
      const byte = bytes[at] ?? 0
      if (inString) {
        if (byte === 92) at++
        else if (byte === QUOTE) inString = false
        else if (byte === 10) break
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN || byte === OPEN_LIST) depth++
      else if ((byte === CLOSE || byte === CLOSE_LIST) && --depth === 0) break
    }
    this.depth = depth
    this.inString = inString
    if (at >= length) {
      // A backslash may be the last byte so far: the search goes on one byte later.
      this.at = at
      this.checkLength(bytes)
    } else if (inString) this.loseWay(at)
    else {
      this.at = at + 1
      this.mode = 'between'
      this.checkLength(bytes)
      if (!this.isLong) this.parts.object(bytes.subarray(this.from, at + 1))
      this.isLong = false
    }
  }

  private checkLength(bytes: Buffer): void {
    if (this.isLong || this.at - this.from <= limits.recordBytes) return
    this.isLong = true
    this.parts.other(bytes.subarray(this.from, this.at), 'long')
  }

  private inScalar(bytes: Buffer): void {
    for (; this.at < bytes.length; this.at++) {
      const byte = bytes[this.at] ?? 0
      if (this.inString) {
        if (byte === 92) this.at++
        else if (byte === QUOTE) this.inString = false
        else if (byte === 10) break
      } else if (byte === QUOTE) this.inString = true
      else if (byte === COMMA || byte === CLOSE_LIST || byte === 10 || byte === OPEN) break
    }
    this.checkLength(bytes)
    if (this.at >= bytes.length) return
    if (!this.isLong) this.parts.other(bytes.subarray(this.from, this.at), 'scalar')
    this.isLong = false
    this.mode = 'between'
  }

  /** Passes over what follows the list of records up to the end of the wrapping document, noting its keys. */
  private inTail(bytes: Buffer): void {
    const walk = new Walk(bytes, this.at)
    const byte = walk.skip()
    this.at = walk.at
    this.from = this.at
    if (byte === -1) return
    if (byte === QUOTE) {
      const text = walk.string()
      if (text === undefined) {
        if (bytes.length - this.at > LOOK_AHEAD) this.loseWay(bytes.length)
        return
      }
      this.text = text
      this.at = walk.at
      return
    }
    this.at++
    if (byte === 58 && this.depth === this.low && !isWrapperKey(this.text)) {
      if (this.keys.length < 20) this.keys.push(this.text)
    } else if (byte === OPEN || byte === OPEN_LIST) this.depth++
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      this.depth--
      this.low = Math.min(this.low, this.depth)
      if (this.depth === 0) {
        this.mode = 'between'
        if (this.keys.length > 0) this.parts.keys(this.keys)
      }
    }
    this.from = this.at
  }

  private whileLost(bytes: Buffer): void {
    for (let line = bytes.indexOf(10, this.at); line !== -1; line = bytes.indexOf(10, line + 1)) {
      let next = line + 1
      while (next < bytes.length && isBlank(bytes[next] ?? 0)) next++
      this.at = line
      if (next >= bytes.length) {
        this.checkLength(bytes)
        return
      }
      if (bytes[next] === OPEN) {
        this.at = next
        this.checkLength(bytes)
        if (!this.isLong) this.parts.other(bytes.subarray(this.from, next), 'broken')
        this.isLong = false
        this.mode = 'between'
        return
      }
    }
    this.at = bytes.length
    this.checkLength(bytes)
  }
}

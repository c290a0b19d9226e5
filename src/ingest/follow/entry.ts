/** A file that is followed: its mark, what the folder says of it now, and when there is something to read. */
import type { InputFile } from '../walk.ts'
import type { Mark } from './mark.ts'
import type { Part, PartEnd } from './part.ts'

/** A line that nothing ends counts as whole after so long without a change. */
const PARTIAL_MS = 5_000
/** A file that is read as a whole must have been quiet for so long, and reading it may take a tenth of the time. */
const QUIET_MS = 2_000
const SHARE = 10

export class Entry {
  mark: Mark
  /** What the folder says. */
  bytes: number
  changed: number
  /** When that was seen to change last, and when what is unread was first seen; by the clock of durations. */
  seenAt: number
  behindSince: number | undefined
  isBusy = false
  isQueued = false
  /** True until a part has been read and noted since the start: the store may hold more than the mark says. */
  isAgain = true
  /** The size at which reading failed; it is tried again when that changes. */
  failedAt: number | undefined
  /** The size at which there was no whole record to read. */
  #partialAt: number | undefined
  #notBefore = 0

  constructor(mark: Mark, file: InputFile, elapsed: number) {
    this.mark = mark
    this.bytes = file.bytes
    this.changed = Math.floor(file.changed)
    this.seenAt = elapsed
    this.behindSince = this.unread > 0 ? elapsed : undefined
  }

  /** Bytes that have not been read. */
  get unread(): number {
    if (this.mark.kind === 'whole') {
      const isSame = this.bytes === this.mark.size && this.changed === this.mark.changed
      return isSame ? 0 : Math.max(1, this.bytes - this.mark.size)
    }
    return Math.max(0, this.bytes - this.mark.offset)
  }

  /** Takes what the folder says now. */
  see({ path, bytes, changed: precise, identity }: InputFile, elapsed: number): void {
    const changed = Math.floor(precise)
    if (path !== this.mark.path) {
      // Of a file of which nothing was read only its number is known, which may be that of another by now.
      const isUnread = this.mark.offset === 0 && !this.isBusy
      this.mark = { ...this.mark, name: isUnread ? path : this.mark.name, path, identity }
      this.failedAt = undefined
    }
    if (bytes === this.bytes && changed === this.changed) return
    this.bytes = bytes
    this.changed = changed
    this.seenAt = elapsed
    if (this.unread > 0) this.behindSince ??= elapsed
  }

  /** True when the last line, or the whole file, may be taken as it is. */
  isQuiet(elapsed: number, isHurried: boolean): boolean {
    return isHurried || elapsed - this.seenAt >= PARTIAL_MS
  }

  /** True when there is something to be read now. */
  isDue(elapsed: number, isHurried: boolean): boolean {
    if (this.isBusy || this.unread === 0) return false
    if (this.failedAt === this.bytes) return false
    if (this.mark.kind === 'whole') {
      if (isHurried) return true
      return elapsed - this.seenAt >= QUIET_MS && elapsed >= this.#notBefore
    }
    return this.#partialAt !== this.bytes || this.isQuiet(elapsed, isHurried)
  }

  /** What to read of it, where it is read on. */
  part(elapsed: number, isHurried: boolean): Part {
    const { identity, name, offset, head, headBytes, tail, first, lines, header, format } =
      this.mark
    const isPacked = this.mark.kind === 'whole'
    const isStuck = this.#partialAt === this.bytes
    const isQuiet = isPacked || (isStuck && this.isQuiet(elapsed, isHurried))
    const prints = { head, headBytes, tail }
    return {
      ...prints,
      identity,
      name,
      from: offset,
      first,
      lines,
      header,
      format,
      isQuiet,
      isPacked,
    }
  }

  /** Takes where a part has ended. */
  readTo(end: PartEnd, elapsed: number): void {
    const { kind, to, head, headBytes, tail, first, lines, header, format } = end
    const isStuck = to === this.mark.offset && kind === 'lines'
    this.#partialAt = isStuck ? this.bytes : undefined
    // Its format may be known, though there is no whole record yet.
    this.mark = {
      ...this.mark,
      kind: format === '' && kind === 'lines' ? '' : kind,
      head,
      headBytes,
      tail,
      offset: to,
      first,
      lines,
      header,
      format,
    }
    this.behindSince = this.unread > 0 && !isStuck ? elapsed : undefined
  }

  /** Takes that it was read from its start, when the folder said this of it. */
  readWhole(bytes: number, changed: number, started: number, elapsed: number): void {
    this.mark = { ...this.mark, size: bytes, changed }
    this.#notBefore = elapsed + (elapsed - started) * SHARE
    this.behindSince = this.unread > 0 ? elapsed : undefined
  }
}

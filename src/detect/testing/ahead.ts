/**
 * Reading the logs of many trials in one go: starting the readers costs more than reading a few events. What is read is
 * held in memory, by part, until a trial wants it; only small logs are read so.
 */
import { lstatSync } from 'node:fs'
import { sep } from 'node:path'
import type { IntakeOptions, IntakeStore } from '../../ingest/intake.ts'
import { ingest } from '../../ingest/intake.ts'
import type { FileReport, IntakeReport } from '../../ingest/report.ts'
import type { Batch } from '../../schema/batch.ts'

/** Paths that are read in one way. */
export interface ReadPart {
  readonly paths: readonly string[]
  readonly format?: string
  readonly source?: string
}

/** Logs that were read and not stored yet. */
export interface ReadLogs {
  readonly batches: readonly Batch[]
  readonly report: IntakeReport
}

/** The most of all logs that are read in one go, as files and as what is in them. */
const MOST_BYTES = 8 * 1024 * 1024
const MOST_HELD = 4 * MOST_BYTES

/** The key of a part: the same paths, read in the same way. */
export function partKey({ paths, format, source }: ReadPart): string {
  return JSON.stringify([paths, format ?? null, source ?? null])
}

/** True for a path of plain small files; folders are read when they are wanted. */
function bytesOf(path: string): number | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : undefined
}

function isOf(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}!/`) || file.startsWith(`${path}${sep}`)
}

/** More is in the logs than their size said: an archive, or a packed file. */
class TooMuchError extends Error {}

/** Takes what an intake stores, and keeps it, as long as it is little. */
class Capture implements IntakeStore {
  readonly batches: Batch[] = []
  #bytes = 0
  async write(batch: Batch) {
    for (const { columns } of batch.blocks) {
      for (const { data } of columns) this.#bytes += data.length
    }
    for (const { raw } of batch.rejects) this.#bytes += raw.length
    if (this.#bytes > MOST_HELD) throw new TooMuchError('too much for one go')
    this.batches.push(batch)
    const stored = batch.blocks.reduce((sum, { rows }) => sum + rows, 0)
    return { stored, rejected: batch.rejects.length, repeated: 0 }
  }
  async knownBatches(): Promise<readonly []> {
    return []
  }
  async columnNames(): Promise<ReadonlyMap<string, readonly string[]>> {
    return new Map()
  }
}

function reportOf(files: readonly FileReport[], whole: IntakeReport): IntakeReport {
  const sum = (pick: (file: FileReport) => number): number =>
    files.reduce((total, each) => total + pick(each), 0)
  return {
    files,
    skipped: 0,
    received: sum((each) => each.received),
    stored: sum((each) => each.stored),
    repeated: sum((each) => each.repeated),
    rejected: sum((each) => each.rejected),
    bytes: sum((each) => each.bytes),
    seconds: whole.seconds,
    interrupted: whole.interrupted,
  }
}

/** Reads parts that are small, as far as they are in one go; by their keys. The others are read when they are wanted. */
export async function readAhead(
  parts: readonly ReadPart[],
  options: Omit<IntakeOptions, 'paths' | 'store' | 'format' | 'source'>,
): Promise<ReadonlyMap<string, ReadLogs>> {
  const ways = new Map<string, ReadPart[]>()
  let bytes = 0
  for (const part of new Map(parts.map((each) => [partKey(each), each])).values()) {
    const sizes = part.paths.map(bytesOf)
    if (sizes.some((each) => each === undefined)) continue
    const size = sizes.reduce<number>((sum, each) => sum + (each ?? 0), 0)
    if (bytes + size > MOST_BYTES) continue
    bytes += size
    const way = JSON.stringify([part.format ?? null, part.source ?? null])
    ways.set(way, [...(ways.get(way) ?? []), part])
  }
  const found = new Map<string, ReadLogs>()
  for (const group of ways.values()) {
    const { format, source } = group[0] ?? {}
    const store = new Capture()
    const paths = [...new Set(group.flatMap((each) => each.paths))]
    const report = await ingest({
      ...options,
      paths,
      store,
      ...(format === undefined ? {} : { format }),
      ...(source === undefined ? {} : { source }),
    }).catch((error: unknown) => {
      if (error instanceof TooMuchError) return undefined
      throw error
    })
    if (report === undefined) continue
    if (report.interrupted) break
    for (const part of group) {
      const isOwn = (file: string): boolean => part.paths.some((path) => isOf(file, path))
      found.set(partKey(part), {
        batches: store.batches.filter(({ file }) => isOwn(file)),
        report: reportOf(
          report.files.filter(({ file }) => isOwn(file)),
          report,
        ),
      })
    }
  }
  return found
}

/** What intake tells: one line a file, and totals that always add up (received = stored + repeated + rejected). */

export interface Damage {
  readonly code: string
  readonly reason: string
  readonly place: string
}

export interface FileReport {
  readonly file: string
  /** Name of the decoder, or undefined when the file could not be opened or its format is unknown. */
  readonly format?: string
  readonly bytes: number
  readonly received: number
  readonly stored: number
  /** Events that an earlier intake of the same file had stored already. */
  readonly repeated: number
  readonly rejected: number
  /** Damaged parts of the file, the first 100; `damages` counts them all. */
  readonly damage: readonly Damage[]
  readonly damages: number
  /** Why the file could not be read at all. */
  readonly error?: string
}

export interface IntakeReport {
  readonly files: readonly FileReport[]
  readonly skipped: number
  readonly received: number
  readonly stored: number
  readonly repeated: number
  readonly rejected: number
  readonly bytes: number
  readonly seconds: number
  readonly interrupted: boolean
}

/** Messages between the engine's parent, its child process, and the child's reader threads. */
/** Parent to child. `set` is one SET statement; it is also the name of the limit class. */
export type Request =
  | {
      readonly op: 'open'
      readonly path: string
      readonly config: string
      readonly set: string
      readonly readers: number
    }
  | ({ readonly op: 'rows'; readonly id: number; readonly sql: string } & ReaderLimits)
  | { readonly op: 'more'; readonly id: number }
  | { readonly op: 'cancel'; readonly id: number }
  | { readonly op: 'run'; readonly id: number; readonly sql: string }
  | { readonly op: 'close' }

export interface ReaderLimits {
  readonly set: string
  /** Seconds after which the engine should have stopped the query by itself. */
  readonly seconds: number
}

/** Child to parent. */
export type Reply =
  | { readonly op: 'opened'; readonly version: string }
  | { readonly op: 'shut'; readonly message: string }
  | { readonly op: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: 'end'; readonly id: number }
  | { readonly op: 'fail'; readonly id: number; readonly message: string }

/** Child to reader thread. */
export type ReaderRequest =
  | { readonly op: 'start'; readonly id: number; readonly sql: string; readonly set: string }
  | { readonly op: 'more' }
  | { readonly op: 'cancel' }

/** Reader thread to child. */
export type ReaderReply =
  | { readonly op: 'ready' }
  | { readonly op: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly op: 'end'; readonly id: number }
  | { readonly op: 'fail'; readonly id: number; readonly message: string }

/** Chunks of one result that may be on the way without having been asked for. */
export const CHUNK_WINDOW = 4
/** Largest chunk sent in one message, in bytes. */
export const CHUNK_BYTES = 1024 * 1024
/** What a query that was stopped from outside reports. */
export const CANCELLED = 'Code: 394. DB::Exception: the query was cancelled'
export const OVERDUE = 'Code: 159. DB::Exception: the query took longer than its time limit'

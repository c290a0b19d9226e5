/** Settings of the engine: what every query gets, whichever implementation runs it. */
import { limits } from '../core/limits.ts'
import type { QueryOptions } from './engine.ts'

type Settings = Readonly<Record<string, string | number>>

/** Settings of a read-only query; the printer of SQL relies on them. */
export function readerSettings(options: QueryOptions = {}): Settings {
  const memory = options.memory ?? limits.queryMemoryBytes
  return {
    max_execution_time: options.seconds ?? limits.querySeconds,
    max_memory_usage: memory,
    max_bytes_before_external_group_by: Math.floor(memory / 2),
    max_bytes_before_external_sort: Math.floor(memory / 2),
    ...(options.threads === undefined ? {} : { max_threads: options.threads }),
    // A result leaves the engine in blocks; wide events in blocks of 65,000 rows would take hundreds of megabytes.
    // Measured: no slower than the engine's own default.
    max_block_size: 16_384,
    // A name in a SELECT means the column below, never the new column beside it: bindings are made at once.
    prefer_column_name_to_alias: 1,
    use_query_condition_cache: options.conditionCache === false ? 0 : 1,
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_denormals: 1,
    // A decimal has more digits than a JSON number keeps.
    output_format_json_quote_decimals: 1,
    // A relation that is named to be computed once would else be computed at each place that reads it.
    enable_materialized_cte: 1,
    // The keys of one side of a join are looked for in the events of the other before they are joined. As a list of keys
    // that takes twice the time of the join where a field may be missing; as a filter of bits it does not.
    join_runtime_filter_exact_values_limit: 0,
    // JSON that queries make is compared and shown as text: a slash stays a slash.
    output_format_json_escape_forward_slashes: 0,
    session_timezone: 'UTC',
    max_query_size: limits.queryBytes,
    max_ast_elements: limits.queryNodes,
    max_expanded_ast_elements: limits.queryNodes,
  }
}

/** Settings of a statement that changes the store. */
export const writerSettings: Settings = {
  session_timezone: 'UTC',
  max_query_size: limits.queryBytes,
  max_ast_elements: limits.queryNodes,
  max_expanded_ast_elements: limits.queryNodes,
  // Hostile time stamps may touch every month there is.
  max_partitions_per_insert_block: 0,
  // A block is stored whole or not at all.
  min_insert_block_size_rows: 1_048_576,
  min_insert_block_size_bytes: 256 * 1024 * 1024,
  async_insert: 0,
  input_format_skip_unknown_fields: 0,
  insert_deduplicate: 1,
}

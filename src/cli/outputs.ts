/** Which form findings are printed in: a table on a terminal, or what an option names. */
import type { OptionRecord, OptionValues } from './command.ts'
import { eventTable, groupedTable, type ReadFields } from './findings.ts'
import { csvTable, type FindingWriter, jsonDocument, jsonLines } from './stream.ts'
import type { Output } from './terminal.ts'
import { UsageError } from './usage.ts'

export const OUTPUT_OPTIONS: readonly OptionRecord[] = [
  { flags: '--json', says: 'one JSON document with findings, rules and totals' },
  { flags: '--jsonl', says: 'one finding as JSON on each line' },
  { flags: '--csv', says: 'comma-separated values, safe for spreadsheets' },
  { flags: '--raw-csv', says: 'comma-separated values, cells exactly as they are' },
  { flags: '--events', says: 'a table with one line an event instead of one a rule' },
]

const FORMS = ['json', 'jsonl', 'csv', 'rawCsv', 'events'] as const

/** Refuses options that choose several forms at once. */
export function checkOutputs(options: OptionValues): void {
  if (FORMS.filter((each) => options.flag(each)).length > 1) {
    throw new UsageError('choose one of --json, --jsonl, --csv, --raw-csv and --events')
  }
}

/** The writer that the options choose. */
export function chooseWriter(
  output: Output,
  options: OptionValues,
  read: ReadFields,
): FindingWriter {
  switch (FORMS.find((each) => options.flag(each))) {
    case 'json':
      return jsonDocument(output.out)
    case 'jsonl':
      return jsonLines(output.out)
    case 'csv':
      return csvTable(output.out, false)
    case 'rawCsv':
      return csvTable(output.out, true)
    case 'events':
      return eventTable(output.out, read)
    default:
      return groupedTable(output.out, read)
  }
}

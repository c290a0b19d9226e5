/** The table of commands, and of those that are known but cannot be run. */

import { binCommands } from './bincommands.ts'
import { chartCommands } from './chartcommands.ts'
import { combiningCommands } from './combining.ts'
import type { CommandRecord } from './command.ts'
import { convertingCommands } from './converting.ts'
import { dataModelCommands } from './datamodels.ts'
import { fieldCommands } from './fieldcommands.ts'
import { fillingCommands } from './filling.ts'
import { filterCommands } from './filters.ts'
import { finishingCommands } from './finishing.ts'
import { foreachCommands } from './foreach.ts'
import { generatingCommands } from './generating.ts'
import { locationCommands } from './iplocation.ts'
import { joiningCommands } from './joining.ts'
import { lookupCommands } from './lookupcommands.ts'
import { mappingCommands } from './mapping.ts'
import { modelCommands } from './models.ts'
import { metricCommands } from './mstats.ts'
import { multivalueCommands } from './multivalues.ts'
import { orderingCommands } from './ordering.ts'
import { pivotCommands } from './pivotcommands.ts'
import { rexCommands } from './rex.ts'
import { seriesCommands } from './seriescommands.ts'
import { statsCommands } from './statscommands.ts'
import { streamCommands } from './streamstats.ts'
import { structuredCommands } from './structured.ts'
import { topCommands } from './topcommands.ts'
import { totalCommands } from './totals.ts'
import { transactionCommands } from './transaction.ts'
import { tstatsCommands } from './tstats.ts'

const all: readonly CommandRecord[] = [
  ...filterCommands,
  ...fieldCommands,
  ...orderingCommands,
  ...rexCommands,
  ...joiningCommands,
  ...multivalueCommands,
  ...convertingCommands,
  ...combiningCommands,
  ...mappingCommands,
  ...structuredCommands,
  ...foreachCommands,
  ...lookupCommands,
  ...statsCommands,
  ...pivotCommands,
  ...seriesCommands,
  ...totalCommands,
  ...chartCommands,
  ...binCommands,
  ...fillingCommands,
  ...topCommands,
  ...streamCommands,
  ...dataModelCommands,
  ...tstatsCommands,
  ...transactionCommands,
  ...locationCommands,
  ...generatingCommands,
  ...finishingCommands,
  ...metricCommands,
  ...modelCommands,
]

/** All commands by name. */
export const commands: ReadonlyMap<string, CommandRecord> = new Map(
  all.map((record) => [record.name, record]),
)

/** Commands of the language that are refused by name, with the reason. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ['script', 'it runs a program'],
  ['run', 'it runs a program'],
  ['sendemail', 'a search sends no mail'],
  ['sendalert', 'a search sets off no alert action'],
  ['delete', 'a search deletes no events'],
  ['rest', 'there is no Splunk server to ask'],
  ['dbxquery', 'there is no database connection'],
  ['geom', 'it draws maps'],
  ['geomfilter', 'it draws maps'],
  ['geostats', 'it draws maps'],
  ['predict', 'it fits models of time series'],
  ['x11', 'it fits models of time series'],
  ['anomalydetection', 'it fits models'],
  ['anomalies', 'it fits models'],
  ['anomalousvalue', 'it fits models'],
  ['cluster', 'it groups texts by likeness'],
  ['kmeans', 'it fits models'],
  ['associate', 'it looks for relations of fields'],
  ['correlate', 'it looks for relations of fields'],
  ['analyzefields', 'it looks for relations of fields'],
  ['af', 'it looks for relations of fields'],
  ['arules', 'it looks for relations of fields'],
  [
    'contingency',
    'its table has columns that only drawing needs; use chart count over one field by the other',
  ],
  [
    'counttable',
    'its table has columns that only drawing needs; use chart count over one field by the other',
  ],
  [
    'ctable',
    'its table has columns that only drawing needs; use chart count over one field by the other',
  ],
  ...['sistats', 'sichart', 'sitimechart', 'sitop', 'sirare'].map(
    (name) => [name, 'it makes rows for a summary index; use the command without si'] as const,
  ),
  ['cyberchef', 'it is an app of its own'],
  ['multikv', 'tables in the text of events are not read'],
  ['xpath', 'paths of XML are not followed; spath reads XML'],
  ['localize', 'it looks for times around transactions'],
  ['selfjoin', 'join with a subsearch does the same'],
  ['erex', 'it makes up a regular expression; rex takes one'],
])

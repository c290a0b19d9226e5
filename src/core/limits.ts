/**
 * Every numeric limit of the product in one table, each with its unit and its reason.
 * The manual page of limits is made from this table.
 */

interface Limit {
  readonly value: number
  readonly unit: string
  readonly why: string
}

const KB = 1024
const MB = 1024 * 1024

export const limitTable = {
  yamlDepth: {
    value: 100,
    unit: 'levels',
    why: 'deep nesting exhausts the stack of any recursive reader',
  },
  yamlNodes: { value: 50_000, unit: 'nodes', why: 'bounds the memory one rule file can take' },
  ruleFileBytes: { value: MB, unit: 'bytes', why: 'the largest published rule is about 150 KB' },
  rulesFileBytes: {
    value: 32 * MB,
    unit: 'bytes',
    why: 'a JSON, JSON lines or Markdown file that holds many queries; an export of all rules of a workspace has a few MB',
  },
  queriesPerFile: {
    value: 20_000,
    unit: 'queries',
    why: 'the largest published collection in one file has 6,252',
  },
  jsonNodes: {
    value: 500_000,
    unit: 'values',
    why: 'bounds the memory that one JSON rule file can take',
  },
  watchlistRows: {
    value: 100_000,
    unit: 'rows',
    why: 'a watchlist stands in the query as constants; larger lists belong in a table',
  },
  watchlistBytes: { value: 8 * MB, unit: 'bytes', why: 'a service takes a CSV file of 3.8 MB' },
  externalBytes: {
    value: 16 * MB,
    unit: 'bytes',
    why: 'a file that stands for external data; its rows stand in the query as constants',
  },
  externalRows: {
    value: 100_000,
    unit: 'rows',
    why: 'external data stands in the query as constants; larger lists belong in a table',
  },
  splMacroDepth: {
    value: 32,
    unit: 'levels',
    why: 'published macros nest two deep; a macro that calls itself must end somewhere',
  },
  splCharacters: {
    value: 1_000_000,
    unit: 'characters',
    why: 'a search with its macros written out; the longest published one has 12,000',
  },
  splCommands: {
    value: 500,
    unit: 'commands',
    why: 'the longest published search has 60; each is a step of the plan that the engine makes',
  },
  splNesting: {
    value: 60,
    unit: 'levels',
    why: 'parentheses and subsearches within each other; the parser calls itself for each',
  },
  madeRows: {
    value: 100_000,
    unit: 'rows',
    why: 'rows that makeresults and gentimes make stand in the plan',
  },
  subsearchRows: {
    value: 100_000,
    unit: 'rows',
    why: 'the rows of a subsearch stand in the search as conditions; Splunk itself cuts them at 10,000',
  },
  confirmSeconds: {
    value: 5,
    unit: 'seconds',
    why: 'a pattern that looks around itself is tried value by value; a hostile one never ends',
  },
  foreachItems: {
    value: 50,
    unit: 'values',
    why: 'foreach over the values of a field; each value is a step of the plan that the engine makes',
  },
  spreadFields: {
    value: 1_000,
    unit: 'fields',
    why: 'fields that spath and its kin make of texts; each is a column, and who writes logs chooses their names',
  },
  gapSpans: {
    value: 100_000,
    unit: 'rows',
    why: 'a gap between two rows of a timechart is filled with rows up to this; one event of a wrong year would fill millions',
  },
  sparklineSpans: {
    value: 10_000,
    unit: 'spans',
    why: 'a sparkline is a list of so many numbers at most; nobody draws a longer one',
  },
  trendRows: {
    value: 10_000,
    unit: 'rows',
    why: 'trendline looks back so many rows at most, as in Splunk',
  },
  regressRows: {
    value: 100,
    unit: 'columns',
    why: 'autoregress adds a column for each row that it looks back at',
  },
  splTerms: {
    value: 20_000,
    unit: 'conditions',
    why: 'terms of one search after its subsearches and macros are written out',
  },
  lookupBytes: {
    value: 64 * MB,
    unit: 'bytes',
    why: 'the CSV text of one lookup; the largest published one has 2.2 MB',
  },
  lookupRows: {
    value: 2_000_000,
    unit: 'rows',
    why: 'rows of one lookup, read or written; the largest published one has 92,000',
  },
  lookupColumns: {
    value: 500,
    unit: 'columns',
    why: 'columns of one lookup; the widest published one has 12',
  },
  inlineLookupCells: {
    value: 2_000,
    unit: 'cells',
    why: 'a lookup of at most so many cells stands in the query as constants, a larger one is a table',
  },
  inlineLookupTokens: {
    value: 1_000,
    unit: 'tokens',
    why: 'patterns of a lookup that are listed in the query; more are read from its table',
  },
  lookupsWritten: {
    value: 5_000,
    unit: 'lookups',
    why: 'tables that searches may make in one store',
  },
  kustoSeconds: {
    value: 10,
    unit: 'seconds',
    why: 'one Kusto query may take so long to compile; the slowest published one takes under a second',
  },
  kustoMegabytes: {
    value: 1024,
    unit: 'megabytes',
    why: 'heap of one process that compiles Kusto queries; it begins with about 120 MB',
  },
  kustoProcesses: {
    value: 4,
    unit: 'processes',
    why: 'that compile many Kusto queries at the same time; one a core at most',
  },
  kustoCacheBytes: {
    value: 64 * MB,
    unit: 'bytes',
    why: 'compiled Kusto queries that are kept on disk; the largest published collection takes a fifth',
  },
  functionParameters: {
    value: 64,
    unit: 'parameters',
    why: 'the longest published parser takes about twenty',
  },
  packBytes: { value: 100 * MB, unit: 'bytes', why: 'bounds what one rule pack can load' },
  packFiles: { value: 20_000, unit: 'files', why: 'the largest published pack holds under 10,000' },
  jsonDepth: {
    value: 64,
    unit: 'levels',
    why: 'a recursive walk of deeper values overflows the stack',
  },
  recordBytes: {
    value: 20 * MB,
    unit: 'bytes',
    why: 'one event larger than this is rejected, not cut',
  },
  xmlDepth: { value: 64, unit: 'levels', why: 'event XML is at most about ten levels deep' },
  xmlValueBytes: {
    value: 256 * KB,
    unit: 'bytes',
    why: 'XML that a query reads in the engine; each part copies what is open',
  },
  xmlValueParts: {
    value: 4_000,
    unit: 'parts',
    why: 'tags and texts of XML that a query reads; event data has about fifty',
  },
  urlParameters: {
    value: 1_000,
    unit: 'parameters',
    why: 'parameters of one URL that a query takes apart; more are left out',
  },
  textRepeats: {
    value: 1_024,
    unit: 'times',
    why: 'how often a query repeats a text; the most of Kusto too',
  },
  textRepeatBytes: {
    value: MB,
    unit: 'bytes',
    why: 'how long a repeated text of a query gets; the longest text of Kusto too',
  },
  eventXmlChars: {
    value: MB,
    unit: 'characters',
    why: 'an EVTX record is under 64 KiB; templates could make it expand without end',
  },
  chunkXmlChars: {
    value: 16 * MB,
    unit: 'characters',
    why: 'all records of one EVTX chunk together; real chunks stay under 1 million',
  },
  chunkSteps: {
    value: MB,
    unit: 'parts',
    why: 'elements, attributes and texts that one EVTX chunk may render to; real chunks stay under 100,000',
  },
  fieldsPerSource: {
    value: 1_000,
    unit: 'columns',
    why: 'each column costs the engine memory, in every row; the rest is kept in one overflow map',
  },
  fieldsPerEvent: {
    value: 20_000,
    unit: 'fields',
    why: 'an event with more is rejected, or it would fill the batch alone',
  },
  valuesPerEvent: {
    value: 1_000_000,
    unit: 'values',
    why: 'elements of all lists of one event; a list of millions of numbers needs gigabytes once read',
  },
  fieldNameBytes: { value: 256, unit: 'bytes', why: 'longer names go to the overflow map' },
  batchRows: {
    value: 20_000,
    unit: 'rows',
    why: 'one batch is one block, so a crash never leaves half of it',
  },
  batchCells: {
    value: 8_000_000,
    unit: 'cells',
    why: 'rows times columns of a batch; the engine takes eight bytes or more for a cell, empty or not',
  },
  batchBytes: { value: 24 * MB, unit: 'bytes', why: 'bounds the memory of a decoding worker' },
  archiveRatio: {
    value: 200,
    unit: 'times',
    why: 'compression bombs; applies past archiveFreeBytes',
  },
  archiveFreeBytes: { value: 64 * MB, unit: 'bytes', why: 'small archives may have any ratio' },
  archiveBytes: {
    value: 64 * 1024 * MB,
    unit: 'bytes',
    why: 'the most one archive or compressed file may unpack to',
  },
  archiveMembers: { value: 100_000, unit: 'files', why: 'archives of countless empty files' },
  auditEvents: {
    value: 1_000,
    unit: 'events',
    why: 'audit events that may be open at once while their records arrive mixed',
  },
  zstdWindowBytes: {
    value: 128 * MB,
    unit: 'bytes',
    why: 'the largest window the zstd tool makes without being forced; bounds memory',
  },
  queryDepth: { value: 200, unit: 'levels', why: 'nesting of a condition or an expression' },
  discoveredColumns: {
    value: 200,
    unit: 'columns',
    why: 'a bag or a pivot of more columns is read by nobody; names come from logs, which anybody writes',
  },
  discoveries: {
    value: 8,
    unit: 'rounds',
    why: 'each place in a query whose columns are found in the data takes one query for them',
  },
  conditionBytes: {
    value: 64 * 1024,
    unit: 'bytes',
    why: 'the longest published condition is under 2 KB',
  },
  likeCharacters: {
    value: 16_384,
    unit: 'characters',
    why: 'a value with wildcards; the engine gives up at about ten times as many',
  },
  modifiersPerField: { value: 16, unit: 'modifiers', why: 'the longest sensible chain has six' },
  regexBytes: { value: 4_096, unit: 'bytes', why: 'longer patterns are slow to compile' },
  ruleValues: {
    value: 100_000,
    unit: 'values',
    why: 'values of one rule, each use in its condition counted, a long one as several; the largest has 4,432',
  },
  writtenCharacters: {
    value: 4_000_000,
    unit: 'characters',
    why: 'what placeholders and dashes may make of one value',
  },
  selections: {
    value: 1_000,
    unit: 'selections',
    why: 'each pattern of a condition is compared with all of them',
  },
  correlationRules: {
    value: 100,
    unit: 'entries',
    why: 'rules, group fields or value fields that one correlation lists; each rule is a query of its own',
  },
  correlationTimespanMs: {
    value: 366 * 86_400_000,
    unit: 'milliseconds',
    why: 'the longest timespan of a correlation: all matches of one are compared with each other',
  },
  correlationDepth: {
    value: 10,
    unit: 'levels',
    why: 'correlations that count correlations; each level is computed before the one above it',
  },
  correlationMatches: {
    value: 2_000_000,
    unit: 'matches',
    why: 'matches of one correlation held at the same time, about 200 bytes each; past it the rule fails and says so',
  },
  correlationBack: {
    value: 32,
    unit: 'timespans',
    why: 'how far back a scheduled run looks for the first match of a burst that has not ended',
  },
  correlationGroups: {
    value: 1_000,
    unit: 'groups',
    why: 'groups that may fire and are read alone; where there are more, all matches are read',
  },
  correlationEvidence: {
    value: 2_000,
    unit: 'findings',
    why: 'findings of one run of a correlation whose first events are read back whole; others name them',
  },
  filterRules: {
    value: 10_000,
    unit: 'rules',
    why: 'rules that one Sigma filter names; the published ones are fewer than 4,000',
  },
  windashValues: {
    value: 3_125,
    unit: 'values',
    why: 'five dashes in a value; past that a character class is used',
  },
  querySeconds: {
    value: 600,
    unit: 'seconds',
    why: 'the longest that one query may run unless asked otherwise',
  },
  writeSeconds: {
    value: 600,
    unit: 'seconds',
    why: 'an insert or a change of tables that takes longer is stuck; the engine is started anew',
  },
  queryMemoryBytes: {
    value: 4 * 1024 * MB,
    unit: 'bytes',
    why: 'one query may not take the machine',
  },
  queryBytes: {
    value: 32 * MB,
    unit: 'bytes',
    why: 'a scan with a hundred rules prints to about 1 MB of SQL',
  },
  queryNodes: {
    value: 5_000_000,
    unit: 'nodes',
    why: 'about what the largest accepted query text can hold; a wall, not a budget',
  },
  partBytes: {
    value: 32 * MB,
    unit: 'bytes',
    why: 'read at a time of a file that is followed, so that a long one does not keep the others waiting',
  },
  followedFiles: {
    value: 100_000,
    unit: 'files',
    why: 'files followed at a time; more are told and left alone',
  },
  sharedFrameBytes: {
    value: 320 * MB,
    unit: 'bytes',
    why: 'one message between processes that share a store: the largest batch, and some',
  },
  sharedBytesInHand: {
    value: 128 * MB,
    unit: 'bytes',
    why: 'batches of one other process that the owner of a store has in hand; past it that process waits',
  },
  knownBatches: {
    value: 200_000,
    unit: 'batches',
    why: 'batch ids kept in memory to tell repeats; past it each file is looked up',
  },
  rulesPerScan: { value: 100, unit: 'rules', why: 'measured: no gain past 100 rules in one scan' },
  ruleWindows: {
    value: 5_000,
    unit: 'runs',
    why: 'runs of one scheduled rule over logs of the past; with more, a narrower time range is asked for',
  },
  testsPerFile: { value: 1_000, unit: 'tests', why: 'bounds what one file of tests can ask for' },
  testEvents: {
    value: 10_000,
    unit: 'events',
    why: 'events that stand in a test itself; larger logs belong in a file beside it',
  },
  testDataBytes: {
    value: 2 * 1024 * MB,
    unit: 'bytes',
    why: 'the logs of one test; the largest published ones have some hundred MB',
  },
  backtestFindings: {
    value: 200_000,
    unit: 'findings',
    why: 'a backtest holds the ids of what it found; a rule that finds more in the past is not ready to run',
  },
  backtestValues: {
    value: 10_000,
    unit: 'values',
    why: 'different values that a backtest counts one by one for each field; more are counted together',
  },
  testDownloadBytes: {
    value: 256 * MB,
    unit: 'bytes',
    why: 'one file of attack data that is fetched; it is held in memory until its sum is checked',
  },
  testDownloadSeconds: {
    value: 300,
    unit: 'seconds',
    why: 'the longest that fetching one file of attack data may take',
  },
  resultsPerFinding: {
    value: 20,
    unit: 'rows',
    why: 'result rows kept with a finding that stands for several; all are counted',
  },
  singleAlertRows: {
    value: 10_000,
    unit: 'rows',
    why: 'rows of one run whose entities and details go into its one finding; all are counted',
  },
  findingsPerRule: {
    value: 1_000_000,
    unit: 'findings',
    why: 'a rule that fires on everything must not fill the disk',
  },
  runSeconds: {
    value: 120,
    unit: 'seconds',
    why: 'one run of one rule on its schedule; the usual budget, which the settings may change',
  },
  runMemoryBytes: {
    value: 2 * 1024 * MB,
    unit: 'bytes',
    why: 'one run of one rule on its schedule; the usual budget, which the settings may change',
  },
  findingsPerRun: {
    value: 10_000,
    unit: 'findings',
    why: 'findings of one scheduled run that are held in memory; the rest is counted',
  },
  findingsPerWindow: {
    value: 1_000,
    unit: 'findings',
    why: 'findings of one window of a rule that are kept; one more tells how many there are beyond it, so that a flood hides nothing',
  },
  throttledFindings: {
    value: 100_000,
    unit: 'findings',
    why: 'findings of a throttled rule that are read again when an earlier one comes up late',
  },
  throttleKeyChars: {
    value: 2_000,
    unit: 'characters',
    why: 'values that make findings equal, as they are listed; longer ones are compared in full',
  },
  heldFindingChars: {
    value: MB,
    unit: 'characters',
    why: 'a finding that is held back is kept whole up to this, so that it can be told later',
  },
  queueFindings: {
    value: 500_000,
    unit: 'findings',
    why: 'findings of a time range that are put in order as a queue; the latest are read, and more are told',
  },
  changedAtOnce: {
    value: 10_000,
    unit: 'findings',
    why: 'findings that one call changes; more at once are seldom meant',
  },
  noteChars: { value: 10_000, unit: 'characters', why: 'a note about a finding' },
  assetListBytes: {
    value: 64 * MB,
    unit: 'bytes',
    why: 'a list of assets or identities; it is held in memory',
  },
  assetRows: {
    value: 200_000,
    unit: 'rows',
    why: 'assets or identities of one list; they are held in memory',
  },
  skippedWindows: {
    value: 10_000,
    unit: 'windows',
    why: 'windows too long ago to be caught up with that are noted as skipped in one round of a rule',
  },
  shownRows: {
    value: 10_000,
    unit: 'rows',
    why: 'rows of one run that the next one knows again where windows overlap; more are told again',
  },
  channels: {
    value: 32,
    unit: 'channels',
    why: 'each finding is put into the outbox once for each channel that is told of it',
  },
  messagesPerMinute: {
    value: 30,
    unit: 'messages',
    why: 'a channel that is flooded tells nobody anything; what is beyond goes into one message',
  },
  messageTries: {
    value: 24,
    unit: 'tries',
    why: 'with the waits between them a receiver may be away for some hours',
  },
  messageChars: {
    value: 64 * KB,
    unit: 'characters',
    why: 'the most of one finding that a message carries; receivers refuse larger ones',
  },
  messageTitleChars: {
    value: 300,
    unit: 'characters',
    why: 'a title or a subject is one line',
  },
  messageValueChars: {
    value: 500,
    unit: 'characters',
    why: 'the most of one field value in the text of a message; the rest is counted',
  },
  messageListItems: { value: 20, unit: 'values', why: 'the most that one line of a message lists' },
  messageFields: { value: 12, unit: 'fields', why: 'a message is read on a telephone' },
  messageFindings: {
    value: 20,
    unit: 'findings',
    why: 'findings that one message tells in full; the rest is counted',
  },
  messageReplyBytes: {
    value: 64 * KB,
    unit: 'bytes',
    why: 'nothing in the answer to a message is used but its status',
  },
  messageRows: {
    value: 500,
    unit: 'findings',
    why: 'findings that one message stands for; more of them make another message',
  },
  syslogBytes: { value: 8_192, unit: 'bytes', why: 'a longer line is cut by common receivers' },
  urlBytes: { value: 8_192, unit: 'bytes', why: 'the most that servers take of an address' },
  fetchBytes: {
    value: 10 * MB,
    unit: 'bytes',
    why: 'an answer from the network; a longer one is refused before it is read',
  },
  fetchHeaderBytes: { value: 32 * KB, unit: 'bytes', why: 'headers of an answer from the network' },
  fetchSeconds: { value: 15, unit: 'seconds', why: 'a receiver that does not answer must end' },
  fetchRedirects: { value: 5, unit: 'redirects', why: 'circles of redirects must end' },
  reportFindings: {
    value: 5_000,
    unit: 'findings',
    why: 'the most that an HTML report shows in full, so that a browser stays quick; all are counted',
  },
  reportFindingsPerRule: {
    value: 200,
    unit: 'findings',
    why: 'one noisy rule must not fill the HTML report; all are counted',
  },
  reportChars: {
    value: 24_000_000,
    unit: 'characters',
    why: 'bounds the memory and the size of the HTML report',
  },
  reportValueChars: {
    value: 2_000,
    unit: 'characters',
    why: 'the most of one field value that the HTML report shows; the rest is counted',
  },
  reportFields: {
    value: 60,
    unit: 'fields',
    why: 'the most fields of one event that the HTML report shows; the rest is counted',
  },
  hostsPerRule: {
    value: 256,
    unit: 'hosts',
    why: 'hosts of one rule are told apart up to here, then shown as "256+"',
  },
  hostsPerReport: {
    value: 10_000,
    unit: 'hosts',
    why: 'an attacker can make up host names; more are counted together',
  },
} as const satisfies Record<string, Limit>

type LimitName = keyof typeof limitTable

/** The plain numbers of the table, for use in code. */
export const limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, limit]) => [name, limit.value]),
) as Readonly<Record<LimitName, number>>

/**
 * Every diagnostic the product can give, as data: stable code, severity, message with `{holes}`, hint.
 * Ranges: HR0 files and YAML, HR1 intake, HR2 names and types, HR3 Sigma, HR4 Kusto, HR5 SPL, HR6 regex and
 * SQL, HR7 engine and store, HR8 command line, HR9 rule packs and settings. A code is never reused for another meaning.
 */

export type Severity = 'error' | 'warning' | 'notice'

export interface CodeRecord {
  readonly severity: Severity
  readonly message: string
  readonly hint?: string
}

export const codes = {
  HR001: { severity: 'error', message: 'the file is not valid YAML: {reason}' },
  HR002: {
    severity: 'error',
    message: 'YAML alias "{name}" is not accepted',
    hint: 'write the value out; aliases can be used to build very large documents',
  },
  HR003: { severity: 'error', message: 'duplicate key "{key}"' },
  HR004: { severity: 'error', message: '{what} is {size}, more than the limit of {limit}' },
  HR005: { severity: 'error', message: 'cannot read "{path}": {reason}' },
  HR100: { severity: 'warning', message: 'the file does not begin as an EVTX file does' },
  HR101: { severity: 'warning', message: 'there is no chunk header where a chunk should begin' },
  HR102: {
    severity: 'warning',
    message: 'the file ends within a chunk; {size} bytes of it are left',
  },
  HR103: {
    severity: 'warning',
    message: 'there is no record where one should begin; {size} bytes are passed over',
  },
  HR104: { severity: 'error', message: 'the record cannot be read: {reason}' },
  HR105: {
    severity: 'warning',
    message:
      'the record was perhaps only written in part: its size is {size} at its start and {tail} at its end',
    hint: 'it is stored as far as it can be read; its last fields may be wrong',
  },
  HR110: { severity: 'error', message: 'the XML is malformed: {reason}' },
  HR111: {
    severity: 'error',
    message: 'a document type declaration is not accepted',
    hint: 'event XML needs none; remove it if the file is trusted',
  },
  HR112: { severity: 'error', message: 'the entity "&{name};" is not accepted' },
  HR113: { severity: 'error', message: 'elements are nested deeper than {limit} levels' },
  HR114: { severity: 'warning', message: 'there is something other than events between events' },
  HR120: { severity: 'error', message: 'the record is longer than {limit} bytes' },
  HR121: {
    severity: 'warning',
    message: '{count} bytes are not UTF-8 text; each is kept as \\x and two hex digits',
  },
  HR122: { severity: 'error', message: 'not valid JSON: expected {what} at character {at}' },
  HR123: { severity: 'error', message: 'JSON nested deeper than {limit} levels' },
  HR124: { severity: 'error', message: 'the record has more than {limit} fields' },
  HR125: { severity: 'error', message: 'expected a JSON object, found {found}' },
  HR126: { severity: 'error', message: 'the file ends inside a record' },
  HR127: {
    severity: 'notice',
    message: 'the document around the records has more keys, which are not read: {names}',
  },
  HR128: { severity: 'error', message: 'the record has more than {limit} values' },
  HR130: { severity: 'error', message: 'the row has {cells} cells, the header {columns}' },
  HR131: {
    severity: 'error',
    message: 'a quoted cell is not followed by a delimiter or the end of the row',
  },
  HR132: { severity: 'error', message: 'the file has no header line' },
  HR134: { severity: 'error', message: 'expected the length of a syslog frame' },
  HR135: { severity: 'error', message: 'the line holds no audit record' },
  HR136: {
    severity: 'notice',
    message:
      '{count} audit records came after their event was closed and became events of their own',
  },
  HR138: { severity: 'error', message: 'the line has {cells} values, the header {columns} fields' },
  HR139: { severity: 'error', message: 'the line stands before any line of field names' },
  HR140: { severity: 'warning', message: 'the header line is not understood: {line}' },
  HR141: { severity: 'error', message: 'not a line of an access log' },
  HR142: {
    severity: 'error',
    message: 'the format of the file is not known',
    hint: 'name it with `--format`',
  },
  HR143: { severity: 'error', message: 'there is no format "{name}"; there are {names}' },
  HR150: { severity: 'error', message: 'the {format} data is damaged: {reason}' },
  HR151: { severity: 'error', message: 'the {format} data ends too early' },
  HR152: { severity: 'warning', message: 'data after the end of the {format} data is not read' },
  HR153: {
    severity: 'error',
    message: 'unpacking stopped: more than {limit} times the packed size',
    hint: 'a log this regular is rare; unpack it yourself if you trust it',
  },
  HR154: { severity: 'error', message: 'unpacking stopped at {limit} bytes' },
  HR155: { severity: 'error', message: 'the archive has more than {limit} members' },
  HR156: {
    severity: 'error',
    message: 'a {format} inside an archive is not opened',
    hint: 'unpack the outer archive first',
  },
  HR157: {
    severity: 'error',
    message: '{format} is not a format that can be opened here',
    hint: 'unpack it first; gzip, zstd, zip and tar are opened directly',
  },
  HR158: { severity: 'error', message: 'the member is encrypted' },
  HR159: { severity: 'error', message: 'the member is packed with method {method}, not read here' },
  HR160: { severity: 'warning', message: 'the member is not the size or content the archive says' },
  HR161: { severity: 'notice', message: 'a {what} is no log and is not read' },
  HR162: {
    severity: 'error',
    message: 'a zip archive from standard input may have at most {limit} bytes',
    hint: 'save it to a file first',
  },
  HR163: {
    severity: 'error',
    message: 'the zstd data needs a window of {size} bytes, more than the limit of {limit}',
  },
  HR200: { severity: 'error', message: '{file} cannot be read: {reason}' },
  HR201: { severity: 'error', message: '{file}: unknown key "{key}"', hint: 'known keys: {known}' },
  HR202: { severity: 'error', message: '{file}: {what} must be {expected}' },
  HR203: { severity: 'error', message: '{file}: {what} lacks "{key}"' },
  HR204: { severity: 'error', message: '{file}: {what} "{name}" is declared twice' },
  HR205: { severity: 'error', message: '{file}: there is no {what} "{name}"{guess}' },
  HR206: {
    severity: 'error',
    message: '{file}: "{name}" is not a source name',
    hint: 'lower-case letters, digits, `_` and `.`; the first part is the product',
  },
  HR207: {
    severity: 'error',
    message: '{file}: "{name}" is renamed onto "{target}", which is itself renamed',
    hint: 'a name is folded once; name the last target directly',
  },
  HR250: { severity: 'error', message: 'no function {name}' },
  HR251: { severity: 'error', message: '{name} takes {wanted}, not {found} arguments' },
  HR252: { severity: 'error', message: 'argument {index} of {name} must be {wanted}, not {found}' },
  HR253: { severity: 'error', message: 'argument {index} of {name} must be a constant' },
  HR254: { severity: 'error', message: 'no field {name} here' },
  HR255: { severity: 'error', message: 'a condition must be true or false, not {found}' },
  HR256: { severity: 'error', message: 'the expression is nested deeper than {limit} levels' },
  HR257: { severity: 'error', message: 'argument {index} of {name}: {reason}' },
  HR260: {
    severity: 'notice',
    message: 'field "{name}" is read as "{found}", which differs in case only',
  },
  HR261: { severity: 'notice', message: 'field "{name}" does not occur in {source}' },
  HR262: {
    severity: 'notice',
    message: 'no data here for {logsource}',
    hint: 'ingest logs of this kind; `harrier explain RULE` shows which sources feed the rule',
  },
  HR300: { severity: 'error', message: 'a Sigma rule must be a map of keys' },
  HR301: { severity: 'error', message: 'the rule has no "{key}"' },
  HR302: { severity: 'error', message: '"{key}" must be {wanted}' },
  HR303: { severity: 'warning', message: '"{key}" must be {wanted}; it is not used' },
  HR304: {
    severity: 'warning',
    message: 'unknown {key} "{value}"; it is not used',
    hint: 'one of {known}',
  },
  HR305: { severity: 'warning', message: '"{value}" is not a proper {what}', hint: '{wanted}' },
  HR308: {
    severity: 'error',
    message: 'unknown action "{action}"',
    hint: 'the actions are global, reset and repeat',
  },
  HR309: { severity: 'error', message: 'there is no rule before this one to repeat' },
  HR310: {
    severity: 'error',
    message: 'the log source names nothing',
    hint: 'give at least one of product, category and service',
  },
  HR311: {
    severity: 'error',
    message: '"{value}" is not a proper {key} of a log source',
    hint: 'use lower-case letters, digits, "_", "." and "-"',
  },
  HR312: {
    severity: 'warning',
    message: 'the {key} of the log source is not in lower case; it is read as "{value}"',
  },
  HR313: {
    severity: 'warning',
    message: 'the field names are of the taxonomy "{taxonomy}" and are taken as they are',
  },
  HR314: { severity: 'error', message: 'the file holds no rule' },
  HR315: {
    severity: 'error',
    message: 'a {kind} cannot have a "{key}" too',
    hint: 'write two documents, with a line of --- between them',
  },
  HR320: { severity: 'error', message: 'the detection has no selection' },
  HR321: { severity: 'error', message: 'the selection "{name}" holds nothing' },
  HR322: {
    severity: 'error',
    message: 'the value of {what} must be plain, or a list of plain values',
  },
  HR323: { severity: 'warning', message: 'this keyword is met by every event' },
  HR324: { severity: 'warning', message: 'the selection "{name}" is not used in the condition' },
  HR325: {
    severity: 'notice',
    message: 'the timeframe is not used',
    hint: 'counting over time is written as a correlation rule',
  },
  HR326: {
    severity: 'warning',
    message: 'null stands in a list; it is read as: or the field is missing',
  },
  HR327: { severity: 'error', message: 'the value holds half a character' },
  HR330: { severity: 'error', message: 'the condition must have {wanted} here, not {found}' },
  HR331: {
    severity: 'error',
    message: 'the word "{word}" of a condition must be in lower case',
    hint: 'write "{right}"',
  },
  HR332: { severity: 'error', message: 'there is no selection "{name}"', hint: '{help}' },
  HR333: { severity: 'error', message: 'no selection has a name like "{pattern}"' },
  HR334: {
    severity: 'error',
    message: '"{count} of" is not part of Sigma',
    hint: 'write "1 of" or "all of"; counting is written as a correlation rule',
  },
  HR335: {
    severity: 'error',
    message: 'a condition cannot have a part after "|"',
    hint: 'counting, and what happens near something else, is written as a correlation rule',
  },
  HR336: {
    severity: 'error',
    message: 'the pattern "{pattern}" needs "1 of" or "all of" before it',
  },
  HR340: { severity: 'error', message: 'unknown modifier "{name}"', hint: '{help}' },
  HR341: {
    severity: 'error',
    message: 'the modifiers "{first}" and "{second}" exclude each other',
  },
  HR342: { severity: 'error', message: 'the modifier "{second}" must stand before "{first}"' },
  HR343: { severity: 'error', message: 'the modifier "{name}" needs a field' },
  HR344: { severity: 'error', message: 'the modifier "{first}" needs the modifier "{second}"' },
  HR345: {
    severity: 'warning',
    message: 'the modifier "{name}" changes nothing after "re"',
    hint: 'a regular expression is found anywhere; use ^ and $ for the ends',
  },
  HR346: {
    severity: 'warning',
    message: 'the modifier "base64offset" without "contains" asks for a whole field value',
    hint: 'write base64offset|contains to find the value inside a longer text',
  },
  HR347: { severity: 'error', message: '{name} takes {wanted}, not {found}' },
  HR348: { severity: 'error', message: 'a value with wildcards cannot be written in base64' },
  HR349: { severity: 'error', message: 'the value is too short to be found in base64' },
  HR350: {
    severity: 'error',
    message: 'the UTF-16 bytes of this value are no text that a field could hold',
    hint: 'add base64 or base64offset after it',
  },
  HR351: {
    severity: 'error',
    message: '"{value}" is not an IP network',
    hint: 'write 10.0.0.0/8, 2001:db8::/32 or one address',
  },
  HR352: {
    severity: 'error',
    message: 'the placeholder "%{name}%" has no values',
    hint: 'give its values in a file: `--placeholders vars.yml` with e.g.  {name}: [one, two]',
  },
  HR353: { severity: 'warning', message: 'the value has no placeholder to expand' },
  HR354: { severity: 'error', message: 'the modifier "exists" takes one value' },
  HR355: { severity: 'error', message: 'the name of the other field is empty' },
  HR356: { severity: 'error', message: 'the {part} of a date is a whole number, not {found}' },
  HR360: { severity: 'error', message: 'unknown type of correlation "{type}"', hint: '{help}' },
  HR361: { severity: 'error', message: 'unknown key "{key}" in "{where}"', hint: '{help}' },
  HR362: {
    severity: 'error',
    message: '"{value}" is not a length of time',
    hint: 'write a whole number and one of s, m, h, d, w, M and y, such as 15m',
  },
  HR363: { severity: 'error', message: 'a correlation of type {type} {reason}' },
  HR364: {
    severity: 'error',
    message: 'no rule has the name or id "{name}"',
    hint: '{help}',
  },
  HR365: { severity: 'error', message: 'the correlation counts its own findings: {path}' },
  HR366: { severity: 'error', message: 'the rule "{name}" cannot be used: {reason}' },
  HR367: {
    severity: 'error',
    message: 'the correlation does not use a rule "{name}"',
    hint: '{help}',
  },
  HR368: { severity: 'warning', message: 'the alias "{name}" is not used' },
  HR369: { severity: 'warning', message: 'the rule "{name}" is listed twice and counts once' },
  HR370: {
    severity: 'notice',
    message: 'its matches are no findings of their own: the correlation "{title}" uses it',
    hint: '`generate: true` in the correlation gives both',
  },
  HR371: {
    severity: 'error',
    message: '{count} rules have the name or id "{name}"',
    hint: 'refer to the rule by an id that only it has',
  },
  HR372: {
    severity: 'warning',
    message: '{count} matches of "{name}" have no {fields} and are in no group',
  },
  HR373: {
    severity: 'error',
    message: 'more than {limit} matches would have to be held at once; nothing is told',
    hint: 'shorten the timespan, or make the rules that it counts more exact',
  },
  HR374: {
    severity: 'warning',
    message: 'a burst has gone on for more than {length}; it is told anew for each such time',
  },
  HR375: {
    severity: 'warning',
    message: '{count} values of "{field}" are no numbers and are left out',
  },
  HR380: {
    severity: 'warning',
    message: 'the filter is for a rule "{name}", which is not here',
    hint: '{help}',
  },
  HR381: {
    severity: 'warning',
    message: 'the filter keeps events for which its condition holds, and drops all others',
    hint: 'to hide what the selection describes, write `condition: not selection`',
  },
  HR382: {
    severity: 'warning',
    message: 'the filter is not applied to "{name}": {reason}',
  },
  HR383: { severity: 'notice', message: 'the filter "{title}" ({file}) is part of the rule' },
  HR384: { severity: 'warning', message: 'the filter is applied to no rule' },
  HR400: { severity: 'error', message: 'the query cannot be read here: {message}' },
  HR401: { severity: 'error', message: 'there is no table or function "{name}"', hint: '{hint}' },
  HR402: { severity: 'error', message: 'there is no column or name "{name}" here', hint: '{hint}' },
  HR403: { severity: 'error', message: 'there is no function "{name}"', hint: '{hint}' },
  HR404: { severity: 'error', message: '{message}' },
  HR405: {
    severity: 'error',
    message: 'the operator "{name}" is not supported',
    hint: 'the query is refused whole: it never runs without a part of it',
  },
  HR406: {
    severity: 'error',
    message: 'the function "{name}" is not supported',
    hint: 'the query is refused whole: it never runs without a part of it',
  },
  HR407: { severity: 'error', message: 'not supported here: {what}' },
  HR408: {
    severity: 'error',
    message: '"{name}" needs what only a tenant of Microsoft has: {what}',
    hint: 'take it out, or give a function of that name in a file of your own',
  },
  HR409: {
    severity: 'error',
    message: '"{name}" must be a constant here',
  },
  HR410: {
    severity: 'error',
    message: 'the query is too large once its functions and names are written out',
    hint: 'a name that is used many times may be wrapped in materialize()',
  },
  HR412: { severity: 'error', message: 'the regular expression is not valid: {reason}' },
  HR414: { severity: 'warning', message: '{message}' },
  HR415: {
    severity: 'error',
    message: 'the columns of "{name}" depend on the data',
    hint: 'say which columns you expect: evaluate {name}(...) : (a: string, b: long)',
  },
  HR416: { severity: 'error', message: 'the text holds no query' },
  HR417: {
    severity: 'error',
    message: 'the query cannot be compiled: {reason}',
    hint: 'this is a fault of the program, not of the query',
  },
  HR418: {
    severity: 'warning',
    message: 'the table "{name}" is not known; its part of the union is empty',
  },
  HR420: {
    severity: 'error',
    message: '"{plugin}" gives more than {limit} columns for this data',
    hint: 'say which of them you want: evaluate {plugin}(...) : (a: string, b: long)',
  },
  HR421: {
    severity: 'error',
    message: '"{plugin}" gives a column "{name}", and there is one of that name already',
    hint: "say which to take: columnsConflict='replace_source' or columnsConflict='keep_source'",
  },
  HR430: {
    severity: 'warning',
    message: 'the query needs the file that stands for {url}',
    hint: 'it does not run until one is given: --external ADDRESS=FILE',
  },
  HR431: {
    severity: 'warning',
    message: 'the query needs the watchlist "{alias}"{guess}',
    hint: 'it does not run until it is given: {alias}.csv in a folder "watchlists" beside the rules, or named with --functions',
  },
  HR432: {
    severity: 'error',
    message: 'what the query needs is not given: {what}',
    hint: 'see the warnings of the rule for how to give it',
  },
  HR450: {
    severity: 'error',
    message: 'the {what} has no query',
    hint: 'the query stands under `query` (Sentinel) or `queryCondition.queryText` (Defender)',
  },
  HR451: {
    severity: 'error',
    message: 'a rule of kind "{kind}" has no query of its own to run',
    hint: 'its logic is part of the cloud service; rules of kind Scheduled and NRT are run',
  },
  HR452: {
    severity: 'error',
    message: 'unknown {key} "{value}"',
    hint: 'one of {known}',
  },
  HR453: {
    severity: 'error',
    message: '"{value}" is not a proper {key}',
    hint: '{wanted}',
  },
  HR454: {
    severity: 'warning',
    message:
      'the rule runs every {frequency} and looks back {period} only; events between are never seen',
    hint: 'make queryPeriod at least as long as queryFrequency',
  },
  HR455: {
    severity: 'notice',
    message: 'unknown key "{key}"; it is kept and has no effect{guess}',
  },
  HR456: { severity: 'warning', message: '"{key}" must be {wanted}; it is not used' },
  HR457: {
    severity: 'warning',
    message: 'unknown {key} "{value}"; {effect}',
    hint: 'one of {known}',
  },
  HR458: {
    severity: 'warning',
    message: 'an entity of type {type} has no identifier "{value}"{guess}',
  },
  HR459: {
    severity: 'warning',
    message: 'the query gives no column "{name}", which {what} needs{guess}',
  },
  HR460: { severity: 'error', message: 'the file is not valid JSON: {reason}' },
  HR461: {
    severity: 'error',
    message: 'no Kusto query is found in the file',
    hint: 'a Markdown file has queries in blocks fenced as ```kql; JSON has them under `query`',
  },
  HR462: { severity: 'warning', message: 'the block of code is not closed; it is read to the end' },
  HR463: {
    severity: 'error',
    message: '{what} is an expression of a deployment template, which is not evaluated',
    hint: 'write the value out, or export the deployed rule',
  },
  HR464: {
    severity: 'error',
    message: 'the function {what}',
    hint: 'write e.g.  .create-or-alter function Name(a:string)  and the query between braces',
  },
  HR465: {
    severity: 'warning',
    message: 'the {what} "{name}" is defined again; the first one is used, of {first}',
  },
  HR466: { severity: 'error', message: 'the watchlist cannot be read: {reason}' },
  HR467: {
    severity: 'warning',
    message: 'the scheduled rule has no "{key}"',
    hint: 'without queryPeriod each run looks at all that is there; without queryFrequency it runs every queryPeriod',
  },
  HR468: {
    severity: 'notice',
    message: 'the rule is switched off in its file; it is run all the same',
  },
  HR469: { severity: 'error', message: 'Kusto queries cannot be compiled here: {reason}' },
  HR470: {
    severity: 'error',
    message: '{file}: line {line} is no table',
    hint: 'a line is the name of a table and its columns, by type: `Name s: A B t: C`',
  },
  HR472: { severity: 'error', message: 'the function "{name}" has an error: {message}' },
  HR473: {
    severity: 'error',
    message: 'there is no table "{name}"',
    hint: 'rows of a custom table are read with `--table NAME_CL`',
  },
  HR474: {
    severity: 'warning',
    message: '{table} has no column "{name}" any more{now}',
  },
  HR475: { severity: 'warning', message: 'the table "{name}" is called {now} now' },
  HR476: {
    severity: 'warning',
    message: 'all tables are those that logs can feed here, {count} of them',
    hint: 'name the tables that are meant, so that the query reads no more than it needs',
  },
  HR480: {
    severity: 'error',
    message: 'the query was given up: it took more than {seconds} seconds to compile',
    hint: 'a smaller query, or one with fewer nested functions, takes less; a busy machine may need another try',
  },
  HR481: {
    severity: 'error',
    message: 'the query was given up: the compiler failed at it twice; {reason}',
    hint: 'the other queries are not affected; please report this one',
  },
  HR482: {
    severity: 'error',
    message: 'the file {file} cannot be read as {format}: {reason}',
    hint: 'the query says how its external data is written: with (format="...", ignoreFirstRecord=...)',
  },
  HR483: { severity: 'error', message: 'the external data cannot be read: {reason}' },
  HR490: {
    severity: 'error',
    message: 'the rule would run more than {limit} times over these logs',
    hint: 'narrow the time range with --from and --to, or name the time of one run with --at',
  },
  HR491: {
    severity: 'notice',
    message: 'ran as of {time}, the end of the logs; now() and ago() count from there',
  },
  HR500: { severity: 'error', message: 'the search cannot be read here: {message}' },
  HR501: { severity: 'error', message: 'there is no macro `{name}`', hint: '{hint}' },
  HR502: {
    severity: 'error',
    message: 'the macro `{name}` {reason}',
    hint: 'a macro that calls itself, or many that call each other, grow without end',
  },
  HR503: { severity: 'error', message: 'there is no command "{name}"', hint: '{hint}' },
  HR504: { severity: 'error', message: 'the command "{name}" cannot be run here: {reason}' },
  HR505: {
    severity: 'error',
    message: '"{option}" is no option of {command}',
    hint: 'it has {known}',
  },
  HR506: { severity: 'error', message: 'the option "{option}" must be {wanted}' },
  HR507: { severity: 'error', message: 'not supported here: {what}' },
  HR508: { severity: 'error', message: 'there is no function "{name}"', hint: '{hint}' },
  HR509: { severity: 'error', message: '{message}' },
  HR510: { severity: 'error', message: 'the regular expression is not valid: {reason}' },
  HR511: { severity: 'error', message: 'there is no data model "{name}"', hint: '{hint}' },
  HR512: {
    severity: 'warning',
    message: 'the dataset {dataset} has no field "{name}"; it is missing in every event',
    hint: '{hint}',
  },
  HR513: {
    severity: 'warning',
    message:
      'quoted and bare pieces without a blank between them are read as the one value {value}',
    hint: 'a quote is probably doubled; write the value in one pair of quotes',
  },
  HR514: {
    severity: 'warning',
    message: '"{name}" limits the time only at the start of a search; here it is not used',
  },
  HR515: {
    severity: 'error',
    message: 'a field cannot hold the result of a test',
    hint: 'choose values by it: if(test, "true", "false")',
  },
  HR516: {
    severity: 'error',
    message: 'a search that begins with the command {name} must begin with "|"',
    hint: 'without it the words are searched for in the text of events',
  },
  HR517: { severity: 'error', message: '{what} is {size}, more than the limit of {limit}' },
  HR518: {
    severity: 'warning',
    message:
      'the words "{text}" are looked for in the text of events, which is not there any more; no row has them',
    hint: 'name a field: field="{text}"',
  },
  HR519: { severity: 'error', message: 'the time "{text}" cannot be read: {reason}' },
  HR520: {
    severity: 'error',
    message:
      'the regular expression {pattern} takes more than {limit} seconds on the values that it must look at',
    hint: 'write it without looking around, or narrow the search before it',
  },
  HR521: {
    severity: 'warning',
    message: '{count} rows lack a field that the search of map needs; no search is run for them',
    hint: 'drop such rows before map, or fill the field',
  },
  HR522: {
    severity: 'warning',
    message: 'there is no database of places: {names} stay missing, and tests of them find nothing',
    hint: 'a lookup by address range (match_type CIDR) can give them instead',
  },
  HR530: { severity: 'error', message: 'the lookup "{name}" cannot be read: {reason}' },
  HR531: {
    severity: 'warning',
    message:
      '{count} rows of the lookup "{name}" are passed over; the first is row {line}: {reason}',
  },
  HR532: { severity: 'error', message: 'there is no lookup "{name}"', hint: '{hint}' },
  HR533: { severity: 'error', message: 'the lookup "{name}" cannot be used here: {reason}' },
  HR534: {
    severity: 'error',
    message: 'the lookup "{name}" has no column "{column}"',
    hint: 'it has {known}',
  },
  HR535: {
    severity: 'notice',
    message: 'the lookup "{name}" has no rows yet, so that nothing is found in it',
    hint: 'a search that writes it, its baseline, must be run first',
  },
  HR536: {
    severity: 'error',
    message: '"{name}" is no name that a lookup can have',
    hint: 'use letters, digits, points, underscores and hyphens, no folder',
  },
  HR537: { severity: 'notice', message: '{rows} rows were written to the lookup "{name}"' },
  HR538: { severity: 'error', message: 'the lookup "{name}" was not written: {reason}' },
  HR539: {
    severity: 'notice',
    message: 'the lookup "{name}" was not written: the run may not write lookups',
    hint: 'allow it with --write-lookups',
  },
  HR540: {
    severity: 'notice',
    message: 'events know no index here, so that the test of index ({names}) takes none away',
  },
  HR550: {
    severity: 'error',
    message: 'the {what} has no search',
    hint: 'the search stands under `search`; a page has it in numbered lines below the heading Search',
  },
  HR551: {
    severity: 'warning',
    message: 'unknown key "{key}"; it is kept and has no effect{guess}',
  },
  HR552: {
    severity: 'warning',
    message: '"{key}" must be a number from 0 to 100, not "{value}"; it is not used',
  },
  HR553: {
    severity: 'error',
    message: 'an investigation needs values that a person gives it: {inputs}',
    hint: 'write the values into its search and run that with `query`',
  },
  HR554: { severity: 'error', message: 'the macro has not {what}' },
  HR555: { severity: 'error', message: 'the lookup "{name}" cannot be used: {reason}' },
  HR556: {
    severity: 'error',
    message: 'the line is neither a stanza, a setting nor a comment',
    hint: 'write [name], then key = value; a value goes on in the next line after a backslash',
  },
  HR557: { severity: 'error', message: 'searches cannot be compiled here: {reason}' },
  HR558: {
    severity: 'warning',
    message: 'the search gives no field "{name}", which {what} needs{guess}',
  },
  HR559: {
    severity: 'error',
    message: 'no search, macro or lookup is found in the file',
    hint: 'a detection has its search under `search`; a configuration file has stanzas with `search =`',
  },
  HR560: {
    severity: 'notice',
    message:
      'the page has a risk score and names no risk objects; those of its message are taken: {names}',
  },
  HR570: {
    severity: 'notice',
    message: 'ran once over all events, not by its schedule ({cron})',
    hint: 'a single run of the schedule: --at TIME',
  },
  HR571: {
    severity: 'notice',
    message:
      '{count} rows were held back by the throttling of the rule: others with the same {fields} were told',
  },
  HR572: {
    severity: 'notice',
    message: 'the rule is a baseline: its rows are what later searches compare with, not findings',
  },
  HR573: {
    severity: 'warning',
    message:
      'the risk object "{name}" is missing in {missing} of {count} rows; nothing is at risk there',
  },
  HR574: {
    severity: 'notice',
    message: 'a field that the search needs occurs in no event here',
    hint: '`harrier explain RULE` shows what the search needs',
  },
  HR600: { severity: 'error', message: 'the regular expression is not valid: {reason}' },
  HR601: {
    severity: 'error',
    message: 'the regular expression uses {what}, which the engine (RE2) does not have',
    hint: 'write two conditions, one of them with "not"',
  },
  HR602: {
    severity: 'error',
    message: 'the regular expression refers back to a group, which the engine (RE2) does not have',
    hint: 'write the text out, or three octal digits for a character',
  },
  HR603: {
    severity: 'error',
    message: 'the regular expression uses {what}, which the engine (RE2) does not have',
    hint: 'use the plain form: RE2 never back-tracks; check that it still says what is meant',
  },
  HR604: {
    severity: 'error',
    message: 'the regular expression uses {what}, which the engine (RE2) does not have',
  },
  HR605: {
    severity: 'error',
    message: 'the engine (RE2) does not have the escape "{escape}"',
    hint: '{hint}',
  },
  HR606: {
    severity: 'error',
    message: 'a repeat of {count} times is more than the limit of {limit}',
    hint: 'repeats inside repeats are multiplied',
  },
  HR607: {
    severity: 'error',
    message: 'the flag "{flag}" of a regular expression is not supported',
    hint: 'the flags are i, m, s and U',
  },
  HR608: {
    severity: 'error',
    message: 'the engine (RE2) does not have the character property "{name}"',
    hint: 'use a general category such as L or Lu, or a script such as Greek',
  },
  HR609: {
    severity: 'error',
    message: 'the regular expression is too large once its repeats are written out',
    hint: 'use a smaller count, or fewer properties such as \\pL inside repeats',
  },
  HR700: {
    severity: 'error',
    message: 'the engine stopped this rule: {reason}',
    hint: 'give it more time or memory (`--timeout`, `--memory`), or narrow the time range',
  },
  HR701: {
    severity: 'warning',
    message: 'more than {limit} findings; the rest is counted but not listed',
    hint: 'the rule fires on almost everything here; filter it or narrow the time range',
  },
  HR710: {
    severity: 'error',
    message: 'the schedule "{text}" cannot be read: {reason}',
    hint: 'write five fields of cron, e.g. "10 * * * *", or give the rule a schedule in an overlay',
  },
  HR711: {
    severity: 'error',
    message: 'the time range from "{earliest}" to "{latest}" cannot be run on a schedule: {reason}',
    hint: 'write bounds that lie back from the scheduled time, e.g. -70m@m and -10m@m',
  },
  HR712: {
    severity: 'warning',
    message:
      'another rule has the id of "{rule}" ({id}); only the first of them is run on a schedule',
    hint: 'give one of them an id of its own, or load only one',
  },
  HR740: {
    severity: 'error',
    message: 'the list {file} cannot be used: {reason}',
    hint: 'lists of assets and identities are CSV files with a line of column names',
  },
  HR741: {
    severity: 'warning',
    message: '{file}, line {line} is left out: {reason}',
  },
  HR742: { severity: 'warning', message: '{file}: {count} more lines are left out' },
  HR750: {
    severity: 'error',
    message: 'the channel "{channel}" needs the environment variable {variable}, which is not set',
    hint: 'secrets are read from the environment only: set it where the program is started',
  },
  HR751: {
    severity: 'error',
    message: 'notify.allow: "{text}" is no host and no network',
    hint: 'write a host such as hooks.corp.example, or a network such as 10.1.0.0/16',
  },
  HR752: {
    severity: 'error',
    message: 'notify.proxy: "{text}" is not the address of a proxy',
    hint: 'write it as http://host:port, without a user or a password',
  },
  HR753: {
    severity: 'error',
    message: 'the channel "{channel}" cannot be used: {reason}',
    hint: 'a private place is reached only when its host or network is listed under notify.allow',
  },
  HR754: {
    severity: 'warning',
    message: 'a message of the channel "{channel}" about {count} finding(s) is given up: {reason}',
    hint: 'it is kept: `harrier notify list` shows it, `harrier notify retry` sends it again',
  },
  HR760: { severity: 'error', message: 'tests: {key} must be {wanted}' },
  HR761: { severity: 'error', message: 'tests: nothing is called "{key}"{guess}' },
  HR762: {
    severity: 'error',
    message: 'the file "{path}" cannot be used: {reason}',
    hint: 'files of a test are named from its own folder, and lie in it or below it',
  },
  HR763: {
    severity: 'error',
    message: '{what} is {size}, and at most {limit} are taken',
  },
  HR764: {
    severity: 'error',
    message: 'no rule is called "{name}" here{guess}',
    hint: 'name a rule by its file, its id or its title',
  },
  HR765: {
    severity: 'error',
    message: 'a step expects nothing and writes nothing',
    hint: 'say what it must find (fires, fields, entities, risk), or write: true',
  },
  HR766: {
    severity: 'error',
    message: 'the attack data {place} is not what the lock file has pinned',
    hint: 'find out why it has changed; to take it as it is now, remove its line from the lock file',
  },
  HR767: { severity: 'error', message: 'the lock file {path} cannot be used: {reason}' },
  HR770: {
    severity: 'warning',
    message: '{path} cannot be read: {reason}',
    hint: 'the other files go on; it is tried again when it changes',
  },
  HR771: {
    severity: 'warning',
    message: 'the store takes no events now: {reason}',
    hint: 'nothing is lost: files are read on from where they were stored once it takes them again',
  },
  HR800: {
    severity: 'error',
    message: '"{text}" is not a time',
    hint: 'write 2024-01-31, 2024-01-31T08:00:00Z, -24h, -7d or now (units: s, m, h, d, w; times are UTC)',
  },
  HR801: { severity: 'error', message: 'the time "{text}" is not between the years 1900 and 2299' },
  HR802: {
    severity: 'error',
    message: 'the time range is empty: --from {from} is not before --to {to}',
  },
  HR900: {
    severity: 'error',
    message: 'cannot add "{url}"',
    hint: 'give an address that begins with https://, ssh:// or file:///; a folder needs no adding: name it with --rules',
  },
  HR901: {
    severity: 'error',
    message: '"{name}" gives no usable pack name',
    hint: 'choose one of letters, digits, ".", "_" and "-" with --name',
  },
  HR902: {
    severity: 'error',
    message: 'there is a pack "{name}" already',
    hint: 'use `harrier rules update {name}`, or choose another name with --name',
  },
  HR903: {
    severity: 'error',
    message: 'there is no pack "{name}"',
    hint: '`harrier rules list` shows the packs that are here',
  },
  HR904: {
    severity: 'error',
    message: 'git could not fetch "{url}": {reason}',
    hint: 'check the address, and that `git ls-remote` reaches it from here; what was there before is unchanged',
  },
  HR910: {
    severity: 'error',
    message: 'no rule in "{path}"',
    hint: 'a rule is a YAML file with `detection` (Sigma), `query` (Sentinel, Defender) or `search` (Splunk); queries also stand in .kql, .spl, .conf, .md and .json files',
  },
  HR911: { severity: 'error', message: 'the pack holds more than {limit} {what}' },
  HR912: {
    severity: 'error',
    message: 'the file is not UTF-8 text',
    hint: 'save it as UTF-8; rules are plain text files',
  },
  HR913: {
    severity: 'error',
    message: 'there is no branch, tag or commit "{ref}" in "{url}"',
    hint: '`git ls-remote {url}` lists what there is',
  },
  HR930: { severity: 'error', message: 'settings: {key} must be {wanted}' },
  HR931: { severity: 'error', message: 'settings: there is no setting "{key}"{guess}' },
  HR940: { severity: 'error', message: 'overlay: {key} must be {wanted}' },
  HR941: { severity: 'error', message: 'overlay: there is no key "{key}"{guess}' },
  HR942: {
    severity: 'error',
    message: '{first} and {second} both say {key} for this rule',
    hint: 'keep one of them: which of the two holds would depend on the names of files',
  },
  HR943: {
    severity: 'warning',
    message: 'overlay: no rule has the id or the title "{name}"{guess}',
    hint: 'an overlay names a rule by its id or by its exact title; packs sometimes rename rules',
  },
  HR944: {
    severity: 'warning',
    message: 'an overlay among rules is not applied',
    hint: "overlays are the user's own: put it into the folder that `overrides` of harrier.yml names",
  },
  HR945: {
    severity: 'error',
    message: 'the filter of {file} cannot be used: {reason}',
    hint: 'the rule does not run without its filter: correct the filter, or take it out',
  },
  HR946: {
    severity: 'error',
    message: 'the filter of {file} hides everything that the rule finds',
    hint: 'a filter says what is hidden; to stop the rule, write `enabled: false`',
  },
  HR947: { severity: 'warning', message: 'the filter of {file}: {reason}' },
  HR948: { severity: 'error', message: 'the test "{name}" of a filter fails: {reason}' },
  HR950: {
    severity: 'warning',
    message: 'ATT&CK for Enterprise has no {what} "{id}"',
    hint: 'maps and reports leave it out; look it up at attack.mitre.org',
  },
  HR951: {
    severity: 'warning',
    message: 'the technique {id} of ATT&CK is revoked',
    hint: 'write {instead}, {name}, which took its place',
  },
  HR952: {
    severity: 'warning',
    message: 'the technique {id} of ATT&CK is deprecated, and nothing took its place',
  },
  HR953: {
    severity: 'notice',
    message: 'the {what} "{id}" is newer than the edition of ATT&CK that is known here',
  },
  HR954: {
    severity: 'error',
    message: 'the id "{id}" is also that of {other}',
    hint: 'findings are remembered by the id of their rule: give one of them an id of its own',
  },
  HR955: { severity: 'warning', message: 'the title is also that of {other}' },
  HR956: { severity: 'warning', message: 'the rule has no {key}' },
  HR957: {
    severity: 'warning',
    message: 'the date "{value}" is no day of the calendar',
    hint: 'write 2026-01-31',
  },
  HR958: {
    severity: 'warning',
    message: 'the typographic quotation mark {mark} is no quotation mark of the language',
    hint: 'text from a web page or a document: write {plain}',
  },
  HR959: {
    severity: 'warning',
    message: 'the quotation marks are doubled: the value is {value} without them',
    hint: 'this is read as an empty text with {value} right behind it; write one mark on each side',
  },
  HR960: {
    severity: 'error',
    message: 'the rule can never find anything: {reason}',
    hint: 'no event meets its condition, whatever it holds',
  },
  HR961: {
    severity: 'warning',
    message: 'this part can never hold: {field} would have to be {first} and {second}',
  },
  HR962: {
    severity: 'warning',
    message: 'the rule finds every event of its source',
    hint: 'nothing narrows it: add a test of a field',
  },
  HR963: {
    severity: 'notice',
    message: '{what} is looked for in the whole text of every event',
    hint: 'a test of a field is read from its column and is much cheaper',
  },
  HR964: {
    severity: 'warning',
    message:
      'the rule runs every {apart} and looks at {length} only; events between are never seen',
    hint: 'look back at least as far as runs are apart',
  },
  HR965: {
    severity: 'notice',
    message:
      'the rule runs every {apart} and looks at {length}: what it finds is found again by later runs',
    hint: 'look back as far as runs are apart, or suppress findings with equal values',
  },
  HR966: {
    severity: 'warning',
    message: 'the query asks for events of {ago}, and a run is given those of {period} only',
    hint: 'make queryPeriod {ago}; what is older is not there when the rule runs',
  },
  HR967: { severity: 'error', message: 'the rule is never run: {reason}' },
  HR968: {
    severity: 'warning',
    message: 'the suppression hides every finding for {period} after the first',
    hint: 'name the fields whose values make findings equal',
  },
  HR969: {
    severity: 'notice',
    message: 'the filter of {file} has no tests',
    hint: 'add `tests` with an event that it hides and one that it keeps',
  },
  HR970: {
    severity: 'warning',
    message: 'the level {level} and a risk score of {score} contradict each other',
  },
  HR971: {
    severity: 'warning',
    message: 'the field "{name}" is written "{right}" in these logs',
    hint: 'names of fields are compared with their case',
  },
  HR972: {
    severity: 'notice',
    message:
      'no published rule for this log source reads a field "{name}" (did you mean "{right}"?)',
  },
  HR973: {
    severity: 'warning',
    message: 'no stored event of {sources} has the field "{name}"{guess}',
  },
  HR974: { severity: 'warning', message: 'the pattern can never match: {reason}' },
  HR975: { severity: 'notice', message: 'in the pattern, {reason}' },
  HR976: { severity: 'warning', message: 'the value "{value}" is listed twice' },
  HR977: { severity: 'warning', message: '"{name}" is defined and never used' },
  HR978: {
    severity: 'notice',
    message: 'the stars around the value say what a modifier says',
    hint: 'write {better}',
  },
  HR979: {
    severity: 'notice',
    message: '"{value}" is also the end of other names',
    hint: 'begin it with a backslash to mean the whole name of the file',
  },
  HR980: {
    severity: 'notice',
    message: 'the search does not call the filter macro of its rule, "{name}"',
    hint: 'users fill that macro to hide false alarms; an overlay works without it',
  },
  HR981: { severity: 'notice', message: 'no search here calls the macro "{name}"' },
  HR982: { severity: 'warning', message: 'the service does not take this rule: {reason}' },
  HR983: {
    severity: 'notice',
    message: 'the condition only says what must not be: every other event is found',
  },
} as const satisfies Record<string, CodeRecord>

export type Code = keyof typeof codes

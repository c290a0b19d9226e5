/** The manual page of the command line, from its table of commands, and the shapes of what it prints as data. */
import { type CommandRecord, EVERYWHERE, type OptionRecord } from '../src/cli/command.ts'
import { commands } from '../src/cli/commands.ts'
import { EXIT_TEXTS } from '../src/cli/usage.ts'

type Keys = readonly (readonly [string, string])[]

/** The members that every finding has; `--csv` has the same as columns. */
export const findingKeys: Keys = [
  ['time', 'time of the event, ISO 8601 UTC with seven fractional digits'],
  ['rule_id', 'id of the rule, empty when it has none'],
  ['rule_title', 'title of the rule'],
  ['language', 'language of the rule: `sigma`, `kusto` or `spl`'],
  ['level', '`informational`, `low`, `medium`, `high` or `critical`'],
  ['host', 'host that the event is about, empty when it names none'],
  ['tags', 'tags of the rule, a list'],
  ['source', 'source that the event is stored as, e.g. `windows.sysmon`'],
  [
    'file',
    'file that the event came from; `archive.zip!/name` for a member, `-` for standard input',
  ],
  ['record', 'number of the record or line within the file'],
  ['id', 'fixed id of the finding: the same rule on the same record always has the same'],
  ['event', 'all fields of the event: a text, a list of texts, or null for each'],
]

/** The members that findings of Kusto rules and of searches may have besides, and whether they are columns of `--csv` too. */
export const alertKeys: readonly (readonly [string, string, boolean])[] = [
  ['title', 'what the rule calls the alert, made from its rows', true],
  ['description', 'what the rule says of the alert, made from its rows', true],
  ['rows', 'rows of the query that the finding stands for, where it stands for all of a run', true],
  ['entities', 'list of entities: `type`, and each identifier by its name', true],
  ['details', 'custom details: lists of texts by name', true],
  ['risk_message', 'what a rule of Splunk content says of a hit, made from its row', true],
  [
    'risk',
    'what is at risk: a list of `field`, `value`, `type` (`system`, `user` or `other`), `score` (0 to 100) and `message`',
    true,
  ],
  ['threat_objects', 'what is evidence: a list of `field`, `value` and `type`', true],
  ['security_domain', 'what Splunk content calls the domain of the rule', false],
  ['results', 'the first of those rows', false],
  ['window', '`from` and `to` of the events that the run could see', false],
]

/** The members of one rule of `rules check --json`. */
export const checkKeys: Keys = [
  ['file', 'file as it was named, `pack.zip!/rule.yml` for a member of an archive'],
  ['id', 'id of the rule'],
  ['title', 'title of the rule'],
  ['language', 'language of the rule'],
  ['runnable', '`true` or `false`'],
  ['code', 'where it cannot run: the code of the first reason (docs/diagnostics.md)'],
  ['reason', 'where it cannot run: the first reason in words'],
  ['hint', 'what to do about it, where there is advice'],
  ['place', '`{"line", "column"}` of the reason, both from 1'],
  [
    'diagnostics',
    'further errors, warnings and notices: `code`, `severity`, `message`, `hint`, `place`',
  ],
]

/** The totals of `rules check --json`. */
export const checkTotalKeys: Keys = [
  ['rules', 'rules in all'],
  ['runnable', 'rules that can run'],
  ['refused', 'rules that cannot'],
  ['byLanguage', '`runnable` and `refused` for each language'],
  ['byCode', 'refused rules by the code of their first reason, most first'],
]

/** The totals of `run --json`. */
export const runTotalKeys: Keys = [
  ['findings', 'findings in all'],
  ['rules', 'rules that were selected'],
  ['fired', 'rules that found something'],
  ['quiet', 'rules that ran and found nothing'],
  ['no_data', 'rules whose log source has no events here'],
  ['cannot_fire', 'rules whose fields do not occur in the events'],
  ['failed', 'rules that the engine stopped or refused'],
  ['scans', 'scans that were made'],
  ['seconds', 'time of the run'],
  ['interrupted', '`true` when the result is partial'],
  ['levels', 'findings by level'],
]

/** The report of `ingest --json`. */
export const intakeKeys: Keys = [
  [
    'files',
    'one object a file: the counts below, `file`, `format`, `bytes`, `damages`, `damage`, `error`',
  ],
  ['skipped', 'files below folders that are no logs by their name'],
  ['received', 'records found; always `stored` + `repeated` + `rejected`'],
  ['stored', 'events stored by this call'],
  ['repeated', 'events that an earlier call had stored'],
  ['rejected', 'records that are no events; `ingest --rejects` lists them'],
  ['bytes', 'bytes read, packed as they are'],
  ['seconds', 'time of the intake'],
  ['interrupted', '`true` when files were left unread'],
]

const ENVIRONMENT: Keys = [
  [
    'XDG_DATA_HOME',
    'where the default store and rule packs are: `harrier` below it (default `~/.local/share`)',
  ],
  ['TMPDIR', 'where temporary stores are made'],
  [
    'HARRIER_CLICKHOUSE_USER, HARRIER_CLICKHOUSE_PASSWORD',
    'account for a store at an http(s) address',
  ],
  ['NO_COLOR, FORCE_COLOR', 'no colours; colours also where stdout is no terminal'],
  ['HARRIER_DEBUG', 'when set, errors are printed with their stack'],
]

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function keyTable(keys: Keys): readonly string[] {
  return [
    '| key | what |',
    '|---|---|',
    ...keys.map(([name, says]) => `| ${name.replace(/[\w]+/g, '`$&`')} | ${cell(says)} |`),
    '',
  ]
}

function optionRow({ flags, says, values }: OptionRecord): string {
  const among = values === undefined ? '' : `: ${values.map((each) => `\`${each}\``).join(', ')}`
  return `| \`${cell(flags)}\` | ${cell(says)}${among} |`
}

function usageOf({ name, args }: CommandRecord): string {
  return ['harrier', name, ...(args === undefined ? [] : [args]), '[options]'].join(' ')
}

/** A paragraph in lines of at most 120 characters. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + word.length >= 120) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

function commandSection(record: CommandRecord): readonly string[] {
  const { name, says, prints, options, examples, argValues } = record
  const among = argValues === undefined ? '' : ` The argument is one of ${argValues.join(', ')}.`
  return [
    `## ${name}`,
    '',
    `    ${usageOf(record)}`,
    '',
    ...wrapped(`${says.charAt(0).toUpperCase()}${says.slice(1)}. ${prints}${among}`),
    '',
    ...(options.length === 0
      ? []
      : ['| option | what |', '|---|---|', ...options.map(optionRow), '']),
    ...examples.map((each) => `    ${each}`),
    '',
  ]
}

/** The page `docs/cli.md`; `note` tells how it is made. */
export function cliPage(note: string): string {
  return [
    '# Command line',
    '',
    note,
    '',
    'From a checkout, `npm run -s harrier -- ARGS` stands for `harrier ARGS`. Without a command, and for a group such as',
    '`harrier rules`, the help is printed and the exit code is 0.',
    '',
    '- Data goes to stdout; everything else (progress, reports, hints, errors) goes to stderr.',
    '- Findings are a table for a person by default, cut to the width of a terminal and never cut in a file or a pipe.',
    '- Logs are files, folders, quoted globs (`*`, `?`, `**`), archives (zip, tar, gzip, zstd) and `-` for standard input. Rules are',
    '  files, folders, archives and `-`. Links below folders are not followed.',
    '- Characters of logs and rules that steer a terminal, or hide or reorder text, are shown as escapes.',
    '- Ctrl-C once stops cleanly and says what was done; a second one stops at once. Temporary stores are removed either way.',
    '- When the reader of stdout goes away (`| head`), the run stops early, unless `--html` or `--fail-on` still need it.',
    '',
    '| option of every command | what |',
    '|---|---|',
    ...EVERYWHERE.map(optionRow),
    '| `-h, --help` | show the help of the command |',
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_TEXTS.map(([code, says]) => `| ${code} | ${cell(says)} |`),
    '',
    'A finding at the level of `--fail-on` goes before 4. A rule of a folder that cannot be used is told and does not change the',
    'exit code of `run`; when no rule at all can be used, it is 2.',
    '',
    '## Environment',
    '',
    '| variable | what |',
    '|---|---|',
    ...ENVIRONMENT.map(([name, says]) => `| ${name.replace(/\w+/g, '`$&`')} | ${cell(says)} |`),
    '',
    ...commands.flatMap(commandSection),
    '## Output contracts',
    '',
    'Keys are added over time and never change their meaning. Times are ISO 8601 in UTC.',
    '',
    '### Finding',
    '',
    'One JSON object a line with `--jsonl`. With `--csv` the same as columns, lists and objects as JSON; a cell that a spreadsheet',
    'would compute gets a leading quote, with `--raw-csv` it does not.',
    '',
    ...keyTable(findingKeys),
    'Findings of Kusto rules and of searches may have these too; all but the last three are columns of `--csv`:',
    '',
    ...keyTable(alertKeys.map(([name, says]) => [name, says])),
    '### run --json, query --json',
    '',
    '`{"findings": [...], "rules": [...], "totals": {...}}`. Each rule has `id`, `title`, `language`, `level`, `file`, `state` (`fired`,',
    '`quiet`, `no_data`, `cannot_fire` or `failed`), `findings`, `first` and `last` (times), and `diagnostics` where there are any. The totals:',
    '',
    ...keyTable(runTotalKeys),
    '### query --dialect, --json and the like',
    '',
    '`{"results": [{"columns", "rows"}]}`, one result a query of the text: `columns` is a list of `name` and `type` (in the words of the',
    'language: `long`, `datetime`, ...), `rows` a list of objects with the columns as keys. `render` names the chart that the query asks',
    'for, `more` counts the rows that `--rows` held back, and `interrupted` says that rows are missing. With `--jsonl` one row a line; with',
    '`--csv` a line of names and the rows, and an empty line between queries. Whole numbers keep all their digits, also beyond 2^53; times',
    'are ISO 8601 with seven digits; time spans are texts, `1.02:03:04.5000000`; `NaN`, `Infinity` and `-Infinity` are texts; dynamic',
    'values are JSON.',
    '',
    '### rules check --json',
    '',
    '`{"rules": [...], "problems": [...], "totals": {...}}`. Problems are paths that cannot be read or hold no rule: `file`, `code`,',
    '`severity`, `message`, `hint`. Each rule:',
    '',
    ...keyTable(checkKeys),
    'The totals:',
    '',
    ...keyTable(checkTotalKeys),
    '### ingest --json',
    '',
    ...keyTable(intakeKeys),
    'With `--rejects`: `{"rejects": [...]}`, or one a line with `--jsonl`: `file`, `place`, `code`, `reason`, `raw`.',
    '',
    '### Others',
    '',
    '- `fields --json`: `{"sources": [{"source", "title", "events", "first", "last", "fields"}]}`; for one source',
    '  `{"source", "events", "fields": [{"field", "events", "distinct", "example"}]}`.',
    '- `rules list --json`: `{"packs": [{"name", "url", "ref", "commit", "date", "folder", "rules", "runnable"}]}`.',
    '- `doctor --json`: `{"checks": [{"name", "ok", "says", "hint"}]}`.',
    '- `--progress json` on stderr, at most one line a second: `{"progress": "intake", "bytes", "totalBytes", "events", "files", "totalFiles",',
    '  "seconds"}` and `{"progress": "scan", "scans", "totalScans", "findings", "seconds"}`.',
    '',
  ].join('\n')
}

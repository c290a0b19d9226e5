/** The page of the manual about Kusto: what is written by hand, and tables made from the operators, functions and tables. */
import { codes } from '../src/core/codes.ts'
import { builtInFunctions } from '../src/dialects/kusto/builtin.ts'
import { SPECIAL_NAMES } from '../src/dialects/kusto/calls.ts'
import { OPERATORS } from '../src/dialects/kusto/operators.ts'
import { TENANT } from '../src/dialects/kusto/tenant.ts'
import { functions } from '../src/functions/catalogue.ts'
import type { FunctionRecord } from '../src/functions/record.ts'
import { readyMadeSchema } from './product.ts'

const INTRO = `Harrier runs Kusto queries (KQL) and the rules that hold them: analytic rules and hunting queries of Sentinel, custom
detections of Defender, Markdown with fenced \`kql\` blocks, and bare \`.kql\` files. Microsoft's own parser and binder read the query; Harrier
lowers it to its own plan and runs it in the embedded engine. What is not supported is refused by name and place; nothing runs weakened.

    harrier run LOGS --rules rules/                          # rules of all languages side by side
    harrier query --dialect kusto 'DeviceProcessEvents | take 5' --logs LOGS
    harrier rules check rules/                               # what can run, and why the rest cannot

## Rules

| what the rule says | what a run does |
|---|---|
| \`queryFrequency\`, \`queryPeriod\` | a run at each step of the frequency whose period holds events, each seeing the events of its period alone |
| \`kind: NRT\` | a run each minute, over the minute before |
| none of these | one run over all events, with \`now()\` at the last event |
| \`--at TIME\` | one run at that time; later events are not seen |
| \`triggerOperator\`, \`triggerThreshold\` | compared with the number of rows of each run; a rule that waits for few or no rows runs at every step between the first and the last event |
| \`eventGroupingSettings\` | one finding for all rows of a run, or one for each row |
| \`entityMappings\`, \`sentinelEntitiesMappings\`, \`customDetails\`, \`alertDetailsOverride\`, \`impactedAssets\` | \`entities\`, \`details\`, \`title\`, \`description\`, \`level\` and \`tags\` of the finding |
| \`suppressionDuration\`, \`incidentConfiguration\` | what \`serve\` and \`run --keep\` make of findings: [throttling, incidents](findings.md) |
| response actions | kept and not applied |

A rule none of whose tables has data ends as \`no_data\`; one that joins a table without data, so that no row can come, as \`cannot_fire\`.
\`harrier explain RULE\` shows the schedule, the tables, the logs that feed them and the SQL.

Functions (\`FunctionAlias\` and \`FunctionQuery\` in YAML, or \`.kql\` files) and watchlists (CSV in a folder \`watchlists\`) that lie beside
the rules are used by them; \`--functions\` names others for a query. \`externaldata\` reads only what \`--external ADDRESS=FILE\` names.
`

const SAYS: Readonly<Record<string, string>> = {
  FilterOperator: 'where',
  TakeOperator: 'take, limit',
  SortOperator: 'sort, order',
  MakeSeriesOperator: 'make-series',
  MvExpandOperator: 'mv-expand',
  MvApplyOperator: 'mv-apply',
  GetSchemaOperator: 'getschema',
  ProjectByNamesOperator: 'project-by-names',
  TopHittersOperator: 'top-hitters',
  TopNestedOperator: 'top-nested',
  ParseKvOperator: 'parse-kv',
  ParseWhereOperator: 'parse-where',
  SampleDistinctOperator: 'sample-distinct',
  AssertSchemaOperator: 'assert-schema',
}

/** `ProjectAwayOperator` is `project-away`. */
function operatorName(kind: string): string {
  const known = SAYS[kind]
  if (known !== undefined) return known
  return kind
    .replace(/Operator$/, '')
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
}

const REFUSED = new Set(['HR405', 'HR406', 'HR407', 'HR408', 'HR430', 'HR431', 'HR432'])

function list(names: Iterable<string>): string {
  return [...new Set(names)]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((each) => `\`${each}\``)
    .join(', ')
}

function spellings(wanted: (record: FunctionRecord) => boolean): readonly string[] {
  return [...functions.values()].filter(wanted).flatMap((each) => each.spelled?.kusto ?? [])
}

/** Sources of a table that are named; tables of all event logs have dozens. */
const MOST_SOURCES = 12

function tableRows(): readonly string[] {
  const schema = readyMadeSchema()
  return [...schema.tableParts()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, parts]) => {
      const sources = [...new Set(parts.map((each) => each.source))]
      const foreign = sources.filter((each) => !each.startsWith('table.'))
      const rest = foreign.length - MOST_SOURCES
      const more = rest > 0 ? ` and ${rest} more` : ''
      const shown = `${list(foreign.slice(0, MOST_SOURCES))}${more}`
      return foreign.length === 0 ? [] : [`| \`${name}\` | ${shown} |`]
    })
}

/** The text of docs/kusto.md. */
export function kustoPage(note: string): string {
  const schema = readyMadeSchema()
  const plain = spellings(({ aggregate }) => aggregate !== true)
  const own = SPECIAL_NAMES.filter((name) => /^[a-z]\w*$/i.test(name))
  const aggregates = [...functions.values()].flatMap(({ spelled, aggregate, conditional }) =>
    aggregate === true ? [...(spelled?.kusto ?? []), ...(conditional?.kusto ?? [])] : [],
  )
  return [
    '# Kusto',
    '',
    note,
    '',
    INTRO,
    '## Operators',
    '',
    `${list(Object.keys(OPERATORS).map(operatorName))}.`,
    '',
    '## Scalar functions',
    '',
    `${list([...plain, ...own])}.`,
    '',
    '## Aggregates',
    '',
    `${list(aggregates)}.`,
    '',
    '## What is refused',
    '',
    '| code | message |',
    '|---|---|',
    ...Object.entries(codes)
      .filter(([code]) => REFUSED.has(code))
      .map(([code, { message }]) => `| ${code} | ${message.replaceAll('|', '\\|')} |`),
    '',
    'Functions that need a service of the tenant are refused with HR408:',
    '',
    '| function | what is missing |',
    '|---|---|',
    ...[...TENANT].map(([name, { what }]) => `| \`${name}\` | ${what} |`),
    '',
    '## Tables and what feeds them',
    '',
    `The columns of ${schema.tables.names.size.toLocaleString('en')} tables of Sentinel and Defender are known. An export of any of them (JSON, CSV) is recognised by its columns, by`,
    'its `Type` or `category`, or by `--table NAME`. These tables are also answered from other logs:',
    '',
    '| table | sources |',
    '|---|---|',
    ...tableRows(),
    '',
    'Names that end in `_` are what these functions read:',
    '',
    `${list(builtInFunctions(schema.tables.functions).map(({ name }) => name))}.`,
    '',
    'The functions of the normalised schemas take the documented parameters by name. A function of your own of the same name goes before.',
    '',
    'A custom table (`MyLog_CL`) has the columns of what was ingested for it with `--table MyLog_CL`; its name is found in any case. A check of rules,',
    'which has no store, refuses it with HR401. `union *`, and `search` and `find` without tables, read the tables of this list and those the store has exports of.',
    '',
    'Where Kusto itself would give something else, see [differences](differences.md).',
    '',
  ].join('\n')
}

/** The page of the manual about SPL: what is written by hand, and tables made from commands, functions, models and sources. */
import { commands, REFUSED } from '../src/dialects/spl/commands.ts'
import { functions } from '../src/functions/catalogue.ts'
import type { FunctionRecord } from '../src/functions/record.ts'
import { isList } from '../src/ir/types.ts'
import type { SchemaCatalogue } from '../src/schema/catalogue.ts'
import { dataset, datasetNames, viewForDataset } from '../src/schema/datamodels.ts'
import type { Spelling } from '../src/schema/eventview.ts'
import { readyMadeSchema } from './product.ts'

const INTRO = `Harrier runs searches of Splunk (SPL) and the rules that hold them: detections of Enterprise Security's content in the three forms
of its YAML, apps with \`savedsearches.conf\`, \`macros.conf\` and \`transforms.conf\`, Markdown with fenced \`spl\` blocks, pages of the content's
site as text, and bare \`.spl\` files. No Splunk is needed. What is not supported is refused by name and place; nothing runs weakened.

    harrier run LOGS --rules rules/                          # rules of all languages side by side
    harrier query --dialect spl 'EventCode=22 | stats count by Image' --logs LOGS --earliest -24h
    harrier query --dialect spl '| tstats count from datamodel=Endpoint.Processes by Processes.dest' --store case42
    harrier rules check rules/                               # what can run, and why the rest cannot
    harrier explain RULE                                     # macros written out, data models, schedule, risk

Macros and lookups that lie beside the rules, in \`macros/\` and \`lookups/\` or in the files of an app, are used by them; \`--functions\` names
others for a query. \`--earliest\` and \`--latest\` take Splunk's time modifiers and count from \`--at\` or from the end of the logs; \`--from\` and
\`--to\` bound everything that is read, whatever a search says.

## Values

| in Splunk | here |
|---|---|
| a missing field | null: \`isnull\` is true, \`search f=*\` is not, and rows that miss a field of \`by\` are left out |
| an empty value | a text of no characters: \`isnull("")\` is false |
| a field with several values | a list; whether a field may have several is known before the search runs |
| \`_time\` | seconds since 1970, with microseconds; printed as a time for people |
| numbers | numbers of 64 bits; as text whole ones have no point |
`

const list = (names: Iterable<string>): string =>
  [...new Set(names)]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((each) => `\`${each}\``)
    .join(', ')
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function spellings(wanted: (record: FunctionRecord) => boolean): readonly string[] {
  return [...functions.values()].filter(wanted).flatMap((each) => each.spelled?.spl ?? [])
}

function commandRows(): readonly string[] {
  return [...commands.values()]
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, says, options = {} }) => {
      const known = Object.keys(options)
      return `| \`${name}\` | ${cell(says)} | ${known.length === 0 ? '' : list(known)} |`
    })
}

/** Sources that are named in a row; all event logs of Windows are dozens. */
const MOST = 10

function some(names: readonly string[]): string {
  const rest = names.length - MOST
  return `${list(names.slice(0, MOST))}${rest > 0 ? ` and ${rest} more` : ''}`
}

function modelRows(schema: SchemaCatalogue): readonly string[] {
  return [...datasetNames(schema)]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((full) => {
      const [model = '', ...rest] = full.split('.')
      const found = dataset(schema, model, rest.join('.'))
      const fields = [...(found?.fields ?? [])].filter(([name]) => !name.includes('.'))
      const several = fields.filter(([, type]) => isList(type)).map(([name]) => name)
      const parts = viewForDataset(schema, full)?.parts ?? []
      const sources = [...new Set(parts.map(({ source }) => source))].toSorted()
      return `| \`${full}\` | ${fields.length} | ${list(several)} | ${some(sources)} |`
    })
}

const spelled = ({ before, field }: Spelling): string =>
  field === undefined ? before : `${before}{${field}}`

function sourceRows(schema: SchemaCatalogue): readonly string[] {
  return [...schema.sources.keys()]
    .toSorted()
    .filter((name) => !name.startsWith('table.'))
    .flatMap((name) => {
      const { sourcetype, named, fields } = schema.events(name)
      if (fields.size === 0 && named.length === 0 && sourcetype.length <= 1) return []
      return [
        `| \`${name}\` | ${some(sourcetype.map(spelled))} | ${some(named.map(spelled))} | ${fields.size} |`,
      ]
    })
}

/** The text of docs/spl.md. */
export function splPage(note: string): string {
  const schema = readyMadeSchema()
  const isAggregate = ({ aggregate }: FunctionRecord): boolean => aggregate === true
  return [
    '# SPL',
    '',
    note,
    '',
    INTRO,
    '## Commands',
    '',
    '| command | what it does | options |',
    '|---|---|---|',
    ...commandRows(),
    '',
    'Refused by name:',
    '',
    '| command | why |',
    '|---|---|',
    ...[...REFUSED].map(([name, why]) => `| \`${name}\` | ${cell(why)} |`),
    '',
    '## Functions of eval and where',
    '',
    'Besides the operators, and `case`, `coalesce`, `if`, `in`, `mvfilter`, `mvmap`, `null`, `nullif`, `searchmatch`, `validate`:',
    '',
    `${list(spellings((each) => !isAggregate(each)).filter((name) => /^[a-z]\w*$/i.test(name)))}.`,
    '',
    '## Functions of stats',
    '',
    `${list(spellings(isAggregate))}. Numbers follow percentiles: \`p95(x)\`, \`perc99.5(x)\`.`,
    '',
    '## Data models',
    '',
    'Fields of a dataset that Splunk fills are filled here too: a missing text with `unknown`, a missing port with 0.',
    '',
    '| dataset | fields | with several values | fed by |',
    '|---|---:|---|---|',
    ...modelRows(schema),
    '',
    '## Sources',
    '',
    'Searches of events find them under these names; `{name}` is the value of a field. Fields have the names that the add-ons give',
    'them, and their stored ones. Events know an `index` only when they were read with one; a test of it is true for all others, with a notice.',
    '',
    '| source | sourcetype | source in Splunk | renamed fields |',
    '|---|---|---|---:|',
    ...sourceRows(schema),
    '',
    'Where Splunk itself would give something else, see [differences](differences.md).',
    '',
  ].join('\n')
}

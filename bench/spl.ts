/**
 * `node tools/run.mjs bench/spl.ts [--events N] [--runs N] [--only TEXT] [--sql] [--store FOLDER] [--rules FOLDER]`: searches over so
 * many events, each beside SQL by hand over the same stored columns, and with `--rules` how long each rule of a pack takes to
 * compile. Rows must be equal; nothing is asserted of time.
 */
import { compileSpl } from '../src/dialects/spl/compile.ts'
import { PLAIN_LOOKUP } from '../src/dialects/spl/lookupdef.ts'
import { loadRules } from '../src/rules/load.ts'
import { splWorld } from '../src/rules/splworld.ts'
import { readyMadeSchema } from '../tools/product.ts'
import { type Comparison, option, runComparisons } from './hunting.ts'

interface Search {
  readonly name: string
  readonly spl: string
  readonly sql: string
  readonly goal?: number
}

const SYSMON = '`events_windows:sysmon`'
const NAMES = [
  'powershell.exe',
  'cmd.exe',
  'mshta.exe',
  'certutil.exe',
  'rundll32.exe',
  'whoami.exe',
]
const labelled = (name: string): string => `label of ${name}`
const endsWith = (name: string): string => `endsWith(lower(Image), '\\\\${name}')`

const SEARCHES: readonly Search[] = [
  {
    name: 'stats count, dc by two fields',
    spl: 'EventCode=1 | stats count dc(Image) by Computer, User',
    sql: `SELECT Computer, User, count(), uniqExact(Image) FROM ${SYSMON} WHERE EventID = '1' AND User != '' AND Computer != '' GROUP BY 1, 2`,
    goal: 1.3,
  },
  {
    name: 'tstats of one program by two fields',
    spl: '| tstats count from datamodel=Endpoint.Processes where Processes.process_name="powershell.exe" by Processes.dest Processes.user',
    sql: `SELECT \`@host\`, User, count() FROM ${SYSMON} WHERE EventID = '1' AND ${endsWith('powershell.exe')} GROUP BY 1, 2`,
    goal: 1.3,
  },
  {
    name: 'one sourcetype, a wildcard in a field',
    spl: 'sourcetype=XmlWinEventLog EventCode=22 QueryName="*host77*" | stats count by Image',
    sql: `SELECT Image, count() FROM ${SYSMON} WHERE EventID = '22' AND position(lower(QueryName), 'host77') > 0 GROUP BY 1`,
    goal: 1.3,
  },
  {
    name: 'transaction by host, pauses of a minute',
    spl: 'EventCode=3 DestinationPort=8080 | fields _time Computer | transaction Computer maxpause=1m maxevents=1000000 | stats count by Computer',
    sql: `SELECT host, count() FROM (SELECT Computer AS host, \`@time\` AS time, lagInFrame(time) OVER (PARTITION BY host ORDER BY time) AS before FROM ${SYSMON}
      WHERE EventID = '3' AND DestinationPort = '8080') WHERE before < time - INTERVAL 60 SECOND GROUP BY host`,
  },
  {
    name: 'lookup of names',
    spl: 'EventCode=1 | eval name=lower(mvindex(split(Image, "\\\\"), -1)) | lookup labels name OUTPUT label | stats count by label',
    sql: `SELECT transform(lower(basename(Image)), [${NAMES.map((each) => `'${each}'`).join(', ')}], [${NAMES.map((each) => `'${labelled(each)}'`).join(', ')}], '') AS label, count()
      FROM ${SYSMON} WHERE EventID = '1' AND label != '' GROUP BY 1`,
  },
  {
    name: 'join of two searches by host',
    spl: `EventCode=1 Image="*\\\\powershell.exe" | stats count as starts by Computer
      | join Computer [search EventCode=3 DestinationPort=8080 | stats count as connections by Computer] | table Computer starts connections`,
    sql: `SELECT host, starts, connections FROM (SELECT Computer AS host, count() AS starts FROM ${SYSMON} WHERE EventID = '1' AND ${endsWith('powershell.exe')} GROUP BY 1) AS a
      ANY INNER JOIN (SELECT Computer AS host, count() AS connections FROM ${SYSMON} WHERE EventID = '3' AND DestinationPort = '8080' GROUP BY 1) AS b USING (host)`,
    goal: 1.3,
  },
]

const labels = {
  name: 'labels',
  kind: 'csv' as const,
  description: '',
  options: PLAIN_LOOKUP,
  fields: ['name', 'label'],
  source: 'labels.csv',
  csv: `name,label\n${NAMES.map((each) => `${each},${labelled(each)}\n`).join('')}`,
  others: new Map(),
  file: '',
}

const comparisons: readonly Comparison[] = SEARCHES.map(({ spl, ...search }) => ({
  ...search,
  compile(schema, stored) {
    const { world } = splWorld({ schema, stored, library: { macros: [], lookups: [labels] } })
    const { rel, diagnostics } = compileSpl(spl, { world })
    const error = diagnostics.find(({ severity }) => severity === 'error')
    if (error !== undefined) throw new Error(`${search.name}: ${error.message}`)
    return rel
  },
}))

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(2)
}

/** How long each rule of a pack takes to compile once its files are read. */
async function compileTimes(folder: string): Promise<void> {
  const schema = readyMadeSchema()
  const { rules } = await loadRules([folder], { placeholders: new Map(), schema: () => schema })
  const times = rules.flatMap(({ rule }) => {
    if (rule?.spl === undefined) return []
    const { compile } = rule.spl.compiler({})
    const started = performance.now()
    compile(new Map())
    return [performance.now() - started]
  })
  const [p50, p95, most] = [0.5, 0.95, 1].map((part) => quantile(times, part))
  console.log(`${times.length} rules compiled: p50 ${p50}  p95 ${p95}  max ${most} ms`)
}

const rules = option('rules')
if (rules !== undefined) await compileTimes(rules)
else {
  await runComparisons(comparisons, {
    events: Number(option('events') ?? 2_000_000),
    runs: Number(option('runs') ?? 7),
    only: option('only'),
    store: option('store'),
  })
}

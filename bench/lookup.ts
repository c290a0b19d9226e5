/**
 * `node tools/run.mjs bench/lookup.ts [--rows N] [--patterns N]`: how fast fields are looked up, in one million rows that
 * all have a different value, in lookups of exact values and of patterns. Nothing is asserted; machines differ.
 */
import { planQuery, type QueryWorld } from '../src/detect/runquery.ts'
import { readyLookups } from '../src/detect/spltables.ts'
import { compileSpl } from '../src/dialects/spl/compile.ts'
import { type LookupDefinition, PLAIN_LOOKUP } from '../src/dialects/spl/lookupdef.ts'
import { splWorld } from '../src/rules/splworld.ts'
import { allRows, temporaryStore } from '../tests/support/temporary.ts'
import { readyMadeSchema } from '../tools/product.ts'

function numberOf(name: string, usual: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? usual : Number(process.argv[at + 1])
}

const ROWS = numberOf('rows', 1_000_000)
const PATTERNS = numberOf('patterns', 92_000)

/** The n-th name of a domain; some are the start of others. */
const domain = (n: number): string => `d${((n * 7919) % 1_000_003).toString(36)}-${n % 97}.example`

function lookup(name: string, form: (text: string) => string, isWild: boolean): LookupDefinition {
  const rows = Array.from({ length: PATTERNS }, (_, n) => `${form(domain(n))},True`)
  return {
    name,
    kind: 'csv',
    description: '',
    options: {
      ...PLAIN_LOOKUP,
      match: new Map(isWild ? [['domain', 'wildcard' as const]] : []),
      isCaseSensitive: false,
    },
    fields: [],
    source: `${name}.csv`,
    csv: ['domain,found', ...rows].join('\n'),
    others: new Map(),
    file: '',
  }
}

const lookups = [
  lookup('exact', (text) => text, false),
  lookup('suffix', (text) => `*.${text}`, true),
  lookup('prefix', (text) => `${text}.*`, true),
  lookup('contains', (text) => `*.${text}*`, true),
  lookup('middle', (text) => `h*.${text}`, true),
]

const opened = await temporaryStore()
try {
  const { engine, store } = opened
  const schema = readyMadeSchema()
  const one = (n: string): string => `d${n}.example`
  // One in a hundred rows holds a listed domain behind a host; the others hold other names.
  await engine.command(
    'CREATE TABLE lookup_bench (`@@line` Int64, query String) ENGINE = MergeTree ORDER BY `@@line`',
  )
  const known = Array.from({ length: 1_000 }, (_, n) => `'${domain(n * 90)}'`).join(', ')
  await engine.command(
    `INSERT INTO lookup_bench SELECT number, multiIf(number % 100 = 0, concat('h', toString(number), '.', [${known}][1 + intDiv(number, 100) % 1000]), number % 100 = 1, [${known}][1 + intDiv(number, 100) % 1000], concat(lower(hex(sipHash64(number))), '.host', toString(number % 1000), '.${one('zz')}')) FROM numbers(${ROWS})`,
  )
  const { world, lookups: all } = splWorld({
    schema,
    stored: new Map(),
    library: { macros: [], lookups },
  })
  const fields = [
    { name: 'query', type: 'text' as const },
    { name: '@@line', type: 'int' as const },
  ]
  const rows = {
    fields,
    rel: {
      op: 'scan' as const,
      table: { kind: 'lookup' as const, name: 'bench' },
      time: {},
      out: fields,
    },
  }
  const queries: QueryWorld = { schema, stored: new Map(), time: {} }
  for (const { name } of lookups) {
    const search = `lookup ${name} domain as query OUTPUT found | stats count count(found) as found`
    const compiling = performance.now()
    const { rel, diagnostics } = compileSpl(search, { world: { ...world, rows }, found: new Map() })
    if (rel === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
    const compiled = performance.now() - compiling
    const making = performance.now()
    await readyLookups(rel, all, store.lookups)
    const made = performance.now() - making
    const sql = planQuery(rel, queries).value?.sql ?? ''
    const started = performance.now()
    const [row] = await allRows(engine, sql)
    const took = performance.now() - started
    const times = `compiled ${compiled.toFixed(0)} ms, table made ${made.toFixed(0)} ms, run ${took.toFixed(0)} ms`
    console.log(`${name.padEnd(10)} ${times}: ${JSON.stringify(row)}`)
  }
} finally {
  await opened.close()
}

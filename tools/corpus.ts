/**
 * `npm run corpus`: every published rule and every recorded sample in ../shared against the product. Writes the
 * scoreboard; a figure of the committed one may only rise. `--update` records better figures, CI never does.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { childOf, readYaml, textOf } from '../src/core/yaml.ts'
import { parseSigma } from '../src/dialects/sigma/rule.ts'
import { loadRules } from '../src/rules/load.ts'
import { agreement } from './agreement.ts'
import { type Decoded, decodeFile } from './decoded.ts'
import { kustoCases, kustoQueries } from './kustocorpus.ts'
import { findingsOf } from './product.ts'
import { publishedTests } from './ruletests.ts'
import { runSeeds } from './seeds.ts'
import { splCases, splRules } from './splcorpus.ts'
import { exampleFields } from './splevents.ts'
import { runSplSeeds } from './splseeds.ts'
import { urlCases } from './urlcases.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SHARED = process.env.HARRIER_SHARED ?? join(ROOT, '..', 'shared')
const BOARD = join(ROOT, 'tests/corpus/scoreboard.json')

/** Figures by name; each counts something that should be as high as it can be. */
type Board = Record<string, number>

interface Outcome {
  readonly board: Board
  /** What stands between a figure and the best it could be. */
  readonly notes: readonly string[]
  /** Counts by reason that are kept beside the figures and held to nothing. */
  readonly refused?: Board
}

/** Everything below a folder that ends so. */
function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name))
}

function unpack(archive: string, folder: string): string {
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xf', join(SHARED, archive), '-C', folder])
  return folder
}

/** Counts by key, most first, as one line. */
function tally(keys: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([key, count]) => `${key} ${count}`)
    .join(', ')
}

async function sigmaRules(folder: string): Promise<Outcome> {
  const { rules } = await loadRules([folder], { placeholders: new Map() })
  const refused = rules.filter((each) => each.rule === undefined)
  const codes = refused.map(
    (each) => each.diagnostics.find((one) => one.severity === 'error')?.code ?? 'none',
  )
  return {
    board: {
      'sigma rules loaded': rules.length,
      'sigma rules runnable': rules.length - refused.length,
    },
    notes: [`refused: ${tally(codes)}`],
  }
}

interface Expected {
  readonly folder: string
  readonly rule: string
  readonly file: string
  readonly count: number
}

/** What an `info.yml` of the regression data promises: the rule, its sample, and the least number of hits. */
function expectations(folder: string): readonly Expected[] {
  return filesBelow(folder, 'info.yml').flatMap((path) => {
    const [info] = readYaml(readFileSync(path, 'utf8')).documents
    const meta = childOf(info, 'rule_metadata')
    const first = meta?.kind === 'list' ? meta.items[0] : undefined
    const rule = textOf(childOf(first, 'id')) ?? ''
    const tests = childOf(info, 'regression_tests_info')
    return (tests?.kind === 'list' ? tests.items : []).map((test) => ({
      folder: path,
      rule,
      file: join(folder, textOf(childOf(test, 'path')) ?? ''),
      count: Number(textOf(childOf(test, 'match_count')) ?? 1),
    }))
  })
}

async function regression(folder: string, rules: string): Promise<Outcome> {
  const expected = expectations(folder)
  const files = [...new Set(expected.map((each) => each.file))].filter(existsSync)
  const counts = new Map<string, number>()
  const run = await findingsOf([rules], files, (finding) => {
    const key = `${finding.rule_id} ${finding.file}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  })
  const missed = expected.filter(
    (each) => (counts.get(`${each.rule} ${each.file}`) ?? 0) < each.count,
  )
  const exact = expected.filter((each) => counts.get(`${each.rule} ${each.file}`) === each.count)
  return {
    board: {
      'regression samples fired': expected.length - missed.length,
      'regression samples with the exact count': exact.length,
    },
    notes: [
      `${run.findings} findings of ${run.rules} rules over ${run.events} events, ${run.failed} rules failed`,
      ...missed.map((each) => `missed: ${each.rule} in ${each.file}`),
    ],
  }
}

async function secondOpinion(folder: string, logs: readonly string[]): Promise<Outcome> {
  const { rules } = await loadRules([folder], { placeholders: new Map() })
  const files = logs
    .flatMap((each) => filesBelow(each, ''))
    .filter((path) => /\.(?:evtx|zip)$/.test(path))
  const { compared, agreed, events, findings, differences } = await agreement(rules, files)
  return {
    board: { 'rules compared with a second opinion': compared, 'rules that agree with it': agreed },
    notes: [`${findings} findings on ${events} events on both sides`, ...differences.slice(0, 20)],
  }
}

/** Values that the JSON copies are known to change: braces of GUIDs, digits of times, blanks at the end. */
function alike(ours: unknown, theirs: unknown): boolean {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return ours.length === theirs.length && ours.every((each, index) => alike(each, theirs[index]))
  }
  if (typeof ours !== 'string' || typeof theirs !== 'string') return ours === theirs
  const plain = (text: string): string =>
    text
      .replace(/^\{(.*)\}$/, '$1')
      .trimEnd()
      .replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})\d*Z$/, '$1.$2Z')
  return plain(ours) === plain(theirs) || ours.toLowerCase() === theirs.toLowerCase()
}

async function twins(folder: string): Promise<Outcome> {
  let fields = 0
  let same = 0
  const notes: string[] = []
  for (const path of filesBelow(folder, '.evtx')) {
    const twin = path.replace(/\.evtx$/, '.json')
    if (!existsSync(twin)) continue
    const [mine, theirs] = [await decodeFile(path), await decodeFile(twin)]
    for (const [index, event] of theirs.events.entries()) {
      const own = mine.events[index]
      for (const [name, value] of event) {
        fields++
        if (alike(own?.get(name), value)) same++
        else if (notes.length < 20) {
          notes.push(
            `${path} ${name}: ${JSON.stringify(own?.get(name))} / ${JSON.stringify(value)}`,
          )
        }
      }
    }
  }
  return {
    board: { 'fields equal to the JSON copies': same, 'fields compared': fields },
    notes,
  }
}

/** Record counts that the samples' own project states. */
const STATED: Readonly<Record<string, readonly [events: number, errors: number]>> = {
  'sample_with_a_bad_chunk_magic.evtx': [270, 2],
  'sample-with-zero-data-size-event.evtx': [335, 1],
  'Microsoft-Windows-HelloForBusiness%4Operational.evtx': [6, 0],
  'Microsoft-Windows-LanguagePackSetup%4Operational.evtx': [17, 0],
  'sample-with-irregular-bool-values.evtx': [3028, 0],
  'Application_no_crc32.evtx': [17, 0],
}

async function evtx(folders: readonly string[]): Promise<Outcome> {
  const notes: string[] = []
  let [files, events, stated] = [0, 0, 0]
  for (const path of folders.flatMap((folder) => filesBelow(folder, '.evtx'))) {
    const read: Decoded = await decodeFile(path)
    files++
    events += read.events.length
    const promise = STATED[path.slice(path.lastIndexOf('/') + 1)]
    if (promise === undefined) continue
    const [wanted, errors] = promise
    if (read.events.length === wanted && read.rejected + read.damaged >= errors) stated++
    else
      notes.push(
        `${path}: ${read.events.length} events, ${read.rejected} rejected, ${read.damaged} damaged`,
      )
  }
  return {
    board: {
      'evtx files read': files,
      'evtx events read': events,
      'evtx counts as stated': stated,
    },
    notes,
  }
}

async function otherLogs(folders: readonly string[]): Promise<Outcome> {
  const notes: string[] = []
  let [events, timed, rejected] = [0, 0, 0]
  for (const path of folders.flatMap((folder) => filesBelow(folder, ''))) {
    if (!/\.(?:zip|json|csv)$/i.test(path)) continue
    const read = await decodeFile(path)
    events += read.events.length
    timed += read.timed
    rejected += read.rejected
    if (read.rejected > 0) notes.push(`${path}: ${read.rejected} rejected`)
  }
  return {
    board: { 'other events read': events, 'other events with a time': timed },
    notes: [...notes, `${rejected} rejected`],
  }
}

/** Rules of the recorded conversions: those that upstream converts must load here too. */
function conversionRules(): Outcome {
  const text = gunzipSync(readFileSync(join(SHARED, 'conformance/sigma-convert.json.gz'))).toString(
    'utf8',
  )
  const parsed: unknown = JSON.parse(text)
  const cases =
    parsed !== null && typeof parsed === 'object' && 'cases' in parsed ? parsed.cases : []
  const notes: string[] = []
  let loaded = 0
  for (const each of Array.isArray(cases) ? cases : []) {
    if (each?.expected_error !== undefined || typeof each?.rule !== 'string') continue
    const { rules, diagnostics } = parseSigma(each.rule)
    const broken = [...diagnostics, ...rules.flatMap((rule) => rule.diagnostics)].find(
      (one) => one.severity === 'error',
    )
    if (broken === undefined && rules.length > 0) loaded++
    else notes.push(broken?.code ?? 'no rule')
  }
  return { board: { 'conversion rules loaded': loaded }, notes: [`not loaded: ${tally(notes)}`] }
}

/** Queries of two published documents over planted events. */
async function seeds(folder: string, work: string): Promise<Outcome> {
  const { ran, exact, notes } = await runSeeds(folder, work)
  return {
    board: { 'seed queries run': ran, 'seed queries that find what was planted': exact },
    notes,
  }
}

/** Searches of three published documents over planted events. */
async function splSeeds(folder: string, work: string): Promise<Outcome> {
  const { ran, exact, notes } = await runSplSeeds(folder, work)
  return {
    board: { 'seed searches run': ran, 'seed searches that find what was planted': exact },
    notes,
  }
}

/** Example events of Splunk's data sources: the names that their files list, under which the events can be searched. */
async function splunkEvents(folder: string, work: string): Promise<Outcome> {
  const found = await exampleFields(join(folder, 'data_sources'), work)
  const count = (of: (each: (typeof found)[number]) => readonly string[]): number =>
    found.reduce((sum, each) => sum + of(each).length, 0)
  const [fields, missing] = [count((each) => each.fields), count((each) => each.missing)]
  const most = [...found].sort((a, b) => b.missing.length - a.missing.length).slice(0, 10)
  return {
    board: {
      'example events of Splunk data sources': found.length,
      'example events under their sourcetype': found.filter((each) => each.isNamed).length,
      'fields of example events': fields,
      'fields of example events under their names': fields - missing,
    },
    notes: [
      `${((100 * (fields - missing)) / fields).toFixed(1)} % of the names are there`,
      ...most.map((each) => `${each.name}: ${each.missing.length} missing`),
    ],
  }
}

/** Recorded cases of Kusto: those of an emulator, and those of the manual. */
async function recordedCases(): Promise<readonly (readonly [string, Outcome])[]> {
  const path = (name: string): string => join(SHARED, `conformance/${name}.json.gz`)
  return [
    ['Kusto emulator', await kustoCases(path('kql-emulator'), 'kusto emulator')],
    ['Kusto manual', await kustoCases(path('kql-docs'), 'kusto manual')],
  ]
}

async function all(work: string): Promise<readonly (readonly [string, Outcome])[]> {
  const rules = unpack('corpus/sigma-rules.tar.xz', join(work, 'rules'))
  const samples = unpack('logs/sigma-regression.tar.xz', join(work, 'regression'))
  const mitre = unpack('logs/evtx-to-mitre.tar.xz', join(work, 'mitre'))
  const odd = unpack('logs/evtx-crate-samples.tar.xz', join(work, 'odd'))
  const otrf = unpack('logs/otrf-security-datasets.tar', join(work, 'otrf'))
  const azure = unpack('logs/azure-sentinel-sample-data.tar.xz', join(work, 'azure'))
  const documents = unpack('seeds.tar.xz', join(work, 'seeds'))
  const splunk = unpack('corpus/splunk-content.tar.xz', join(work, 'splunk'))
  return [
    ['Sigma rules', await sigmaRules(rules)],
    ['regression samples', await regression(samples, rules)],
    ['JSON copies', await twins(samples)],
    ['second opinion', await secondOpinion(rules, [samples, mitre, odd, otrf])],
    ['EVTX samples', await evtx([mitre, odd])],
    ['other logs', await otherLogs([otrf, azure])],
    ['conversion cases', conversionRules()],
    ['seeds', await seeds(documents, join(work, 'planted'))],
    ['Splunk events', await splunkEvents(splunk, join(work, 'examples'))],
    ['Kusto queries', await kustoQueries(join(SHARED, 'corpus/kql-queries.jsonl.gz'))],
    ...(await recordedCases()),
    ['Splunk content', await splRules(splunk)],
    ['seeds with SPL', await splSeeds(documents, join(work, 'planted for SPL'))],
    ['tests of rules', await publishedTests([rules, splunk], { regressionData: samples })],
    ['SPL cases', await splCases(join(SHARED, 'conformance/spl.json.gz'))],
    ['URL cases', await urlCases(join(SHARED, 'conformance/urls.json.gz'))],
  ]
}

function readBoard(): Board {
  if (!existsSync(BOARD)) return {}
  const parsed: unknown = JSON.parse(readFileSync(BOARD, 'utf8'))
  return Object.fromEntries(
    Object.entries(parsed ?? {}).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value]] : [],
    ),
  )
}

async function main(): Promise<void> {
  if (!existsSync(join(SHARED, 'corpus'))) {
    console.log(`no corpora at ${SHARED}; nothing was run`)
    process.exitCode = 3
    return
  }
  const before = readBoard()
  const after: Board = {}
  const refused: Record<string, Board> = {}
  const work = mkdtempSync(join(tmpdir(), 'harrier-corpus-'))
  let [passed, failed] = [0, 0]
  try {
    for (const [title, { board, notes, refused: reasons }] of await all(work)) {
      console.log(`\n${title}`)
      if (reasons !== undefined) refused[`${title} refused`] = reasons
      for (const [name, value] of Object.entries(board)) {
        after[name] = value
        const was = before[name]
        const isWorse = was !== undefined && value < was
        if (isWorse) failed++
        else passed++
        console.log(
          `  ${isWorse ? 'WORSE' : '     '} ${name}: ${value}${was === undefined || was === value ? '' : ` (was ${was})`}`,
        )
      }
      for (const note of notes) console.log(`        ${note}`)
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  for (const name of Object.keys(before)) {
    if (after[name] !== undefined) continue
    console.log(`  GONE  ${name}`)
    failed++
  }
  if (failed === 0 && process.env.CI === undefined) {
    writeFileSync(`${BOARD}.new`, `${JSON.stringify({ ...after, ...refused }, null, 2)}\n`)
    cpSync(`${BOARD}.new`, BOARD)
    rmSync(`${BOARD}.new`)
  }
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main()

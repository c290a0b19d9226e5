/**
 * Kusto rules of many texts: one request to the compiler for all of them, and from its answers a rule for each query,
 * with the columns checked that the rule names outside of its query.
 */
import { type Diagnostic, diagnose, hasErrors } from '../core/diagnostic.ts'
import { suggest } from '../core/suggest.ts'
import type {
  KustoAnswer,
  KustoCompiled,
  KustoCompiler,
  KustoFunction,
  Watchlist,
} from '../dialects/kusto/answer.ts'
import { legacyEntities } from '../dialects/kusto/entity.ts'
import { attackTags, type KustoDocument, type KustoFile } from '../dialects/kusto/rule.ts'
import type { RuleProblem, RuleText } from './files.ts'
import { filteredQuery, filterProblems } from './filtering.ts'
import { firstOf } from './firstof.ts'
import { NO_OVERLAYS, type Overlays, overlaid } from './overlaying.ts'
import {
  LEVELS,
  type LoadedRule,
  type LocatedDiagnostic,
  located,
  type Rule,
  type Unfinished,
} from './rule.ts'

/** A text that is Kusto's, and what it holds. */
export interface KustoText extends RuleText {
  readonly content: KustoFile
}

export interface KustoRules {
  readonly rules: ReadonlyMap<KustoText, readonly LoadedRule[]>
  /** Texts that hold something that rules use, or that are known to be wrong. */
  readonly filled: ReadonlySet<KustoText>
  readonly functions: readonly KustoFunction[]
  readonly watchlists: readonly Watchlist[]
  readonly problems: readonly RuleProblem[]
}

interface Job {
  readonly from: KustoText
  readonly document: KustoDocument
}

const nothing = (reason: string): KustoCompiled => ({
  queries: [
    {
      columns: [],
      tables: [],
      span: { start: 0, end: 0 },
      diagnostics: [diagnose('HR469', { reason }, { start: 0, end: 1 })],
    },
  ],
})

/** The answers to all jobs. A compiler that fails refuses every rule, with its reason. */
async function ask(
  jobs: readonly Job[],
  compiler: KustoCompiler | undefined,
  functions: readonly KustoFunction[],
  watchlists: readonly Watchlist[],
): Promise<readonly KustoCompiled[]> {
  if (jobs.length === 0) return []
  if (compiler === undefined) return jobs.map(() => nothing('no compiler was given'))
  const requests = jobs.map(({ document }) => ({ query: document.query, name: document.rule.name }))
  try {
    const answers = await compiler.compile(requests, functions, watchlists)
    return jobs.map((_, index) => answers[index] ?? nothing('the compiler gave no answer'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return jobs.map(() => nothing(reason))
  }
}

/** Columns that the rule names and the query does not give. */
function missingColumns({ uses }: KustoDocument, { columns }: KustoAnswer): readonly Diagnostic[] {
  const names = columns.map((each) => each.name)
  const known = new Set(names)
  return uses.flatMap(({ name, what, span }) => {
    if (known.has(name)) return []
    const near = suggest(name, names)
    const guess = near === undefined ? '' : ` (did you mean "${near}"?)`
    return [diagnose('HR459', { name: name.slice(0, 128), what, guess }, span)]
  })
}

function makeRule(
  job: Job,
  answer: KustoAnswer,
  base: RuleHead,
  unfinished: Unfinished,
): Rule | undefined {
  const { rule } = job.document
  const { columns, tables, order, render, span, discover } = answer
  const rel = answer.rel ?? discover?.rel
  if (rel === undefined) return undefined
  const fields = columns.map((each) => each.name)
  const entityMappings =
    rule.entityMappings.length > 0 ? rule.entityMappings : legacyEntities(fields)
  return {
    ...base,
    level: LEVELS.find((each) => each === rule.severity?.toLowerCase()) ?? 'informational',
    status: rule.status,
    description: rule.description,
    author: rule.author,
    date: '',
    tags: attackTags(rule),
    references: rule.references,
    falsepositives: [],
    logsource: tables.join(', '),
    rel,
    stages: [{ name: 'query', text: job.document.query.slice(span.start, span.end).trim() }],
    fields,
    kusto: {
      ...rule,
      entityMappings,
      columns,
      tables,
      ...(order === undefined ? {} : { order }),
      ...(render === undefined ? {} : { render }),
      ...(answer.rel === undefined ? { unfinished } : {}),
    },
  }
}

type RuleHead = Pick<LoadedRule, 'file' | 'id' | 'title' | 'language'>

function headOf({ from, document }: Job, number: number): RuleHead {
  const { id, name } = document.rule
  const isFirst = number === 1
  return {
    file: from.file,
    id: isFirst ? id : `${id}/${number}`,
    title: isFirst ? name : `${name} (${number})`,
    language: 'kusto',
  }
}

/** A query's diagnostics, placed in its file. */
function inFile(
  { place }: KustoDocument,
  diagnostics: readonly Diagnostic[],
): readonly Diagnostic[] {
  return diagnostics.map((each) =>
    each.span === undefined ? each : { ...each, span: place(each.span) },
  )
}

interface Made {
  readonly head: RuleHead
  readonly rule?: Rule
  readonly diagnostics: readonly Diagnostic[]
}

/** The rules of one document: one for each query that it holds. */
function rulesOf(
  job: Job,
  compiled: KustoCompiled | undefined,
  again: (job: Job) => Unfinished['compile'],
): readonly Made[] {
  const { document } = job
  if (compiled === undefined) return [{ head: headOf(job, 1), diagnostics: document.diagnostics }]
  if (compiled.queries.length === 0) {
    const span = { start: document.span.start, end: document.span.start + 1 }
    const empty = diagnose('HR450', { what: 'rule' }, span)
    return [{ head: headOf(job, 1), diagnostics: [empty, ...document.diagnostics] }]
  }
  return compiled.queries.map((answer, index): Made => {
    const head = headOf(job, index + 1)
    // Columns that only the data can tell are found when the rule runs.
    const isOpen = answer.discover !== undefined
    const told = answer.diagnostics.filter(({ code }) => !(isOpen && code === 'HR415'))
    const own = [...inFile(document, told), ...document.diagnostics]
    const unfinished = { text: document.query, query: index, compile: again(job) }
    const rule = hasErrors(own) ? undefined : makeRule(job, answer, head, unfinished)
    if (rule !== undefined) {
      const missing = isOpen ? [] : missingColumns(document, answer)
      return { head, rule, diagnostics: [...own, ...missing] }
    }
    const silent = hasErrors(own) ? [] : [diagnose('HR469', { reason: 'no plan was made' })]
    return { head, diagnostics: [...silent, ...own] }
  })
}

/** A job whose queries end in the filters that the user's overlays say; `problems` by the number of the query from 0. */
interface Filtered {
  readonly job: Job
  readonly problems: ReadonlyMap<number, Diagnostic>
}

/** The job with filters in its text; undefined when no overlay has one for its queries. */
function filteredJob(job: Job, compiled: KustoCompiled, overlays: Overlays): Filtered | undefined {
  const { document, from } = job
  const problems = new Map<number, Diagnostic>()
  let isChanged = false
  // From the last to the first, so that places before a change stay what they are.
  const query = [...compiled.queries.entries()].reverse().reduce((text, [index, { span }]) => {
    const filter = overlays.of(headOf(job, index + 1))?.filter
    if (filter === undefined) return text
    isChanged = true
    const changed = filteredQuery(text.slice(span.start, span.end), filter)
    if (typeof changed !== 'string') {
      problems.set(index, changed)
      return text
    }
    return text.slice(0, span.start) + changed + text.slice(span.end)
  }, document.query)
  return isChanged ? { job: { from, document: { ...document, query } }, problems } : undefined
}

interface Tuned {
  readonly filtered: Filtered
  readonly compiled: KustoCompiled
}

/** A made rule with what the user says of it. */
function tunedRule(
  given: Made,
  index: number,
  answer: KustoAnswer | undefined,
  world: {
    readonly overlays: Overlays
    readonly tuned: Tuned | undefined
    readonly again: (job: Job) => Unfinished['compile']
  },
): Made {
  const { head, rule, diagnostics } = given
  const said = rule === undefined ? undefined : world.overlays.of(head)
  if (rule === undefined || said === undefined) return given
  const refused = (own: readonly Diagnostic[]): Made => ({
    head,
    diagnostics: [...diagnostics, ...own],
  })
  if (hasErrors(said.diagnostics)) return refused(said.diagnostics)
  const { filter } = said
  if (filter === undefined || answer === undefined) {
    return { ...given, rule: overlaid(rule, said) }
  }
  const { filtered, compiled } = world.tuned ?? {}
  const problem = filtered?.problems.get(index)
  if (problem !== undefined) return refused([problem])
  const after = compiled?.queries[index]
  if (filtered === undefined || after === undefined) {
    const reason = 'the query cannot be compiled with it'
    return refused([diagnose('HR945', { file: filter.where, reason })])
  }
  const isOpen = after.discover !== undefined
  const told = after.diagnostics.filter(({ code }) => !(isOpen && code === 'HR415'))
  const planOf = ({ rel, discover }: KustoAnswer) => rel ?? discover?.rel
  const [before, now] = [planOf(answer), planOf(after)]
  const own = filterProblems(
    filter,
    { ...(before === undefined ? {} : { rel: before }), diagnostics: answer.diagnostics },
    { ...(now === undefined ? {} : { rel: now }), diagnostics: told },
  )
  const { job } = filtered
  const unfinished = { text: job.document.query, query: index, compile: world.again(job) }
  const made = hasErrors(own) ? undefined : makeRule(job, after, head, unfinished)
  if (made === undefined) return refused(own)
  const changed = overlaid({ ...made, stages: rule.stages }, said, rule)
  return { head, rule: changed, diagnostics: [...diagnostics, ...own] }
}

/** What is wrong with a file beside its documents; a file that the user named and that holds no query is told. */
function fileProblems(text: KustoText): readonly LocatedDiagnostic[] {
  const { documents, functions, watchlists, diagnostics } = text.content
  const isEmpty = documents.length + functions.length + watchlists.length === 0
  const empty = text.named && isEmpty && !hasErrors(diagnostics) ? [diagnose('HR461', {})] : []
  return located([...diagnostics, ...empty], text.text)
}

/** Makes the rules of all texts. */
export async function compileKusto(
  texts: readonly KustoText[],
  compiler: KustoCompiler | undefined,
  overlays: Overlays = NO_OVERLAYS,
): Promise<KustoRules> {
  const problems = texts.flatMap((text) =>
    fileProblems(text).map((diagnostic) => ({ root: text.root, file: text.file, diagnostic })),
  )
  const functions = firstOf(
    texts.flatMap((from) => from.content.functions.map((value) => ({ from, value }))),
    {
      what: 'function',
      nameOf: ({ name }) => name,
      meaningOf: ({ parameters, body }) => [parameters, body],
    },
  )
  const watchlists = firstOf(
    texts.flatMap((from) => from.content.watchlists.map((value) => ({ from, value }))),
    { what: 'watchlist', nameOf: ({ alias }) => alias, meaningOf: (each) => each },
  )
  const jobs = texts.flatMap((from) =>
    from.content.documents.map((document) => ({ from, document })),
  )
  const ready = jobs.filter(({ document }) => !hasErrors(document.diagnostics))
  const answers = await ask(ready, compiler, functions.kept, watchlists.kept)
  const compiled = new Map(ready.map((job, index) => [job, answers[index]]))
  const again =
    ({ from, document }: Job): Unfinished['compile'] =>
    async (query) => {
      const changed: Job = { from, document: { ...document, query } }
      const [answer] = await ask([changed], compiler, functions.kept, watchlists.kept)
      return answer ?? nothing('the compiler gave no answer')
    }
  const filtered = ready.flatMap((job) => {
    const answer = compiled.get(job)
    const changed = answer === undefined ? undefined : filteredJob(job, answer, overlays)
    return changed === undefined ? [] : [[job, changed] as const]
  })
  const after = await ask(
    filtered.map(([, each]) => each.job),
    compiler,
    functions.kept,
    watchlists.kept,
  )
  const tuned = new Map(
    filtered.flatMap(([job, each], index): (readonly [Job, Tuned])[] => {
      const answer = after[index]
      // A filter that cuts its query in two would leave a part without it.
      const isSame = answer?.queries.length === compiled.get(job)?.queries.length
      return answer === undefined || !isSame ? [] : [[job, { filtered: each, compiled: answer }]]
    }),
  )
  const made = new Map<KustoText, Made[]>()
  for (const job of jobs) {
    const known = made.get(job.from) ?? []
    made.set(job.from, known)
    const answer = compiled.get(job)
    const world = { overlays, tuned: tuned.get(job), again }
    const own = rulesOf(job, answer, again)
    known.push(...own.map((each, index) => tunedRule(each, index, answer?.queries[index], world)))
  }
  const rules = new Map(
    [...made].map(([from, all]): readonly [KustoText, readonly LoadedRule[]] => {
      const placed = located(
        all.flatMap((each) => each.diagnostics),
        from.text,
      )
      let at = 0
      const loaded = all.map(({ head, rule, diagnostics }): LoadedRule => {
        const own = placed.slice(at, at + diagnostics.length)
        at += diagnostics.length
        const base = { ...head, diagnostics: own, text: from.text }
        return rule === undefined ? base : { ...base, rule }
      })
      return [from, loaded]
    }),
  )
  const isFilled = ({ content }: KustoText): boolean =>
    content.functions.length + content.watchlists.length > 0
  return {
    rules,
    filled: new Set(texts.filter((text) => isFilled(text) || fileProblems(text).length > 0)),
    functions: functions.kept,
    watchlists: watchlists.kept,
    problems: [...problems, ...functions.problems, ...watchlists.problems],
  }
}

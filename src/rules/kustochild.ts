/**
 * The process of the Kusto front end: Microsoft's library and our compiler, made ready and then kept in a start-up
 * snapshot of Node, or made ready at each start where there is none. Reads requests from stdin, one a line, and answers
 * on stdout. It ends when its input does.
 */
import { readFileSync, readSync, writeSync } from 'node:fs'
import { startupSnapshot } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { Library, selfTest } from '../dialects/kusto/adapter.ts'
import { Compiler } from '../dialects/kusto/compile.ts'
import { readTables } from '../schema/tables.ts'
import {
  decode,
  encode,
  type FrontFiles,
  type FrontReply,
  type FrontRequest,
  type FrontWorld,
} from './kustowire.ts'

const NEWLINE = 10
const CHUNK = 64 * 1024
const WAIT_MS = 2

/** Queries whose parts most others share: the library makes its types when they are first used. */
const WARM = [
  'SigninLogs | where UserPrincipalName has "a" and TimeGenerated > ago(1d) and ResultType !in ("0", "1")' +
    ' | summarize n = count(), dcount(IPAddress), make_set(Location) by UserPrincipalName, bin(TimeGenerated, 1h) | sort by n',
  'let f = (a: string) { DeviceProcessEvents | where FileName =~ a | extend j = parse_json(AdditionalFields) };' +
    ' f("a") | join kind=leftouter (SecurityEvent | project Account, Computer) on $left.AccountName == $right.Account' +
    ' | mv-expand j | project tostring(j.a), Timestamp, iff(isempty(Account), "x", strcat(Account, 1))',
  'union isfuzzy=true DeviceFileEvents, (datatable(FileName: string)["a"]) | where FileName matches regex "a+" | take 1',
  'print 1',
]

interface Front {
  compiler(world: FrontWorld): Compiler
}

function makeFront({ library: bundles, tables }: FrontFiles): Front {
  for (const filename of bundles) runInThisContext(readFileSync(filename, 'utf8'), { filename })
  const library = new Library(globalThis as unknown as Readonly<Record<string, unknown>>)
  selfTest(library)
  const texts = tables.map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  const { value: catalogue } = readTables(texts)
  if (catalogue === undefined) throw new Error('the tables of this installation are damaged')
  return { compiler: (world) => new Compiler({ library, catalogue, ...world }) }
}

/** The lines of stdin; waits for each. */
function* lines(): Generator<string> {
  const chunk = Buffer.alloc(CHUNK)
  let parts: Buffer[] = []
  for (;;) {
    let size: number
    try {
      size = readSync(0, chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
      continue
    }
    if (size === 0) return
    let from = 0
    for (
      let at = chunk.indexOf(NEWLINE);
      at !== -1 && at < size;
      at = chunk.indexOf(NEWLINE, from)
    ) {
      parts.push(Buffer.from(chunk.subarray(from, at)))
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      from = at + 1
    }
    if (from < size) parts.push(Buffer.from(chunk.subarray(from, size)))
  }
}

function say(reply: FrontReply): void {
  const bytes = Buffer.from(`${encode(reply)}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') process.exit(1)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS)
    }
  }
}

const NOTHING: FrontWorld = { functions: [], watchlists: [], pins: [], custom: [] }

function serve(front: Front): void {
  let compiler = front.compiler(NOTHING)
  say({ op: 'ready' })
  for (const line of lines()) {
    const request = decode(line) as FrontRequest
    if (request.op === 'world') compiler = front.compiler(request.world)
    else {
      const { id, text } = request
      for (const answer of compiler.answers(text)) say({ op: 'answer', id, answer })
      say({ op: 'end', id })
    }
  }
}

const files = JSON.parse(process.argv[2] ?? '{}') as FrontFiles
const front = makeFront(files)
if (startupSnapshot.isBuildingSnapshot()) {
  const compiler = front.compiler(NOTHING)
  for (const each of WARM) compiler.compile(each)
  startupSnapshot.setDeserializeMainFunction(() => serve(front))
} else serve(front)

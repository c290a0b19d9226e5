/**
 * `npm test`: types, lint, then every test. Ends with one line of totals, `N passed, N failed`, in which the type
 * check and the lint count as one test each.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = `${root}node_modules/.cache/harrier/tests.json`
const bin = (name) => `${root}node_modules/.bin/${name}`
const only = process.argv.slice(2)

const brief = (text) =>
  String(text)
    .replace(/\n\s+at .*/s, '')
    .replace(/\s+/g, ' ')
    .slice(0, 400)

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0
}

let passed = 0
let failed = 0
let skipped = 0
const checks =
  only.length > 0
    ? []
    : [
        ['types', bin('tsc'), ['--noEmit']],
        ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
      ]
for (const [name, command, args] of checks) {
  const ok = run(command, args)
  console.log(`${name}: ${ok ? 'ok' : 'FAILED'}`)
  if (ok) passed++
  else failed++
}

mkdirSync(`${root}node_modules/.cache/harrier`, { recursive: true })
rmSync(report, { force: true })
const ended = run(bin('vitest'), [
  'run',
  '--reporter=dot',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...only,
])
let totals
try {
  totals = JSON.parse(readFileSync(report, 'utf8'))
} catch {
  failed++
}
if (totals) {
  passed += totals.numPassedTests
  failed += totals.numFailedTests
  skipped = totals.numPendingTests + totals.numTodoTests
  // Once more at the end, where they are seen in a long log.
  for (const { name, status, message, assertionResults } of totals.testResults) {
    const file = relative(root, name)
    const wrong = assertionResults.filter((each) => each.status === 'failed')
    if (status === 'failed' && wrong.length === 0) console.log(`FAILED ${file}: ${brief(message)}`)
    for (const { fullName, failureMessages } of wrong) {
      console.log(`FAILED ${file}: ${fullName}: ${brief(failureMessages.join(' '))}`)
    }
  }
  // A file that cannot be loaded has no failed test of its own, but the run is not good.
  if (!ended && totals.numFailedTests === 0) failed++
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1

/**
 * A front end for tests: it answers each text with its length, and does as a text says. `die` ends it; `die once` only
 * while the file named after it is not there; `hang` never answers; `babble` answers with what is no JSON.
 */
const { createInterface } = require('node:readline')
const { existsSync, writeFileSync } = require('node:fs')

const say = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`)
const answer = (text) => ({
  columns: [],
  tables: [text],
  span: { start: 0, end: text.length },
  diagnostics: [],
})

say({ op: 'ready' })
createInterface({ input: process.stdin }).on('line', (line) => {
  const { op, id, text } = JSON.parse(line)
  if (op !== 'compile') return
  const [word, ...rest] = text.split(' ')
  if (word === 'die') process.exit(7)
  if (word === 'once' && !existsSync(rest[0])) {
    writeFileSync(rest[0], '')
    process.kill(process.pid, 'SIGKILL')
    return
  }
  if (word === 'hang') {
    say({ op: 'answer', id, answer: answer('before') })
    for (;;);
  }
  if (word === 'babble') process.stdout.write('what?\n')
  say({ op: 'answer', id, answer: answer(text) })
  say({ op: 'end', id })
})

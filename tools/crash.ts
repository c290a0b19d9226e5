/**
 * `npm run crash -- --kills 200 [--steps a,b] [--ticks 24] [--lanes 2]`: kills the program so often at each named step
 * and compares what is there at the end with an undisturbed run. The exit code is 1 when anything differs.
 */
import { STEPS } from '../src/core/steps.ts'
import {
  compare,
  DIFFERENCES,
  type Difference,
  makeWorkshop,
  runScenario,
} from '../tests/crash/crashing.ts'
import { randomFrom } from './random.ts'

function option(name: string, usual: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? usual : (process.argv[at + 1] ?? usual)
}

const wanted = Number(option('kills', '50'))
const ticks = Number(option('ticks', '24'))
const lanes = Number(option('lanes', '2'))
const seed = Number(option('seed', '1'))
const named = option('steps', STEPS.join(',')).split(',')
const steps = STEPS.filter((each) => named.includes(each))

interface Sum extends Difference {
  readonly kills: number
  readonly runs: number
}

const NONE: Sum = {
  kills: 0,
  runs: 0,
  findings: 0,
  risks: 0,
  windows: 0,
  lost: 0,
  doubled: 0,
  untold: 0,
  toldTwice: 0,
  repeated: 0,
}

function added(one: Sum, other: Sum): Sum {
  const sum = { ...one, kills: one.kills + other.kills, runs: one.runs + other.runs }
  for (const key of DIFFERENCES) sum[key] = one[key] + other[key]
  return sum
}

const text = ({ kills, runs, ...rest }: Sum): string =>
  [`${kills} kills in ${runs} runs`, ...DIFFERENCES.map((key) => `${key} ${rest[key]}`)].join(', ')

async function main(): Promise<void> {
  if (steps.length === 0 || !(wanted > 0) || !(ticks > 0) || !(lanes > 0)) {
    console.log(`usage: --kills N --ticks N --lanes N --seed N --steps ${STEPS.join(',')}`)
    process.exitCode = 3
    return
  }
  const started = performance.now()
  const workshop = await makeWorkshop()
  try {
    const plain = { ticks, steps: [], kills: 0, random: randomFrom(seed).next }
    const clean = await runScenario(workshop, plain)
    const { findings, windows, outbox } = clean.report
    console.log(
      `undisturbed: ${findings.length} findings, ${windows.length} windows, ${outbox.length} messages`,
    )
    let total = NONE
    const left = [...steps]
    const work = async (): Promise<void> => {
      for (let step = left.shift(); step !== undefined; step = left.shift()) {
        const random = randomFrom(seed + STEPS.indexOf(step) * 7_919).next
        let sum = NONE
        while (sum.kills < wanted) {
          const kills = wanted - sum.kills
          const result = await runScenario(workshop, { ticks, steps: [step], kills, random })
          if (result.kills === 0) throw new Error(`the scenario never comes to ${step}`)
          sum = added(sum, { ...compare(clean, result), kills: result.kills, runs: 1 })
        }
        console.log(`${step.padEnd(16)} ${text(sum)}`)
        total = added(total, sum)
      }
    }
    await Promise.all(Array.from({ length: lanes }, work))
    const seconds = Math.round((performance.now() - started) / 1_000)
    console.log(`all in ${seconds} s: ${text(total)}`)
    const { kills: _, runs: __, repeated: ___, ...rest } = total
    process.exitCode = Object.values(rest).some((each) => each !== 0) ? 1 : 0
  } finally {
    workshop.close()
  }
}

await main()

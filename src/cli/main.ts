/** The program: one call from arguments to exit code, and Ctrl-C (once: stop cleanly with a summary; twice: at once). */
import { makeContext } from './context.ts'
import { readCall } from './program.ts'
import { makeOutput } from './terminal.ts'
import { safeLines } from './text.ts'
import { tellTrouble } from './trouble.ts'
import { EXIT } from './usage.ts'

/** Runs one call of the program and gives its exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const call = readCall(argv)
  if (typeof call === 'number') return call
  const { env } = process
  const output = makeOutput({
    out: process.stdout,
    err: process.stderr,
    env,
    color: call.options.values.color !== false,
    quiet: call.options.flag('quiet'),
  })
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) {
      output.status(undefined)
      process.exit(EXIT.interrupted)
    }
    interrupt.abort()
    if (output.err.isTerminal) output.err.write('stopping; Ctrl-C again stops at once\n')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  const context = makeContext(output, env, interrupt.signal)
  const tell = (error: unknown): number => {
    output.status(undefined)
    if ((env.HARRIER_DEBUG ?? '') !== '' && error instanceof Error) {
      output.err.write(`${safeLines(error.stack ?? '')}\n`)
    }
    return tellTrouble(output.err, error, context.program)
  }
  process.on('uncaughtException', (error) => process.exit(tell(error)))
  try {
    const code = await call.record.act(context, call.args, call.options)
    return interrupt.signal.aborted ? EXIT.interrupted : code
  } catch (error) {
    return interrupt.signal.aborted ? EXIT.interrupted : tell(error)
  } finally {
    output.status(undefined)
    await output.out.ready()
  }
}

process.exitCode = await main(process.argv.slice(2))

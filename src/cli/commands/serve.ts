/** `harrier serve`: the schedule of a store, run until it is stopped. */
import { makePools } from '../../detect/schedule/pools.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openNamedStore } from '../context.ts'
import { STORE_OPTION } from '../intaking.ts'
import { RULE_OPTIONS } from '../rulesets.ts'
import { rulesOfStore, runSchedule, SINCE_OPTION, scheduledPaths, sinceOf } from '../scheduling.ts'
import { SETTINGS_OPTION, settingsFor, storeOf } from '../settings.ts'

async function act(context: Context, _: readonly string[], options: OptionValues): Promise<number> {
  const found = settingsFor(context, options)
  sinceOf(context, options)
  const once = options.flag('once')
  const rulePaths = scheduledPaths(found, options)
  const opened = await openNamedStore(context, storeOf(found, options), once)
  try {
    const rules = await rulesOfStore(context, options, rulePaths, opened)
    if (!once && options.values.web !== false && !context.output.quiet) {
      context.output.err.write('note: there is no web page yet; the schedule runs without one\n')
    }
    const pools = makePools(found.settings.schedule)
    await opened.share?.((signal) => pools.interactive.enter(signal))
    const job = { opened, found, options, rules, rulePaths, once, signal: context.signal, pools }
    return await runSchedule(context, job)
  } finally {
    await opened.close()
  }
}

export const serve: CommandRecord = {
  name: 'serve',
  says: 'run rules on their schedules over a store, and tell what they find',
  options: [
    ...RULE_OPTIONS,
    STORE_OPTION,
    SETTINGS_OPTION,
    SINCE_OPTION,
    { flags: '--once', says: 'run all that is due, then end: for cron, and for trying things out' },
    { flags: '--no-web', says: 'no web page (there is none yet)' },
  ],
  prints:
    'Nothing on stdout: findings are kept in the store (`harrier findings`) and sent to the channels of the settings. How the schedule ' +
    'stands is told on stderr, once a minute where that is no terminal. A rule that is new to the store begins now, or at `--since`; ' +
    'others go on where they stopped, and windows that were missed are run first. Rules are read again when their files change. ' +
    'Ctrl-C ends it; a window that is being run then is run again at the next start. With `--once` the exit code is 4 when a run has failed.',
  examples: [
    'harrier serve --no-web --store /var/lib/harrier --rules rules/',
    'harrier serve --once --since -24h --rules rules/',
  ],
  act,
}

/** `harrier watch`: logs into a store as they are written, and rules on their schedules over them. */
import { setTimeout as wait } from 'node:timers/promises'
import { makePools } from '../../detect/schedule/pools.ts'
import type { CommandRecord, OptionValues } from '../command.ts'
import { type Context, openNamedStore } from '../context.ts'
import { checkIntake, INTAKE_OPTIONS, STORE_OPTION } from '../intaking.ts'
import { RULE_OPTIONS } from '../rulesets.ts'
import { rulesOfStore, runSchedule, SINCE_OPTION, scheduledPaths, sinceOf } from '../scheduling.ts'
import { SETTINGS_OPTION, settingsFor, storeOf } from '../settings.ts'
import { line } from '../text.ts'
import { EXIT, TakenError, UsageError } from '../usage.ts'
import { checkFollowed, followLogs } from '../watching.ts'

/** How often a schedule that another process runs is tried for. */
const TAKEN_MS = 5_000

async function act(
  context: Context,
  args: readonly string[],
  options: OptionValues,
): Promise<number> {
  if (args.length === 0) {
    throw new UsageError('name the folders or files to watch', '`harrier watch /var/log`')
  }
  if (args.includes('-')) {
    throw new UsageError(
      'standard input cannot be watched',
      'read it with `harrier ingest -`, and run `harrier serve` beside it',
    )
  }
  checkIntake(context, options)
  const found = settingsFor(context, options)
  sinceOf(context, options)
  const once = options.flag('once')
  const isIntakeOnly = options.values.rules === false
  const ruleOptions = isIntakeOnly ? undefined : scheduledPaths(found, options)
  const opened = await openNamedStore(context, storeOf(found, options), false)
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  try {
    checkFollowed(args, opened.where)
    const pools = makePools(found.settings.schedule)
    await opened.share?.((given) => pools.interactive.enter(given))
    const { output } = context
    const texts = { intake: '', schedule: '' }
    const show = (part: keyof typeof texts, text: string | undefined): void => {
      texts[part] = text ?? ''
      output.status([texts.intake, texts.schedule].filter((each) => each !== '').join('  |  '))
    }
    const intake = {
      paths: args,
      opened,
      options,
      once,
      signal,
      status: (text: string) => show('intake', text),
    }
    const schedule = async (): Promise<number> => {
      if (ruleOptions === undefined) return EXIT.done
      const rules = await rulesOfStore(context, options, ruleOptions, opened)
      const shown = { ...output, status: (text: string | undefined) => show('schedule', text) }
      const job = { opened, found, options, rules, rulePaths: ruleOptions, once, signal, pools }
      const given = { ...context, output: shown }
      let isTold = false
      for (;;) {
        try {
          return await runSchedule(given, job)
        } catch (error) {
          // Intake goes on. Of a process that was killed the schedule is free within a minute.
          if (once || !(error instanceof TakenError)) throw error
          if (!isTold && !output.quiet)
            output.err.write(line`note: ${error.message}; waiting for it\n`)
          isTold = true
          await wait(TAKEN_MS, undefined, { signal }).catch(() => undefined)
          if (signal.aborted) return EXIT.done
        }
      }
    }
    if (once) {
      await followLogs(context, intake)
      return context.signal.aborted ? EXIT.interrupted : await schedule()
    }
    // Whichever fails ends the other; both end before the store is closed.
    const ended = await Promise.allSettled(
      [followLogs(context, intake), schedule()].map((each) =>
        each.catch((error: unknown) => {
          stop.abort()
          throw error
        }),
      ),
    )
    output.status(undefined)
    for (const each of ended) if (each.status === 'rejected') throw each.reason
    return EXIT.done
  } finally {
    stop.abort()
    await opened.close()
  }
}

const WATCHED = new Set(['--format <name>', '--source <name>', '--table <name>'])

export const watch: CommandRecord = {
  name: 'watch',
  says: 'read logs into a store as they are written, and run rules on their schedules over them',
  args: '<logs...>',
  options: [
    STORE_OPTION,
    ...INTAKE_OPTIONS.filter(({ flags }) => WATCHED.has(flags)),
    ...RULE_OPTIONS,
    { flags: '--no-rules', says: 'only read logs; run no rules' },
    SETTINGS_OPTION,
    SINCE_OPTION,
    {
      flags: '--once',
      says: 'read all that is there, run all that is due, then end: for cron, and for trying things out',
    },
  ],
  prints:
    'Nothing on stdout. Files that grow are read on, also when they are renamed, cut or packed by rotation; a last line without a line ' +
    'break is taken once the file has been quiet for five seconds. EVTX, XML and archives are read when they have been quiet for two. After a ' +
    'restart reading goes on where it was. How things stand is told on stderr, once a minute where that is no terminal; what cannot be read is ' +
    'told once. While it runs, other commands may use the same store. Ctrl-C ends it.',
  examples: [
    'harrier watch /var/log --store /var/lib/harrier --rules rules/',
    'harrier watch logs/ --no-rules --store case42',
    'harrier watch logs/ --once',
  ],
  act,
}

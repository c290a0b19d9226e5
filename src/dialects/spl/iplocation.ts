/** `iplocation`: where addresses are. No database of places comes with the product, so that the fields stay missing. */
import { diagnose } from '../../core/diagnostic.ts'
import type { Expr } from '../../ir/expr.ts'
import { type CommandRecord, command } from './command.ts'
import { idle, Options } from './options.ts'
import { derived } from './rows.ts'

const OPTIONS = {
  prefix: 'text',
  allfields: 'flag',
  lang: idle('text', 'there is no database of places'),
} as const
const FIELDS = ['City', 'Country', 'Region', 'lat', 'lon']
const MORE = ['Continent', 'MetroCode', 'Timezone']

interface LocationNode {
  readonly field: string
  readonly options: Options
}

const iplocation = command<LocationNode>({
  name: 'iplocation',
  says: 'Adds where an address is. There is no database of places: the fields are missing, and the search says so.',
  kind: 'streaming',
  options: OPTIONS,
  read: (reader) => {
    const options = new Options(OPTIONS)
    options.takeAll(reader)
    const { name } = reader.name('the name of a field with addresses')
    options.takeAll(reader)
    return { field: name, options }
  },
  lower: ({ options }, rows, context, span) => {
    const prefix = options.text('prefix') ?? ''
    const names = [...FIELDS, ...(options.flag('allfields', false) ? MORE : [])]
    context.notice(
      diagnose('HR522', { names: names.map((each) => prefix + each).join(', ') }, span),
    )
    const missing: Expr = { op: 'const', value: null, type: 'text' }
    return derived(
      rows,
      names.map((each) => ({ name: prefix + each, value: missing })),
    )
  },
})

export const locationCommands: readonly CommandRecord[] = [iplocation]

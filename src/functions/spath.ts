/**
 * Values at a path of JSON or XML as Splunk's `spath` has it: places count from 1, `{}` means all elements, and
 * `{@name}` an attribute of XML. Elements of XML that repeat are several values.
 * https://help.splunk.com/en/splunk-enterprise/search/spl-search-reference/9.4/search-commands/spath
 */
import { ELEMENT, evalFunction, LIST, NO_LIST, text, textOf } from './evalvalue.ts'
import { named, VARIABLES } from './once.ts'
import { arg, constText, type FunctionRecord } from './record.ts'
import { literal, type Sql, sql } from './sql.ts'
import { parseXml } from './xml.ts'

type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'attribute'; readonly name: string }
  | { readonly kind: 'all' }

const MOST_STEPS = 32

/** The steps of a path; undefined for a text that is none. */
function stepsOf(path: string): readonly Step[] | undefined {
  const steps: Step[] = []
  const token = /(\.?)([^.{}]+)|\{(?:(\d{0,6})|@([^{}]+))\}/y
  let at = 0
  while (at < path.length) {
    token.lastIndex = at
    const found = token.exec(path)
    if (found === null || steps.length >= MOST_STEPS) return undefined
    const [all, dot, key, place, attribute] = found
    if (key !== undefined) {
      if ((dot === '') !== (at === 0)) return undefined
      steps.push({ kind: 'key', key })
    } else if (attribute !== undefined) steps.push({ kind: 'attribute', name: attribute })
    else if (place === '' || place === undefined) steps.push({ kind: 'all' })
    else if (Number(place) === 0) return undefined
    else steps.push({ kind: 'place', place: Number(place) })
    at += all.length
  }
  return steps.length === 0 ? undefined : steps
}

const each = (of: (element: Sql) => Sql, raws: Sql): Sql =>
  sql`arrayFilter(${ELEMENT} -> ${ELEMENT} != '', arrayMap(${ELEMENT} -> ${of(ELEMENT)}, ${raws}))`
const flat = (of: (element: Sql) => Sql, raws: Sql): Sql =>
  sql`arrayFlatten(arrayMap(${ELEMENT} -> ${of(ELEMENT)}, ${raws}))`

/** Raw JSON values at a step below each of the others. */
function jsonStep(raws: Sql, step: Step): Sql {
  switch (step.kind) {
    case 'key':
      return each((e) => sql`JSONExtractRaw(${e}, ${literal(step.key)})`, raws)
    case 'place':
      return each(
        (e) => sql`if(startsWith(${e}, '['), JSONExtractRaw(${e}, ${literal(step.place)}), '')`,
        raws,
      )
    case 'all':
      return flat((e) => sql`JSONExtractArrayRaw(${e})`, raws)
    case 'attribute':
      return NO_LIST
  }
}

/** The same of XML that was made JSON: repeated elements are an array there. */
function xmlStep(raws: Sql, step: Step): Sql {
  switch (step.kind) {
    case 'key': {
      const below = each((e) => sql`JSONExtractRaw(${e}, ${literal(step.key)})`, raws)
      return flat((e) => sql`if(startsWith(${e}, '['), JSONExtractArrayRaw(${e}), [${e}])`, below)
    }
    case 'place':
      return sql`arraySlice(${raws}, ${literal(step.place)}, 1)`
    case 'all':
      return raws
    case 'attribute':
      return each((e) => sql`JSONExtractRaw(${e}, ${literal(`@${step.name}`)})`, raws)
  }
}

/** Raw values as texts; of an element of XML its own text. */
function texts(raws: Sql, isXml: boolean): Sql {
  const own = isXml
    ? each((e) => sql`if(startsWith(${e}, '{'), JSONExtractRaw(${e}, '#text'), ${e})`, raws)
    : raws
  const there = sql`arrayFilter(${ELEMENT} -> ${ELEMENT} != 'null', ${own})`
  return sql`arrayMap(${ELEMENT} -> if(startsWith(${ELEMENT}, '"'), JSONExtractString(${ELEMENT}), ${ELEMENT}), ${there})`
}

function valuesAt(value: Sql, steps: readonly Step[]): Sql {
  return named(sql`ifNull(${value}, '')`, VARIABLES.g, (v) => {
    const json = texts(steps.reduce(jsonStep, sql`[JSONExtractRaw(${v})]`), false)
    const isXml = sql`startsWith(trimLeft(${v}), '<')`
    // Only what is XML is read as such.
    const xml = parseXml(sql`if(${isXml}, ${v}, '')`)
    const elements = texts(steps.reduce(xmlStep, sql`[ifNull(${xml}, '')]`), true)
    return steps.some((step) => step.kind === 'attribute')
      ? sql`if(${isXml}, ${elements}, ${NO_LIST})`
      : sql`if(${isXml}, ${elements}, ${json})`
  })
}

export const spathFunctions: readonly FunctionRecord[] = [
  evalFunction('mv.spath', ['spath'], {
    says: 'The values at a path of JSON or XML.',
    takes: [
      text('text'),
      text('path', {
        constant: true,
        wrong: (value) =>
          typeof value !== 'string' || stepsOf(value) === undefined
            ? 'it must be a path such as a.b{}.c'
            : undefined,
      }),
    ],
    gives: LIST,
    sql: (args) => valuesAt(textOf(arg(args, 0)), stepsOf(constText(args, 1)) ?? []),
    examples: [
      { args: ['{"a":{"b":1},"l":[{"x":1},{"x":"y"}]}', 'a.b'], gives: ['1'] },
      { args: ['{"l":[{"x":1},{"x":"y"},{}]}', 'l{}.x'], gives: ['1', 'y'] },
      { args: ['{"l":[{"x":1},{"x":"y"}]}', 'l{1}.x'], gives: ['1'] },
      { args: ['[{"x":1},{"x":2}]', '{}.x'], gives: ['1', '2'] },
      { args: ['{"a":null,"b":{"c": 1}}', 'b'], gives: ['{"c":1}'] },
      { args: ['{"a":null}', 'a'], gives: [] },
      { args: ['<e><a n="1">x</a><a n="2">y</a></e>', 'e.a'], gives: ['x', 'y'] },
      { args: ['<e><a n="1">x</a><a n="2">y</a></e>', 'e.a{2}{@n}'], gives: ['2'] },
      { args: ['<e><a><b>x</b></a></e>', 'e.a.b'], gives: ['x'] },
      { args: ['plain', 'a'], gives: [] },
      { args: [null, 'a'], gives: [] },
    ],
  }),
]

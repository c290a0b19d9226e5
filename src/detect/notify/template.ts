/**
 * Templates of messages: `{{rule_title}}`, `{{event.CommandLine}}` and `$CommandLine$`. A template is split once, when the
 * settings are read; what a value holds is never looked at again, so that no value can be a template.
 */
import type { KeptFinding } from '../keeping/kept.ts'
import { valueText } from './words.ts'

export type TemplatePart = { readonly text: string } | { readonly name: string }

const NAME = /^[A-Za-z0-9_@.][A-Za-z0-9_@. -]{0,127}$/
/** No hole is longer; what follows is not looked at. */
const LONGEST = 160

/** Splits a template into its texts and holes; what is no hole stays text. */
export function readTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let text = ''
  const hole = (at: number, mark: string, end: string): string | undefined => {
    if (!template.startsWith(mark, at)) return undefined
    const near = template.slice(at + mark.length, at + LONGEST)
    const close = near.indexOf(end)
    const name = close < 0 ? '' : near.slice(0, close)
    return NAME.test(name.trim()) ? `${mark}${name}${end}` : undefined
  }
  for (let at = 0; at < template.length; ) {
    const found = hole(at, '{{', '}}') ?? hole(at, '$', '$')
    if (found === undefined) {
      text += template.charAt(at++)
      continue
    }
    if (text !== '') parts.push({ text })
    text = ''
    const isBraces = found.startsWith('{{')
    const name = isBraces ? found.slice(2, -2).trim() : found.slice(1, -1)
    parts.push({ name: isBraces || name.startsWith('event.') ? name : `$${name}` })
    at += found.length
  }
  return text === '' ? parts : [...parts, { text }]
}

function own(object: unknown, name: string): unknown {
  return object !== null && typeof object === 'object' && Object.hasOwn(object, name)
    ? Reflect.get(object, name)
    : undefined
}

/** Keys of a finding that are values, and what stands for those that are not. */
function keyOf(finding: KeptFinding, name: string): unknown {
  const value = own(finding, name)
  if (Array.isArray(value))
    return value.every((each) => typeof each === 'string') ? value : undefined
  return typeof value === 'object' ? undefined : value
}

/** The value that a hole names: `$name$` is a field first, as in searches; `{{name}}` a key of the finding first. */
function namedValue(finding: KeptFinding, name: string): unknown {
  if (name.startsWith('event.')) return own(finding.event, name.slice(6))
  const isField = name.startsWith('$')
  const bare = isField ? name.slice(1) : name
  const field = own(finding.event, bare) ?? own(finding.details, bare) ?? own(finding.context, bare)
  const key = keyOf(finding, bare)
  return isField ? (field ?? key) : (key ?? field)
}

/** Fills a template in one pass. `safe` makes a value safe for where the text goes; an absent one is `-`. */
export function fillTemplate(
  parts: readonly TemplatePart[],
  finding: KeptFinding,
  safe: (value: string) => string,
): string {
  return parts
    .map((part) =>
      'text' in part ? part.text : safe(valueText(namedValue(finding, part.name)) || '-'),
    )
    .join('')
}

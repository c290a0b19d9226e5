/**
 * Tactics and techniques of MITRE ATT&CK by their ids, and what the tags of a rule say of them. The facts stand in
 * content/attack/enterprise.txt; the text comes in.
 */

export interface Tactic {
  readonly id: string
  /** As tags write it: `credential-access`. */
  readonly short: string
  readonly name: string
}

export interface Technique {
  readonly id: string
  readonly name: string
  /** Short names of its tactics. */
  readonly tactics: readonly string[]
}

export interface Attack {
  /** By short name. */
  readonly tactics: ReadonlyMap<string, Tactic>
  readonly techniques: ReadonlyMap<string, Technique>
  /** Revoked ids with the id that stands in; deprecated ones with none. */
  readonly gone: ReadonlyMap<string, string | undefined>
}

const TACTIC = /^(TA\d{4}) ([a-z-]+) (.+)$/
const TECHNIQUE = /^(T\d{4}(?:\.\d{3})?) ([a-z,-]+) (.+)$/
const GONE = /^(T\d{4}(?:\.\d{3})?) (?:> (T\d{4}(?:\.\d{3})?)|-)$/

/** Reads the table; a line that is none of its forms is an error of the installation. */
export function readAttack(text: string): Attack {
  const tactics = new Map<string, Tactic>()
  const techniques = new Map<string, Technique>()
  const gone = new Map<string, string | undefined>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, tacticId, short = '', name = ''] = TACTIC.exec(line) ?? []
    const [, left, instead] = GONE.exec(line) ?? []
    const [, id, list = '', called = ''] = TECHNIQUE.exec(line) ?? []
    if (tacticId !== undefined) tactics.set(short, { id: tacticId, short, name })
    else if (left !== undefined) gone.set(left, instead)
    else if (id !== undefined) techniques.set(id, { id, name: called, tactics: list.split(',') })
    else throw new Error(`the table of ATT&CK has a line that cannot be read: ${line.slice(0, 60)}`)
  }
  return { tactics, techniques, gone }
}

/** What the tags of a rule name, each once and with its names. */
export interface Tagged {
  readonly tactics: readonly Tactic[]
  readonly techniques: readonly Technique[]
}

const TAG = /^(?:attack\.)?(t\d{4}(?:\.\d{3})?|[a-z][a-z_-]+|ta\d{4})$/i

/**
 * The tactics and techniques that tags name (`attack.t1059.001`, `attack.credential_access`, `attack.ta0006`). The tactics
 * of a technique belong to it where the tags name none themselves. An id that the table lacks stays, without a name.
 */
export function taggedBy(tags: readonly string[], attack: Attack): Tagged {
  const tactics = new Map<string, Tactic>()
  const techniques = new Map<string, Technique>()
  const addTactic = (short: string): void => {
    const found = attack.tactics.get(short)
    if (found !== undefined) tactics.set(short, found)
  }
  const byId = new Map([...attack.tactics.values()].map((each) => [each.id, each.short]))
  for (const tag of tags) {
    const word = TAG.exec(tag)?.[1]
    if (word === undefined) continue
    const id = word.toUpperCase()
    if (/^T\d/.test(id)) {
      const now = attack.gone.get(id) ?? id
      techniques.set(now, attack.techniques.get(now) ?? { id: now, name: '', tactics: [] })
    } else addTactic(byId.get(id) ?? word.toLowerCase().replaceAll('_', '-'))
  }
  if (tactics.size === 0) {
    for (const each of techniques.values()) for (const short of each.tactics) addTactic(short)
  }
  return { tactics: [...tactics.values()], techniques: [...techniques.values()] }
}

/** Macros, comments, commands and both expression grammars of Splunk's search language. */
import { describe, expect, it } from 'vitest'
import type { EvalExpr, SearchExpr } from '../../src/dialects/spl/ast.ts'
import { readEval } from '../../src/dialects/spl/evaluation.ts'
import { expand } from '../../src/dialects/spl/expand.ts'
import { Reader } from '../../src/dialects/spl/reader.ts'
import { Refusal } from '../../src/dialects/spl/refusal.ts'
import { readTerms } from '../../src/dialects/spl/searchterms.ts'
import { splitSearch } from '../../src/dialects/spl/split.ts'
import type { Macro } from '../../src/dialects/spl/world.ts'

const MACROS: readonly Macro[] = [
  { name: 'src', args: [], definition: 'sourcetype="a b"' },
  { name: 'ctime', args: ['field'], definition: 'convert timeformat="%Y $field$" ctime($field$)' },
  { name: 'pair', args: ['x', 'y'], definition: '$x$=1 OR $y$=2' },
  { name: 'outer', args: ['f'], definition: '`ctime($f$)` | head' },
  { name: 'loop', args: [], definition: '`loop`' },
  { name: 'picked', args: ['n'], definition: 'if($n$ > 1, "many=" . $n$, "one=1")', isEval: true },
]

const world = {
  macro: (name: string, args: number) =>
    MACROS.find((each) => each.name === name && each.args.length === args),
  macroNames: () => MACROS.map(({ name }) => name),
}

const expanded = (text: string): string => expand(text, world).text

function codeOf(make: () => unknown): string {
  try {
    make()
    return 'nothing'
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return error.diagnostic.code
  }
}

function shown(expr: SearchExpr | undefined): string {
  switch (expr?.kind) {
    case undefined:
      return '()'
    case 'and':
    case 'or':
      return `(${expr.items.map(shown).join(` ${expr.kind} `)})`
    case 'not':
      return `not ${shown(expr.of)}`
    case 'compare':
      return `${expr.field}${expr.op}<${expr.value.text}>`
    case 'in':
      return `${expr.field} in <${expr.values.map(({ text }) => text).join('|')}>`
    case 'term':
      return `${expr.as ?? ''}<${expr.value.text}>`
    case 'subsearch':
      return `[${expr.search.commands.map(({ name }) => name).join(' ')}]`
  }
}

const terms = (text: string, stops: readonly string[] = []) => {
  const reader = new Reader(text, { start: 0, end: text.length }, 'search')
  return { ...readTerms(reader, stops), rest: text.slice(reader.at).trim() }
}

function printed(expr: EvalExpr): string {
  switch (expr.kind) {
    case 'number':
      return expr.text
    case 'string':
      return JSON.stringify(expr.value)
    case 'field':
      return expr.name
    case 'call':
      return `${expr.name}(${expr.args.map(printed).join(',')})`
    case 'unary':
      return `(${expr.op} ${printed(expr.of)})`
    case 'binary':
      return `(${printed(expr.left)} ${expr.op} ${printed(expr.right)})`
    case 'in':
      return `(${printed(expr.of)} in ${expr.list.map(printed).join(',')})`
  }
}

function evaluated(text: string): string {
  const reader = new Reader(text, { start: 0, end: text.length }, 'eval')
  const made = printed(readEval(reader))
  return reader.isDone ? made : `${made} then ${text.slice(reader.at)}`
}

describe('macros and comments', () => {
  it('write macros out, arguments in quotes too', () => {
    expect(expanded('`src` x')).toBe('sourcetype="a b" x')
    expect(expanded('`ctime(t)`')).toBe('convert timeformat="%Y t" ctime(t)')
    expect(expanded('`outer(t)`')).toBe('convert timeformat="%Y t" ctime(t) | head')
  })
  it('choose a macro by the number of its arguments, split outside of quotes and parentheses', () => {
    expect(expanded('`pair("a,b", f(c,d))`')).toBe('a,b=1 OR f(c,d)=2')
    expect(codeOf(() => expand('`pair(a)`', world))).toBe('HR501')
  })
  it('evaluate definitions that are expressions', () => {
    expect(expanded('`picked(3)` `picked(1)`')).toBe('many=3 one=1')
  })
  it('take comments out, whatever stands in them', () => {
    expect(expanded('a ``` b | "c [ `d` ``` e')).toBe('a   e')
    expect(expanded('a "``` x ```" b')).toBe('a "``` x ```" b')
    expect(expanded('a=\\"b `src`')).toBe('a=\\"b sourcetype="a b"')
  })
  it('leave macros in quotes alone', () => {
    expect(expanded('eval b="x`nope`y"')).toBe('eval b="x`nope`y"')
  })
  it('refuse what never ends and what is not closed', () => {
    expect(codeOf(() => expand('`loop`', world))).toBe('HR502')
    expect(codeOf(() => expand('a `src', world))).toBe('HR500')
    expect(codeOf(() => expand('a "b', world))).toBe('HR500')
    expect(codeOf(() => expand('a ``` b', world))).toBe('HR500')
  })
  it('know where each character comes from', () => {
    const text = 'x `src` y=1'
    const made = expand(text, world)
    const at = made.text.indexOf('y=1')
    expect(made.origin({ start: at, end: at + 3 })).toEqual({ start: 8, end: 11 })
    const inner = made.text.indexOf('"a b"')
    expect(made.origin({ start: inner, end: inner + 5 })).toEqual({ start: 2, end: 7 })
  })
})

describe('commands', () => {
  const names = (text: string, isInner = false) =>
    splitSearch(text, { start: 0, end: text.length }, isInner).map(({ name }) => name)
  it('are split at pipes outside of quotes and brackets', () => {
    expect(names('a="x|y" | JOIN k [search b | head] | stats count')).toEqual([
      'search',
      'join',
      'stats',
    ])
    expect(names('| tstats count')).toEqual(['tstats'])
    expect(names('search x | head')).toEqual(['search', 'head'])
    expect(names('where x=1 | head', true)).toEqual(['where', 'head'])
  })
  it('refuse empty ones, lone brackets and a missing pipe', () => {
    for (const text of ['a | | b', 'a |', 'a ] b', 'a [ b', '']) {
      expect(
        codeOf(() => names(text)),
        text,
      ).toBe('HR500')
    }
    expect(codeOf(() => names('tstats count from datamodel=Web'))).toBe('HR516')
  })
})

describe('search conditions', () => {
  it('bind OR before AND', () => {
    expect(shown(terms('a=1 b=1 OR c=1').where)).toBe('(a=<1> and (b=<1> or c=<1>))')
    expect(shown(terms('NOT a=1 AND (b=1 c=2) OR d=3').where)).toBe(
      '(not a=<1> and ((b=<1> and c=<2>) or d=<3>))',
    )
  })
  it('take lower-case words as terms', () => {
    expect(shown(terms('x and y').where)).toBe('(<x> and <and> and <y>)')
  })
  it('read values', () => {
    expect(shown(terms(String.raw`p="C:\\Windows\*" q = "a\"b" r=C:\x\y s!=* t>=5`).where)).toBe(
      String.raw`(p=<C:\Windows\*> and q=<a"b> and r=<C:\x\y> and s!=<*> and t>=<5>)`,
    )
    expect(shown(terms('"my field"=x a{}.b=y host::z').where)).toBe(
      '(my field=<x> and a{}.b=<y> and host=<z>)',
    )
  })
  it('read lists and glued pieces, with a warning', () => {
    const made = terms('q IN ("*pastebin*",""*textbin*"", b c) d in (1)')
    expect(shown(made.where)).toBe('(q in <*pastebin*|*textbin*|b|c> and d in <1>)')
    expect(made.diagnostics.map(({ code }) => code)).toEqual(['HR513'])
  })
  it('keep signs in words', () => {
    expect(shown(terms('a=*Get()* (b=c())').where)).toBe('(a=<*Get()*> and b=<c()>)')
    expect(shown(terms('a="x"b.c="y"').where)).toBe('(a=<x> and b.c=<y>)')
    expect(shown(terms('a=*\\"p\\":true* b=1').where)).toBe('(a=<*"p":true*> and b=<1>)')
  })
  it('read terms, TERM and CASE', () => {
    expect(shown(terms('"net user" TERM(10.1.2.3) CASE(Error) -enc*').where)).toBe(
      '(<net user> and TERM<10.1.2.3> and CASE<Error> and <-enc*>)',
    )
  })
  it('take modifiers of time out', () => {
    const made = terms('earliest=-24h@h a=1 latest="now"')
    expect(shown(made.where)).toBe('a=<1>')
    expect(made.times.map(({ name, value }) => [name, value])).toEqual([
      ['earliest', '-24h@h'],
      ['latest', 'now'],
    ])
  })
  it('end at words that stop them', () => {
    const made = terms('P.a=1 by P.b span=1h', ['by'])
    expect(shown(made.where)).toBe('P.a=<1>')
    expect(made.rest).toBe('by P.b span=1h')
    expect(shown(terms('by=1', ['by']).where)).toBe('by=<1>')
  })
  it('read subsearches', () => {
    expect(shown(terms('a=1 [search b | fields c]').where)).toBe('(a=<1> and [search fields])')
  })
  it('refuse what is incomplete', () => {
    for (const text of ['a=', 'a OR', 'NOT', '(a', 'a IN ()', 'AND a', '()', 'a=(b)']) {
      expect(
        codeOf(() => terms(text)),
        text,
      ).toBe('HR500')
    }
  })
  it('refuse nesting without end', () => {
    expect(codeOf(() => terms(`${'('.repeat(5_000)}a${')'.repeat(5_000)}`))).toBe('HR517')
    expect(codeOf(() => terms(`${'NOT '.repeat(5_000)}a`))).toBe('HR517')
  })
})

describe('expressions', () => {
  it('bind as the language has it', () => {
    expect(evaluated('a=0 AND b=1 OR c=1')).toBe('(((a = 0) and (b = 1)) or (c = 1))')
    expect(evaluated('a+b*2 . "x"')).toBe('((a + (b * 2)) . "x")')
    expect(evaluated('not a==1 xor b like "x%"')).toBe('((not (a = 1)) xor (b like "x%"))')
    expect(evaluated('-a - -1')).toBe('((- a) - (- 1))')
  })
  it('tell points of numbers from those that join', () => {
    expect(evaluated('m."1"')).toBe('(m . "1")')
    expect(evaluated('floor(1.9).":".ceiling(.5)')).toBe('((floor(1.9) . ":") . ceiling(.5))')
    expect(evaluated('a.b')).toBe('(a . b)')
    expect(evaluated('a=1 AND .5 > b')).toBe('((a = 1) and (.5 > b))')
  })
  it('read names, texts and lists', () => {
    expect(evaluated(`'a{}.b'="x\\\\y\\d\\"z"`)).toBe(String.raw`(a{}.b = "x\\y\\d\"z")`)
    expect(evaluated('c IN ("1", 2)')).toBe('(c in "1",2)')
    expect(evaluated('c NOT IN (1)')).toBe('(not (c in 1))')
    expect(evaluated('if(isnull(x), 1, null())')).toBe('if(isnull(x),1,null())')
  })
  it('read names in doubled quotes', () => {
    expect(evaluated("if(a=1, \"x\", ''a.b'')")).toBe('if((a = 1),"x",a.b)')
  })
  it('stop where an expression ends', () => {
    expect(evaluated('a+1, b=2')).toBe('(a + 1) then , b=2')
  })
  it('refuse what is no expression', () => {
    for (const text of ['', 'a +', '(a', 'f(a', '5xx=1', "'a", 'a = = b', '#']) {
      expect(
        codeOf(() => evaluated(text)),
        text,
      ).toBe('HR500')
    }
    expect(codeOf(() => evaluated('('.repeat(50_000)))).toBe('HR517')
  })
})

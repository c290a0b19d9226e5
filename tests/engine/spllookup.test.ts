/** Lookups in searches, from the text of both to the engine's rows. */
import { describe, expect, it } from 'vitest'
import { type LookupDefinition, PLAIN_LOOKUP } from '../../src/dialects/spl/lookupdef.ts'
import type { LookupOptions } from '../../src/dialects/spl/world.ts'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

function lookup(
  name: string,
  csv: string | undefined,
  options: Partial<LookupOptions> = {},
  more: Partial<LookupDefinition> = {},
): LookupDefinition {
  return {
    name,
    kind: 'csv',
    description: '',
    options: { ...PLAIN_LOOKUP, ...options },
    fields: [],
    source: `${name}.csv`,
    ...(csv === undefined ? {} : { csv }),
    others: new Map(),
    file: '',
    ...more,
  }
}

const wild = (...columns: readonly string[]): Partial<LookupOptions> => ({
  match: new Map(columns.map((each) => [each, 'wildcard'])),
})

const PAIRS = lookup('pairs', 'k,o,p\na,1,x\nA,2,\na,3,y\n', {})
const ONE = lookup('one', 'k,o\na,1\na,2\n', { maxMatches: 1 })

describe('exact lookups', () => {
  it('give all matches in the order of the file, with case', async () => {
    const rows = await desk.found(
      [{ k: 'a' }, { k: 'A' }, { k: 'b' }, { x: '1' }],
      'lookup pairs k OUTPUT o p',
      {
        lookups: [PAIRS],
      },
    )
    expect(rows).toEqual([
      { k: 'a', o: ['1', '3'], p: ['x', 'y'] },
      { k: 'A', o: ['2'] },
      { k: 'b' },
      { x: '1' },
    ])
  })

  it('give one value where there is at most one match', async () => {
    const rows = await desk.found([{ k: 'a' }], 'lookup one k | eval t=o+1', { lookups: [ONE] })
    expect(rows).toEqual([{ k: 'a', o: '1', t: '2' }])
  })

  it('overwrite with OUTPUT, and fill with OUTPUTNEW', async () => {
    const rows = [{ k: 'a', o: 'old' }, { k: 'b', o: 'old' }, { k: 'a' }]
    const around = { lookups: [ONE] }
    expect(await desk.found(rows, 'lookup one k OUTPUT o', around)).toEqual([
      { k: 'a', o: '1' },
      { k: 'b' },
      { k: 'a', o: '1' },
    ])
    expect(await desk.found(rows, 'lookup one k OUTPUTNEW o', around)).toEqual([
      { k: 'a', o: 'old' },
      { k: 'b', o: 'old' },
      { k: 'a', o: '1' },
    ])
  })

  it('name fields by AS on both sides, and take commas and old spellings', async () => {
    const rows = await desk.found(
      [{ user: 'a' }],
      'lookup local=true update=f pairs k AS user output o as first, p AS second',
      {
        lookups: [PAIRS],
      },
    )
    expect(rows).toEqual([{ user: 'a', first: ['1', '3'], second: ['x', 'y'] }])
  })

  it('match several keys together', async () => {
    const table = lookup('two', 'a,b,o\n1,x,one\n1,y,two\n')
    const rows = await desk.found([{ a: '1', b: 'y' }, { a: '1' }], 'lookup two a, b OUTPUT o', {
      lookups: [table],
    })
    expect(rows).toEqual([{ a: '1', b: 'y', o: ['two'] }, { a: '1' }])
  })

  it('match each value of a field with several', async () => {
    const rows = await desk.found(
      [{ k: ['A', 'b', 'a'] }, { k: ['z'] }],
      'lookup pairs k OUTPUT o',
      {
        lookups: [PAIRS],
      },
    )
    expect(rows).toEqual([{ k: ['A', 'b', 'a'], o: ['1', '2', '3'] }, { k: ['z'] }])
  })

  it('match numbers as they are printed, after stats too', async () => {
    const table = lookup('codes', 'n,name\n2,two\n')
    const rows = await desk.found(
      [{ a: 'x' }, { a: 'x' }],
      'stats count by a | lookup codes n as count OUTPUT name',
      {
        lookups: [table],
      },
    )
    expect(rows).toEqual([{ a: 'x', count: '2', name: ['two'] }])
  })

  it('give a missing text for what stands for no match when nothing is written', async () => {
    const miss = lookup('miss', 'k,o\na,1\n', { minMatches: 1 })
    const told = lookup('told', 'k,o\na,1\n', { minMatches: 1, defaultMatch: 'false' })
    const around = { lookups: [miss, told] }
    const rows = [{ k: 'z' }, { x: '1' }]
    expect(await desk.found(rows, 'lookup miss k OUTPUT o | where isnotnull(o)', around)).toEqual(
      [],
    )
    // A row without the key is not looked up.
    expect(await desk.found(rows, 'lookup told k OUTPUT o', around)).toEqual([
      { k: 'z', o: ['false'] },
      { x: '1' },
    ])
  })
})

describe('lookups with patterns', () => {
  const table = lookup(
    'pat',
    [
      'p,o',
      'abc,exact',
      'pre*,prefix',
      '*fix,suffix',
      '*mid*,contains',
      '*a long mxddle piece*,long',
      'x*y*z,general',
      '*q*w*,pieces',
      '%_.txt,literal',
    ].join('\n'),
    { ...wild('p'), isCaseSensitive: false },
  )

  it('find every form of pattern, without case', async () => {
    const values = [
      'ABC',
      'Prefix',
      'amidst',
      'there is A Long MXddle Piece in it',
      'x1y2z',
      'xyzz',
      'aqbwc',
      'wq',
      '%_.txt',
      'aa.txt',
    ]
    const rows = await desk.found(
      values.map((v) => ({ v })),
      'lookup pat p as v OUTPUT o',
      { lookups: [table] },
    )
    expect(rows.map((each) => each.o)).toEqual([
      ['exact'],
      ['prefix', 'suffix'],
      ['contains'],
      ['long'],
      ['general'],
      ['general'],
      ['pieces'],
      undefined,
      ['literal'],
      undefined,
    ])
  })

  it('keep the order of the file and the most matches that are wanted', async () => {
    const many = lookup('many', 'p,o\n*,all\na*,a\n*b,b\nab,ab\n', { ...wild('p'), maxMatches: 3 })
    const rows = await desk.found([{ p: 'ab' }, { p: 'AB' }], 'lookup many p', { lookups: [many] })
    expect(rows).toEqual([
      { p: 'ab', o: ['all', 'a', 'b'] },
      { p: 'AB', o: ['all'] },
    ])
  })

  it('match two patterns of one row together', async () => {
    const both = lookup('both', 'f,d,o\n*.dll,*\\sys\\*,in\n*.dll,*\\tmp\\*,out\n', wild('f', 'd'))
    const rows = await desk.found([{ f: 'a.dll', d: 'c:\\tmp\\x' }], 'lookup both f d OUTPUT o', {
      lookups: [both],
    })
    expect(rows).toEqual([{ f: 'a.dll', d: 'c:\\tmp\\x', o: ['out'] }])
  })

  it('find patterns for the values of lists and for characters beyond ASCII', async () => {
    const table = lookup('intl', 'p,o\n*ÉCOLE*,school\n', { ...wild('p'), isCaseSensitive: false })
    const rows = await desk.found([{ p: ['x', 'une école'] }], 'lookup intl p OUTPUT o', {
      lookups: [table],
    })
    expect(rows).toEqual([{ p: ['x', 'une école'], o: ['school'] }])
  })

  it('end soon on patterns with very many stars', async () => {
    const hostile = lookup('hostile', `p,o\n${'*a'.repeat(5_000)}*b,found\n`, wild('p'))
    const started = Date.now()
    const rows = await desk.found(
      [{ p: 'a'.repeat(20_000) }],
      'lookup hostile p OUTPUT o | fields o',
      {
        lookups: [hostile],
      },
    )
    expect(rows).toEqual([{}])
    expect(Date.now() - started).toBeLessThan(8_000)
  })
})

describe('lookups of networks', () => {
  const nets = lookup(
    'nets',
    'net,o\n10.0.0.0/8,wide\n10.1.0.0/16,narrow\n10.1.2.3,host\n2001:db8::/32,six\nno net,bad\n',
    {
      match: new Map([['net', 'cidr']]),
    },
  )

  it('give the most special network', async () => {
    const rows = await desk.found(
      ['10.9.9.9', '10.1.9.9', '10.1.2.3', '2001:db8::5', '11.0.0.1', 'no net'].map((ip) => ({
        ip,
      })),
      'lookup nets net as ip OUTPUT o',
      { lookups: [nets] },
    )
    expect(rows.map((each) => each.o)).toEqual([
      ['wide'],
      ['narrow'],
      ['host'],
      ['six'],
      undefined,
      undefined,
    ])
  })
})

describe('chains of lookups', () => {
  it('do not grow the plan with each', async () => {
    const search = Array.from({ length: 8 }, () => 'lookup pat p as k OUTPUTNEW o').join(' | ')
    const table = lookup('pat', 'p,o\na*,1\n', wild('p'))
    const answer = await desk.answer([{ k: 'ab' }], search, { lookups: [table] })
    expect(JSON.stringify(answer.rel).length).toBeLessThan(200_000)
    expect(await desk.found([{ k: 'ab' }], search, { lookups: [table] })).toEqual([
      { k: 'ab', o: ['1'] },
    ])
  })
})

describe('inputlookup', () => {
  const around = { lookups: [PAIRS] }

  it('reads rows in order, some of them, and those that meet a condition', async () => {
    expect(await desk.found([], '| makeresults | fields x', around).catch(() => [])).toBeDefined()
    expect(
      await desk.found(
        [{ q: '1' }],
        'inputlookup append=t pairs where o>1 | table k o p q',
        around,
      ),
    ).toEqual([{ q: '1' }, { k: 'A', o: '2' }, { k: 'a', o: '3', p: 'y' }])
    expect(
      await desk.found(
        [{ q: '1' }],
        'where false() | inputlookup append=t start=1 max=1 pairs',
        around,
      ),
    ).toEqual([{ k: 'A', o: '2' }])
  })
})

describe('refusals', () => {
  const refusal = async (search: string, lookups: readonly LookupDefinition[]): Promise<string> => {
    const { diagnostics } = await desk.answer([{ k: 'a' }], search, { lookups })
    return diagnostics.find(({ severity }) => severity === 'error')?.code ?? 'none'
  }

  it('tell what is not there', async () => {
    expect(await refusal('lookup nothing k', [])).toBe('HR532')
    expect(await refusal('lookup pairs z', [PAIRS])).toBe('HR534')
    expect(await refusal('lookup pairs k OUTPUT z', [PAIRS])).toBe('HR534')
    expect(await refusal('lookup pairs', [PAIRS])).toBe('HR500')
    expect(await refusal('lookup event_time_field=x pairs k', [PAIRS])).toBe('HR505')
    expect(await refusal('outputlookup ../x', [])).toBe('HR536')
    expect(await refusal('outputlookup a/b.csv', [])).toBe('HR536')
  })

  it('tell what cannot be used', async () => {
    const model = lookup('m', undefined, {}, { kind: 'mlmodel' })
    const timed = lookup('t', 'k,o\n', {}, { others: new Map([['time_field', 'o']]) })
    const broken = lookup('b', 'k,k\n1,2\n')
    expect(await refusal('lookup m k', [model])).toBe('HR533')
    expect(await refusal('lookup t k', [timed])).toBe('HR533')
    expect(await refusal('lookup b k', [broken])).toBe('HR533')
    expect(await refusal('lookup dnslookup clienthost as k', [])).toBe('HR533')
  })

  it('tell that a lookup has no rows yet', async () => {
    const store = lookup('kv', undefined, {}, { kind: 'kvstore', fields: ['k', 'o'], source: 'kv' })
    const { diagnostics, rel } = await desk.answer([{ k: 'a' }], 'lookup kv k OUTPUT o', {
      lookups: [store],
    })
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR535'])
    expect(rel).toBeDefined()
    expect(await desk.found([{ k: 'a' }], 'lookup kv k OUTPUT o', { lookups: [store] })).toEqual([
      { k: 'a' },
    ])
  })
})

describe('known lookups', () => {
  it('compute the entropy of a word', async () => {
    const rows = await desk.found(
      [{ k: 'abcd' }],
      'lookup ut_shannon_lookup word as k | where ut_shannon=2',
    )
    expect(rows).toEqual([{ k: 'abcd', ut_shannon: '2' }])
  })

  it('know ports', async () => {
    const rows = await desk.found(
      [{ dest_port: '23' }],
      'lookup interesting_ports_lookup dest_port OUTPUT app is_prohibited',
    )
    expect(rows).toEqual([{ dest_port: '23', app: 'telnet', is_prohibited: 'true' }])
  })
})

describe('hostile texts', () => {
  it('stay what they are', async () => {
    const cells = ["it's", 'a"b', 'line\nbreak', 'back\\slash', 'nul\u0000', '{x}', '`tick`', '%s']
    const csv = ['k,__proto__', ...cells.map((each) => `"${each.replaceAll('"', '""')}",hit`)].join(
      '\n',
    )
    const rows = await desk.found(
      cells.map((k) => ({ k })),
      'lookup odd k OUTPUT __proto__ as o | table o',
      { lookups: [lookup('odd', csv)] },
    )
    expect(rows).toEqual(cells.map(() => ({ o: ['hit'] })))
  })
})

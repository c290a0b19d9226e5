/** Functions and operators of `eval` in whole searches: types that meet, several values, and what is missing. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const ROW = {
  n: '5',
  d: '2.5',
  code: '0404',
  e: '',
  u: 'Ünï',
  p: 'C:\\Windows\\a.exe',
  m: ['b', 'a', 'b'],
  one: ['x'],
  j: '{"a":{"b":[1,{"c":"x"}]},"n":2}',
}

/** The value of an expression over the row; undefined when it is missing. */
async function value(expression: string): Promise<unknown> {
  const [row] = await desk.found([ROW], `eval r=${expression} | table r`)
  return row?.r
}

/** The values of several expressions, in one search. */
async function values(expressions: readonly string[]): Promise<readonly unknown[]> {
  const set = expressions.map((each, at) => `r${at}=${each}`).join(', ')
  const [row] = await desk.found(
    [ROW],
    `eval ${set} | table ${expressions.map((_, at) => `r${at}`).join(' ')}`,
  )
  return expressions.map((_, at) => row?.[`r${at}`])
}

/** Tests that hold, do not hold, or are missing. */
async function tests(conditions: readonly string[]): Promise<readonly unknown[]> {
  return values(conditions.map((each) => `case(${each}, "yes", NOT (${each}), "no")`))
}

describe('eval', () => {
  it('calculates with numbers and with texts that are written as numbers', async () => {
    expect(
      await values([
        'n+1',
        'n+d',
        '"3"+n',
        'n*d',
        'n/0',
        'n%0',
        'n-zz',
        '-n',
        'n.d',
        '1 . 2',
        'u+n',
        '"a"+"b"',
        'u*2',
      ]),
    ).toEqual([
      '6',
      '7.5',
      '8',
      '12.5',
      undefined,
      undefined,
      undefined,
      '-5',
      '52.5',
      '12',
      'Ünï5',
      'ab',
      undefined,
    ])
  })

  it('compares numbers as numbers, texts in quotes as texts, and nothing with what is missing', async () => {
    expect(
      await tests([
        'n=5',
        'n="5"',
        'n=5.0',
        'code=404',
        'code="404"',
        'n<10',
        'd<n',
        'u>5',
        'zz=1',
        'zz!=1',
        'e=""',
        'e=0',
        'n=u',
      ]),
    ).toEqual([
      'yes',
      'yes',
      'yes',
      'yes',
      'no',
      'yes',
      'yes',
      'yes',
      undefined,
      undefined,
      'yes',
      'no',
      'no',
    ])
    expect(
      await tests([
        'n=5 AND zz=1',
        'n=4 AND zz=1',
        'n=5 OR zz=1',
        'NOT zz=1',
        'n=5 XOR n=4',
        'zz IN (1)',
        'n IN ("4", 5)',
      ]),
    ).toEqual([undefined, 'no', 'yes', undefined, 'yes', undefined, 'yes'])
  })

  it('finds a value among several, and gives nothing of several where one is wanted', async () => {
    expect(
      await tests(['m="a"', 'm="c"', 'm!="a"', 'one="x"', 'isnull(m)', 'isnotnull(m)']),
    ).toEqual(['yes', 'no', 'yes', 'yes', 'no', 'yes'])
    expect(
      await values([
        'len(m)',
        'upper(m)',
        'm."1"',
        'upper(one)',
        'one."1"',
        'mvcount(m)',
        'mvcount(n)',
        'mvcount(zz)',
      ]),
    ).toEqual([undefined, undefined, undefined, 'X', 'x1', '3', '1', undefined])
  })

  it('gives nothing where an argument is missing, and takes an empty text as a value', async () => {
    const missing = [
      'len(zz)',
      'lower(zz)',
      'substr(zz,1)',
      'replace(zz,"a","b")',
      'round(zz)',
      'abs(u)',
      'md5(zz)',
      'split(zz,",")',
      'mvindex(zz,0)',
      'mvjoin(zz,",")',
      'strftime(zz,"%Y")',
      'tonumber(e)',
      'tostring(zz)',
      'mvappend(zz)',
      'null()',
      'nullif(n,5)',
      'if(zz=1,zz,null())',
    ]
    expect(await values(missing)).toEqual(missing.map(() => undefined))
    expect(
      await values(['len(e)', 'coalesce(zz,e,"k")', 'mvcount(e)', 'trim(e)', 'e."a"']),
    ).toEqual(['0', '', '1', '', 'a'])
    expect(await values(['if(isnull(e),1,2)', 'if(isnull(zz),1,2)', 'if(zz=1,1,2)'])).toEqual([
      '2',
      '1',
      '2',
    ])
  })

  it('takes numbers as texts and keeps letters of all languages', async () => {
    expect(
      await values([
        'len(12345)',
        'substr(12345,2,2)',
        'len(u)',
        'upper(u)',
        'substr(u,-1)',
        'len(n*d)',
      ]),
    ).toEqual(['5', '23', '3', 'ÜNÏ', 'ï', '4'])
  })

  it('replaces matches by groups of the pattern, and looks for patterns of fields that are plain', async () => {
    expect(await value(String.raw`replace(p, ".*\\\\", "")`)).toBe('a.exe')
    expect(await value(String.raw`replace("2024-01-02", "(\d+)-(\d+)-(\d+)", "\3.\2.\1")`)).toBe(
      '02.01.2024',
    )
    expect(await value(String.raw`replace("a/b", "/", "\\")`)).toBe('a\\b')
    expect(
      await tests([
        'match(p,"EXE$")',
        'match(p,"(?i)EXE$")',
        'match(u,u)',
        'match("a","(".u)',
        'like(p,"C:%.exe")',
        'like(p,"c:%")',
      ]),
    ).toEqual(['no', 'yes', 'yes', undefined, 'yes', 'no'])
    expect(await desk.refusal('eval r=if(match(a,"("),1,2)')).toBe('HR510')
  })

  it('knows the kinds of values', async () => {
    expect(
      await values([
        'typeof(n)',
        'typeof(u)',
        'typeof("5")',
        'typeof(5)',
        'typeof(zz)',
        'typeof(1=1)',
        'typeof(m)',
      ]),
    ).toEqual(['Number', 'String', 'String', 'Number', 'Invalid', 'Boolean', 'Multivalue'])
    expect(
      await tests([
        'isnum(n)',
        'isnum(u)',
        'isnum(zz)',
        'isint(d)',
        'isint(n)',
        'isstr(u)',
        'isstr(n)',
        'isbool(1=1)',
      ]),
    ).toEqual(['yes', 'no', 'no', 'no', 'yes', 'yes', 'no', 'yes'])
  })

  it('takes parts of lists', async () => {
    expect(
      await values([
        'mvindex(m,0,1)',
        'mvindex(m,-1)',
        'mvdedup(m)',
        'mvsort(m)',
        'mvfind(m,"^a")',
        'mvjoin(m,"-")',
        'mvzip(m,m,":")',
        'mvappend(m,n,zz)',
        'mvrange(1,n,2)',
        'split("a,b",",")',
        'mvmap(m,m."1")',
        'mvfilter(m="b")',
      ]),
    ).toEqual([
      ['b', 'a'],
      'b',
      ['b', 'a'],
      ['a', 'b', 'b'],
      '1',
      'b-a-b',
      ['b:b', 'a:a', 'b:b'],
      ['b', 'a', 'b', '5'],
      ['1', '3'],
      ['a', 'b'],
      ['b1', 'a1', 'b1'],
      ['b', 'b'],
    ])
  })

  it('reads and writes JSON', async () => {
    expect(
      await values([
        'json_extract(j,"a.b{1}.c")',
        'json_extract(j,"n")+1',
        'spath(j,"a.b{1}")',
        'json_keys(j)',
        'json_object("k",n,"m",m,"s","x","j",json_array(1,"a"))',
        'json_set(j,"a.b","y")',
        'json_extract(u,"a")',
      ]),
    ).toEqual([
      'x',
      '3',
      ['1'],
      '["a","n"]',
      '{"k":5,"m":["b","a","b"],"s":"x","j":[1,"a"]}',
      '{"a":{"b":"y"},"n":2}',
      undefined,
    ])
  })

  it('prints, reads and moves times', async () => {
    expect(
      await values([
        'strftime(1704164645.25,"%F %T.%3N")',
        'strptime("2024-01-02 03:04:05","%Y-%m-%d %H:%M:%S")',
        'relative_time(1704164645,"-1d@d")',
        'strftime(strptime("02/Jan/2024:03:04:05 +0100","%d/%b/%Y:%H:%M:%S %z"),"%H:%M")',
        'if(now()>1704164645,1,2)',
      ]),
    ).toEqual(['2024-01-02 03:04:05.250', '1704164645', '1704067200', '02:04', '1'])
    expect(await desk.refusal('eval r=strptime(a,"%H:%M")')).toBe('HR509')
    expect(await desk.refusal('eval r=strftime(a,"%!")')).toBe('HR509')
    expect(await desk.refusal('eval r=relative_time(a,"@fortnight")')).toBe('HR509')
  })

  it('refuses functions that it does not have, and arguments that are wrong', async () => {
    for (const call of ['sigfig(1)', 'lookup("l",json_object(),json_array())', 'nosuch(1)']) {
      expect(await desk.refusal(`eval r=${call}`)).toBe('HR508')
    }
    for (const call of [
      'len()',
      'len(a,a)',
      'tonumber(a,1)',
      'tostring(a,"words")',
      'printf("%q",a)',
      'len(a=1)',
    ]) {
      expect(await desk.refusal(`eval r=${call}`), call).toBe('HR509')
    }
  })
})

/** `rex`: groups as fields, lists of finds, rewriting. */
import { describe, expect, it } from 'vitest'
import { splDesk, type TestRow } from '../support/spldesk.ts'

const desk = splDesk()

const one = async (row: TestRow, search: string) => (await desk.found([row], search))[0]

describe('rex', () => {
  it('sets fields to what named groups find, in _raw where no field is named', async () => {
    expect(
      await one(
        { _raw: 'user=ann id=7' },
        String.raw`rex "user=(?<u>\w+) id=(?P<n>\d+)" | table u n`,
      ),
    ).toEqual({
      u: 'ann',
      n: '7',
    })
    expect(await one({ p: 'x1' }, String.raw`rex field=p "(?<d>\d)" | table d`)).toEqual({ d: '1' })
  })

  it('leaves fields as they were where a group finds nothing', async () => {
    const search = String.raw`rex field=p "^(?<u>[a-z]+)(?<n>\d*)$" | table u n`
    expect(await one({ p: 'ab', u: 'old', n: '5' }, search)).toEqual({ u: 'ab', n: '5' })
    expect(await one({ p: '-', u: 'old' }, search)).toEqual({ u: 'old' })
    expect(await one({ u: 'old' }, search)).toEqual({ u: 'old' })
  })

  it('counts groups without names, and none in classes or behind backslashes', async () => {
    const search = String.raw`rex field=p "(Un)?(P)?aired [(](?:x)?\((?<d>.+)" | table d`
    expect(await one({ p: 'Paired ((abc' }, search)).toEqual({ d: 'abc' })
  })

  it('collects all finds, or the first so many, and looks at each value of a field', async () => {
    expect(
      await one({ p: 'a1b22' }, String.raw`rex field=p max_match=0 "(?<n>\d+)" | table n`),
    ).toEqual({
      n: ['1', '22'],
    })
    expect(
      await one(
        { p: 'a1b22c3' },
        String.raw`rex max_match=2 field=p "(?<c>[a-z])(?<n>\d+)" | table c n`,
      ),
    ).toEqual({ c: ['a', 'b'], n: ['1', '22'] })
    expect(await one({ p: ['a1', 'b2c3'] }, String.raw`rex field=p "(?<n>\d)" | table n`)).toEqual({
      n: ['1', '2'],
    })
  })

  it('does not cross line ends with a point', async () => {
    expect(await one({ p: 'a\nb' }, `rex field=p "(?<x>a.*)" | table x`)).toEqual({
      x: 'a',
    })
  })

  it('rewrites with mode=sed', async () => {
    const row = { p: '1234-5678 a/b' }
    expect(
      await one(row, String.raw`rex field=p mode=sed "s/(\d)\d{3}/\1xxx/g" | table p`),
    ).toEqual({
      p: '1xxx-5xxx a/b',
    })
    expect(await one(row, String.raw`rex field=p mode=sed "s/\d+/N/" | table p`)).toEqual({
      p: 'N-5678 a/b',
    })
    expect(await one(row, String.raw`rex mode=sed field=p "s/a\/b/-/" | table p`)).toEqual({
      p: '1234-5678 -',
    })
    expect(await one(row, 'rex field=p mode=sed "y/ab/AB/" | table p')).toEqual({
      p: '1234-5678 A/B',
    })
    expect(
      await one({ p: ['a1', 'b2'] }, String.raw`rex field=p mode=sed "s/\d//" | table p`),
    ).toEqual({
      p: ['a', 'b'],
    })
  })

  it('rewrites the one of a number', async () => {
    const row = { p: 'a1-a2-a3' }
    expect(await one(row, String.raw`rex field=p mode=sed "s/a(\d)/<\1>/2" | table p`)).toEqual({
      p: 'a1-<2>-a3',
    })
    expect(await one(row, 'rex field=p mode=sed "s/A/x/3i" | table p')).toEqual({ p: 'a1-a2-x3' })
    expect(await one(row, 'rex field=p mode=sed "s/a/x/4" | table p')).toEqual(row)
  })

  it('looks at values one by one for patterns that look around themselves', async () => {
    const rows = [
      { p: 'pre key=ann end', u: 'old' },
      { p: 'key=', u: 'old' },
      { p: 'nothing', u: 'old' },
      { p: 'key=bob' },
      { p: 'key=bob' },
    ]
    const search = 'rex field=p "(?<=key=)(?<u>[a-z]+)(?<rest> end)?" | table u rest'
    expect(await desk.found(rows, search)).toEqual([
      { u: 'ann', rest: ' end' },
      { u: 'old' },
      { u: 'old' },
      { u: 'bob' },
      { u: 'bob' },
    ])
    expect(await one({ p: 'all' }, 'rex field=p "(?<u>.+)(?!x)" | table u')).toEqual({ u: 'all' })
    const sed = 'rex field=p mode=sed "s/(a)(?=b)/<\\1>/g" | table p'
    expect(await one({ p: 'abacab' }, sed)).toEqual({ p: '<a>bac<a>b' })
  })

  it('refuses what it cannot do', async () => {
    expect(await desk.refusal('rex field=a "abc"')).toBe('HR510')
    expect(await desk.refusal('rex field=a max_match=0 "(?<x>a(?=b))"')).toBe('HR507')
    expect(await desk.refusal('rex field=a offset_field=o "(?<x>a)"')).toBe('HR507')
    expect(await desk.refusal('rex field=a mode=sed "s/a/b/3g"')).toBe('HR507')
    expect(await desk.refusal('rex field=a mode=sed "s/a(?=b)/c/"')).toBe('HR507')
    expect(await desk.refusal('rex field=a wrong=1 "(?<x>a)"')).toBe('HR505')
  })
})

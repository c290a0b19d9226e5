/** Commands that make fields of JSON, XML and pairs in texts, and write them. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const ROWS = [
  {
    _raw: '{"a":{"b":1},"l":[{"x":1},{"x":2}],"n":null,"t":true,"@@k":1}',
    j: '{"l":[{"x":1},{"x":2}]}',
    x: '<r a="1"><u>ann</u><u>bob</u><p><q>5</q></p></r>',
    b: '[{"k":1},{"k":2}]',
  },
  { _raw: 'user=ann id="7 8", z=9' },
]
const first = async (search: string) => (await desk.found(ROWS, search))[0]

describe('spath', () => {
  it('makes fields of all leaves, of lists with braces', async () => {
    expect(await first('spath | fields - _raw j x b')).toEqual({
      'a.b': '1',
      'l{}.x': ['1', '2'],
      n: 'null',
      t: 'true',
    })
    expect(await first('spath input=b | table {}.k')).toEqual({ '{}.k': ['1', '2'] })
    expect(await first('spath input=x | table r.p.q r.u r{@a}')).toEqual({
      'r.p.q': '5',
      'r.u': ['ann', 'bob'],
      'r{@a}': '1',
    })
  })

  it('takes what lies at a path, lists counted from 1', async () => {
    expect(await first('spath input=j path=l{1}.x output=o | table o')).toEqual({ o: '1' })
    expect(await first('spath a.b | table a.b')).toEqual({ 'a.b': '1' })
    const search = 'spath input=b path={} output=p | mvexpand p | spath input=p | table k'
    expect(await desk.found(ROWS, search)).toEqual([{ k: '1' }, { k: '2' }, {}])
    expect(await first('spath input=x path=r{@a} output=o | table o')).toEqual({ o: '1' })
    expect(await first('spath input=x path=r.u output=o | table o')).toEqual({ o: ['ann', 'bob'] })
    expect(await first('spath input=x path=r.p.q output=o | table o')).toEqual({ o: '5' })
    expect(await desk.refusal('spath input=a path=l{x} output=o')).toBe('HR509')
    expect(await desk.refusal('spath input=a path=l{0} output=o')).toBe('HR509')
  })
})

describe('fromjson, tojson, xmlkv, extract', () => {
  it('read members, tags and pairs', async () => {
    expect(await first('fromjson prefix=q_ _raw | table q_a q_t')).toEqual({
      q_a: '{"b":1}',
      q_t: 'true',
    })
    expect(await first('xmlkv x | table u q')).toEqual({ u: ['ann', 'bob'], q: '5' })
    expect(await desk.found(ROWS, 'extract | table user id z | tail 1')).toEqual([
      { user: 'ann', id: '7 8', z: '9' },
    ])
  })

  it('write rows', async () => {
    const search = 'fields b | fields - _raw | tojson output_field=o | table o'
    expect(await first(search)).toEqual({ o: String.raw`{"b":"[{\"k\":1},{\"k\":2}]"}` })
  })
})

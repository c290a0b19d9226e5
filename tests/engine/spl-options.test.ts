/** Options that change nothing are told, and values that are not followed are refused. */
import { describe, expect, it } from 'vitest'
import { splDesk } from '../support/spldesk.ts'

const desk = splDesk()

const ROWS = [{ _raw: 'a.b=1 c=2 c=3 d=4', n: '5', s: 'x' }, { _raw: 'none' }]
const first = async (search: string) => (await desk.found(ROWS, search))[0]

describe('options of commands', () => {
  it('that change nothing are told', async () => {
    const { notes } = await desk.answer(
      ROWS,
      'stats partitions=4 count by n | append maxtime=5 [makeresults]',
    )
    expect(notes.map(({ text }) => text)).toEqual([
      'stats partitions: it is about how Splunk divides its work',
      'rows without n',
      'append maxtime: a search runs as long as it needs',
    ])
  })

  it('are refused where one value is followed only', async () => {
    const searches = [
      'outputlookup output_format=splunk_mv_csv t.csv',
      'collect index=s addtime=false',
      'tojson fill_null=true',
      'tojson default_type=json',
      'tojson auto(n)',
    ]
    for (const search of searches) expect(await desk.refusal(search, ROWS), search).toBe('HR507')
    expect(await desk.refusal('extract auto=true', ROWS)).toBe('HR505')
    expect(await desk.refusal('datamodel Web Web flat strict_fields=false', ROWS)).toBe('HR507')
  })
})

describe('extract', () => {
  it('takes the first value of a name unless all are wanted', async () => {
    const shown = 'table a_b a.b c d'
    expect(await first(`extract | ${shown}`)).toEqual({ a_b: '1', c: '2', d: '4' })
    expect(await first(`extract mv_add=true clean_keys=false | ${shown}`)).toEqual({
      'a.b': '1',
      c: ['2', '3'],
      d: '4',
    })
    expect(await first(`extract limit=2 | ${shown}`)).toEqual({ a_b: '1', c: '2' })
    expect(await first(`extract maxchars=5 | ${shown}`)).toEqual({ a_b: '1' })
  })
})

describe('tojson', () => {
  it('writes types as they are or as texts', async () => {
    const made = 'eval n=n+1 | fields n s _raw'
    expect(await first(`${made} | tojson output_field=o | table o`)).toEqual({
      o: '{"n":6,"s":"x"}',
    })
    expect(await first(`${made} | tojson str(n) output_field=o | table o`)).toEqual({
      o: '{"n":"6"}',
    })
    expect(
      await first(`${made} | tojson default_type=str none(n) s output_field=o | table o`),
    ).toEqual({ o: '{"n":6,"s":"x"}' })
    const whole = await first(`${made} | tojson include_internal=true output_field=o | table o`)
    expect(Object.keys(JSON.parse(String(whole?.o)))).toContain('_raw')
  })
})

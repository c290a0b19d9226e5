/** Operators that read texts, rows in their order and data of unknown shape, from the query to the engine's rows. */
import { describe, expect, it } from 'vitest'
import { kustoDesk } from '../support/kustodesk.ts'

const { answer, rows, found } = kustoDesk()

describe('parse', () => {
  const text = (...values: readonly string[]) =>
    `datatable(s:string)[${values.map((each) => JSON.stringify(each)).join(',')}]`

  it('keeps rows that do not match, and parse-where leaves them out', async () => {
    const pattern = 's with "n=" n:long ";" rest | project n, rest'
    const source = text('n=12;a;b', 'n=x;a')
    expect(await found(`${source} | parse ${pattern}`)).toEqual([
      [12, 'a;b'],
      [null, ''],
    ])
    expect(await found(`${source} | parse-where ${pattern}`)).toEqual([[12, 'a;b']])
  })

  it('takes literals by their letter and skips what a star stands for', async () => {
    const query = `${text('x (a.b)\nuser=[bob] end')} | parse s with * "(a.b)" * "user=[" user "]" * | project user`
    expect(await found(query)).toEqual([['bob']])
  })

  it('loses only the column that does not convert when it is relaxed', async () => {
    const query = `${text('a=x;b=2')} | parse kind=relaxed s with "a=" a:int ";b=" b:int | project a, b`
    expect(await found(query)).toEqual([[null, 2]])
  })

  it('counts its own groups beside those of the expressions', async () => {
    const query = `${text('Key=7 END')} | parse kind=regex flags=iU s with "(k)(e|y)+=" n:long " (end)" | project n`
    expect(await found(query)).toEqual([[7]])
  })

  it('reads pairs with quotes, escapes and longer delimiters', async () => {
    const query = `${text('a := "x ;; \\"y\\"" ;; b := 5')} | parse-kv s as (b:long, a:string) with (pair_delimiter=';;', kv_delimiter=':=', quote='"', escape='\\\\') | project a, b`
    expect(await found(query)).toEqual([['x ;; "y"', 5]])
  })

  it('refuses expressions that the engine does not read', async () => {
    const { diagnostics } = await answer(
      `${text('a')} | parse kind=regex s with @"(?=a)" x | project x`,
    )
    expect(diagnostics.map(({ code }) => code)).toEqual(['HR412'])
  })
})

describe('rows in their order', () => {
  it('are put into series with defaults, the end left out', async () => {
    const query = `datatable(t:long, v:long, g:string)[1,5,'a', 3,7,'a', 2,1,'b', 9,9,'c']
      | make-series s = sum(v) default=-1 on t from 1 to 4 step 1 by g | sort by g asc | project g, s`
    expect(await found(query)).toEqual([
      ['a', '[5,-1,7]'],
      ['b', '[-1,1,-1]'],
    ])
  })

  it('are scanned with the state of each step', async () => {
    const query = `datatable(t:long, e:string)[1,'start', 2,'x', 3,'stop', 4,'x', 5,'start', 6,'stop']
      | sort by t asc
      | scan with_match_id=id declare (n:long=0) with (
          step a: e == 'start' => n = 1;
          step b: e == 'x' => n = a.n + b.n + 1;
          step c: e == 'stop' => n = b.n; )
      | project t, id, n`
    expect(await found(query)).toEqual([
      [1, 0, 1],
      [2, 0, 2],
      [3, 0, 2],
      [5, 1, 1],
      // The last step still has its sequence, which such a row goes on with.
      [6, 0, 2],
    ])
  })

  it('are parted into sessions', async () => {
    const query = `range i from 0 to 1200 step 1 | extend t = datetime(2020-01-01) + i * 1m | sort by t asc
      | extend s = row_window_session(t, 10m, 5m) | summarize n = dcount(s), latest = max(s)`
    expect(await found(query)).toEqual([[121, '2020-01-01T20:00:00.0000000Z']])
  })

  it('are kept for the greatest groups at each level', async () => {
    const query = `datatable(a:string, b:string, v:long)['x','p',3, 'x','q',4, 'y','p',9, 'z','p',1]
      | top-nested 2 of a with others='rest' by n=sum(v), top-nested 1 of b by m=sum(v) | sort by n desc, a asc`
    expect(await found(query)).toEqual([
      ['y', 9, 'p', 9],
      ['x', 7, 'q', 4],
      ['rest', 1, '', null],
    ])
  })
})

describe('evaluate', () => {
  it('finds the columns of bags, and those of what comes after', async () => {
    const query = `datatable(d:dynamic, k:long)[dynamic({"b":"x","a":1}),1, dynamic({"a":2.5,"]":true}),2]
      | evaluate bag_unpack(d) | sort by k asc | extend c = strcat(b, '!')`
    expect(await rows(query)).toEqual({
      names: ['k', ']', 'a', 'b', 'c'],
      found: [
        [1, null, '1', 'x', 'x!'],
        [2, true, '2.5', '', '!'],
      ],
    })
  })

  it('makes columns of values', async () => {
    const query = `datatable(g:string, k:string, v:long)['a','x',1, 'a','y',2, 'b','x',3]
      | evaluate pivot(k, sum(v)) | sort by g asc`
    expect(await rows(query)).toEqual({
      names: ['g', 'x', 'y'],
      found: [
        ['a', 1, 2],
        ['b', 3, 0],
      ],
    })
  })

  it('looks addresses up in networks', async () => {
    const query = `let n = datatable(net:string, c:string)['10.0.0.0/8','in', '10.1.0.0/16','near', 'none','x'];
      datatable(ip:string)['10.1.2.3', '192.0.2.1', ''] | evaluate ipv4_lookup(n, ip, net, return_unmatched=true)
      | sort by ip asc, c asc | project ip, c`
    expect(await found(query)).toEqual([
      ['', ''],
      ['10.1.2.3', 'in'],
      ['10.1.2.3', 'near'],
      ['192.0.2.1', ''],
    ])
  })
})

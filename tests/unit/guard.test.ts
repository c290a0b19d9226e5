import { describe, expect, it } from 'vitest'
import { unsafeReason } from '../../src/engine/guard.ts'
import { quoteName, quoteText } from '../../src/sql/quote.ts'

describe('query guard', () => {
  it.each([
    'SELECT 1',
    '(SELECT 1)',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    "SELECT 'it''s; -- /* INTO OUTFILE */ file(' AS `a;b`",
    "SELECT 'a\\'; DROP TABLE x' FROM `t``x`",
    'SELECT `file`, length(`file`), arrayConcat(`file`, [1]) FROM `t`',
    'SELECT * EXCEPT (`file`), `url` AS `settings` FROM `t` WHERE `into` = 1',
    "SELECT arrayMap(x -> lower(x), `file[]`), format('{}', `x`), a ? b : c",
    'SELECT URLHash(`x`), count() / 2 * -1 - 3 % 4 FROM `t` ORDER BY 1 DESC NULLS LAST LIMIT 5 BY `a`',
  ])('accepts %s', (sql) => {
    expect(unsafeReason(sql)).toBeUndefined()
  })

  it.each([
    ["SELECT 1 INTO OUTFILE '/tmp/x'", /INTO/],
    ["SELECT 1 into/**/outfile 'x'", /into|comment/],
    ["SELECT file('/etc/passwd')", /file/],
    ["SELECT `file`('/etc/passwd')", /file/],
    ['SELECT "file" (\'/etc/passwd\')', /file/],
    ["SELECT `f\\x69le`('/etc/passwd')", /escape/],
    ["SELECT arrayMap(file, ['/etc/passwd'])", /file/],
    ["SELECT arrayMap(`file`, ['/etc/passwd'])", /file/],
    ["SELECT * APPLY `file` FROM (SELECT '/etc/passwd')", /APPLY/],
    ["SELECT * FROM url('http://x', LineAsString)", /url/],
    ["SELECT * FROM s3Cluster('x')", /s3Cluster/],
    ["SELECT * FROM executable('id', TSV, 'x String')", /executable/],
    ["SELECT * FROM remoteSecure('x')", /remoteSecure/],
    ['SELECT 1; DROP TABLE x', /second statement/],
    ['SELECT 1;', /second statement/],
    ['SELECT 1 -- x', /comment/],
    ['SELECT 1 /* x */', /comment/],
    ['SELECT 1 # x', /character/],
    ['SELECT $x$ file( $x$', /character/],
    ['SELECT \u2018x\u2019', /character/],
    ['SELECT 1\0', /character/],
    ["SELECT 'open", /not closed/],
    ["SELECT 'open\\'", /not closed/],
    ['SELECT 1 SETTINGS readonly=0', /SETTINGS/],
    ['SELECT 1 FORMAT TSV', /FORMAT/],
    ['SELECT 1 format', /FORMAT/],
    ['SET readonly=0', /only SELECT/],
    ['SYSTEM SHUTDOWN', /only SELECT/],
    ['INSERT INTO t VALUES (1)', /only SELECT/],
    ['', /only SELECT/],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT 1', /INSERT/],
  ])('refuses %s', (sql, reason) => {
    expect(unsafeReason(sql)).toMatch(reason)
  })

  it('sees through any quoted text and name', () => {
    const nasty = ["'", '\\', "\\'", '`', '\\`', '\0', '\n', ';--', "');file('x'", '\ud800', '😀']
    for (const left of nasty) {
      for (const right of nasty) {
        const text = left + right
        const sql = `SELECT ${quoteText(text)} AS ${quoteName(text)}`
        expect(unsafeReason(sql)).toBeUndefined()
        expect(unsafeReason(`${sql} INTO OUTFILE 'x'`)).toMatch(/INTO/)
      }
    }
  })
})

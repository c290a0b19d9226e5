import { describe, expect, it } from 'vitest'
import { and, call, type Expr, field, not, number, or, text, texts } from '../../src/ir/expr.ts'
import { printRel } from '../../src/ir/print.ts'
import type { Rel } from '../../src/ir/rel.ts'
import { type BindContext, bind } from '../../src/plan/bind.ts'
import { foldExpr } from '../../src/plan/fold.ts'
import { groupedScan, rowConditions } from '../../src/plan/group.ts'
import { optimise, passes } from '../../src/plan/passes.ts'
import type { StoredColumns } from '../../src/schema/stored.ts'
import type { View } from '../../src/schema/view.ts'
import { printSql } from '../../src/sql/print.ts'

function columns(
  texts: readonly string[],
  lists: readonly string[] = [],
  overflow = false,
): StoredColumns {
  return { text: new Set(texts), lists: new Set(lists), overflow, rows: 10 }
}

const eventIs = (id: string): Expr => call('match.in', [field('EventID'), texts([id])])

const view: View = {
  name: 'v',
  title: 'windows / process_creation',
  parts: [
    { source: 'windows.sysmon', where: eventIs('1'), fields: new Map() },
    {
      source: 'windows.security',
      where: eventIs('4688'),
      fields: new Map<string, Expr>([
        ['Image', field('NewProcessName')],
        [
          'User',
          call(
            'text.join',
            [field('SubjectDomainName'), text('\\'), field('SubjectUserName')],
            'text',
          ),
        ],
      ]),
    },
  ],
}

function context(stored: Readonly<Record<string, StoredColumns>>): BindContext {
  return {
    view: (name) => (name === 'v' ? view : undefined),
    source: () => undefined,
    stored: new Map(Object.entries(stored)),
  }
}

function scanned(where: Expr): Rel {
  return {
    op: 'filter',
    where,
    from: { op: 'scan', table: { kind: 'view', name: 'v' }, time: {}, out: [] },
  }
}

const imageEnds = (value: string): Expr => call('match.ends', [field('Image'), text(value)])

function planned(where: Expr, stored: Readonly<Record<string, StoredColumns>>): string {
  return printRel(optimise(bind(scanned(where), context(stored)).rel))
}

describe('binding', () => {
  it('says which field is missing when nothing that it is made from is stored', () => {
    const where = call('match.ends', [field('User'), text('x')])
    const stored = { 'windows.security': columns(['EventID', 'NewProcessName']) }
    const { diagnostics } = bind(scanned(where), context(stored))
    expect(diagnostics.map((each) => each.message)).toEqual([
      'field "User" does not occur in windows.security',
    ])
  })

  it('makes a union of the sources that have data, with their own names', () => {
    const plan = planned(imageEnds('\\cmd.exe'), {
      'windows.sysmon': columns(['EventID', 'Image']),
      'windows.security': columns(['EventID', 'NewProcessName']),
    })
    expect(plan).toContain('match.ends(Image, "\\\\cmd.exe")')
    expect(plan).toContain('match.ends(NewProcessName, "\\\\cmd.exe")')
    expect(plan).toContain('match.in(EventID, ["4688"])')
  })

  it('leaves out a source without data, and says so when none has any', () => {
    const one = planned(imageEnds('x'), {
      'windows.security': columns(['EventID', 'NewProcessName']),
    })
    expect(one).not.toContain('windows.sysmon')
    const none = bind(scanned(imageEnds('x')), context({}))
    expect(none.diagnostics.map((each) => each.code)).toEqual(['HR262'])
    expect(rowConditions(optimise(none.rel))).toEqual([])
  })

  it('reads an unknown field as missing: a positive test is never true, its negation always', () => {
    const stored = { 'windows.sysmon': columns(['EventID', 'Image']) }
    const positive = call('match.equals', [field('Company'), text('x')])
    expect(rowConditions(optimise(bind(scanned(positive), context(stored)).rel))).toEqual([])
    const negative = planned(and([imageEnds('a'), not(positive)]), stored)
    expect(negative).not.toContain('match.equals')
    expect(negative).toContain('match.ends(Image, "a")')
  })

  it('finds a field that differs in case only, and says so', () => {
    const bound = bind(
      scanned(call('match.equals', [field('image'), text('x')])),
      context({ 'windows.sysmon': columns(['EventID', 'Image']) }),
    )
    expect(printRel(optimise(bound.rel))).toContain('match.equals(Image, "x")')
    expect(bound.diagnostics.map((each) => each.code)).toContain('HR260')
  })

  it('does not guess between two fields that differ in case only', () => {
    const bound = bind(
      scanned(call('match.equals', [field('image'), text('x')])),
      context({ 'windows.sysmon': columns(['EventID', 'Image', 'IMAGE']) }),
    )
    expect(rowConditions(optimise(bound.rel))).toEqual([])
  })

  it('tests a multivalued field as text or any of its list', () => {
    const plan = planned(call('match.contains', [field('Data'), text('x')]), {
      'windows.sysmon': columns(['EventID', 'Data'], ['Data']),
    })
    expect(plan).toContain('logic.or(match.contains(Data, "x"), match.contains(Data[], "x"))')
  })

  it('calls a field null only when neither its text nor its list is there', () => {
    const plan = planned(call('value.is_null', [field('Data')]), {
      'windows.sysmon': columns(['EventID', 'Data'], ['Data']),
    })
    expect(plan).toContain('value.is_null(Data), value.is_null(Data[])')
  })

  it('reads the overflow map where a source has one', () => {
    const stored = { 'windows.sysmon': columns(['EventID', 'Image'], [], true) }
    expect(planned(call('match.equals', [field('Rare'), text('x')]), stored)).toContain('Rare~map')
    expect(planned(imageEnds('x'), stored)).toContain('Image~both')
  })

  it('binds keyword tests to all values of the row', () => {
    const plan = planned(call('match.contains', [call('row.values', [], 'text'), text('evil')]), {
      'windows.sysmon': columns(['EventID', 'Image'], ['Data']),
    })
    expect(plan).toContain('match.contains(text.stack(EventID, Image, Data[]), "evil")')
  })

  it('never lets an event field pass for one of our own columns', () => {
    const stored = { 'windows.sysmon': columns(['EventID', 'Image', 'field_@file']) }
    const plan = bind(
      scanned(call('match.equals', [field('@timestamp'), text('x')])),
      context(stored),
    )
    expect(printRel(optimise(plan.rel))).not.toContain('@time ')
  })
})

describe('folding', () => {
  it('decides tests of the parameters that a function was called without', () => {
    const kept = call('text.equals_nocase', [field('a'), text('b')])
    const isAll = (given: string) => call('compare.equals', [text(given), text('*')])
    const none: Expr = { op: 'const', value: null, type: 'time' }
    expect(foldExpr(call('logic3.or', [isAll('*'), kept]))).toMatchObject({ value: true })
    expect(foldExpr(call('logic3.or', [isAll('b'), kept]))).toEqual(kept)
    expect(foldExpr(call('logic3.and', [call('value.is_missing', [none]), kept]))).toEqual(kept)
    expect(foldExpr(call('logic3.and', [isAll('b'), none]))).toMatchObject({ value: false })
    expect(foldExpr(call('logic3.not', [isAll('*')]))).toMatchObject({ value: false })
    expect(foldExpr(call('logic3.or', [kept, none]))).toMatchObject({ args: [kept, none] })
    expect(foldExpr(call('text.equals_nocase', [text('A'), text('a')]))).toMatchObject({
      value: true,
    })
  })

  const missing: Expr = { op: 'const', value: null, type: 'null' }

  it('keeps two-valued logic for missing fields', () => {
    expect(foldExpr(call('match.equals', [missing, text('')]))).toMatchObject({ value: false })
    expect(foldExpr(not(call('match.equals', [missing, text('')])))).toMatchObject({ value: true })
    expect(foldExpr(call('value.is_null', [missing]))).toMatchObject({ value: true })
    expect(foldExpr(call('value.exists', [missing]))).toMatchObject({ value: false })
    expect(
      foldExpr(call('number.gt', [call('time.part', [missing, text('hour')], 'int'), number(3)])),
    ).toMatchObject({ value: false })
  })

  it('simplifies and, or and not', () => {
    const test = imageEnds('x')
    expect(
      foldExpr(and([foldExpr(not({ op: 'const', value: false, type: 'bool' })), test])),
    ).toEqual(test)
    expect(foldExpr(or([{ op: 'const', value: true, type: 'bool' }, test]))).toMatchObject({
      value: true,
    })
    expect(foldExpr(not(not(test)))).toEqual(test)
  })

  it('drops missing parts of a fallback and of row values', () => {
    const first = foldExpr(call('value.first', [missing, field('a')], 'text'))
    expect(first).toMatchObject({ args: [field('a')] })
    expect(foldExpr(call('value.first', [missing], 'text'))).toMatchObject({ value: null })
    expect(foldExpr(call('text.join', [missing, text('x')], 'text'))).toMatchObject({ value: null })
  })
})

describe('passes', () => {
  it('are named and ordered', () => {
    expect(passes.map((each) => each.name)).toEqual(['push', 'fold', 'prune', 'rename', 'inline'])
  })

  it('merge two parts of one source into one condition, so that an event counts once', () => {
    const twice: Rel = {
      op: 'union',
      all: ['a', 'b'].map((value) => ({
        op: 'filter',
        where: imageEnds(value),
        from: { op: 'scan', table: { kind: 'source', name: 's' }, time: {}, out: [] },
      })),
    }
    expect(rowConditions(twice)).toHaveLength(1)
  })
})

describe('SQL', () => {
  const blank = (name: string): Expr => ({ op: 'field', name, type: 'text', stored: 'blank' })
  const where = (test: Expr): string =>
    printSql({
      op: 'filter',
      where: test,
      from: {
        op: 'scan',
        table: { kind: 'source', name: 's' },
        time: { from: '2026-01-01T00:00:00Z' },
        out: [],
      },
    }).replaceAll('\n', ' ')

  it('reads a stored blank as it is where a blank cannot match', () => {
    expect(where(call('match.contains', [blank('A'), text('Xy')]))).toBe(
      "SELECT * FROM `events_s` WHERE `@time` >= toDateTime64('2026-01-01 00:00:00', 7, 'UTC') AND (position(lower(`A`), 'xy') > 0)",
    )
  })

  it('asks whether the field is there where a blank could match', () => {
    expect(where(call('match.equals', [blank('A'), text('')]))).toContain(
      "((`A` != '' OR has(`@empty`, 'A')) AND (`A` = ''))",
    )
    expect(where(call('match.regex', [blank('A'), text('(?-s)^$')]))).toContain(
      "has(`@empty`, 'A')",
    )
  })

  it('uses no case folding for literals without letters, and the Unicode form for others', () => {
    expect(where(call('match.equals', [blank('A'), text('4688')]))).toContain("(`A` = '4688')")
    expect(where(call('match.contains', [blank('A'), text('é')]))).toContain(
      "position(lowerUTF8(`A`), lowerUTF8('é'))",
    )
  })

  it('cuts long literal lists for the engine', () => {
    const many = Array.from({ length: 600 }, (_, index) => `needle${index}`)
    expect(
      where(call('match.contains_any', [blank('A'), texts(many)])).match(/multiSearchAny/g),
    ).toHaveLength(3)
  })

  it('quotes hostile names and values', () => {
    const sql = where(call('match.equals', [blank('x`) OR 1=1 --'), text("' OR 1=1 --\\")]))
    expect(sql).toContain('`x\\`) OR 1=1 --`')
    expect(sql).toContain("'\\' or 1=1 --\\\\'")
  })

  it('prints one scan for many conditions', () => {
    const sql = printSql(
      groupedScan({
        source: 's',
        time: {},
        conditions: [
          call('match.equals', [blank('A'), text('1')]),
          call('match.equals', [blank('A'), text('2')]),
        ],
        columns: [{ name: '@time', type: 'time' }],
      }),
    )
    expect(sql.match(/FROM `events_s`/g)).toHaveLength(1)
    expect(sql).toContain("[if((`A` = '1'), 1, 0), if((`A` = '2'), 2, 0)]")
  })
})

describe('names of nested values', () => {
  it('a parent stands for the texts of all that is inside', () => {
    const stored = {
      'windows.sysmon': columns(['EventID', 'req.a', 'req.b.c', 'request'], ['req.d']),
    }
    const plan = planned(call('match.contains', [field('req'), text('x')]), stored)
    expect(plan).toContain('match.contains(text.lines(req.a, req.b.c, req.d[]), "x")')
  })

  it('a computed text that is empty counts as missing', () => {
    const made = call('text.join', [field('A'), text('\\'), field('B')], 'text')
    const bound: Expr = {
      ...made,
      args: made.args.map(
        (each): Expr => (each.op === 'field' ? { ...each, stored: 'blank' } : each),
      ),
    }
    const print = (test: Expr): string =>
      printSql({
        op: 'filter',
        where: test,
        from: { op: 'scan', table: { kind: 'source', name: 's' }, time: {}, out: [] },
      })
    expect(print(call('value.is_null', [bound]))).toMatch(/ = ''\)$/)
    expect(print(call('match.equals', [bound, text('')]))).toMatch(/ != '' AND /)
    expect(print(call('match.equals', [bound, text('x')]))).not.toMatch(/ '' AND \(if/)
  })
})

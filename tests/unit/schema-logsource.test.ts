/** Log sources of rules to views: exact entries, unions, intersections, and what is not known. */
import { describe, expect, it } from 'vitest'
import { printExpr } from '../../src/ir/print.ts'
import { readSchema } from '../../src/schema/load.ts'
import { viewForLogsource } from '../../src/schema/logsource.ts'
import type { Logsource } from '../../src/schema/view.ts'

const TEXT = `
families: { w: { by: [Channel], order: EventID } }
sources:
  - { name: w.sysmon, title: S, family: w, is: [S] }
  - { name: w.security, title: X, family: w, is: [X] }
  - { name: w.rare, title: R, family: w, is: [R] }
  - { name: l.sysmon, title: L, family: w, is: [L] }
  - { name: web, title: Web }
logsources:
  - { product: w, category: process, title: P, parts: [{ source: w.sysmon, where: { EventID: 1 } }, { source: w.security, where: { EventID: 4688 }, fields: { Image: New } }] }
  - { product: w, category: network, title: N, parts: [{ source: w.sysmon, where: { EventID: 3 } }, { source: w.security, where: { EventID: 5156 }, fields: { Image: App } }] }
  - { product: w, category: odd, title: O, parts: [{ source: w.security, where: { Kind: a }, fields: { Image: Odd } }] }
  - { product: w, service: sysmon, also: { service: sysmon_old }, title: S, source: w.sysmon }
  - { product: w, service: security, title: X, source: w.security }
  - { product: l, category: process, title: LP, parts: { source: l.sysmon, where: { EventID: 1 } } }
  - { category: webserver, title: Web, source: web }
`
const { value: catalogue, diagnostics } = readSchema([{ path: 'test.yml', text: TEXT }])
if (catalogue === undefined) throw new Error(JSON.stringify(diagnostics))

function shown(logsource: Logsource, ingested?: ReadonlySet<string>) {
  const { view, known } = viewForLogsource(catalogue ?? expect.fail(), logsource, ingested)
  const parts = view.parts.map((part) =>
    [
      part.source,
      printExpr(part.where),
      ...[...part.fields].map(([name, value]) => `${name}=${printExpr(value)}`),
    ].join(' '),
  )
  return { name: view.name, known, parts }
}

describe('viewForLogsource', () => {
  it('takes an exact entry, ignoring case, and its other spellings', () => {
    expect(shown({ product: 'W', category: 'Process' })).toEqual({
      name: 'sigma:w/process/-',
      known: true,
      parts: [
        'w.sysmon match.equals(EventID, "1")',
        'w.security match.equals(EventID, "4688") Image=New',
      ],
    })
    expect(shown({ product: 'w', service: 'sysmon_old' }).parts).toEqual(['w.sysmon true'])
  })

  it('takes all of a product, each source once and whole', () => {
    expect(shown({ product: 'w' })).toEqual({
      name: 'sigma:w/-/-',
      known: true,
      parts: ['w.sysmon true', 'w.security true'],
    })
  })

  it('takes a category over all products', () => {
    expect(shown({ category: 'process' }).parts).toEqual([
      'w.sysmon match.equals(EventID, "1")',
      'w.security match.equals(EventID, "4688") Image=New',
      'l.sysmon match.equals(EventID, "1")',
    ])
    expect(shown({ service: 'sysmon' }).parts).toEqual(['w.sysmon true'])
  })

  it('intersects category and service', () => {
    expect(shown({ product: 'w', category: 'process', service: 'security' })).toEqual({
      name: 'sigma:w/process/security',
      known: true,
      parts: ['w.security match.equals(EventID, "4688") Image=New'],
    })
    expect(shown({ category: 'process', service: 'sysmon' }).parts).toEqual([
      'w.sysmon match.equals(EventID, "1")',
    ])
  })

  it('does not drop a key to make a log source fit', () => {
    expect(shown({ product: 'w', category: 'webserver' }).known).toBe(false)
    expect(shown({ product: 'w', category: 'nothing' }).known).toBe(false)
    expect(shown({ product: 'w', category: 'process', service: 'nothing' }).known).toBe(false)
    expect(shown({ product: 'nothing', category: 'process' }).known).toBe(false)
    expect(shown({ product: 'l', category: 'process', service: 'security' }).known).toBe(false)
    expect(shown({})).toEqual({ name: 'sigma:-/-/-', known: false, parts: [] })
  })

  it('gives an unknown log source the sources that a user named after it', () => {
    const logsource = { product: 'acme', category: 'vpn', service: 'Log-In' }
    expect(shown(logsource)).toEqual({
      name: 'sigma:acme/vpn/log-in',
      known: false,
      parts: ['acme.log_in true', 'acme.vpn true', 'acme true'],
    })
    expect(shown(logsource, new Set(['acme.vpn', 'other'])).parts).toEqual(['acme.vpn true'])
    expect(shown(logsource, new Set()).parts).toEqual([])
    expect(shown({ service: 'vpn' }).parts).toEqual(['vpn true'])
  })

  it('never counts an event twice when mappings differ', () => {
    const text = `
sources: [{ name: s, title: S }]
logsources:
  - { product: p, category: a, title: A, parts: [{ source: s, where: { x: 1 }, fields: { f: g } }] }
  - { product: p, category: b, title: B, parts: [{ source: s, where: { y: 1 }, fields: { f: h } }, { source: s, where: { z: 1 }, fields: { f: g } }] }
`
    const { value } = readSchema([{ path: 't', text }])
    const view = viewForLogsource(value ?? expect.fail(), { product: 'p' }).view
    expect(view.parts.map((part) => printExpr(part.where))).toEqual([
      'logic.or(match.equals(x, "1"), logic.and(match.equals(z, "1"), logic.not(match.equals(y, "1"))))',
      'logic.and(match.equals(y, "1"), logic.not(match.equals(x, "1")))',
    ])
  })
})

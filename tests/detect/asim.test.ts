/** The functions of the schema over the sample logs: their parameters, their older names, and what they give. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { planQuery, queryRows } from '../../src/detect/runquery.ts'
import { builtInFunctions } from '../../src/dialects/kusto/builtin.ts'
import type { Store } from '../../src/engine/store.ts'
import { compilerHere } from '../../src/rules/kustolibrary.ts'
import { readInto, readyMadeSchema, withStore } from '../../tools/product.ts'

const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url))
const schema = readyMadeSchema()
const compiler = compilerHere(schema.tables)

async function compiled(query: string) {
  const [text] = await compiler.compile([{ query, name: 'q' }], [], [])
  const [first] = text?.queries ?? []
  return first ?? expect.fail('no answer')
}

async function count(store: Store, query: string): Promise<number> {
  const { rel, diagnostics } = await compiled(`${query} | count`)
  if (rel === undefined) return expect.fail(JSON.stringify(diagnostics))
  const world = { schema, stored: await store.catalogue(), time: {} }
  const { value: plan } = planQuery(rel, world)
  if (plan === undefined) return expect.fail(`no plan for ${query}`)
  for await (const [rows] of queryRows(store, plan)) return Number(rows)
  return 0
}

describe('the functions of the schema', () => {
  it('are read, each name once', () => {
    const names = builtInFunctions(schema.tables.functions).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(expect.arrayContaining(['_Im_Dns', 'imDns', '_ASim_Dns', 'Sysmon']))
  })

  it('compile, with and without their parameters', async () => {
    for (const { name, parameters } of builtInFunctions(schema.tables.functions)) {
      const given = parameters.map((each) => `${each.name}=${each.fallback}`).join(', ')
      for (const query of parameters.length > 1 ? [`${name}(${given})`] : [name]) {
        const { rel, diagnostics } = await compiled(`${query} | take 1`)
        expect(rel === undefined ? diagnostics : [], query).toEqual([])
      }
    }
  }, 120_000)

  it('give way to the user’s own', async () => {
    const own = {
      name: '_Im_Dns',
      parameters: [],
      body: 'print mine = 1',
      file: 'own.kql',
      span: { start: 0, end: 1 },
    }
    const [text] = await compiler.compile([{ query: '_Im_Dns', name: 'q' }], [own], [])
    expect(text?.queries[0]?.columns.map(({ name }) => name)).toEqual(['mine'])
  })

  it('filter by their parameters', async () => {
    await withStore(async (store) => {
      await readInto(store, [SAMPLES])
      const all = await count(store, '_Im_Dns')
      expect(all).toBeGreaterThan(100)
      const same: readonly (readonly [string, string])[] = [
        ['imDns()', '_ASim_Dns | where EventType == "Query"'],
        [
          '_Im_Dns(responsecodename="NXDOMAIN")',
          '_ASim_Dns | where DnsResponseCodeName == "NXDOMAIN"',
        ],
        [
          '_Im_Dns(domain_has_any=dynamic(["com", "net"]))',
          '_ASim_Dns | where DnsQuery has_any ("com", "net")',
        ],
        ['_Im_Dns(starttime=datetime(2100-01-01))', 'print 1 | where false'],
        ['_Im_Dns(disabled=true)', 'print 1 | where false'],
        [
          '_Im_ProcessCreate(commandline_has_any=dynamic(["powershell", "cmd"]))',
          '_ASim_ProcessEvent | where EventType == "ProcessCreated" and CommandLine has_any ("powershell", "cmd")',
        ],
        ['imProcessTerminate', '_ASim_ProcessEvent | where EventType == "ProcessTerminated"'],
        [
          '_Im_Authentication(eventresult="Failure")',
          '_ASim_Authentication | where EventResult == "Failure"',
        ],
        [
          '_Im_NetworkSession(dstportnumber=443)',
          '_ASim_NetworkSession | where DstPortNumber == 443',
        ],
        [
          '_Im_RegistryEvent(eventtype_in=dynamic(["RegistryValueSet"]))',
          'ASimRegistry | where EventType == "RegistryValueSet"',
        ],
        [
          'Sysmon | where EventID == 1',
          '_ASim_ProcessCreate | where EventProduct startswith "Sysmon"',
        ],
      ]
      for (const [query, meaning] of same) {
        expect(await count(store, query), query).toBe(await count(store, meaning))
      }
      expect(
        await count(store, '_Im_ProcessCreate(commandline_has_any=dynamic(["powershell"]))'),
      ).toBeGreaterThan(0)
      expect(await count(store, '_Im_Authentication(eventresult="Failure")')).toBeGreaterThan(0)
      expect(await count(store, '_Im_WebSession')).toBeGreaterThan(0)
      expect(await count(store, 'union * | where Type == "SecurityEvent"')).toBe(
        await count(store, 'SecurityEvent'),
      )
      expect(await count(store, 'search "powershell" | where $table == "SecurityEvent"')).toBe(
        await count(store, 'search in (SecurityEvent) "powershell"'),
      )
      expect(await count(store, '_Im_FileEvent')).toBeGreaterThan(0)
    })
  }, 180_000)
})

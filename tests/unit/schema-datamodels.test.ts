/** The data models that ship: they load, their names fit together, and their parts say what the models promise. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkExpr } from '../../src/functions/check.ts'
import { printExpr } from '../../src/ir/print.ts'
import { dataset, datasetNames, viewForDataset } from '../../src/schema/datamodels.ts'
import { readSchema } from '../../src/schema/load.ts'
import type { View, ViewPart } from '../../src/schema/view.ts'

const FOLDER = fileURLToPath(new URL('../../content/schema', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => /\.(?:yml|txt)$/.test(name))
  .sort()
  .map((path) => ({ path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') }))
const { value: schema, diagnostics } = readSchema(files)
if (schema === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)))

function viewOf(full: string): View {
  return viewForDataset(schema ?? expect.fail(), full) ?? expect.fail(`no ${full}`)
}

function partOf(full: string, source: string, where: RegExp): ViewPart {
  const found = viewOf(full).parts.filter(
    (each) => each.source === source && where.test(printExpr(each.where)),
  )
  expect(found).toHaveLength(1)
  return found[0] ?? expect.fail()
}

function written(part: ViewPart, name: string): string | undefined {
  const value = part.fields.get(name)
  return value && printExpr(value)
}

const ALL = datasetNames(schema)

describe('data models', () => {
  it('give a dataset by its name, by its path, and the root without one', () => {
    expect(dataset(schema, 'Endpoint', 'Processes')?.fields.get('process_name')).toBe('text')
    expect(dataset(schema, 'Endpoint')?.name).toBe('Processes')
    expect(dataset(schema, 'Change', 'All_Changes.Account_Management')?.lineage).toEqual([
      'All_Changes',
      'Account_Management',
    ])
    expect(dataset(schema, 'Change', 'Account_Management.All_Changes')).toBeUndefined()
    expect(dataset(schema, 'Endpoint', 'constructor')).toBeUndefined()
    expect(dataset(schema, '__proto__', 'x')).toBeUndefined()
    expect(viewForDataset(schema, 'Endpoint.Nothing')).toBeUndefined()
  })

  it('have lists for what has several values, and names of what is below', () => {
    expect(dataset(schema, 'Network_Resolution', 'DNS')?.fields.get('answer')).toEqual({
      list: 'text',
    })
    const changes = dataset(schema, 'Change', 'All_Changes')?.fields
    expect(changes?.has('Instance_Changes.image_id')).toBe(true)
    expect(changes?.has('image_id')).toBe(false)
    const instance = dataset(schema, 'Change', 'Instance_Changes')?.fields
    expect(instance?.has('image_id') && instance.has('user')).toBe(true)
  })

  it('give well-formed values of the types they promise', () => {
    for (const name of ALL) {
      const [model = '', own] = name.split('.')
      const fields = dataset(schema, model, own)?.fields
      for (const part of viewOf(name).parts) {
        expect(part.isClosed).toBe(true)
        expect(checkExpr(part.where, 'open')).toEqual([])
        for (const [each, value] of part.fields) {
          expect([name, each, value.type]).toEqual([name, each, fields?.get(each)])
          expect([name, each, checkExpr(value, 'open')]).toEqual([name, each, []])
        }
      }
    }
  })

  it('read a process creation of Sysmon', () => {
    const part = partOf('Endpoint.Processes', 'windows.sysmon', /EventID.*"1"/)
    expect(written(part, 'process_name')).toMatch(/value.first.*text.basename.*Image.*unknown/)
    expect(written(part, 'process_path')).toMatch(/Image/)
    expect(written(part, 'process_guid')).not.toMatch(/unknown/)
  })

  it('tell what is missing in every event', () => {
    const part = partOf('Endpoint.Processes', 'linux.auditd', /EXECVE/)
    expect(written(part, 'parent_process_name')).toMatch(/unknown/)
    expect(part.fields.has('parent_process_guid')).toBe(false)
  })
})

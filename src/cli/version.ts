/** The version of the product, from its package file. */
import { readFileSync } from 'node:fs'
import { packagePath } from './paths.ts'

export function version(): string {
  const parsed: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'))
  return parsed !== null && typeof parsed === 'object' && 'version' in parsed
    ? String(parsed.version)
    : 'unknown'
}

/**
 * Every diagnostic the product can give, as data: stable code, severity, message with `{holes}`, hint.
 * Ranges: HR0 files and YAML, HR1 intake, HR2 names and types, HR3 Sigma, HR4 Kusto, HR5 SPL, HR6 regex and
 * SQL, HR7 engine and store, HR8 command line, HR9 rule packs. A code is never reused for another meaning.
 */

export type Severity = 'error' | 'warning' | 'notice'

export interface CodeRecord {
  readonly severity: Severity
  readonly message: string
  readonly hint?: string
}

export const codes = {
  HR001: { severity: 'error', message: 'the file is not valid YAML: {reason}' },
  HR002: {
    severity: 'error',
    message: 'YAML alias "{name}" is not accepted',
    hint: 'write the value out; aliases can be used to build very large documents',
  },
  HR003: { severity: 'error', message: 'duplicate key "{key}"' },
  HR004: { severity: 'error', message: '{what} is {size}, more than the limit of {limit}' },
  HR005: { severity: 'error', message: 'cannot read "{path}": {reason}' },
} as const satisfies Record<string, CodeRecord>

export type Code = keyof typeof codes

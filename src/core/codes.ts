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
  HR250: { severity: 'error', message: 'no function {name}' },
  HR251: { severity: 'error', message: '{name} takes {wanted}, not {found} arguments' },
  HR252: { severity: 'error', message: 'argument {index} of {name} must be {wanted}, not {found}' },
  HR253: { severity: 'error', message: 'argument {index} of {name} must be a constant' },
  HR254: { severity: 'error', message: 'no field {name} here' },
  HR255: { severity: 'error', message: 'a condition must be true or false, not {found}' },
  HR256: { severity: 'error', message: 'the expression is nested deeper than {limit} levels' },
  HR260: {
    severity: 'notice',
    message: 'field "{name}" is read as "{found}", which differs in case only',
  },
  HR261: { severity: 'notice', message: 'field "{name}" does not occur in {source}' },
  HR262: {
    severity: 'notice',
    message: 'no data here for {logsource}',
    hint: 'ingest logs of this kind; `harrier explain RULE` shows which sources feed the rule',
  },
} as const satisfies Record<string, CodeRecord>

export type Code = keyof typeof codes

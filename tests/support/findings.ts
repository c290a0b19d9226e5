/** Small findings, rules and reports for tests of what is printed. */
import type { Finding } from '../../src/detect/finding.ts'
import type { RuleOutcome, RunReport } from '../../src/detect/report.ts'
import type { FileReport, IntakeReport } from '../../src/ingest/report.ts'
import type { RuleInfo } from '../../src/rules/rule.ts'

export function sampleRule(change: Partial<RuleInfo> = {}): RuleInfo {
  return {
    file: 'rules/a.yml',
    id: 'rule-1',
    title: 'Suspicious Thing',
    language: 'sigma',
    level: 'high',
    status: 'test',
    description: 'Finds the thing.',
    author: 'A. Author',
    date: '2024-01-01',
    tags: ['attack.execution', 'attack.t1059.001'],
    references: ['https://example.org/a'],
    falsepositives: ['Administrators'],
    logsource: 'windows / process_creation',
    ...change,
  }
}

export function sampleFinding(change: Partial<Finding> = {}): Finding {
  return {
    time: '2024-01-05T10:11:12.1234567Z',
    rule_id: 'rule-1',
    rule_title: 'Suspicious Thing',
    language: 'sigma',
    level: 'high',
    host: 'WS01',
    tags: ['attack.execution', 'attack.t1059.001'],
    source: 'windows.sysmon',
    file: 'logs/a.evtx',
    record: 7,
    id: '00112233445566778899aabbccddeeff',
    event: { Image: 'C:\\Windows\\cmd.exe', CommandLine: 'cmd /c whoami', User: null },
    ...change,
  }
}

export function sampleOutcome(change: Partial<RuleOutcome> = {}): RuleOutcome {
  return { rule: sampleRule(), state: 'fired', findings: 1, diagnostics: [], ...change }
}

export function sampleRun(
  outcomes: readonly RuleOutcome[],
  change: Partial<RunReport> = {},
): RunReport {
  return {
    outcomes,
    findings: outcomes.reduce((sum, each) => sum + each.findings, 0),
    scans: 1,
    seconds: 1.5,
    interrupted: false,
    ...change,
  }
}

export function sampleFile(change: Partial<FileReport> = {}): FileReport {
  return {
    file: 'logs/a.evtx',
    format: 'evtx',
    bytes: 1_000,
    received: 10,
    stored: 10,
    repeated: 0,
    rejected: 0,
    damage: [],
    damages: 0,
    ...change,
  }
}

export function sampleIntake(files: readonly FileReport[]): IntakeReport {
  const sum = (of: (file: FileReport) => number): number =>
    files.reduce((total, file) => total + of(file), 0)
  return {
    files,
    skipped: 0,
    received: sum((file) => file.received),
    stored: sum((file) => file.stored),
    repeated: sum((file) => file.repeated),
    rejected: sum((file) => file.rejected),
    bytes: sum((file) => file.bytes),
    seconds: 2,
    interrupted: false,
  }
}

/**
 * Kusto queries for the benchmark, each beside ClickHouse SQL as a person would write it over the same stored columns.
 * Both give the same rows. The texts that are searched for are ASCII, so the SQL by hand may use byte-wise functions.
 */

/** One query in both languages. */
export interface Hunt {
  readonly name: string
  readonly kusto: string
  readonly sql: string
  /** Share of the time by hand that the query is meant to stay within. */
  readonly goal?: number
}

/** First day of the month that the events lie in; one event in 30,000 of them is in one minute of it. */
export const MONTH = '2026-10-01'

const SYSMON = '`events_windows:sysmon`'
const SIGNINS = '`events_azure:signinlogs`'
const PROCESSES = `${SYSMON} WHERE EventID = '1'`
const HOST = 'lower(`@host`)'
const ACCOUNT = "lower(substringIndex(User, '\\\\', -1))"
const FILE = 'basename(Image)'

/** Names of tools and words of their options; most are in no event. */
function needles(count: number): readonly string[] {
  const known = ['mimikatz', 'sekurlsa', 'vssadmin', 'certutil']
  const made = Array.from({ length: count - known.length }, (_, at) => `tool${at}x`)
  return [...known, ...made]
}

const listed = (texts: readonly string[]): string => texts.map((each) => `'${each}'`).join(', ')

function hasAny(count: number): Hunt {
  const texts = needles(count)
  const tokens =
    count <= 8
      ? texts.map((each) => `hasToken(lower(CommandLine), '${each}')`).join(' OR ')
      : `multiMatchAny(lower(CommandLine), [${listed(texts.map((each) => `(^|[^a-z0-9])${each}($|[^a-z0-9])`))}])`
  return {
    name: `has_any of ${count} texts`,
    kusto: `DeviceProcessEvents | where ProcessCommandLine has_any (${listed(texts)}) | count`,
    sql: `SELECT count() FROM ${PROCESSES} AND (${tokens})`,
    goal: 1.3,
  }
}

function search(name: string, kusto: string, sql: string): Hunt {
  return {
    name,
    kusto: `DeviceProcessEvents | where ${kusto} | count`,
    sql: `SELECT count() FROM ${PROCESSES} AND ${sql}`,
    goal: 1.3,
  }
}

const LAUNCHES = `SELECT ${HOST} AS host, \`@time\` AS launched FROM ${PROCESSES} AND \`@time\` >= '2026-10-20' AND endsWith(lower(Image), '\\\\powershell.exe')`
const CONNECTIONS = `SELECT ${HOST} AS host, \`@time\` AS connected FROM ${SYSMON} WHERE EventID = '3' AND \`@time\` >= '2026-10-20' AND DestinationPort = '8080'`
const KUSTO_LAUNCHES =
  "DeviceProcessEvents | where TimeGenerated >= datetime(2026-10-20) | where FileName =~ 'powershell.exe'"
const KUSTO_CONNECTIONS =
  'DeviceNetworkEvents | where TimeGenerated >= datetime(2026-10-20) | where RemotePort == 8080'

/** Columns of the sign-in that `arg_max` takes along. */
const SIGNIN = ['AppDisplayName', 'IPAddress', 'Location', 'ResultType', 'ClientAppUsed']

export const HUNTS: readonly Hunt[] = [
  {
    name: 'count, dcount by two columns, a week',
    kusto: `DeviceProcessEvents | where TimeGenerated between (datetime(2026-10-08) .. datetime(2026-10-15))
      | summarize count(), dcount(FileName) by DeviceName, AccountName`,
    sql: `SELECT ${HOST} AS host, ${ACCOUNT} AS account, count(), uniqExact(${FILE}) FROM ${PROCESSES}
      AND \`@time\` BETWEEN '2026-10-08' AND '2026-10-15' GROUP BY host, account`,
    goal: 1.3,
  },
  {
    name: 'count, dcount by two columns of an export',
    kusto: `SigninLogs | where TimeGenerated >= datetime(2026-10-08)
      | summarize count(), dcount(IPAddress) by UserPrincipalName, AppDisplayName`,
    sql: `SELECT UserPrincipalName, AppDisplayName, count(), uniqExactIf(IPAddress, IPAddress != '') FROM ${SIGNINS}
      WHERE \`@time\` >= '2026-10-08' AND lower(Type) = 'signinlogs' GROUP BY 1, 2`,
    goal: 1.3,
  },
  ...[4, 50, 500].map(hasAny),
  search(
    'has',
    "ProcessCommandLine has 'certutil'",
    "position(lower(CommandLine), 'certutil') > 0 AND hasToken(lower(CommandLine), 'certutil')",
  ),
  search(
    'contains',
    "ProcessCommandLine contains 'urlcache'",
    "position(lower(CommandLine), 'urlcache') > 0",
  ),
  search(
    'matches regex',
    "ProcessCommandLine matches regex @'(?i)-enc\\w*\\s+[A-Za-z0-9+/=]{20,}'",
    "match(CommandLine, '(?i)-enc\\\\w*\\\\s+[A-Za-z0-9+/=]{20,}')",
  ),
  search(
    'in~ over a computed column',
    "FileName in~ ('certutil.exe', 'mshta.exe', 'rundll32.exe')",
    `lower(${FILE}) IN ('certutil.exe', 'mshta.exe', 'rundll32.exe')`,
  ),
  {
    name: 'inner join within five minutes',
    kusto: `${KUSTO_LAUNCHES} | project DeviceName, launched = TimeGenerated
      | join kind=inner (${KUSTO_CONNECTIONS} | project DeviceName, connected = TimeGenerated) on DeviceName
      | where connected between (launched .. 5m) | summarize count() by DeviceName`,
    sql: `SELECT host, count() FROM (${LAUNCHES}) AS l INNER JOIN (${CONNECTIONS}) AS r USING (host)
      WHERE connected BETWEEN launched AND launched + INTERVAL 5 MINUTE GROUP BY host`,
    goal: 1.3,
  },
  {
    name: 'leftanti join',
    kusto: `${KUSTO_LAUNCHES} | project DeviceName, launched = TimeGenerated
      | join kind=leftanti (${KUSTO_CONNECTIONS} | project DeviceName) on DeviceName | summarize count() by DeviceName`,
    sql: `SELECT host, count() FROM (${LAUNCHES}) WHERE host NOT IN (SELECT host FROM (${CONNECTIONS})) GROUP BY host`,
    goal: 1.3,
  },
  {
    name: 'one hour of a month',
    kusto: `DeviceProcessEvents | where TimeGenerated > ago(1h) | summarize count() by FileName`,
    sql: `SELECT ${FILE} AS name, count() FROM ${PROCESSES} AND \`@time\` > toDateTime64('{now}', 7, 'UTC') - INTERVAL 1 HOUR GROUP BY name`,
    goal: 1.3,
  },
  {
    name: 'arg_max of all columns, one of them used',
    kusto: `DeviceProcessEvents | project TimeGenerated, DeviceName, FileName, FolderPath, ProcessCommandLine, AccountName
      | summarize arg_max(TimeGenerated, *) by DeviceName | summarize count() by FileName`,
    sql: `SELECT name, count() FROM (SELECT argMax(${FILE}, \`@time\`) AS name FROM ${PROCESSES} GROUP BY ${HOST}) GROUP BY name`,
  },
  {
    name: 'arg_max of seven columns by user',
    kusto: `SigninLogs | project TimeGenerated, UserPrincipalName, ${SIGNIN.join(', ')} | summarize arg_max(TimeGenerated, *) by UserPrincipalName
      | project UserPrincipalName, ${SIGNIN.join(', ')}`,
    sql: `SELECT UserPrincipalName, ${SIGNIN.map((each) => `argMax(${each}, \`@time\`)`).join(', ')} FROM ${SIGNINS}
      WHERE lower(Type) = 'signinlogs' GROUP BY UserPrincipalName`,
  },
  {
    name: 'parse_json of a text, two paths',
    kusto: `SigninLogs | extend d = parse_json(DeviceDetail) | summarize count() by tostring(d.os), tostring(d.net.city)`,
    sql: `SELECT JSONExtractString(DeviceDetail, 'os') AS os, JSONExtractString(DeviceDetail, 'net', 'city') AS city, count() FROM ${SIGNINS}
      WHERE lower(Type) = 'signinlogs' GROUP BY os, city`,
  },
  {
    name: 'a path of a nested object',
    kusto: `SigninLogs | summarize count() by tostring(LocationDetails.city)`,
    sql: `SELECT JSONExtractString(\`@raw\`, 'LocationDetails', 'city') AS city, count() FROM ${SIGNINS}
      WHERE lower(Type) = 'signinlogs' GROUP BY city`,
  },
  {
    name: 'mv-expand of a list of objects',
    kusto: `SigninLogs | mv-expand p = parse_json(AuthenticationDetails) | summarize count() by tostring(p.result)`,
    sql: `SELECT JSONExtractString(p, 'result') AS result, count() FROM (SELECT arrayJoin(JSONExtractArrayRaw(AuthenticationDetails)) AS p
      FROM ${SIGNINS} WHERE lower(Type) = 'signinlogs') GROUP BY result`,
  },
]

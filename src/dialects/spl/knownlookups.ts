/**
 * Lookups that published searches use and that their packs do not ship: tables of assets, identities and domains that
 * every site fills itself, which are empty here until a search or a file fills them; a list of ports; one of misspelt
 * packages; and what is computed from the key.
 */
import { LOOKUP_LINE } from '../../schema/lookups.ts'
import { type LookupDefinition, lookupDefinition, PLAIN_LOOKUP } from './lookupdef.ts'
import type { Lookup, LookupOptions } from './world.ts'

const ASSET =
  'asset asset_id asset_tag bunit category city country dns ip is_expected lat long mac nt_host owner pci_domain priority requires_av should_timesync should_update'
const IDENTITY =
  'bunit category downLevelDomainName email endDate first identity identity_id identity_tag last managedBy nick objectSid phone prefix priority startDate suffix watchlist work_city work_country work_lat work_long'

/** Lookups without rows, with the columns that searches read. */
const EMPTY: readonly (readonly [string, string, LookupOptions['match']?])[] = [
  ['asset_lookup_by_str', ASSET],
  ['asset_lookup_by_cidr', ASSET, new Map([['asset', 'cidr']])],
  ['identity_lookup_expanded', IDENTITY],
  ['cim_corporate_email_domain_lookup', 'domain', new Map([['domain', 'wildcard']])],
  ['cim_corporate_web_domain_lookup', 'domain', new Map([['domain', 'wildcard']])],
  ['cim_cloud_domains.csv', 'domain'],
  ['cim_corporate_email_domains.csv', 'domain'],
  ['cim_corporate_web_domains.csv', 'domain'],
  ['alexa_lookup_by_str', 'domain rank'],
  ['asn_lookup_by_cidr', 'ip asn country autonomous_system', new Map([['ip', 'cidr']])],
  ['admon_groups_def', 'objectSid cn distinguishedName sAMAccountName'],
  [
    'mitre_attack_lookup',
    'mitre_technique_id mitre_technique mitre_tactic_id mitre_tactic mitre_description mitre_url mitre_platform mitre_detection mitre_threat_group_name',
  ],
]

/** Ports of services: number, protocol, and whether what goes over it is encrypted and whether it should be seen at all. */
const PORTS: readonly (readonly [number, string, string, 'secure' | 'plain', 'barred' | 'open'])[] =
  [
    [20, 'tcp', 'ftp-data', 'plain', 'open'],
    [21, 'tcp', 'ftp', 'plain', 'open'],
    [22, 'tcp', 'ssh', 'secure', 'open'],
    [23, 'tcp', 'telnet', 'plain', 'barred'],
    [25, 'tcp', 'smtp', 'plain', 'open'],
    [53, 'udp', 'dns', 'plain', 'open'],
    [69, 'udp', 'tftp', 'plain', 'barred'],
    [79, 'tcp', 'finger', 'plain', 'barred'],
    [80, 'tcp', 'http', 'plain', 'open'],
    [88, 'tcp', 'kerberos', 'secure', 'open'],
    [110, 'tcp', 'pop3', 'plain', 'open'],
    [123, 'udp', 'ntp', 'plain', 'open'],
    [135, 'tcp', 'msrpc', 'plain', 'open'],
    [139, 'tcp', 'netbios-ssn', 'plain', 'open'],
    [143, 'tcp', 'imap', 'plain', 'open'],
    [161, 'udp', 'snmp', 'plain', 'open'],
    [389, 'tcp', 'ldap', 'plain', 'open'],
    [443, 'tcp', 'https', 'secure', 'open'],
    [445, 'tcp', 'smb', 'plain', 'open'],
    [512, 'tcp', 'rexec', 'plain', 'barred'],
    [513, 'tcp', 'rlogin', 'plain', 'barred'],
    [514, 'tcp', 'rsh', 'plain', 'barred'],
    [636, 'tcp', 'ldaps', 'secure', 'open'],
    [993, 'tcp', 'imaps', 'secure', 'open'],
    [995, 'tcp', 'pop3s', 'secure', 'open'],
    [1433, 'tcp', 'mssql', 'plain', 'open'],
    [3306, 'tcp', 'mysql', 'plain', 'open'],
    [3389, 'tcp', 'rdp', 'secure', 'open'],
    [4444, 'tcp', 'metasploit', 'plain', 'barred'],
    [5900, 'tcp', 'vnc', 'plain', 'open'],
    [5985, 'tcp', 'winrm', 'plain', 'open'],
    [5986, 'tcp', 'winrm-https', 'secure', 'open'],
    [6667, 'tcp', 'irc', 'plain', 'barred'],
    [31337, 'tcp', 'backorifice', 'plain', 'barred'],
  ]

/** Packages of Python, and names that are a slip of the finger away from them; `*` stands for any text. */
const MISSPELT: readonly (readonly [string, string])[] = [
  ['beautifulsoup4', 'beautifulsup4 beautifullsoup*'],
  ['colorama', 'colourama* colarama*'],
  ['django', 'djanga* dajngo*'],
  ['flask', 'flaskk*'],
  ['numpy', 'numppy* nunpy*'],
  ['pandas', 'pandsa* padnas*'],
  ['python-dateutil', 'python-dateutill'],
  ['pyyaml', 'pyyalm*'],
  ['requests', 'reqeusts* requesst* reuqests*'],
  ['scikit-learn', 'scikit-lern*'],
  ['tensorflow', 'tensorfllow* tenserflow*'],
  ['urllib3', 'urlib3 urllib33'],
]

/** For a detection that is pasted without its pack; the list of a pack goes before it. */
function misspeltCsv(): string {
  const header = 'typosquatted_package_name,comment,package_official_url'
  const rows = MISSPELT.flatMap(([name, others]) =>
    others.split(' ').map((each) => `${each},may be taken for ${name},${name}`),
  )
  return [header, ...rows].join('\n')
}

function portsCsv(): string {
  const header = 'dest_port,transport,app,is_required,is_secure,is_prohibited,note'
  const rows = PORTS.map(([port, transport, app, safety, use]) => {
    const note = use === 'barred' ? `${app} should not be in use` : ''
    return `${port},${transport},${app},false,${safety === 'secure'},${use === 'barred'},${note}`
  })
  return [header, ...rows].join('\n')
}

export const KNOWN_LOOKUPS: readonly LookupDefinition[] = [
  ...EMPTY.map(([name, fields, match = new Map()]) =>
    lookupDefinition(name, 'csv', {
      fields: fields.split(' '),
      csv: `${fields.replaceAll(' ', ',')}\n`,
      options: { ...PLAIN_LOOKUP, match, isCaseSensitive: false },
    }),
  ),
  lookupDefinition('interesting_ports_lookup', 'csv', {
    source: 'interesting_ports.csv',
    csv: portsCsv(),
    options: { ...PLAIN_LOOKUP, maxMatches: 1 },
  }),
  lookupDefinition('typo_squatted_python_packages', 'csv', {
    source: 'typo_squatted_python_packages.csv',
    csv: misspeltCsv(),
    options: {
      ...PLAIN_LOOKUP,
      match: new Map([['typosquatted_package_name', 'wildcard']]),
      isCaseSensitive: false,
      minMatches: 1,
    },
  }),
]

function computed(name: string, key: string, outputs: ReadonlyMap<string, string>): Lookup {
  return {
    name,
    columns: [key, ...outputs.keys()],
    options: PLAIN_LOOKUP,
    rows: 0,
    rel: {
      op: 'values',
      rows: [],
      out: [
        { name: key, type: 'text' },
        { name: LOOKUP_LINE, type: 'int' },
      ],
    },
    computed: outputs,
  }
}

function unusable(name: string, columns: readonly string[], refused: string): Lookup {
  const [key = '', ...others] = columns
  const { computed: _, ...base } = computed(name, key, new Map(others.map((each) => [each, ''])))
  return { ...base, refused }
}

/** Lookups that are no tables: computed from their first column, or refused. */
export const COMPUTED_LOOKUPS: ReadonlyMap<string, Lookup> = new Map(
  [
    computed('ut_shannon_lookup', 'word', new Map([['ut_shannon', 'lookup.entropy']])),
    unusable('dnslookup', ['clienthost', 'clientip'], 'it asks name servers'),
  ].map((each) => [each.name, each]),
)

/** The schema that ships: it loads, its names fit together, and every Sigma log source in use is known. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkExpr } from '../../src/functions/check.ts'
import { type Expr, TRUE } from '../../src/ir/expr.ts'
import { printExpr } from '../../src/ir/print.ts'
import { readSchema } from '../../src/schema/load.ts'
import { viewForLogsource } from '../../src/schema/logsource.ts'
import type { Logsource, ViewPart } from '../../src/schema/view.ts'

const FOLDER = fileURLToPath(new URL('../../content/schema', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => /\.(?:yml|txt)$/.test(name))
  .sort()
  .map((path) => ({ path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') }))
const { value: catalogue, diagnostics } = readSchema(files)
if (catalogue === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)))

function logsourceOf(text: string): Logsource {
  const [product = '', category = '', service = ''] = text.split('/')
  return {
    ...(product === '' ? {} : { product }),
    ...(category === '' ? {} : { category }),
    ...(service === '' ? {} : { service }),
  }
}

function partsOf(text: string): readonly ViewPart[] {
  return viewForLogsource(catalogue ?? expect.fail(), logsourceOf(text)).view.parts
}

function mappingOf(part: ViewPart | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...(part?.fields ?? [])].map(([name, value]) => [name, printExpr(value)]),
  )
}

/** Source and event ids of each part of a view. */
function idsOf(text: string): string {
  const ids = (where: Expr): string =>
    [...JSON.stringify(where).matchAll(/"EventID".*?"value":(\[[^\]]*\]|"[^"]*")/g)]
      .map(([, values = '']) => values.replace(/[[\]"]/g, ''))
      .join(';')
  return partsOf(text)
    .map((part) => `${part.source.replace('windows.', '')} ${ids(part.where)}`.trim())
    .join(' + ')
}

const CATEGORIES: readonly (readonly [string, string])[] = [
  ['process_creation', 'sysmon 1 + security 4688'],
  ['file_change', 'sysmon 2'],
  ['network_connection', 'sysmon 3 + security 5156'],
  ['sysmon_status', 'sysmon 4,16'],
  ['process_termination', 'sysmon 5'],
  ['driver_load', 'sysmon 6'],
  ['image_load', 'sysmon 7'],
  ['create_remote_thread', 'sysmon 8'],
  ['raw_access_thread', 'sysmon 9'],
  ['raw_access_read', 'sysmon 9'],
  ['process_access', 'sysmon 10'],
  ['file_event', 'sysmon 11'],
  ['registry_event', 'sysmon 12,13,14 + security 4657'],
  ['registry_add', 'sysmon 12 + security 4657'],
  ['registry_delete', 'sysmon 12 + security 4657'],
  ['registry_set', 'sysmon 13 + security 4657'],
  ['registry_rename', 'sysmon 14'],
  ['create_stream_hash', 'sysmon 15'],
  ['pipe_created', 'sysmon 17,18'],
  ['wmi_event', 'sysmon 19,20,21 + wmi 5861'],
  ['dns_query', 'sysmon 22'],
  ['file_delete', 'sysmon 23,26'],
  ['clipboard_capture', 'sysmon 24'],
  ['clipboard_change', 'sysmon 24'],
  ['process_tampering', 'sysmon 25'],
  ['file_delete_detected', 'sysmon 26'],
  ['file_block_executable', 'sysmon 27'],
  ['file_block_shredding', 'sysmon 28'],
  ['file_executable_detected', 'sysmon 29'],
  ['sysmon_error', 'sysmon 255'],
  ['file_access', 'kernel_file'],
  ['file_rename', 'kernel_file'],
  ['ps_classic_start', 'powershell_classic 400'],
  ['ps_classic_provider_start', 'powershell_classic 600'],
  ['ps_classic_script', 'powershell_classic 800'],
  ['ps_module', 'powershell 4103 + powershell_classic 800'],
  ['ps_script', 'powershell 4104'],
  [
    'antivirus',
    'defender 1006,1007,1008,1009,1010,1011,1012,1017,1018,1019,1115,1116,1117,1118,1119',
  ],
]

/** Services of Windows with a channel that must be recognised as one of the sources that feed them. */
const SERVICES: readonly (readonly [string, string])[] = [
  ['application', 'Application'],
  ['application-experience', 'Microsoft-Windows-Application-Experience/Program-Telemetry'],
  [
    'application-experience',
    'Microsoft-Windows-Application-Experience/Program-Compatibility-Assistant',
  ],
  ['applocker', 'Microsoft-Windows-AppLocker/MSI and Script'],
  ['applocker', 'Microsoft-Windows-AppLocker/EXE and DLL'],
  ['applocker', 'Microsoft-Windows-AppLocker/Packaged app-Deployment'],
  ['applocker', 'Microsoft-Windows-AppLocker/Packaged app-Execution'],
  ['appmodel-runtime', 'Microsoft-Windows-AppModel-Runtime/Admin'],
  ['appxdeployment-server', 'Microsoft-Windows-AppXDeploymentServer/Operational'],
  ['appxpackaging-om', 'Microsoft-Windows-AppxPackaging/Operational'],
  ['bitlocker', 'Microsoft-Windows-BitLocker/BitLocker Management'],
  ['bits-client', 'Microsoft-Windows-Bits-Client/Operational'],
  ['capi2', 'Microsoft-Windows-CAPI2/Operational'],
  [
    'certificateservicesclient-lifecycle-system',
    'Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational',
  ],
  ['codeintegrity-operational', 'Microsoft-Windows-CodeIntegrity/Operational'],
  ['dhcp', 'Microsoft-Windows-DHCP-Server/Operational'],
  ['dhcp', 'Microsoft-Windows-DHCP Server Events/Operational'],
  ['diagnosis-scripted', 'Microsoft-Windows-Diagnosis-Scripted/Operational'],
  ['dns-client', 'Microsoft-Windows-DNS Client Events/Operational'],
  ['dns-client', 'Microsoft-Windows-DNS-Client/Operational'],
  ['dns-server', 'DNS Server'],
  ['dns-server-analytic', 'Microsoft-Windows-DNS-Server/Analytical'],
  ['dns-server-audit', 'Microsoft-Windows-DNS-Server/Audit'],
  ['dns-server-audit', 'Microsoft-Windows-DNSServer/Audit'],
  ['driver-framework', 'Microsoft-Windows-DriverFrameworks-UserMode/Operational'],
  ['firewall-as', 'Microsoft-Windows-Windows Firewall With Advanced Security/Firewall'],
  ['hyper-v-worker', 'Microsoft-Windows-Hyper-V-Worker'],
  ['iis-configuration', 'Microsoft-IIS-Configuration/Operational'],
  ['kernel-event-tracing', 'Microsoft-Windows-Kernel-EventTracing'],
  ['kernel-shimengine', 'Microsoft-Windows-Kernel-ShimEngine/Operational'],
  ['kernel-shimengine', 'WinEventLog:Microsoft-Windows-Kernel-ShimEngine/Diagnostic'],
  ['ldap', 'Microsoft-Windows-LDAP-Client/Debug'],
  ['ldap_debug', 'Microsoft-Windows-LDAP-Client/Debug'],
  ['lsa-server', 'Microsoft-Windows-LSA/Operational'],
  ['msexchange-management', 'MSExchange Management'],
  ['ntfs', 'Microsoft-Windows-Ntfs/Operational'],
  ['ntlm', 'Microsoft-Windows-NTLM/Operational'],
  ['openssh', 'OpenSSH/Operational'],
  ['powershell', 'Microsoft-Windows-PowerShell/Operational'],
  ['powershell', 'PowerShellCore/Operational'],
  ['powershell-classic', 'Windows PowerShell'],
  ['printservice-admin', 'Microsoft-Windows-PrintService/Admin'],
  ['printservice-operational', 'Microsoft-Windows-PrintService/Operational'],
  ['security', 'Security'],
  ['security-mitigations', 'Microsoft-Windows-Security-Mitigations/Kernel Mode'],
  ['security-mitigations', 'Microsoft-Windows-Security-Mitigations/KernelMode'],
  ['security-mitigations', 'Microsoft-Windows-Security-Mitigations/User Mode'],
  ['security-mitigations', 'Microsoft-Windows-Security-Mitigations/UserMode'],
  ['sense', 'Microsoft-Windows-SENSE/Operational'],
  ['servicebus-client', 'Microsoft-ServiceBus-Client/Operational'],
  ['microsoft-servicebus-client', 'Microsoft-ServiceBus-Client/Admin'],
  ['microsoft-servicebus-client', 'Microsoft-ServiceBus-Client'],
  ['shell-core', 'Microsoft-Windows-Shell-Core/Operational'],
  ['smbclient-connectivity', 'Microsoft-Windows-SmbClient/Connectivity'],
  ['smbclient-security', 'Microsoft-Windows-SmbClient/Security'],
  ['smbserver-connectivity', 'Microsoft-Windows-SMBServer/Connectivity'],
  ['sysmon', 'Microsoft-Windows-Sysmon/Operational'],
  ['system', 'System'],
  ['taskscheduler', 'Microsoft-Windows-TaskScheduler/Operational'],
  [
    'terminalservices-localsessionmanager',
    'Microsoft-Windows-TerminalServices-LocalSessionManager/Operational',
  ],
  ['vhdmp', 'Microsoft-Windows-VHDMP/Operational'],
  ['windefend', 'Microsoft-Windows-Windows Defender/Operational'],
  ['wmi', 'Microsoft-Windows-WMI-Activity/Operational'],
]

const OTHERS = `
linux/process_creation/ /webserver/ macos/process_creation/ aws//cloudtrail /proxy/ linux//auditd azure//auditlogs azure//activitylogs okta//okta
opencanary/application/ azure//signinlogs azure//riskdetection linux/file_event/ rpc_firewall/application/ linux// gcp//gcp.audit github//audit
bitbucket//audit cisco//aaa m365//threat_management /dns/ kubernetes/application/audit /antivirus/ fortigate//event zeek//smb_files
gcp//google_workspace.admin azure//pim kubernetes//audit m365//audit zeek//dns zeek//http linux/network_connection/ jvm/application/
macos/file_event/ zeek//dce_rpc linux//sshd gcp//google_workspace.login onelogin//onelogin.events //apache /firewall/ linux//syslog
spring/application/ qualys// cisco//duo /database/ //nginx cisco//ldp cisco//bgp zeek//x509 zeek//rdp zeek//kerberos huawei//bgp juniper//bgp
linux//guacamole linux//clamav linux//vsftpd linux//cron sql/application/ python/application/ velocity/application/ django/application/
nodejs/application/ ruby_on_rails/application/ windows// m365//threat_detection m365//exchange linux//sudo cisco//syslog
paloalto/file_event/globalprotect paloalto/appliance/globalprotect fortios//sslvpnd linux//auth //netflow`
  .trim()
  .split(/\s+/)

describe('the schema that ships', () => {
  it('loads without a diagnostic', () => {
    expect(diagnostics).toEqual([])
    expect(catalogue.sources.size).toBeGreaterThan(180)
    expect(catalogue.logsources.length).toBeGreaterThan(190)
  })

  it('names only sources that exist, and expressions that pass the checker', () => {
    const parts = catalogue.logsources.flatMap((each) => each.view.parts)
    expect(parts.filter((part) => !catalogue.sources.has(part.source))).toEqual([])
    const wrong = parts.flatMap((part) =>
      [part.where, ...part.fields.values()].flatMap((each) => checkExpr(each, 'open')),
    )
    expect(wrong).toEqual([])
    expect(parts.filter((part) => part.where.type !== 'bool')).toEqual([])
  })

  it('gives every source a name that begins with its product, and folds no name twice', () => {
    for (const { rename = {} } of catalogue.sources.values()) {
      const targets = new Set(Object.values(rename))
      expect(Object.keys(rename).filter((name) => targets.has(name))).toEqual([])
    }
    expect(catalogue.sources.get('windows.security')?.order).toBe('EventID')
    expect(catalogue.sources.get('syslog')?.rawIsText).toBe(true)
    expect(catalogue.sources.get('windows.sysmon')?.plain).toContain('CommandLine')
    expect(catalogue.sources.get('windows.sysmon')?.plain).toContain('EventRecordID')
  })

  it.each(CATEGORIES)('reads windows %s from %s', (category, expected) => {
    expect(idsOf(`windows/${category}/`)).toBe(expected)
  })

  it.each(SERVICES)('knows windows service %s and its channel %s', (service, channel) => {
    const answer = viewForLogsource(catalogue, { product: 'windows', service })
    expect(answer.known).toBe(true)
    const named = [...catalogue.sources.values()].filter(({ recognise }) =>
      recognise.some(({ where }) => where?.Channel?.includes(channel)),
    )
    expect(named.map((each) => each.name)).toEqual(answer.view.parts.map((part) => part.source))
    expect(answer.view.parts.every((part) => part.where === TRUE)).toBe(true)
  })

  it.each(OTHERS)('knows %s', (text) => {
    const answer = viewForLogsource(catalogue, logsourceOf(text))
    expect(answer.known).toBe(true)
    expect(answer.view.parts.length).toBeGreaterThan(0)
  })

  it('states the event type where Sysmon writes several under one id', () => {
    const [add] = partsOf('windows/registry_add/')
    const [gone] = partsOf('windows/registry_delete/')
    expect(printExpr(add?.where ?? TRUE)).toContain('CreateKey')
    expect(printExpr(gone?.where ?? TRUE)).toMatch(/DeleteKey.*DeleteValue/)
  })

  it('maps Security 4688 with its swapped process ids', () => {
    const [, part] = partsOf('windows/process_creation/')
    expect(mappingOf(part)).toEqual({
      Image: 'NewProcessName',
      ProcessId: 'text.hex_to_decimal(NewProcessId)',
      ParentImage: 'ParentProcessName',
      ParentProcessId: 'text.hex_to_decimal(ProcessId)',
      LogonId: 'SubjectLogonId',
      User:
        'case(logic.and(value.has_value(TargetUserName), logic.not(match.in(TargetUserName, ["-",""]))) -> ' +
        'text.join(TargetDomainName, "\\\\", TargetUserName), text.join(SubjectDomainName, "\\\\", SubjectUserName))',
      IntegrityLevel:
        'value.map(MandatoryLabel, ["S-1-16-4096","S-1-16-8192","S-1-16-12288","S-1-16-16384"], ["Low","Medium","High","System"])',
    })
  })

  it('maps Security 4657 onto the paths and words of Sysmon', () => {
    const [, part] = partsOf('windows/registry_event/')
    const fields = mappingOf(part)
    expect(fields.Image).toBe('ProcessName')
    expect(fields.TargetObject).toMatch(
      /^text\.replace_prefix\(text\.replace_prefix\(.*text\.join\(ObjectName, "\\\\", ObjectValueName\), ObjectName\)/,
    )
    expect(fields.TargetObject).toMatch(
      /"\\\\REGISTRY\\\\MACHINE", "HKLM"\), "\\\\REGISTRY\\\\USER", "HKU"\)$/,
    )
    expect(fields.TargetObject).toContain(
      '"\\\\REGISTRY\\\\MACHINE\\\\SYSTEM\\\\ControlSet001\\\\", "HKLM\\\\System\\\\CurrentControlSet\\\\"',
    )
    expect(fields.EventType).toMatch(
      /^value\.map\(OperationType, \["%%1904","%%1905","%%1906",.*\["SetValue","SetValue","DeleteValue",/,
    )
    expect(fields.Details).toMatch(
      /^case\(match\.in\(NewValueType, \["%%1876","REG_DWORD"\]\) -> text\.dword\(NewValue\),.*, NewValue\)$/,
    )
    expect(mappingOf(partsOf('windows/registry_add/')[1]).EventType).toBe('"CreateKey"')
    const operations = (text: string): readonly string[] =>
      printExpr(partsOf(text)[1]?.where ?? TRUE).match(/%%190\d/g) ?? []
    expect(operations('windows/registry_set/')).toEqual(['%%1904', '%%1905'])
    expect(operations('windows/registry_add/')).toEqual(['%%1904'])
    expect(operations('windows/registry_delete/')).toEqual(['%%1906'])
  })

  it('maps Security 5156 directions and protocols', () => {
    const fields = mappingOf(partsOf('windows/network_connection/')[1])
    expect(fields).toMatchObject({
      Image: 'Application',
      SourceIp: 'SourceAddress',
      DestinationIp: 'DestAddress',
      DestinationPort: 'DestPort',
      Initiated:
        'value.map(Direction, ["%%14593","%%14592","Outbound","Inbound"], ["true","false","true","false"])',
      Protocol: 'value.map(Protocol, ["6","17"], ["tcp","udp"])',
    })
  })

  it('maps antivirus names to Defender, and the second source of PowerShell and WMI', () => {
    expect(mappingOf(partsOf('/antivirus/')[0])).toEqual({
      Signature: 'ThreatName',
      Filename: 'Path',
    })
    expect(mappingOf(partsOf('windows/ps_module/')[1])).toEqual({
      ContextInfo: 'list.at(Data[], 2)',
      Payload: 'list.at(Data[], 3)',
    })
    expect(mappingOf(partsOf('windows/wmi_event/')[1]).EventID).toBe('"21"')
  })

  it('tests a query of a web server against the query and the whole target', () => {
    const [access, w3c] = partsOf('/webserver/')
    expect(access?.source).toBe('web.access')
    expect(mappingOf(access)['cs-uri-query']).toBe(
      'list.of(`cs-uri-query`, `cs-uri-query[]`, `c-uri`, `c-uri[]`)',
    )
    expect(mappingOf(w3c)['cs-user-agent']).toBe('value.first(`cs-user-agent`, `cs(User-Agent)`)')
  })

  it('reads Linux processes from Sysmon and from joined audit events', () => {
    const [sysmon, audit] = partsOf('linux/process_creation/')
    expect([sysmon?.source, printExpr(sysmon?.where ?? TRUE)]).toEqual([
      'linux.sysmon',
      'match.equals(EventID, "1")',
    ])
    expect([audit?.source, printExpr(audit?.where ?? TRUE)]).toEqual([
      'linux.auditd',
      'match.equals(type, "EXECVE")',
    ])
    expect(mappingOf(audit)).toMatchObject({
      Image: 'exe',
      CommandLine: 'value.first(list.join(argv[], " "), argv)',
    })
  })

  it('folds the short names of Cisco NVM onto the long ones', () => {
    const rename = catalogue.sources.get('cisco.nvm')?.rename ?? {}
    const wanted = {
      pn: 'process_name',
      pppath: 'parent_process_path',
      da: 'dest_ip',
      dh: 'dest_hostname',
      pr: 'protocol_identifier',
      liuid: 'logged_in_user',
      obc: 'bytes_out',
      mhl: 'module_hash_list',
    }
    expect(rename).toMatchObject(wanted)
    expect(new Set(Object.values(rename)).size).toBe(Object.keys(rename).length)
  })
})

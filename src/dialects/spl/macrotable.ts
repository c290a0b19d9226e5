/**
 * Macros that published searches call: those of Splunk's own apps, which no pack ships, and the names that packs have
 * for sources, programs and settings, for a search that is given without its pack. A macro of a pack or of the user goes
 * before these. One a line: `name = definition`, `name(argument) = definition`.
 */
import type { Macro } from './world.ts'

/** Of the Common Information Model, Enterprise Security and other apps. Asset and domain lists are empty here. */
const APPS = `
drop_dm_object_name(x) = rename "$x$.*" as "*"
summariesonly = summariesonly=false
get_asset(field) = lookup asset_lookup_by_str asset as $field$ OUTPUTNEW priority as $field$_priority category as $field$_category bunit as $field$_bunit owner as $field$_owner
get_identity4events(field) = lookup identity_lookup_expanded identity as $field$ OUTPUTNEW priority as $field$_priority category as $field$_category bunit as $field$_bunit
get_risk_severity(score) = eval severity=case($score$>=100, "critical", $score$>=80, "high", $score$>=60, "medium", $score$>=40, "low", true(), "informational")
ut_shannon(word) = lookup ut_shannon_lookup word as $word$
cim_corporate_web_domain_search(field) = search NOT [| inputlookup cim_corporate_web_domain_lookup | rename domain as "$field$" | fields "$field$"]
cim_corporate_email_domain_search(field) = search NOT [| inputlookup cim_corporate_email_domain_lookup | rename domain as "$field$" | fields "$field$"]
globedistance(lat1,lon1,lat2,lon2,units) = eval distance=2*if("$units$"=="m",3959,6371)*asin(sqrt(pow(sin(($lat2$-$lat1$)*pi()/360),2)+cos($lat1$*pi()/180)*cos($lat2$*pi()/180)*pow(sin(($lon2$-$lon1$)*pi()/360),2)))
notable = search index=notable
risk = search index=risk
`

/** Settings and small steps of the published pack. */
const SETTINGS = `
summariesonly_config = false
oldsummaries_config = true
fillnull_config = null
security_content_summariesonly = summariesonly=\`summariesonly_config\` allow_old_summaries=\`oldsummaries_config\` fillnull_value=\`fillnull_config\`
security_content_ctime(field) = convert timeformat="%Y-%m-%dT%H:%M:%S" ctime($field$)
cloud_api_calls_from_previously_unseen_user_roles_activity_window = "-70m@m"
previously_seen_cloud_api_calls_per_user_role_forget_window = "-90d@d"
previously_seen_cloud_compute_creations_by_user_search_window_begin_offset = "-70m@m"
previously_seen_cloud_compute_image_search_window_begin_offset = "-70m@m"
previously_seen_cloud_compute_images_forget_window = "-90d@d"
previously_seen_cloud_compute_instance_type_forget_window = "-90d@d"
previously_seen_cloud_compute_instance_types_search_window_begin_offset = "-70m@m"
previously_seen_cloud_instance_modifications_by_user_search_window_begin_offset = "-70m@m"
previously_seen_cloud_provisioning_activity_forget_window = "-90d@d"
previously_seen_cloud_region_forget_window = "-90d@d"
previously_seen_cloud_regions_search_window_begin_offset = "-70m@m"
previously_seen_windows_services_forget_window = "-90d@d"
previously_seen_windows_services_window = "-70m@m"
previously_seen_zoom_child_processes_forget_window = "-90d@d"
previously_seen_zoom_child_processes_window = "-70m@m"
previously_unseen_cloud_provisioning_activity_window = "-70m@m"
potential_password_in_username_false_positive_reduction = search *
prohibited_softwares = search *
`

/** Names of sources; where newer add-ons give another sourcetype, both are meant. */
const SOURCES = `
admon = source=ActiveDirectory
amazon_security_lake = sourcetype=aws:cloudtrail:lake
applocker = (source="WinEventLog:Microsoft-Windows-AppLocker/*" OR source="XmlWinEventLog:Microsoft-Windows-AppLocker/*")
aws_cloudwatchlogs_eks = sourcetype="aws:cloudwatchlogs:eks"
aws_config = sourcetype=aws:config
aws_description = sourcetype="aws:description"
aws_s3_accesslogs = sourcetype=aws:s3:accesslogs
aws_securityhub_finding = sourcetype="aws:securityhub:finding"
aws_securityhub_firehose = sourcetype="aws:securityhub:firehose"
azure_audit = sourcetype=mscs:azure:audit
azure_monitor_aad = sourcetype=azure:monitor:aad
azuread = sourcetype=mscs:azure:eventhub
bootloader_inventory = sourcetype=PwSh:bootloader
capi2_operational = (source=XmlWinEventLog:Microsoft-Windows-CAPI2/Operational)
certificateservices_lifecycle = (source=XmlWinEventLog:Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational OR source=XmlWinEventLog:Microsoft-Windows-CertificateServicesClient-Lifecycle-User/Operational)
circleci = sourcetype=circleci
cisco_network_visibility_module_flowdata = (sourcetype="cisco:nvm:flowdata" OR sourcetype="cisco:nvm:flowdata:v2")
cisco_networks = eventtype=cisco_ios
cloudtrail = sourcetype=aws:cloudtrail
cloudwatch_eks = sourcetype="aws:cloudwatchlogs:eks"
cloudwatch_vpc = sourcetype=aws:cloudwatchlogs:vpcflow
cloudwatchlogs_vpcflow = sourcetype=aws:cloudwatchlogs:vpcflow
crowdstrike_identities = sourcetype=crowdstrike:identities
crowdstrike_stream = sourcetype="CrowdStrike:Event:Streams:JSON"
crushftp = sourcetype="crushftp:sessionlogs"
driverinventory = sourcetype=PwSh:DriverInventory
exchange = sourcetype="MSWindows:IIS"
f5_bigip_rogue = index=netops sourcetype="f5:bigip:rogue"
github = sourcetype=aws:firehose:json
google_gcp_pubnet_message = sourcetype="google:gcp:pubsub:message"
google_gcp_pubsub_message = sourcetype="google:gcp:pubsub:message"
gsuite_calendar = sourcetype=gsuite:calendar:json
gsuite_drive = sourcetype=gsuite:drive:json
gsuite_gmail = sourcetype=gsuite:gmail:bigquery
gws_reports_admin = sourcetype=gws:reports:admin
gws_reports_login = sourcetype=gws:reports:login
iis_get_webglobalmodule = sourcetype="Pwsh:InstalledIISModules"
iis_operational_logs = sourcetype="IIS:Configuration:Operational"
ivanti_vtm_audit = sourcetype=ivanti_vtm_audit
kube_audit = source="kubernetes"
kube_container_falco = sourcetype="kube:container:falco"
kube_objects_events = sourcetype=kube:objects:events
kubernetes_azure = sourcetype=mscs:storage:blob:json
kubernetes_container_controller = sourcetype=kube:container:controller
kubernetes_metrics = index=kubernetes_metrics
linux_auditd = sourcetype="linux:audit"
linux_hosts = index=unix
moveit_sftp_logs = sourcetype="sftp_server_logs"
ms_defender = source="WinEventLog:Microsoft-Windows-Windows Defender/Operational"
msexchange_management = sourcetype=MSExchange:management
netbackup = sourcetype="netbackup_logs"
nginx_access_logs = (sourcetype="nginx:plus:kv" OR sourcetype="nginx:plus:access")
ntlm_audit = sourcetype=XmlWinEventLog:Microsoft-Windows-NTLM/Operational OR source=XmlWinEventLog:Microsoft-Windows-NTLM/Operational
o365_graph = sourcetype=o365:graph:api
o365_management_activity = sourcetype=o365:management:activity
okta = eventtype=okta_log OR sourcetype="OktaIM2:log"
osquery_macro = sourcetype=osquery:results
osquery_process = eventtype="osquery-process"
papercutng = sourcetype="papercutng"
pingid = source=PINGID
powershell = (source=WinEventLog:Microsoft-Windows-PowerShell/Operational OR source="XmlWinEventLog:Microsoft-Windows-PowerShell/Operational")
printservice = source="wineventlog:microsoft-windows-printservice/operational" OR source="WinEventLog:Microsoft-Windows-PrintService/Admin"
remoteconnectionmanager = source="WinEventLog:Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"
risk_index = index=risk
s3_accesslogs = sourcetype=aws:s3:accesslogs
stream_dns = sourcetype=stream:dns
stream_http = sourcetype=stream:http
stream_tcp = sourcetype=stream:tcp
subjectinterfacepackage = sourcetype="PwSh:SubjectInterfacePackage"
suricata = sourcetype=suricata
sysmon = sourcetype=XmlWinEventLog:Microsoft-Windows-Sysmon/Operational OR source=XmlWinEventLog:Microsoft-Windows-Sysmon/Operational OR source=Syslog:Linux-Sysmon/Operational
wineventlog_application = eventtype=wineventlog_application OR source="XmlWinEventLog:Application"
wineventlog_security = eventtype=wineventlog_security OR Channel=security OR source=XmlWinEventLog:Security
wineventlog_system = eventtype=wineventlog_system OR source=XmlWinEventLog:System
wineventlog_task_scheduler = source="XmlWinEventLog:Security"
wmi = sourcetype="wineventlog:microsoft-windows-wmi-activity/operational"
zeek_rpc = index=zeek sourcetype="zeek:rpc:json"
zeek_ssl = index=zeek sourcetype="zeek:ssl:json"
zeek_x509 = sourcetype="zeek:x509:json"
zscaler_proxy = source=zscaler sourcetype=zscalernss-web
`

/** Programs of Windows as processes of the data model: the name after `process_`, and the names in their version. */
const PROGRAMS = `
bitsadmin: bitsadmin.exe
certutil: CertUtil.exe
cmd: Cmd.Exe
copy: copy.exe xcopy.exe
csc: csc.exe
curl: Curl.exe
diskshadow: diskshadow.exe
dllhost: dllhost.exe
dsquery: dsquery.exe
dxdiag: dxdiag.exe
esentutl: esentutl.exe
fodhelper: FodHelper.EXE
gpupdate: GPUpdate.exe
hh: HH.EXE
installutil: InstallUtil.exe
microsoftworkflowcompiler: Microsoft.Workflow.Compiler.exe
msbuild: MSBuild.exe
mshta: MSHTA.EXE
msiexec: msiexec.exe
net: net.exe net1.exe
netsh: netsh.exe
ntdsutil: ntdsutil.exe
ping: ping.exe
rclone: rclone.exe
reg: reg.exe
regasm: RegAsm.exe
regsvcs: RegSvcs.exe
regsvr32: REGSVR32.EXE
route: route.exe
runas: runas.exe
rundll32: RUNDLL32.EXE
schtasks: schtasks.exe
sdelete: sdelete.exe
setspn: setspn.exe
verclsid: verclsid.exe
vssadmin: VSSADMIN.EXE
wbadmin: WBADMIN.EXE
wermgr: wermgr.EXE
wmic: wmic.exe
nltest: nltest.exe | nltestrk.exe
procdump: procdump.exe procdump64.exe | procdump
psexec: psexec.exe psexec64.exe | psexec.c
powershell: pwsh.exe sqlps.exe sqltoolsps.exe powershell.exe powershell_ise.exe | pwsh.dll PowerShell.EXE powershell_ise.EXE
`

/** Groups of programs. */
const SHELLS = `
windows_shells = (Processes.process_name IN ("cmd.exe", "powershell.exe", "pwsh.exe", "sh.exe", "bash.exe", "wscript.exe", "cscript.exe"))
linux_shells = (Processes.process_name IN ("sh", "ksh", "zsh", "bash", "dash", "rbash", "fish", "csh", "tcsh", "ion", "eshell"))
`

const linesOf = (text: string): readonly string[] => text.trim().split('\n')

function macroOf(line: string): Macro {
  const [, name = '', args, definition = ''] = /^(\w+)(?:\(([^)]*)\))? = (.*)$/.exec(line) ?? []
  return { name, args: args === undefined ? [] : args.split(','), definition }
}

function programOf(line: string): Macro {
  const [name = '', rest = ''] = line.split(': ')
  const [first = '', second = first] = rest.split(' | ')
  const tests = [
    ...first.split(' ').map((each) => `Processes.process_name=${each}`),
    ...second.split(' ').map((each) => `Processes.original_file_name=${each}`),
  ]
  return { name: `process_${name}`, args: [], definition: `(${tests.join(' OR ')})` }
}

/** Every macro that is known without a pack. */
export const KNOWN_MACROS: readonly Macro[] = [
  ...[APPS, SETTINGS, SOURCES, SHELLS].flatMap((each) => linesOf(each).map(macroOf)),
  ...linesOf(PROGRAMS).map(programOf),
]

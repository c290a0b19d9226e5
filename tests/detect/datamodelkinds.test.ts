/** What each kind of log gives to data models: one small log, one search, what stands in its row. */
import { describe, expect, it } from 'vitest'
import { splStore, windowsEvent } from '../support/splstore.ts'

interface Kind {
  readonly file: string
  readonly lines: readonly string[]
  /** The dataset, and what chooses the event in it. */
  readonly dataset: string
  readonly where: string
  readonly gives: Readonly<Record<string, string>>
}

const json = (value: unknown): string => JSON.stringify(value)

const KINDS: readonly Kind[] = [
  {
    file: 'audit.log',
    lines: [
      'node=web1 type=USER_AUTH msg=audit(1769940000.101:11): pid=900 uid=0 auid=4294967295 ses=4294967295 msg=\'op=PAM:authentication grantors=? acct="mia" exe="/usr/bin/su" hostname=? addr=192.0.2.30 terminal=pts/0 res=failed\'',
    ],
    dataset: 'Authentication.Failed_Authentication',
    where: 'vendor_product="Linux Audit"',
    gives: { user: 'mia', app: 'su', src: '192.0.2.30', dest: 'web1', action: 'failure' },
  },
  {
    file: 'execve.log',
    lines: [
      'node=web1 type=SYSCALL msg=audit(1769940001.101:12): arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=700 pid=701 auid=1000 uid=0 comm="nc" exe="/usr/bin/nc" key=(null)',
      'node=web1 type=EXECVE msg=audit(1769940001.101:12): argc=3 a0="nc" a1="-e" a2="/bin/sh"',
    ],
    dataset: 'Endpoint.Processes',
    where: 'process_path="/usr/bin/nc"',
    gives: {
      process: 'nc -e /bin/sh',
      process_name: 'nc',
      parent_process_id: '700',
      user: 'root',
      dest: 'web1',
      parent_process_name: 'unknown',
    },
  },
  {
    file: 'update.xml',
    lines: [
      windowsEvent(
        'System',
        19,
        { updateTitle: 'Cumulative Update (KB5030001)', updateGuid: '{1}' },
        'Microsoft-Windows-WindowsUpdateClient',
      ),
    ],
    dataset: 'Updates.Successful_Updates',
    where: 'vendor_product="Microsoft Windows" status=Installed',
    gives: { dest: 'pc.example', signature_id: 'KB5030001', file_name: 'unknown' },
  },
  {
    file: 'service.xml',
    lines: [
      windowsEvent('Security', 4697, {
        ServiceName: 'upd',
        ServiceFileName: 'C:\\tools\\upd.exe',
        ServiceStartType: '2',
        SubjectUserName: 'mia',
      }),
    ],
    dataset: 'Endpoint.Services',
    where: 'service_name=upd',
    gives: { start_mode: 'auto start', service_path: 'C:\\tools\\upd.exe', user: 'mia' },
  },
  {
    file: 'registry.xml',
    lines: [
      windowsEvent('Security', 4657, {
        ObjectName: '\\REGISTRY\\MACHINE\\SOFTWARE\\Run',
        ObjectValueName: 'upd',
        OperationType: '%%1904',
        NewValueType: '%%1873',
        NewValue: 'upd.exe',
        ProcessName: 'C:\\Windows\\reg.exe',
        SubjectUserName: 'mia',
      }),
    ],
    dataset: 'Endpoint.Registry',
    where: 'registry_value_data=upd.exe',
    gives: {
      registry_path: 'HKLM\\SOFTWARE\\Run\\upd',
      registry_key_name: 'HKLM\\SOFTWARE\\Run',
      action: 'created',
      registry_value_type: 'REG_SZ',
      process_name: 'reg.exe',
      user: 'mia',
    },
  },
  {
    file: 'logon.xml',
    lines: [
      windowsEvent('Security', 4625, {
        TargetUserName: 'lee',
        TargetDomainName: 'CORP',
        SubjectUserName: '-',
        LogonType: '3',
        IpAddress: '::ffff:192.0.2.44',
        IpPort: '-',
        SubStatus: '0xc000006a',
        Status: '0xc000006d',
      }),
    ],
    dataset: 'Authentication.Authentication',
    where: 'user=lee',
    gives: {
      action: 'failure',
      app: 'win:remote',
      src: '192.0.2.44',
      src_user: 'unknown',
      dest: 'pc.example',
      reason: 'User name is correct but the password is wrong',
      signature: 'An account failed to log on',
    },
  },
  {
    file: 'group.xml',
    lines: [
      windowsEvent('Security', 4732, {
        MemberName: '-',
        MemberSid: 'S-1-5-21-9',
        TargetUserName: 'Administrators',
        SubjectUserName: 'mia',
      }),
    ],
    dataset: 'Change.Accounts_Updated',
    where: 'object=Administrators',
    gives: {
      user: 'S-1-5-21-9',
      src_user: 'mia',
      object_category: 'group',
      result: 'A member was added to a security-enabled local group',
      result_id: '4732',
    },
  },
  {
    file: 'conn.json',
    lines: [
      json({
        _path: 'conn',
        ts: '2026-02-01T10:00:00Z',
        uid: 'C1',
        'id.orig_h': '192.0.2.5',
        'id.orig_p': 50010,
        'id.resp_h': '203.0.113.5',
        'id.resp_p': 8443,
        proto: 'tcp',
        service: 'ssl',
        conn_state: 'REJ',
        orig_bytes: 10,
        resp_bytes: 20,
      }),
    ],
    dataset: 'Network_Traffic.Blocked_Traffic',
    where: 'dest_port=8443',
    gives: {
      src: '192.0.2.5',
      dest: '203.0.113.5',
      transport: 'tcp',
      bytes: '30',
      bytes_out: '10',
      bytes_in: '20',
      rule: 'unknown',
      app: 'ssl',
    },
  },
  {
    file: 'http.json',
    lines: [
      json({
        _path: 'http',
        ts: '2026-02-01T10:00:00Z',
        uid: 'C2',
        'id.orig_h': '192.0.2.5',
        'id.orig_p': 50011,
        'id.resp_h': '203.0.113.6',
        'id.resp_p': 80,
        trans_depth: 1,
        method: 'GET',
        host: 'old.example',
        uri: '/a.php?q=1',
        user_agent: 'x',
        status_code: 404,
        request_body_len: 0,
        response_body_len: 9,
      }),
    ],
    dataset: 'Web.Web',
    where: 'http_host=old.example',
    gives: {
      url: '/a.php?q=1',
      uri_path: '/a.php',
      uri_query: 'q=1',
      status: '404',
      url_domain: 'old.example',
      http_user_agent_length: '1',
      src: '192.0.2.5',
    },
  },
  {
    file: 'dns.json',
    lines: [
      json({
        _path: 'dns',
        ts: '2026-02-01T10:00:00Z',
        uid: 'C3',
        'id.orig_h': '192.0.2.5',
        'id.orig_p': 50012,
        'id.resp_h': '192.0.2.53',
        'id.resp_p': 53,
        proto: 'udp',
        trans_id: 5,
        query: 'txt.example',
        qtype_name: 'TXT',
        rcode: 0,
        rcode_name: 'NOERROR',
        rejected: false,
        answers: ['a', 'b'],
      }),
    ],
    dataset: 'Network_Resolution.DNS',
    where: 'query=txt.example answer=b',
    gives: {
      record_type: 'TXT',
      message_type: 'RESPONSE',
      reply_code: 'NOERROR',
      src: '192.0.2.5',
      dest: '192.0.2.53',
    },
  },
  {
    file: 'smtp.json',
    lines: [
      json({
        _path: 'smtp',
        ts: '2026-02-01T10:00:00Z',
        uid: 'C4',
        'id.orig_h': '192.0.2.5',
        'id.orig_p': 50013,
        'id.resp_h': '192.0.2.25',
        'id.resp_p': 25,
        helo: 'x',
        mailfrom: 'a@far.example',
        rcptto: ['b@near.example', 'c@near.example'],
        subject: 'Hi',
        msg_id: '<1@far.example>',
      }),
    ],
    dataset: 'Email.All_Email',
    where: 'recipient=c@near.example',
    gives: {
      src_user: 'a@far.example',
      src_user_domain: 'far.example',
      subject: 'Hi',
      message_id: '<1@far.example>',
      protocol: 'smtp',
    },
  },
  {
    file: 'x509.json',
    lines: [
      json({
        _path: 'x509',
        ts: '2026-02-01T10:00:00Z',
        id: 'F1',
        'certificate.serial': '0A',
        'certificate.subject': 'CN=site.example,O=Site',
        'certificate.issuer': 'CN=Some CA,O=CA Ltd',
      }),
    ],
    dataset: 'Certificates.SSL',
    where: 'ssl_serial=0A',
    gives: {
      ssl_subject_common_name: 'site.example',
      ssl_issuer_organization: 'CA Ltd',
      ssl_subject_email: 'unknown',
      dest_port: '0',
    },
  },
  {
    file: 'squid.log',
    lines: [
      '1769940000.500    120 192.0.2.5 TCP_DENIED/403 3900 GET http://bad.example/x mia HIER_NONE/- text/html',
    ],
    dataset: 'Web.Proxy',
    where: 'src=192.0.2.5',
    gives: {
      action: 'blocked',
      url: 'http://bad.example/x',
      url_domain: 'bad.example',
      dest: 'bad.example',
      status: '403',
      user: 'mia',
      http_method: 'GET',
    },
  },
  {
    file: 'cef.log',
    lines: [
      'CEF:0|Vendor|Wall|1.0|100|Deny|5|src=192.0.2.5 spt=50014 dst=203.0.113.7 dpt=23 proto=TCP act=Deny suser=mia',
    ],
    dataset: 'Network_Traffic.All_Traffic',
    where: 'dest_port=23',
    gives: {
      action: 'blocked',
      src: '192.0.2.5',
      dest: '203.0.113.7',
      transport: 'tcp',
      user: 'mia',
    },
  },
  {
    file: 'audit.json',
    lines: [
      json({
        time: '2026-02-01T10:00:00Z',
        category: 'AuditLogs',
        operationName: 'Add member to role',
        tenantId: 't',
        properties: {
          category: 'RoleManagement',
          activityDisplayName: 'Add member to role',
          operationType: 'Assign',
          result: 'success',
          loggedByService: 'Core Directory',
          initiatedBy: { user: { userPrincipalName: 'mia@corp.example', ipAddress: '192.0.2.9' } },
          targetResources: [{ type: 'User', displayName: 'Lee', id: '7' }],
        },
      }),
    ],
    dataset: 'Change.All_Changes',
    where: 'command="Add member to role"',
    gives: {
      user: 'mia@corp.example',
      src: '192.0.2.9',
      object: 'Lee',
      object_id: '7',
      object_category: 'User',
      status: 'success',
      action: 'modified',
    },
  },
  {
    file: 'o365.json',
    lines: [
      json({
        CreationTime: '2026-02-01T10:00:00',
        Id: '1',
        Operation: 'UserLoginFailed',
        Workload: 'AzureActiveDirectory',
        RecordType: 15,
        UserId: 'lee@corp.example',
        ClientIP: '203.0.113.50',
        LogonError: 'InvalidUserNameOrPassword',
      }),
    ],
    dataset: 'Authentication.Failed_Authentication',
    where: 'user=lee@corp.example',
    gives: {
      src: '203.0.113.50',
      app: 'AzureActiveDirectory',
      reason: 'InvalidUserNameOrPassword',
    },
  },
  {
    file: 'nvm.jsonl',
    lines: [
      json({
        udid: 'u1',
        fss: '1769940000',
        sa: '10.1.1.1',
        sp: '50015',
        da: '203.0.113.77',
        dp: '443',
        dh: 'far.example',
        pr: '17',
        pn: 'q.exe',
        ibc: '5',
        obc: '6',
        liuid: 'CORP\\mia',
      }),
    ],
    dataset: 'Network_Traffic.Allowed_Traffic',
    where: 'app=q.exe',
    gives: {
      dest: 'far.example',
      dest_ip: '203.0.113.77',
      transport: 'udp',
      user: 'CORP\\mia',
      bytes_in: '5',
      bytes_out: '6',
    },
  },
  {
    file: 'device.jsonl',
    lines: [
      json({
        Type: 'DeviceRegistryEvents',
        Timestamp: '2026-02-01T10:00:00Z',
        DeviceId: 'd',
        DeviceName: 'pc2',
        ActionType: 'RegistryValueSet',
        RegistryKey: 'HKEY_LOCAL_MACHINE\\Run',
        RegistryValueName: 'x',
        RegistryValueData: 'x.exe',
        RegistryValueType: 'String',
        InitiatingProcessFileName: 'reg.exe',
        ReportId: 1,
      }),
    ],
    dataset: 'Endpoint.Registry',
    where: 'dest=pc2',
    gives: {
      registry_path: 'HKEY_LOCAL_MACHINE\\Run\\x',
      action: 'modified',
      process_name: 'reg.exe',
      registry_value_type: 'REG_SZ',
    },
  },
  {
    file: 'pan.log',
    lines: [
      'Feb  1 10:00:00 fw1 1,2026/02/01 10:00:00,012801,TRAFFIC,end,2305,2026/02/01 10:00:00,192.0.2.5,203.0.113.90,0.0.0.0,0.0.0.0,out,corp\\mia,,ssl,vsys1,Trust,Untrust,e1/2,e1/1,fwd,2026/02/01 10:00:00,14740,1,50624,4443,0,0,0x40005e,tcp,deny,7419,6609,810,25,2026/02/01 09:59:00,65,any',
    ],
    dataset: 'Network_Traffic.Blocked_Traffic',
    where: 'dest_port=4443',
    gives: {
      src: '192.0.2.5',
      dest: '203.0.113.90',
      src_port: '50624',
      user: 'corp\\mia',
      app: 'ssl',
      rule: 'out',
      transport: 'tcp',
      bytes: '7419',
    },
  },
  {
    file: 'flow.log',
    lines: [
      '2 123456789012 eni-0abc 10.0.1.30 10.0.1.1 47254 2222 6 2 98 1769940000 1769940060 REJECT OK',
    ],
    dataset: 'Network_Traffic.All_Traffic',
    where: 'dest_port=2222',
    gives: { action: 'blocked', src: '10.0.1.30', transport: 'tcp', bytes: '98', dvc: 'eni-0abc' },
  },
  {
    file: 'pairs.log',
    lines: [
      'site="shop.example" dest_ip="192.0.2.1" src="198.51.100.61" status="500" uri_query="-" uri_path="/pay" http_method="PUT" http_user_agent="x y"',
    ],
    dataset: 'Web.Web',
    where: 'src=198.51.100.61',
    gives: {
      action: 'failure',
      url: '/pay',
      http_method: 'PUT',
      http_user_agent: 'x y',
      status: '500',
    },
  },
  {
    file: 'falcon.json',
    lines: [
      json({
        event_simpleName: 'ProcessRollup2',
        aid: 'a1',
        ComputerName: 'pc9',
        timestamp: '1769940000000',
        ImageFileName: '\\Device\\HarddiskVolume1\\tools\\z.exe',
        CommandLine: 'z.exe -q',
        ParentBaseFileName: 'cmd.exe',
        IntegrityLevel: '12288',
      }),
    ],
    dataset: 'Endpoint.Processes',
    where: 'dest=pc9',
    gives: {
      process_name: 'z.exe',
      process: 'z.exe -q',
      parent_process_name: 'cmd.exe',
      process_integrity_level: 'high',
    },
  },
]
const { one } = splStore([], Object.fromEntries(KINDS.map(({ file, lines }) => [file, lines])))

describe('data models of each kind of log', () => {
  it.each(KINDS)('$file', async ({ dataset, where, gives }) => {
    const fields = Object.keys(gives).join(' ')
    const row = await one(`| from datamodel:"${dataset}" | search ${where} | table ${fields}`)
    expect(row).toEqual(gives)
  })
})

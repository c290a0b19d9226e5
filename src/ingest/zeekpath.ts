/** Which Zeek log a file holds, told from its name where the records do not say. */

/** The logs that Zeek and its common packages write. */
const ZEEK_LOGS = new Set(
  (
    'analyzer capture_loss conn dce_rpc dhcp dnp3 dns dpd files ftp http intel irc kerberos known_certs known_hosts ' +
    'known_modbus known_services ldap ldap_search loaded_scripts modbus mqtt_connect mqtt_publish mqtt_subscribe mysql ' +
    'notice notice_alarm ntlm ntp ocsp packet_filter pe postgresql quic radius rdp reporter rfb signatures sip ' +
    'smb_cmd smb_files smb_mapping smtp snmp socks software ssh ssl stats syslog traceroute tunnel unknown_protocols ' +
    'weird websocket x509'
  ).split(' '),
)

/** The name of the Zeek log (`conn` for `conn.log`, `conn.10:00:00-11:00:00.log.gz`, `conn_2020.json`), or undefined. */
export function zeekPath(file: string): string | undefined {
  const base = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1)
  const word = /^[a-z][a-z0-9_]*/.exec(base)?.[0]
  if (word === undefined || !/\.(?:log|json|ndjson|jsonl)/.test(base)) return undefined
  const name = word.replace(/_\d+$/, '')
  return ZEEK_LOGS.has(word) ? word : ZEEK_LOGS.has(name) ? name : undefined
}

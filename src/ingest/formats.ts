/** All decoders, the more special ones first; the last takes any text. */
import { access } from './access.ts'
import { auditd } from './auditd.ts'
import { csv } from './csv.ts'
import type { Decoder } from './decoder.ts'
import { evtx } from './evtx.ts'
import { json } from './json.ts'
import { squid } from './squid.ts'
import { syslog } from './syslog.ts'
import { text } from './text.ts'
import { w3c } from './w3c.ts'
import { wintext } from './wintext.ts'
import { winxml } from './winxml.ts'
import { zeek } from './zeek.ts'

export const decoders: readonly Decoder[] = [
  evtx,
  winxml,
  wintext,
  json,
  zeek,
  w3c,
  auditd,
  access,
  squid,
  syslog,
  csv,
  text,
]

/** Messages: settings of channels, templates that no value can enter, and texts that are safe for where they go. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/limits.ts'
import { openChannels } from '../../src/detect/notify/channels.ts'
import { syslogLine } from '../../src/detect/notify/kinds/syslog.ts'
import { KINDS } from '../../src/detect/notify/kinds/table.ts'
import { messageJson } from '../../src/detect/notify/kinds/web.ts'
import { type Message, makeMessage, messageId } from '../../src/detect/notify/message.ts'
import { type OutboxRow, UNSENT } from '../../src/detect/notify/outbox.ts'
import { CHANNEL_KINDS } from '../../src/detect/notify/settings.ts'
import { fillTemplate, readTemplate } from '../../src/detect/notify/template.ts'
import { cut, defang, plainLine, valueText } from '../../src/detect/notify/words.ts'
import { readSettings } from '../../src/detect/settings.ts'
import { NOON, notifySettings, toldFinding } from '../support/notifying.ts'

const fill = (template: string, event: Record<string, string> = {}): string =>
  fillTemplate(readTemplate(template), toldFinding({ event }), (value) => value)

const problems = (yaml: string): readonly string[] =>
  readSettings(yaml).diagnostics.map(({ code, message }) => `${code} ${message}`)

describe('settings of channels', () => {
  it('have values that hold where nothing is said', () => {
    const { channels, allow } = notifySettings(`
notify:
  allow: [10.0.0.0/8]
  channels:
    - {name: log, kind: file, path: out.jsonl}
    - {name: soc, kind: slack, url_env: SLACK_URL, wait: 5m, when: {urgency: high, tags: attack.t1033}}
`)
    expect(allow).toEqual(['10.0.0.0/8'])
    expect(channels.map((each) => [each.name, each.batch, each.wait, each.perMinute])).toEqual([
      ['log', 'finding', 0, limits.messagesPerMinute],
      ['soc', 'all', 300_000, limits.messagesPerMinute],
    ])
    expect(channels[1]?.when).toMatchObject({ urgency: 'high', level: 'informational', rules: [] })
  })

  it('are refused with the key that is wrong', () => {
    expect(problems('notify: {channels: [{name: a, kind: pager, path: x}]}')[0]).toMatch(/kind/)
    expect(problems('notify: {channels: [{name: a, kind: webhook}]}')[0]).toMatch(/url/)
    expect(problems('notify: {channels: [{kind: file, path: x}]}')[0]).toMatch(/name/)
    expect(
      problems('notify: {channels: [{name: a, kind: file, path: x, secret: hunter2}]}')[0],
    ).toMatch(/HR931.*secret/)
    expect(
      problems('notify: {channels: [{name: a, kind: file, path: x, secret_env: "a b"}]}')[0],
    ).toMatch(/secret_env/)
    const twice = '{name: a, kind: file, path: x}'
    expect(problems(`notify: {channels: [${twice}, ${twice}]}`)[0]).toMatch(/name of its own/)
  })

  it('need their secrets in the environment, and targets that may be reached', () => {
    const open = (yaml: string, env: Record<string, string> = {}) =>
      openChannels(notifySettings(yaml), {
        env,
        pathOf: (path) => path,
        hostname: 'h',
        version: '1',
        now: () => NOON,
      }).diagnostics.map(({ code }) => code)
    const hook = 'notify: {channels: [{name: a, kind: webhook, url_env: HOOK}]}'
    expect(open(hook)).toEqual(['HR750'])
    expect(open(hook, { HOOK: 'https://hooks.example.com/x' })).toEqual([])
    expect(open(hook, { HOOK: 'http://169.254.169.254/x' })).toEqual(['HR753'])
    expect(open('notify: {allow: ["a b"]}')).toEqual(['HR751'])
    expect(open('notify: {proxy: "http://me:secret@proxy:3128"}')).toEqual(['HR752'])
    const mail = (to: string) =>
      `notify: {channels: [{name: a, kind: email, url: "smtp://mail.example.com", from: a@example.com, to: ${to}}]}`
    expect(open(mail('"b@example.com"'))).toEqual([])
    expect(open(mail('"b@example.com\\r\\nBcc: c@example.com"'))).toEqual(['HR753'])
    expect(open('notify: {channels: [{name: a, kind: syslog, url: "udp://localhost"}]}')).toEqual([
      'HR753',
    ])
    expect(
      open('notify: {channels: [{name: a, kind: syslog, url: "http://x.example.com"}]}'),
    ).toEqual(['HR753'])
  })
})

describe('a template', () => {
  it('has holes for keys of the finding and for fields of the event', () => {
    expect(
      fill('{{rule_title}} {{ host }} $user$ {{event.user}}', { user: 'bob', host: 'other' }),
    ).toBe('Whoami as System DC1 bob bob')
    expect(fill('$host$ {{host}} $rule_title$', { host: 'other' })).toBe(
      'other DC1 Whoami as System',
    )
    expect(fill('$gone$ {{event.gone}} {{__proto__}} {{constructor}} {{toString}}')).toBe(
      '- - - - -',
    )
    expect(fill('costs $5, {{ and $')).toBe('costs $5, {{ and $')
  })

  it('is filled in one pass: nothing that a value holds is a hole', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (one, other) => {
        const filled = fill('<$one$|{{event.two}}>', { one, two: other })
        expect(filled).toBe(`<${valueText(one) || '-'}|${valueText(other) || '-'}>`)
      }),
    )
    expect(
      fill('$dest$', { dest: `$user$ {{event.user}} \${jndi:ldap://x/a}`, user: 'SECRET' }),
    ).toBe(`$user$ {{event.user}} \${jndi:ldap[:]//x/a}`)
  })

  it('takes long and broken templates in linear time', () => {
    const started = performance.now()
    for (const piece of ['{{', '$', '$a', '{{a}', '}}']) readTemplate(piece.repeat(50_000))
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('a value in a message', () => {
  it('stays on one line, without characters that hide, and no link', () => {
    expect(valueText('a\r\nb\u202ec\u200bd\x1b[2J')).toBe('a\\r\\nb\\u{202e}c\\u{200b}d\\u{1b}[2J')
    expect(defang('see HTTP://Evil.example:80/a.b and https://x.y?z www.q.r')).toBe(
      'see Hxxp://Evil[.]example:80/a.b and hxxps://x[.]y?z www[.]q.r',
    )
    expect(cut('abc', 3)).toBe('abc')
    expect(cut('ab😀cd', 3)).toBe('ab... (+4)')
    expect(valueText(['a', 'b'])).toBe('a, b')
    expect(plainLine('x\ud800')).toBe('x\\u{d800}')
  })

  it('is at most so long, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 700 }), (text) => {
        const shown = valueText(text)
        expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u202e]/)
        expect(shown.isWellFormed()).toBe(true)
      }),
      { numRuns: 40 },
    )
  })
})

function rowOf(finding = toldFinding(), change: Partial<OutboxRow> = {}): OutboxRow {
  return {
    ...UNSENT,
    finding: finding.id,
    channel: 'soc',
    state: 'claimed',
    rank: 3,
    run: 'rule-1 x',
    title: finding.rule_title,
    filled: NOON,
    next: NOON,
    body: JSON.stringify(finding),
    ...change,
  }
}

const plain = { title: undefined, text: undefined, safe: (value: string) => value }
const one = (change = {}): Message =>
  makeMessage('id', 'finding', [rowOf(toldFinding(change))], plain)

describe('a message', () => {
  it('tells of one finding, of several, or how many there are', () => {
    expect(one().title).toBe('[high] Whoami as System on DC1')
    expect(one().text.split('\n')).toEqual([
      'Rule: Whoami as System',
      'Urgency: high',
      'Time: 2026-01-02T03:04:05.0000000Z',
      'Host: DC1',
      'CommandLine: whoami /all',
      'User: SYSTEM',
      'Finding: f00d',
    ])
    const rows = Array.from({ length: 30 }, (_, at) =>
      rowOf(toldFinding({ id: `f${at}`, urgency: at === 7 ? 'critical' : 'low' })),
    )
    const digest = makeMessage('id', 'digest', rows, plain)
    expect(digest.title).toBe('[critical] 30 findings')
    expect(digest.findings).toHaveLength(limits.messageFindings)
    expect(digest.text).toMatch(/^30 findings, urgency up to critical\n30 x Whoami as System/)
    expect(digest.text).toMatch(/and 10 more$/)
    const summary = makeMessage('id', 'summary', rows, plain)
    expect(summary).toMatchObject({ title: '[critical] 30 more findings', findings: [], count: 30 })
  })

  it('is the same whenever it is made, under an id that only its channel and findings give', () => {
    expect(messageJson(one())).toBe(messageJson(one()))
    expect(messageId('a', ['x', 'y'])).toBe(messageId('a', ['y', 'x']))
    expect(messageId('a', ['x', 'y'])).not.toBe(messageId('b', ['x', 'y']))
    expect(messageId('a', ['xy'])).not.toBe(messageId('a', ['x', 'y']))
  })

  it('survives a row whose body is not what was written', () => {
    for (const body of ['', '{', '{"notice":1}', 'null', '[]']) {
      const { text } = makeMessage('id', 'finding', [rowOf(toldFinding(), { body })], plain)
      expect(text).toBe('a finding that cannot be shown')
    }
  })

  it('gives Slack no mention and no link, and Teams no Markdown', () => {
    const hostile = '<!channel> <https://evil.example|ok> & *x* [a](b)'
    const safe = KINDS.slack.safe(hostile)
    expect(safe).toBe('&lt;!channel&gt; &lt;https://evil.example|ok&gt; &amp; *x* [a](b)')
    expect(CHANNEL_KINDS.map((kind) => KINDS[kind].kind)).toEqual(CHANNEL_KINDS)
  })
})

describe('a line of syslog', () => {
  const around = {
    hostname: 'me',
    version: '1.0',
    now: () => NOON,
    pathOf: (path: string) => path,
    allowed: { hosts: new Set<string>(), networks: [] },
  }
  const line = (format: string, message: Message): string => {
    const [channel] = notifySettings(
      `notify: {channels: [{name: s, kind: syslog, url: "udp://x.example.com", format: ${format}}]}`,
    ).channels
    if (channel === undefined) throw new Error('no channel')
    return syslogLine(message, channel, around)
  }

  it('has structured data and a text of JSON, CEF or words', () => {
    const head = '<83>1 2026-01-02T12:00:00.000Z me harrier - finding '
    const data =
      '[harrier@32473 id="id" form="finding" count="1" urgency="high" rule="rule-1" host="DC1"]'
    expect(line('text', one()).startsWith(`${head}${data} [high] Whoami as System on DC1; `)).toBe(
      true,
    )
    expect(line('cef', one())).toContain(
      'CEF:0|Harrier|Harrier|1.0|rule-1|Whoami as System|8|rt=1767355200000 externalId=f00d cnt=1 dvchost=DC1 ',
    )
    expect(JSON.parse(line('json', one()).slice(head.length + data.length))).toMatchObject({
      rule_title: 'Whoami as System',
      event: { CommandLine: 'whoami /all' },
    })
  })

  it('stays one line of its own fields whatever a value holds', () => {
    const host = 'a"] [x y="1"\\\n<13>1 - - - - - -'
    const hostile = one({
      host,
      rule_title: 'a|b\\c\nd',
      event: { CommandLine: 'x=1 act=blocked\nCEF:0' },
    })
    for (const format of ['text', 'cef', 'json']) {
      const text = line(format, hostile)
      expect(text).not.toMatch(/[\r\n]/)
      expect(text).toContain('host="a\\"\\] [x y=\\"1\\"\\\\\\\\n<13>1 - - - - - -"')
    }
    expect(line('cef', hostile)).toContain('|a\\|b\\\\c\\\\nd|')
    expect(line('cef', hostile)).toContain('x\\=1 act\\=blocked')
  })

  it('fits, and its JSON can still be read', () => {
    const big = one({
      event: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, 'é'.repeat(900)])),
    })
    for (const format of ['text', 'cef', 'json']) {
      expect(Buffer.byteLength(line(format, big))).toBeLessThanOrEqual(limits.syslogBytes)
    }
    const text = line('json', big)
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ rule_id: 'rule-1' })
  })
})

/** E-mail over SMTP: plain text, to a checked address of the server, with a certificate that is verified. */
import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import { limits } from '../../../core/limits.ts'
import { RefusedError } from '../../../net/place.ts'
import { checkedAddresses } from '../../../net/resolve.ts'
import { plainLine } from '../words.ts'
import { asIs, type Kind, SendError, serverOf } from './sender.ts'

const ADDRESS = /^[^\s<>"(),:;\\[\]\p{Cc}]{1,64}@[^\s<>"(),:;\\[\]\p{Cc}]{1,255}$/u

function addressOf(text: string | undefined): string {
  if (text === undefined || !ADDRESS.test(text)) {
    throw new RefusedError(`"${plainLine(text ?? '')}" is no e-mail address`)
  }
  return text
}

/** The code of an answer of an SMTP server, 0 where there was none. */
function codeOf(error: unknown): number {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'responseCode') : undefined
  return typeof code === 'number' ? code : 0
}

export const email: Kind = {
  kind: 'email',
  promise: 'at least once; a repeat has the same Message-ID',
  safe: asIs,
  open(target, { allowed, resolver, ca }) {
    const { scheme, host, port } = serverOf(target.url, { smtp: 587, smtps: 465 })
    const from = addressOf(target.from)
    const to = target.to.map(addressOf)
    const hasLogin = target.user !== undefined && target.password !== undefined
    const domain = from.slice(from.lastIndexOf('@') + 1)
    return {
      async send(message) {
        const [address = host] = await checkedAddresses(host, allowed, resolver)
        const wait = limits.fetchSeconds * 1_000
        const transport = createTransport({
          host: address,
          port,
          secure: scheme === 'smtps',
          // A password is never sent in the clear.
          requireTLS: hasLogin,
          ...(hasLogin ? { auth: { user: target.user, pass: target.password } } : {}),
          tls: {
            rejectUnauthorized: true,
            minVersion: 'TLSv1.2',
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...(ca === undefined ? {} : { ca }),
          },
          dnsTimeout: wait,
          connectionTimeout: wait,
          greetingTimeout: wait,
          socketTimeout: wait,
          disableFileAccess: true,
          disableUrlAccess: true,
        })
        try {
          await transport.sendMail({
            from,
            to,
            subject: plainLine(message.title),
            text: message.text,
            date: new Date(message.time),
            messageId: `<${message.id}@${domain}>`,
            headers: { 'Auto-Submitted': 'auto-generated', 'X-Harrier-Message': message.id },
          })
        } catch (error) {
          const code = codeOf(error)
          const reason = error instanceof Error ? error.message : String(error)
          throw new SendError(plainLine(reason).slice(0, 300), code === 552 || code === 554)
        } finally {
          transport.close()
        }
      },
    }
  },
}

/** A proxy's log in the form of Squid: pages that the desks of a company read, by the names of the machines. */
import { randomFrom, seedOf } from '../random.ts'
import { at, type Log, makeLog } from './log.ts'

const FROM = at('08:00:00')
const TO = at('10:40:00')

/** Lines of a proxy: ordinary pages, and the pages before programs that a browser started. */
export function proxyLog(): Log<string> {
  const log = makeLog<string>()
  const random = randomFrom(seedOf('proxy.log'))
  const page = (time: number, who: string, url: string, result = 'TCP_MISS/200'): void => {
    const cells = [
      (time / 1000).toFixed(3),
      random.between(20, 900),
      `lt${who.slice(-2)}.corp.example.com`,
      result,
      random.between(500, 90_000),
      'GET',
      url,
      who,
      `HIER_DIRECT/198.51.100.${random.between(1, 250)}`,
      'text/html',
    ]
    log.add(time, cells.join(' '))
  }
  for (let done = 0; done < 240; done++) {
    const who = `user${random.between(21, 29)}`
    const host = `${random.pick(['www', 'news', 'docs'])}${random.below(30)}.example.org`
    page(random.between(FROM, TO), who, `https://${host}/${random.hex(4)}`)
  }
  page(at('09:05:10'), 'user31', 'https://www.invoice-portal.example.net/read')
  page(at('09:16:00'), 'user33', 'https://prize.example.net/win', 'TCP_DENIED/403')
  return log
}

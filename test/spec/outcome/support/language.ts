import type { Report } from '../../../../src/core/outcome/evidence'
import type { Doubt, LookUp } from '../../../../src/core/outcome/incarnation'
import { parseLsn } from '../../../../src/core/outcome/lsn'

/**
 * The language of the fixtures. An incarnation is `X/1/s1` (system identifier, timeline, start), `-` for what cannot be
 * read; then words: `replay=0/90`, `stats=z` or `stats=-`. Times are milliseconds.
 */
interface Words {
  readonly plain: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

function split(text: string): Words {
  const words = text.split(' ').filter((word) => word !== '')
  const pairs = words.filter((word) => word.includes('=')).map((word) => word.split('=') as [string, string])
  return { plain: words.filter((word) => !word.includes('=')), named: new Map(pairs) }
}

function incarnationOf(text: string, { named }: Words): LookUp['incarnation'] {
  const [systemIdentifier, timeline, start] = text.split('/').map((part) => (part === '-' ? undefined : part))
  return {
    systemIdentifier,
    timeline: timeline === undefined ? undefined : Number(timeline),
    postmasterStartTime: start,
    replayLsn: parseLsn(named.get('replay')),
    statsReset: named.get('stats') === '-' ? undefined : named.get('stats'),
  }
}

/**
 * What is not said otherwise: at 1000 a witness `0/100` came from host `a`, `X/1/s1` after a clean start with statistics
 * `z1`; the server closed the connection at 1010.
 */
export function parseDoubt(text: string): Doubt {
  const words = split(text)
  const identity = words.plain.find((word) => word.includes('/')) ?? 'X/1/s1'
  const incarnation = incarnationOf(identity, words)
  return {
    host: 'a',
    witness: { xid: '700', lsn: parseLsn('0/100') ?? 0n },
    incarnation: {
      ...incarnation,
      statsReset: words.named.has('stats') ? incarnation.statsReset : 'z1',
    } as Doubt['incarnation'],
    direct: !words.plain.includes('proxied'),
    witnessedAt: 1000,
    lostAt: Number(words.named.get('lost') ?? 1010),
    closedByPeer: !words.plain.includes('cut'),
    stalled: words.plain.includes('stalled'),
  }
}

/** `b X/2/s2 replay=0/120 stats=z2 committed`; `in-progress`, `in-the-future` and `forgotten` are written so. */
export function parseLookUp(text: string): LookUp {
  const words = split(text)
  const [host = '', identity = '', status = ''] = words.plain
  return {
    host,
    incarnation: incarnationOf(identity, words),
    status: status === 'forgotten' ? undefined : (status.replaceAll('-', ' ') as LookUp['status']),
  }
}

/**
 * `1020 a refused`, `1025 a starting` (57P03), `1030 a failed` (in any other way), `990-995 b standby X/1/s2 replay=0/90 follows=1 #1`, `1100 b primary X/2/s2 replay=0/120 #1`: the time of
 * question and answer, the host, what it is, and the session. A standby's timeline is that of its WAL receiver; `follows`
 * is that of its control file.
 */
export function parseReport(text: string): { readonly host: string; readonly report: Report } {
  const words = split(text)
  const [times = '', host = '', role = '', identity = '', session = '#1'] = words.plain
  const [sentAt = 0, receivedAt = sentAt] = times.split('-').map(Number)
  if (role === 'refused') return { host, report: { type: 'refused', by: 'nobody', sentAt, receivedAt } }
  if (role === 'starting') return { host, report: { type: 'refused', by: 'postmaster', sentAt, receivedAt } }
  if (role === 'failed') return { host, report: { type: 'failed', receivedAt } }
  const { replayLsn, systemIdentifier, timeline, postmasterStartTime } = incarnationOf(identity, words)
  const answer = {
    inRecovery: role === 'standby',
    defaultTransactionReadOnly: false,
    systemIdentifier,
    timeline,
    postmasterStartTime,
    lsn: replayLsn,
    roundTripMillis: 1,
  }
  const follows = words.named.get('follows')
  const recovery = {
    replayLsn,
    timeline: follows === undefined ? undefined : Number(follows),
    session: Number(session.slice(1)),
  }
  return { host, report: { type: 'answer', sentAt, receivedAt, answer, recovery } }
}

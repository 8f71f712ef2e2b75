import { show } from '../support/format'
import type { Report } from '../support/report'
import { median, percentile } from '../support/statistics'
import type { Fault } from './fault'
import { tally } from './tally'
import type { Round } from './round'

/** The monitors' default time-out: how long a frozen server may go unnoticed. */
const monitorTimeoutMillis = 1000
const unknown = 'OutcomeUnknownError'

/** What ours must keep to. `most`: how many writes can be in flight. */
export function judge(report: Report, rounds: readonly Round[], most: number): void {
  const of = (...faults: Fault[]): readonly Round[] => rounds.filter(({ fault }) => faults.includes(fault))
  const zero = (name: string, found: number): void =>
    report.bound({ name, required: '0', measured: String(found), met: found === 0 })

  const cut = of('kill', 'freeze')
  if (cut.length > 0) {
    const { failed, failures } = tally(cut, 'insert')
    const inFlight = failures.get(unknown) ?? 0
    zero(`kill, freeze: failed otherwise than by ${unknown}`, failed - inFlight)
    const limit = most * cut.length
    const required = `≤ ${limit}: what was in flight`
    report.bound({ name: `kill, freeze: ${unknown}`, required, measured: String(inFlight), met: inFlight <= limit })
  }
  const clean = of('switchover', 'restart')
  if (clean.length > 0) {
    const { failed, lostInReplication } = tally(clean, 'insert')
    zero('switchover, restart: failed writes', failed)
    zero('switchover, restart: acknowledged but lost', lostInReplication)
  }
  const writes = tally(rounds, 'insert')
  zero('idempotent writes failed', tally(rounds, 'upsert').failed)
  zero('reads failed', tally(rounds, 'read').failed)
  zero('written twice', writes.writtenTwice)
  zero('acknowledged by a stale leader and lost', writes.lostOnStaleLeader)

  const promotions = tally(of('kill', 'switchover'), 'insert').firstWrites
  if (promotions.length > 0) {
    const few = promotions.length < 20 ? ' (20 are asked for)' : ''
    const over = `over ${promotions.length} failovers${few}`
    const middle = median(promotions)
    const high = percentile(promotions, 0.99)
    const name = 'server writable to first acknowledged write'
    report.bound({ name: `${name}, median ms, ${over}`, required: '≤ 20', measured: show(middle), met: middle <= 20 })
    report.bound({ name: `${name}, p99 ms, ${over}`, required: '≤ 100', measured: show(high), met: high <= 100 })
  }
  const frozen = of('freeze')
  if (frozen.length > 0) {
    const slowest = Math.max(...tally(frozen, 'insert').firstWrites)
    report.bound({
      name: 'freeze: promotion to first acknowledged write, slowest, ms',
      required: `≤ ${monitorTimeoutMillis}: one monitor time-out`,
      measured: show(slowest),
      met: slowest <= monitorTimeoutMillis,
    })
    zero('freeze: statements the thawed old leader executed', writes.staleWrites)
  }
}

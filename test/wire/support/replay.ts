import { parseLsn } from '../../../src/core/outcome/lsn'
import type { Answer, Role } from './answers'
import type { Refusal } from './witness-answers'

/** Where a standby stands, asked by a session that reads. */
export function replayAnswer(text: string, role: Role): Answer | undefined {
  if (!text.startsWith('select pg_last_wal_replay_lsn()::text as lsn')) return undefined
  const row = { lsn: role.replayLsn, timeline: String(role.timeline), version: String(role.version) }
  return { columns: Object.keys(row), rows: role.recovery ? [Object.values(row)] : [], tag: 'SELECT 1' }
}

/** Those who wait for a standby to have replayed something, as PostgreSQL 19 has it. */
export class ReplayWaiters {
  readonly #waiting = new Set<() => void>()

  /** How many there are. */
  get count(): number {
    return this.#waiting.size
  }

  /** The role has changed. */
  look(): void {
    for (const look of this.#waiting) look()
  }

  /** What becomes of WAIT FOR; undefined for any other statement. */
  wait(text: string, role: () => Role): Promise<Answer | Refusal> | undefined {
    if (!/^wait for/i.test(text)) return undefined
    const [, target, millis] = /^wait for lsn '([^']+)' with \(timeout '(\d+)ms', no_throw\)$/i.exec(text) ?? []
    const lsn = parseLsn(target)
    // An older server knows no such statement.
    if (lsn === undefined || role().version < 190_000) return Promise.resolve({ refused: '42601' })
    return this.#status(lsn, Number(millis), role).then((status) => ({
      columns: ['status'],
      rows: [[status]],
      tag: 'WAIT',
    }))
  }

  #status(lsn: bigint, millis: number, role: () => Role): Promise<string> {
    return new Promise((resolve) => {
      const settle = (status: string): void => {
        this.#waiting.delete(look)
        clearTimeout(timer)
        resolve(status)
      }
      const look = (): void => {
        const { recovery, replayLsn } = role()
        if (!recovery) settle('not in recovery')
        else if ((parseLsn(replayLsn) ?? 0n) >= lsn) settle('success')
      }
      // None at all is for ever.
      const timer = millis > 0 ? setTimeout(settle, millis, 'timeout') : undefined
      this.#waiting.add(look)
      look()
    })
  }
}

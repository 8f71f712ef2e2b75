import { poll } from '../../../support'
import type { ListenEvent, Pool, Subscription } from '../../../../src/index'

/** A handler that writes down what it is told. */
export interface Ear {
  readonly events: ListenEvent[]
  readonly subscription: Subscription
  /** What it was told, in short: payloads, and `gap`. */
  readonly told: string[]
  /** Until it has been told this. */
  hears(what: string): Promise<void>
}

export async function listenTo(pool: Pool, channel: string): Promise<Ear> {
  const events: ListenEvent[] = []
  const told: string[] = []
  const subscription = await pool.listen(channel, (event) => {
    events.push(event)
    told.push(event.type === 'gap' ? 'gap' : event.payload)
  })
  return {
    events,
    told,
    subscription,
    async hears(what) {
      await poll(() => told.includes(what), {
        what: `${channel} hears ${what}, and not only ${told.join()}`,
        timeoutMillis: 20_000,
      })
    },
  }
}

/** Sessions of clients on one server, but for monitors and the one who asks. */
export const listeners = `select pid, query from pg_stat_activity
  where backend_type = 'client backend' and application_name = $1 and query not like '%pg_is_in_recovery%'`

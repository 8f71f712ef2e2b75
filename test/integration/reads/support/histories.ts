import { session } from '../../../../src/index'
import type { Pool } from '../../../../src/index'

/** What one session did, in its order; each step begins when the one before it has ended. */
export type Step =
  | { readonly did: 'write'; readonly own: number }
  /** Its own counter, and that of all of them together. */
  | { readonly did: 'read'; readonly own: number; readonly all: number; readonly port: number }

/** What is wrong with a history, in words; nothing, if nothing is. */
export function violations(steps: readonly Step[]): { readonly writes: string[]; readonly back: string[] } {
  const writes: string[] = []
  const back: string[] = []
  let written = 0
  let seen = 0
  steps.forEach((step, place) => {
    if (step.did === 'write') {
      written = step.own
      return
    }
    if (step.own < written) writes.push(`step ${place}: ${written} was written, and ${step.own} read on ${step.port}`)
    if (step.all < seen) back.push(`step ${place}: ${seen} was read, and then ${step.all} on ${step.port}`)
    seen = Math.max(seen, step.all)
  })
  return { writes, back }
}

/** Sessions at work, until they are stopped. */
export interface Sessions {
  readonly histories: readonly (readonly Step[])[]
  /** Statements that failed: a write whose fate is unknown is not part of its history. */
  readonly errors: unknown[]
  stop(): Promise<void>
}

const write = (own: number): object => ({
  text: 'update counters set n = n + 1 where id = $1 returning n',
  values: [own],
})
const text = `select (select n from counters where id = $1) as own, (select sum(n)::int from counters) as all,
  current_setting('port')::int as port`

/** Each of `count` sessions writes now and then, and reads what it and the others have written. */
export function startSessions(pool: Pool, count: number, chance: () => number): Sessions {
  const histories: Step[][] = []
  const errors: unknown[] = []
  let stopped = false
  const run = (id: number): Promise<void> =>
    session(async () => {
      const steps: Step[] = []
      histories.push(steps)
      while (!stopped) {
        try {
          if (chance() < 0.3) {
            const { rows } =
              chance() < 0.5
                ? await pool.transaction((client) => client.query<{ n: number }>(write(id) as never))
                : await pool.query<{ n: number }>({ ...write(id), exactlyOnce: true } as never)
            steps.push({ did: 'write', own: rows[0]!.n })
          } else {
            const { rows } = await pool.query<Omit<Extract<Step, { did: 'read' }>, 'did'>>({
              text,
              values: [id],
              readOnly: true,
            })
            steps.push({ did: 'read', ...rows[0]! })
          }
        } catch (error) {
          errors.push(error)
        }
        await new Promise((resolve) => setTimeout(resolve, chance() * 5))
      }
    })
  const running = Array.from({ length: count }, (_, id) => run(id))
  return {
    histories,
    errors,
    stop: async () => {
      stopped = true
      await Promise.all(running)
    },
  }
}

import { expect } from 'vitest'
import type { Pool } from '../../../../src/index'
import { poll } from '../../../support'

/** Readers at work, until they are stopped or the pool is ended. */
export interface Load {
  /** Ports of the servers that answered, in order. */
  readonly ports: number[]
  readonly errors: unknown[]
  /** So many more reads have been answered. */
  more(count: number): Promise<unknown>
  stop(): Promise<void>
}

const text = 'select inet_server_port() as port, count(*)::int as n from generate_series(1, 100)'

/** Eight readers, each with one read after the other. `answered` is told of every answer. */
export function load(pool: Pool, answered: (port: number) => void = () => undefined): Load {
  const ports: number[] = []
  const errors: unknown[] = []
  let stopped = false
  const read = async (): Promise<void> => {
    while (!stopped && !pool.ending) {
      try {
        const { rows } = await pool.query<{ port: number; n: number }>({ text, readOnly: true })
        expect(rows[0]!.n).toBe(100)
        ports.push(rows[0]!.port)
        answered(rows[0]!.port)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  const readers = Array.from({ length: 8 }, read)
  return {
    ports,
    errors,
    more: (count) => {
      const wanted = ports.length + count
      return poll(() => ports.length >= wanted, { what: `${count} more reads are answered` })
    },
    stop: async () => {
      stopped = true
      await Promise.all(readers)
    },
  }
}

/** How many probes of a host had been answered when it answered its first read, the one by which it joined included. */
export class FirstRead {
  readonly #pool: Pool
  readonly #key: string
  readonly #probes = new Set<number>()
  /** Undefined as long as there was none. */
  probes: number | undefined

  constructor(pool: Pool, key: string) {
    this.#pool = pool
    this.#key = key
    pool.on('topology', () => this.#look())
  }

  /** A read has been answered: by it, or by another host. */
  answered(byIt: boolean): void {
    if (this.probes !== undefined) return
    this.#look()
    if (byIt) this.probes = this.#probes.size
  }

  #look(): void {
    const host = this.#pool.topology.hosts.find(({ host }) => host === this.#key)
    // No two of them take the same time, to the last digit of the clock.
    if (host?.role === 'standby' && host.roundTripMillis !== undefined) this.#probes.add(host.roundTripMillis)
  }
}

import { loadLibrary } from '../../support/built-library'
import { sharedNow } from '../../support/clock'
import { insertText, readText, upsertText } from '../statements'
import type { Contender, ContenderOptions } from './contender'

/** Ours, with its defaults. */
export function pgLeader({ target, max, library }: ContenderOptions): Contender {
  const { Pool } = loadLibrary(library)
  const { hosts, user, password, database } = target
  const host = hosts.map((entry) => entry.host).join(',')
  const port = hosts.map((entry) => entry.port).join(',')
  const connect = { host, port, user, password, database }
  const pool = new Pool({ ...connect, max })
  const noticedAt: number[] = []
  let generation = 0
  pool.on('topology', (topology) => {
    if (topology.leader === undefined || topology.generation === generation) return
    generation = topology.generation
    noticedAt.push(sharedNow())
  })
  return {
    noticedAt,
    insert: async (run, id) => (await pool.query<{ port: number }>(insertText, [run, id])).rows[0]!.port,
    upsert: async (run, id) => {
      await pool.query({ text: upsertText, values: [run, id], idempotent: true })
      return 0
    },
    read: async () => (await pool.query<{ port: number }>({ text: readText, readOnly: true })).rows[0]!.port,
  }
}

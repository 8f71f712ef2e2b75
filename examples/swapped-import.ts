// An application that used pg. Two lines have changed: the import, and the connection string, which now lists every
// host of the cluster.
//
//   -import { Pool } from 'pg'
//   +import { Pool } from 'pg-leader'
//
// A planned switchover is latency. After the kill of a server the insert that was in flight would end in an
// OutcomeUnknownError: environment.cjs shows a statement that may be sent twice.
//
// In this repository: `npm run build` first. In an application: `npm install pg-leader pg`.
//
//   DATABASE_URL=postgres://app:secret@db1,db2,db3/shop npx tsx examples/swapped-import.ts
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg-leader'

async function main(writes: number): Promise<void> {
  const pool = new Pool({ connectionString: process.env['DATABASE_URL'] })

  // For the curious. Nothing depends on it.
  pool.on('failover', ({ from, to, leaderlessMillis }) => {
    console.log(`${to} leads instead of ${from}, after ${Math.round(leaderlessMillis)} ms without a leader`)
  })

  await pool.query('create table if not exists visit (id int primary key, port int default inet_server_port())')
  let slowestMillis = 0
  for (let id = 1; id <= writes; id++) {
    const start = performance.now()
    await pool.query('insert into visit (id) values ($1)', [id])
    slowestMillis = Math.max(slowestMillis, performance.now() - start)
    if (id % 50 === 0) console.log(`${id} written`)
    await sleep(20)
  }

  const { rows } = await pool.query<{ port: number; visits: string }>(
    'select port, count(*) as visits from visit group by port order by min(id)',
  )
  for (const { port, visits } of rows) console.log(`port ${port} took ${visits}`)
  console.log(`${writes} written, none failed, the slowest took ${Math.round(slowestMillis)} ms`)
  await pool.end()
}

main(Number(process.argv[2] ?? 300)).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})

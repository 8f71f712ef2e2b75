// Everything comes from libpq's environment variables, lists of hosts and ports included. The program knows nothing of
// the cluster.
//
// In this repository: `npm run build` first. In an application: `npm install pg-leader pg`.
//
//   export PGHOST=db1,db2,db3 PGPORT=5432 PGUSER=app PGPASSWORD=secret PGDATABASE=shop PGTARGETSESSIONATTRS=read-write
//   node examples/environment.cjs
const { setTimeout: sleep } = require('node:timers/promises')
const { Pool } = require('pg-leader')

async function main(writes) {
  const pool = new Pool()

  await pool.query('create table if not exists measurement (id int primary key, port int default inet_server_port())')
  let slowestMillis = 0
  for (let id = 1; id <= writes; id++) {
    const start = performance.now()
    // A second execution changes nothing, and the pool is told so: it is sent again after any loss of a connection.
    await pool.query({
      text: 'insert into measurement (id) values ($1) on conflict (id) do nothing',
      values: [id],
      idempotent: true,
    })
    slowestMillis = Math.max(slowestMillis, performance.now() - start)
    if (id % 50 === 0) console.log(`${id} written`)
    await sleep(20)
  }

  console.log(`leader ${pool.topology.leader}, timeline ${pool.topology.timeline}`)
  console.log(`${writes} written, none failed, the slowest took ${Math.round(slowestMillis)} ms`)
  await pool.end()
}

main(Number(process.argv[2] ?? 300)).catch((error) => {
  console.error(error)
  process.exitCode = 1
})

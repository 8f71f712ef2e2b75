// A pool of pg that exists already, made by somebody else and held in many places, follows the leader from now on. Its
// options stay, user, password and database among them; only the hosts are new.
//
// In this repository: `npm run build` first. In an application: `npm install pg-leader pg`.
//
//   export DATABASE_URL=postgres://app:secret@db1/shop HOSTS=db1:5432,db2:5432,db3:5432
//   node examples/wrapped.mjs
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { wrap } from 'pg-leader'

/** Stands for a module that you cannot change. */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 })

wrap(pool, {
  hosts: process.env.HOSTS.split(',').map((entry) => {
    const [host, port] = entry.split(':')
    return { host, port: Number(port) }
  }),
})

const writes = Number(process.argv[2] ?? 300)
await pool.query('create table if not exists parcel (id int primary key, port int default inet_server_port())')
let slowestMillis = 0
for (let id = 1; id <= writes; id++) {
  const start = performance.now()
  await pool.query('insert into parcel (id) values ($1)', [id])
  slowestMillis = Math.max(slowestMillis, performance.now() - start)
  if (id % 50 === 0) console.log(`${id} written`)
  await sleep(20)
}
console.log(`${writes} written, none failed, the slowest took ${Math.round(slowestMillis)} ms`)
await pool.end()

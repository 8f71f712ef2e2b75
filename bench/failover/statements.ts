import type { Client } from 'pg'

/**
 * Every row carries the run and a number of its own, so that what was really written can be counted afterwards. No key on
 * the plain table: a statement that was sent twice shows up as two rows. Each statement tells which server answered.
 */
export const insertText = 'insert into bench_writes (run, id) values ($1, $2) returning inet_server_port() as port'
export const upsertText = 'insert into bench_upserts (run, id) values ($1, $2) on conflict do nothing'
export const readText = 'select inet_server_port() as port'

export async function createTables(client: Client): Promise<void> {
  await client.query(`
    create table bench_writes (run int not null, id int not null);
    create table bench_upserts (run int not null, id int not null, primary key (run, id))`)
}

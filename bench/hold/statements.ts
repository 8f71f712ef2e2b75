/** The server numbers the rows in the order in which the statements reach it. */
export const createText =
  'create table bench_held (arrival bigint generated always as identity, run int not null, n int not null)'
export const insertText = 'insert into bench_held (run, n) values ($1, $2)'
export const orderText = 'select n from bench_held where run = $1 order by arrival'

/** What the pool's clients call themselves; its monitors, which are not counted against `max`, have no name. */
export const applicationName = 'bench-hold-client'
export const countText = `select count(*)::int as connections from pg_stat_activity where application_name = '${applicationName}'`

import { createRequire } from 'node:module'
import pg from 'pg'

const require = createRequire(import.meta.url)
const oldest = require('pg-8.16') as typeof pg

/** The Client of the lowest and of the newest `pg` that are supported. */
export const bases: readonly { readonly name: string; readonly Base: typeof pg.Client }[] = [
  { name: 'pg 8.16', Base: oldest.Client },
  { name: 'the newest pg', Base: pg.Client },
]

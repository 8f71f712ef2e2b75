import { createRequire } from 'node:module'
import type * as Pg from 'pg'
import { expect, it, vi } from 'vitest'
import { Client } from '../../../src/facade/client'
import { clientEdges } from './support/client-edges'
import { clientSuite } from './support/client-suite'

const lowest = vi.hoisted(() => ({ pg: undefined as typeof Pg | undefined }))

vi.mock('pg', () => {
  lowest.pg = createRequire(import.meta.url)('pg-8.16') as typeof Pg
  return { ...lowest.pg, default: lowest.pg }
})

it('extends the Client of pg 8.16', () => {
  expect(Object.getPrototypeOf(Client)).toBe(lowest.pg?.Client)
})

it('never connects in plain text for want of a word that pg 8.16 does not know', () => {
  const text = 'postgres://u@db1,db2/d?sslnegotiation=direct'
  expect(() => new Client(text)).toThrow('sslnegotiation=direct needs TLS, which is off for db1:5432')
  expect(() => new Client(`${text}&sslmode=verify-full`)).not.toThrow()
})

clientSuite('pg 8.16')
clientEdges('pg 8.16')

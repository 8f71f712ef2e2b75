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

clientSuite('pg 8.16')
clientEdges('pg 8.16')

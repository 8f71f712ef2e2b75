import { beforeAll, describe, expect, it } from 'vitest'
import * as committed from '../../../src/core/routing/parsed/built-ins'
import { readBuiltIns } from '../../support/built-ins'
import type { BuiltIns } from '../../support/built-ins'
import { defaultMajor } from '../../support'
import { useCluster } from '../pool/support/clusters'

const cluster = useCluster({ hosts: 1 })
let server: BuiltIns

beforeAll(async () => {
  server = await readBuiltIns(await cluster().primary())
})

describe('the list of built-ins, written by config/built-ins.mts', () => {
  it('has no function of which the server has one that is no read, or not the same everywhere', () => {
    expect(server.disqualified.length).toBeGreaterThan(300)
    expect(server.disqualified.filter((name) => committed.functions.has(name))).toEqual([])
  })

  it.each(['functions', 'operators', 'types', 'relations'] as const)('has the server’s %s', (kind) => {
    const missing = server[kind].filter((name) => !committed[kind].has(name))
    // What another major disqualifies is in no list.
    expect(missing.filter(() => defaultMajor() === 18)).toEqual([])
    expect(missing.length).toBeLessThan(20)
  })
})

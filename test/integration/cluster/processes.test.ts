import { expect, it } from 'vitest'
import { processesListed } from '../../support/processes.mjs'

it('finds a server and its children in the text of ps', () => {
  const text = `
    1     0 /sbin/init
  100     1 /cache/bin/postgres -D /tmp/pg-leader-1/host1/data -p 20001 -ccluster_name=host1
  101   100 postgres: host1: checkpointer
  102   100 postgres: host1: walwriter
  200     1 /cache/bin/postgres -D /tmp/pg-leader-2/host1/data -p 20002
  201   200 postgres: host1: checkpointer
  300     1 vi -D`
  expect(processesListed(text, '/tmp/pg-leader-1')).toEqual([100, 101, 102])
  expect(processesListed(text, '/tmp/pg-leader-2/host1/data')).toEqual([200, 201])
  expect(processesListed(text, '/tmp/pg-leader-3')).toEqual([])
})

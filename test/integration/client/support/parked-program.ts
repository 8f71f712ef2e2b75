import { createRequire } from 'node:module'
import type * as Pg from 'pg'
import { dial } from '../../../../src/client/dial'

// The program that park.test.ts runs in a process of its own: with the given version of pg it parks on the standby of
// the given URI, asks once more, and then has nothing left to do.

const [module, connectionString] = process.argv.slice(2) as [string, string]
const { Client } = createRequire(import.meta.url)(module) as typeof Pg
const options = { connectionString }

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

dial(
  new Client(options),
  Client,
  {
    options,
    where: 'standby',
    timeoutMillis: 10_000,
    accept({ inHotStandby }) {
      say(inHotStandby ? 'in recovery' : 'leader')
      return 'not wanted'
    },
    park({ recheck }) {
      say('parked')
      recheck()
    },
  },
  (error) => say(`over: ${error?.message ?? 'taken'}`),
)

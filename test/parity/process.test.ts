import { expect } from 'vitest'
import { useScenarios } from './support/child'
import { parity } from './support/parity'
import { useServer } from './support/server'

const server = useServer()
const runScenario = useScenarios()

const leaves = (scenario: string, title: string, said: readonly string[]) => {
  parity(server, title, async (subject) => {
    const result = await runScenario(subject, scenario)
    expect(result).toMatchObject({ code: 0, signal: null, said })
    subject.note('stderr', result.stderr)
  })
}

leaves('allowExitOnIdle', 'allowExitOnIdle lets the process go with idle clients', ['idle 1'])
leaves('allowExitOnIdleTwice', 'allowExitOnIdle waits for clients in use', ['twice'])
leaves('exitAfterEnd', 'after end nothing holds the process', ['ended'])
leaves('exitWithoutUse', 'a pool that nobody used holds no process', ['made'])
leaves('callbackRejectsNothing', 'the callback form leaves no rejection behind', ['ended'])
leaves('rejectionUnhandled', 'the promise form that nobody awaits is one unhandled rejection', [
  'unhandled column "nothing_here" does not exist',
])
leaves('callbackThrows', 'what a callback throws is uncaught, and the pool goes on', ['uncaught from the callback'])

parity(server, 'allowExitOnIdle does not wait for idle clients to time out', async (subject) => {
  const { code, said } = await runScenario(subject, 'idleTimeout')
  expect(code).toBe(0)
  subject.note('said at most once', said.length <= 1)
})

const lives = 'ours logs an error that nobody listens to, where pg ends the process'

parity(
  server,
  'no error listener on the pool, an idle client is ended',
  async (subject) => {
    const { code, said, stderr } = await runScenario(subject, 'idleKilled')
    if (subject.name === 'pg') {
      expect(code).not.toBe(0)
      expect(stderr).toContain('terminating connection due to administrator command')
    } else expect({ code, said }).toEqual({ code: 0, said: ['alive', 'ended'] })
  },
  { ours: lives },
)

parity(
  server,
  'no error listener on a client that is out, its backend is ended',
  async (subject) => {
    const { code, said, stderr } = await runScenario(subject, 'checkedOutKilled')
    if (subject.name === 'pg') {
      expect(code).not.toBe(0)
      expect(stderr).toContain('terminating connection due to administrator command')
    } else expect({ code, said }).toEqual({ code: 0, said: ['alive', 'ended'] })
  },
  { ours: lives },
)

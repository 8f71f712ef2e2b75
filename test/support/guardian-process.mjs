// Outlives the test process by a moment, however that dies: at the end of the pipe it removes the servers and their files.
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { killProcessesIn, processesIn, removeRemains } from './processes.mjs'

const directory = process.argv[2]
// The pipe is the only thing it listens to.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})

let paths = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (chunk) => (paths += chunk))
process.stdin.on('error', () => {})
process.stdin.on('close', () => void cleanUp())

async function cleanUp() {
  // What was just being started or copied when the test process died may be missed by a round, and may add a file to
  // the directory while that is being removed. Without its files it ends, or the next round finds it.
  for (let round = 1; round === 1 || existsSync(directory) || (await processesIn(directory)).length > 0; round++) {
    await killProcessesIn(directory)
    for (const host of await readdir(directory).catch(() => [])) await removeRemains(join(directory, host, 'data'))
    try {
      await rm(directory, { recursive: true, force: true })
    } catch (error) {
      if (round === 100) throw error
      await sleep(10)
    }
  }
  for (const path of paths.split('\n')) if (path !== '') await rm(path, { force: true })
}

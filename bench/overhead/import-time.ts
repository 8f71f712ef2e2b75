import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../support/built-library'
import { shuffled } from '../support/statistics'

const run = promisify(execFile)

/** Milliseconds that `require` takes in fresh processes, module by module, in a random order each time. */
export async function importTimes<K extends string>(
  modules: Readonly<Record<K, string>>,
  rounds: number,
): Promise<Readonly<Record<K, readonly number[]>>> {
  const names = Object.keys(modules) as K[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) times[name].push(await importTime(modules[name]))
  }
  return times
}

async function importTime(module: string): Promise<number> {
  const script = `const before = performance.now(); require(${JSON.stringify(module)}); console.log(performance.now() - before)`
  // Nothing of what lets this process read TypeScript.
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: root, env: { PATH: process.env['PATH'] } })
  return Number(stdout)
}

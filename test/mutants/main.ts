// `npm run test:mutants [-- part of a rule or a file]`: breaks each rule on purpose, one at a time, and shows that a test notices.
import { Copy, occurrences } from './copy'
import { executionMutants } from './execution'
import { leaderMutants } from './leader'
import { markerMutants } from './markers'
import type { Mutant } from './mutant'
import { outcomeMutants } from './outcome'
import { poolMutants } from './pool'
import { readsMutants } from './reads'
import { retryMutants } from './retry'
import { routingMutants } from './routing'
import { selectionMutants } from './selection'
import { topologyMutants } from './topology'
import { watchingMutants } from './watching'

/** Two at a time: each is a process with a simulation in it. */
const workers = 2

const [wanted = ''] = process.argv.slice(2)
const all = [
  ...topologyMutants,
  ...leaderMutants,
  ...watchingMutants,
  ...selectionMutants,
  ...retryMutants,
  ...routingMutants,
  ...outcomeMutants,
  ...markerMutants,
  ...poolMutants,
  ...executionMutants,
  ...readsMutants,
]
const mutants = all.filter(({ rule, file }) => rule.includes(wanted) || file.includes(wanted))
const wrong: string[] = []

void main()

async function main(): Promise<void> {
  for (const mutant of mutants) {
    const times = occurrences(mutant)
    if (times !== 1) wrong.push(`${mutant.file}: the text of "${mutant.rule}" is there ${times} times`)
  }

  if (wrong.length === 0 && (await isGreen())) {
    const queue = [...mutants]
    await Promise.all(Array.from({ length: workers }, () => work(queue)))
    console.log(`\n${mutants.length} rules were broken, one at a time; ${mutants.length - wrong.length} were noticed`)
  }
  for (const each of wrong) console.log(`WRONG  ${each}`)
  process.exitCode = wrong.length > 0 || mutants.length === 0 ? 1 : 0
}

/** What is red with all rules in place proves nothing. */
async function isGreen(): Promise<boolean> {
  const copy = new Copy()
  try {
    const { green, failed, output } = await copy.run([...new Set(mutants.map(({ tests }) => tests))])
    if (!green) wrong.push(`red before anything was broken: ${failed.join('; ') || output}`)
    return green
  } finally {
    copy.remove()
  }
}

async function work(queue: Mutant[]): Promise<void> {
  const copy = new Copy()
  try {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const start = performance.now()
      const { green, count, failed, output } = await copy.runWith(mutant)
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      const [first] = failed
      if (first !== undefined) {
        console.log(`red    ${mutant.rule}\n       ${mutant.file} (${seconds} s): ${first}`)
      } else {
        const why = green ? (count > 0 ? 'survived' : 'is looked for by no test') : `no test failed, and yet: ${output}`
        wrong.push(`${mutant.file}: "${mutant.rule}" ${why} (${mutant.tests})`)
      }
    }
  } finally {
    copy.remove()
  }
}

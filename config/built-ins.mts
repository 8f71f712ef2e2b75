// Writes src/core/routing/parsed/built-ins.ts: what of PostgreSQL's own a statement may use and still be a read, the same on every host of a
// cluster. Asks the servers of the lowest and the newest major that the tests have. Usage: npx tsx config/built-ins.mts
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { readBuiltIns } from '../test/support/built-ins'
import type { BuiltIns } from '../test/support/built-ins'
import { startCluster } from '../test/support'

const target = resolve(import.meta.dirname, '../src/core/routing/parsed/built-ins.ts')
const found: BuiltIns[] = []
for (const major of [15, 18] as const) {
  const cluster = await startCluster({ hosts: 1, major })
  try {
    found.push(await readBuiltIns(await cluster.primary()))
  } finally {
    await cluster.stop()
  }
}

const comments = {
  functions:
    'Functions: immutable and stable ones that tell nothing of a host, a process or a session, and volatile ones that leave nothing behind.',
  operators: 'Operators, as the grammar names them: none of them is volatile.',
  types: 'Types to cast to.',
  relations: 'Catalogs, and the views that show nothing else: the same on every host.',
} as const

const parts = Object.entries(comments).map(([name, comment]) => {
  const of = name as keyof typeof comments
  const disqualified = new Set(found.flatMap((each) => each.disqualified))
  const words = [...new Set(found.flatMap((each) => each[of]))].filter((word) => !disqualified.has(word)).toSorted()
  return `/** ${comment} */\nexport const ${name}: ReadonlySet<string> = setOf(\`\n${wrap(words)}\n\`)\n`
})
const text = `// Written by config/built-ins.mts; not to be edited by hand.

/** One name a word; \`BETWEEN\` and its like, which are operators of several words, have underscores. */
function setOf(words: string): ReadonlySet<string> {
  return new Set(words.trim().split(/\\s+/))
}

${parts.join('\n')}`
writeFileSync(target, await format(text, { ...(await resolveConfig(target)), parser: 'typescript' }))

/** Lines of no more than a hundred and forty characters. */
function wrap(words: readonly string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < 139) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => `  ${line.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}`).join('\n')
}

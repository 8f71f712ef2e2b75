// Looks at the built package the way an application does, natively: no loader of a test runner in between. Prints what it saw.
import { createRequire } from 'node:module'

const [esm, cjs] = process.argv.slice(2)
const imported = await import(esm)
const required = createRequire(esm)(cjs)
const names = Object.keys(imported)
process.stdout.write(
  JSON.stringify({
    names,
    missing: Object.keys(required).filter((key) => !key.startsWith('_') && !names.includes(key)),
    different: names.filter((name) => name !== 'default' && imported[name] !== required[name]),
    defaultIsTheModule: imported.default === required,
  }),
)

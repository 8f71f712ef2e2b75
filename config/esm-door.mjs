// Writes the ESM half of every entry that package.json exports: an .mjs and a .d.mts that re-export the CommonJS build by name and, as the
// default, whole. The names are asked of the build itself, so they cannot drift; `_pools` and its like stay out, as in pg's own ESM entry.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, resolve } from 'node:path'

const require = createRequire(import.meta.url)
const root = resolve(import.meta.dirname, '..')
const { exports: entries } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'))

for (const entry of Object.values(entries).filter((each) => each.import)) {
  const built = basename(entry.require.default)
  const names = Object.getOwnPropertyNames(require(resolve(root, entry.require.default))).filter(
    (name) => !name.startsWith('_'),
  )
  const strange = names.filter((name) => !/^[A-Za-z$][\w$]*$/.test(name) || name === 'default')
  if (strange.length > 0) throw new Error(`${built}: cannot be exported by name: ${strange.join(', ')}`)

  const exports = names.toSorted().map((name) => `export const ${name} = whole.${name}\n`)
  writeFileSync(
    resolve(root, entry.import.default),
    `import whole from './${built}'\n\n${exports.join('')}export default whole\n`,
  )
  // In CommonJS pg's types have no default export, and a consumer may have `esModuleInterop` off.
  const types = resolve(root, entry.require.types)
  writeFileSync(
    types,
    readFileSync(types, 'utf8').replace(/^import (\w+)(?:, (\{.*\}))? from 'pg';$/gm, namespaceImport),
  )
  // `import … = require` and not `import * as`: the latter would have a `default` member that does not exist at run time.
  writeFileSync(
    resolve(root, entry.import.types),
    `import whole = require('./${built}')\n\nexport * from './${built}'\nexport default whole\n`,
  )
}

function namespaceImport(_, name, named) {
  return `import * as ${name} from 'pg';${named ? `\nimport ${named} from 'pg';` : ''}`
}

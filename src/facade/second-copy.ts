import { createRequire } from 'node:module'

/** The main file of a copy of pg, wherever it is installed. */
const mainFile = /[\\/]node_modules[\\/]pg[\\/]lib[\\/]index\.js$/

let warned = false

/**
 * Warns, once a process, when more than one copy of pg is loaded: type parsers and defaults that are set on the other one
 * would silently not be used. Looks at what is loaded when it is called.
 */
export function warnOfSecondCopy(): void {
  if (warned) return
  // Any absolute path will do: there is one cache for all modules of a process.
  const copies = Object.keys(createRequire(process.execPath).cache).filter((file) => mainFile.test(file))
  if (copies.length < 2) return
  warned = true
  process.emitWarning(
    `${copies.length} copies of pg are loaded: ${copies.join(', ')}. Type parsers and defaults that are set on one of them have no ` +
      'effect on the others; let `npm ls pg` show who brings them, and keep one',
    { type: 'PgLeaderWarning', code: 'PG_LEADER_SECOND_PG' },
  )
}

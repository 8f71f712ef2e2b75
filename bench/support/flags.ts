import { parseArgs } from 'node:util'

/**
 * Reads `--name value` flags. The defaults say which there are, and which of them are numbers.
 *
 * @throws Error naming the flag that is unknown or no number, and those there are.
 */
export function readFlags<T extends Readonly<Record<string, number | string>>>(
  args: readonly string[],
  defaults: T,
): T {
  const options = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' as const }]))
  const known = Object.entries(defaults).map(([name, value]) => `--${name} ${value === '' ? '…' : value}`)
  try {
    const { values } = parseArgs({ args: [...args], options, strict: true })
    const read = Object.entries(defaults).map(([name, fallback]) => [name, readFlag(name, values[name], fallback)])
    return Object.freeze(Object.fromEntries(read)) as T
  } catch (error) {
    throw new Error(`${(error as Error).message}\nflags and their defaults: ${known.join(' ')}`, { cause: error })
  }
}

function readFlag(name: string, given: string | boolean | undefined, fallback: number | string): number | string {
  if (typeof given !== 'string') return fallback
  if (typeof fallback === 'string') return given
  const value = Number(given)
  if (given.trim() === '' || !(value >= 0)) throw new Error(`--${name} must be a number of at least 0, not "${given}"`)
  return value
}

/** One or several of a set, as `a,b` on the command line; empty: all. */
export function readList<T extends string>(name: string, given: string, all: readonly T[]): readonly T[] {
  if (given === '') return all
  return given.split(',').map((item) => {
    const found = all.find((known) => known === item)
    if (found === undefined) throw new Error(`--${name}: there is no "${item}", only ${all.join(', ')}`)
    return found
  })
}

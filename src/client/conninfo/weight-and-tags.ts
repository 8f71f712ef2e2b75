import type { Tags } from '../../core/selection/tags'
import { ConnInfoError } from '../../errors'
import type { ResolvedHost } from './follow-options'
import { kindOf } from './given-options'
import type { GivenOptions } from './given-options'
import { show } from './option-value'

type WeightAndTags = Pick<ResolvedHost, 'weight' | 'tags'>

/** Of a host of which nothing is said but where it is. */
export const plainReader: WeightAndTags = Object.freeze({ weight: 1, tags: Object.freeze({}) })

/** Any proportion that somebody could want, and no sum or product of it that is not a number. */
const range = { least: 0.001, most: 1_000_000 }

/**
 * What an entry of the `hosts` option says of the reads that its host is to get.
 *
 * @param where - what the user knows the entry by.
 * @throws {@link ConnInfoError} naming the value and what would do.
 */
export function readWeightAndTags({ weight, tags }: GivenOptions, where: string): WeightAndTags {
  return {
    weight: weight === undefined || weight === null ? plainReader.weight : readWeight(weight, `${where}.weight`),
    tags: tags === undefined || tags === null ? plainReader.tags : readTags(tags, `${where}.tags`),
  }
}

function readWeight(weight: unknown, where: string): number {
  if (weight === 0) return 0
  if (typeof weight === 'number' && weight >= range.least && weight <= range.most) return weight
  throw new ConnInfoError(`${where}: must be 0, or a number from ${range.least} to ${range.most}, not ${show(weight)}`)
}

/**
 * Tags by name.
 *
 * @param where - what the user knows them by.
 * @throws {@link ConnInfoError} where they are no object, or one of them is no string: `1` and `'1'` would never meet.
 */
export function readTags(given: unknown, where: string): Tags {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConnInfoError(`${where}: must be an object of strings such as { zone: 'a' }, not ${kindOf(given)}`)
  }
  const tags = Object.entries(given).map(([name, value]: [string, unknown]): [string, string] => {
    if (typeof value === 'string') return [name, value]
    throw new ConnInfoError(`${where}: the tag ${show(name)} must be a string, not ${show(value)}`)
  })
  return Object.freeze(Object.fromEntries(tags))
}

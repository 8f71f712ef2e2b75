import type { HostKey } from '../topology/host'

/** What is said of a host, by name: `{ zone: 'a' }`. */
export type Tags = Readonly<Record<string, string>>

/**
 * The first of these groups of tags that somebody has, all tags of the group; undefined if nobody has any of them, or there
 * are none. A group without tags is anybody's.
 */
export function preferredTags(
  keys: readonly HostKey[],
  tagsOf: ReadonlyMap<HostKey, Tags>,
  groups: readonly Tags[],
): Tags | undefined {
  return groups.find((group) => keys.some((key) => hasTags(tagsOf.get(key), group)))
}

/** Whether somebody has all of these tags. */
export function hasTags(tags: Tags | undefined, wanted: Tags): boolean {
  return Object.entries(wanted).every(([name, value]) => tags?.[name] === value)
}

/** `zone=a, disk=ssd`. */
export function printTags(tags: Tags): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
}

/** So many hosts are named in a message; all of them are in its error's list. */
const most = 20

/** What is said of each host, for a message that somebody is to read. */
export function someOf(each: readonly string[]): string {
  const named = each.slice(0, most).join('; ')
  return each.length > most ? `${named}; and ${String(each.length - most)} more` : named
}

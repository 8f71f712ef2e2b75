import type { Token } from '../sql/tokens'
import { plainValueOf } from '../sql/tokens'
import type { ReadRoute } from './stricter'
import { leader, leaderUnlessHeld, nowhere, standby } from './stricter'

const session = 'it changes the session, which others will use'
const host = 'it acts on one host'

/** How statements go that begin with these words; all others go to a standby, which refuses what it must. */
const byVerb: ReadonlyMap<string, (rest: readonly Token[]) => ReadRoute> = new Map([
  ['begin', transaction],
  ['start', transaction],
  ['set', set],
  ['reset', reset],
  ['prepare', prepare],
  ['commit', endOfTransaction],
  ['rollback', endOfTransaction],
  ['declare', declare],
  ['copy', copy],
  ['alter', alter],
  ['explain', explain],
  ['lock', () => leader('LOCK: a lock holds on one host only')],
  ['execute', () => leaderUnlessHeld('EXECUTE: the session knows what it has prepared itself')],
  ['deallocate', () => leaderUnlessHeld(`DEALLOCATE: ${session}`)],
  ['discard', () => leaderUnlessHeld(`DISCARD: ${session}`)],
  ['load', () => leaderUnlessHeld(`LOAD: ${session}`)],
  ['listen', () => leader('LISTEN: a standby has no notifications')],
  ['unlisten', () => leader('UNLISTEN: nobody listens at a standby')],
  ['notify', () => leader('NOTIFY: a notification reaches who listens at the leader')],
  ['checkpoint', () => leader(`CHECKPOINT: ${host}`)],
])

/** Whether more of a statement is looked at than how it begins. A DO block is one of them: its body holds statements. */
export function looksInto(first: Token | undefined): boolean {
  return first?.kind === 'word' && (byVerb.has(first.text) || first.text === 'do')
}

/** Where one statement goes, by its words. */
export function routeOfStatement([first, ...rest]: readonly Token[]): ReadRoute {
  return (first?.kind === 'word' && byVerb.get(first.text)?.(rest)) || standby
}

/** Whether a setting makes a session or its transaction read-only. Names of settings have no case, quoted or not. */
export function isReadOnlySetting(name: string): boolean {
  return /^(?:default_)?transaction_read_only$/i.test(name)
}

const opensWrites = 'a transaction that is READ WRITE lets a write through that is marked as a read'

function transaction(rest: readonly Token[]): ReadRoute {
  return follows(rest, 'read', 'write') ? nowhere(opensWrites) : standby
}

/** What is set for a transaction ends with it. Whatever else is set stays with the session. */
function set(rest: readonly Token[]): ReadRoute {
  if (follows(rest, 'read', 'write')) return nowhere(opensWrites)
  const scope = rest[1]?.kind === 'symbol' ? undefined : rest[0]
  const isLocal = isWord(scope, 'local')
  const [first, ...value] = isLocal || isWord(scope, 'session') ? rest.slice(1) : rest
  if (isWord(first, 'constraints') && value[0]?.kind !== 'symbol') return standby
  if (isWord(first, 'transaction') && value[0]?.kind === 'word') {
    return isWord(value[0], 'snapshot') ? leader('SET TRANSACTION SNAPSHOT: a snapshot belongs to one host') : standby
  }
  if (first?.kind === 'unicode') return nowhere('SET: what is set cannot be known, and may let the session write')
  if (first !== undefined && isReadOnlySetting(first.text) && !staysReadOnly(first, value)) {
    return nowhere(`SET ${first.text.toLowerCase()}: lets the session write`)
  }
  return isLocal ? standby : leaderUnlessHeld(`SET: ${session}`)
}

/** Of the default, DEFAULT is what the session began with: read-only. Of the transaction, before 16, it is to write. */
function staysReadOnly({ text }: Token, [assignment, value, ...more]: readonly Token[]): boolean {
  if (assignment === undefined || value === undefined || more.length > 0) return false
  const said = (plainValueOf(value) ?? value.text).toLowerCase()
  return /^(?:on|t|tr|tru|true|y|ye|yes|1)$/.test(said) || (isWord(value, 'default') && /^default/i.test(text))
}

/** RESET ALL and DISCARD ALL leave a session read-only that began so; RESET transaction_read_only, before 16, does not. */
function reset([first]: readonly Token[]): ReadRoute {
  const mayWrite = first?.kind === 'unicode' || first?.text.toLowerCase() === 'transaction_read_only'
  return mayWrite
    ? nowhere('RESET transaction_read_only: lets the transaction write')
    : leaderUnlessHeld(`RESET: ${session}`)
}

/** A primary takes no offence at these in a read-only session: they would write. */
const twoPhases = 'of two-phase commit writes on a primary, read-only or not'

function prepare([first]: readonly Token[]): ReadRoute {
  return isWord(first, 'transaction')
    ? nowhere(`PREPARE TRANSACTION ${twoPhases}`)
    : leaderUnlessHeld(`PREPARE: ${session}`)
}

function endOfTransaction([first]: readonly Token[]): ReadRoute {
  return isWord(first, 'prepared') ? nowhere(`COMMIT or ROLLBACK PREPARED ${twoPhases}`) : standby
}

/** A cursor WITH HOLD outlives its transaction. Behind FOR is the query. */
function declare(rest: readonly Token[]): ReadRoute {
  const query = rest.findIndex((token) => isWord(token, 'for'))
  const options = query < 0 ? rest : rest.slice(0, query)
  return follows(options, 'with', 'hold') ? leaderUnlessHeld(`DECLARE … WITH HOLD: ${session}`) : standby
}

/** To the client, or to a file or a program of the server. What it copies from, in parentheses, has its own words. */
function copy(rest: readonly Token[]): ReadRoute {
  let depth = 0
  for (const [index, { kind, text }] of rest.entries()) {
    if (kind === 'symbol') depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (kind !== 'word' || text !== 'to' || depth !== 0) continue
    const target = rest[index + 1]
    const isClient = isWord(target, 'stdout') || isWord(target, 'stdin')
    return isClient ? standby : leader('COPY … TO a file or a program: it is that of one host')
  }
  return standby
}

function alter([first]: readonly Token[]): ReadRoute {
  return isWord(first, 'system') ? leader(`ALTER SYSTEM: ${host}`) : standby
}

function explain(rest: readonly Token[]): ReadRoute {
  const isExecute = rest.some((token) => isWord(token, 'execute'))
  return isExecute ? leaderUnlessHeld('EXPLAIN EXECUTE: the session knows what it has prepared itself') : standby
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text === word
}

/** Whether one word follows another one directly. */
function follows(tokens: readonly Token[], first: string, second: string): boolean {
  return tokens.some((token, index) => isWord(token, first) && isWord(tokens[index + 1], second))
}

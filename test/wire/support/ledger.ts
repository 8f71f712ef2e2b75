import type { TransactionStatus } from '../../support/backend'

/** What `pg_xact_status` may say; `in the future` stands for its error 22023. */
export type Fate = 'committed' | 'aborted' | 'in progress' | 'in the future' | null

/** What became of the transactions of one fake server: the truth that callers are told, or not. */
export class Ledger {
  readonly #fates = new Map<string, Fate>()
  #last = 700
  /** The text of every write that was committed, in order. */
  readonly committed: string[] = []
  /** What is answered to the next questions, true or not; the truth follows when there is none left. */
  readonly says: Fate[] = []
  /** The id of every transaction that was asked about. */
  readonly asked: string[] = []

  assign(): string {
    this.#last += 1
    const xid = String(this.#last)
    this.#fates.set(xid, 'in progress')
    return xid
  }

  settle(xid: string, fate: Fate): void {
    this.#fates.set(xid, fate)
  }

  /** The answer to `pg_xact_status`. */
  ask(xid: string): Fate {
    this.asked.push(xid)
    return this.says.length > 0 ? (this.says.shift() as Fate) : this.fateOf(xid)
  }

  fateOf(xid: string): Fate {
    return this.#fates.get(xid) ?? 'in the future'
  }
}

/** The transaction of one session, explicit or not. */
export class Transaction {
  readonly #ledger: Ledger
  #xid: string | undefined
  #writes: string[] = []
  status: TransactionStatus = 'I'

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Its id, if it has been given one. */
  get assigned(): string | undefined {
    return this.#xid
  }

  /** Its id, which it is given now if it has none. */
  get xid(): string {
    return (this.#xid ??= this.#ledger.assign())
  }

  /** A statement has been executed. What becomes of a COMMIT is told by its tag. */
  executed(text: string, tag: string): string {
    if (/^(insert|update|delete|merge)\b/i.test(text) && this.xid !== '') this.#writes.push(text)
    if (tag === 'BEGIN') this.status = 'T'
    if (tag !== 'COMMIT' && tag !== 'ROLLBACK') return tag
    const commits = tag === 'COMMIT' && this.status !== 'E'
    this.#end(commits)
    return commits ? 'COMMIT' : 'ROLLBACK'
  }

  /** The end of a message that was a transaction by itself, unless BEGIN has come. */
  endOfImplicit(): void {
    if (this.status === 'I') this.#end(true)
  }

  /** An error was raised; by a COMMIT if that is what is being executed. */
  failed(isCommit: boolean): void {
    if (this.status === 'I' || isCommit) this.#end(false)
    else this.status = 'E'
  }

  /** The session is over. */
  lost(): void {
    this.#end(false)
  }

  #end(commits: boolean): void {
    if (this.#xid !== undefined) this.#ledger.settle(this.#xid, commits ? 'committed' : 'aborted')
    if (commits) this.#ledger.committed.push(...this.#writes)
    this.#xid = undefined
    this.#writes = []
    this.status = 'I'
  }
}

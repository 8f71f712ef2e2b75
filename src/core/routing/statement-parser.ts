/** Reads statements with a grammar: what `readOnly.parser` takes. `loadParser` of `pg-leader/parser` makes one. */
export interface StatementParser {
  /**
   * Whether this text is one statement that reads and does nothing else, with the same result on every host that has the same data. Asked
   * once of each text as a rule; what throws, reads nothing.
   */
  isRead(text: string): boolean
  /** The same for texts that differ in their literals only; undefined for a text that has none. */
  fingerprint(text: string): string | undefined
}

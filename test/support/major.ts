/** The PostgreSQL majors the repository carries binaries of. */
export type PostgresMajor = 15 | 18

/** The major under test: `PG_LEADER_TEST_POSTGRES`, else 18. */
export function defaultMajor(): PostgresMajor {
  const text = process.env['PG_LEADER_TEST_POSTGRES'] ?? ''
  switch (text) {
    case '':
    case '18':
      return 18
    case '15':
      return 15
    default:
      throw new Error(`PG_LEADER_TEST_POSTGRES is "${text}": only 15 and 18 are installed`)
  }
}

import { describe, expect, it } from 'vitest'
import { commonCode, explainFailures, type FailedAttempt } from '../../../../src/core/selection/explain-failures'

const refused: FailedAttempt = {
  host: 'db1:5432',
  address: '10.0.0.1',
  reason: 'connect ECONNREFUSED 10.0.0.1:5432',
  code: 'ECONNREFUSED',
  unsuitable: false,
}
const standby: FailedAttempt = {
  host: 'db2:5432',
  reason: 'db2:5432: session is read-only',
  code: '08004',
  unsuitable: true,
}

describe('explainFailures', () => {
  it('says of every host once where and why, how long it took, and what to do', () => {
    expect(explainFailures('read-write', 12.4, [refused, standby])).toBe(
      'no host would do for target_session_attrs=read-write (12 ms): ' +
        'db1:5432 (10.0.0.1): connect ECONNREFUSED 10.0.0.1:5432; db2:5432: session is read-only. ' +
        'If the host that is read-write is among those that failed, see why; if not, list it.',
    )
  })

  it('has another remedy where all answered, and where none did', () => {
    expect(explainFailures('primary', 1, [standby, standby])).toContain(
      'All of them answered: list the host that is primary',
    )
    expect(explainFailures('any', 1, [refused, refused])).toContain('Check that the servers run')
  })
})

describe('commonCode', () => {
  it('is the code all attempts share, else 08001', () => {
    expect(commonCode([refused, refused])).toBe('ECONNREFUSED')
    expect(commonCode([refused, standby])).toBe('08001')
    expect(commonCode([{ ...refused, code: undefined }])).toBe('08001')
  })
})

import { beforeEach, describe, expect, it, vi } from 'vitest'
import { noEvidence } from '../../../src/core/outcome/evidence'
import type { Verdict } from '../../../src/core/outcome/judge'
import { ConnInfoError } from '../../../src/errors'
import type { LookUpPort } from '../../../src/execution/look-up'
import type { Marker } from '../../../src/execution/marker'
import { MarkerProof } from '../../../src/execution/marker-proof'
import type { PoolClient, Session } from '../../../src/pool/session'

const refusal = (code: string): Error => Object.assign(new Error(code), { code, severity: 'ERROR', routine: 'x' })
const written = vi.fn()
const proof = new MarkerProof({ given: 'm', table: 'public.m', maxAgeMillis: 1000 }, written)
const nobody = { generation: 1 } as Session
const owned = { pid: '7', begun: '17.5' }

/** What the leader says to each question in turn, the last one to all that follow. An error is its refusal. */
type Answer = Error | Readonly<Record<string, string | null>> | 'no row'

function leaderOn(timeline: number | undefined, ...answers: readonly Answer[]) {
  const asked: string[] = []
  const released: boolean[] = []
  let next = 0
  const query = async (given: string | { readonly text: string }): Promise<unknown> => {
    const text = typeof given === 'string' ? given : given.text
    const kinds = ['pg_terminate_backend', 'on conflict', 'select', 'rollback']
    const what = kinds.find((kind) => text.includes(kind)) ?? text
    asked.push(what)
    if (what === 'pg_terminate_backend') return { rows: [{ ended: 'true' }] }
    if (what === 'rollback') return { rows: [] }
    if (what.startsWith('begin')) {
      asked.pop()
      return { rows: [] }
    }
    const answer = answers[next] ?? answers.at(-1)
    next += 1
    if (answer instanceof Error) throw answer
    const rows = answer === 'no row' ? [] : [answer]
    return text.includes(';') ? [{ rows: [] }, { rows: [] }, { rows }, { rows: [] }] : { rows }
  }
  const port: LookUpPort = {
    leader: async () => ({
      client: { query } as unknown as PoolClient,
      host: 'a',
      release: (broken) => void released.push(broken),
    }),
    evidence: noEvidence,
    historySince: 0,
    timeline,
    ending: false,
    lookUpMillis: 60_000,
  }
  return { port, asked, released }
}

const leader = (...answers: readonly Answer[]) => leaderOn(undefined, ...answers)

const carry = (row?: Readonly<Record<string, string>>): Marker => proof.ask().read(row) as Marker
const lookUp = (port: LookUpPort, carried: Marker | undefined = carry()): Promise<Verdict> =>
  proof.lookUp(port, nobody, { carried, witnessedAt: 0, stalled: true })

beforeEach(() => {
  vi.restoreAllMocks()
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

describe('a marker', () => {
  it('has an id of its own, which is known before anything is answered', () => {
    const [a, b] = [proof.ask(), proof.ask()]
    const id = a.read(undefined)?.id ?? ''
    expect(a.texts[0]).toContain(`values ('${id}', clock_timestamp())`)
    expect(b.texts[0]).not.toContain(id)
    expect(carry()).toMatchObject({ owner: undefined })
    expect(carry(owned)).toMatchObject({ owner: owned })
  })

  it('of a COMMIT is written behind a savepoint, and only where something was written', () => {
    const question = proof.askAtCommit()
    expect(question.texts[0]).toBe('savepoint pg_leader')
    expect(question.texts[1]).toContain('where txid_current_if_assigned() is not null')
    expect([question.wrote(undefined), question.wrote(owned)]).toEqual([false, true])
  })

  it.each(['25006', '42501', '42P01'])('of a COMMIT, where it is refused with %s, is done without', (code) => {
    const retreat = proof.askAtCommit().retreat(code)
    expect(retreat?.texts).toEqual([
      'rollback to savepoint pg_leader',
      'select txid_current_if_assigned()::text as xid',
    ])
    expect([retreat?.wrote({ xid: null }), retreat?.wrote({ xid: '7' })]).toEqual([false, true])
    expect([retreat?.read({ xid: '7' }), retreat?.retreat('25006')]).toEqual([undefined, undefined])
  })

  it('that somebody who looked it up has written is not done without', () => {
    expect(proof.askAtCommit().retreat('23505')).toBeUndefined()
    expect(proof.askAtCommit().retreat(undefined)).toBeUndefined()
    expect(proof.ask().retreat('42501')).toBeUndefined()
  })

  it('that cannot be written is an error that names the option, the table and the remedy', () => {
    const error = proof.refused({ host: 'db1:5432' } as Session, refusal('42P01'))
    expect(error).toBeInstanceOf(ConnInfoError)
    expect(error.message).toMatch(/outcome\.table is "m".* public\.m on db1:5432.* outcomeTable\("m"\)/)
    const other = refusal('40001')
    expect(proof.refused(nobody, other)).toBe(other)
  })
})

describe('a new session', () => {
  const greet = (answer?: Error): Promise<void> =>
    proof.greet({
      client: { query: () => (answer ? Promise.reject(answer) : Promise.resolve()) },
    } as unknown as Session)

  it('has to be able to write markers, unless it is one of a standby', async () => {
    await expect(greet()).resolves.toBeUndefined()
    await expect(greet(refusal('25006'))).resolves.toBeUndefined()
    await expect(greet(refusal('42501'))).rejects.toThrow(ConnInfoError)
    const lost = new Error('Connection terminated unexpectedly')
    await expect(greet(lost)).rejects.toBe(lost)
  })
})

describe('a look-up by marker', () => {
  it.each([
    [{ committed: 'true' }, 'committed'],
    [{ committed: 'false' }, 'aborted'],
  ] as const)('of which the leader has %j: %s', async (answer, outcome) => {
    const { port, asked, released } = leader(answer)
    expect(await lookUp(port)).toMatchObject({ outcome })
    expect([asked, released]).toEqual([['on conflict'], [false]])
  })

  it('without one knows nothing, and asks nobody', async () => {
    const { port, asked } = leader({ committed: 'false' })
    expect(await proof.lookUp(port, nobody, { carried: undefined, witnessedAt: 0, stalled: false })).toMatchObject({
      outcome: 'unknown',
    })
    expect(asked).toEqual([])
  })

  it('asks again as long as the transaction is at work, over the same connection', async () => {
    const { port, asked, released } = leader(refusal('55P03'), { committed: 'true' }, { committed: 'true' })
    expect(await lookUp(port)).toMatchObject({ outcome: 'committed' })
    expect(asked).toEqual(['on conflict', 'rollback', 'on conflict'])
    expect(released).toEqual([false, false])
  })

  it.each([
    ['ends its session when it stays so, where that is known', owned, true],
    ['ends nobody’s where it is not', undefined, false],
  ])('%s', async (_what, owner, ends) => {
    let at = performance.now()
    vi.spyOn(performance, 'now').mockImplementation(() => at)
    const patient = new MarkerProof({ given: 'm', table: 'public.m', maxAgeMillis: 1e6 }, written)
    const carried = patient.ask().read(owner)
    const { port, asked } = leader(refusal('55P03'), refusal('55P03'), { committed: 'false' })
    const slow = { ...port, leader: () => ((at += 600), port.leader()) }
    const found = await patient.lookUp(slow, nobody, { carried, witnessedAt: 0, stalled: true })
    expect(found).toMatchObject({ outcome: 'aborted' })
    const ended = ends ? ['pg_terminate_backend'] : []
    expect(asked).toEqual(['on conflict', 'rollback', 'on conflict', 'rollback', ...ended, 'on conflict'])
  })

  it('asks again when something else is in the way, over another connection, for as long as it may', async () => {
    const { port, released } = leader(refusal('25006'), refusal('40001'), { committed: 'false' })
    expect(await lookUp(port)).toMatchObject({ outcome: 'aborted' })
    expect(released).toEqual([true, true, false])
    const never = leader(refusal('25006'))
    expect(await lookUp({ ...never.port, lookUpMillis: -1 })).toMatchObject({
      outcome: 'unknown',
      reason: 'the leader could not be asked: 25006',
    })
  })

  describe.each([
    ['performance', () => vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 600)],
    ['Date', () => vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 600)],
  ])('that comes when the marker may have been deleted, by the clock %s,', (_clock, later) => {
    it.each([
      ['no row', 'unknown'],
      [{ in_recovery: 'false', committed: null }, 'unknown'],
      [{ in_recovery: 'false', committed: 'true' }, 'committed'],
      [{ in_recovery: 'false', committed: 'false' }, 'aborted'],
    ] as const)('takes its absence for nothing, and its presence for what it is: %j, %s', async (answer, outcome) => {
      const carried = carry()
      later()
      const { port, asked } = leader(answer)
      expect(await lookUp(port, carried)).toMatchObject({ outcome })
      expect(asked).toEqual(['select'])
    })
  })

  it('knows nothing of what was done in another history', async () => {
    const { port } = leader({ committed: 'false' })
    expect(await lookUp({ ...port, historySince: 1 })).toMatchObject({ outcome: 'aborted' })
    expect(await lookUp({ ...port, historySince: 2 })).toMatchObject({ outcome: 'unknown' })
  })

  it('does not take the word of a server that history has left, nor of a standby', async () => {
    const left = leaderOn(2, { timeline: '1' }, 'no row', { timeline: '2' }, { committed: 'true' })
    expect(await lookUp(left.port)).toMatchObject({ outcome: 'committed' })
    expect(left.asked).toEqual(['select', 'rollback', 'select', 'rollback', 'select', 'on conflict'])
    expect(left.released).toEqual([false, false, false])
  })

  it('does not take a standby’s word', async () => {
    const carried = carry()
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 600)
    const { port, asked } = leader(
      { in_recovery: 'true', committed: null },
      { in_recovery: 'false', committed: 'true' },
    )
    expect(await lookUp(port, carried)).toMatchObject({ outcome: 'committed' })
    expect(asked).toHaveLength(2)
  })
})

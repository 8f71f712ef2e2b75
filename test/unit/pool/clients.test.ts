import { describe, expect, it, vi } from 'vitest'
import { Clients, RetiredError } from '../../../src/pool/clients'
import { dialled, FakeClient } from './support/fake-client'

/** A pool's book with clients in it, and the errors that idle ones were sent away with. */
function book() {
  const clients = new Clients()
  const goodbyes: unknown[] = []
  const add = (host: string, where: 'idle' | 'busy'): ReturnType<typeof dialled> => {
    const entry = dialled(host)
    entry.client.on('error', (error) => {
      goodbyes.push(error)
      clients.removed(entry.client.asPoolClient)
    })
    clients.acquired(entry.client.asPoolClient)
    if (where === 'idle') clients.released(entry.client.asPoolClient)
    return entry
  }
  return { clients, goodbyes, add }
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

describe('Clients', () => {
  it('knows who is checked out', () => {
    const { clients, add } = book()
    const { client } = add('a:1', 'busy')
    add('a:1', 'idle')
    expect([...clients.busy]).toEqual([client])
    clients.released(client.asPoolClient)
    expect(clients.busy).toEqual([])
    clients.acquired(client.asPoolClient)
    clients.removed(client.asPoolClient)
    expect(clients.busy).toEqual([])
  })

  it('retires idle clients at once, by an error of ours and without asking the socket', () => {
    const { clients, goodbyes, add } = book()
    const gone = add('a:1', 'idle')
    const stays = add('b:2', 'idle')
    clients.retire(({ host }) => host === 'a:1')
    expect(goodbyes).toHaveLength(1)
    expect(goodbyes[0]).toBeInstanceOf(RetiredError)
    expect(gone.client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(stays.client.stream.destroy).not.toHaveBeenCalled()
  })

  it('retires clients in use when they are released, and does not disturb them before', async () => {
    const { clients, goodbyes, add } = book()
    const { client, session } = add('a:1', 'busy')
    clients.retire(() => true)
    clients.retire(() => true)
    expect(session.retired).toBe(true)
    expect(client.stream.destroy).not.toHaveBeenCalled()
    clients.released(client.asPoolClient)
    await nextTick()
    expect(goodbyes).toHaveLength(1)
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
  })

  it('leaves alone what was released retired but is gone by then', async () => {
    const { clients, goodbyes, add } = book()
    const { client } = add('a:1', 'busy')
    clients.retire(() => true)
    clients.released(client.asPoolClient)
    // pg-pool was told of an error with the release: it ends the client, and tells when that is done.
    client._ending = true
    clients.removed(client.asPoolClient)
    await nextTick()
    expect(goodbyes).toEqual([])
  })

  it('sends one away at its release that its server said it would end, unless pg-pool does', async () => {
    const { clients, goodbyes, add } = book()
    const [doomed, disposed] = [add('a:1', 'busy'), add('a:1', 'busy')]
    for (const { client, session } of [doomed, disposed]) {
      session.announced = true
      clients.released(client.asPoolClient)
    }
    disposed.client._ending = true
    await nextTick()
    expect(goodbyes).toHaveLength(1)
    expect(doomed.client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(disposed.client.stream.destroy).not.toHaveBeenCalled()
  })

  it('cuts everything to one host: idle, in use, and being dialled', () => {
    const { clients, goodbyes, add } = book()
    const idle = add('a:1', 'idle')
    const busy = add('a:1', 'busy')
    const other = add('b:2', 'busy')
    const aborted = { a: vi.fn(), b: vi.fn(), done: vi.fn() }
    clients.dialling('a:1', aborted.a)
    clients.dialling('b:2', aborted.b)
    clients.dialling('a:1', aborted.done)()
    const reason = new Error('a:1 does not lead any more')
    clients.cut('a:1', 1, reason)
    expect(goodbyes).toHaveLength(1)
    expect(idle.client.stream.destroy).toHaveBeenCalled()
    expect(busy.client.stream.destroy).toHaveBeenCalledTimes(1)
    expect(busy.session.retired).toBe(true)
    expect(other.client.stream.destroy).not.toHaveBeenCalled()
    expect(aborted.a).toHaveBeenCalledWith(reason)
    expect(aborted.b).not.toHaveBeenCalled()
    expect(aborted.done).not.toHaveBeenCalled()
  })

  it('leaves the sessions of the present generation alone: another server behind the same name is not cut', () => {
    const { clients, add } = book()
    const old = add('a:1', 'busy')
    clients.cut('a:1', old.session.generation - 1, new Error('not older'))
    expect(old.client.stream.destroy).not.toHaveBeenCalled()
    expect(old.session.retired).toBe(false)
  })

  describe('one that a hook of pg-pool’s has', () => {
    it('counts as checked out, and is cut with its host', () => {
      const { clients } = book()
      const { client, session } = dialled('a:1')
      clients.opened(session)
      expect(clients.busy).toEqual([client])
      clients.cut('a:1', 1, new Error('a:1 does not lead any more'))
      expect(client.stream.destroy).toHaveBeenCalledTimes(1)
    })

    it('is cut at the end: for whom it was made has been answered', () => {
      const { clients } = book()
      const [inHook, handedOver] = [dialled('a:1'), dialled('a:1')]
      clients.opened(inHook.session)
      clients.opened(handedOver.session)
      clients.acquired(handedOver.client.asPoolClient)
      clients.closeIdle()
      expect(inHook.client.stream.destroy).toHaveBeenCalledTimes(1)
      expect(handedOver.client.stream.destroy).not.toHaveBeenCalled()
    })

    it('is forgotten when it is lost there, which nobody else tells', () => {
      const { clients, add } = book()
      const heard = vi.fn()
      clients.onRelease(heard)
      const { session } = dialled('a:1')
      clients.opened(session)
      clients.lost(session)
      expect(clients.busy).toEqual([])
      expect(heard).toHaveBeenCalledTimes(1)
      const busy = add('a:1', 'busy')
      clients.lost(busy.session)
      expect(clients.busy).toEqual([busy.client])
    })
  })

  it('sends nobody an error that is on its way out already', () => {
    const { clients, goodbyes, add } = book()
    const { client } = add('a:1', 'idle')
    client._ending = true
    clients.retire(() => true)
    expect(goodbyes).toEqual([])
    expect(client.stream.destroy).toHaveBeenCalledTimes(1)
  })

  it('does not judge clients that it did not dial', () => {
    const { clients } = book()
    const stranger = new FakeClient()
    clients.released(stranger.asPoolClient)
    clients.retire(() => true)
    expect(stranger.stream.destroy).not.toHaveBeenCalled()
  })

  it('tells of releases until nobody listens', () => {
    const { clients, add } = book()
    const heard = vi.fn()
    const stop = clients.onRelease(heard)
    const { client } = add('a:1', 'idle')
    expect(heard).toHaveBeenCalledTimes(1)
    stop()
    clients.released(client.asPoolClient)
    expect(heard).toHaveBeenCalledTimes(1)
  })
})

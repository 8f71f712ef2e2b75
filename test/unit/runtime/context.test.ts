import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { captureContext } from '../../../src/runtime/context'

const storage = new AsyncLocalStorage<string>()
afterEach(() => storage.disable())

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('captureContext', () => {
  it('brings a store back, also one of the first run of a process', () => {
    const context = storage.run('caller', () => captureContext('test'))
    expect(storage.getStore()).toBeUndefined()
    expect(context?.runInAsyncScope(() => storage.getStore())).toBe('caller')
    context?.emitDestroy()
  })

  it('brings it back from behind an await, a timer and a nested run', async () => {
    const seen = await storage.run('outer', async () => {
      await turn()
      const outer = captureContext('test')
      const inner = storage.run('inner', () => captureContext('test'))
      return [outer, inner]
    })
    await turn()
    expect(seen.map((context) => context?.runInAsyncScope(() => storage.getStore()))).toEqual(['outer', 'inner'])
  })

  it('brings back that there is none, when somebody else has one', async () => {
    const other = storage.run('other', async () => {
      await turn()
      return storage.getStore()
    })
    await turn()
    const mine = captureContext('test')
    expect(await other).toBe('other')
    storage.run('stranger', () => {
      expect(mine === undefined ? 'nothing was kept' : mine.runInAsyncScope(() => storage.getStore())).toBeUndefined()
    })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaitQueue } from '../../../src/runtime/wait-queue'

interface Item {
  readonly arrival: number
  settled: boolean
  readonly name: number
}

type Command =
  | { readonly do: 'add'; readonly arrival: number }
  | { readonly do: 'settle'; readonly which: number }
  | { readonly do: 'serve' }

const command = (maxArrival: number): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), arrival: fc.nat({ max: maxArrival }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('serve' as const) }) },
  )

describe('WaitQueue', () => {
  it('behaves as a list that is sorted by arrival, whoever leaves it from wherever', () => {
    const commands = fc.array(command(50), { maxLength: 400, size: 'max' })
    fc.assert(
      fc.property(commands, (list) => {
        const queue = new WaitQueue<Item>()
        let model: Item[] = []
        const leave = (item: Item): void => {
          item.settled = true
          queue.left()
          model = model.filter((each) => each !== item)
        }
        list.forEach((step, name) => {
          if (step.do === 'add') {
            const item = { arrival: step.arrival, settled: false, name }
            queue.add(item)
            const place = model.findIndex(({ arrival }) => arrival > step.arrival)
            model.splice(place < 0 ? model.length : place, 0, item)
          } else if (step.do === 'settle') {
            const item = model[step.which % Math.max(1, model.length)]
            if (item !== undefined) leave(item)
          } else {
            const first = queue.peek()
            expect(first).toBe(model[0])
            if (first !== undefined) leave(first)
          }
          expect(queue.size).toBe(model.length)
        })
        expect([...queue]).toEqual(model)
        expect(queue.peek()).toBe(model[0])
      }),
      { numRuns: 300 },
    )
  })

  it('forgets those who gave up: a long line of them holds no memory of the settled', () => {
    const queue = new WaitQueue<Item>()
    const stays = { arrival: 0, settled: false, name: 0 }
    queue.add(stays)
    for (let name = 1; name <= 10_000; name += 1) {
      const item = { arrival: name, settled: false, name }
      queue.add(item)
      item.settled = true
      queue.left()
    }
    expect(queue.size).toBe(1)
    expect([...queue]).toEqual([stays])
  })

  it('puts who comes back where the call first stood, behind those of the same moment', () => {
    const queue = new WaitQueue<Item>()
    const items = [10, 20, 20, 30].map((arrival, name) => ({ arrival, settled: false, name }))
    for (const item of items) queue.add(item)
    queue.add({ arrival: 20, settled: false, name: 9 })
    queue.add({ arrival: 5, settled: false, name: 8 })
    expect([...queue].map(({ name }) => name)).toEqual([8, 0, 1, 2, 9, 3])
  })
})

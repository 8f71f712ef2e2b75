import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** Looked up once: in CommonJS an imported name is a getter, and this is on the way of every statement that waits. */
const Resource = AsyncResource
const endedByHand = { requireManualDestroy: true }

/** What was last found out; undefined until the first caller has it found out. Once true it stays true. */
let inUse: boolean | undefined

/**
 * The async context of whoever calls, to run something in later; `emitDestroy()` when there is nothing more to run.
 *
 * `undefined` where there is nothing to keep, which a statement notices in its cost: while no AsyncLocalStorage (and no
 * other async hook) is in use anywhere, nobody's store can be met later either.
 */
export function captureContext(name: string): AsyncResource | undefined {
  inUse ??= !toldByName()
  return inUse || (inUse = isHooked()) ? new Resource(name, endedByHand) : undefined
}

/** Asked for a resource without a name, Node throws (ERR_ASYNC_TYPE) if there is a hook that would be told of it. */
function isHooked(): boolean {
  try {
    new Resource('', endedByHand)
    return false
  } catch {
    return true
  }
}

/**
 * Whether a hook in use is how an AsyncLocalStorage does its work in this Node, as in 20 and 22. From 24 on there need be none,
 * and every caller's context is kept.
 */
function toldByName(): boolean {
  const before = isHooked()
  const storage = new AsyncLocalStorage<true>()
  const within = storage.run(true, isHooked)
  storage.disable()
  return !before && within
}

import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks'

/** Looked up once: in CommonJS an imported name is a getter, and these are on the way of every statement. */
const Resource = AsyncResource
const currentResource = executionAsyncResource
const endedByHand = { requireManualDestroy: true }

/** Found out by the first caller. */
let onResources: boolean | undefined

/**
 * The async context of whoever calls, to run something in later; `emitDestroy()` when there is nothing more to run.
 *
 * `undefined` where there is nothing to keep, which a statement notices in its cost: no AsyncLocalStorage has a store here, and
 * while none is in use anywhere, nobody's store can be met later either. Once one is, every promise and every callback bears
 * an id, and its context is kept whether it has a store or not.
 */
export function captureContext(name: string): AsyncResource | undefined {
  onResources ??= storesAreOnResources()
  return onResources && isBare(currentResource()) ? undefined : new Resource(name, endedByHand)
}

/** A resource to which nobody has attached anything: no store of an AsyncLocalStorage, no id of an async hook. */
function isBare(resource: object): boolean {
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    // A store that was left again stays behind as a property that is undefined.
    if ((resource as Record<symbol, unknown>)[symbol] !== undefined) return false
  }
  return true
}

/**
 * Whether this Node keeps the stores of an AsyncLocalStorage as properties of the current resource, as 20 and 22 do. From 24
 * on they are in a frame that cannot be looked at, and every caller's is kept.
 */
function storesAreOnResources(): boolean {
  const storage = new AsyncLocalStorage<object>()
  const store = {}
  const found = storage.run(store, () => {
    const resource = currentResource() as Record<symbol, unknown>
    return Object.getOwnPropertySymbols(resource).some((symbol) => resource[symbol] === store)
  })
  storage.disable()
  return found
}

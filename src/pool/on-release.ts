import type { PoolClient } from 'pg'

/** Has something done when a client is given back, once: pg-pool makes its `release` anew every time it hands it out. */
export function onRelease(client: PoolClient, released: () => void): void {
  const { release } = client
  client.release = (error) => {
    released()
    release(error)
  }
}

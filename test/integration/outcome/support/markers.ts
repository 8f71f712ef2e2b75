import { beforeEach } from 'vitest'
import { outcomeTable } from '../../../../src/index'
import type { Cluster } from '../../../support'

/** A row of the table of markers. */
export interface MarkerRow {
  readonly id: string
  readonly committed: boolean
}

/** An empty table of markers for each test of a file; the function tells what stands in it. */
export function useMarkers(cluster: () => Cluster): () => Promise<readonly MarkerRow[]> {
  beforeEach(async () => {
    const primary = await cluster().primary()
    await primary.query(`drop table if exists markers; ${outcomeTable('markers')}`)
  })
  return async () =>
    (await cluster().primary()).query<MarkerRow>('select id, committed from markers order by written_at')
}

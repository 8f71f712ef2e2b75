import { describe } from 'vitest'
import { startCluster } from '../../support'
import { startProxies } from './support/proxies'
import { describePartitions } from './support/suite'

describe('partitions, by proxies', () => {
  describePartitions(async () => {
    const cluster = await startCluster()
    return { cluster, network: await startProxies(cluster) }
  })
})

import { describe, it } from 'vitest'
import { startCluster } from '../../support'
import { chooseAddresses, Namespaces, whyNoNamespaces } from './support/namespaces'
import { describePartitions } from './support/suite'

const obstacle = await whyNoNamespaces()

if (obstacle !== undefined) {
  console.log(
    `Network namespaces are not to be had: ${obstacle}. The same partitions are made by proxies, in proxies.test.ts.`,
  )
  it.skip(`partitions in network namespaces: ${obstacle}`)
} else {
  describe('partitions, in network namespaces', () => {
    describePartitions(async () => {
      const addresses = chooseAddresses()
      const network = new Namespaces(addresses)
      await network.start()
      const cluster = await startCluster({
        settings: { listen_addresses: ['127.0.0.1', ...addresses.hosts].join(', ') },
      })
      await network.admit(cluster)
      return { cluster, network }
    })
  })
}

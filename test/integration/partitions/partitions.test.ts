import { startCluster } from '../../support'
import { chooseAddresses, Namespaces, whyNoNamespaces } from './support/namespaces'
import { startProxies } from './support/proxies'
import { describePartitions } from './support/suite'

/** Set to the reason why not, or to anything else, to have the partitions made by proxies. */
const obstacle = process.env['PG_LEADER_TEST_NO_NAMESPACES'] ?? (await whyNoNamespaces())

if (obstacle === undefined) {
  describePartitions('in network namespaces', async () => {
    const addresses = chooseAddresses()
    const network = new Namespaces(addresses)
    await network.start()
    const cluster = await startCluster({
      settings: { listen_addresses: ['127.0.0.1', ...addresses.hosts].join(', ') },
    })
    await network.admit(cluster)
    return { cluster, network }
  })
} else {
  console.log(`Partitions are made by proxies, not in network namespaces: ${obstacle}`)
  describePartitions('by proxies', async () => {
    const cluster = await startCluster()
    return { cluster, network: await startProxies(cluster) }
  })
}

import { useCluster } from '../pool/support/clusters'
import { poolerFaults } from './support/pooler-faults'
import { byMarkers, byWitnesses, playRounds, slowCommits } from './support/rounds'

playRounds(useCluster(slowCommits), poolerFaults, [byWitnesses, byMarkers])

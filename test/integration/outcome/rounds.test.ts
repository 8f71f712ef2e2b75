import { useCluster } from '../pool/support/clusters'
import { faults } from './support/faults'
import { byMarkers, byWitnesses, playRounds, slowCommits } from './support/rounds'

playRounds(useCluster(slowCommits), faults, [byWitnesses, byMarkers])

import { clientEdges } from './support/client-edges'
import { clientSuite } from './support/client-suite'

clientSuite('the newest pg')
clientEdges('the newest pg')

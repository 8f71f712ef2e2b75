'use strict'

/** The rooms of src, lowest first. A room imports lower floors only; rooms on one floor do not know each other. */
const floors = [
  ['core/'],
  ['errors.ts'],
  ['runtime/'],
  ['discovery/', 'monitor/', 'client/'],
  ['topology/', 'telemetry/'],
  ['pool/'],
  ['execution/'],
  ['facade/'],
  ['index.ts', 'parser.ts', 'cli/'],
]

const paths = (rooms) => `^src/(${rooms.join('|').replaceAll('.', '\\.')})`

const lowerOnly = floors.flatMap((floor, index) =>
  floor.map((room) => ({
    name: `${room.replace(/\/$|\.ts$/, '')}-imports-lower-rooms-only`,
    severity: 'error',
    from: { path: paths([room]) },
    to: { path: '^src/', pathNot: paths([...floors.slice(0, index).flat(), room]) },
  })),
)

module.exports = {
  forbidden: [
    ...lowerOnly,
    {
      name: 'src-has-no-other-rooms',
      severity: 'error',
      from: { path: '^src/', pathNot: paths(floors.flat()) },
      to: {},
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-imports-nothing-outside-itself',
      comment: 'not even a type or a module of node: whatever core needs comes in as an argument',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      name: 'only-some-rooms-know-pg',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(client|monitor|pool|facade)/|^src/index\\.ts$' },
      to: { path: 'node_modules/(@types/)?pg/|^pg$' },
    },
    {
      name: 'only-its-subpath-knows-the-grammar',
      comment:
        'libpg-query is optional, and the list of built-ins is not small: whoever imports pg-leader alone loads neither',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(parser\\.ts$|core/routing/parsed/)' },
      to: { path: 'node_modules/libpg-query/|^libpg-query$|^src/core/routing/parsed/' },
    },
    {
      name: 'nobody-imports-pg-pool',
      comment: "the application's own pg brings the pg-pool it was made for: reach it as pg.Pool",
      severity: 'error',
      from: {},
      to: { path: 'node_modules/(@types/)?pg-pool/|^pg-pool$' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|bench|demo|config|dist)/' },
    },
    {
      name: 'src-imports-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}

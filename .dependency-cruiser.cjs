// Who may import whom. Each rule carries its reason; `npm run layers` holds the code to them.
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: [from, ...allowed] },
})

/** Of a room of the client: the rooms that it may import from. Types of the context are everybody's. */
const room = (name, comment, rooms) => ({
  name: `room-${name}`,
  comment,
  severity: 'error',
  from: { path: `^src/client/${name}/` },
  to: {
    path: '^src/client/',
    pathNot: ['^src/client/context\\.ts$', ...[name, ...rooms].map((each) => `^src/client/${each}/`)],
  },
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    only(
      'package-imports-nothing',
      'Where the package is and which version; the command reads it before anything else is loaded.',
      '^src/package/',
      [],
    ),
    only('model-imports-nothing', 'The words are the ground everything else stands on.', '^src/model/', []),
    only(
      'rules-see-model',
      'Decisions are pure: state, event, now, settings in; new state out.',
      '^src/rules/',
      ['^src/model/'],
    ),
    only('config-sees-model', 'Schemas describe the words and nothing else.', '^src/config/', [
      '^src/model/',
    ]),
    only(
      'client-sees-ports',
      'A worker talks to a port, so that Redis and memory are interchangeable.',
      '^src/client/',
      ['^src/model/', '^src/rules/', '^src/config/'],
    ),
    only(
      'redis-never-rules',
      'In Redis the Lua decides; a TypeScript rule here would be a second opinion.',
      '^src/redis/',
      ['^src/model/', '^src/config/', '^src/package/'],
    ),
    only('memory-over-rules', 'The same ports in a Map, decided by the same rules.', '^src/memory/', [
      '^src/model/',
      '^src/rules/',
      '^src/config/',
    ]),
    only(
      'simulation-over-memory',
      'The rules offline: the store of the tests, and of a worker what decides in which order outcomes arrive.',
      '^src/simulation/',
      [
        '^src/model/',
        '^src/rules/',
        '^src/config/',
        '^src/memory/',
        '^src/client/outbox/(flush-policy|outcome-buffer|open-run)\\.ts$',
        '^src/client/sync/own-run\\.ts$',
      ],
    ),
    only(
      'probes-see-client',
      'A probe worker is a user of the handle and the ports. What it plans by is what readers judge by: one pace.',
      '^src/probes/',
      ['^src/model/', '^src/client/', '^src/config/', '^src/rules/probe-interval\\.ts$', '^src/package/'],
    ),
    only(
      'alerts-see-client',
      'An alert worker reads streams and queues through ports, and says what happened in the words of the view.',
      '^src/alerts/',
      [
        '^src/model/',
        '^src/client/',
        '^src/config/',
        '^src/package/',
        '^src/probes/queue-closing\\.ts$',
        '^src/view/(alert-text|event-words|format)\\.ts$',
      ],
    ),
    only(
      'bullmq-sees-client',
      "A user's own workers: what they need of a handle, and no bullmq, which is the user's own copy.",
      '^src/bullmq/',
      ['^src/model/', '^src/client/', '^src/config/'],
    ),
    only(
      'metrics-see-client',
      'An exporter reads what a process holds and counts, through one port, metrics-source.ts.',
      '^src/metrics/',
      ['^src/model/', '^src/client/', '^src/config/', '^src/package/'],
    ),
    only(
      'embedded-stands-alone',
      'It gives a URL; what is done with it is not its business.',
      '^src/embedded/',
      [],
    ),
    only(
      'view-is-presentation',
      'Text and tables from what any user can read, shared by everything that shows it.',
      '^src/view/',
      // simulation/result.ts: the type of what a simulation gives. model/ and mask.ts: for the words of events and alerts, which
      // a part of a busbar uses too; index.ts, which leads to all parts, would make that a cycle.
      ['^src/index\\.ts$', '^src/simulation/result\\.ts$', '^src/model/', '^src/config/mask\\.ts$'],
    ),
    only(
      'http-is-a-user',
      'The API shows and does what any user can, in the words of the view; its requests are checked by schemas.',
      '^src/http/',
      [
        '^src/index\\.ts$',
        '^src/config/(check|http)\\.ts$',
        '^src/metrics/prometheus\\.ts$',
        '^src/view/',
        '^src/package/',
      ],
    ),
    only(
      'dashboard-is-a-page',
      'It runs in a browser: words of the model, sentences of the view, and how a snapshot ages, by the one function that does it.',
      '^src/dashboard/',
      ['^src/view/', '^src/model/', '^src/client/sync/snapshot\\.ts$'],
    ),
    {
      name: 'nothing-imports-the-dashboard',
      comment: 'The build puts it into files of its own; no process loads them, but a browser.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dashboard/' },
      to: { path: '^src/dashboard/' },
    },
    {
      name: 'preact-and-uplot-only-in-the-dashboard',
      comment: 'They are bundled, and are no dependencies of the package.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dashboard/' },
      to: { path: 'node_modules/(preact|uplot)/' },
    },
    only(
      'cli-is-a-user',
      'The CLI uses what any user has, so that whatever it can do, they can.',
      '^src/cli/',
      // connect.ts: to load the parts before it begins to wait for Redis.
      // timeout.ts: a wait with an end is nothing of Busbar's.
      [
        '^src/index\\.ts$',
        '^src/connect\\.ts$',
        '^src/model/timeout\\.ts$',
        '^src/embedded/',
        '^src/http/',
        '^src/package/',
        '^src/view/',
        '^src/simulation/(index|source)\\.ts$',
        // send-test.ts: a test of a hook needs no fleet.
        '^src/alerts/send-test\\.ts$',
      ],
    ),
    only(
      'adapters-are-users',
      'An adapter of a client uses what any user has, and loads neither the client nor more of Busbar than that.',
      '^src/adapters/',
      ['^src/index\\.ts$'],
    ),
    room('shared', 'Tools that know nothing of providers.', []),
    room('outage', 'Whether the store answers, and what a process does while it does not.', ['shared']),
    room('sync', 'What the store last said, kept up to date.', ['shared', 'outage']),
    room('admission', 'Whether a call may begin.', ['shared', 'outage', 'sync']),
    room('outbox', 'Outcomes on their way to the store.', ['shared', 'outage', 'sync']),
    room('call', 'The life of one call.', ['shared', 'outage', 'sync', 'admission', 'outbox']),
    room('group', 'Several providers of which any can take a call.', [
      ...['shared', 'outage', 'sync', 'admission', 'outbox', 'call'],
    ]),
    room('probing', 'What a probe worker asks of a provider.', ['shared', 'outage', 'sync', 'outbox']),
    {
      name: 'provider-below-busbar',
      comment: 'A provider is what the rooms make together; the registry and the busbar hold many of them.',
      severity: 'error',
      from: { path: '^src/client/provider\\.ts$' },
      to: { path: '^src/client/(registry/|busbar\\.ts)' },
    },
    {
      name: 'ioredis-only-in-redis',
      comment: 'One place knows how the client fails.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/redis/' },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'valibot-only-in-config',
      comment: 'One place makes the messages about settings and options.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/config/' },
      to: { path: 'node_modules/valibot' },
    },
    {
      name: 'bullmq-only-in-queue',
      comment:
        'The queue engine can be replaced by rewriting the file of the probes, that of the alerts, and how both close.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(probes/(bullmq-queue|queue-closing)|alerts/alert-queue)\\.ts$',
      },
      to: { path: 'node_modules/bullmq' },
    },
    {
      name: 'prom-client-only-in-prometheus',
      comment: 'Nothing loads it but busbar/prometheus.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/metrics/(prometheus|register-options)\\.ts$' },
      to: { path: 'node_modules/prom-client' },
    },
    {
      name: 'opentelemetry-only-in-otel',
      comment: 'An optional peer: nothing loads it but busbar/otel.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/metrics/otel\\.ts$' },
      to: { path: 'node_modules/@opentelemetry' },
    },
    {
      name: 'metrics-by-one-port',
      comment: 'Exporters know a busbar only by metrics-source.ts.',
      severity: 'error',
      from: { path: '^src/metrics/(prometheus|otel)\\.ts$' },
      to: { path: '^src/client/(?!busbar\\.ts$|shared/provider-meter\\.ts$)' },
    },
    {
      name: 'src-stands-alone',
      comment: 'The package is src/ and lua/; all else is about it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(scripts|test|bench)/' },
    },
    {
      name: 'scripts-and-bench-never-tests',
      comment:
        'What only tests need is in test/harness, so that a script does not break when a test changes.',
      severity: 'error',
      from: { path: '^(scripts|bench)/' },
      to: { path: '^test/' },
    },
    {
      name: 'harness-never-tests',
      comment: 'Tests stand on the harness; a harness that knew its tests could not be shared by others.',
      severity: 'error',
      from: { path: '^test/harness/' },
      to: { path: '^test/', pathNot: '^test/harness/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^dist/'] },
  },
}

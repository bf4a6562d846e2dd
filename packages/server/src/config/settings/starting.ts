import type { SettingDefinition } from '../setting-definition.ts';

/** What it finds at its start, what it keeps where, and what it says of itself. */
export const STARTING: readonly SettingDefinition[] = [
  {
    name: 'data-dir',
    type: 'path',
    default: '.countersign',
    doc: 'Directory of the embedded database, the audit log, and in `dev` the generated CA and master key.',
  },
  {
    name: 'database',
    type: 'string',
    secret: true,
    doc: '`sqlite:PATH` or `postgres://…`. Default: `registry.db` in the data directory. A URL with a password belongs in a file.',
  },
  {
    name: 'database-connections',
    type: 'integer',
    default: '10',
    minimum: 2,
    maximum: 200,
    doc: 'Connections to PostgreSQL.',
  },
  {
    name: 'master-key-file',
    type: 'path',
    doc: 'File with the master key, 64 hex digits. `serve` needs it; `dev` makes one in the data directory.',
  },
  { name: 'apply', type: 'list', doc: 'Files of declared objects, applied before the authority is ready.' },
  {
    name: 'ready-file',
    type: 'path',
    doc: 'File (mode 0600) written when the authority is ready: addresses, and the admin’s credentials when this start made them. `dev` writes `ready.json` in its data-dir when this is left out.',
  },
  {
    name: 'dev-people',
    type: 'boolean',
    default: 'true',
    only: 'dev',
    doc: 'Whether `dev` brings its own issuer of people, who sign in by a click. A trusted issuer of kind people that is registered takes its place.',
  },
  {
    name: 'console',
    type: 'boolean',
    default: 'true',
    doc: 'Whether the web console is served at /console. Who uses it signs in as a person; see docs/guide/console.md.',
  },
  {
    name: 'outbound-allow',
    type: 'list',
    doc: 'Host names, addresses or CIDR blocks that may be fetched from (key sets, metadata of trusted issuers) though they are not public, or on a port other than 443. In `dev` those on loopback also without TLS.',
  },
  {
    name: 'cached-identities',
    type: 'integer',
    default: '20000',
    minimum: 100,
    maximum: 1_000_000,
    doc: 'Identities held in memory for the token path.',
  },
  {
    name: 'audit-reserve',
    type: 'integer',
    default: '67108864',
    minimum: 0,
    maximum: 1_099_511_627_776,
    doc: 'Free bytes kept for issuance: below it, refusals of strangers are counted only.',
  },
  {
    name: 'lost-changes-until',
    type: 'integer',
    default: '0',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    doc: 'Number of an audit event: a registry that lacks changes logged up to it is started all the same, as after putting back an old copy on purpose. The refusal to start names it.',
  },
  {
    name: 'log-level',
    type: 'string',
    default: 'info',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    doc: 'Least severity that is logged.',
  },
];

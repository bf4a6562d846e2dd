// The reference pages, made from the tables in the built packages: what the page says is what the code does.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { declaredPage } from './declared.mjs';
import { MADE, code, row } from './markdown.mjs';

/** @typedef {{page: string, text: string}} Page */

/**
 * Every page with the built modules and, for what only types say, the sources it is made from.
 * @type {{page: string, from: string[], texts?: string[], render: (...parts: any[]) => string}[]}
 */
const PAGES = [
  { page: 'docs/reference/config.md', from: ['packages/server/dist/config/schema.js'], render: configPage },
  {
    page: 'docs/reference/errors.md',
    from: [
      'packages/protocol/dist/error-code.js',
      'packages/server/dist/oauth/refusal.js',
      'packages/admin-api/dist/problem.js',
      'packages/resource-server/dist/refusal.js',
    ],
    texts: ['packages/resource-server/src/refusal.ts', 'packages/client/src/errors.ts'],
    render: errorsPage,
  },
  {
    page: 'docs/reference/cli.md',
    from: ['packages/cli/dist/program.js', 'packages/cli/dist/exit-code.js'],
    render: cliPage,
  },
  { page: 'docs/reference/admin-api.md', from: ['packages/admin-api/dist/index.js'], render: adminApiPage },
  { page: 'docs/reference/declared.md', from: ['packages/admin-api/dist/index.js'], render: declaredPage },
];

/** @param {string} root @returns {Promise<{pages: Page[], skipped: string[]}>} a page whose modules are not built is skipped */
export async function referencePages(root) {
  /** @type {Page[]} */
  const pages = [];
  /** @type {string[]} */
  const skipped = [];
  for (const { page, from, texts = [], render } of PAGES) {
    const absent = from.filter((module) => !existsSync(join(root, module)));
    if (absent.length > 0) {
      skipped.push(`${page}: ${absent.join(', ')} is not built`);
      continue;
    }
    const modules = await Promise.all(from.map((module) => import(pathToFileURL(join(root, module)).href)));
    const sources = texts.map((path) => readFileSync(join(root, path), 'utf8'));
    pages.push({ page, text: `${render(...modules, ...sources)}\n` });
  }
  return { pages, skipped };
}

/** @param {any} schema */
function configPage({ SETTINGS_BY_SUBJECT }) {
  return [
    '# Settings',
    MADE,
    '',
    'A setting comes from its flag, else from its environment variable, else from the YAML file named by `--config` or',
    '`COUNTERSIGN_CONFIG`, else from its default. An unknown name is refused in each of them. What holds a secret belongs in',
    'a file: `…_FILE` names it. Durations are written `90s`, `10m`, `1h`, `30d`.',
    ...SETTINGS_BY_SUBJECT.flatMap((/** @type {[string, any[]]} */ [subject, settings]) => [
      '',
      `## ${subject}`,
      '',
      '| flag and YAML key | environment | type | default | says |',
      '|---|---|---|---|---|',
      ...settings.map(settingRow),
    ]),
  ].join('\n');
}

/** @param {any} setting */
function settingRow(setting) {
  return row([
    code(setting.name),
    code(variable(setting)),
    setting.type + bounds(setting),
    setting.default === undefined ? '–' : code(setting.default),
    setting.doc + (setting.only ? ` Only for \`${setting.only}\`.` : ''),
  ]);
}

/** @param {any} setting */
function variable({ name, secret }) {
  const own = `COUNTERSIGN_${name.toUpperCase().replaceAll('-', '_')}`;
  return secret ? `${own} or ${own}_FILE` : own;
}

/** @param {any} setting */
function bounds({ minimum, maximum, values, type }) {
  if (values) return `: ${values.map(code).join(' ')}`;
  if (minimum === undefined && maximum === undefined) return '';
  const unit = type === 'duration' ? ' s' : '';
  return `, ${minimum ?? ''} to ${maximum ?? ''}${unit}`;
}

/**
 * @param {any} codes @param {any} refusals @param {any} problems @param {any} sdk
 * @param {string} sdkSource @param {string} clientSource
 */
function errorsPage(codes, refusals, problems, sdk, sdkSource, clientSource) {
  const { OAUTH_ERROR_CODES, ERROR_CODE_TABLE } = codes;
  return [
    '# Errors',
    MADE,
    '',
    'Callers are told little, operators everything: every answer has a `Request-Id`, and `countersign explain REQUEST-ID` says',
    'which reason stood behind it.',
    '',
    '## OAuth error codes',
    '',
    'The `error` member of an answer of `/oauth/…`, and of a `WWW-Authenticate` challenge. Nothing else appears there.',
    '',
    '| code | registered by | means |',
    '|---|---|---|',
    ...OAUTH_ERROR_CODES.map((/** @type {string} */ name) => {
      const { rfc, section, meaning } = ERROR_CODE_TABLE[name];
      return row([code(name), `RFC ${rfc} §${section}`, meaning]);
    }),
    '',
    '## Refusal reasons of the token endpoint',
    '',
    'The reason is in the audit log and in `countersign explain`; the caller gets code, status and text. Reasons that share a',
    'code and a text cannot be told apart from outside, on purpose.',
    '',
    '| reason | the caller is told | the operator is told |',
    '|---|---|---|',
    ...Object.entries(refusals.REFUSALS).map(([reason, { code: error, status, description, why, fix }]) =>
      row([code(reason), `${status} ${code(error)}: ${description}`, `${why} ${fix}`]),
    ),
    '',
    '## Problems of the admin API',
    '',
    'Answers of `/v1/…` that are no success are `application/problem+json` (RFC 9457), with `code` as below, `request_id`, and',
    '`errors` (a JSON Pointer and a text each) where members were refused.',
    '',
    '| code | status | title |',
    '|---|---|---|',
    ...Object.entries(problems.PROBLEMS).map(([name, { status, title }]) =>
      row([code(name), String(status), title]),
    ),
    '',
    '## Refusal reasons of `@countersign/resource-server`',
    '',
    '`reason` in the answer of `verify`: for the logs of the API. Its caller gets status, code and challenge.',
    '',
    '| reason | status | `error` in the challenge |',
    '|---|---|---|',
    ...union(sdkSource, 'RefusalReason').map(({ name }) => {
      const { status, error } = sdk.refusal(name, { resourceMetadata: undefined });
      return row([code(name), String(status), error === undefined ? '–' : code(error)]);
    }),
    '',
    '## Codes of `TokenError` in `@countersign/client`',
    '',
    '| code | means |',
    '|---|---|',
    ...union(clientSource, 'TokenErrorCode').map(({ name, comment }) => row([code(name), comment])),
  ].join('\n');
}

/** @param {any} api */
function adminApiPage({ operations, operationIds, ADMIN_SCOPES, PEOPLE_SCOPES, ROLES, SCOPE_ROLES }) {
  return [
    '# Admin API',
    MADE,
    '',
    'Served below the issuer, described in full by `/openapi.json` (OpenAPI 3.1), and an ordinary resource server of its own',
    'authority: its resource identifier is the issuer followed by `/v1`.',
    '',
    '| operation | request | scopes | does |',
    '|---|---|---|---|',
    ...operationIds.map((/** @type {string} */ id) => {
      const { method, path, scopes, summary } = operations[id];
      return row([
        code(id),
        code(`${method} ${path}`),
        scopes.map(code).join(' and ') || 'any token of this API',
        summary,
      ]);
    }),
    '',
    '## Scopes',
    '',
    '| scope | allows |',
    '|---|---|',
    ...Object.entries(ADMIN_SCOPES).map(([name, { description }]) => row([code(name), description])),
    '',
    'These are for people alone: no access of a machine can have them.',
    '',
    '| scope | allows |',
    '|---|---|',
    ...Object.entries(PEOPLE_SCOPES).map(([name, { description }]) => row([code(name), description])),
    '',
    '## Roles',
    '',
    'What a person may do are the scopes of its roles. `owner` changes only what is its own: identities whose team is one of',
    'its teams, or for which it is accountable, with their credentials, access and findings.',
    '',
    `| scope | ${ROLES.join(' | ')} |`,
    `|---|${ROLES.map(() => '---|').join('')}`,
    ...Object.entries(SCOPE_ROLES).map(([name, roles]) =>
      row([code(name), ...ROLES.map((/** @type {string} */ role) => heldBy(role, name, roles))]),
    ),
  ].join('\n');
}

/** @param {string} role @param {string} scope @param {string[]} roles */
function heldBy(role, scope, roles) {
  if (!roles.includes(role)) return '';
  return role === 'owner' && scope.endsWith(':write') ? 'own' : 'yes';
}

/** @param {any} program @param {any} exitCodes */
function cliPage({ COMMANDS }, { EXIT_CODES }) {
  const shown = Object.entries(COMMANDS).filter(([, { hidden }]) => !hidden);
  return [
    '# The countersign command',
    MADE,
    '',
    '`countersign NOUN VERB`; every command and verb has `--help` with examples. Answers go to stdout in the form of',
    '`-o table|json|yaml|ndjson|name`, messages to stderr. Secrets come by stdin, file or environment, never by flag. What',
    'destroys shows a dry run first and wants `--yes`.',
    '',
    '| command | does |',
    '|---|---|',
    ...shown.map(([name, { brief }]) => row([code(`countersign ${name}`), brief])),
    ...exitCodeTable(EXIT_CODES),
  ].join('\n');
}

/** @param {Record<string, number> | undefined} codes */
function exitCodeTable(codes) {
  if (!codes) return [];
  const rows = Object.entries(codes).map(([name, value]) => row([String(value), name.replaceAll('_', ' ')]));
  return ['', '| exit code | means |', '|---|---|', ...rows];
}

/**
 * The members of a union of strings in a source text, each with the comment above it.
 * @param {string} source @param {string} name @returns {{name: string, comment: string}[]}
 */
function union(source, name) {
  const body = new RegExp(`type ${name} =([^;]*);`).exec(source)?.[1] ?? '';
  return [...body.matchAll(/(?:\/\*\* (.*?) \*\/\s*)?\| '(\w+)'/g)].map((found) => ({
    name: found[2] ?? '',
    comment: found[1] ?? '',
  }));
}

// The page of declared objects: every kind and member of a YAML document, from the JSON Schema of the admin contract.
import { MADE, code, row } from './markdown.mjs';

/** What a kind is, and an example member by member; the schema has the rest. @type {Record<string, string>} */
const KINDS = {
  Identity: 'A machine: who answers for it, what it is for, when it ends.',
  ResourceServer: 'An API with its scopes and what its tokens are like.',
  TrustedIssuer: 'Another issuer whose tokens workloads may come with.',
  Person:
    'A human whom owners name, by `handle`. One who is `left` owns nothing any more. Applying takes `people:write`, as with Team.',
  Team: 'People who answer for machines together, by `name`.',
  Access: 'Identity → resource server → scopes, with a justification and an end.',
  Credential:
    'One way in which an identity proves itself, by `type`; told apart by `metadata.name` (its label).',
  ApprovalRule:
    'What needs the word of people before it works, and of whom. See [approvals](../operate/approvals.md).',
  Policy: 'What is allowed of machines, by one `rule`. See [policies](../operate/policies.md).',
  PolicyException: 'An identity that a policy lets be, with a reason and an end.',
  Webhook: 'Where notices of changes go. See [notices](../operate/notices.md).',
  TrustDomain: 'Another SPIFFE trust domain that is believed. See [SPIFFE](../guide/spiffe.md).',
  Workload: 'Which processes an agent gives the SVIDs of an identity to. See [SPIFFE](../guide/spiffe.md).',
};
/** Kinds in which exactly one of `expires_at` and `expires_in` stands; elsewhere at most one. */
const NEEDS_END = new Set(['Identity', 'Access']);
const PATTERNS = new Map([
  ['^[A-Za-z0-9_-]{1,128}$', '1 to 128 of A–Z a–z 0–9 `_` `-`'],
  ['^[1-9][0-9]{0,4}[smhdw]$', 'a span: `45s` `30m` `12h` `90d` `4w`'],
]);

/** @param {any} api the face of the admin contract */
export function declaredPage({ openApiDocument, API_VERSION }) {
  const { schemas } = openApiDocument({ issuer: 'https://auth.example.com', version: '' }).components;
  const documents = withoutRefs(schemas.Document, schemas).oneOf;
  return [
    '# Declared objects',
    MADE,
    '',
    'What `countersign plan`, `apply` and `export`, and `dev` and `serve --apply`, read and write: YAML documents parted by `---`, in any order.',
    'Members that are not listed here are refused. Every document has',
    '',
    '```yaml',
    `apiVersion: ${API_VERSION}`,
    `kind: ${documents.map((/** @type {any} */ each) => each.properties.kind.const).join(' | ')}`,
    'metadata:',
    '  name: …        # one line, up to 200 characters',
    'spec: …          # by kind, below',
    '```',
    '',
    'An example with ResourceServer, Identity, Credential and Access: [examples/quickstart/authority.yaml](../../examples/quickstart/authority.yaml).',
    '',
    'Everything ends. `expires_at` is an RFC 3339 instant; `expires_in` is counted from the creation and leaves the end of an object',
    'that exists alone. Never both.',
    ...documents.flatMap(kindSection),
  ].join('\n');
}

/** The schema with what it refers to in its place. @param {any} schema @param {Record<string, any>} schemas @returns {any} */
function withoutRefs(schema, schemas) {
  if (Array.isArray(schema)) return schema.map((each) => withoutRefs(each, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref: ref, ...own } = schema;
  const whole = typeof ref === 'string' ? { ...schemas[ref.split('/').at(-1) ?? ''], ...own } : own;
  return Object.fromEntries(Object.entries(whole).map(([name, each]) => [name, withoutRefs(each, schemas)]));
}

const HEAD = ['| member of `spec` | | is | says |', '|---|---|---|---|'];

/** @param {any} document @returns {string[]} */
function kindSection({ properties }) {
  const kind = properties.kind.const;
  const spec = properties.spec;
  const end = NEEDS_END.has(kind) ? ['', 'Exactly one of `expires_at` and `expires_in` is needed.'] : [];
  const tables = spec.oneOf ? spec.oneOf.flatMap(variantSection) : ['', ...HEAD, ...members(spec, '')];
  const files = kind === 'Credential' ? SECRET_FILE : [];
  return ['', `## ${kind}`, '', KINDS[kind] ?? '', ...end, ...files, ...tables];
}

/** Of several shapes of one kind, each by its `type`. @param {any} spec @returns {string[]} */
function variantSection(spec) {
  const files = spec.properties.secret ? [secretFile(spec.properties.type.const)] : [];
  return [
    '',
    `### ${code(`type: ${spec.properties.type.const}`)}`,
    '',
    ...HEAD,
    ...members(spec, ''),
    ...files,
  ];
}

/** A row a member, those of objects and lists below their own. @param {any} schema @param {string} prefix @returns {string[]} */
function members(schema, prefix) {
  const required = new Set(schema.required ?? []);
  return (
    Object.entries(schema.properties ?? {})
      // A secret never stands in a document that a person wrote: `secretFile` stands for it.
      .filter(([name]) => !(schema.properties.type?.const !== undefined && name === 'secret'))
      .flatMap(([name, member]) => {
        const list = member.type === 'array';
        const path = `${prefix}${name}${list ? '[]' : ''}`;
        const inner = list ? member.items : member;
        return [
          row([
            code(path),
            required.has(name) ? 'needed' : '',
            typeOf(inner, list),
            [member.description, defaultOf(member)].filter(Boolean).join('. '),
          ]),
          ...(inner.properties ? members(inner, `${path}.`) : []),
        ];
      })
  );
}

/** @param {any} schema @param {boolean} list @returns {string} */
function typeOf(schema, list) {
  const many = list ? 'list of ' : '';
  if (schema.const !== undefined) return many + code(schema.const);
  if (schema.enum) return many + schema.enum.map(code).join(' ');
  if (schema.format === 'date-time') return `${many}RFC 3339 date and time`;
  if (schema.format === 'uri') return `${many}absolute URI without fragment`;
  if (schema.format === 'cidrv4') return `${many}IPv4 block`;
  if (schema.format === 'cidrv6') return `${many}IPv6 block`;
  if (PATTERNS.has(schema.pattern)) return many + PATTERNS.get(schema.pattern);
  if (schema.type === 'integer') return `${many}integer, ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'boolean') return `${many}\`true\` or \`false\``;
  if (schema.type === 'object') return `${many}object`;
  if (schema.anyOf) {
    return many + schema.anyOf.map((/** @type {any} */ each) => typeOf(each, false)).join(' or ');
  }
  if (schema.oneOf) {
    return `${many}object`;
  }
  return schema.maxLength === undefined ? `${many}text` : `${many}text, up to ${schema.maxLength}`;
}

/** @param {any} member */
function defaultOf(member) {
  const value = member.default;
  return value === undefined || typeof value === 'object' ? '' : `Default ${code(String(value))}`;
}

/** @param {string} type @returns {string} */
function secretFile(type) {
  const shape = type === 'api_key' ? 'cak_…' : 'csk_…';
  return row([
    code('secretFile'),
    '',
    'path, relative to the document',
    `The file that holds the secret (${code(shape)}). Absent file: a secret is made and written there (mode 0600). Left out: one is made; ${code('countersign apply')} keeps it in a file that it names, ${code('--apply')} of ${code('dev')} and ${code('serve')} does not`,
  ]);
}

const SECRET_FILE = [
  '',
  '`secretFile` is in camel case, like `apiVersion`, on purpose: it is the one member of a `spec` that is not sent. The command reads or',
  'writes the file where it runs; the admin API knows no paths of other machines. A document that holds the secret itself is refused.',
  '',
  'Another proof under the same name takes the place of the one before, which is revoked.',
];

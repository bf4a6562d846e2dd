import { JWS_ALGORITHMS, parseJwkSet } from '@countersign/protocol';
import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, name, page, pageQuery, positive, text, trustedIssuerRef } from './fields.ts';
import { peopleSettings, peopleSettingsPatch } from './people-settings.ts';

export const TRUSTED_ISSUER_KINDS = ['generic', 'github_actions', 'gitlab', 'kubernetes', 'people'] as const;
export type TrustedIssuerKind = (typeof TRUSTED_ISSUER_KINDS)[number];
const ALGORITHMS = [
  'ES256',
  'ES384',
  'RS256',
  'RS384',
  'PS256',
  'EdDSA',
  'Ed25519',
] as const satisfies readonly (keyof typeof JWS_ALGORITHMS)[];

/** Compared with `iss` character by character; http on loopback only. */
const webAddress = (what: string) =>
  z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[\x21-\x7e]+$/, `must be ${what}`)
    .refine(isWebAddress, `must be ${what}: https, or http on loopback, without user, query or fragment`);

function isWebAddress(value: string): boolean {
  if (!URL.canParse(value) || value.includes('?') || value.includes('#')) return false;
  const { protocol, hostname, username, password } = new URL(value);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || /^(?:localhost|127\.[0-9.]+|\[::1\])$/.test(hostname);
}

/** Public keys (RFC 7517 §5); a set with anything private in it is refused. */
const keySet = z
  .looseObject({ keys: z.array(z.looseObject({})).min(1).max(50) })
  .refine(isKeySet, 'must be a JWK set of public keys that can verify signatures');

function isKeySet(value: object): boolean {
  const set = parseJwkSet(value, { maxKeys: 50, rsaAlgorithm: 'RS256' });
  return set.ok && set.keys.length > 0 && set.skipped.every(({ fault }) => fault !== 'private_key_material');
}

const pem = z
  .string()
  .min(1)
  .max(32_768)
  .regex(/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n -]+$/, 'must be PEM certificates');

const algorithms = z
  .array(z.enum(ALGORITHMS))
  .min(1)
  .max(ALGORITHMS.length)
  .refine((list) => new Set(list).size === list.length, 'must not repeat an algorithm');

const audience = text(2048).describe(
  'The only audience taken; without it this authority and its token endpoint',
);
const maxTokenAge = positive(86_400).describe('Seconds since the token was issued; by kind when absent');
const singleUse = z.boolean().describe('Whether a token is taken only once; by kind when absent');

/** Members that a person may write; shared by creation and declared documents. */
export const trustedIssuerMembers = {
  kind: z
    .enum(TRUSTED_ISSUER_KINDS)
    .default('generic')
    .describe('Says which claims every rule has to name, because they stand for one subject for ever'),
  jwks_uri: webAddress('the URL of a JWK set').optional(),
  jwks: keySet
    .optional()
    .describe('Its keys themselves; without jwks and jwks_uri its metadata say where they are'),
  ca: pem.optional().describe('What signed its TLS certificate, where the platform does not trust it'),
  algorithms: algorithms.default(['RS256', 'ES256']),
  audience: audience.optional(),
  max_token_age: maxTokenAge.optional(),
  single_use: singleUse.optional(),
  people: peopleSettings.optional().describe('How people sign in: with kind people, and with no other'),
};

type KeyPlaces = { readonly jwks?: unknown; readonly jwks_uri?: unknown };
export const hasOneKeyPlace = ({ jwks, jwks_uri: uri }: KeyPlaces): boolean =>
  (jwks ?? undefined) === undefined || (uri ?? undefined) === undefined;
export const AT_KEY_PLACE = { error: 'jwks and jwks_uri exclude each other', path: ['jwks'] };

type PeopleMembers = {
  readonly kind?: unknown;
  readonly people?: unknown;
  readonly audience?: unknown;
  readonly single_use?: unknown;
};
/** People are signed in for a client of theirs, once for each ID token; machines come with neither. */
export const isPeopleOrMachines = ({ kind, people, audience, single_use: once }: PeopleMembers): boolean =>
  kind === 'people' ? people !== undefined && audience === undefined && once !== false : people === undefined;
export const AT_PEOPLE = {
  error: 'kind people needs people, takes no audience and each token once; other kinds take no people',
  path: ['people'],
};

export const issuerIdentifier = webAddress('an issuer');

export const trustedIssuerCreate = z
  .strictObject({ issuer: issuerIdentifier, name, ...trustedIssuerMembers })
  .refine(hasOneKeyPlace, AT_KEY_PLACE)
  .refine(isPeopleOrMachines, AT_PEOPLE)
  .meta({ id: 'TrustedIssuerCreate' });

/** Merge patch (RFC 7396); null removes. Issuer and kind stay: rules are about them. */
export const trustedIssuerPatch = z
  .strictObject({
    name: name.optional(),
    jwks_uri: webAddress('the URL of a JWK set').nullable().optional(),
    jwks: keySet.nullable().optional(),
    ca: pem.nullable().optional(),
    algorithms: algorithms.optional(),
    audience: audience.nullable().optional(),
    max_token_age: maxTokenAge.optional(),
    single_use: singleUse.optional(),
    people: peopleSettingsPatch.optional(),
    state: z.enum(['active', 'suspended']).optional(),
  })
  .refine(hasOneKeyPlace, AT_KEY_PLACE)
  .meta({ id: 'TrustedIssuerPatch' });

export const trustedIssuer = z
  .object({
    id: z.string(),
    issuer: z.string(),
    name: z.string(),
    kind: z.enum(TRUSTED_ISSUER_KINDS),
    jwks_uri: z.string().nullable(),
    jwks: z.record(z.string(), z.unknown()).nullable(),
    ca: z.string().nullable(),
    algorithms: z.array(z.string()),
    audience: z.string().nullable(),
    max_token_age: z.int(),
    single_use: z.boolean(),
    people: peopleSettings.nullable().describe('How people sign in; null for machines’ issuers'),
    required_conditions: z.array(z.string()).describe('Claims that every rule for its tokens has to name'),
    state: z.enum(['active', 'suspended', 'deleted']),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'TrustedIssuer' });
export type TrustedIssuer = z.output<typeof trustedIssuer>;

/** After a change that may end tokens. */
export const changedTrustedIssuer = trustedIssuer
  .extend({
    cut_off: z
      .int()
      .describe('Credentials whose tokens were cut off: all of this issuer when it was suspended or deleted'),
  })
  .meta({ id: 'ChangedTrustedIssuer' });

/** What the authority makes of a token, without taking it. */
export const assertionReport = z
  .object({
    accepted: z.boolean(),
    reason: z.string().nullable().describe('As the audit log would have it; null when it would be taken'),
    why: z.string(),
    fix: z.string().nullable(),
    trusted_issuer: z.string().nullable().describe('Id, once the token is known to be of one'),
    client_id: z.string().nullable().describe('Whose token it is'),
    rules: z
      .array(
        z.object({
          credential: z.string(),
          client_id: z.string(),
          met: z.boolean(),
          claim: z.string().nullable().describe('The first that differs'),
          expected: z.string().nullable(),
          actual: z.string().nullable().describe('Null also when the claim is not there'),
        }),
      )
      .describe('Those for the subject of the token'),
  })
  .meta({ id: 'AssertionReport' });
export type AssertionReport = z.output<typeof assertionReport>;

const params = z.strictObject({ id: trustedIssuerRef });

export const trustedIssuerOperations = {
  'trusted-issuers.create': operation({
    method: 'POST',
    path: '/v1/trusted-issuers',
    summary: 'Trust the tokens of another issuer, for identities with a rule about them',
    scopes: ['trusted-issuers:write'],
    body: trustedIssuerCreate,
    response: trustedIssuer,
    status: 201,
  }),
  'trusted-issuers.list': operation({
    method: 'GET',
    path: '/v1/trusted-issuers',
    summary: 'List trusted issuers, oldest first',
    scopes: ['trusted-issuers:read'],
    query: z.strictObject({ ...pageQuery, text: text(100).optional().describe('Part of name or issuer') }),
    response: page(trustedIssuer),
  }),
  'trusted-issuers.get': operation({
    method: 'GET',
    path: '/v1/trusted-issuers/{id}',
    summary: 'Show a trusted issuer; an issuer is percent-encoded',
    scopes: ['trusted-issuers:read'],
    params,
    response: trustedIssuer,
  }),
  'trusted-issuers.patch': operation({
    method: 'PATCH',
    path: '/v1/trusted-issuers/{id}',
    summary:
      'Change a trusted issuer; suspended, none of its tokens is taken, and what was issued for them is cut off',
    scopes: ['trusted-issuers:write'],
    params,
    body: trustedIssuerPatch,
    response: changedTrustedIssuer,
  }),
  'trusted-issuers.delete': operation({
    method: 'DELETE',
    path: '/v1/trusted-issuers/{id}',
    summary:
      'Delete a trusted issuer about which there are no rules; what was issued for its tokens is cut off',
    scopes: ['trusted-issuers:write'],
    params,
    response: changedTrustedIssuer,
  }),
  'trusted-issuers.test': operation({
    method: 'POST',
    path: '/v1/trusted-issuers/test',
    summary: 'Say which rule a token would meet, or why it meets none; nothing is issued or kept',
    scopes: ['trusted-issuers:read'],
    body: z.strictObject({ assertion: z.string().min(1).max(16_384) }),
    response: assertionReport,
  }),
};

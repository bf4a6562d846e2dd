import type { SettingDefinition } from '../setting-definition.ts';

/** How long tokens live, and the keys that sign them. */
export const TOKENS: readonly SettingDefinition[] = [
  {
    name: 'token-lifetime',
    type: 'duration',
    default: '10m',
    minimum: 10,
    maximum: 86_400,
    doc: 'Lifetime of access tokens where nothing else says.',
  },
  {
    name: 'token-lifetime-max',
    type: 'duration',
    default: '1h',
    minimum: 10,
    maximum: 86_400,
    doc: 'No access token lives longer, whatever a resource server or an access asks for.',
  },
  {
    name: 'token-lifetime-limits',
    type: 'list',
    doc: 'What tokens may live at most, as `type@environment=span` by credential and environment, either of them `*`, or as `sensitivity-N=span` by the most sensitive scope: `client_secret@prod=5m,sensitivity-3=1m`. The least of all that fit holds.',
  },
  {
    name: 'dpop-nonce',
    type: 'boolean',
    default: 'true',
    doc: 'Whether DPoP proofs must carry a nonce of this authority. Without, proofs made in advance are taken.',
  },
  {
    name: 'key-period',
    type: 'duration',
    default: '30d',
    minimum: 3600,
    maximum: 31_536_000,
    doc: 'How long a signing key signs before the next one takes over.',
  },
  {
    name: 'key-lead',
    type: 'duration',
    default: '1d',
    minimum: 600,
    maximum: 2_592_000,
    doc: 'How long a signing key is published before it signs. Longer than `jwks-max-age`.',
  },
  {
    name: 'jwks-max-age',
    type: 'duration',
    default: '5m',
    minimum: 10,
    maximum: 86_400,
    doc: 'How long verifiers may keep the JWKS.',
  },
];

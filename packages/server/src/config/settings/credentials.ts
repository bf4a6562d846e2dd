import type { SettingDefinition } from '../setting-definition.ts';

/** Which credentials are taken, how old they may grow, and what follows a leak. */
export const CREDENTIALS: readonly SettingDefinition[] = [
  {
    name: 'methods-refused',
    type: 'list',
    default: 'api_key@prod',
    doc: 'Types of credentials that are neither made nor taken in an environment, as `type@environment`; `none` refuses nothing.',
  },
  {
    name: 'credential-max-age',
    type: 'list',
    doc: 'How long credentials may live, as `type@environment=span`, either of them `*`: `client_secret@prod=30d`. Of several that fit the least holds; where none fits, 90 days for secrets and API keys, 365 for keys and certificates.',
  },
  {
    name: 'credential-max-age-mode',
    type: 'string',
    default: 'observe',
    values: ['observe', 'enforce'],
    doc: 'Whether a credential made before `credential-max-age` said so, and older, is only a finding, or gets no token.',
  },
  {
    name: 'credential-expiring',
    type: 'list',
    default: '30,7,1',
    doc: 'How many days before its end a credential is told of (event `credential.expiring`), once each: at most 10 numbers from 1 to 365. Of one that has a successor nothing is told.',
  },
  {
    name: 'rotation-overlap',
    type: 'duration',
    default: '30d',
    minimum: 3600,
    maximum: 31_622_400,
    doc: 'For how long a credential that was rotated works on beside its successor, at most: it ends earlier once everybody who used it has moved.',
  },
  {
    name: 'self-rotation',
    type: 'boolean',
    default: 'true',
    doc: 'Whether clients may give their own registered keys a successor, proved by both keys. `false`: administrators do it for them.',
  },
  {
    name: 'trust-domain',
    type: 'string',
    doc: 'The SPIFFE trust domain of this deployment: what stands behind `spiffe://` in its certificates. The host of the issuer when left out. Another one gives every machine another name.',
  },
  {
    name: 'certificate-lifetime',
    type: 'duration',
    default: '1d',
    minimum: 300,
    maximum: 31_536_000,
    doc: 'How long certificates of the built-in authority last at most, except those of devices.',
  },
  {
    name: 'device-certificate-lifetime',
    type: 'duration',
    default: '30d',
    minimum: 300,
    maximum: 31_536_000,
    doc: 'The same for identities of kind `device`.',
  },
  {
    name: 'certificate-retention',
    type: 'duration',
    default: '90d',
    minimum: 172_800,
    maximum: 315_360_000,
    doc: 'For how long a certificate is listed after its end. Its events stay in the audit log.',
  },
  {
    name: 'leak-action',
    type: 'string',
    default: 'suspend-credential',
    values: ['report', 'suspend-credential', 'suspend-identity'],
    doc: 'What happens to a secret that somebody found where it should not be: it is told only, or suspended, or its whole identity is.',
  },
];

import type { CredentialMaterial, CredentialRecord } from '../../storage/credentials.ts';
import type { FindingSeverity } from '../../storage/findings.ts';
import type { Environment } from '../../storage/identities.ts';
import { addKey } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

interface Weakness {
  readonly is: (material: CredentialMaterial) => boolean;
  readonly why: string;
  readonly severity: { readonly [environment in Environment]: FindingSeverity | undefined };
}

const WEAKNESSES: readonly Weakness[] = [
  {
    is: ({ type }) => type === 'api_key',
    why: 'an API key goes to every API as it is, and whoever has seen it once can use it',
    severity: { dev: 'low', test: 'low', staging: 'medium', prod: 'high' },
  },
  {
    is: ({ type }) => type === 'client_secret',
    why: 'a client secret can be copied, and leaves its owner with every token request',
    severity: { dev: undefined, test: undefined, staging: 'low', prod: 'medium' },
  },
  {
    // RFC 10070 §4: the issuer is the only audience.
    is: (material) => material.type === 'private_key_jwt' && material.allowTokenEndpointAudience,
    why: 'assertions whose audience is the token endpoint are taken (allow_token_endpoint_audience), which another authority could pass on',
    severity: { dev: 'low', test: 'low', staging: 'low', prod: 'medium' },
  },
];

const SENSITIVE = 2;
/** The way in to a new deployment is a secret, and nobody can have a key there before. What has time is no finding yet. */
const FIRST_WEEK_MS = 7 * 86_400_000;

/** A credential of a method than which there is a better one. */
export const weakMethod: Detector = {
  kind: 'weak_method',
  quietMs: 0,
  observe(facts, { now }) {
    const { environment, sensitivity, clientId, builtIn } = facts.identity;
    return usableCredentials(facts, now).flatMap((credential) => {
      if (builtIn && isFresh(credential, now)) return [];
      const weakness = WEAKNESSES.find(({ is }) => is(credential.material));
      const severity = weakness?.severity[environment];
      if (weakness === undefined || severity === undefined) return [];
      return [
        {
          subject: 'credential' as const,
          subjectId: credential.id,
          severity: severity === 'medium' && sensitivity >= SENSITIVE ? 'high' : severity,
          reason: `${credential.material.type} in ${environment}: ${weakness.why}`,
          fix: addKey(clientId),
        },
      ];
    });
  },
};

/** A secret of the built-in admin: made at the first start, or by a reset on the host. */
function isFresh({ material, createdAt }: CredentialRecord, now: number): boolean {
  return material.type === 'client_secret' && now - createdAt < FIRST_WEEK_MS;
}

import type { CredentialMaterial } from '../../storage/credentials.ts';
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

/** A credential of a method than which there is a better one. */
export const weakMethod: Detector = {
  kind: 'weak_method',
  quietMs: 0,
  observe(facts, { now }) {
    const { environment, sensitivity, clientId } = facts.identity;
    return usableCredentials(facts, now).flatMap((credential) => {
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

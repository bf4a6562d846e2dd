import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { JWT_BEARER, signJws, toPublicJwk } from '@countersign/protocol';
import type { HttpResponse } from '../src/http/response.ts';
import { subjectKey } from '../src/registry/federation-rule.ts';
import { credentialRecord, identityRecord, trustedIssuerRecord } from '../src/storage/contract/records.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import type { TrustedIssuerRecord } from '../src/storage/trusted-issuers.ts';
import { ISSUER, NOW, type TokenScene } from './token-scene.ts';

export const SECONDS: number = Math.floor(NOW / 1000);
export const FOREIGN = 'https://issuer.test';

export interface FederationChange {
  readonly issuer?: Partial<TrustedIssuerRecord>;
  readonly credential?: Partial<CredentialRecord>;
  /** Another identity has the same rule. */
  readonly twice?: boolean;
}

export interface Federation {
  readonly trustedIssuer: TrustedIssuerRecord;
  readonly credential: CredentialRecord;
  /** A token of the trusted issuer, good unless changed. */
  assertion(claims?: object, header?: object, key?: { readonly kid: string }): string;
}

/** The scene's client may come with a token of another issuer whose `sub` is `ci` and whose `environment` is `prod`. */
export async function addFederation(scene: TokenScene, change: FederationChange = {}): Promise<Federation> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trustedIssuer = trustedIssuerRecord({
    issuer: FOREIGN,
    maxTokenAge: 600,
    keys: { from: 'jwks', jwks: { keys: [toPublicJwk(publicKey, 'first', 'ES256')] } },
    ...change.issuer,
  });
  const conditions = { sub: 'ci', environment: 'prod' };
  const key = subjectKey(trustedIssuer, () => 'ci');
  const material = {
    type: 'federated',
    trustedIssuer: trustedIssuer.id,
    subjectKey: key,
    conditions,
  } as const;
  const credential = credentialRecord(scene.identity.id, { material, ...change.credential });
  await scene.storage.trustedIssuers.insert(trustedIssuer);
  await scene.storage.credentials.insert(credential);
  if (change.twice === true) {
    const other = identityRecord();
    await scene.storage.identities.insert(other);
    await scene.storage.credentials.insert(credentialRecord(other.id, { material }));
  }
  return {
    trustedIssuer,
    credential,
    assertion(claims = {}, header = { typ: 'JWT' }, { kid } = { kid: 'first' }) {
      const payload = {
        iss: FOREIGN,
        sub: 'ci',
        aud: ISSUER,
        iat: SECONDS - 10,
        exp: SECONDS + 300,
        jti: randomUUID(),
        environment: 'prod',
        ...claims,
      };
      return signJws(header, JSON.stringify(payload), { kid, alg: 'ES256', keyObject: privateKey });
    },
  };
}

/** Sends the assertion as a grant, without other authentication unless it is given. */
export function assertingAsGrant(
  scene: TokenScene,
  assertion: string,
  more = '',
  authorization: string | null = null,
): Promise<HttpResponse> {
  const body = `${new URLSearchParams({ grant_type: JWT_BEARER, assertion }).toString()}${more}`;
  return scene.ask('', { authorization, body });
}

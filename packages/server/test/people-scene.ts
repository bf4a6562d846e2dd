import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { scopesOfRoles } from '@countersign/admin-api';
import { signJws, TOKEN_EXCHANGE, TOKEN_TYPE, toPublicJwk } from '@countersign/protocol';
import type { HttpResponse } from '../src/http/response.ts';
import { trustedIssuerRecord } from '../src/storage/contract/records.ts';
import type { PeopleSettings, TrustedIssuerRecord } from '../src/storage/trusted-issuers.ts';
import { type ProofKey, proofKey, proofOf } from './dpop-proof.ts';
import { ISSUER, NOW, openTokenScene, type TokenScene } from './token-scene.ts';

const SECONDS = Math.floor(NOW / 1000);
export const PROVIDER = 'https://people.test';
export const HANDLE = 'ada@example.com';

export interface PeopleScene {
  readonly scene: TokenScene;
  readonly trustedIssuer: TrustedIssuerRecord;
  readonly key: ProofKey;
  readonly verifier: string;
  /** An ID token of the provider, good unless changed. */
  idToken(claims?: object, header?: object, signer?: KeyObject): string;
  /** Exchanges it as the CLI does; null leaves a parameter out. */
  signIn(
    idToken: string,
    change?: Readonly<Record<string, string | null>>,
    ask?: SignInAsk,
  ): Promise<HttpResponse>;
}

export interface SignInAsk {
  readonly authorization?: string | null;
  /** In place of one good proof. */
  readonly proofs?: readonly string[];
}

export const SETTINGS: PeopleSettings = {
  clientId: 'countersign-at-idp',
  consoleClientId: 'console-at-idp',
  scope: 'openid email',
  handleClaim: 'email',
  groupsClaim: 'groups',
  sessionLifetime: 1800,
  roles: { admin: ['platform-admins'], auditor: ['audit'] },
  teams: { payments: ['payments-devs'] },
};

/** The token wing with an issuer of people, whose provider is in hand. */
export async function openPeopleScene(
  change: Partial<TrustedIssuerRecord> = {},
  deps: Parameters<typeof openTokenScene>[0] = {},
): Promise<PeopleScene> {
  const scene = await openTokenScene({ dpop: { nonceKey: undefined }, scopesOfRoles: byRoles, ...deps });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trustedIssuer = trustedIssuerRecord({
    issuer: PROVIDER,
    kind: 'people',
    maxTokenAge: 300,
    keys: { from: 'jwks', jwks: { keys: [toPublicJwk(publicKey, 'first', 'ES256')] } },
    people: SETTINGS,
    ...change,
  });
  await scene.storage.trustedIssuers.insert(trustedIssuer);
  const key = proofKey();
  const verifier = randomBytes(32).toString('base64url');
  return {
    scene,
    trustedIssuer,
    key,
    verifier,
    idToken(claims = {}, header = { typ: 'JWT' }, signer = privateKey) {
      const payload = {
        iss: PROVIDER,
        sub: 'ada-1',
        aud: SETTINGS.clientId,
        iat: SECONDS - 5,
        exp: SECONDS + 600,
        auth_time: SECONDS - 100,
        nonce: createHash('sha256').update(verifier).digest('base64url'),
        email: HANDLE,
        email_verified: true,
        groups: ['platform-admins', 'payments-devs'],
        ...claims,
      };
      return signJws(header, JSON.stringify(payload), { kid: 'first', alg: 'ES256', keyObject: signer });
    },
    signIn(idToken, changed = {}, { authorization = null, proofs = [proofOf(key, SECONDS)] } = {}) {
      const params: Record<string, string | null> = {
        grant_type: TOKEN_EXCHANGE,
        client_id: 'countersign-cli',
        subject_token: idToken,
        subject_token_type: TOKEN_TYPE.idToken,
        nonce_verifier: verifier,
        resource: `${ISSUER}/v1`,
        ...changed,
      };
      const given = Object.entries(params).filter((each): each is [string, string] => each[1] !== null);
      const headers = proofs.flatMap((proof) => ['dpop', proof]);
      return scene.ask('', { authorization, body: new URLSearchParams(given).toString(), headers });
    },
  };
}

const byRoles = (roles: readonly string[]): readonly string[] =>
  scopesOfRoles(roles as Parameters<typeof scopesOfRoles>[0]);

// private_key_jwt: a signed assertion in the body, RFC 7523 §2.2 and §3, RFC 7521 §4.2, RFC 10070.
import {
  candidateKeys,
  CLIENT_ASSERTION_LEEWAY,
  CLIENT_ASSERTION_TYPE,
  type ClientAssertion,
  type ClientAssertionFault,
  type ClientAssertionMismatch,
  clientAssertionMismatch,
  isSignedBy,
  type KnownHeaders,
  parseClientAssertion,
  SPIFFE_CLIENT_ASSERTION_TYPE,
} from '@countersign/protocol';
import { backToBack } from '../../keys/back-to-back.ts';
import type { JwksCache } from '../../outbound/jwks-cache.ts';
import { credentialFault } from '../../registry/effective-access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import { markedUntil, type UsedOnceStore } from '../../storage/used-once.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { decoyKey } from './decoy-key.ts';
import { goodHeaders } from '../tokens/good-headers.ts';
import type { ClientAuthMethod } from './method.ts';
import { publisherOf, publishing } from './published-keys.ts';
import { type RegisteredKey, registeredKey } from './registered-key.ts';

export interface PrivateKeyJwtDeps {
  readonly issuer: string;
  /** As the metadata names them; taken as audience from credentials alone that allow it. */
  readonly tokenEndpoints: readonly string[];
  readonly usedOnce: Pick<UsedOnceStore, 'claim' | 'hold'>;
  /** Of clients that publish their keys themselves. */
  readonly jwks: JwksCache;
}

/** An assertion that could be read, or why not: said in `verify`, after it was seen whether another method is used too. */
type Proof = ClientAssertion | RefusalReason;

const UNREADABLE: { readonly [fault in ClientAssertionFault]: RefusalReason } = {
  malformed: 'client_assertion_malformed',
  wrong_typ: 'client_assertion_wrong_typ',
  algorithm_not_allowed: 'client_assertion_algorithm',
  bad_claims: 'client_assertion_claims',
};

const MISMATCHES: { readonly [fault in ClientAssertionMismatch]: RefusalReason } = {
  wrong_audience: 'client_assertion_audience',
  expired: 'client_assertion_outdated',
  issued_in_the_future: 'client_assertion_outdated',
  too_long_lived: 'client_assertion_too_long_lived',
};

export function privateKeyJwt(deps: PrivateKeyJwtDeps): ClientAuthMethod<Proof> {
  const { issuer, tokenEndpoints, usedOnce, jwks } = deps;
  const strict = [issuer];
  const lenient = [issuer, ...tokenEndpoints];

  /** RFC 7523 §3, 7: once, on every node. An unreachable store rejects, and nobody is authenticated. */
  async function claim(id: string, until: number, holder: string): Promise<undefined> {
    if (!(await usedOnce.claim('jti', id, until, holder))) throw new Refusal('client_assertion_replayed');
  }

  /** An assertion whose signature is this credential's. */
  function accept(proof: ClientAssertion, credential: CredentialRecord, now: number): CredentialRecord {
    const { material } = credential;
    const legacy = material.type === 'private_key_jwt' && material.allowTokenEndpointAudience;
    const fault = clientAssertionMismatch(proof, legacy ? lenient : strict, Math.floor(now / 1000));
    if (fault !== undefined) throw new Refusal(MISMATCHES[fault]);
    return credential;
  }

  const findSigner = backToBack(signerOf);
  const headers = goodHeaders();

  return {
    name: 'private_key_jwt',

    present(_request, form) {
      const text = form.get('client_assertion');
      const type = form.get('client_assertion_type');
      if (text === undefined && type === undefined) return undefined;
      // spiffe-jwt.ts
      if (type === SPIFFE_CLIENT_ASSERTION_TYPE) return undefined;
      const proof = read(text, type, headers.known);
      // RFC 7521 §4.2: client_id is optional; whoever names it beside an assertion is compared with it.
      const clientId = typeof proof === 'string' ? (form.get('client_id') ?? '') : proof.clientId;
      return { clientId, proof };
    },

    async verify({ proof }, credentials, now) {
      if (typeof proof === 'string') throw new Refusal(proof);
      const { signer, candidates } = await findSigner({ proof, credentials });
      if (signer !== undefined) {
        headers.remember(proof.jws);
        return accept(proof, usableOf(signer, candidates, now), now);
      }
      const elsewhere = publishing(credentials, now);
      if (elsewhere.length > 0) {
        return accept(proof, await publisherOf(jwks, proof, elsewhere, now), now);
      }
      if (credentials.length === 0) return undefined;
      const known = candidates.length > 0;
      throw new Refusal(known ? 'client_assertion_signature' : 'client_assertion_key_unknown');
    },

    spend({ proof }) {
      if (typeof proof === 'string') throw new Refusal(proof);
      const id = JSON.stringify([proof.clientId, proof.jti]);
      const until = markedUntil(proof.exp + CLIENT_ASSERTION_LEEWAY + 1);
      if (usedOnce.hold === undefined) return claim(id, until, proof.clientId);
      const held = usedOnce.hold('jti', id, until, proof.clientId);
      if (held === undefined) throw new Refusal('client_assertion_replayed');
      return held;
    },
  };
}

interface Signer {
  readonly signer: RegisteredKey | undefined;
  readonly candidates: readonly RegisteredKey[];
}

/** Whose key made the signature. For a client that does not exist, or has no such key, the same work. */
function signerOf({
  proof,
  credentials,
}: {
  readonly proof: ClientAssertion;
  readonly credentials: readonly CredentialRecord[];
}): Signer {
  const candidates = candidateKeys(proof, keysOf(credentials));
  if (candidates.length === 0) isSignedBy(proof, decoyKey(proof.alg));
  return { signer: candidates.find(({ key }) => isSignedBy(proof, key)), candidates };
}

function read(text: string | undefined, type: string | undefined, known: KnownHeaders): Proof {
  if (type !== CLIENT_ASSERTION_TYPE) return 'client_assertion_type_unknown';
  const parsed = parseClientAssertion(text ?? '', known);
  return parsed.ok ? parsed : UNREADABLE[parsed.fault];
}

/** One key may be registered twice, as while one credential replaces the other: the one that may be used. */
function usableOf(
  signer: RegisteredKey,
  candidates: readonly RegisteredKey[],
  now: number,
): CredentialRecord {
  if (credentialFault(signer.credential, now) === undefined) return signer.credential;
  const usable = candidates.find(
    ({ thumbprint, credential }) =>
      thumbprint === signer.thumbprint && credentialFault(credential, now) === undefined,
  );
  return (usable ?? signer).credential;
}

function keysOf(credentials: readonly CredentialRecord[]): readonly RegisteredKey[] {
  const keys: RegisteredKey[] = [];
  for (const credential of credentials) {
    const key = registeredKey(credential);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

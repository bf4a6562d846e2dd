// A subject token of a trusted issuer: RFC 8693 §2.1. It says who asks, as an assertion does, and nobody acts for anybody.
import {
  type Form,
  parseCompactJws,
  parseJsonObject,
  TOKEN_EXCHANGE,
  TOKEN_TYPE,
} from '@countersign/protocol';
import type { AuthenticatedClient } from '../client-auth/method.ts';
import { Refusal } from '../refusal.ts';
import type { Delegation } from '../tokens/authorization.ts';
import { identifyByAssertion, type JwtBearerDeps } from './jwt-bearer.ts';

export interface ForeignSubjectToken {
  /**
   * Whether the form has such a token: a JWT that names another issuer. Only read; whether that one is trusted is
   * another question.
   */
  isIn(form: Form): boolean;
  /** Who comes with it, where the request has no other proof. Throws `Refusal`. */
  identify(form: Form, now: number): Promise<AuthenticatedClient>;
  /** The token is the client's own, and what it is exchanged for ends with it. Throws `Refusal`. */
  authorize(form: Form, client: AuthenticatedClient, now: number): Promise<Delegation>;
}

/** `issuer` is this authority's own. */
export function foreignSubjectToken(deps: JwtBearerDeps, issuer: string): ForeignSubjectToken {
  /** Until when the token of a client that it identified speaks for it, so that it is not read, and used up, twice. */
  const ends = new WeakMap<AuthenticatedClient, number>();

  async function read(form: Form, now: number): ReturnType<typeof identifyByAssertion> {
    const found = await asSubjectToken(() =>
      identifyByAssertion(deps, form.get('subject_token') ?? '', form, now),
    );
    return { ...found, recheck: () => asSubjectToken(found.recheck) };
  }

  return {
    isIn(form) {
      const type = form.get('subject_token_type');
      if (type !== TOKEN_TYPE.jwt && type !== TOKEN_TYPE.idToken) return false;
      const jws = parseCompactJws(form.get('subject_token') ?? '');
      const claims = jws.ok ? parseJsonObject(jws.payload) : undefined;
      return claims?.ok === true && Object.hasOwn(claims.value, 'iss') && claims.value['iss'] !== issuer;
    },

    async identify(form, now) {
      const { facts, credential, endsAt, recheck } = await read(form, now);
      const client: AuthenticatedClient = { facts, credential, method: TOKEN_EXCHANGE, recheck };
      ends.set(client, endsAt);
      return client;
    },

    async authorize(form, client, now) {
      const { clientId } = client.facts.identity;
      const endsAt = ends.get(client);
      if (endsAt !== undefined) return { subject: clientId, actor: undefined, expiresAt: endsAt };
      const of = await read(form, now);
      if (of.facts.identity.clientId !== clientId) {
        const evidence = { assertion: 'assertion_of_another_client', identity: of.facts.identity.clientId };
        throw new Refusal('subject_token_not_trusted', undefined, evidence);
      }
      return { subject: clientId, actor: undefined, expiresAt: of.endsAt, recheck: of.recheck };
    },
  };
}

/** RFC 8693 §2.2.2: invalid_request, where the same assertion as a grant would be invalid_grant. */
async function asSubjectToken<T>(reading: () => Promise<T>): Promise<T> {
  try {
    return await reading();
  } catch (error) {
    if (!(error instanceof Refusal) || !error.reason.startsWith('assertion_')) throw error;
    const evidence = { ...error.evidence, assertion: error.reason };
    const refusal = new Refusal('subject_token_not_trusted', undefined, evidence);
    refusal.voucher = error.voucher;
    throw refusal;
  }
}

// Client authentication methods (RFC 6749 §2.3, IANA "OAuth Token Endpoint Authentication Methods").
import type { Form } from '@countersign/protocol';
import type { HttpRequest } from '../../http/request.ts';
import type { IdentityFacts } from '../../registry/facts.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { HeldProof } from '../../storage/used-once.ts';

/** What a request shows, read and not yet believed. `proof` is the method's own business: a secret, an assertion, … */
export interface Presented<Proof = unknown> {
  /** As claimed; any text. */
  readonly clientId: string;
  /**
   * Where the proof names a credential and not its client: the public id of an API key. `clientId` is then what the
   * request names beside it, empty where it names nobody.
   */
  readonly keyId?: string | undefined;
  readonly proof: Proof;
}

export interface ClientAuthMethod<Proof = unknown> {
  /** Registered name; also what the audit log calls it. */
  readonly name: string;
  /** Where the credential that matched decides which of two methods it was. Absent: `name`. */
  readonly nameFor?: (credential: CredentialRecord) => string;
  /**
   * Reads this method's parts of the request, or says `undefined`: "not mine". Never verifies. Throws `Refusal` only
   * for what no method could accept.
   */
  present(request: HttpRequest, form: Form): Presented<Proof> | undefined;
  /**
   * The credential that the proof matches at `now` (epoch ms), in whatever state it is, or undefined. Where more can be
   * said than "no credential matches", it throws a `Refusal` whose answer is the same as for that. Does the same work
   * for no credentials as for some, so that its time does not tell whether the client exists.
   */
  verify(
    presented: Presented<Proof>,
    credentials: readonly CredentialRecord[],
    now: number,
  ): CredentialRecord | undefined | Promise<CredentialRecord | undefined>;
  /**
   * The proof that matched counts no second time, on every node. What it gives back is not durable yet: the event of what is issued
   * carries it, or it is kept. Throws the `Refusal` of a proof that was used; rejects when that cannot be known. Absent: a proof for
   * many uses.
   */
  spend?(presented: Presented<Proof>): HeldProof | Promise<undefined>;
}

/** A client that has proved itself, may act now, and how it did so. */
export interface AuthenticatedClient {
  readonly facts: IdentityFacts;
  readonly credential: CredentialRecord;
  /** Registered name of the method, or of the grant whose assertion said who asks. */
  readonly method: string;
  /** Used by this request and not durable yet: the event of its token carries it, or it is kept before an answer leaves. */
  readonly spent?: HeldProof | undefined;
  /** Where others than the registry say who asks: asked again when the token is signed. Throws `Refusal` when they no longer may. */
  readonly recheck?: (() => Promise<void>) | undefined;
}

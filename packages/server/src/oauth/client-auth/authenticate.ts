// Client authentication at an endpoint: RFC 6749 §2.3 (exactly one method a request) and §3.2.1.
import {
  type CertificateHeaderFault,
  type Form,
  namesCertificate,
  parseClientId,
} from '@countersign/protocol';
import type { HttpRequest } from '../../http/request.ts';
import { credentialFault, standing } from '../../registry/effective-access.ts';
import type { IdentityFacts, KeyFactsReader } from '../../registry/facts.ts';
import { awaitsFirstProof, type FirstProof } from '../../registry/first-proof.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { HeldProof } from '../../storage/used-once.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { NotStanding } from '../tokens/not-standing.ts';
import type { AuthenticatedClient, ClientAuthMethod, Presented } from './method.ts';

export interface AuthenticateDeps {
  readonly methods: readonly ClientAuthMethod[];
  readonly facts: KeyFactsReader;
  /** Puts to work who was approved to begin with its first proof. Absent: nobody begins like that. */
  readonly firstProof?: FirstProof | undefined;
}

/** Which client is claimed, and by which method. */
export interface Claim {
  readonly method: ClientAuthMethod;
  readonly presented: Presented;
}

const CERTIFICATE_FAULTS: { readonly [fault in CertificateHeaderFault]: RefusalReason } = {
  spoofed: 'client_certificate_header_spoofed',
  malformed: 'client_certificate_header_malformed',
};

/**
 * Throws the `Refusal` of a request without any proof. Where no header about a certificate is believed they hurt nobody who has a
 * proof of another kind; who has none has tried. A client with certificates that shows none came to the wrong port: that
 * it exists is told to the operator alone.
 */
export async function refuseUnproved(
  { facts }: Pick<AuthenticateDeps, 'facts'>,
  request: HttpRequest,
  form: Form,
  now: number,
): Promise<never> {
  if (namesCertificate(request)) throw new Refusal('client_certificate_header_spoofed');
  const clientId = parseClientId(form.get('client_id') ?? '');
  const known = clientId === undefined ? undefined : await facts.byClientId(clientId);
  const byCertificate = known?.credentials.some(
    (credential) =>
      credential.material.type.endsWith('tls_client_auth') && credentialFault(credential, now) === undefined,
  );
  throw new Refusal(byCertificate === true ? 'certificate_missing' : 'client_authentication_missing');
}

/** Reads who is claimed; undefined where no method claims the request. Throws `Refusal` when several do. */
export function present(
  methods: readonly ClientAuthMethod[],
  request: HttpRequest,
  form: Form,
): Claim | undefined {
  const fault = request.clientCertificateFault;
  if (fault !== undefined) throw new Refusal(CERTIFICATE_FAULTS[fault]);
  let method: ClientAuthMethod | undefined;
  let presented: Presented | undefined;
  for (const candidate of methods) {
    const found = candidate.present(request, form);
    if (found === undefined) continue;
    // RFC 6749 §2.3: a client MUST NOT use more than one authentication method in each request.
    if (presented !== undefined) throw new Refusal('several_client_auth_methods');
    method = candidate;
    presented = found;
  }
  if (method === undefined || presented === undefined) return undefined;
  const named = form.get('client_id');
  if (named !== undefined && named !== presented.clientId && presented.keyId === undefined) {
    throw new Refusal('client_id_mismatch');
  }
  return { method, presented };
}

/**
 * What the audit log and the budgets of strangers call a caller that is not proved yet. A key names itself: what stands beside it is
 * compared only once the key is proved, so until then it is anybody's text, and has been the key.
 */
export function claimedBy(claim: Claim | undefined, form: Form): string | undefined {
  if (claim === undefined) return form.get('client_id');
  const { clientId, keyId } = claim.presented;
  return keyId === undefined ? clientId : keyName(keyId);
}

/** By its part that may be shown. */
function keyName(keyId: string | undefined): string {
  return `cak_${keyId}`;
}

/**
 * The client that proved itself and may act at `now` (epoch ms), at once where nothing has to be read for it. Whatever is
 * wrong, the same work is done before it is said, and all of it is `invalid_client` outside.
 */
export function authenticate(
  deps: AuthenticateDeps,
  { method, presented }: Claim,
  now: number,
): AuthenticatedClient | Promise<AuthenticatedClient> {
  if (presented.keyId !== undefined) {
    return byKey(deps, method, presented, deps.facts.byKeyId(presented.keyId), now);
  }
  const clientId = parseClientId(presented.clientId);
  const known = clientId === undefined ? undefined : deps.facts.byClientId(clientId);
  if (known instanceof Promise) return known.then((facts) => verify(deps, method, presented, facts, now));
  return verify(deps, method, presented, known, now);
}

/** A client_id beside a key is compared only once the key is proved: before that it would tell whose the key is. */
async function byKey(
  deps: AuthenticateDeps,
  method: ClientAuthMethod,
  presented: Presented,
  reading: IdentityFacts | undefined | Promise<IdentityFacts | undefined>,
  now: number,
): Promise<AuthenticatedClient> {
  const client = await verify(deps, method, presented, await reading, now);
  const named = presented.clientId;
  if (named !== '' && named !== keyName(presented.keyId) && named !== client.facts.identity.clientId)
    throw new Refusal('client_id_mismatch');
  return client;
}

function verify(
  deps: AuthenticateDeps,
  method: ClientAuthMethod,
  presented: Presented,
  facts: IdentityFacts | undefined,
  now: number,
): AuthenticatedClient | Promise<AuthenticatedClient> {
  const matched = method.verify(presented, facts?.credentials ?? [], now);
  if (matched instanceof Promise)
    return matched.then((credential) => spend(deps, method, presented, facts, credential, now));
  return spend(deps, method, presented, facts, matched, now);
}

/** RFC 7523 §3, 7: a proof for one use is used, whatever becomes of who showed it. */
function spend(
  deps: AuthenticateDeps,
  method: ClientAuthMethod,
  presented: Presented,
  facts: IdentityFacts | undefined,
  credential: CredentialRecord | undefined,
  now: number,
): AuthenticatedClient | Promise<AuthenticatedClient> {
  const name = nameOf(method, credential);
  const spent = credential === undefined ? undefined : method.spend?.(presented);
  if (spent === undefined) return admit(deps, facts, credential, name, now);
  if (spent instanceof Promise) return spent.then(() => admit(deps, facts, credential, name, now));
  return holding(spent, () => admit(deps, facts, credential, name, now));
}

async function holding(
  spent: HeldProof,
  admitted: () => AuthenticatedClient | Promise<AuthenticatedClient>,
): Promise<AuthenticatedClient> {
  try {
    return { ...(await admitted()), spent };
  } catch (error) {
    await spent.keep();
    throw error;
  }
}

function nameOf(method: ClientAuthMethod, credential: CredentialRecord | undefined): string {
  return credential === undefined ? method.name : (method.nameFor?.(credential) ?? method.name);
}

function admit(
  deps: Pick<AuthenticateDeps, 'facts' | 'firstProof'>,
  facts: IdentityFacts | undefined,
  credential: CredentialRecord | undefined,
  method: string,
  now: number,
): AuthenticatedClient | Promise<AuthenticatedClient> {
  if (facts === undefined) throw new Refusal('client_unknown');
  // A method whose proof is no secret refuses by itself, where there is anything to compare it with.
  if (credential === undefined) throw new Refusal('secret_mismatch');
  const fault = standing(facts.identity, credential, now);
  if (fault === undefined) return { facts, credential, method };
  if (deps.firstProof !== undefined && awaitsFirstProof(facts.identity, credential, now)) {
    return begin(deps.facts, deps.firstProof, facts.identity.clientId, credential.id, method, now);
  }
  throw new NotStanding(fault, facts);
}

/** It has proved itself for the first time: what was approved begins. */
async function begin(
  reader: AuthenticateDeps['facts'],
  firstProof: FirstProof,
  clientId: string,
  credentialId: string,
  method: string,
  now: number,
): Promise<AuthenticatedClient> {
  await firstProof(clientId, credentialId);
  const facts = await reader.byClientId(clientId);
  const credential = facts?.credentials.find((each) => each.id === credentialId);
  return await admit({ facts: reader }, facts, credential, method, now);
}

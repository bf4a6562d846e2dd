import { timingSafeEqual } from 'node:crypto';
import { parseSecret } from '@countersign/protocol';
import type { Actor } from '../audit/change.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { WebhookSecretRecord } from '../storage/webhooks.ts';
import type { Tell } from './change-rules.ts';
import type { AgeDeps } from './new-credential.ts';
import { changeCredential } from './credential.ts';
import { credentialView } from './credential-view.ts';
import { type CutOffDeps, cutOff, cutOffTokensOf } from './cut-off.ts';
import { changeProposal } from './right-sizing/proposal.ts';
import { webhookView } from './webhook/view.ts';

/** What is done with a secret that leaked. */
export const LEAK_ACTIONS = ['report', 'suspend-credential', 'suspend-identity'] as const;
export type LeakAction = (typeof LEAK_ACTIONS)[number];

export type LeakDeps = CutOffDeps &
  AgeDeps & {
    readonly leakAction: LeakAction;
    /** Keyed digest of a secret (secret-hash.ts). */
    readonly digest: (secret: string) => string;
  };

export interface Leak {
  /** Well-formed: the caller has checked it. */
  readonly secret: string;
  readonly where: string;
  readonly foundBy: string | undefined;
  readonly actor: Actor;
}

/**
 * Finds whose a secret is, and stops it as the deployment says. Looked up is the same for every secret, and told of every one,
 * so that nobody learns by reporting it whether it is one of this authority.
 */
export async function reportLeak(deps: LeakDeps, stores: Stores, tell: Tell, leak: Leak): Promise<void> {
  const digest = deps.digest(leak.secret);
  const credential = await credentialOf(stores, leak.secret, digest);
  const webhookSecret = await stores.webhooks.bySecretDigest(digest);
  const identity = credential && (await stores.identities.byId(credential.identityId));
  const found = { where: leak.where, found_by: leak.foundBy ?? null };
  if (credential !== undefined && identity !== undefined) {
    await stopCredential(deps, stores, tell, { leak, credential, identity, found });
  } else if (webhookSecret !== undefined) await tellOfWebhook(stores, tell, webhookSecret, leak, found);
  else tell({ type: 'leak.reported', resource: 'unknown', reason: leak.where, after: found });
}

const NOBODY = Buffer.alloc(32);

async function credentialOf(
  stores: Pick<Stores, 'credentials'>,
  secret: string,
  digest: string,
): Promise<CredentialRecord | undefined> {
  const record = await stores.credentials.byPublicId(parseSecret(secret)?.publicId ?? '');
  const material = record?.material;
  const kept =
    material !== undefined && 'digest' in material ? Buffer.from(material.digest, 'base64url') : NOBODY;
  const given = Buffer.from(digest, 'base64url');
  const isIt = timingSafeEqual(given, kept.length === given.length ? kept : Buffer.alloc(given.length));
  return isIt ? record : undefined;
}

interface Leaked {
  readonly leak: Leak;
  readonly credential: CredentialRecord;
  readonly identity: IdentityRecord;
  readonly found: object;
}

/** Of one that has ended already only the tokens that it got are there to be stopped; who owns it hears of it. */
async function stopCredential(
  deps: LeakDeps,
  stores: Stores,
  tell: Tell,
  { leak, credential, identity, found }: Leaked,
): Promise<void> {
  const reason = `its secret was found in ${leak.where}`;
  const view = credentialView(credential, identity.clientId);
  tell({ type: 'credential.leaked', resource: credential.id, reason, after: { ...view, ...found } });
  await keepFromComingBack(deps, stores, tell, credential, identity, reason);
  if (deps.leakAction === 'report') return;
  const { id } = credential;
  // Past its end it is none that could be suspended, and gets no token.
  const active = credential.state === 'active' && credential.expiresAt > deps.clock.now();
  if (active) {
    await changeCredential(deps, stores, tell, identity, credential, { state: 'suspended' });
  }
  if (deps.leakAction === 'suspend-identity') {
    await cutOff(deps, stores, tell, { kind: 'identity', id: identity.id, reason, actor: leak.actor });
  } else if (!(await isCutOff(deps, stores, credential))) {
    await cutOffTokensOf(deps, stores, tell, { credentialId: id, reason, orderedBy: leak.actor.identity });
  }
}

/** Whether an order reaches the last token that it can have got: one that is found again and again is ordered off once. */
async function isCutOff(
  { clock }: LeakDeps,
  { cutoffs }: Pick<Stores, 'cutoffs'>,
  { id, state, updatedAt, expiresAt }: CredentialRecord,
): Promise<boolean> {
  const last = state === 'active' ? Math.min(clock.now(), expiresAt) : updatedAt;
  const orders = await cutoffs.ofTarget({ kind: 'credential', target: id }, Math.floor(last / 1000), 1);
  return orders.length > 0;
}

/** A proposal that suspended it gives it back where it is missed, and whoever found it may be the one who misses it. */
async function keepFromComingBack(
  deps: LeakDeps,
  stores: Pick<Stores, 'proposals'>,
  tell: Tell,
  { id }: CredentialRecord,
  identity: IdentityRecord,
  reason: string,
): Promise<void> {
  for (const record of await stores.proposals.liveOf([identity.id])) {
    if (record.subjectId !== id || record.state !== 'applied') continue;
    const settled = { ...record, state: 'settled', nextAt: undefined } as const;
    await changeProposal(deps, stores, tell, record, settled, identity.clientId, 'settled', reason);
  }
}

/** Notices that somebody else could sign are no reason to send none: it is for its people to rotate it. */
async function tellOfWebhook(
  stores: Pick<Stores, 'webhooks'>,
  tell: Tell,
  { webhookId }: WebhookSecretRecord,
  { where }: Leak,
  found: object,
): Promise<void> {
  const webhook = await stores.webhooks.byId(webhookId);
  const view = webhook && webhookView(webhook, await stores.webhooks.secretsOf(webhookId));
  tell({
    type: 'webhook.secret_leaked',
    resource: webhookId,
    reason: `its secret was found in ${where}`,
    after: { ...view, ...found },
  });
}

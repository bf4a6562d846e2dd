// What webhooks are signed with: Standard Webhooks, "Signature scheme".
import { generateWebhookSecret, webhookSecretKey } from '@countersign/protocol';
import { newId } from '../../ids.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WebhookSecretRecord } from '../../storage/webhooks.ts';
import type { RuleDeps } from '../change-rules.ts';

/** For whatever makes or uses what is signed with. */
export interface SigningSecretDeps extends RuleDeps {
  readonly seal: {
    seal(plain: Uint8Array, context: string): string;
    open(sealed: string, context: string): Uint8Array;
  };
  /** Keyed digest of a secret (secret-hash.ts). */
  readonly digest: (secret: string) => string;
}

/** A secret of the webhook, kept sealed; made unless one is given, whose form the caller has checked. */
export async function addSecret(
  deps: SigningSecretDeps,
  stores: Pick<Stores, 'webhooks'>,
  webhookId: string,
  given: string | undefined,
): Promise<{ readonly record: WebhookSecretRecord; readonly secret: string }> {
  const secret = given ?? generateWebhookSecret(deps.random);
  if (webhookSecretKey(secret) === undefined) throw new TypeError('the caller has to check the secret');
  const record: WebhookSecretRecord = {
    id: newId('whs', deps.random),
    webhookId,
    sealed: deps.seal.seal(Buffer.from(secret), contextOf(webhookId)),
    digest: deps.digest(secret),
    madeAt: deps.clock.now(),
    retiresAt: undefined,
  };
  await stores.webhooks.insertSecret(record);
  return { record, secret };
}

/** The keys that sign now, newest first. */
export function signingKeys(
  deps: Pick<SigningSecretDeps, 'seal'>,
  secrets: readonly WebhookSecretRecord[],
  now: number,
): readonly Uint8Array[] {
  return secrets
    .filter(({ retiresAt }) => retiresAt === undefined || retiresAt > now)
    .map(({ sealed, webhookId }) => {
      const text = Buffer.from(deps.seal.open(sealed, contextOf(webhookId))).toString();
      const key = webhookSecretKey(text);
      if (key === undefined) throw new Error('a sealed secret of a webhook is none');
      return key;
    });
}

/** Sealed for one webhook, it opens as that of no other. */
function contextOf(webhookId: string): string {
  return `webhook:${webhookId}`;
}

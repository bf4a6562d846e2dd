import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { changeWebhook, createWebhook } from '../../registry/webhook/webhook.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import type { MadeSecret } from './bring-credential.ts';
import type { DeclaredWebhook } from './declared.ts';

/** Who may apply documents need not be who may say where notices go. */
const WRITE = 'webhooks:write';

/** Its secret counts at creation only: afterwards it is rotated. */
export async function bringWebhook(
  { deps, ceiling }: Application,
  stores: Stores,
  tell: Tell,
  { name, webhook }: DeclaredWebhook,
): Promise<MadeSecret | undefined> {
  requireWithin(ceiling, [WRITE]);
  const record = await stores.webhooks.byName(name);
  if (record === undefined) {
    const { secret } = await createWebhook(deps, stores, tell, { name, ...webhook });
    return webhook.secret === undefined ? { name, identity: '', secret } : undefined;
  }
  const { url, events, description = null, state } = webhook;
  await changeWebhook(deps, stores, tell, record, { url, events, description, state });
  return undefined;
}

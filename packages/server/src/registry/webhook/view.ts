import type { WebhookRecord, WebhookSecretRecord, WebhookState } from '../../storage/webhooks.ts';
import { rfc3339 } from '../views.ts';

export interface WebhookView {
  id: string;
  name: string;
  url: string;
  events: string[];
  description: string | null;
  state: WebhookState;
  disabled_reason: string | null;
  secrets: { made_at: string; retires_at: string | null }[];
  created_at: string;
  updated_at: string;
  version: number;
}

/** As answers and events show it: never what it is signed with. */
export function webhookView(record: WebhookRecord, secrets: readonly WebhookSecretRecord[]): WebhookView {
  return {
    id: record.id,
    name: record.name,
    url: record.url,
    events: [...record.events],
    description: record.description ?? null,
    state: record.state,
    disabled_reason: record.disabledReason ?? null,
    secrets: secrets.map(({ madeAt, retiresAt }) => ({
      made_at: rfc3339(madeAt),
      retires_at: retiresAt === undefined ? null : rfc3339(retiresAt),
    })),
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}

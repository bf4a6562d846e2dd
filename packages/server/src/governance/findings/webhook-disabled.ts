import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/**
 * A webhook that the authority disabled, because nobody took what it sent. It is a finding of the authority's own first identity:
 * a webhook belongs to no machine.
 */
export const webhookDisabled: Detector = {
  kind: 'webhook_disabled',
  quietMs: 0,
  observe({ identity }, { silentWebhooks }) {
    if (!identity.builtIn) return [];
    return silentWebhooks.map(({ id, name, disabledReason }) => ({
      subject: 'webhook' as const,
      subjectId: id,
      severity: 'medium' as const,
      reason: `nobody is told of changes through ${name} any more: ${disabledReason ?? 'it was disabled'}`,
      fix: command('webhooks', 'update', id, '--state', 'enabled'),
    }));
  },
};

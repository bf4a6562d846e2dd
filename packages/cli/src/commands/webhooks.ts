import type { Webhook, WebhookDelivery } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { splitWords } from '../flags/words.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';
import type { Presentation } from '../output/formats.ts';
import { webhooksCreate, webhooksRotate } from './webhooks-secret.ts';
import { webhooksTest } from './webhooks-test.ts';

const ID = 'whk_0123456789abcdefghij';

const members: FieldOverrides = {
  url: { placeholder: 'url' },
  events: {
    flag: 'event',
    brief: 'Which events: *, credential.* or credential.expired; may be repeated',
    repeat: true,
    read: splitWords,
  },
  state: { brief: 'Disabled, nothing is sent there' },
};

const deliveries: Presentation<WebhookDelivery> = {
  name: (item) => item.id,
  columns: [
    { header: 'AT', value: (item) => item.created_at },
    { header: 'TYPE', value: (item) => item.type },
    { header: 'STATE', value: (item) => item.state },
    { header: 'ATTEMPTS', value: (item) => String(item.attempts) },
    { header: 'WHY', value: (item) => item.last_error ?? '' },
    { header: 'NEXT', value: (item) => item.next_attempt ?? '' },
  ],
};

export const webhooks: RouteMap<CliContext> = buildNoun<Webhook>(
  {
    name: 'webhooks',
    brief: 'Where notices of changes go',
    argument: 'WEBHOOK',
    get: 'webhooks.get',
    none: 'Notices go nowhere.',
    moreExamples: [
      'webhooks create --name siem --url https://siem.example/hooks --event credential.* --secret-file siem.whsec',
    ],
    presentation: {
      name: (webhook) => webhook.id,
      columns: [
        { header: 'ID', value: (webhook) => webhook.id },
        { header: 'NAME', value: (webhook) => webhook.name },
        { header: 'URL', value: (webhook) => webhook.url },
        { header: 'EVENTS', value: (webhook) => webhook.events.join(' ') },
        { header: 'STATE', value: (webhook) => webhook.state },
        { header: 'WHY', value: (webhook) => webhook.disabled_reason ?? '' },
      ],
    },
  },
  {
    list: { operation: 'webhooks.list', examples: ['', '-o yaml'] },
    get: { operation: 'webhooks.get', examples: [ID] },
    update: {
      operation: 'webhooks.patch',
      examples: [`${ID} --state enabled`, `${ID} --event identity.* --event finding.opened`],
      overrides: members,
      done: 'Changed',
    },
    delete: { operation: 'webhooks.delete', examples: [`${ID} --yes`], done: 'Deleted' },
    redeliver: {
      operation: 'webhooks.redeliver',
      examples: [`${ID} --since 2026-11-30T00:00:00Z`],
      overrides: { since: { brief: 'Notices of before are left as they are' } },
    },
    deliveries: {
      operation: 'webhooks.deliveries',
      examples: [ID, `${ID} --state given_up -o json`],
      overrides: { state: { brief: 'In this state' } },
      presentation: deliveries,
    },
  },
  { create: webhooksCreate, rotate: webhooksRotate, test: webhooksTest },
);

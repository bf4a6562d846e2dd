import type { OwnershipOffer } from '@countersign/admin-api';
import type { RouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FieldOverrides } from '../noun/contract-flags.ts';
import { buildNoun } from '../noun/noun-command.ts';

const reason: FieldOverrides = { reason: { brief: 'Why; it stays in the audit log' } };

export const ownershipOffers: RouteMap<CliContext> = buildNoun<OwnershipOffer>(
  {
    name: 'ownership-offers',
    brief: 'What is offered to whom, until somebody answers for it',
    argument: 'OFFER',
    get: 'ownership-offers.get',
    none: 'There are no such offers.',
    presentation: {
      name: (offer) => offer.id,
      columns: [
        { header: 'ID', value: (offer) => offer.id },
        { header: 'IDENTITY', value: (offer) => offer.client_id },
        { header: 'FROM', value: (offer) => offer.from },
        { header: 'TO', value: (offer) => offer.to },
        { header: 'TURN OF', value: (offer) => (offer.state === 'open' ? offer.candidate : '') },
        { header: 'STATE', value: (offer) => offer.state },
        { header: 'UNTIL', value: (offer) => offer.due_at ?? '' },
      ],
    },
  },
  {
    list: {
      operation: 'ownership-offers.list',
      examples: ['--state open', '--candidate ada@example.com -o name'],
      overrides: {
        identity: { brief: 'Of this one: id, client_id or name' },
        candidate: { placeholder: 'person', brief: 'Whose turn is this person’s' },
        state: { brief: 'In this state' },
      },
    },
    get: { operation: 'ownership-offers.get', examples: ['off_0123456789abcdefghij'] },
    create: {
      operation: 'ownership-offers.create',
      examples: ['payments --to lin@example.com --reason "moves to another team"'],
      overrides: { to: { placeholder: 'person', brief: 'Handle of who is to be accountable' }, ...reason },
      done: 'Offered',
    },
    accept: {
      operation: 'ownership-offers.accept',
      examples: ['off_0123456789abcdefghij'],
      overrides: reason,
      done: 'Accepted',
    },
    decline: {
      operation: 'ownership-offers.decline',
      examples: ['off_0123456789abcdefghij --reason "not ours"'],
      overrides: reason,
      done: 'Declined',
    },
    withdraw: {
      operation: 'ownership-offers.withdraw',
      examples: ['off_0123456789abcdefghij'],
      overrides: reason,
      done: 'Withdrawn',
    },
  },
);

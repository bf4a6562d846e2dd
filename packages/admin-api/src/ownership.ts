import { z } from 'zod';
import { operation } from './contract.ts';
import { directoryName, identityRef, instant, page, pageQuery, reason, recordId } from './fields.ts';

export const OFFER_STATES = ['open', 'accepted', 'declined', 'withdrawn', 'lost'] as const;
export type OfferState = (typeof OFFER_STATES)[number];
export const OFFER_STEPS = ['person', 'manager', 'team_lead'] as const;
export type OfferStep = (typeof OFFER_STEPS)[number];

export const ownershipOffer = z
  .object({
    id: z.string(),
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    from: z.string().describe('Who was accountable when it was made, and is until it is accepted'),
    to: z.string().describe('Whom it was made to'),
    candidate: z.string().describe('Who may accept it now, beside `to`'),
    step: z.enum(OFFER_STEPS).describe('Whose turn it is: theirs, their manager’s, the lead of the team'),
    state: z.enum(OFFER_STATES),
    reason: z.string().nullable(),
    offered_by: z.string(),
    due_at: instant.nullable().describe('When it goes on to the next one'),
    decided_by: z.string().nullable(),
    decided_at: instant.nullable(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'OwnershipOffer' });
export type OwnershipOffer = z.output<typeof ownershipOffer>;

/** How it stands with an identity whose owner has left. */
export const ownershipClock = z
  .object({
    person: z.string().describe('Who left'),
    interim: z.string().nullable().describe('Who stands in'),
    since: instant,
    suspends_at: instant
      .nullable()
      .describe('When it is suspended unless somebody takes it over; null: not by itself'),
  })
  .meta({ id: 'OwnershipClock' });

export const ownershipOfferCreate = z
  .strictObject({
    to: directoryName.describe('Handle of who is to be accountable'),
    reason: reason.optional(),
  })
  .meta({ id: 'OwnershipOfferCreate' });

const params = z.strictObject({ id: recordId });
const body = z.strictObject({ reason: reason.optional() });

export const ownershipOperations = {
  'ownership-offers.create': operation({
    method: 'POST',
    path: '/v1/identities/{id}/offers',
    summary: 'Offer an identity to a person, who becomes accountable by accepting',
    scopes: ['identities:write'],
    params: z.strictObject({ id: identityRef }),
    body: ownershipOfferCreate,
    response: ownershipOffer,
    status: 201,
  }),
  'ownership-offers.list': operation({
    method: 'GET',
    path: '/v1/ownership-offers',
    summary: 'List offers of identities, oldest first',
    scopes: ['identities:read'],
    query: z.strictObject({
      ...pageQuery,
      identity: identityRef.optional(),
      candidate: directoryName.optional().describe('Handle of whose turn it is'),
      state: z.enum(OFFER_STATES).optional(),
    }),
    response: page(ownershipOffer),
  }),
  'ownership-offers.get': operation({
    method: 'GET',
    path: '/v1/ownership-offers/{id}',
    summary: 'Show an offer',
    scopes: ['identities:read'],
    params,
    response: ownershipOffer,
  }),
  'ownership-offers.accept': operation({
    method: 'POST',
    path: '/v1/ownership-offers/{id}/accept',
    summary: 'Become accountable for what is offered to you; people only',
    scopes: ['ownership:accept'],
    params,
    body,
    response: ownershipOffer,
    ifMatch: 'optional',
  }),
  'ownership-offers.decline': operation({
    method: 'POST',
    path: '/v1/ownership-offers/{id}/decline',
    summary: 'Decline what is offered to you; who is accountable stays so; people only',
    scopes: ['ownership:accept'],
    params,
    body,
    response: ownershipOffer,
    ifMatch: 'optional',
  }),
  'ownership-offers.withdraw': operation({
    method: 'POST',
    path: '/v1/ownership-offers/{id}/withdraw',
    summary: 'Take an open offer back',
    scopes: ['identities:write'],
    params,
    body,
    response: ownershipOffer,
    ifMatch: 'optional',
  }),
};

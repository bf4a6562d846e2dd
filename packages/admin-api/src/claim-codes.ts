import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, recordId } from './fields.ts';

export const CLAIM_CODE_STATES = ['open', 'used', 'revoked', 'expired'] as const;

const members = {
  id: z.string(),
  identity: z.string().describe('Id of the identity'),
  client_id: z.string(),
  public_id: z.string().describe('The part of the code that may be shown'),
  state: z.enum(CLAIM_CODE_STATES),
  certificate: z.string().nullable().describe('Id of the certificate that was got with it'),
  used_at: instant.nullable(),
  expires_at: instant,
  created_at: instant,
  version: z.int(),
};

export const claimCode = z.object(members).meta({ id: 'ClaimCode' });
export type ClaimCode = z.output<typeof claimCode>;

/** The only answer with the code. */
export const createdClaimCode = z
  .object({ ...members, code: z.string().describe('cdc_…; shown only here') })
  .meta({ id: 'CreatedClaimCode' });

export const claimCodeOperations = {
  'claim-codes.create': operation({
    method: 'POST',
    path: '/v1/identities/{id}/claim-codes',
    summary: 'Make the one-off code with which a device claims this identity, in place of an open one',
    scopes: ['certificates:write'],
    params: z.strictObject({ id: identityRef }),
    body: z
      .strictObject({
        expires_at: instant.optional().describe('At most claim-code-lifetime ahead, which is the default'),
      })
      .meta({ id: 'ClaimCodeCreate' }),
    response: createdClaimCode,
    status: 201,
  }),
  'claim-codes.list': operation({
    method: 'GET',
    path: '/v1/claim-codes',
    summary: 'List claim codes, oldest first; never the codes themselves',
    scopes: ['certificates:read'],
    query: z.strictObject({
      ...pageQuery,
      identity: identityRef.optional(),
      state: z.enum(['open', 'used', 'revoked']).optional(),
    }),
    response: page(claimCode),
  }),
  'claim-codes.get': operation({
    method: 'GET',
    path: '/v1/claim-codes/{id}',
    summary: 'Show a claim code, never the code itself',
    scopes: ['certificates:read'],
    params: z.strictObject({ id: recordId }),
    response: claimCode,
  }),
  'claim-codes.revoke': operation({
    method: 'DELETE',
    path: '/v1/claim-codes/{id}',
    summary: 'Revoke a claim code that nobody has used',
    scopes: ['certificates:write'],
    params: z.strictObject({ id: recordId }),
    response: claimCode,
  }),
};

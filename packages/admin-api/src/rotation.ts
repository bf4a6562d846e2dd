import { z } from 'zod';
import { clientKeyTerms, crlPem, httpsUri, pem, publicJwk, tlsClientMembers } from './credential-members.ts';
import { instant, label, span } from './fields.ts';

const { ca: _, ...subjects } = tlsClientMembers;
const { allow_rs256, allow_token_endpoint_audience } = clientKeyTerms;

/** What the successor of a credential is made of: secrets are made, of everything else its type says what is needed. */
export const credentialRotate = z
  .strictObject({
    overlap: span
      .optional()
      .describe('For how long both are there at most; at most rotation-overlap, which is the default'),
    label: label.optional().describe('Of the successor; that of the old one when left out'),
    expires_at: instant.optional().describe('Of the successor; as late as its method allows when left out'),
    jwk: publicJwk.optional().describe('The new public key, of private_key_jwt'),
    jwks_uri: httpsUri.optional().describe('Where its client publishes the new keys, of private_key_jwt'),
    allow_token_endpoint_audience: allow_token_endpoint_audience.removeDefault().optional(),
    allow_rs256: allow_rs256.removeDefault().optional(),
    certificate: pem.optional().describe('The new certificate, of self_signed_tls_client_auth'),
    ...subjects,
    ca: pem.optional().describe('Other authorities, of tls_client_auth; those of the old one when left out'),
    crl: crlPem.optional().describe('Their current revocation lists, of tls_client_auth'),
  })
  .meta({ id: 'CredentialRotate' });

export const ROTATION_STATES = ['moving', 'ready', 'over', 'broken'] as const;
export const INSTANCE_STATES = ['moved', 'waiting', 'unknown'] as const;

/** How far a rotation is. */
export const rotation = z
  .object({
    credential: z.string().describe('Id of the old one'),
    identity: z.string(),
    client_id: z.string(),
    successor: z.string().describe('Id of the new one'),
    rotated_by: z.enum(['itself', 'administration']),
    rotated_at: instant,
    state: z
      .enum(ROTATION_STATES)
      .describe(
        'moving: somebody has still to move, or to be seen for longer · ready: the old one ends within minutes · ' +
          'over: it has ended · broken: nothing that works takes its place',
      ),
    ends_at: instant.describe('When the old one ends at the latest, or ended'),
    window_seconds: z
      .int()
      .nullable()
      .describe('Who was not seen with the old one for so long does not count; null: everybody counts'),
    seen_enough_at: instant
      .nullable()
      .describe('From then on nobody can use the old one unseen; null: nobody can say when'),
    quiet_at: instant.describe('From then on no token of the old one is left, if it is not used again'),
    successor_used: z.boolean(),
    moved: z.int(),
    waiting: z.int(),
    instances: z
      .array(
        z.object({
          instance: z
            .string()
            .nullable()
            .describe(
              'What it calls itself, or its certificate’s serial; null: it does not say; others: all beyond 500',
            ),
          state: z
            .enum(INSTANCE_STATES)
            .describe(
              'unknown: cannot be told from others, or uses both; waits until none of them was seen for the window',
            ),
          source: z.string().describe('Address from which it was seen last'),
          first_seen: instant,
          last_seen_with_old: instant.describe('Up to 10 minutes old; an hour before the rotation'),
          last_seen_with_new: instant.nullable(),
        }),
      )
      .describe('Seen with the old one within the window, those that wait first'),
  })
  .meta({ id: 'Rotation' });
export type Rotation = z.output<typeof rotation>;

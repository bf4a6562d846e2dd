// fraud takes tokens only from whoever shows the certificate that they are bound to; payments has one and no secret.
import { access, document } from '../stage/telling.mjs';

export const FRAUD = 'https://fraud.example';

/** @param {string} ca what signed the certificates of machines, PEM */
export const documents = (ca) => [
  document('ResourceServer', 'fraud', {
    identifier: FRAUD,
    scopes: [
      { name: 'fraud:read', description: 'read scores' },
      { name: 'fraud:write', description: 'change rules', sensitivity: 2 },
    ],
    sender_constraint: 'mtls',
  }),
  document('Identity', 'payments', {
    kind: 'service',
    environment: 'prod',
    purpose: 'collects card payments',
    owner: { person: 'ada@example.com', team: 'money' },
    expires_in: '90d',
  }),
  // Renewing the certificate changes nothing here: its subject and what signed it stay the same.
  document('Credential', 'by certificate', {
    identity: 'payments',
    type: 'tls_client_auth',
    subject_dn: 'CN=payments,O=Example',
    ca,
    expires_in: '90d',
  }),
  access('payments', FRAUD, ['fraud:read'], 'each payment is scored before it is collected'),
];

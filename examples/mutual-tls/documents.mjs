// Two machines of one deployment, and nothing else: no secret, no credential; the authority makes those with the certificates.
import { access, document } from '../stage/telling.mjs';

export const LEDGER = 'https://ledger.example';

const machine = (name, purpose) =>
  document('Identity', name, {
    kind: 'service',
    environment: 'prod',
    purpose,
    owner: { person: 'ada@example.com', team: 'money' },
    expires_in: '90d',
  });

export const documents = () => [
  document('ResourceServer', 'ledger', {
    identifier: LEDGER,
    scopes: [{ name: 'ledger:read', description: 'read postings' }],
    sender_constraint: 'mtls',
  }),
  machine('payments', 'collects card payments'),
  machine('reports', 'counts at night'),
  machine('ledger', 'keeps the books'),
  access('payments', LEDGER, ['ledger:read'], 'what was paid is compared with what was booked'),
];

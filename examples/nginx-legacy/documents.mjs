// The application, which never hears of this, and the machine that reads its invoices.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

export const INVOICES = 'https://invoices.example';

export const documents = () => [
  document('ResourceServer', 'invoices', {
    identifier: INVOICES,
    scopes: [
      { name: 'invoices:read', description: 'look invoices up' },
      { name: 'invoices:write', description: 'make and void invoices', sensitivity: 2 },
    ],
  }),
  ...identityWithSecret('billing', { kind: 'job', purpose: 'collects what is due' }),
  access('billing', INVOICES, ['invoices:read'], 'reads what is due'),
];

// The orders API, and two machines that use it.
import { access, document, identityWithSecret } from '../stage/telling.mjs';

export const ORDERS = 'https://orders.example';

export const documents = () => [
  document('ResourceServer', 'orders', {
    identifier: ORDERS,
    scopes: [
      { name: 'orders:read', description: 'look orders up' },
      { name: 'orders:write', description: 'place orders', sensitivity: 1 },
    ],
  }),
  ...identityWithSecret('web-shop', { purpose: 'places orders' }),
  ...identityWithSecret('reports', { kind: 'job', purpose: 'counts orders every night' }),
  access('web-shop', ORDERS, ['orders:read', 'orders:write'], 'customers order there'),
  access('reports', ORDERS, ['orders:read'], 'counts'),
];

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { trustedProxies } from '@countersign/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import { createDecide } from '../decision/decide.ts';
import { identityHeaders } from '../decision/identity.ts';
import { routeTable } from '../rules/route-table.ts';
import { createLedger } from '../telemetry/ledger.ts';
import { createAuthEndpoint } from './auth-endpoint.ts';

const {
  identityHeaders: declared,
  routes,
  limits,
} = readConfig(
  'gateway.yaml',
  `issuer: https://authority.example
listen: {auth: '127.0.0.1:0'}
resources: {orders: {audience: 'https://orders.example'}}
routes: [{path: /open, public: true}]
`,
);
const identity = identityHeaders(declared);
const decide = createDecide({ routes: routeTable(routes), verifiers: new Map(), identity, limits });
const endpoint = createAuthEndpoint({
  decide,
  identity,
  frontProxies: trustedProxies(['127.0.0.1']),
  credentials: [],
  ledger: createLedger({ info: () => undefined, warn: () => undefined, error: () => undefined }, () => 0),
});
const server = createServer(endpoint);
let port: number;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

/** The answer's status, and what it says of the caller. */
function ask(path: string, headers: { [name: string]: string }): Promise<readonly [number, unknown]> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, headers, agent: false }, (answer) => {
      answer.resume();
      resolve([answer.statusCode ?? 0, answer.headers['countersign-client-id']]);
    });
    asked.on('error', reject);
    asked.end();
  });
}

const forwarded = {
  'X-Forwarded-Method': 'GET',
  'X-Forwarded-Uri': '/open',
  'X-Forwarded-Host': 'a.example',
};
const original = { 'X-Original-Method': 'GET', 'X-Original-URI': '/open', 'X-Original-Host': 'a.example' };

describe('an identity header of the caller on a public route', () => {
  it('is refused where the front may leave it beside an empty one of ours', async () => {
    expect(await ask('/auth/forward', forwarded)).toEqual([200, '']);
    for (const name of ['Countersign-Client-Id', 'countersign-subject']) {
      expect(await ask('/auth/forward', { ...forwarded, [name]: 'forged' })).toEqual([400, undefined]);
    }
  });

  it('does no harm where the front writes ours over it, empty as it is', async () => {
    const forged = { ...original, 'Countersign-Client-Id': 'forged' };
    expect(await ask('/auth/nginx', forged)).toEqual([200, '']);
  });
});

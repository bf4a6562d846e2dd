import type { HttpListener } from '@countersign/daemon';
import { create } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../config/read-config.ts';
import type { Allowed, Decision } from '../decision/decide.ts';
import type { EdgeRequest } from '../decision/edge-request.ts';
import { identityHeaders } from '../decision/identity.ts';
import { refuseEdge } from '../decision/refusal.ts';
import { createLedger } from '../telemetry/ledger.ts';
import { createCheck } from './check.ts';
import { Authorization, CheckRequestSchema } from './ext-authz.generated.ts';
import { createGrpcListener } from './grpc-listener.ts';

const { limits, identityHeaders: declared } = readConfig(
  'gateway.yaml',
  `issuer: https://a.example
listen: {grpc: '127.0.0.1:0'}
resources: {}
routes: [{path: /, deny: true}]
`,
);
const unbounded = { limits, tls: undefined, standsForMany: () => true, onTurnedAway: () => undefined };
const ALLOWED = {
  allowed: true,
  identity: [
    ['Countersign-Client-Id', 'payments'],
    ['Countersign-Subject', ''],
  ],
  headers: { 'DPoP-Nonce': 'n' },
} as unknown as Allowed;

let asked: EdgeRequest[] = [];
let decision: Decision | Error = ALLOWED;
let admitted = true;
let listener: HttpListener;
let client: Client<typeof Authorization>;

beforeEach(async () => {
  [asked, decision, admitted] = [[], ALLOWED, true];
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const check = createCheck({
    decide: async (request) => {
      asked.push(request);
      if (decision instanceof Error) throw decision;
      return await Promise.resolve(decision);
    },
    identity: identityHeaders(declared),
    credentials: ['authorization'],
    ledger: createLedger(silent, () => 0),
  });
  listener = createGrpcListener({ ...unbounded, admits: () => admitted, check });
  const port = await listener.listen('127.0.0.1', 0);
  client = createClient(Authorization, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
});
afterEach(() => listener.drain(0));

const http = { method: 'GET', path: '/a?b', host: 'a.example' };
const ask = (more: object, source: { certificate?: string } = {}) =>
  client.check(
    create(CheckRequestSchema, { attributes: { source, request: { http: { ...http, ...more } } } }),
  );

describe('a check', () => {
  it('that is allowed says what the application is told, and what it is not', async () => {
    const answer = await ask({
      headers: {
        ':path': '/a',
        authorization: 'x',
        countersign_client_id: 'x',
        'countersign-scope': 'x',
        'x-other': 'x',
      },
    });
    expect(asked).toMatchObject([
      { method: 'GET', target: '/a?b', hosts: ['a.example'], certificate: undefined },
    ]);
    expect(asked[0]?.rawHeaders).not.toContain(':path');
    expect(answer.status?.code ?? 0).toBe(0);
    expect(answer.httpResponse).toMatchObject({
      case: 'okResponse',
      value: {
        headers: [
          {
            header: { key: 'Countersign-Client-Id', value: 'payments' },
            append: { value: false },
            appendAction: 2,
          },
        ],
        headersToRemove: ['authorization', 'countersign_client_id', 'countersign-scope'],
        responseHeadersToAdd: [{ header: { key: 'DPoP-Nonce', value: 'n' } }],
      },
    });
  });

  it('that is refused says it as its caller shall hear it', async () => {
    decision = refuseEdge('path_dots');
    const answer = await ask({});
    expect(answer).toMatchObject({
      status: { code: 7 },
      httpResponse: {
        case: 'deniedResponse',
        value: { status: { code: 400 }, body: '{"error":"invalid_request"}' },
      },
    });
  });

  it('with raw headers has each by itself', async () => {
    const headers = ['Bearer a', 'Bearer b'].map((text) => ({
      key: 'authorization',
      rawValue: Buffer.from(text),
    }));
    await ask({ headerMap: { headers: [...headers, { key: 'x-empty' }] } });
    expect(asked[0]?.rawHeaders).toEqual([
      'authorization',
      'Bearer a',
      'authorization',
      'Bearer b',
      'x-empty',
      '',
    ]);
  });

  it('that says nothing, or whose decision fails, is refused and never an error', async () => {
    decision = new Error('a bug');
    const answers = [await client.check({}), await ask({ path: '' }), await ask({})];
    for (const answer of answers) {
      expect(answer.httpResponse).toMatchObject({ case: 'deniedResponse', value: { status: { code: 500 } } });
    }
    expect(asked).toHaveLength(1);
  });

  it('with a certificate that is none goes on without one', async () => {
    await ask({}, { certificate: 'junk' });
    expect(asked[0]?.certificate).toBeUndefined();
  });

  it('that is too large is not read', async () => {
    const large = ask({ headers: { a: 'x'.repeat(limits.headerBytes + 70_000) } });
    await expect(large).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });

  it('of a stranger is not taken', async () => {
    admitted = false;
    await expect(ask({})).rejects.toBeInstanceOf(ConnectError);
    expect(asked).toHaveLength(0);
  });

  it('is answered in gRPC only', async () => {
    const at = `http://127.0.0.1:${await listenOnce()}`;
    const answer = await fetch(`${at}/envoy.service.auth.v3.Authorization/Check`, {
      method: 'POST',
      body: '{}',
    }).catch((error: Error) => error);
    expect(answer).toBeInstanceOf(Error);
  });
});

/** A listener that speaks to whoever comes, in HTTP/2 only. */
async function listenOnce(): Promise<number> {
  await listener.drain(0);
  const check = (): Promise<never> => Promise.reject(new Error('not asked'));
  listener = createGrpcListener({ ...unbounded, admits: () => true, check });
  return await listener.listen('127.0.0.1', 0);
}

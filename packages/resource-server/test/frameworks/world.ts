// What stands behind every framework under test: an authority, and one verifier with every option on.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { generateSecret } from '@countersign/protocol';
import { createVerifier } from '../../src/create-verifier.ts';
import type { Verifier } from '../../src/verifier.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../tiny-issuer.ts';

export const NOW = 1_800_000_000;
export const SCOPE = 'fraud:read';
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

export interface World {
  readonly tiny: TinyIssuer;
  readonly verifier: Verifier;
  /** The authority knows it. */
  readonly apiKey: string;
  readonly unknownApiKey: string;
  readonly opaque: string;
  close(): Promise<void>;
}

const newKey = (): string =>
  generateSecret('cak', (size) => crypto.getRandomValues(new Uint8Array(size))).secret;

export async function startWorld(): Promise<World> {
  const clock = (): number => NOW;
  const tiny = await startTinyIssuer(clock);
  const apiKey = newKey();
  tiny.intercept = (request, response) => exchange(request, response, tiny, apiKey);
  tiny.cut({ kind: 'credential', id: 'crd_cut', not_before: NOW });
  const opaque = 'cot_good';
  const verifier = createVerifier({
    issuer: tiny.issuer,
    audience: AUDIENCE,
    clock,
    dpop: { nonces: true },
    apiKeys: true,
    introspect: {
      introspect: async (token) => (token === opaque ? active(tiny) : { active: false }),
    },
    metadata: { scopes: ['fraud:read', 'fraud:write'], name: 'Fraud' },
  });
  await verifier.ready();
  return {
    tiny,
    verifier,
    apiKey,
    unknownApiKey: newKey(),
    opaque,
    async close() {
      await verifier.close();
      await tiny.close();
    },
  };
}

/** The token endpoint, for API keys alone. */
function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  tiny: TinyIssuer,
  apiKey: string,
): boolean {
  if (request.url !== '/oauth/token') return false;
  request.resume();
  const known = request.headers['x-api-key'] === apiKey;
  const body = known
    ? { access_token: tiny.token(), token_type: 'Bearer', expires_in: 600, scope: SCOPE }
    : { error: 'invalid_client' };
  response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return true;
}

function active({ issuer }: TinyIssuer): { active: boolean; [name: string]: unknown } {
  const times = { iat: NOW, exp: NOW + 600, jti: 'j1' };
  return {
    active: true,
    iss: issuer,
    aud: AUDIENCE,
    scope: SCOPE,
    sub: 'payments',
    client_id: 'payments',
    ...times,
  };
}

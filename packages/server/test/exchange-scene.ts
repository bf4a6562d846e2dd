import { formatBasicCredentials, generateSecret, TOKEN_EXCHANGE, TOKEN_TYPE } from '@countersign/protocol';
import type { HttpRequest } from '../src/http/request.ts';
import type { HttpResponse } from '../src/http/response.ts';
import {
  accessRecord,
  changed,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
} from '../src/storage/contract/records.ts';
import type { AccessRecord } from '../src/storage/access.ts';
import type { CredentialRecord } from '../src/storage/credentials.ts';
import type { IdentityRecord } from '../src/storage/identities.ts';
import type { ResourceServerRecord } from '../src/storage/resource-servers.ts';
import { FRAUD, jsonOf, type TokenScene } from './token-scene.ts';

export const LEDGER = 'https://ledger.test';
export const TOKEN = TOKEN_TYPE.accessToken;

/** A client beside the scene's own. */
export interface Party {
  readonly identity: IdentityRecord;
  readonly credential: CredentialRecord;
  readonly authorization: string;
}

/** The scene's client `payments` calls fraud; `fraud-api` stands for fraud, and calls ledger in the name of payments. */
export interface ExchangeScene {
  readonly fraud: ResourceServerRecord;
  readonly ledger: ResourceServerRecord;
  readonly api: Party;
  /** Of the subject and of who acts for it, at ledger. */
  readonly access: { readonly subject: AccessRecord; readonly actor: AccessRecord };
  /** A token of payments for fraud. */
  subjectToken(more?: string): Promise<string>;
  /** Exchanges a token as `fraud-api`, or as another. */
  exchange(
    subjectToken: string,
    change?: Readonly<Record<string, string | undefined>>,
    ask?: {
      readonly as?: string;
      readonly headers?: readonly string[];
      readonly request?: Partial<HttpRequest>;
    },
  ): Promise<HttpResponse>;
}

export async function addParty(scene: TokenScene, clientId: string): Promise<Party> {
  const { secret, publicId } = generateSecret('csk', scene.deps.random);
  const identity = identityRecord({ clientId });
  const digest = scene.deps.secretHash.digest(secret);
  const credential = credentialRecord(identity.id, { material: { type: 'client_secret', publicId, digest } });
  await scene.storage.identities.insert(identity);
  await scene.storage.credentials.insert(credential);
  return { identity, credential, authorization: formatBasicCredentials(clientId, secret) };
}

export function scopesOf(...names: string[]): ResourceServerRecord['scopes'] {
  return names.map((name) => ({ name, description: name, sensitivity: 1 }));
}

export async function addExchange(scene: TokenScene): Promise<ExchangeScene> {
  const { storage } = scene;
  const api = await addParty(scene, 'fraud-api');
  const fraud = changed(scene.server, { scopes: [...scene.server.scopes, ...scopesOf('tokens:exchange')] });
  const scopes = scopesOf('ledger:read', 'ledger:write', 'ledger:close');
  const ledger = resourceServerRecord({ identifier: LEDGER, scopes });
  const access = {
    subject: accessRecord(scene.identity.id, ledger.id, { scopes: ['ledger:read', 'ledger:write'] }),
    actor: accessRecord(api.identity.id, ledger.id, { scopes: ['ledger:read', 'ledger:close'] }),
  };
  await storage.resourceServers.replace(fraud);
  await storage.resourceServers.insert(ledger);
  await storage.access.insert(accessRecord(api.identity.id, fraud.id, { scopes: ['tokens:exchange'] }));
  await storage.access.insert(access.subject);
  await storage.access.insert(access.actor);
  return {
    fraud,
    ledger,
    api,
    access,
    async subjectToken(more = '') {
      const token = String(jsonOf(await scene.ask(`resource=${FRAUD}${more}`))['access_token']);
      scene.log.events.length = 0;
      scene.counters.tokensIssued = 0;
      return token;
    },
    exchange(subjectToken, change = {}, { as = api.authorization, headers = [], request = {} } = {}) {
      const params = {
        grant_type: TOKEN_EXCHANGE,
        subject_token: subjectToken,
        subject_token_type: TOKEN,
        resource: LEDGER,
        ...change,
      };
      const form = Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined);
      const body = new URLSearchParams(form).toString();
      return scene.ask('', { authorization: as, body, headers, request });
    },
  };
}

/** What a token says. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into claims of every shape
export function claimsOf(token: string): any {
  return JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString());
}

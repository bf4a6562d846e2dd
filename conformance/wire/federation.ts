import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunningAuthority, startAuthority } from '../authority-process.ts';
import { accessBody, type Admin, identityBody, openAdmin, resourceServerBody } from './admin.ts';
import { type Answer, jsonOf } from './exchange.ts';
import { expectOAuthError } from './expectations.ts';
import { type ForeignIssuer, openForeignIssuer } from './foreign-issuer.ts';
import { freshName } from './scene.ts';
import { askToken } from './token-request.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** An authority of its own that may fetch from loopback, an issuer that it trusts, and an API. */
export interface FederationScene {
  readonly authority: RunningAuthority;
  readonly admin: Admin;
  readonly foreign: ForeignIssuer;
  readonly trustedIssuerId: string;
  readonly resource: string;
  /** A new identity with access to the API and this rule about tokens of the issuer. */
  letIn(conditions: Readonly<Record<string, string>>): Promise<{ clientId: string; credentialId: string }>;
  ask(assertion: string, params?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Asks, and is refused with the one answer that all have; gives what `explain` tells of it. */
  refusal(assertion: string): Promise<{ reason: string; why: string }>;
  close(): Promise<void>;
}

export async function openFederation(
  settings: Readonly<Record<string, unknown>>,
  /** Host names and addresses that the authority may fetch from. */
  allow: string | undefined = '127.0.0.1',
): Promise<FederationScene> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-federation-'));
  const foreign = await openForeignIssuer();
  const authority = await startAuthority({
    folder,
    ...(allow === undefined ? {} : { env: { COUNTERSIGN_OUTBOUND_ALLOW: allow } }),
  });
  const { target } = authority;
  const admin = openAdmin(target);
  const trusted = await admin.must('POST', '/trusted-issuers', {
    issuer: foreign.issuer,
    name: 'foreign',
    ...settings,
  });
  const resource = `https://${freshName('federation')}.example`;
  await admin.must('POST', '/resource-servers', resourceServerBody(resource, ['read', 'write']));

  // The log tells of the first twenty refusals a minute of one source.
  let source = 1;
  const ask: FederationScene['ask'] = (assertion, params = {}) =>
    askToken({
      target,
      params: { grant_type: JWT_BEARER, assertion, ...params },
      localAddress: `127.0.0.${(source++ % 250) + 1}`,
    });

  return {
    authority,
    admin,
    foreign,
    trustedIssuerId: String(trusted['id']),
    resource,
    async letIn(conditions) {
      const identity = await admin.must('POST', '/identities', identityBody(freshName('workload')));
      const id = String(identity['id']);
      await admin.must('POST', '/access', accessBody(id, resource, ['read', 'write']));
      const rule = { type: 'federated', trusted_issuer: foreign.issuer, conditions };
      const credential = await admin.must('POST', `/identities/${id}/credentials`, rule);
      return { clientId: String(identity['client_id']), credentialId: String(credential['id']) };
    },
    ask,
    async refusal(assertion) {
      const answer = await ask(assertion);
      expect(expectOAuthError(answer, 400, 'invalid_grant')).toEqual({
        error: 'invalid_grant',
        error_description: 'the assertion is not acceptable',
      });
      const requestId = String(answer.headers['request-id']);
      const told = await explained(admin, requestId);
      const events = told['events'] as readonly { reason?: string }[];
      return { reason: String(events[0]?.reason), why: String(told['why']) };
    },
    async close() {
      await authority.stop();
      await foreign.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The log of strangers may be a moment behind the answer. */
/** What `explain` tells of a refusal; its event is written beside the answer, and may come a moment later. */
export async function explained(admin: Admin, requestId: string): Promise<Record<string, unknown>> {
  for (let tries = 0; ; tries++) {
    const answer = await admin.call('GET', `/explain/${requestId}`);
    if (answer.status === 200) return jsonOf(answer);
    if (tries === 50) throw new Error(`${requestId} is not explained: ${answer.text}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

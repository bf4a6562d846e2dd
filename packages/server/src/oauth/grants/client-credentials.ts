// RFC 6749 §4.4 client credentials, with resource indicators (RFC 8707 §2).
import { parseResourceIndicator, parseScope } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';
import type { Grant } from './grant.ts';

export const clientCredentials: Grant = {
  type: 'client_credentials',

  authorize(form) {
    const resources = form.all('resource');
    // RFC 8707 §2 allows several; one token of ours has one audience.
    if (resources.length > 1) throw new Refusal('several_resources');
    const resource = resources[0] === undefined ? undefined : parseResourceIndicator(resources[0]);
    if (resources.length === 1 && resource === undefined) throw new Refusal('resource_malformed');

    const scopeText = form.get('scope');
    const scopes = scopeText === undefined ? undefined : parseScope(scopeText);
    // RFC 6749 §3.3
    if (scopeText !== undefined && scopes === undefined) throw new Refusal('scope_malformed');
    return { resource, scopes };
  },
};

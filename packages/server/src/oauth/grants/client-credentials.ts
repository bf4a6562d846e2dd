// RFC 6749 §4.4 client credentials, with resource indicators (RFC 8707 §2).
import { type Form, parseResourceIndicator, parseScope } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';
import { Refusal } from '../refusal.ts';
import type { Grant } from './grant.ts';

export const clientCredentials: Grant = {
  type: 'client_credentials',

  authorize(form) {
    // The endpoint hands in the same form for the same body: then what it asks for is the same too.
    let asked = known.get(form);
    if (asked === undefined) known.set(form, (asked = read(form)));
    return asked;
  },
};

const known = new WeakMap<Form, AccessAsked>();

function read(form: Form): AccessAsked {
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
}

// What a token request asks for: RFC 6749 §3.3 scope, RFC 8707 §2 resource.
import { type Form, parseResourceIndicator, parseScope } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';
import { Refusal } from '../refusal.ts';

export function readAccessAsked(form: Form): AccessAsked {
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

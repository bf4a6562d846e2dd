// What a token request asks for: RFC 6749 §3.3 scope, RFC 8707 §2 resource.
import { type Form, parseResourceIndicator, parseScope } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';
import { Refusal } from '../refusal.ts';

/** `targets`: what the form names as the API to call. */
export function readAccessAsked(form: Form, targets: readonly string[] = form.all('resource')): AccessAsked {
  // RFC 8707 §2 allows several; one token of ours has one audience.
  if (targets.length > 1) throw new Refusal('several_resources');
  const resource = targets[0] === undefined ? undefined : parseResourceIndicator(targets[0]);
  if (targets.length === 1 && resource === undefined) throw new Refusal('resource_malformed');

  const scopeText = form.get('scope');
  const scopes = scopeText === undefined ? undefined : parseScope(scopeText);
  // RFC 6749 §3.3
  if (scopeText !== undefined && scopes === undefined) throw new Refusal('scope_malformed');
  return { resource, scopes };
}

// A token request as JSON: not in any RFC, but what some clients send for RFC 7523 §2.1, and for nothing else.
import { Form, JWT_BEARER, parseBoundedJsonObject } from '@countersign/protocol';
import { Refusal } from '../refusal.ts';

const LIMITS = { maxDepth: 2, maxBytes: 65_536, maxValues: 50 } as const;

/** The members as a form. Throws `Refusal` for any other grant, and for what two parsers could read differently. */
export function readJsonBody(body: Uint8Array): Form {
  const parsed = parseBoundedJsonObject(body, LIMITS);
  if (!parsed.ok) throw new Refusal(parsed.fault === 'not_json' ? 'wrong_content_type' : 'json_malformed');
  const members = Object.entries(parsed.value);
  const texts = members.map(([, value]) => value);
  if (!texts.every((value): value is string => typeof value === 'string' && !value.includes('\0'))) {
    throw new Refusal('json_malformed');
  }
  const form = new Form(
    members.map(([name]) => name),
    texts,
  );
  if (form.get('grant_type') !== JWT_BEARER) throw new Refusal('wrong_content_type');
  return form;
}

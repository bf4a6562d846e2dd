// RFC 6749 §4.4 client credentials, with resource indicators (RFC 8707 §2).
import type { Form } from '@countersign/protocol';
import type { AccessAsked } from '../../registry/effective-access.ts';
import { readAccessAsked } from './access-asked.ts';
import type { Grant } from './grant.ts';

export const clientCredentials: Grant = {
  type: 'client_credentials',

  authorize(form) {
    // The endpoint hands in the same form for the same body: then what it asks for is the same too.
    let asked = known.get(form);
    if (asked === undefined) known.set(form, (asked = readAccessAsked(form)));
    return asked;
  },
};

const known = new WeakMap<Form, AccessAsked>();

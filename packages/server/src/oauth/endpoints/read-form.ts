// The body of a request at an endpoint for clients: RFC 6749 §3.2, appendix B.
import type { Form } from '@countersign/protocol';
import { type HttpRequest, singleHeader } from '../../http/request.ts';
import { Refusal } from '../refusal.ts';
import { FormMemory } from './form-memory.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Readers of bodies of other media types, by type: each throws `Refusal` for what it cannot read. */
export type OtherBodies = ReadonlyMap<string | undefined, (body: Uint8Array) => Form>;

/** Once: the body is let go of. `others`: what is taken beside forms, where anything is. */
export function readForm(request: HttpRequest, others?: OtherBodies): Form {
  try {
    return read(request, others);
  } finally {
    request.letGoOfBody?.();
  }
}

function read(request: HttpRequest, others: OtherBodies | undefined): Form {
  // RFC 6749 §2.3.1: credentials MUST NOT be in the URI; nothing else of a token request belongs there either.
  if (
    request.query !== '' &&
    /(?:^|&)(?:client_secret|client_assertion|client_id|grant_type|assertion|scope|access_token|subject_token|actor_token|api_key|x-api-key)=/.test(
      request.query,
    )
  ) {
    throw new Refusal('credentials_in_query');
  }
  const type = singleHeader(request, 'content-type');
  if (type === undefined || (type !== FORM_TYPE && mediaType(type) !== FORM_TYPE)) {
    const readOther = others?.get(mediaType(type ?? ''));
    if (readOther !== undefined) return readOther(request.body);
    throw new Refusal('wrong_content_type');
  }
  return forms.read(request.body);
}

const forms = new FormMemory();

/** RFC 9110 §8.3.1: type and charset are case-insensitive; only UTF-8 is what RFC 6749 appendix B allows. */
function mediaType(value: string): string | undefined {
  const [type = '', ...parameters] = value.split(';').map((part) => part.trim().toLowerCase());
  const utf8 = parameters.every((p) => !p.startsWith('charset=') || /^charset="?utf-?8"?$/.test(p));
  return utf8 ? type : undefined;
}

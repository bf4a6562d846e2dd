// AS Request Creation Hints: where a token for this request comes from (RFC 9200 §5.3).
import { CONTENT_FORMAT, type CborValue, encodeCbor, HINT } from '@countersign/cose';
import type { Answer } from '../message/answer.ts';
import { numberOption, OPTION } from '../message/coap-message.ts';

export interface HintFacts {
  /** Of the authority. */
  readonly tokenEndpoint: string;
  readonly audience: string;
}

/** `scopes`: those that would do, where it is known what is asked for. */
export function withHints(
  code: number,
  { tokenEndpoint, audience }: HintFacts,
  scopes: readonly string[] = [],
): Answer {
  const hints = new Map<number, CborValue>([
    [HINT.as, tokenEndpoint],
    [HINT.audience, audience],
  ]);
  // One is enough, and the answer stays small: who asks may be somebody else (RFC 7252 §11.3).
  if (scopes[0] !== undefined) hints.set(HINT.scope, scopes[0]);
  return {
    code,
    options: [numberOption(OPTION.contentFormat, CONTENT_FORMAT.aceCbor)],
    payload: encodeCbor(hints),
  };
}

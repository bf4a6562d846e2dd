import type { JsonObject } from '@countersign/protocol';
import type { AskedClientKey } from '../../registry/client-key.ts';

/** What the contract has of a key, in a request as in a document: exactly one of the first two is there. */
export interface ClientKeyMembers {
  readonly jwk?: JsonObject | undefined;
  readonly jwks_uri?: string | undefined;
  readonly allow_token_endpoint_audience: boolean;
  readonly allow_rs256: boolean;
}

export function clientKeyOf({ jwk, jwks_uri, ...terms }: ClientKeyMembers): AskedClientKey {
  return {
    keys: jwk === undefined ? { jwksUri: jwks_uri ?? '' } : { jwk },
    allowTokenEndpointAudience: terms.allow_token_endpoint_audience,
    allowRs256: terms.allow_rs256,
  };
}

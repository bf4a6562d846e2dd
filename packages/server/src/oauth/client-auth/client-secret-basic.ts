// client_secret_basic: RFC 6749 §2.3.1 in the Authorization header of RFC 7617.
import { parseBasicCredentials } from '@countersign/protocol';
import { header } from '../../http/request.ts';
import type { SecretHash } from '../../registry/secret-hash.ts';
import { Refusal } from '../refusal.ts';
import type { ClientAuthMethod } from './method.ts';

const BEARER = /^bearer +/i;

export function clientSecretBasic(hash: SecretHash): ClientAuthMethod<string> {
  return {
    name: 'client_secret_basic',

    present(request) {
      const reading = header(request, 'authorization');
      if (reading.kind === 'absent') return undefined;
      // Node's joined headers would drop the second one silently.
      if (reading.kind === 'many') throw new Refusal('authorization_repeated');
      // A bearer is an API key's: api-key.ts reads it, or refuses it.
      if (BEARER.test(reading.value)) return undefined;
      const credentials = parseBasicCredentials(reading.value);
      if (!credentials.ok) throw new Refusal('authorization_unreadable');
      return { clientId: credentials.id, proof: credentials.secret };
    },

    verify: (presented, credentials) => hash.match(presented.proof, credentials),
  };
}

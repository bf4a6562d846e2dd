// api_key: a bearer secret that names itself. No registered method (RFC 8414 §2), hence not in the metadata: callers of
// APIs know keys as `X-API-Key` or as a bearer (RFC 6750 §2.1), and whoever is called exchanges one as it came.
import { parseSecret } from '@countersign/protocol';
import { header } from '../../http/request.ts';
import type { SecretHash } from '../../registry/secret-hash.ts';
import { Refusal } from '../refusal.ts';
import type { ClientAuthMethod } from './method.ts';

const BEARER = /^bearer +/i;

export function apiKey(hash: SecretHash): ClientAuthMethod<string> {
  return {
    name: 'api_key',

    present(request, form) {
      const own = header(request, 'x-api-key');
      const authorization = header(request, 'authorization');
      const bearer =
        authorization.kind === 'one' && BEARER.test(authorization.value)
          ? authorization.value.replace(BEARER, '')
          : undefined;
      if (own.kind === 'absent' && bearer === undefined) return undefined;
      // RFC 6749 §2.3: one method a request, and the same one twice is not one.
      if (own.kind === 'many' || (own.kind === 'one' && bearer !== undefined)) {
        throw new Refusal('several_client_auth_methods');
      }
      const key = own.kind === 'one' ? own.value : (bearer as string);
      const parsed = parseSecret(key);
      // Typing errors and other people's tokens end here: nothing is looked up for them.
      if (parsed?.kind !== 'cak') throw new Refusal('api_key_malformed');
      return { clientId: form.get('client_id') ?? '', keyId: parsed.publicId, proof: key };
    },

    verify: (presented, credentials) => hash.match(presented.proof, credentials, 'api_key'),
  };
}

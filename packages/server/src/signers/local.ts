import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { signEs256 } from '@countersign/protocol';
import type { Seal } from '../keys/seal.ts';
import type { Signer } from '../keys/signer.ts';
import type { SigningAlgorithm } from '../storage/resource-servers.ts';

/** Keys on this machine's processor, sealed under the master key in the database. */
export function localSigner(seal: Seal): Signer {
  return {
    async generate(alg, kid) {
      requireEs256(alg);
      // Synchronous: keys are made inside a transaction, which must wait for nothing but its stores. About 0.1 ms.
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { kty, crv, x, y } = pair.publicKey.export({ format: 'jwk' });
      const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
      return {
        publicJwk: { kty: kty as string, crv: crv as string, x: x as string, y: y as string },
        sealedPrivateKey: seal.seal(der, contextOf(kid)),
      };
    },

    open(alg, kid, sealedPrivateKey) {
      requireEs256(alg);
      const der = Buffer.from(seal.open(sealedPrivateKey, contextOf(kid)));
      const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      der.fill(0);
      return { sign: (signingInput) => signEs256(signingInput, key) };
    },

    publicKey: (publicJwk): KeyObject => createPublicKey({ key: { ...publicJwk }, format: 'jwk' }),
  };
}

function contextOf(kid: string): string {
  return `signing-key/${kid}`;
}

function requireEs256(alg: SigningAlgorithm): void {
  if (alg !== 'ES256') throw new Error(`no signing key can be made for ${alg} yet`);
}

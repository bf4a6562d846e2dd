import type { CredentialRecord } from '../../storage/credentials.ts';

/** Commands that findings give as their fix, ready for a shell. */

const PLAIN = /^[A-Za-z0-9_./:@%+=,-]+$/;

/** One word of a POSIX shell. Names of scopes and APIs are of charsets in which a shell would see more than text. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function command(...words: readonly string[]): string {
  return ['countersign', ...words].map(shellWord).join(' ');
}

/** Adds a key pair's public half: the method that asks for no infrastructure and leaves no secret with two. */
export function addKey(clientId: string): string {
  return command('credentials', 'create', clientId, '--type', 'private_key_jwt', '--jwk-file', 'public.jwk');
}

/**
 * Gives a credential its successor, of the same type and the same limits. What only its owner knows stands as a file to fill in;
 * whose keys others hold has nothing to rotate, and gets another one.
 */
export function addSuccessor(clientId: string, { id, material }: CredentialRecord): string {
  const { type } = material;
  if (type === 'federated' || type === 'spiffe') {
    return command('credentials', 'create', clientId, '--type', type, ...materialFlags(clientId, material));
  }
  return command('credentials', 'rotate', id, ...materialFlags(clientId, material));
}

function materialFlags(clientId: string, material: CredentialRecord['material']): readonly string[] {
  switch (material.type) {
    case 'client_secret':
      return ['--secret-file', `${clientId}-next.secret`];
    case 'api_key':
      return ['--secret-file', `${clientId}-next.key`];
    case 'private_key_jwt':
      return material.jwksUri === undefined ? ['--jwk-file', 'public.jwk'] : ['--jwks-uri', material.jwksUri];
    case 'tls_client_auth':
      return [`--${material.field.replace('_', '-')}`, material.value];
    case 'self_signed_tls_client_auth':
      return ['--certificate', 'client.pem'];
    case 'federated':
      return [
        '--trusted-issuer',
        material.trustedIssuer,
        ...Object.entries(material.conditions).flatMap(([claim, value]) => [
          '--condition',
          `${claim}=${value}`,
        ]),
      ];
    case 'spiffe':
      return ['--spiffe-id', material.spiffeId];
  }
}

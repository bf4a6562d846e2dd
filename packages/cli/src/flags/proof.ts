import { usageError } from '../failure.ts';
import type { ContractFlags, FieldOverrides } from '../noun/contract-flags.ts';
import { textFile } from '../named-file.ts';
import { readPublicKey } from '../secrets/public-key-file.ts';

/** What credentials are made of beside their type: the same flags wherever one is made. */
export const PROOF_FLAGS: FieldOverrides = {
  jwk: {
    flag: 'jwk-file',
    placeholder: 'file',
    brief: 'Its public key: JSON Web Key, PEM, or in a PEM certificate',
    read: ([file], host, flag) => readPublicKey(textFile(host, file as string, flag), file as string),
  },
  jwks_uri: { brief: 'Where its public keys are published', placeholder: 'url' },
  allow_token_endpoint_audience: { brief: 'Take assertions whose audience is the token endpoint' },
  allow_rs256: { brief: 'Take RS256 of this RSA key' },
  ca: {
    flag: 'issued-by',
    placeholder: 'file',
    brief: 'PEM certificates of the authorities that may have signed its certificate',
    read: ([file], host, flag) => textFile(host, file as string, flag),
  },
  crl: {
    placeholder: 'file',
    brief: 'Current revocation lists of these authorities, PEM (X509 CRL)',
    read: ([file], host, flag) => textFile(host, file as string, flag),
  },
  certificate: {
    placeholder: 'file',
    brief: 'Its own certificate, PEM',
    read: ([file], host, flag) => textFile(host, file as string, flag),
  },
  subject_dn: { brief: 'Subject of its certificate, as openssl x509 -nameopt RFC2253 writes it' },
  san_dns: { brief: 'DNS name in its certificate' },
  san_uri: { brief: 'URI in its certificate' },
  san_ip: { brief: 'IP address in its certificate' },
  san_email: { brief: 'Mail address in its certificate' },
  trusted_issuer: { brief: 'Outside issuer of its tokens' },
  conditions: {
    flag: 'condition',
    placeholder: 'claim=value',
    brief: 'What its outside token must say; may be repeated',
    repeat: true,
    read: (values) => Object.fromEntries(values.map(conditionOf)),
  },
  spiffe_id: { brief: 'Its SPIFFE ID' },
};

function conditionOf(text: string): readonly [string, string] {
  const split = text.indexOf('=');
  if (split <= 0) throw usageError(`--condition takes claim=value, not ${text}.`);
  return [text.slice(0, split), text.slice(split + 1)];
}

/** Of what each method proves itself: one of each group. */
const MADE_OF: Readonly<Record<string, readonly (readonly string[])[]>> = {
  private_key_jwt: [['jwk', 'jwks_uri']],
  tls_client_auth: [['ca'], ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email']],
  self_signed_tls_client_auth: [['certificate']],
  federated: [['trusted_issuer'], ['conditions']],
  spiffe: [['spiffe_id']],
};

/** Says by its flags what a credential of this type still needs, before anything is asked. @throws CommandFailure `usage` */
export function requireProof(
  members: Readonly<Record<string, unknown>>,
  { flagOf }: Pick<ContractFlags, 'flagOf'>,
): void {
  const type = String(members['type']);
  const faults = (MADE_OF[type] ?? []).flatMap((group) => {
    const given = group.filter((member) => members[member] !== undefined);
    if (given.length === 1) return [];
    const flags = (names: readonly string[]): readonly string[] =>
      names.flatMap((member) => flagOf(`/${member}`) ?? []);
    return given.length === 0
      ? [`${type} needs ${listed(flags(group))}, with its value.`]
      : [`${type} takes one of ${flags(given).join(', ')}.`];
  });
  if (faults.length > 0) throw usageError(faults.join('\n  '));
}

function listed(flags: readonly string[]): string {
  const [last, ...before] = [...flags].reverse();
  return before.length === 0 ? String(last) : `${before.reverse().join(', ')} or ${last}`;
}
